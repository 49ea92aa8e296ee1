//! Values and numbers with standard uncertainties.

use crate::text::Span;

/// Something read, with the place it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// What it is.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// A number as files write it: `1.234(5)`, `-.5`, `1.5E-3`, Fortran's `2.5D-1` (POSCAR only).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// The value; always finite.
    pub value: f64,
    /// Standard uncertainty in the units of the value: `1.234(5)` has 0.005.
    pub su: Option<f64>,
    /// Digits behind the decimal point, as written.
    pub decimals: u8,
}

/// Reads a CIF number. `None` for anything else, for NaN, and for numbers that overflow.
///
/// The form is `Numeric` of the CIF 1.1 grammar (International Tables G, section 2.2.7.3): sign,
/// digits with an optional point, exponent, uncertainty in brackets.
#[must_use]
pub fn parse_cif_number(text: &str) -> Option<Number> {
    let (number, rest) = scan_number(text, |c| matches!(c, b'e' | b'E'))?;
    let value = finite(number.text)?;
    let su = match rest.as_bytes() {
        [] => None,
        [b'(', digits @ .., b')'] if !digits.is_empty() && all_digits(digits) => {
            let digits: f64 = rest[1..rest.len() - 1].parse().ok()?;
            let scale = number.exponent.saturating_sub(number.decimals);
            // Division by a power of ten rounds correctly, multiplication by its inverse does not.
            let su = if scale < 0 {
                digits / 10f64.powi(scale.saturating_neg())
            } else {
                digits * 10f64.powi(scale)
            };
            Some(su).filter(|su| su.is_finite()).map(Some)?
        }
        _ => return None,
    };
    Some(Number { value, su, decimals: u8::try_from(number.decimals).unwrap_or(u8::MAX) })
}

/// Reads a number as VASP does: also `D` exponents, no uncertainty.
#[must_use]
pub fn parse_fortran_number(text: &str) -> Option<Number> {
    let (number, rest) = scan_number(text, |c| matches!(c, b'e' | b'E' | b'd' | b'D'))?;
    if !rest.is_empty() {
        return None;
    }
    let value = if number.text.contains(['d', 'D']) {
        finite(&number.text.replace(['d', 'D'], "e"))?
    } else {
        finite(number.text)?
    };
    Some(Number { value, su: None, decimals: u8::try_from(number.decimals).unwrap_or(u8::MAX) })
}

/// The number at the head of a text, as written.
struct Scanned<'a> {
    text: &'a str,
    decimals: i32,
    exponent: i32,
}

/// Splits a text into the number it begins with and the rest.
fn scan_number(text: &str, is_exponent: impl Fn(u8) -> bool) -> Option<(Scanned<'_>, &str)> {
    let bytes = text.as_bytes();
    let digits_from = |at: usize| bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits_from(at);
    at += whole;
    let mut decimals = 0;
    if bytes.get(at) == Some(&b'.') {
        decimals = digits_from(at + 1);
        at += 1 + decimals;
    }
    if whole + decimals == 0 {
        return None;
    }
    let mut exponent = 0;
    if bytes.get(at).is_some_and(|&b| is_exponent(b)) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let digits = digits_from(at + 1 + sign);
        if digits == 0 {
            return None;
        }
        let end = at + 1 + sign + digits;
        // An exponent that no i32 holds overflows or vanishes either way.
        exponent = text[at + 1..end].parse().unwrap_or(if bytes[at + 1] == b'-' {
            i32::MIN
        } else {
            i32::MAX
        });
        at = end;
    }
    let decimals = i32::try_from(decimals).unwrap_or(i32::MAX);
    Some((Scanned { text: &text[..at], decimals, exponent }, &text[at..]))
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn all_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cif(text: &str) -> Option<(f64, Option<f64>, u8)> {
        parse_cif_number(text).map(|n| (n.value, n.su, n.decimals))
    }

    #[test]
    fn numbers_of_cif() {
        assert_eq!(cif("5.4310"), Some((5.431, None, 4)));
        assert_eq!(cif("1.234(5)"), Some((1.234, Some(0.005), 3)));
        assert_eq!(cif("90.00(12)"), Some((90.0, Some(0.12), 2)));
        assert_eq!(cif("1234(25)"), Some((1234.0, Some(25.0), 0)));
        assert_eq!(cif("1.5E-3(2)"), Some((1.5e-3, Some(2e-4), 1)));
        assert_eq!(cif("+.5"), Some((0.5, None, 1)));
        assert_eq!(cif("-7."), Some((-7.0, None, 0)));
        assert_eq!(cif("1e-999999999999"), Some((0.0, None, 0)));
    }

    #[test]
    fn not_numbers_of_cif() {
        for text in [
            "",
            "?",
            ".",
            "+",
            "-.",
            "1,5",
            "NaN",
            "inf",
            "infinity",
            "1e",
            "1e+",
            "1e999",
            "1.2(3",
            "1.2()",
            "1.2(3)x",
            "1.2(a)",
            "0x10",
            "1_000",
            "1.2.3",
            "2.5D-1",
            "1.0(9)e2",
            " 1",
            "1 ",
            "1e9999999999(3)",
            "1e-99999999999(3)x",
        ] {
            assert_eq!(cif(text), None, "{text:?}");
        }
    }

    #[test]
    fn numbers_of_vasp() {
        let read = |text| parse_fortran_number(text).map(|n| n.value);
        assert_eq!(read("2.5D-1"), Some(0.25));
        assert_eq!(read("-1.0d+02"), Some(-100.0));
        assert_eq!(read("0.00000000E+00"), Some(0.0));
        assert_eq!(read("4"), Some(4.0));
        assert_eq!(read("1.2(3)"), None);
        assert_eq!(read("*****"), None);
        assert_eq!(read("NaN"), None);
        assert_eq!(read("1D400"), None);
    }
}
