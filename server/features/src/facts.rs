//! The few numbers that say which crystal a block holds.

use cellwright_crystal::symmetry::detect;
use cellwright_syntax::reading::OperationSource;
use cellwright_syntax::{Parsed, Reading, Span};

use crate::energy::refusal;

/// Cells with more atoms than this are not searched for symmetry while somebody types.
const DETECT_LIMIT: usize = 500;

/// Distance tolerance of symmetry detection (Å).
const SYMPREC: f64 = 0.01;

/// What a lens says about one reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Where the lens stands.
    pub header: Span,
    /// Reduced formula: `LiFePO4`.
    pub formula: String,
    /// Formula units in the cell.
    pub z: u64,
    /// Space group as declared; as found, where nothing is declared.
    pub space_group: Option<String>,
    /// Density (g/cm³).
    pub density: f64,
    /// Why no model can treat it.
    pub refusal: Option<String>,
}

/// The facts of every reading, in order; `None` where there is no structure to speak of.
#[must_use]
pub fn facts(parsed: &Parsed) -> Vec<Option<Facts>> {
    parsed.readings.iter().map(of_reading).collect()
}

fn of_reading(reading: &Reading) -> Option<Facts> {
    let structure = reading.structure.as_ref()?;
    let composition = structure.composition();
    if composition.is_empty() {
        return None;
    }
    let (unit, z) = composition.reduced();
    Some(Facts {
        header: reading.header,
        formula: unit.formula(),
        z,
        space_group: space_group(reading),
        density: structure.density(),
        refusal: refusal(reading),
    })
}

/// The declared symbol, else that of the operations, else what the atoms show.
fn space_group(reading: &Reading) -> Option<String> {
    let symmetry = &reading.symmetry;
    let declared = symmetry.hm.as_ref().map(|hm| hm.value.trim().to_owned());
    let declared = declared.filter(|hm| !hm.is_empty() && hm != "?" && hm != ".");
    if declared.is_some() {
        return declared;
    }
    if symmetry.source != OperationSource::Nothing {
        return symmetry.setting.map(|setting| setting.hm().to_owned());
    }
    let structure = reading.structure.as_ref().filter(|s| s.len() <= DETECT_LIMIT)?;
    // A structure that is too broken for a space group has diagnostics that say so.
    let found = detect(structure, SYMPREC).ok()?;
    Some(format!("{} (found)", found.hm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{POSCAR, RUTILE, cif, poscar};

    #[test]
    fn the_declared_group_is_shown_and_else_the_one_found() {
        let rutile = facts(&cif(RUTILE))[0].clone().unwrap();
        assert_eq!((rutile.formula.as_str(), rutile.z), ("TiO2", 2));
        assert_eq!(rutile.space_group.as_deref(), Some("P 42/m n m"));
        assert!((rutile.density - 4.25).abs() < 0.01, "{}", rutile.density);
        let chloride = facts(&poscar(POSCAR))[0].clone().unwrap();
        assert_eq!(chloride.space_group.as_deref(), Some("P m -3 m (found)"));
    }

    #[test]
    fn there_is_nothing_to_say_without_a_structure() {
        assert_eq!(facts(&cif(&RUTILE.replace("_cell_", "_no_"))), [None]);
        assert!(facts(&cif("# nothing\n")).is_empty());
    }
}
