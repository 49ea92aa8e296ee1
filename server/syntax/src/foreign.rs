//! Bytes that are no text in an encoding that crystal structure files have.

use crate::problem::{Problem, ProblemKind};
use crate::text::{Span, is_control};

/// As much as is looked at.
const HEAD: usize = 4096;

/// Fewer control characters than this are reported where they stand.
const FEW: usize = 16;

/// The one problem of a text that is UTF-16 or binary data: what the parsers would say about it line by line
/// helps nobody.
pub(crate) fn problem(text: &str) -> Option<Problem> {
    let head = &text.as_bytes()[..text.len().min(HEAD)];
    // A byte-order mark of UTF-16 read as Latin-1.
    let marked = ["ÿþ", "þÿ"].iter().any(|mark| text.starts_with(mark));
    let zeros = head.iter().filter(|b| **b == 0).count();
    let controls = head.iter().filter(|b| is_control(**b)).count();
    let message = if zeros >= FEW && zeros < head.len() && (marked || 5 * zeros > 2 * head.len()) {
        "this is UTF-16 text, which hardly any program for crystals reads: save it as UTF-8"
    } else if controls >= FEW && 20 * controls > head.len() {
        "this is binary data and no text"
    } else {
        return None;
    };
    Some(Problem {
        kind: ProblemKind::Unexpected,
        span: Span::new(0, text.len()),
        message: message.to_owned(),
        related: Vec::new(),
        fix: None,
    })
}
