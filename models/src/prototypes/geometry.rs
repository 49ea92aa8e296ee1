//! Geometry in whole numbers: small in a file, the same on every machine, special positions exact.
//!
//! Lengths are kept to 0.001 Å, angles to 0.01°, fractional coordinates to 1/61440 of an axis (2¹² · 3 · 5, so that
//! halves, thirds, quarters, fifths, sixths and eighths are exact); a cell of 50 Å places its atoms to 0.4 mÅ.

use cellwright_crystal::structure::wrap_unit;
use cellwright_crystal::{Element, Lattice, LatticeError, Site, Structure};
use nalgebra::{Matrix3, Vector3};

use super::library::{Class, Member};

const LENGTH: f64 = 1e-3;
const ANGLE: f64 = 1e-2;
pub(super) const GRID: u16 = 61440;

/// Lengths and angles on the grid.
pub(super) fn quantise_cell(lattice: &Lattice) -> [u32; 6] {
    let ([a, b, c], [alpha, beta, gamma]) = (lattice.lengths(), lattice.angles());
    let whole = |x: f64, unit: f64| (x / unit).round() as u32;
    [
        whole(a, LENGTH),
        whole(b, LENGTH),
        whole(c, LENGTH),
        whole(alpha, ANGLE),
        whole(beta, ANGLE),
        whole(gamma, ANGLE),
    ]
}

/// Fractional coordinates on the grid, in [0, 1).
pub(super) fn quantise(frac: &Vector3<f64>) -> [u16; 3] {
    let grid = u32::from(GRID);
    let whole = |x: f64| ((wrap_unit(x) * f64::from(GRID)).round() as u32 % grid) as u16;
    [whole(frac.x), whole(frac.y), whole(frac.z)]
}

/// The lattice of a grid cell.
pub(super) fn lattice(cell: &[u32; 6]) -> Result<Lattice, LatticeError> {
    let [a, b, c, alpha, beta, gamma] = cell.map(f64::from);
    Lattice::from_parameters(
        [a * LENGTH, b * LENGTH, c * LENGTH],
        [alpha * ANGLE, beta * ANGLE, gamma * ANGLE],
    )
}

impl Member {
    /// Volume of the primitive cell (Å³).
    #[must_use]
    pub fn volume(&self) -> f64 {
        lattice(&self.cell).map_or(f64::NAN, |lattice| lattice.volume())
    }
}

impl Class {
    /// The crystal that a member becomes with these elements on its sites, scaled to `volume` (Å³ per cell).
    ///
    /// # Errors
    /// When the volume is none; the cells of a library are sound.
    pub(super) fn placed(
        &self,
        member: &Member,
        elements: impl Iterator<Item = Element>,
        volume: f64,
    ) -> Result<Structure, LatticeError> {
        let known = lattice(&member.cell)?;
        let scale = (volume / known.volume()).cbrt();
        let scaled: Matrix3<f64> = known.matrix() * scale;
        let site = |(frac, element): (&[u16; 3], Element)| {
            let frac = frac.map(|x| f64::from(x) / f64::from(GRID));
            Site::new(element, Vector3::from(frac))
        };
        let sites = member.frac.iter().zip(elements).map(site).collect();
        Ok(Structure { lattice: Lattice::from_rows(scaled)?, sites })
    }

    /// A member as it is.
    ///
    /// # Errors
    /// Never for the members of a library.
    pub fn crystal(&self, member: &Member) -> Result<Structure, LatticeError> {
        let slots = self.counts.iter().zip(&member.elements);
        let elements = slots.flat_map(|(n, e)| std::iter::repeat_n(*e, *n));
        self.placed(member, elements, member.volume())
    }
}
