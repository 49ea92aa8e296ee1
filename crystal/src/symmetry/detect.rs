//! Space-group detection, through moyo, which looks for it as spglib does (Togo, Shinohara & Tanaka, *Sci. Technol.
//! Adv. Mater. Meth.* **4**, 2384822 (2024)): the primitive lattice, the rotations that keep its metric, the translations
//! that go with them, and the tabulated group with the same operations after a change of basis and origin.

use std::panic::{AssertUnwindSafe, catch_unwind};

use moyo::MoyoDataset;
use moyo::base::{AngleTolerance, Cell};
use moyo::data::Setting as MoyoSetting;

use super::places::Places;
use super::{Operation, PointGroup, Setting};
use crate::Structure;
use crate::reduction::delaunay;

/// What symmetry a structure has at a given tolerance.
#[derive(Debug, Clone)]
pub struct Detected {
    /// International Tables number.
    pub number: u16,
    /// Hall number of the setting found.
    pub hall_number: u16,
    /// Short Hermann–Mauguin symbol, spaced.
    pub hm: String,
    /// Operations in the input cell.
    pub operations: Vec<Operation>,
    /// Wyckoff letter of each site.
    pub wyckoffs: Vec<char>,
    /// For each site the lowest index of a site it is equivalent to.
    pub equivalent: Vec<usize>,
    /// Site-symmetry symbols as International Tables write them.
    pub site_symmetry: Vec<String>,
    /// Pearson symbol, for example `cF8`.
    pub pearson: String,
    /// The tolerance (Å) at which the operations form the group: the one asked for, or less.
    pub symprec: f64,
}

impl Detected {
    /// The point group of the structure.
    #[must_use]
    pub fn point_group(&self) -> PointGroup {
        PointGroup::of(self.number)
    }
}

/// Why no symmetry could be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SymmetryError {
    /// There is nothing to look at.
    #[error("the cell holds no atoms")]
    Empty,
    /// moyo found no group; often overlapping atoms or a tolerance near an interatomic distance.
    #[error("no space group found: {0}")]
    NotFound(String),
}

/// No cell is this many times longer than it is wide: that of a polytype with hundreds of layers is so a few hundred times.
const LONGEST: f64 = 2000.0;

/// A tolerance is at most so much of the width of a cell, s√(s/l) of its shortest and longest translation. Above it
/// reflections and rotations that exclude each other all pass for symmetry of the lattice, and moyo lists their
/// products, which have no end. What it takes was looked for by random search and ascent over lattices of all shapes: nothing
/// below 1/9 of the width has generated more than a point group.
const WIDEST: f64 = 0.1;

/// Relative tolerance of the reduction: it tells how large the cell is and nothing else.
const REDUCTION: f64 = 1e-5;

/// Where the operations within a tolerance form no group, the next tolerance that is tried is so much of it.
const FINER: f64 = 0.95;

/// Tolerances that differ by less are one (relative).
const SAME: f64 = 1e-9;

/// Finds the space group of a structure. Sites of different species, charges or occupancies are different; masked sites are a
/// species of their own; sites that share a position count as one site of a mixed kind.
///
/// `symprec` is in Å (0.01 is usual): an operation counts if it brings every atom within that distance of one of
/// its kind. It is lowered where the cell is too narrow for it, and where the operations within it form no group, less is tried in steps of 5 %;
/// [`Detected::symprec`] tells where the search ended. spglib tightens its tolerance in more situations, so that atoms
/// moved by nearly the tolerance may have more symmetry here than there, never operations that do not hold.
///
/// Time grows with the square of the number of atoms in the primitive cell: moyo tries every atom of the
/// rarest species as the image of one of them, for each rotation of the lattice, and moves all atoms to see.
/// A disordered cell of ten thousand atoms is a matter of many seconds; a supercell of a small one is not,
/// because its primitive cell is found first.
///
/// # Errors
/// See [`SymmetryError`].
pub fn detect(structure: &Structure, symprec: f64) -> Result<Detected, SymmetryError> {
    let (places, found) = search(structure, symprec)?;
    let (number, hall_number) = (found.number as u16, found.hall_number as u16);
    let hm = Setting::from_hall_number(hall_number).map_or("", Setting::hm_without_choice);
    let each = |place: &usize| found.site_symmetry_symbols[*place].clone();
    Ok(Detected {
        number,
        hall_number,
        hm: hm.to_owned(),
        operations: operations(&found),
        wyckoffs: places.of_site.iter().map(|place| found.wyckoffs[*place]).collect(),
        equivalent: places.equivalent(structure, &found.orbits),
        site_symmetry: places.of_site.iter().map(each).collect(),
        pearson: found.pearson_symbol,
        symprec: found.symprec,
    })
}

