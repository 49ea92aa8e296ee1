//! What is looked for.

use cellwright_crystal::Element;

use super::library::{Class, Member, common_divisor};
use crate::ModelError;

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Elements with their counts in the primitive cell, one entry for every cell that is thought of.
    pub(super) cells: Vec<Vec<(Element, usize)>>,
    /// How many reduced formula units the primitive cell holds, as far as whoever asks knows.
    pub given: Option<u32>,
    /// Reduced formula, by element.
    reduced: Vec<(Element, usize)>,
    /// Whether known crystals of this very formula are left out.
    pub without_itself: bool,
    /// Leaves out this share of the library, chosen by the seed: as if less were known.
    pub(super) thinned: Option<(u64, f64)>,
}

impl Question {
    /// A formula in cells of so many reduced units each; `given` is how many the primitive cell is said to hold.
    ///
    /// # Errors
    /// When there is no element or a count is zero.
    pub fn new(
        composition: &[(Element, u32)],
        units: &[u32],
        given: Option<u32>,
    ) -> Result<Self, ModelError> {
        let mut reduced: Vec<(Element, u32)> = Vec::new();
        for &(element, count) in composition {
            match reduced.iter_mut().find(|(e, _)| *e == element) {
                Some((_, n)) => *n += count,
                None => reduced.push((element, count)),
            }
        }
        if reduced.is_empty() || reduced.iter().any(|(_, n)| *n == 0) {
            return Err(ModelError::Unsupported(
                "a composition needs whole counts of elements".into(),
            ));
        }
        let divisor = reduced.iter().map(|(_, n)| *n).fold(0, common_divisor);
        let mut reduced: Vec<(Element, usize)> =
            reduced.into_iter().map(|(e, n)| (e, (n / divisor) as usize)).collect();
        reduced.sort_unstable();
        let times = |k: &u32| reduced.iter().map(|(e, n)| (*e, n * *k as usize)).collect();
        Ok(Self {
            cells: units.iter().map(times).collect(),
            given,
            reduced,
            without_itself: false,
            thinned: None,
        })
    }

    /// A primitive cell with all its atoms.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn in_cell(composition: &[(Element, u32)]) -> Result<Self, ModelError> {
        let units = composition.iter().map(|(_, n)| *n).fold(0, common_divisor);
        Self::new(composition, &[units], Some(units))
    }

    /// The same formula in cells that hold a whole fraction of the one given; none where there is no such cell.
    #[must_use]
    pub fn smaller(&self) -> Option<Self> {
        let given = self.given?;
        let units = (1..given).filter(|k| given.is_multiple_of(*k));
        let times = |k: u32| self.reduced.iter().map(|(e, n)| (*e, n * k as usize)).collect();
        let cells: Vec<Vec<(Element, usize)>> = units.map(times).collect();
        (!cells.is_empty()).then(|| Self { cells, given: None, ..self.clone() })
    }

    /// The reduced formula, by element.
    #[must_use]
    pub fn reduced(&self) -> &[(Element, usize)] {
        &self.reduced
    }

    /// The cells, the elements of each in order of their counts.
    pub(super) fn sorted_cells(&self) -> Vec<Vec<(Element, usize)>> {
        let mut cells = self.cells.clone();
        cells.iter_mut().for_each(|cell| cell.sort_by_key(|(e, n)| (*n, *e)));
        cells
    }

    /// Reduced formula units in a cell.
    pub(super) fn units(&self, cell: &[(Element, usize)]) -> u32 {
        let atoms = |list: &[(Element, usize)]| list.iter().map(|(_, n)| n).sum::<usize>();
        (atoms(cell) / atoms(&self.reduced)) as u32
    }

    /// Whether a member has this very formula.
    pub(super) fn is_itself(&self, class: &Class, member: &Member) -> bool {
        let mut known: Vec<(Element, usize)> =
            member.elements.iter().copied().zip(class.counts.iter().copied()).collect();
        known.sort_unstable();
        known.len() == self.reduced.len()
            && known
                .iter()
                .zip(&self.reduced)
                .all(|(a, b)| a.0 == b.0 && a.1 * self.reduced[0].1 == b.1 * known[0].1)
    }

    /// The members of a class that count, with their places.
    pub(super) fn counting<'a>(&self, index: usize, class: &'a Class) -> Vec<(usize, &'a Member)> {
        let counts = |(i, member): &(usize, &Member)| {
            !(self.without_itself && self.is_itself(class, member))
                && self.thinned.is_none_or(|(seed, share)| chance(seed, index, *i) >= share)
        };
        class.members.iter().enumerate().filter(counts).collect()
    }
}

/// A number in [0, 1) that belongs to a member (SplitMix64 of its place).
fn chance(seed: u64, class: usize, member: usize) -> f64 {
    let place = ((class as u64) << 32 | member as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = seed.wrapping_add(place);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}
