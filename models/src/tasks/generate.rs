//! Crystals from nothing: a diffusion model that chooses the species too (EquiCSP, appendix E).

use std::collections::BTreeMap;

use cellwright_crystal::charge::balance;
use cellwright_crystal::{Structure, symmetry};

use crate::ModelError;
use crate::data::Seen;
use crate::equicsp::Model;
use crate::equicsp::model::Options;
use crate::nn::random::Random;
use crate::tasks::predict::SYMPREC;

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// How many crystals.
    pub crystals: usize,
    /// Atoms of the cell; without it as often each number as the model has seen it.
    pub atoms: Option<usize>,
    /// How to sample; its seed is that of the numbers of atoms too.
    pub sampling: Options,
}

/// A crystal that was made up.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// Every atom of one cell.
    pub structure: Structure,
    /// Number and Hermann–Mauguin symbol of the space group, where one was found (0.1 Å).
    pub space_group: Option<(u16, String)>,
    /// Shortest distance between atoms (Å).
    pub shortest: Option<f64>,
    /// Whether usual oxidation states of the elements add up to zero; none where the rule does not apply (metals).
    pub charge_balanced: Option<bool>,
}

impl Generated {
    fn new(structure: Structure) -> Self {
        let detected = symmetry::detect(&structure, SYMPREC).ok();
        Self {
            space_group: detected.map(|d| (d.number, d.hm)),
            shortest: structure.closest_pair().ok().flatten().map(|pair| pair.distance),
            charge_balanced: balance(&structure.composition(), 0.0).is_neutral(),
            structure,
        }
    }
}

/// Generates crystals, those of fewer atoms first. A draw that gave no cell is missing.
///
/// # Errors
/// [`ModelError::Unsupported`] for cells of another size than the model has learned from, [`ModelError::Cancelled`], and what
/// [`Model::generate`] says.
pub fn generate(
    model: &Model,
    order: &Order,
    cancelled: &dyn Fn() -> bool,
) -> Result<Vec<Generated>, ModelError> {
    let seen = model.seen().ok_or_else(|| {
        ModelError::BadWeights("the model does not say which crystals it has learned from".into())
    })?;
    let mut made = Vec::with_capacity(order.crystals);
    for (atoms, crystals) in sizes(seen, order)? {
        // Cells of every size have noise of their own.
        let seed = order.sampling.seed.wrapping_mul(1 << 16).wrapping_add(atoms as u64);
        let options = Options { seed, ..order.sampling.clone() };
        let drawn = model.generate(crystals, atoms, &options, cancelled)?;
        made.extend(drawn.into_iter().flatten().map(Generated::new));
    }
    Ok(made)
}

/// Numbers of atoms, each with how many crystals get it.
fn sizes(seen: &Seen, order: &Order) -> Result<BTreeMap<usize, usize>, ModelError> {
    let [least, most] = seen.atoms();
    if let Some(atoms) = order.atoms {
        if !seen.sizes.iter().any(|[n, _]| *n == atoms) {
            return Err(ModelError::Unsupported(format!(
                "the model has learned from cells of {least} to {most} atoms, none of them of {atoms}"
            )));
        }
        return Ok(BTreeMap::from([(atoms, order.crystals)]));
    }
    let total: usize = seen.sizes.iter().map(|[_, crystals]| crystals).sum();
    if total == 0 {
        return Err(ModelError::BadWeights("the model has learned from nothing".into()));
    }
    let mut random = Random::new(order.sampling.seed, 1);
    let mut drawn = BTreeMap::new();
    for _ in 0..order.crystals {
        let mut place = random.below(total);
        let size = seen.sizes.iter().find(|[_, crystals]| match place.checked_sub(*crystals) {
            Some(rest) => {
                place = rest;
                false
            }
            None => true,
        });
        *drawn.entry(size.map_or(most, |[atoms, _]| *atoms)).or_default() += 1;
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(crystals: usize, atoms: Option<usize>) -> Order {
        Order { crystals, atoms, sampling: Options { seed: 3, ..Options::fast() } }
    }

    #[test]
    fn sizes_are_drawn_as_they_were_seen() {
        let seen = Seen { sizes: vec![[2, 30], [5, 10]], elements: vec![1] };
        let drawn = sizes(&seen, &order(400, None)).unwrap();
        assert_eq!(drawn.values().sum::<usize>(), 400);
        assert!((drawn[&2] as f64 - 300.0).abs() < 40.0, "{drawn:?}");
        assert_eq!(sizes(&seen, &order(7, Some(5))).unwrap(), BTreeMap::from([(5, 7)]));
    }

    #[test]
    fn other_sizes_are_refused() {
        let seen = Seen { sizes: vec![[2, 30], [5, 10]], elements: vec![1] };
        let error = sizes(&seen, &order(1, Some(3))).unwrap_err().to_string();
        assert!(error.contains("cells of 2 to 5 atoms, none of them of 3"), "{error}");
        let nothing = Seen { sizes: Vec::new(), elements: Vec::new() };
        assert!(sizes(&nothing, &order(1, None)).is_err());
    }
}
