//! What a cell holds: amounts of elements.

use std::fmt;

use crate::Element;

/// Amounts of elements, each greater than zero, in the order of electronegativity that formulas are
/// written in (metals first; elements without one at the end by atomic number).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Composition(Vec<(Element, f64)>);

impl Composition {
    /// The elements and their amounts.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Element, f64)> + '_ {
        self.0.iter().copied()
    }

    /// Amount of one element, zero where it is absent.
    #[must_use]
    pub fn amount(&self, element: Element) -> f64 {
        self.0.iter().find(|(e, _)| *e == element).map_or(0.0, |(_, n)| *n)
    }

    /// The element that takes the electrons: the last in the order of electronegativity, those without one
    /// apart. Of a composition of nothing else the last; `None` of an empty one.
    #[must_use]
    pub fn most_electronegative(&self) -> Option<Element> {
        let elements = || self.0.iter().rev().map(|(e, _)| *e);
        elements().find(|e| e.data().electronegativity.is_some()).or_else(|| elements().next())
    }

    /// Number of distinct elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sum of the amounts.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.0.iter().map(|(_, n)| n).sum()
    }

    /// Mass of one cell or formula unit (u).
    #[must_use]
    pub fn mass(&self) -> f64 {
        self.0.iter().map(|(e, n)| e.data().mass * n).sum()
    }

    /// The same ratios in the smallest whole numbers, and how many such units this holds: (`Na4 Cl4`)
    /// gives (`Na Cl`, 4). Fractional amounts stay as they are, with one unit.
    #[must_use]
    pub fn reduced(&self) -> (Self, u64) {
        let factor = common_factor(self.0.iter().map(|(_, n)| *n));
        let units = self.0.iter().map(|(e, n)| (*e, n / factor as f64)).collect();
        (Self(units), factor)
    }

    /// The formula with no spaces and no ones: `LiFePO4`.
    #[must_use]
    pub fn formula(&self) -> String {
        self.0.iter().map(|(e, n)| format!("{e}{}", count(*n, true))).collect()
    }
}

impl FromIterator<(Element, f64)> for Composition {
    fn from_iter<I: IntoIterator<Item = (Element, f64)>>(amounts: I) -> Self {
        let mut sums = [0.0; Element::COUNT + 1];
        for (element, amount) in amounts {
            sums[usize::from(element.z())] += amount;
        }
        let mut list: Vec<_> = Element::all()
            .map(|e| (e, sums[usize::from(e.z())]))
            .filter(|(_, n)| *n > 0.0)
            .collect();
        list.sort_by(|(a, _), (b, _)| a.cmp_electronegativity(b));
        Self(list)
    }
}

/// `Na4 Cl4`, every count written, as `_chemical_formula_sum` would have it but in order of
/// electronegativity.
impl fmt::Display for Composition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (element, amount)) in self.0.iter().enumerate() {
            let gap = if i == 0 { "" } else { " " };
            write!(f, "{gap}{element}{}", count(*amount, false))?;
        }
        Ok(())
    }
}

/// An amount as formulas show it: whole where it is whole, else at most four decimals.
fn count(amount: f64, hide_one: bool) -> String {
    let rounded = (amount * 1e4).round() / 1e4;
    if hide_one && rounded == 1.0 { String::new() } else { rounded.to_string() }
}

/// The largest number that divides all amounts, 1 where they are not all whole.
pub(crate) fn common_factor(amounts: impl Iterator<Item = f64> + Clone) -> u64 {
    let whole = amounts.clone().all(|n| (n - n.round()).abs() < 1e-6 && n < 1e9);
    if whole { amounts.fold(0, |acc, n| gcd(acc, n.round() as u64)).max(1) } else { 1 }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composition(list: &[(&str, f64)]) -> Composition {
        list.iter().map(|(s, n)| (s.parse().unwrap(), *n)).collect()
    }

    #[test]
    fn formulas_read_as_chemists_write_them() {
        let phosphate = composition(&[("O", 16.0), ("P", 4.0), ("Fe", 4.0), ("Li", 4.0)]);
        assert_eq!(phosphate.to_string(), "Li4 Fe4 P4 O16");
        let (unit, z) = phosphate.reduced();
        assert_eq!((unit.formula().as_str(), z), ("LiFePO4", 4));
        assert_eq!(composition(&[("Fe", 0.95), ("O", 1.0)]).formula(), "Fe0.95O");
    }

    #[test]
    fn nothing_is_a_composition_too() {
        let empty = composition(&[]);
        assert_eq!((empty.formula().as_str(), empty.reduced().1), ("", 1));
        assert!(composition(&[("Fe", 0.0)]).is_empty());
        assert_eq!(empty.most_electronegative(), None);
    }

    #[test]
    fn the_anion_is_the_last_with_an_electronegativity() {
        let anion = |list: &[&str]| {
            let amounts: Vec<_> = list.iter().map(|s| (*s, 1.0)).collect();
            composition(&amounts).most_electronegative().map(Element::symbol)
        };
        assert_eq!(anion(&["O", "Li", "Pm"]), Some("O"));
        assert_eq!(anion(&["Pm", "Fe", "Ni"]), Some("Ni"));
        assert_eq!(anion(&["Ar", "He"]), Some("Ar"));
    }
}
