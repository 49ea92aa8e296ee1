//! Compounds that hold together by bonds between nonmetals, of which formal charges say nothing.

use crate::Composition;

/// Whether a compound without a neutral assignment is one of those.
pub(super) fn is_expected(unit: &Composition) -> bool {
    let amount =
        |symbol: &str| unit.iter().find(|(e, _)| e.symbol() == symbol).map_or(0.0, |(_, n)| n);
    let only = |list: &[&str]| unit.iter().all(|(e, _)| list.contains(&e.symbol()));
    let boron = amount("B");
    // Molecules and frameworks with carbon and hydrogen.
    amount("C") > 0.0 && amount("H") > 0.0
        // S8O, SF6, HCl·6H2O.
        || only(&MOLECULAR)
        // B6O, B12S, B13N2, B12P2: icosahedra of boron with atoms between them.
        || only(&["B", "C", "N", "O", "Si", "P", "S", "As", "Se"]) && 4.0 * boron >= 3.0 * unit.total()
        // Polysilane, polygermane and the like.
        || only(&["Si", "Ge", "H"])
}

/// Elements that make molecules among themselves.
const MOLECULAR: [&str; 14] =
    ["H", "C", "N", "O", "F", "P", "S", "Cl", "As", "Se", "Br", "Te", "I", "Xe"];
