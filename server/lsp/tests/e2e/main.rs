//! The server as a client sees it, over pipes in one process.

mod actions;
mod diagnostics;
mod harness;
mod lifecycle;
mod liveness;
mod mend;
mod predict;
mod relax;
mod text;

/// Rock salt with one chlorine row moved along x: P 1, eight atoms.
pub(crate) const SALT: &str = "\
data_salt
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 Na 0.0000 0.0000 0.0000
Na2 Na 0.0000 0.5000 0.5000
Na3 Na 0.5000 0.0000 0.5000
Na4 Na 0.5000 0.5000 0.0000
Cl1 Cl 0.5500 0.0000 0.0000
Cl2 Cl 0.0000 0.5000 0.0000
Cl3 Cl 0.0000 0.0000 0.5000
Cl4 Cl 0.5000 0.5000 0.5000
";

/// The row of Cl1, counted from 0.
pub(crate) const CL1: u32 = 17;
