//! Which of many samples to believe: those that others are like.
//!
//! A generative model that has learned something says it again and again, and its mistakes are all different. So samples are
//! gathered into kinds by structure matching, the share of a kind tells how sure the model is, and of each kind the sample that
//! most others are near to stands for it.

use cellwright_crystal::Structure;
use rayon::prelude::*;

use crate::eval::csp::matcher;

/// Root mean square distance, in units of (V/N)^⅓, within which one sample speaks for another.
const NEAR: f64 = 0.1;

/// Samples of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// The samples (indices), the one that stands for them first, then by how many others are near to them.
    pub members: Vec<usize>,
    /// How many of all samples they are, 0 to 1.
    pub share: f64,
}

/// Gathers samples, the largest kind first. What is no crystal belongs to none.
#[must_use]
pub fn kinds(samples: &[Structure]) -> Vec<Kind> {
    let matcher = matcher();
    let prepared: Vec<_> = samples.iter().map(|s| matcher.prepare(s).ok()).collect();
    let rms = |i: usize, j: usize| {
        let (a, b) = (prepared[i].as_ref()?, prepared[j].as_ref()?);
        matcher.rms(a, b).map(|found| found.rms)
    };
    let count = samples.len();
    // Row i holds what is between i and those before it.
    let rows: Vec<Vec<Option<f64>>> =
        (0..count).into_par_iter().map(|i| (0..i).map(|j| rms(i, j)).collect()).collect();
    let between = |i: usize, j: usize| rows[i.max(j)][i.min(j)];
    let support = |i: usize| -> f64 {
        let others = (0..count).filter(|j| *j != i).filter_map(|j| between(i, j));
        others.map(|rms| (-(rms / NEAR).powi(2)).exp()).sum()
    };
    let supports: Vec<f64> = (0..count).map(support).collect();
    let mut left: Vec<usize> = (0..count).filter(|i| prepared[*i].is_some()).collect();
    left.sort_by(|a, b| supports[*b].total_cmp(&supports[*a]));
    let mut kinds = Vec::new();
    while let Some(&first) = left.first() {
        let is_like = |i: &usize| *i == first || between(first, *i).is_some();
        let members: Vec<usize> = left.iter().copied().filter(is_like).collect();
        left.retain(|i| !is_like(i));
        kinds.push(Kind { share: members.len() as f64 / count as f64, members });
    }
    // Stable: of kinds of one size the better supported stays first.
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.members.len()));
    kinds
}

/// The samples in the order in which they should be answered: one of each kind, the largest kind first, then the others.
#[must_use]
pub fn ordered(samples: Vec<Structure>) -> Vec<Structure> {
    let kinds = kinds(&samples);
    let firsts = kinds.iter().map(|kind| kind.members[0]);
    let others = kinds.iter().flat_map(|kind| &kind.members[1..]).copied();
    let order: Vec<usize> = firsts.chain(others).collect();
    let mut samples: Vec<Option<Structure>> = samples.into_iter().map(Some).collect();
    order.into_iter().filter_map(|i| samples[i].take()).collect()
}

#[cfg(test)]
mod tests {
    use cellwright_crystal::{Element, Lattice, Site};
    use nalgebra::Vector3;

    use super::*;

    fn salt(angle: f64, x: f64) -> Structure {
        let site = |z, x: f64| Site::new(Element::from_z(z).unwrap(), Vector3::new(x, x, x));
        Structure {
            lattice: Lattice::from_parameters([4.1; 3], [angle; 3]).unwrap(),
            sites: vec![site(55, 0.0), site(17, x)],
        }
    }

    #[test]
    fn what_is_said_most_often_is_first_and_its_middle_speaks() {
        let samples = [salt(60.0, 0.5), salt(90.0, 0.44), salt(90.0, 0.45), salt(90.0, 0.46)];
        let kinds = kinds(&samples);
        assert_eq!(kinds[0].members[0], 2, "{kinds:?}");
        assert_eq!((kinds[0].members.len(), kinds[0].share), (3, 0.75));
        assert_eq!(kinds[1].members, [0]);
        let order = ordered(samples.to_vec());
        assert_eq!((&order[0], &order[1], order.len()), (&samples[2], &samples[0], 4));
    }

    #[test]
    fn one_sample_is_its_kind_and_none_is_none() {
        assert!(kinds(&[]).is_empty());
        let one = kinds(&[salt(90.0, 0.5)]);
        assert_eq!((one[0].members.as_slice(), one[0].share), (&[0][..], 1.0));
        let mut broken = salt(90.0, 0.5);
        broken.sites[1].frac.x = f64::NAN;
        assert_eq!(kinds(&[broken, salt(90.0, 0.5)]).len(), 1);
    }
}
