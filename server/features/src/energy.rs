//! What a learned potential said about a crystal, and whether it can say anything at all.

use cellwright_crystal::Structure;
use cellwright_syntax::Reading;
use cellwright_syntax::reading::ObstacleKind;
use nalgebra::Vector3;

/// Numbers of a learned potential for one reading, atoms in the order of `reading.structure`.
#[derive(Debug, Clone, PartialEq)]
pub struct Energy {
    /// Potential energy (eV/atom).
    pub energy_per_atom: f64,
    /// Force on every atom of the cell (eV/Å, Cartesian).
    pub forces: Vec<Vector3<f64>>,
    /// Model, version and device, as users read them: `CHGNet 0.3.0 on cpu`.
    pub model: String,
    /// Reasons to trust the numbers less.
    pub cautions: Vec<String>,
}

/// What is known about the energy of one reading.
#[derive(Debug, Clone, PartialEq)]
pub enum EnergyState<E> {
    /// Nobody asked: energies are switched off, or there is no model.
    Off,
    /// Asked, not answered yet.
    Pending,
    /// Answered.
    Known(E),
    /// There will be none, and why.
    Refused(String),
}

impl Energy {
    /// Largest norm of a force (eV/Å), 0 without atoms.
    #[must_use]
    pub fn max_force(&self) -> f64 {
        self.forces.iter().map(Vector3::norm).fold(0.0, f64::max)
    }

    /// For each row of the file the largest norm of a force (eV/Å) among the atoms of the cell that the row stands for;
    /// `None` for rows that gave no atom. Symmetry makes these forces equal up to the noise of the model.
    #[must_use]
    pub fn row_forces(&self, reading: &Reading) -> Vec<Option<f64>> {
        let mut rows = vec![None; reading.sites.len()];
        for (origin, force) in reading.origins.iter().zip(&self.forces) {
            let norm = force.norm();
            if let Some(row) = rows.get_mut(origin.site) {
                *row = Some(row.map_or(norm, |largest: f64| largest.max(norm)));
            }
        }
        rows
    }
}

/// Why a reading cannot be given to a potential: one clause for the user, no trailing dot. `None` if it can.
#[must_use]
pub fn refusal(reading: &Reading) -> Option<String> {
    if let Some(reason) = without_place(reading) {
        return Some(reason);
    }
    if let Some(masked) = reading.sites.iter().find(|s| s.masked) {
        return Some(format!("the species of site '{}' is masked", masked.label));
    }
    if let Some(reason) = unsound(reading, |_| true) {
        return Some(reason);
    }
    // The rows said nothing against it, so this is a site whose element the table does not hold.
    let ordered = reading.structure.as_ref().is_some_and(Structure::is_ordered);
    (!ordered).then(|| "a site has no known element".to_owned())
}

/// The same for a model that takes sites without an element.
#[must_use]
pub fn refusal_unless_masked(reading: &Reading) -> Option<String> {
    without_place(reading).or_else(|| unsound(reading, |kind| kind != ObstacleKind::Species))
}

/// Whether there is no cell to put atoms into.
fn without_place(reading: &Reading) -> Option<String> {
    match &reading.lattice {
        None => Some("no cell is given".to_owned()),
        Some(Err(error)) => Some(error.to_string()),
        Some(Ok(_)) => None,
    }
}

/// What is wrong with the atoms, obstacles of some kinds counted.
fn unsound(reading: &Reading, counts: impl Fn(ObstacleKind) -> bool) -> Option<String> {
    if let Some(obstacle) = reading.obstacles.iter().find(|o| counts(o.kind)) {
        return Some(obstacle.message.clone());
    }
    if let Some(lost) = reading.sites.iter().find(|s| s.multiplicity == 0) {
        return Some(format!("site '{}' has no place in the cell", lost.label));
    }
    if reading.structure.as_ref().is_none_or(Structure::is_empty) {
        return Some("no atoms are given".to_owned());
    }
    let partial = reading.sites.iter().find(|s| (s.occupancy - 1.0).abs() >= 1e-6)?;
    let (label, occupancy) = (&partial.label, partial.occupancy);
    Some(format!(
        "the structure is disordered: site '{label}' has occupancy {occupancy}; write an ordered cell first"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{POSCAR, RUTILE, cif, energy, poscar};

    fn reason(text: &str) -> String {
        refusal(&cif(text).readings[0]).expect("cannot be treated")
    }

    #[test]
    fn an_ordered_crystal_can_be_treated() {
        assert_eq!(refusal(&cif(RUTILE).readings[0]), None);
        assert_eq!(refusal(&poscar(POSCAR).readings[0]), None);
    }

    #[test]
    fn every_refusal_says_why() {
        assert_eq!(reason(&RUTILE.replace("_cell_", "_no_")), "no cell is given");
        assert!(reason(&RUTILE.replace("a 4.594", "a -4.594")).contains("cell length a"));
        assert!(reason(&RUTILE.replace("Ti1 Ti", "Ti1 ?")).contains("'Ti1' is masked"));
        assert!(reason(&RUTILE.replace("Ti1 Ti 0.0 ", "Ti1 Ti abc ")).contains("'abc'"));
        let partial = RUTILE
            .replace("_fract_z\n", "_fract_z\n_atom_site_occupancy\n")
            .replace(" 0.0\nO1", " 0.0 0.5\nO1")
            .replace("0.3053(2) 0.0\n", "0.3053(2) 0.0 1\n");
        assert!(reason(&partial).contains("'Ti1' has occupancy 0.5"), "{}", reason(&partial));
    }

    #[test]
    fn a_model_of_masks_takes_sites_without_an_element() {
        let accepts = |text: &str| refusal_unless_masked(&cif(text).readings[0]);
        assert_eq!(accepts(&RUTILE.replace("Ti1 Ti", "Ti1 ?")), None);
        assert_eq!(accepts(&RUTILE.replace("Ti1 Ti", "Ti1 Qq")), None);
        assert!(accepts(&RUTILE.replace("Ti1 Ti 0.0 ", "Ti1 ? abc ")).is_some());
        assert!(accepts(&RUTILE.replace("_cell_", "_no_")).is_some());
    }

    #[test]
    fn forces_of_the_cell_come_back_to_their_rows() {
        let parsed = cif(RUTILE);
        let reading = &parsed.readings[0];
        let norms: Vec<f64> =
            reading.origins.iter().map(|o| if o.site == 0 { 0.25 } else { 1.5 }).collect();
        assert_eq!(norms.len(), 6);
        let rows = energy(&norms).row_forces(reading);
        assert!((rows[0].unwrap() - 0.25).abs() < 1e-12 && (rows[1].unwrap() - 1.5).abs() < 1e-12);
        assert!((energy(&norms).max_force() - 1.5).abs() < 1e-12);
    }
}
