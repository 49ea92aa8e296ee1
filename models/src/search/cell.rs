//! Random cells of a crystal system.

use cellwright_crystal::Lattice;
use cellwright_crystal::symmetry::CrystalSystem;

use crate::nn::random::Random;

/// Lengths differ by at most this factor before they are scaled to the volume.
const ASPECT: f64 = 2.5;

/// Free angles are this far from 90° at most (degrees).
const SKEW: f64 = 30.0;

/// The flattest cell, as the volume over the product of the lengths.
const FLATTEST: f64 = 0.35;

/// A cell with the metric of the system and the volume (Å³). `rhombohedral_axes` tells how a trigonal group is described;
/// the settings of this program have hexagonal axes.
pub(super) fn random_cell(
    system: CrystalSystem,
    volume: f64,
    random: &mut Random,
) -> Option<Lattice> {
    let mut length = || ASPECT.powf(random.uniform());
    let [a, b, c] = [length(), length(), length()];
    let mut angle = || 90.0 + SKEW * (2.0 * random.uniform() - 1.0);
    let (lengths, angles) = match system {
        CrystalSystem::Triclinic => ([a, b, c], [angle(), angle(), angle()]),
        CrystalSystem::Monoclinic => ([a, b, c], [90.0, angle(), 90.0]),
        CrystalSystem::Orthorhombic => ([a, b, c], [90.0; 3]),
        CrystalSystem::Tetragonal => ([a, a, c], [90.0; 3]),
        CrystalSystem::Trigonal | CrystalSystem::Hexagonal => ([a, a, c], [90.0, 90.0, 120.0]),
        CrystalSystem::Cubic => ([a; 3], [90.0; 3]),
    };
    let shape = Lattice::from_parameters(lengths, angles).ok()?;
    if shape.volume() / lengths.iter().product::<f64>() < FLATTEST {
        return None;
    }
    Lattice::from_rows(shape.matrix() * (volume / shape.volume()).cbrt()).ok()
}
