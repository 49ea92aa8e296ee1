//! Findings as JSON, schema `check` version 1.

use cellwright_checks::{Finding, Related};
use cellwright_syntax::{Span, TextEdit};
use serde::Serialize;

use super::severity_name;
use crate::files::Input;
use crate::lines::{Lines, Position};

/// One finding.
#[derive(Debug, Serialize)]
pub(crate) struct JsonFinding {
    file: String,
    code: &'static str,
    severity: &'static str,
    message: String,
    start: Position,
    end: Position,
    related: Vec<JsonRelated>,
    fixes: Vec<JsonFix>,
}

#[derive(Debug, Serialize)]
struct JsonRelated {
    message: String,
    start: Position,
    end: Position,
}

#[derive(Debug, Serialize)]
struct JsonFix {
    title: String,
    edits: Vec<JsonEdit>,
}

#[derive(Debug, Serialize)]
struct JsonEdit {
    start: Position,
    end: Position,
    text: String,
}

/// All findings of one file.
pub(crate) fn findings(input: &Input, findings: &[Finding]) -> Vec<JsonFinding> {
    let lines = Lines::new(&input.parsed.text, input.encoding);
    let ends = |span: Span| (lines.position(span.start), lines.position(span.end));
    let related = |r: &Related| {
        let (start, end) = ends(r.span);
        JsonRelated { message: r.message.clone(), start, end }
    };
    let edit = |e: &TextEdit| {
        let (start, end) = ends(e.span);
        JsonEdit { start, end, text: e.text.clone() }
    };
    findings
        .iter()
        .map(|finding| {
            let (start, end) = ends(finding.span);
            JsonFinding {
                file: input.name.clone(),
                code: finding.code,
                severity: severity_name(finding.severity),
                message: finding.message.clone(),
                start,
                end,
                related: finding.related.iter().map(related).collect(),
                fixes: finding
                    .fixes
                    .iter()
                    .map(|fix| JsonFix {
                        title: fix.title.clone(),
                        edits: fix.edits.iter().map(edit).collect(),
                    })
                    .collect(),
            }
        })
        .collect()
}
