//! Chemical elements, Z = 1 to 103.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

mod table;

/// A chemical element with atomic number 1 (H) to 103 (Lr).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Element(u8);

/// What the table knows of one element. `None` where the source tabulates nothing.
#[derive(Debug)]
pub struct ElementData {
    /// IUPAC symbol.
    pub symbol: &'static str,
    /// English name.
    pub name: &'static str,
    /// Standard atomic weight (u).
    pub mass: f64,
    /// Covalent radius (Å), Cordero et al. 2008.
    pub covalent_radius: Option<f64>,
    /// Pauling electronegativity.
    pub electronegativity: Option<f64>,
    /// Group of the periodic table, 1 to 18 (lanthanides and actinides: 3).
    pub group: u8,
    /// Row of the periodic table, 1 to 7 (lanthanides count as 6, actinides as 7).
    pub row: u8,
    /// `b's'`, `b'p'`, `b'd'` or `b'f'`.
    pub block: u8,
    /// Every oxidation state known.
    pub oxidation_states: &'static [i8],
    /// The usual oxidation states.
    pub common_oxidation_states: &'static [i8],
    /// Oxidation states that make up at least 1 % (and ten) of the element's entries in the ICSD.
    pub icsd_oxidation_states: &'static [i8],
    /// Oxidation states but 0 with more than five reports in the ICSD of 2024, and how many, in order of
    /// state.
    pub icsd_reports: &'static [(i8, u32)],
}

/// A symbol or atomic number that names no element of the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an element")]
pub struct UnknownElement(pub String);

impl Element {
    /// How many elements the table holds; also the largest atomic number.
    pub const COUNT: usize = table::TABLE.len();

    /// Hydrogen, the one element whose bonds are short enough to need rules of their own.
    pub const H: Self = Self(1);

    /// The element with atomic number `z`, or `None` outside 1 to 103.
    #[must_use]
    pub fn from_z(z: u8) -> Option<Self> {
        (1..=Self::COUNT as u8).contains(&z).then_some(Self(z))
    }

    /// The element with this symbol, any letter case (`fe`, `FE` and `Fe` are iron).
    /// `D` and `T` are hydrogen.
    #[must_use]
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        let bytes = symbol.as_bytes();
        if bytes.is_empty() || bytes.len() > 2 {
            return None;
        }
        if matches!(bytes, [b'D' | b'd' | b'T' | b't']) {
            return Some(Self::H);
        }
        let position = table::TABLE.iter().position(|e| e.symbol.eq_ignore_ascii_case(symbol))?;
        Some(Self(position as u8 + 1))
    }

    /// All elements in order of atomic number.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        (1..=Self::COUNT as u8).map(Self)
    }

    /// Atomic number.
    #[must_use]
    pub fn z(self) -> u8 {
        self.0
    }

    /// The whole row of the table.
    #[must_use]
    pub fn data(self) -> &'static ElementData {
        &table::TABLE[usize::from(self.0) - 1]
    }

    /// IUPAC symbol.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        self.data().symbol
    }

    /// The order in which formulas are written: by electronegativity (Pauling), least first; elements
    /// without one at the end by atomic number.
    #[must_use]
    pub fn cmp_electronegativity(&self, other: &Self) -> Ordering {
        let chi = |e: &Self| e.data().electronegativity.unwrap_or(f64::INFINITY);
        chi(self).total_cmp(&chi(other)).then(self.cmp(other))
    }

    /// Whether the element is a metal: everything but hydrogen, the noble gases, the halogens, C, N, O,
    /// P, S, Se and the metalloids B, Si, Ge, As, Sb and Te.
    #[must_use]
    pub fn is_metal(self) -> bool {
        !matches!(
            self.symbol(),
            "H" | "He"
                | "B"
                | "C"
                | "N"
                | "O"
                | "F"
                | "Ne"
                | "Si"
                | "P"
                | "S"
                | "Cl"
                | "Ar"
                | "Ge"
                | "As"
                | "Se"
                | "Br"
                | "Kr"
                | "Sb"
                | "Te"
                | "I"
                | "Xe"
                | "At"
                | "Rn"
        )
    }
}

impl FromStr for Element {
    type Err = UnknownElement;

    fn from_str(symbol: &str) -> Result<Self, Self::Err> {
        Self::from_symbol(symbol).ok_or_else(|| UnknownElement(symbol.to_owned()))
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.symbol())
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_names_its_own_element() {
        for (i, element) in Element::all().enumerate() {
            assert_eq!(usize::from(element.z()), i + 1);
            assert_eq!(Element::from_symbol(element.symbol()), Some(element));
            assert_eq!(Element::from_symbol(&element.symbol().to_lowercase()), Some(element));
            assert!(element.data().mass > 1.0);
        }
    }

    #[test]
    fn isotopes_of_hydrogen_are_hydrogen_and_nonsense_is_nothing() {
        assert_eq!(Element::from_symbol("D"), Some(Element::H));
        for bad in ["", "Xx", "Fee", "?", "é", "X"] {
            assert_eq!(Element::from_symbol(bad), None, "{bad}");
        }
        assert_eq!(Element::from_z(0), None);
        assert_eq!(Element::from_z(104), None);
    }
}
