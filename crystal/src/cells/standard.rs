//! The standard cells of a space group.

use std::collections::HashMap;

use nalgebra::{Matrix3, Vector3};

use super::{CellError, Recast, supercell};
use crate::structure::{wrap_half, wrap_unit};
use crate::symmetry::{
    CrystalSystem, IdealiseError, Operation, Setting, SymmetryError, idealise, operations,
    same_set, search,
};
use crate::{Lattice, Site, Structure};

/// A structure in the standard setting of its space group (cell choice 1, origin choice 2 where there are
/// two, hexagonal axes): primitive and conventional.
#[derive(Debug, Clone, PartialEq)]
pub struct Standard {
    /// International Tables number.
    pub number: u16,
    /// Hall number of the setting.
    pub hall_number: u16,
    /// The smallest cell that repeats the structure.
    pub primitive: Recast,
    /// The cell that International Tables describe. Its lattice vectors lie along the axes of symmetry.
    pub conventional: Recast,
    /// Rows: the conventional lattice vectors in terms of the primitive ones; the determinant is 1, 2, 3
    /// or 4. `conventional = centring · primitive`.
    pub centring: Matrix3<i32>,
    /// Rows: the given lattice vectors in terms of the primitive ones. `given = whole · primitive`, so
    /// that |det| tells how many primitive cells the given one holds.
    pub whole: Matrix3<i32>,
    /// For each given site the site of the primitive cell that stands for it.
    pub merged: Vec<usize>,
}

/// Finds the standard cells at a tolerance in Å (0.01 is usual). Basis and origin come from moyo; what is in
/// the cells is what was given: the crystal is neither turned nor made more symmetric than it is
/// ([`Standard::idealise`] does that), but sites that a translation makes one are averaged. From orthorhombic groups upwards a cell that is in the standard
/// setting stays as it is. Coordinates are in [0, 1).
///
/// # Errors
/// See [`SymmetryError`].
pub fn standard(structure: &Structure, symprec: f64) -> Result<Standard, SymmetryError> {
    let (places, found) = search(structure, symprec)?;
    let no = |what: &str| SymmetryError::NotFound(what.to_owned());
    // moyo has lattice vectors as columns.
    let whole = found.prim_std_linear.transpose().try_inverse().map(whole_numbers);
    let mut whole = whole.ok_or_else(|| no("the primitive cell is flat"))?;
    let mut origin = found.std_origin_shift;
    let centring = whole_numbers(found.std_linear.transpose() * whole.cast());
    let (number, hall_number) = (found.number as u16, found.hall_number as u16);
    if is_standard(hall_number, &operations(&found)) {
        (whole, origin) = (centring, Vector3::zeros());
    }
    let transform = whole.cast::<f64>().try_inverse();
    let transform = transform.ok_or_else(|| no("the primitive cell is flat"))?;

    // Given sites by place in the primitive cell and by species at that place.
    let mut ranks = vec![0; structure.len()];
    for members in &places.members {
        for (rank, &site) in members.iter().enumerate() {
            ranks[site] = rank;
        }
    }
    let mut numbers = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut merged = Vec::with_capacity(structure.len());
    for (site, rank) in ranks.into_iter().enumerate() {
        let place = found.mapping_std_prim[places.of_site[site]];
        let number = *numbers.entry((place, rank)).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Vec::new());
        }
        groups[number].push(site);
        merged.push(number);
    }

    let to_new = |frac: &Vector3<f64>| whole.cast().tr_mul(&(frac - origin));
    let average = |group: &Vec<usize>| {
        let first = to_new(&structure.sites[group[0]].frac);
        let apart = |&i: &usize| (to_new(&structure.sites[i].frac) - first).map(wrap_half);
        let frac = first + group.iter().map(apart).sum::<Vector3<f64>>() / group.len() as f64;
        Site { frac: frac.map(inside), ..structure.sites[group[0]].clone() }
    };
    let lattice = Lattice::from_rows(transform * structure.lattice.matrix());
    let lattice = lattice.map_err(|reason| no(&reason.to_string()))?;
    let primitive = Recast {
        structure: Structure { lattice, sites: groups.iter().map(average).collect() },
        transform,
        origin,
        sites: groups.iter().map(|group| group[0]).collect(),
    };
    let conventional = conventional(&primitive, &centring).map_err(|e| no(&e.to_string()))?;
    Ok(Standard { number, hall_number, primitive, conventional, centring, whole, merged })
}

impl Standard {
    /// Makes the symmetry of both cells exact, lattice and positions, as [`idealise`] does: what spglib and
    /// pymatgen call the refined cell, but not turned in space. `tolerance` is in Å; atoms miss the symmetry by up
    /// to a few times the tolerance that [`standard`] was given.
    ///
    /// # Errors
    /// [`IdealiseError`]; nothing is changed then.
    pub fn idealise(&mut self, tolerance: f64) -> Result<(), IdealiseError> {
        let operations = Setting::from_hall_number(self.hall_number).map(Setting::operations);
        let operations = operations.ok_or(IdealiseError::Lattice)?;
        let mut conventional = self.conventional.structure.clone();
        idealise(&mut conventional, &operations, tolerance)?;
        let centring = self.centring.cast::<f64>();
        let primitive = centring.try_inverse().map(|m| m * conventional.lattice.matrix());
        let primitive = primitive.and_then(|rows| Lattice::from_rows(rows).ok());
        self.primitive.structure.lattice = primitive.ok_or(IdealiseError::Lattice)?;
        let cells = self.primitive.structure.sites.iter_mut().zip(&self.primitive.sites);
        for (site, given) in cells {
            // The first of the copies that the larger cell has of it.
            let copies = conventional.sites.iter().zip(&self.conventional.sites);
            if let Some((copy, _)) = copies.into_iter().find(|(_, from)| *from == given) {
                site.frac = centring.tr_mul(&copy.frac).map(inside);
            }
        }
        for site in &mut conventional.sites {
            site.frac = site.frac.map(inside);
        }
        self.conventional.structure = conventional;
        Ok(())
    }
}

/// Whether a cell with these operations is the conventional one as it is. In triclinic and monoclinic groups
/// the operations do not tell: many bases have the same.
fn is_standard(hall_number: u16, operations: &[Operation]) -> bool {
    let setting = Setting::from_hall_number(hall_number);
    let Some(setting) = setting.filter(|s| s.system() >= CrystalSystem::Orthorhombic) else {
        return false;
    };
    same_set(&setting.operations(), operations)
}

fn conventional(primitive: &Recast, centring: &Matrix3<i32>) -> Result<Recast, CellError> {
    let mut cell = supercell(&primitive.structure, centring)?;
    for site in &mut cell.structure.sites {
        site.frac = site.frac.map(inside);
    }
    cell.transform *= primitive.transform;
    cell.origin = primitive.origin;
    cell.sites = cell.sites.iter().map(|&i| primitive.sites[i]).collect();
    Ok(cell)
}

fn whole_numbers(m: Matrix3<f64>) -> Matrix3<i32> {
    m.map(|x| x.round() as i32)
}

/// Wrapped; what rounding leaves just below 1 is 0.
fn inside(x: f64) -> f64 {
    let x = wrap_unit(x);
    if x > 1.0 - 1e-10 { 0.0 } else { x }
}
