//! The edits that mend, and the places they need.

use super::super::ValueKind;
use crate::text::{Span, TextEdit};
use crate::value::parse_cif_number;

/// Quotes a text that stands on one line, if there is a quote it does not hold.
pub(super) fn quote(source: &str, span: Span, kind: ValueKind) -> Option<TextEdit> {
    let text = span.text(source);
    if kind != ValueKind::Bare || text.contains(['\n', '\r']) {
        return None;
    }
    let quote = ['\'', '"'].into_iter().find(|&q| !text.contains(q))?;
    // Quotes of a word processor are the quotes that were meant.
    let inner = |(open, close)| text.strip_prefix(open)?.strip_suffix(close);
    let typeset = [('\u{2018}', '\u{2019}'), ('\u{201c}', '\u{201d}'), ('\u{b4}', '\u{b4}')];
    let text = typeset.into_iter().find_map(inner).unwrap_or(text);
    Some(TextEdit::replace(span, format!("{quote}{text}{quote}")))
}

/// Puts an uncertainty that stands alone, `(2)`, behind the number before it.
pub(super) fn detached_uncertainty(
    source: &str,
    number: Span,
    stray: Span,
) -> Option<(String, Vec<TextEdit>)> {
    let whole = [number, stray].map(|span| span.text(source)).concat();
    let brackets = stray.text(source).starts_with('(');
    (brackets && parse_cif_number(&whole).is_some()).then(|| {
        let between = Span::new(number.end, stray.start);
        ("Remove the space".into(), vec![TextEdit::delete(between)])
    })
}

/// The span with its line break where nothing else stands on its lines.
pub(super) fn line_of(source: &str, span: Span) -> Span {
    let is_blank = |c: char| matches!(c, ' ' | '\t');
    let head = source[..span.start].trim_end_matches(is_blank);
    let tail = source[span.end..].trim_start_matches(is_blank);
    let begins = head.is_empty() || head.ends_with(['\n', '\r']);
    let width = match tail.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    };
    if begins && (width > 0 || tail.is_empty()) {
        Span::new(head.len(), source.len() - tail.len() + width)
    } else {
        span
    }
}

/// The part of a span on its first line.
pub(super) fn first_line(source: &str, span: Span) -> Span {
    let len = span.text(source).find(['\n', '\r']).unwrap_or(span.len());
    Span::new(span.start, span.start + len)
}

/// Closes a string at the end of its line, where only its item's value can be meant: not in a loop,
/// and not before what may be a comment or the next name.
pub(super) fn close_quote(
    source: &str,
    span: Span,
    in_table: bool,
) -> Option<(String, Vec<TextEdit>)> {
    let text = span.text(source);
    if in_table || text.contains([' ', '\t']) && (text.contains(" _") || text.contains(" #")) {
        return None;
    }
    let quote = &text[..1];
    let end = span.start + text.trim_end().len();
    (end > span.start + 1)
        .then(|| (format!("Insert `{quote}`"), vec![TextEdit::insert(end, quote)]))
}
