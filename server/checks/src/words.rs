//! How findings write numbers, names and operations.

use cellwright_crystal::symmetry::Operation;
use cellwright_syntax::text::Span;

/// A distance: two decimals, three where two would show zero.
pub(crate) fn angstrom(distance: f64) -> String {
    if distance < 0.1 { format!("{distance:.3} Å") } else { format!("{distance:.2} Å") }
}

/// A number with at most `decimals` decimals and no zeros at its end.
pub(crate) fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// `1 atom`, `2 atoms`, `3 species`.
pub(crate) fn plural(count: usize, one: &str) -> String {
    let many = if one.ends_with('s') { "" } else { "s" };
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}{many}") }
}

/// `a, b and c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A charge or an oxidation state with its sign: `+2`, `−1`, `0`.
pub(crate) fn signed(value: f64) -> String {
    let size = trimmed(value.abs(), 2);
    match size.as_str() {
        "0" => size,
        _ if value < 0.0 => format!("−{size}"),
        _ => format!("+{size}"),
    }
}

/// Which copy of a row is meant: the operation in `xyz` notation and the cells it is moved by.
pub(crate) fn image(operation: &Operation, shift: [i32; 3]) -> String {
    let [a, b, c] = shift;
    match (operation.same(&Operation::identity(), 1e-6), shift == [0; 3]) {
        (true, true) => String::new(),
        (true, false) => format!("cell ({a} {b} {c})"),
        (false, true) => format!("symmetry {operation}"),
        (false, false) => format!("symmetry {operation}, cell ({a} {b} {c})"),
    }
}

/// The line breaks this text uses, for lines that fixes insert.
pub(crate) fn line_break(text: &str) -> &'static str {
    let first = text.find(['\r', '\n']).map(|at| &text.as_bytes()[at..]);
    match first {
        Some([b'\r', b'\n', ..]) => "\r\n",
        Some([b'\r', ..]) => "\r",
        _ => "\n",
    }
}

/// The whole line or lines that a span touches, without the last line break.
pub(crate) fn lines_of(text: &str, span: Span) -> Span {
    let lines = whole_lines(text, span);
    Span::new(lines.start, lines.start + lines.text(text).trim_end_matches(['\n', '\r']).len())
}

/// The whole line or lines that a span touches, their last line break included.
pub(crate) fn whole_lines(text: &str, span: Span) -> Span {
    let start = text[..span.start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let rest = &text[span.end..];
    let end = match rest.find(['\n', '\r']) {
        Some(at) if rest[at..].starts_with("\r\n") => span.end + at + 2,
        Some(at) => span.end + at + 1,
        None => text.len(),
    };
    Span::new(start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(angstrom(0.0213), "0.021 Å");
        assert_eq!(angstrom(1.2345), "1.23 Å");
        assert_eq!(trimmed(2.500, 3), "2.5");
        assert_eq!(trimmed(-0.0001, 2), "0");
        assert_eq!(trimmed(100.0, 0), "100");
        assert_eq!(signed(-1.0), "−1");
        assert_eq!(signed(0.001), "0");
        assert_eq!(signed(2.5), "+2.5");
        assert_eq!(plural(1, "atom"), "1 atom");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }

    #[test]
    fn lines_keep_their_breaks() {
        let text = "one\r\ntwo\r\nthree";
        assert_eq!(line_break(text), "\r\n");
        assert_eq!(whole_lines(text, Span::new(6, 7)).text(text), "two\r\n");
        assert_eq!(whole_lines(text, Span::new(12, 12)).text(text), "three");
    }
}
