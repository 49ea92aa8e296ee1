//! Chemical formulas as files write them.

use cellwright_crystal::{Composition, Element};

use crate::words::trimmed;

/// Reads `C10 H12 O2`, `(Mg.7 Fe.3) (Al1.42 Cr.58) O4`, `Fe2O3`. `None` where it is none, as with
/// `Na1-x Cl`. Deuterium counts as hydrogen.
pub(crate) fn parse(text: &str) -> Option<Composition> {
    // One list of amounts per open bracket; the factor behind a bracket scales what stood in it.
    let mut levels: Vec<Vec<(Element, f64)>> = vec![Vec::new()];
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        match first {
            '(' | '[' | '{' => {
                levels.push(Vec::new());
                rest = &rest[1..];
            }
            ')' | ']' | '}' => {
                let (factor, after) = count(&rest[1..])?;
                let inner = levels.pop().filter(|_| !levels.is_empty())?;
                levels.last_mut()?.extend(inner.into_iter().map(|(e, n)| (e, n * factor)));
                rest = after;
            }
            'A'..='Z' => {
                let (element, after) = symbol(rest)?;
                let (amount, after) = count(after)?;
                levels.last_mut()?.push((element, amount));
                rest = after;
            }
            _ => return None,
        }
        rest = rest.trim_start();
    }
    let [amounts] = levels.as_slice() else { return None };
    let finite = amounts.iter().all(|(_, n)| n.is_finite() && *n >= 0.0);
    (finite && !amounts.is_empty()).then(|| amounts.iter().copied().collect())
}

/// The formula in the order of Hill (1900) that `_chemical_formula_sum` asks for: carbon, hydrogen, then
/// the alphabet; without carbon the alphabet alone.
pub(crate) fn hill(amounts: &Composition, show_one: bool) -> String {
    let mut list: Vec<(Element, f64)> = amounts.iter().collect();
    let carbon = list.iter().any(|(e, _)| e.symbol() == "C");
    list.sort_by_key(|(e, _)| {
        let rank = match e.symbol() {
            "C" => 0,
            "H" if carbon => 1,
            _ => 2,
        };
        (rank, e.symbol())
    });
    let words = list.into_iter().map(|(e, n)| match trimmed(n, 4).as_str() {
        "1" if !show_one => e.to_string(),
        count => format!("{e}{count}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The element at the start and the text behind it; two letters win over one.
fn symbol(text: &str) -> Option<(Element, &str)> {
    let second = text[1..].chars().next().filter(char::is_ascii_lowercase);
    let length = 1 + usize::from(second.is_some());
    Some((Element::from_symbol(&text[..length])?, &text[length..]))
}

/// The number at the start, 1 where there is none, and the text behind it.
fn count(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    if end == 0 {
        return Some((1.0, text));
    }
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        parse(text).map(|c| hill(&c, false))
    }

    #[test]
    fn formulas_are_read_as_files_spell_them() {
        assert_eq!(read("Na1 Cl1").as_deref(), Some("Cl Na"));
        assert_eq!(read("C6 H5 D O2").as_deref(), Some("C6 H6 O2"));
        assert_eq!(read("Fe2O3").as_deref(), Some("Fe2 O3"));
        assert_eq!(
            read("(Mg.7 Fe.3) (Al1.42 Cr.58) O4").as_deref(),
            Some("Al1.42 Cr0.58 Fe0.3 Mg0.7 O4")
        );
        assert_eq!(read("Ca5 (P O4)3 F").as_deref(), Some("Ca5 F O12 P3"));
    }

    #[test]
    fn what_is_no_formula_is_none() {
        for text in ["", "Na1-x Cl", "Xx2", "(Na", "Na)", "?", "na", "Na1.2.3", "Ä"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
