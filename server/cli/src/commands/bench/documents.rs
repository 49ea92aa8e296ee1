//! Files of a given size to edit: rock salt without symmetry, every atom a row.

use std::fmt::Write;

/// Distance between neighbours (Å).
const SPACING: f64 = 2.82;

/// A CIF in P 1 with `n³` atoms, alternating Na and Cl, and the byte range of a coordinate to edit: the x of
/// the last atom, which is far from its neighbours as written.
pub(crate) struct Document {
    pub(crate) text: String,
    /// Line (from 0) and first column of the coordinate.
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) sites: usize,
}

/// How many digits the edited coordinate has, `0.` included.
pub(crate) const WIDTH: u32 = 8;

/// The coordinate as it should be, and one that puts the atom upon its neighbour.
pub(crate) struct Coordinate {
    pub(crate) good: String,
    pub(crate) bad: String,
}

pub(crate) fn rock_salt(n: usize) -> (Document, Coordinate) {
    let edge = SPACING * n as f64;
    let mut text = format!(
        "data_rock_salt_{n}\n_cell_length_a {edge:.4}\n_cell_length_b {edge:.4}\n\
         _cell_length_c {edge:.4}\n_cell_angle_alpha 90\n_cell_angle_beta 90\n\
         _cell_angle_gamma 90\n_space_group_name_H-M_alt 'P 1'\nloop_\n_atom_site_label\n\
         _atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    );
    let fraction = |i: usize| format!("{:.6}", i as f64 / n as f64);
    let mut column = 0;
    let mut serial = 0;
    for i in 0..n {
        for j in 0..n {
            for k in 0..n {
                serial += 1;
                let element = if (i + j + k) % 2 == 0 { "Na" } else { "Cl" };
                let head = format!("{element}{serial} {element} {} {} ", fraction(k), fraction(j));
                column = head.len() as u32;
                let _ = writeln!(text, "{head}{}", fraction(i));
            }
        }
    }
    let line = text.lines().count() as u32 - 1;
    let last = n - 1;
    let close = (last as f64 - 0.95) / n as f64;
    let coordinate = Coordinate { good: fraction(last), bad: format!("{close:.6}") };
    (Document { text, line, column, sites: serial }, coordinate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_to_edit_is_the_last_coordinate() {
        let (document, coordinate) = rock_salt(4);
        let line = document.text.lines().nth(document.line as usize).expect("a line");
        let start = document.column as usize;
        assert_eq!(&line[start..start + WIDTH as usize], coordinate.good);
        assert_eq!(coordinate.bad.len(), WIDTH as usize);
        assert_eq!(document.sites, 64);
    }
}
