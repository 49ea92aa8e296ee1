//! A structure as numbers that an optimiser can move.

use std::f64::consts::PI;

use cellwright_crystal::{Element, Lattice, Site, Structure};
use nalgebra::Vector3;

/// Numbers of the cell: logarithms of three lengths (Å), three angles (radians).
pub(super) const CELL: usize = 6;

/// The cell, then the fractional coordinates of all atoms.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Genome(pub(super) Vec<f64>);

impl Genome {
    pub(super) fn of(structure: &Structure) -> Self {
        let lengths = structure.lattice.lengths().map(f64::ln);
        let angles = structure.lattice.angles().map(f64::to_radians);
        let frac = structure.sites.iter().flat_map(|s| [s.frac.x, s.frac.y, s.frac.z]);
        Self(lengths.into_iter().chain(angles).chain(frac).collect())
    }

    /// The structure, with coordinates in [0, 1); none where the angles close no cell or the cell is flat.
    pub(super) fn structure(&self, elements: &[Element]) -> Option<Structure> {
        let lengths = [0, 1, 2].map(|i| self.0[i].exp());
        let angles = [3, 4, 5].map(|i| self.0[i].to_degrees());
        let lattice = Lattice::from_parameters(lengths, angles).ok()?;
        let flatness = lattice.volume() / lengths.iter().product::<f64>();
        let site = |(element, row): (&Element, &[f64])| {
            let frac = Vector3::from_row_slice(row).map(|x| x.rem_euclid(1.0));
            Site::new(*element, frac)
        };
        let sites = elements.iter().zip(self.0[CELL..].chunks_exact(3)).map(site).collect();
        (flatness > 0.25).then_some(Structure { lattice, sites })
    }

    /// From `other` to this one, number by number; coordinates take the short way round.
    pub(super) fn minus(&self, other: &Self) -> Vec<f64> {
        let difference = |(i, (a, b)): (usize, (&f64, &f64))| difference(i, a - b);
        self.0.iter().zip(&other.0).enumerate().map(difference).collect()
    }

    /// Keeps the cell in bounds: lengths of 2 to 60 Å, angles of 40 to 140°.
    pub(super) fn clamp(&mut self) {
        for (i, x) in self.0[..CELL].iter_mut().enumerate() {
            *x = if i < 3 {
                x.clamp(2_f64.ln(), 60_f64.ln())
            } else {
                x.clamp(PI * 2.0 / 9.0, PI * 7.0 / 9.0)
            };
        }
    }
}

/// The difference of two numbers at place `i`.
pub(super) fn difference(i: usize, x: f64) -> f64 {
    if i < CELL { x } else { x - x.round() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn salt() -> Structure {
        let site = |z, x| Site::new(Element::from_z(z).unwrap(), Vector3::repeat(x));
        Structure {
            lattice: Lattice::from_parameters([4.0, 4.1, 4.2], [80.0, 90.0, 100.0]).unwrap(),
            sites: vec![site(55, 0.1), site(17, 0.6)],
        }
    }

    #[test]
    fn there_and_back() {
        let elements = [55, 17].map(|z| Element::from_z(z).unwrap());
        let back = Genome::of(&salt()).structure(&elements).unwrap();
        for (a, b) in back.sites.iter().zip(salt().sites) {
            assert_eq!(a.element, b.element);
            assert!((a.frac - b.frac).norm() < 1e-12);
        }
        assert!((back.lattice.volume() - salt().lattice.volume()).abs() < 1e-9);
    }

    #[test]
    fn coordinates_take_the_short_way_and_cells_stay_cells() {
        let (mut a, b) = (Genome::of(&salt()), Genome::of(&salt()));
        a.0[CELL] = 0.95;
        let step = a.minus(&b);
        assert!((step[CELL] + 0.15).abs() < 1e-12 && step[0] == 0.0);
        a.0[3] = 0.1;
        a.0[0] = -3.0;
        assert!(a.structure(&[]).is_none());
        a.clamp();
        assert_eq!((a.0[0], a.0[3]), (2_f64.ln(), PI * 2.0 / 9.0));
    }
}
