//! From a composition to known crystals that may lend it their structure.

use std::sync::Arc;

use cellwright_crystal::{Element, Structure};

use super::library::{Class, Library, Member};
use super::mendeleev::mendeleev;
use super::permutations::permutations;
use super::question::Question;
use crate::ModelError;

/// Nearest members that a hit lists.
pub(super) const NEAREST: usize = 16;

/// Assignments of elements to slots that are tried at most in one class: all of eight elements with equal counts.
const MOST_ASSIGNMENTS: usize = 40_320;

/// Scales (in Mendeleev numbers) of the kernels whose sums a hit carries.
pub(super) const SCALES: [f64; 4] = [2.0, 5.0, 10.0, 20.0];

/// A member of a class near to what is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// Which member of the class.
    pub member: usize,
    /// Sum of the differences of Mendeleev numbers over the pairs of an element and a slot that it takes.
    pub cost: f64,
    /// The elements asked for, on the blocks as this member has them.
    pub elements: Vec<Element>,
}

/// How the elements lie on the slots of the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// One on each.
    Whole,
    /// One element on two slots.
    Merged,
    /// Two elements on one slot, each on orbits of its own.
    Split,
}

/// Sites of a class that hold one element.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Block {
    /// The slot they belong to.
    pub slot: usize,
    /// Which sites of the class they are.
    pub sites: Vec<usize>,
}

impl Class {
    /// Every slot a block of its own.
    pub(super) fn blocks(&self) -> Arc<[Block]> {
        let block = |slot| Block { slot, sites: self.sites(slot).collect() };
        (0..self.counts.len()).map(block).collect()
    }
}

/// One way to give the composition a known structure.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Which class of the library.
    pub class: usize,
    /// How the elements lie on its slots.
    pub kind: Kind,
    /// All sites of the class; one block for each slot unless a slot is split.
    pub blocks: Arc<[Block]>,
    /// Reduced formula units in the primitive cell.
    pub units: u32,
    /// How many members the class has that count.
    pub members: usize,
    /// The nearest of them, at most 16, the nearest first.
    pub near: Vec<Near>,
    /// Σ exp(−cost/τ) over the members for τ = 2, 5, 10 and 20.
    pub kernels: [f64; 4],
    /// Sum over the pairs of the least difference of Mendeleev numbers to any member.
    pub slotwise: f64,
}

impl Hit {
    /// The element on each site, as one of the nearest members has them.
    fn on_sites(&self, near: &Near) -> Vec<Element> {
        let mut sites: Vec<(usize, Element)> = Vec::new();
        for (block, element) in self.blocks.iter().zip(&near.elements) {
            sites.extend(block.sites.iter().map(|site| (*site, *element)));
        }
        sites.sort_unstable_by_key(|(site, _)| *site);
        sites.into_iter().map(|(_, element)| element).collect()
    }
}

impl Library {
    /// Every class and assignment for a question, the one with the chemically nearest member first, at most `most`; and how
    /// many there were before the list was cut.
    #[must_use]
    pub fn query(&self, question: &Question, most: usize) -> (Vec<Hit>, usize) {
        let mut hits = Vec::new();
        for cell in question.sorted_cells() {
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
        let counting = question.counting(index, class);
        if counting.is_empty() {
            return;
        }
        let slots = class.counts.len();
        let blocks = class.blocks();
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
                let found = nearest(&counting, &images, &blocks);
                let units = question.units(cell);
                let (class, kind, blocks) = (index, Kind::Whole, blocks.clone());
                hits.push(Hit { class, kind, blocks, units, ..found });
            }
            tried < MOST_ASSIGNMENTS
        });
    }
}

/// Members by distance for an assignment of elements to blocks, given in all its equal forms. Class, kind, blocks and
/// units are left for the caller to say.
pub(super) fn nearest(
    members: &[(usize, &Member)],
    images: &[Vec<Element>],
    blocks: &[Block],
) -> Hit {
    // What is asked on each pair of an element and a slot: (slot, Mendeleev number).
    let asked: Vec<Vec<(usize, f64)>> = images
        .iter()
        .map(|image| {
            let mut pairs: Vec<(usize, f64)> = Vec::with_capacity(blocks.len());
            for pair in blocks.iter().zip(image).map(|(b, e)| (b.slot, mendeleev(*e))) {
                if !pairs.contains(&pair) {
                    pairs.push(pair);
                }
            }
            pairs
        })
        .collect();
    let mut slotwise = vec![f64::INFINITY; asked[0].len()];
    let mut kernels = [0.0; 4];
    let mut near: Vec<(f64, usize, usize)> = Vec::with_capacity(members.len());
    for &(member, known) in members {
        let mut best = (f64::INFINITY, 0);
        for (i, pairs) in asked.iter().enumerate() {
            let differences =
                pairs.iter().map(|(slot, n)| (mendeleev(known.elements[*slot]) - n).abs());
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
    Hit {
        class: 0,
        kind: Kind::Whole,
        blocks: Arc::from([]),
        units: 1,
        members: members.len(),
        near,
        kernels,
        slotwise: slotwise.iter().sum(),
    }
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
            let ratio = self.size(hit, near) / self.volumes.sum(&class.counts, &member.elements);
            let weight = (-(near.cost - hit.near[0].cost) / VOLUME_SCALE).exp();
            sum += weight * (member.volume() * ratio).ln();
            weights += weight;
        }
        (sum / weights).exp()
    }

    /// Sum of the volumes of the elements of a hit (Å³), before packing.
    pub(super) fn size(&self, hit: &Hit, near: &Near) -> f64 {
        let counts: Vec<usize> = hit.blocks.iter().map(|block| block.sites.len()).collect();
        self.volumes.sum(&counts, &near.elements)
    }

    /// The structure of a hit: the geometry of its nearest member in the predicted volume.
    ///
    /// # Errors
    /// [`ModelError::Data`] when the library's cell is none.
    pub fn structure(&self, hit: &Hit) -> Result<Structure, ModelError> {
        self.structure_by(hit, 0)
    }

    /// The structure of a hit with the geometry of its nearest member number `rank`, in the predicted volume.
    ///
    /// # Errors
    /// [`ModelError::Data`] when the library's cell is none.
    pub fn structure_by(&self, hit: &Hit, rank: usize) -> Result<Structure, ModelError> {
        let class: &Class = &self.classes[hit.class];
        let near = &hit.near[rank.min(hit.near.len() - 1)];
        class
            .placed(&class.members[near.member], hit.on_sites(near).into_iter(), self.volume(hit))
            .map_err(|e| ModelError::Data(e.to_string()))
    }
}
