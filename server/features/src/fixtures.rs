//! Small crystals for the tests.

use cellwright_syntax::{Language, Parsed};
use nalgebra::Vector3;

use crate::Energy;

/// Rutile: six atoms from two rows by the sixteen operations of P 4₂/m n m.
pub(crate) const RUTILE: &str = "\
data_rutile
_cell_length_a 4.594
_cell_length_b 4.594
_cell_length_c 2.959
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 42/m n m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ti1 Ti 0.0 0.0 0.0
O1 O 0.3053(2) 0.3053(2) 0.0
";

/// Caesium chloride, which declares no symmetry.
pub(crate) const POSCAR: &str = "\
CsCl
1.0
4.12 0 0
0 4.12 0
0 0 4.12
Cs Cl
1 1
Direct
0.0 0.0 0.0
0.5 0.5 0.5
";

pub(crate) fn cif(text: &str) -> Parsed {
    Parsed::new(Language::Cif, text)
}

pub(crate) fn poscar(text: &str) -> Parsed {
    Parsed::new(Language::Poscar, text)
}

/// An answer with these norms of forces.
pub(crate) fn energy(norms: &[f64]) -> Energy {
    Energy {
        energy_per_atom: -8.25,
        forces: norms.iter().map(|f| Vector3::new(0.6 * f, 0.0, -0.8 * f)).collect(),
        model: "Fake 1 on abacus".to_owned(),
        cautions: Vec::new(),
    }
}
