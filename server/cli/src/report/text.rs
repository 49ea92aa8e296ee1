//! Findings as compilers show them: the line, the place under it, what belongs to it.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use cellwright_checks::{Finding, Severity};
use cellwright_syntax::Span;

use crate::files::Input;
use crate::lines::Lines;

/// Longer lines are cut around the place: nobody reads a line of a megabyte.
const WINDOW: usize = 160;

/// All findings of one file.
pub(crate) fn text(input: &Input, findings: &[Finding]) -> String {
    let lines = Lines::new(&input.parsed.text, input.encoding);
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let mut out = String::new();
    for finding in findings {
        out.push_str(&renderer.render(&[group(&input.name, finding, &lines)]));
        out.push_str("\n\n");
    }
    out
}

fn group<'a>(name: &'a str, finding: &'a Finding, lines: &Lines<'a>) -> Group<'a> {
    let title = level(finding.severity).primary_title(finding.message.as_str()).id(finding.code);
    let mut group =
        title.element(snippet(name, finding.span, AnnotationKind::Primary, None, lines));
    for related in &finding.related {
        let label = Some(related.message.as_str());
        group = group.element(snippet(name, related.span, AnnotationKind::Context, label, lines));
    }
    for fix in &finding.fixes {
        group = group.element(Level::HELP.message(fix.title.as_str()));
    }
    group
}

/// The one line a span starts on; a span that goes on below is drawn to the end of its first line.
fn snippet<'a>(
    name: &'a str,
    span: Span,
    kind: AnnotationKind,
    label: Option<&'a str>,
    lines: &Lines<'a>,
) -> Snippet<'a, Annotation<'a>> {
    let index = lines.line_of(span.start);
    let line = lines.line(index);
    let start = (span.start - lines.start(index)).min(line.len());
    let end = (span.end - lines.start(index)).clamp(start, line.len());
    let (from, to) = window(line, start, end);
    let end = end.min(to);
    let annotation = kind.span(start - from..end - from).label(label);
    Snippet::source(&line[from..to]).line_start(index + 1).path(name).annotation(annotation)
}

/// The part of a line that is worth showing, on character boundaries.
fn window(line: &str, start: usize, end: usize) -> (usize, usize) {
    if line.len() <= WINDOW {
        return (0, line.len());
    }
    let from = line.floor_char_boundary(start.saturating_sub(WINDOW / 4));
    let to =
        line.ceil_char_boundary(end.min(start + WINDOW / 2).max(from + WINDOW).min(line.len()));
    (from, to)
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Information => Level::INFO,
        Severity::Hint => Level::HELP,
    }
}
