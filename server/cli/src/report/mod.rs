//! Findings for people and for programs.

mod json;
mod sarif;
mod text;

use cellwright_checks::Severity;

pub(crate) use json::{JsonFinding, findings as json};
pub(crate) use sarif::{results as sarif_results, sarif};
pub(crate) use text::text;

/// Lower-case name of a severity, as JSON and settings spell it.
pub(crate) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "information",
        Severity::Hint => "hint",
    }
}
