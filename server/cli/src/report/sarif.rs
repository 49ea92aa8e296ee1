//! Findings as SARIF 2.1.0 (OASIS), the format that code-scanning services read.

use cellwright_checks::{Finding, Severity, rules};
use cellwright_syntax::Span;
use serde_json::{Value, json};

use super::severity_name;
use crate::files::{Input, Unreadable};
use crate::lines::Lines;

/// One run over all files; files that could not be read are notifications of the tool.
pub(crate) fn sarif(results: &[Value], unreadable: &[Unreadable]) -> Value {
    let rules: Vec<_> = rules()
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code,
                "shortDescription": { "text": rule.summary },
                "help": { "text": rule.docs, "markdown": rule.docs },
                "defaultConfiguration": { "level": level(rule.severity) },
            })
        })
        .collect();
    let notifications: Vec<_> = unreadable
        .iter()
        .map(|file| json!({ "level": "error", "message": { "text": file.to_string() } }))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "cellwright",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": unreadable.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

/// The results of one file.
pub(crate) fn results(input: &Input, findings: &[Finding]) -> Vec<Value> {
    let lines = Lines::new(&input.parsed.text, input.encoding);
    findings.iter().map(|finding| result(&input.name, finding, &lines)).collect()
}

fn result(file: &str, finding: &Finding, lines: &Lines<'_>) -> Value {
    let uri = file.replace('\\', "/");
    let related: Vec<_> = finding
        .related
        .iter()
        .map(|r| {
            let mut place = location(&uri, r.span, lines);
            place["message"] = json!({ "text": r.message });
            place
        })
        .collect();
    let fixes: Vec<_> = finding
        .fixes
        .iter()
        .map(|fix| {
            let replacements: Vec<_> = fix
                .edits
                .iter()
                .map(|e| json!({ "deletedRegion": region(e.span, lines), "insertedContent": { "text": e.text } }))
                .collect();
            json!({
                "description": { "text": fix.title },
                "artifactChanges": [{ "artifactLocation": { "uri": uri }, "replacements": replacements }],
            })
        })
        .collect();
    json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": { "text": finding.message },
        "locations": [location(&uri, finding.span, lines)],
        "relatedLocations": related,
        "fixes": fixes,
        "properties": { "severity": severity_name(finding.severity) },
    })
}

fn location(uri: &str, span: Span, lines: &Lines<'_>) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri },
        "region": region(span, lines),
    }})
}

fn region(span: Span, lines: &Lines<'_>) -> Value {
    let (start, end) = (lines.position(span.start), lines.position(span.end));
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "byteOffset": start.byte,
        "byteLength": end.byte - start.byte,
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information | Severity::Hint => "note",
    }
}
