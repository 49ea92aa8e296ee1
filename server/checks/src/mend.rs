//! Pieces that quick fixes are made of.

use cellwright_syntax::cif::{Value, ValueKind};

/// `value` with as few decimals as say it exactly, at least `decimals` and at most six more digits:
/// `1/3` written as `0.333` becomes `0.333333`.
pub(crate) fn coordinate(value: f64, decimals: u8) -> String {
    let written = usize::from(decimals).min(15);
    let exact = |d: usize| (format!("{value:.d$}").parse::<f64>().unwrap_or(value) - value).abs();
    let enough = if exact(written) < 1e-9 { written } else { written.max(6) };
    let text = format!("{value:.enough$}");
    if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}

/// A CIF value in the quotes the old one had; apostrophes where it had none and needs some.
pub(crate) fn quoted_like(old: &Value, source: &str, text: &str) -> String {
    let quote = match old.kind {
        ValueKind::Quoted if old.span.text(source).starts_with('"') => "\"",
        ValueKind::Bare if !text.contains(char::is_whitespace) && !text.is_empty() => "",
        _ => "'",
    };
    format!("{quote}{text}{quote}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_get_the_digits_they_need() {
        assert_eq!(coordinate(0.25, 4), "0.2500");
        assert_eq!(coordinate(1.0 / 3.0, 3), "0.333333");
        assert_eq!(coordinate(-1e-12, 3), "0.000");
        assert_eq!(coordinate(0.125, 2), "0.125000");
    }
}
