//! How operations permute the sites of a structure.

use std::ops::ControlFlow;

use super::Operation;
use super::kind::Kind;
use crate::Structure;
use crate::neighbors::NeighborError;
use crate::neighbors::grid::Grid;

/// Where one operation takes every site: `op · frac[i] = frac[to[i]] + shift[i]`, within the tolerance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePermutation {
    /// For each site the site it is taken to. Every site is in it once.
    pub to: Vec<usize>,
    /// For each site the lattice translation that is left over, coordinates as given.
    pub shift: Vec<[i32; 3]>,
}

/// Why sites cannot be permuted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PermutationError {
    /// The structure does not have this symmetry.
    #[error("operation {} takes site {} to no site of its kind", operation + 1, site + 1)]
    NotASymmetry {
        /// Index of the operation.
        operation: usize,
        /// Index of the site.
        site: usize,
    },
    /// The coordinates cannot be searched.
    #[error(transparent)]
    Neighbors(#[from] NeighborError),
}

/// For each operation the permutation of the sites that it makes, sites of the same species, occupancy
/// and charge only. `tolerance` is in Å. Time is linear in sites times operations.
///
/// # Errors
/// [`PermutationError::NotASymmetry`] at the first site that an operation takes nowhere.
pub fn site_permutations(
    structure: &Structure,
    operations: &[Operation],
    tolerance: f64,
) -> Result<Vec<SitePermutation>, PermutationError> {
    let frac = structure.fractional();
    let grid = Grid::new(&structure.lattice, &frac, tolerance.max(0.0))?;
    let kinds: Vec<_> = structure.sites.iter().map(Kind::of).collect();
    let permutation = |(operation, op): (usize, &Operation)| {
        let mut taken = vec![false; frac.len()];
        let mut permutation = SitePermutation { to: Vec::new(), shift: Vec::new() };
        for (site, position) in frac.iter().enumerate() {
            let point = grid.point(&op.apply(position));
            let mut nearest = None;
            let _ = grid.scan_around(&point, |found| {
                let fits = kinds[found.index] == kinds[site] && !taken[found.index];
                let nearer = |(d, _): &(f64, _)| found.distance_squared < *d;
                if fits && nearest.as_ref().is_none_or(nearer) {
                    nearest = Some((found.distance_squared, found));
                }
                ControlFlow::Continue(())
            });
            let Some((_, found)) = nearest else {
                return Err(PermutationError::NotASymmetry { operation, site });
            };
            taken[found.index] = true;
            permutation.to.push(found.index);
            permutation.shift.push(grid.image_near(&point, &found));
        }
        Ok(permutation)
    };
    operations.iter().enumerate().map(permutation).collect()
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;
    use crate::symmetry::{Setting, detect};
    use crate::{Element, Lattice, Site};

    /// Rutile TiO2, coordinates not wrapped.
    fn rutile() -> Structure {
        let u = 0.3053;
        let lattice = Lattice::from_parameters([4.594, 4.594, 2.959], [90.0; 3]).unwrap();
        let site = |symbol: &str, x, y, z| {
            Site::new(Element::from_symbol(symbol).unwrap(), Vector3::new(x, y, z))
        };
        let sites = vec![
            site("Ti", 0.0, 0.0, 0.0),
            site("Ti", 0.5, 1.5, -0.5),
            site("O", u, u, 0.0),
            site("O", -u, -u, 0.0),
            site("O", 0.5 + u, 0.5 - u, 0.5),
            site("O", 0.5 - u, 0.5 + u, 2.5),
        ];
        Structure { lattice, sites }
    }

    #[test]
    fn operations_permute_the_sites_they_are_found_on() {
        let rutile = rutile();
        let operations = detect(&rutile, 0.01).unwrap().operations;
        assert_eq!(operations.len(), 16);
        let permutations = site_permutations(&rutile, &operations, 0.01).unwrap();
        for (op, permutation) in operations.iter().zip(&permutations) {
            let mut to = permutation.to.clone();
            to.sort_unstable();
            assert_eq!(to, [0, 1, 2, 3, 4, 5]);
            for i in 0..rutile.len() {
                let shift = Vector3::from(permutation.shift[i].map(f64::from));
                let there = rutile.sites[permutation.to[i]].frac + shift;
                assert!((op.apply(&rutile.sites[i].frac) - there).amax() < 1e-9);
            }
        }
    }

    #[test]
    fn a_permutation_composes_as_its_operation_does() {
        let rutile = rutile();
        let operations = Setting::standard(136).unwrap().operations();
        let permutations = site_permutations(&rutile, &operations, 0.01).unwrap();
        for (a, pa) in operations.iter().zip(&permutations) {
            for (b, pb) in operations.iter().zip(&permutations) {
                let product = site_permutations(&rutile, &[a.compose(b)], 0.01).unwrap();
                let composed: Vec<_> = pb.to.iter().map(|&i| pa.to[i]).collect();
                assert_eq!(product[0].to, composed);
            }
        }
    }

    #[test]
    fn what_is_no_symmetry_is_refused() {
        let rutile = rutile();
        let refused = |operations: &[Operation]| site_permutations(&rutile, operations, 0.01);
        let glide = [Operation::identity(), "x+1/2,-y,z".parse().unwrap()];
        let error = PermutationError::NotASymmetry { operation: 1, site: 0 };
        assert_eq!(refused(&glide), Err(error.clone()));
        assert_eq!(error.to_string(), "operation 2 takes site 1 to no site of its kind");
        // Two atoms may not go to one place.
        let mut twins = rutile.clone();
        twins.sites[3].frac = twins.sites[2].frac;
        assert!(site_permutations(&twins, &["-x,-y,z".parse().unwrap()], 0.01).is_err());
        assert!(site_permutations(&twins, &[Operation::identity()], 0.01).is_ok());
        // A species of its own is no partner.
        let mut masked = rutile.clone();
        masked.sites[2].element = None;
        assert!(site_permutations(&masked, &["-x,-y,z".parse().unwrap()], 0.01).is_err());
        let mut infinite = rutile.clone();
        infinite.sites[0].frac.x = f64::NAN;
        let error = site_permutations(&infinite, &[], 0.01);
        assert!(matches!(error, Err(PermutationError::Neighbors(_))));
    }
}
