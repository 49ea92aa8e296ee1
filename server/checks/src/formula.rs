//! Chemical formulas as files write them.

use cellwright_crystal::{Composition, Element};

use crate::words::trimmed;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carbon_and_hydrogen_come_first() {
        let read = |text: &str| hill(&text.parse().expect("a formula"), false);
        assert_eq!(read("Na1 Cl1"), "Cl Na");
        assert_eq!(read("C6 H5 D O2"), "C6 H6 O2");
        assert_eq!(read("(Mg.7 Fe.3) (Al1.42 Cr.58) O4"), "Al1.42 Cr0.58 Fe0.3 Mg0.7 O4");
    }
}
