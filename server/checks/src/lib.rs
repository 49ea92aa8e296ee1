//! Diagnostics: one file each, with code, severity, documentation, finding, fixes and tests.
//!
//! Works on byte offsets; knows no LSP, no files and no models.
//!
//! A new diagnostic is a new file in `rules` and a line in its list. One cause gives one finding: what
//! a rule may rely on in spite of other faults is decided once, in `facts`.

mod bins;
mod contacts;
mod facts;
mod formula;
mod group;
mod mend;
mod nearest;
mod radians;
mod rules;
mod suppress;
#[cfg(test)]
mod testing;
mod words;

use cellwright_syntax::{Parsed, Reading, Span, TextEdit};

use facts::{Facts, ReadingFacts};
pub use suppress::is_allowed;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file is wrong: programs will refuse it or compute nonsense.
    Error,
    /// Very likely wrong.
    Warning,
    /// Worth a look.
    Information,
    /// A suggestion.
    Hint,
}

/// A kind of diagnostic.
#[derive(Debug)]
pub struct Rule {
    /// Stable code, kebab case: `short-distance`.
    pub code: &'static str,
    /// Severity unless the finding or the user says otherwise.
    pub severity: Severity,
    /// One line for lists.
    pub summary: &'static str,
    /// Markdown for `cellwright explain` and the manual: what, why it matters, the formula and its source, how to mend it.
    pub docs: &'static str,
    /// Finds.
    pub check: fn(&Context<'_>, &mut Vec<Finding>),
}

/// What a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The document.
    pub parsed: &'a Parsed,
    /// Tolerances.
    pub tolerances: &'a Tolerances,
    /// What several rules need to know, found once.
    facts: &'a Facts,
}

impl<'a> Context<'a> {
    /// Each crystal of the file with what may be relied on in it.
    fn readings(&self) -> impl Iterator<Item = (&'a Reading, &'a ReadingFacts)> + use<'a> {
        self.parsed.readings.iter().zip(&self.facts.readings)
    }

    /// Whether a problem of the text lies on the lines of a span: what stands there is then not what was meant.
    fn is_disturbed(&self, span: Span) -> bool {
        self.facts.disturbed.touches(words::lines_of(&self.parsed.text, span))
    }

    /// Whether a rule has found something in a crystal already, of which another finding would be the
    /// consequence.
    fn is_told(findings: &[Finding], reading: &Reading, rules: &[&Rule]) -> bool {
        findings.iter().any(|f| {
            reading.span.touches(f.span.start) && rules.iter().any(|rule| rule.code == f.code)
        })
    }

    /// The text under a span.
    fn text(&self, span: Span) -> &'a str {
        span.text(&self.parsed.text)
    }
}

/// Numbers the user may change.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerances {
    /// Below this distance (Å) two atoms are an error.
    pub distance_error: f64,
    /// Below this share of the sum of covalent radii two atoms are a warning.
    pub distance_warning: f64,
}

impl Default for Tolerances {
    fn default() -> Self {
        Self { distance_error: 0.5, distance_warning: 0.6 }
    }
}

/// One diagnostic.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// [`Rule::code`].
    pub code: &'static str,
    /// Severity of this finding.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// One or two sentences with the numbers; no trailing dot.
    pub message: String,
    /// Other places that belong to it.
    pub related: Vec<Related>,
    /// Mends, the best first; empty where none is right.
    pub fixes: Vec<Fix>,
}

impl Finding {
    /// A finding of a rule at its usual severity, with nothing beside it.
    fn new(rule: &Rule, span: Span, message: impl Into<String>) -> Self {
        Self {
            code: rule.code,
            severity: rule.severity,
            span,
            message: message.into(),
            related: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// The same at another severity.
    fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The same with one more place.
    fn relate(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related { span, message: message.into() });
        self
    }

    /// The same with one more mend.
    fn fix(mut self, title: impl Into<String>, edits: Vec<TextEdit>) -> Self {
        self.fixes.push(Fix { title: title.into(), edits });
        self
    }
}

/// Another place that explains a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// Where.
    pub span: Span,
    /// What is there.
    pub message: String,
}

/// A quick fix.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// Imperative: `Set the formula to 'Na4 Cl4'`.
    pub title: String,
    /// Edits against the text of the context.
    pub edits: Vec<TextEdit>,
}

/// Every rule, in the order of the manual.
#[must_use]
pub fn rules() -> &'static [&'static Rule] {
    rules::ALL
}

/// The rule behind a code, for `cellwright explain` and documentation links.
#[must_use]
pub fn explain(code: &str) -> Option<&'static Rule> {
    rules().iter().find(|rule| rule.code == code).copied()
}

/// Runs every rule. Findings come in order of place; those whose code the file allows in a comment
/// (`# cellwright: allow short-distance`) are left out.
#[must_use]
pub fn check(parsed: &Parsed, tolerances: &Tolerances) -> Vec<Finding> {
    let facts = Facts::new(parsed, tolerances);
    let context = Context { parsed, tolerances, facts: &facts };
    let mut findings = Vec::new();
    for rule in rules() {
        (rule.check)(&context, &mut findings);
    }
    suppress::remove_allowed(parsed, &mut findings);
    findings.sort_by_key(|f| (f.span.start, f.span.end));
    findings
}