/// The operations in the given cell.
pub(crate) fn operations(found: &MoyoDataset) -> Vec<Operation> {
    found.operations.iter().map(|op| Operation::new(op.rotation, op.translation)).collect()
}

/// What moyo finds for the places of a structure.
pub(crate) fn search(
    structure: &Structure,
    symprec: f64,
) -> Result<(Places, MoyoDataset), SymmetryError> {
    if structure.is_empty() {
        return Err(SymmetryError::Empty);
    }
    if !(symprec > 0.0 && symprec.is_finite()) {
        return Err(SymmetryError::NotFound(format!("{symprec} Å is no tolerance")));
    }
    // moyo looks at as many images as the longest vector is longer than the shortest, as written and reduced.
    let reduced = delaunay(&structure.lattice, REDUCTION);
    let reduced = reduced.map_err(|reason| SymmetryError::NotFound(reason.to_string()))?.lattice;
    for lengths in [structure.lattice.lengths(), reduced.lengths()] {
        let [shortest, longest] = [f64::min, f64::max].map(|f| lengths.into_iter().reduce(f));
        if longest.zip(shortest).is_none_or(|(l, s)| l > LONGEST * s) {
            return Err(SymmetryError::NotFound("the cell is too long for its width".to_owned()));
        }
    }
    let places = Places::of(structure)?;
    let shortest = places.shortest_translation(structure)?;
    let longest = reduced.lengths().into_iter().fold(shortest, f64::max);
    let width = shortest * (shortest / longest).sqrt();
    if width < 2.0 * symprec {
        let reason = format!("the cell is too narrow for a tolerance of {symprec} Å");
        return Err(SymmetryError::NotFound(reason));
    }
    let symprec = symprec.min(WIDEST * width);
    let cell = places.cell(structure);
    let found = run(&cell, symprec)?;
    if found.symprec >= symprec * (1.0 - SAME) {
        return Ok((places, found));
    }
    // What holds within the tolerance made no group, and moyo has halved the tolerance, perhaps past one
    // that does: look in between.
    let mut finer = symprec * FINER;
    while finer > found.symprec * (1.0 + SAME) {
        match run(&cell, finer) {
            Ok(between) if between.symprec >= finer * (1.0 - SAME) => return Ok((places, between)),
            _ => finer *= FINER,
        }
    }
    Ok((places, found))
}

