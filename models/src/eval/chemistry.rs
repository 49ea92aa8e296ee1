//! What kind of compound a crystal is, by the most electronegative of its elements that are no metals.

use std::fmt;

use cellwright_crystal::{Composition, Element};

/// A kind of compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chemistry {
    /// Oxygen is the most electronegative element that is no metal.
    Oxide,
    /// F, Cl, Br or I is.
    Halide,
    /// S, Se or Te is.
    Chalcogenide,
    /// N, P, As or Sb is.
    Pnictide,
    /// B, C, Si or Ge is.
    Tetrelide,
    /// Hydrogen is.
    Hydride,
    /// Nothing but metals, at least two.
    Intermetallic,
    /// One element.
    Elemental,
    /// Anything else.
    Other,
}

impl Chemistry {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Oxide,
        Self::Halide,
        Self::Chalcogenide,
        Self::Pnictide,
        Self::Tetrelide,
        Self::Hydride,
        Self::Intermetallic,
        Self::Elemental,
        Self::Other,
    ];

    /// Of a composition.
    #[must_use]
    pub fn of(composition: &Composition) -> Self {
        let elements: Vec<Element> = composition.iter().map(|(element, _)| element).collect();
        if elements.len() == 1 {
            return Self::Elemental;
        }
        if elements.iter().all(|e| e.is_metal()) {
            return Self::Intermetallic;
        }
        let chi = |e: &&Element| e.data().electronegativity.unwrap_or(0.0);
        let most =
            elements.iter().filter(|e| !e.is_metal()).max_by(|a, b| chi(a).total_cmp(&chi(b)));
        match most.map_or("", |e| e.symbol()) {
            "O" => Self::Oxide,
            "F" | "Cl" | "Br" | "I" => Self::Halide,
            "S" | "Se" | "Te" => Self::Chalcogenide,
            "N" | "P" | "As" | "Sb" => Self::Pnictide,
            "B" | "C" | "Si" | "Ge" => Self::Tetrelide,
            "H" => Self::Hydride,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Chemistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Oxide => "oxides",
            Self::Halide => "halides",
            Self::Chalcogenide => "chalcogenides",
            Self::Pnictide => "pnictides",
            Self::Tetrelide => "borides, carbides, silicides, germanides",
            Self::Hydride => "hydrides",
            Self::Intermetallic => "intermetallics",
            Self::Elemental => "elements",
            Self::Other => "others",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_electronegative_nonmetal_decides() {
        let of = |formula: &str| Chemistry::of(&formula.parse().unwrap());
        assert_eq!((of("BiOCl"), of("LaOF")), (Chemistry::Oxide, Chemistry::Halide));
        assert_eq!((of("NaH"), of("Si")), (Chemistry::Hydride, Chemistry::Elemental));
        assert_eq!((of("Al2Cu"), of("PtP2")), (Chemistry::Intermetallic, Chemistry::Pnictide));
        assert_eq!((of("TiC"), of("AsSe")), (Chemistry::Tetrelide, Chemistry::Chalcogenide));
    }
}
