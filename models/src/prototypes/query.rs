//! From a composition to known crystals that may lend it their structure.

use cellwright_crystal::Element;

use super::library::{Class, Library, Member, common_divisor};
use super::mendeleev::mendeleev;
use super::permutations::permutations;
use crate::ModelError;

/// Nearest members that a hit lists.
pub(super) const NEAREST: usize = 16;

/// Assignments of elements to slots that are tried at most in one class: all of eight elements with equal counts.
const MOST_ASSIGNMENTS: usize = 40_320;

/// Scales (in Mendeleev numbers) of the kernels whose sums a hit carries.
pub(super) const SCALES: [f64; 4] = [2.0, 5.0, 10.0, 20.0];

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Elements with their counts in the primitive cell, one entry for every cell that is thought of.
    cells: Vec<Vec<(Element, usize)>>,
    /// Whether the cell was given, not just the formula.
    pub cell_given: bool,
    /// Reduced formula, by element.
    reduced: Vec<(Element, usize)>,
    /// Whether known crystals of this very formula are left out.
    pub without_itself: bool,
    /// Leaves out this share of the library, chosen by the seed: as if less were known.
    pub(super) thinned: Option<(u64, f64)>,
}

impl Question {
    /// A formula in cells of so many reduced units each.
    ///
    /// # Errors
    /// When there is no element or a count is zero.
    pub fn new(
        composition: &[(Element, u32)],
        units: &[u32],
        cell_given: bool,
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
            cell_given,
            reduced,
            without_itself: false,
            thinned: None,
        })
    }

    /// The reduced formula, by element.
    #[must_use]
    pub fn reduced(&self) -> &[(Element, usize)] {
        &self.reduced
    }

    /// Whether a member has this very formula.
    fn is_itself(&self, class: &Class, member: &Member) -> bool {
        let mut known: Vec<(Element, usize)> =
            member.elements.iter().copied().zip(class.counts.iter().copied()).collect();
        known.sort_unstable();
        known.len() == self.reduced.len()
            && known
                .iter()
                .zip(&self.reduced)
                .all(|(a, b)| a.0 == b.0 && a.1 * self.reduced[0].1 == b.1 * known[0].1)
    }
}

/// A member of a class near to what is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// Which member of the class.
    pub member: usize,
    /// Sum over the slots of the difference of Mendeleev numbers.
    pub cost: f64,
    /// The elements asked for, on the slots as this member has them.
    pub elements: Vec<Element>,
}

/// One way to give the composition a known structure.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Which class of the library.
    pub class: usize,
    /// How many members the class has that count.
    pub members: usize,
    /// The nearest of them, at most 16, the nearest first.
    pub near: Vec<Near>,
    /// Σ exp(−cost/τ) over the members for τ = 2, 5, 10 and 20.
    pub kernels: [f64; 4],
    /// Sum over the slots of the least difference of Mendeleev numbers to any member.
    pub slotwise: f64,
}

impl Library {
    /// Every class and assignment for a question, the one with the chemically nearest member first; at most `most`.
    #[must_use]
    pub fn query(&self, question: &Question, most: usize) -> (Vec<Hit>, usize) {
        let mut hits = Vec::new();
        for cell in &question.cells {
            let mut cell = cell.clone();
            cell.sort_by_key(|(e, n)| (*n, *e));
            let counts: Vec<usize> = cell.iter().map(|(_, n)| *n).collect();
            for &class in self.by_counts.get(&counts).into_iter().flatten() {
                self.hits(question, &cell, class, &mut hits);
            }
        }
        let total = hits.len();
        hits.sort_by(|a, b| a.near[0].cost.total_cmp(&b.near[0].cost));
        hits.truncate(most);
        (hits, total)
    }