/// One search of moyo, which may end at a tighter tolerance than it is given.
fn run(cell: &Cell, symprec: f64) -> Result<MoyoDataset, SymmetryError> {
    // moyo asserts what it expects of a cell; a cell odd enough to break that is one whose group cannot
    // be found, not a reason to end the program.
    let search =
        || MoyoDataset::new(cell, symprec, AngleTolerance::Default, MoyoSetting::Standard, false);
    match catch_unwind(AssertUnwindSafe(search)) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(reason)) => Err(SymmetryError::NotFound(reason.to_string())),
        Err(_) => Err(SymmetryError::NotFound("the search gave up".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix3, Vector3};

    use super::*;
    use crate::{Element, Lattice, Site};

    fn site(symbol: &str, frac: [f64; 3]) -> Site {
        Site::new(Element::from_symbol(symbol).unwrap(), Vector3::from(frac))
    }

    fn rock_salt() -> Structure {
        let corners = [[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]];
        let cations = corners.iter().map(|c| site("Na", *c));
        let anions = corners.iter().map(|c| site("Cl", [c[0] + 0.5, c[1], c[2]]));
        let lattice = Lattice::from_parameters([5.64; 3], [90.0; 3]).unwrap();
        Structure { lattice, sites: cations.chain(anions).collect() }
    }

    #[test]
    fn rock_salt_is_fm3m() {
        let found = detect(&rock_salt(), 0.01).unwrap();
        assert_eq!((found.number, found.hall_number, found.hm.as_str()), (225, 523, "F m -3 m"));
        assert_eq!((found.operations.len(), found.pearson.as_str()), (192, "cF8"));
        assert_eq!(found.equivalent, [0, 0, 0, 0, 4, 4, 4, 4]);
        assert_eq!(found.site_symmetry[0], "m-3m");
        let mut letters = [found.wyckoffs[0], found.wyckoffs[4]];
        letters.sort_unstable();
        assert_eq!(letters, ['a', 'b']);
    }

    #[test]
    fn what_distinguishes_sites_lowers_the_symmetry() {
        let number = |change: &dyn Fn(&mut Structure)| {
            let mut salt = rock_salt();
            change(&mut salt);
            detect(&salt, 0.01).unwrap().number
        };
        assert_eq!(number(&|_| ()), 225);
        // One corner of the cube differs: simple cubic.
        assert_eq!(number(&|s| s.sites[0].element = Element::from_symbol("K")), 221);
        assert_eq!(number(&|s| s.sites[0].element = None), 221);
        assert_eq!(number(&|s| s.sites[0].occupancy = 0.9), 221);
        assert_eq!(number(&|s| s.sites[0].oxidation = Some(1.0)), 221);
        // Moved along z by less, then by more than the tolerance.
        assert_eq!(number(&|s| s.sites[0].frac.z = 0.0005), 225);
        assert_eq!(number(&|s| s.sites[0].frac.z = 0.05), 99);
    }

    #[test]
    fn a_shared_position_is_one_mixed_site() {
        let mut mixed = rock_salt();
        let potassium: Vec<_> = (0..4)
            .map(|i| Site { occupancy: 0.25, ..site("K", mixed.sites[i].frac.into()) })
            .collect();
        for i in 0..4 {
            mixed.sites[i].occupancy = 0.75;
        }
        // Listed in another cell and in another order than the sodium.
        mixed.sites.extend(potassium.into_iter().rev().map(|mut k| {
            k.frac.x += 1.0;
            k
        }));
        let found = detect(&mixed, 0.01).unwrap();
        assert_eq!((found.number, found.pearson.as_str()), (225, "cF8"));
        assert_eq!(found.equivalent, [0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8]);
        assert_eq!(found.wyckoffs[0], found.wyckoffs[11]);
    }

    #[test]
    fn the_description_does_not_matter() {
        let mut salt = rock_salt();
        for (i, site) in salt.sites.iter_mut().enumerate() {
            site.frac += Vector3::new(0.1, 0.2, 0.3 + i as f64);
        }
        assert_eq!(detect(&salt, 0.01).unwrap().number, 225);
        let primitive = Matrix3::new(0.0, 0.5, 0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.0) * 5.64;
        let lattice = Lattice::from_rows(primitive).unwrap();
        let sites = vec![site("Na", [0.0; 3]), site("Cl", [0.5; 3])];
        let found = detect(&Structure { lattice, sites }, 0.01).unwrap();
        assert_eq!((found.number, found.operations.len()), (225, 48));
        // Left-handed.
        let mut mirrored = rock_salt();
        let rows = -mirrored.lattice.matrix();
        mirrored.lattice = Lattice::from_rows(rows).unwrap();
        assert_eq!(detect(&mirrored, 0.01).unwrap().number, 225);
    }

    #[test]
    fn degenerate_input_is_an_error_value() {
        let mut salt = rock_salt();
        assert!(matches!(detect(&salt, f64::NAN), Err(SymmetryError::NotFound(_))));
        assert!(matches!(detect(&salt, 0.0), Err(SymmetryError::NotFound(_))));
        salt.sites[3].frac.y = f64::NAN;
        assert!(matches!(detect(&salt, 0.01), Err(SymmetryError::NotFound(_))));
        salt.sites.clear();
        assert_eq!(detect(&salt, 0.01).unwrap_err(), SymmetryError::Empty);
        // A tolerance as large as the cell, and a cell as skewed as can be.
        assert_eq!(detect(&rock_salt(), 100.0).map_or(225, |found| found.number), 225);
        let mut flat = rock_salt();
        let rows = Matrix3::new(3.0, 0.0, 0.0, 0.0, 4.3e9, 0.0, 0.0, 0.0, 5.0);
        flat.lattice = Lattice::from_rows(rows).unwrap();
        assert!(matches!(detect(&flat, 0.01), Err(SymmetryError::NotFound(_))));
        let rows = Matrix3::new(1.0, 0.0, 0.0, 1e9, 3.0, 0.0, 0.0, 0.0, 1.0);
        flat.lattice = Lattice::from_rows(rows).unwrap();
        assert!(matches!(detect(&flat, 0.01), Err(SymmetryError::NotFound(_))));
    }

    #[test]
    fn reflections_that_exclude_each_other_end_the_search() {
        let pair = |rows: Matrix3<f64>| Structure {
            lattice: Lattice::from_rows(rows).unwrap(),
            sites: vec![site("Ru", [0.56, 0.14, 0.05]), site("Cf", [0.42, 0.25, 0.26])],
        };
        // Two vectors at nearly 120°, a third almost upright, far from it and at a length between two.
        let needle = Matrix3::new(2.35, 0.0, 0.0, -1.08, 2.2, 0.0, 0.67, 0.0, 91.3);
        assert!(detect(&pair(needle), 0.1).is_ok_and(|found| found.symprec < 0.1));
        // All of one length and between cube and hexagon.
        let rhomb = Matrix3::new(3.1, 0.0, 0.0, -0.25, 3.48, 0.0, -0.78, -1.68, 2.96);
        assert!(detect(&pair(rhomb), 1.0).is_ok_and(|found| found.symprec < 1.0));
    }
}
