//! Writing a recomputed number in the manner of the one it replaces.

/// Most digits behind the point that are ever written: what a double holds of a fractional coordinate.
const MOST: usize = 16;

/// The text for `new` in place of `written`, which stands for `old`: as many decimals as were written but at least
/// `least`, the same quotes, plus sign and missing leading zero, no standard uncertainty. `None` where the
/// two are the same at these decimals.
pub(super) fn rewrite(written: &str, old: f64, new: f64, least: usize) -> Option<String> {
    let quote = written.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let quote = quote.filter(|q| written.len() > 1 && written.ends_with(*q));
    let body = quote.map_or(written, |_| &written[1..written.len() - 1]).trim();
    let decimals = decimals(body).clamp(least, MOST.max(least));
    let number = fixed(new, decimals);
    if number == fixed(old, decimals) {
        return None;
    }
    let unsigned = body.trim_start_matches(['+', '-']);
    let mut number = number;
    if unsigned.starts_with('.') {
        number = number.replacen(
            "0.",
            ".",
            usize::from(number.trim_start_matches('-').starts_with("0.")),
        );
    }
    if body.starts_with('+') && !number.starts_with('-') {
        number.insert(0, '+');
    }
    Some(match quote {
        Some(q) => format!("{q}{number}{q}"),
        None => number,
    })
}

/// With this many decimals, never `-0.000`.
pub(crate) fn fixed(x: f64, decimals: usize) -> String {
    let text = format!("{x:.decimals$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|b| matches!(b, b'0' | b'.')) => zero.to_owned(),
        _ => text,
    }
}

/// Decimals that a written number resolves: `1.5e-3` has four, `0.1234(5)` has four.
fn decimals(written: &str) -> usize {
    let mantissa = written.split('(').next().unwrap_or(written);
    let (mantissa, exponent) = match mantissa.find(['e', 'E', 'd', 'D']) {
        Some(i) => (&mantissa[..i], mantissa[i + 1..].parse().unwrap_or(0)),
        None => (mantissa, 0i64),
    };
    let digits = mantissa.split_once('.').map_or(0, |(_, d)| d.len());
    (digits as i64).saturating_sub(exponent).clamp(0, 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manner_of_writing_stays() {
        let cases = [
            ("0.1234", 0.1234, 0.1236, "0.1236"),
            ("0.1234(5)", 0.1234, 0.12362, "0.1236"),
            ("0.25", 0.25, 0.26, "0.2600"),
            ("0", 0.0, -0.01, "-0.0100"),
            (".25", 0.25, 0.3, ".3000"),
            ("-.25", -0.25, -0.3, "-.3000"),
            (".75", 0.75, 1.25, "1.2500"),
            ("+0.2001(8)", 0.2001, 0.2101, "+0.2101"),
            ("+0.2001(8)", 0.2001, -0.2101, "-0.2101"),
            ("'0.5'", 0.5, 0.51, "'0.5100'"),
            ("1.5E-3", 0.0015, 0.0016, "0.0016"),
            ("2.5D-1", 0.25, 0.26, "0.2600"),
            ("0.1234567890123456789", 0.123456789, 0.2, "0.2000000000000000"),
            ("0.00004", 0.00004, -0.000004, "0.00000"),
        ];
        for (written, old, new, want) in cases {
            assert_eq!(rewrite(written, old, new, 4).as_deref(), Some(want), "{written}");
        }
    }

    #[test]
    fn what_did_not_change_at_the_written_digits_stays() {
        for (written, old, new) in [
            ("0.1234(5)", 0.1234, 0.12343),
            ("0", 0.0, -1e-6),
            ("0.3333", 0.3333, 1.0 / 3.0),
            ("5.6402", 5.6402, 5.6402),
        ] {
            assert_eq!(rewrite(written, old, new, 4), None, "{written}");
        }
    }
}