    /// The assignments to one class.
    fn hits(
        &self,
        question: &Question,
        cell: &[(Element, usize)],
        index: usize,
        hits: &mut Vec<Hit>,
    ) {
        let class = &self.classes[index];
        let counting: Vec<(usize, &Member)> = class
            .members
            .iter()
            .enumerate()
            .filter(|(_, m)| !(question.without_itself && question.is_itself(class, m)))
            .filter(|(i, _)| {
                question.thinned.is_none_or(|(seed, share)| chance(seed, index, *i) >= share)
            })
            .collect();
        if counting.is_empty() {
            return;
        }
        let slots = class.counts.len();
        let same = |a: usize, b: usize| class.counts[a] == class.counts[b];
        let mut tried = 0;
        permutations(slots, &same, &mut |order| {
            tried += 1;
            // Of assignments that are the same by symmetry the first one is taken.
            let first = class.automorphisms.iter().all(|a| {
                let moved = (0..slots).map(|s| order[a[s]]);
                order.iter().copied().le(moved)
            });
            if first {
                let images: Vec<Vec<Element>> = class
                    .automorphisms
                    .iter()
                    .map(|a| (0..slots).map(|s| cell[order[a[s]]].0).collect())
                    .collect();
                hits.push(hit(index, &counting, &images));
            }
            tried < MOST_ASSIGNMENTS
        });
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

/// Members by distance for an assignment, given in all its equal forms.
fn hit(class: usize, members: &[(usize, &Member)], images: &[Vec<Element>]) -> Hit {
    let numbers: Vec<Vec<f64>> =
        images.iter().map(|i| i.iter().map(|e| mendeleev(*e)).collect()).collect();
    let mut slotwise = vec![f64::INFINITY; images[0].len()];
    let mut kernels = [0.0; 4];
    let mut near: Vec<(f64, usize, usize)> = Vec::with_capacity(members.len());
    for &(member, known) in members {
        let mut best = (f64::INFINITY, 0);
        for (i, numbers) in numbers.iter().enumerate() {
            let differences =
                known.elements.iter().zip(numbers).map(|(e, n)| (mendeleev(*e) - n).abs());
            let cost: f64 = differences.clone().sum();
            if cost < best.0 {
                best = (cost, i);
            }
            if i == 0 {
                for (least, d) in slotwise.iter_mut().zip(differences) {
                    *least = least.min(d);
                }
            }
        }
        for (sum, scale) in kernels.iter_mut().zip(SCALES) {
            *sum += (-best.0 / scale).exp();
        }
        near.push((best.0, member, best.1));
    }
    let order =
        |a: &(f64, usize, usize), b: &(f64, usize, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if near.len() > NEAREST {
        near.select_nth_unstable_by(NEAREST - 1, order);
        near.truncate(NEAREST);
    }
    near.sort_by(order);
    let near = near
        .into_iter()
        .map(|(cost, member, image)| Near { member, cost, elements: images[image].clone() })
        .collect();
    Hit { class, members: members.len(), near, kernels, slotwise: slotwise.iter().sum() }
}

/// Scale (Mendeleev numbers) on which nearer members count more for the volume.
const VOLUME_SCALE: f64 = 3.0;

impl Library {
    /// Volume (Å³ of the primitive cell) of a hit: the packing of the nearest members with the volumes of the elements
    /// asked for.
    #[must_use]
    pub fn volume(&self, hit: &Hit) -> f64 {
        let class = &self.classes[hit.class];
        let (mut sum, mut weights) = (0.0, 0.0);
        for near in hit.near.iter().take(5) {
            let member = &class.members[near.member];
            let ratio = self.volumes.sum(&class.counts, &near.elements)
                / self.volumes.sum(&class.counts, &member.elements);
            let weight = (-(near.cost - hit.near[0].cost) / VOLUME_SCALE).exp();
            sum += weight * (member.volume() * ratio).ln();
            weights += weight;
        }
        (sum / weights).exp()
    }

    /// The structure of a hit: the geometry of its nearest member in the predicted volume.
    ///
    /// # Errors
    /// [`ModelError::Data`] when the library's cell is none.
    pub fn structure(&self, hit: &Hit) -> Result<cellwright_crystal::Structure, ModelError> {
        let class = &self.classes[hit.class];
        let near = &hit.near[0];
        class
            .substituted(&class.members[near.member], &near.elements, self.volume(hit))
            .map_err(|e| ModelError::Data(e.to_string()))
    }
}
