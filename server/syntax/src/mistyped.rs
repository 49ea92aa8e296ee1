//! Numbers that people and word processors spell in other ways than the formats do.

use crate::value::{parse_cif_number, parse_fortran_number};

/// What a word that is no number was meant to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistyped {
    /// What is wrong with it: one clause without a dot.
    pub why: &'static str,
    /// The number as the format writes it; `None` where it could be more than one.
    pub meant: Option<String>,
}

/// Why a word of a CIF is no number, where the reason is one of the usual ones.
#[must_use]
pub fn mistyped_cif_number(word: &str) -> Option<Mistyped> {
    mistyped(word, |text| parse_cif_number(text).is_some(), true)
}

/// The same of a word of a POSCAR, which has no standard uncertainties.
#[must_use]
pub fn mistyped_fortran_number(word: &str) -> Option<Mistyped> {
    mistyped(word, |text| parse_fortran_number(text).is_some(), false)
}

fn mistyped(word: &str, is_number: impl Fn(&str) -> bool, with_su: bool) -> Option<Mistyped> {
    let word = word.trim_matches(['\'', '"']);
    // Longer words are text; nobody waits for them to be taken apart.
    if word.len() > 64 || is_number(word) {
        return None;
    }
    if word.contains('\u{ad}') {
        let why = "it holds a soft hyphen (U+00AD), which was a minus sign or nothing";
        return is_number(&word.replace('\u{ad}', "")).then_some(Mistyped { why, meant: None });
    }
    let mends: [(&'static str, Option<String>); 7] = [
        ("the minus sign must be `-` (a hyphen)", Some(word.replace(DASHES, "-"))),
        ("it holds a character that is not seen", Some(word.replace(UNSEEN, ""))),
        ("a comma stands behind it", word.strip_suffix(',').map(str::to_owned)),
        ("the decimal sign must be a point", decimal_comma(word)),
        ("a unit stands behind it", unit(word)),
        (SU, with_su.then(|| uncertainty(word)).flatten()),
        ("it holds a letter that looks like a digit", letters(word)),
    ];
    mends.into_iter().find_map(|(why, meant)| {
        let meant = meant.filter(|meant| meant != word && is_number(meant))?;
        Some(Mistyped { why, meant: Some(meant) })
    })
}

/// Hyphens, dashes and minus signs that are not ASCII.
const DASHES: [char; 6] = ['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}'];

/// Spaces and marks that leave no trace on a screen.
const UNSEEN: [char; 6] = ['\u{200b}', '\u{feff}', '\u{a0}', '\u{2009}', '\u{202f}', '\u{200e}'];

const SU: &str = "a standard uncertainty stands in brackets, in units of the last digit";

/// `5,64`.
fn decimal_comma(word: &str) -> Option<String> {
    let (whole, rest) = word.split_once(',')?;
    (!whole.contains('.') && !rest.contains('.')).then(|| format!("{whole}.{rest}"))
}

fn unit(word: &str) -> Option<String> {
    ["Å", "\u{212b}", "°", "deg", "A"]
        .iter()
        .find_map(|unit| word.strip_suffix(unit).map(str::to_owned))
}

/// `5.64(0.02)`, `5.64±0.02`, `5.64+-0.02` and `5.64(2` as `5.64(2)`.
fn uncertainty(word: &str) -> Option<String> {
    let (number, su) = ["+-", "+/-", "±", "("].iter().find_map(|mark| word.split_once(mark))?;
    let su = su.strip_suffix(')').unwrap_or(su);
    if su.bytes().all(|b| b.is_ascii_digit()) && word.contains('(') {
        return Some(format!("{number}({su})"));
    }
    let decimals = number.split_once('.').map_or(0, |(_, digits)| digits.len());
    let digits = su.parse::<f64>().ok()? * 10f64.powi(i32::try_from(decimals).ok()?);
    let whole = digits.round();
    // An uncertainty with more digits than the number cannot be written behind it.
    let exact = (digits - whole).abs() < 1e-6 && (1.0..1e4).contains(&whole);
    exact.then(|| format!("{number}({whole:.0})"))
}

/// `O.5` and `l.5`.
fn letters(word: &str) -> Option<String> {
    let has_digit = word.bytes().any(|b| b.is_ascii_digit());
    has_digit.then(|| word.replace(['O', 'o'], "0").replace(['l', 'I'], "1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(word: &str) -> Option<String> {
        mistyped_cif_number(word)?.meant
    }

    #[test]
    fn the_usual_reasons_have_their_mends() {
        for (word, wanted) in [
            ("\u{2212}0.4", "-0.4"),
            ("\u{2013}.5(2)", "-.5(2)"),
            ("5,6402(2)", "5.6402(2)"),
            ("0.5,", "0.5"),
            ("0,", "0"),
            ("90°", "90"),
            ("5.64Å", "5.64"),
            ("5.6402(0.0002)", "5.6402(2)"),
            ("5.64±0.02", "5.64(2)"),
            ("5.64+-0.02", "5.64(2)"),
            ("0.5(2", "0.5(2)"),
            ("0.O5", "0.05"),
            ("'l.5'", "1.5"),
            ("0.5\u{200b}", "0.5"),
        ] {
            assert_eq!(meant(word).as_deref(), Some(wanted), "{word}");
        }
    }

    #[test]
    fn what_may_be_anything_is_left() {
        for word in ["zero", "1.2.3", "", "?", "5.64", "1,2,3", "1,234.5", "5.64(0.00002)", "NaN"] {
            assert_eq!(mistyped_cif_number(word), None, "{word}");
        }
        let hyphen = mistyped_cif_number("\u{ad}0.5").expect("a soft hyphen");
        assert!(hyphen.why.contains("U+00AD") && hyphen.meant.is_none());
        assert_eq!(mistyped_fortran_number("5.64(0.02)"), None);
        let minus = mistyped_fortran_number("\u{2212}5D0").and_then(|m| m.meant);
        assert_eq!(minus.as_deref(), Some("-5D0"));
    }
}
