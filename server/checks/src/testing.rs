//! One fixture format for every rule: the text of a file with its findings drawn under the lines they
//! belong to.
//!
//! ```text
//! _cell_volume 100
//!              ^^^ warning cell-volume: the message
//!              | line 3 "4.0": a related place
//!              | fix: Set the volume to 64
//! ```
//!
//! [`check`] takes the drawn lines out, checks what is left, draws the findings it got and compares the
//! whole, so a fixture says both what must be found and that nothing else is.

use cellwright_syntax::text::apply_edits;
use cellwright_syntax::{Language, Parsed, Span};

use crate::{Finding, Severity, Tolerances};

/// Checks a fixture, CIF or POSCAR by its content.
#[track_caller]
pub(crate) fn check(fixture: &str) {
    let fixture = fixture.strip_prefix('\n').unwrap_or(fixture);
    check_as(Language::guess(&undrawn(fixture)), fixture);
}

/// Checks a fixture in a given language.
#[track_caller]
pub(crate) fn check_as(language: Language, fixture: &str) {
    let fixture = fixture.strip_prefix('\n').unwrap_or(fixture);
    let source = undrawn(fixture);
    let findings = findings_as(language, &source);
    let drawn = draw(&source, &findings);
    assert!(drawn == fixture, "expected\n-----\n{fixture}-----\nbut got\n=====\n{drawn}=====");
}

/// Asserts that the first finding of `code` in `before` has a fix that touches it, that the first fix
/// gives `after`, and that the finding is gone then.
#[track_caller]
pub(crate) fn check_fix(code: &str, before: &str, after: &str) {
    let before = before.strip_prefix('\n').unwrap_or(before);
    let after = after.strip_prefix('\n').unwrap_or(after);
    let language = Language::guess(before);
    let findings = findings_as(language, before);
    let Some(finding) = findings.iter().find(|f| f.code == code) else {
        panic!("no finding {code} in\n{}", draw(before, &findings));
    };
    let Some(fix) = finding.fixes.first() else {
        panic!("no fix for {code} in\n{}", draw(before, &findings));
    };
    let places = || std::iter::once(finding.span).chain(finding.related.iter().map(|r| r.span));
    let touches =
        |edit: Span| places().any(|place| place.touches(edit.start) || edit.touches(place.start));
    assert!(fix.edits.iter().any(|edit| touches(edit.span)), "the fix is elsewhere: {finding:#?}");
    let got = apply_edits(before, &fix.edits);
    assert!(got == after, "expected\n-----\n{after}-----\nbut got\n=====\n{got}=====");
    let left = findings_as(language, after);
    assert!(
        !left.iter().any(|f| f.code == code && f.message == finding.message),
        "still there after the fix:\n{}",
        draw(after, &left)
    );
}

/// The codes found in a text, in order of place.
pub(crate) fn codes(text: &str) -> Vec<&'static str> {
    findings_as(Language::guess(text), text).iter().map(|f| f.code).collect()
}

/// All findings of a text.
pub(crate) fn findings_as(language: Language, text: &str) -> Vec<Finding> {
    let findings = crate::check(&Parsed::new(language, text), &Tolerances::default());
    for finding in &findings {
        assert_places(text, finding);
    }
    findings
}

/// Every place of a finding lies in the text, and its edits can be applied.
pub(crate) fn assert_places(text: &str, finding: &Finding) {
    assert!(!finding.message.is_empty() && !finding.message.ends_with('.'), "{finding:?}");
    for span in std::iter::once(finding.span).chain(finding.related.iter().map(|r| r.span)) {
        assert!(text.get(span.start..span.end).is_some(), "{span:?} is not in the text");
    }
    for fix in &finding.fixes {
        let applied = apply_edits(text, &fix.edits);
        assert!(applied != text, "a fix that changes nothing: {}", fix.title);
    }
}

/// The text with its findings under the lines where they begin.
fn draw(text: &str, findings: &[Finding]) -> String {
    let mut out = String::new();
    let mut start = 0;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let count = lines.len();
    for (i, line) in lines.into_iter().enumerate() {
        let end = start + line.len();
        out.push_str(line);
        let last = i + 1 == count;
        for finding in findings {
            let at = finding.span.start;
            if at < start || at > end || (at == end && !last) {
                continue;
            }
            if !out.ends_with('\n') {
                out.push('\n');
            }
            draw_finding(&mut out, text, start, finding);
        }
        start = end;
    }
    if text.is_empty() {
        for finding in findings {
            draw_finding(&mut out, text, 0, finding);
        }
    }
    out
}

fn draw_finding(out: &mut String, text: &str, line_start: usize, finding: &Finding) {
    let indent = " ".repeat(text[line_start..finding.span.start].chars().count());
    let under = finding.span.text(text).lines().next().unwrap_or_default();
    let carets = "^".repeat(under.trim_end().chars().count().max(1));
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "information",
        Severity::Hint => "hint",
    };
    out.push_str(&format!("{indent}{carets} {severity} {}: {}\n", finding.code, finding.message));
    for related in &finding.related {
        let line = text[..related.span.start].matches('\n').count() + 1;
        let place = related.span.text(text).lines().next().unwrap_or_default();
        out.push_str(&format!("{indent}| line {line} \"{place}\": {}\n", related.message));
    }
    for fix in &finding.fixes {
        out.push_str(&format!("{indent}| fix: {}\n", fix.title));
    }
}

/// A fixture without its drawn lines.
fn undrawn(fixture: &str) -> String {
    fixture.split_inclusive('\n').filter(|line| !is_drawn(line)).collect()
}

fn is_drawn(line: &str) -> bool {
    let line = line.trim_start();
    let rest = line.trim_start_matches('^');
    line.starts_with("| ")
        || (rest.len() < line.len()
            && [" error ", " warning ", " information ", " hint "]
                .iter()
                .any(|severity| rest.starts_with(severity)))
}
