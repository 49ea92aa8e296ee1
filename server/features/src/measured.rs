//! Whether a file says where its cell comes from: from an experiment, or from a computation.

use cellwright_syntax::cif::Block;
use cellwright_syntax::reading::Cell;
use cellwright_syntax::{File, Parsed, Reading};

/// Beginnings of data names that an experiment is described with, or that collections of published ones (COD, ICSD, AMCSD) add.
const EXPERIMENT: [&str; 8] = [
    "_cell_measurement",
    "_cod_database_code",
    "_database_code",
    "_diffrn",
    "_exptl",
    "_pd_",
    "_refine",
    "_refln",
];

/// Programs that write computed structures name themselves in the first comment.
const COMPUTATION: [&str; 3] = ["pymatgen", "materials project", "vasp"];

/// Whether the cell of a reading was measured (a CIF with standard uncertainties of its lengths, or that describes an
/// experiment or comes from a collection of published ones) or
/// computed (a POSCAR, a CIF written by a program that works on computed ones); none where the file does not say.
#[must_use]
pub fn measured(parsed: &Parsed, reading: &Reading) -> Option<bool> {
    let File::Cif(file) = &parsed.file else { return Some(false) };
    let uncertain = match &reading.cell {
        Some(Cell::Parameters { lengths, .. }) => {
            lengths.iter().flatten().any(|length| length.value.su.is_some())
        }
        _ => false,
    };
    let described = || file.blocks.get(reading.block).is_some_and(describes_an_experiment);
    if uncertain || described() {
        return Some(true);
    }
    let first = file.comments.first().map(|span| span.text(&parsed.text).to_lowercase());
    let computed = first.is_some_and(|text| COMPUTATION.iter().any(|name| text.contains(name)));
    computed.then_some(false)
}

fn describes_an_experiment(block: &Block) -> bool {
    let single = block.items.iter().filter(|item| item.value.is_some()).map(|item| &item.name);
    let mut names = single.chain(block.loops.iter().flat_map(|l| &l.names));
    names.any(|name| EXPERIMENT.iter().any(|start| name.value.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{POSCAR, RUTILE, cif, poscar};

    #[test]
    fn a_file_says_where_its_cell_comes_from() {
        let of = |text: &str| measured(&cif(text), &cif(text).readings[0]);
        let bare = RUTILE;
        assert_eq!(of(bare), None);
        let uncertain = bare.replacen("_cell_length_c 2.959", "_cell_length_c 2.959(2)", 1);
        assert_eq!(of(&uncertain), Some(true));
        let described =
            bare.replacen("_cell_length_a", "_diffrn_ambient_temperature 293\n_cell_length_a", 1);
        assert_eq!(of(&described), Some(true));
        assert_eq!(of(&format!("# generated using pymatgen\n{bare}")), Some(false));
        assert_eq!(measured(&poscar(POSCAR), &poscar(POSCAR).readings[0]), Some(false));
    }
}
