//! Atoms of a cell sorted into boxes.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use nalgebra::Vector3;

/// An atom in its box: wrapped position (Å) and index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) cartesian: Vector3<f64>,
    pub(super) index: u32,
}

/// Atoms grouped by box, so that those of neighbouring boxes lie together in memory.
#[derive(Debug)]
pub(super) struct Boxes {
    /// Boxes along each axis.
    pub(super) counts: [usize; 3],
    /// Whether finer boxes would be mostly empty, so that there are fewer of them than the width asks for.
    pub(super) coarse: bool,
    placed: Vec<Placed>,
    groups: Groups,
}

/// Where the atoms of each box are.
#[derive(Debug)]
enum Groups {
    /// The first atom of every box, row after row, and the end.
    All(Vec<u32>),
    /// Boxes that hold atoms: a molecule in a huge cell takes no more memory than a dense crystal.
    Occupied(HashMap<[usize; 3], Range<u32>>),
}

/// Boxes per atom that may be empty without being a waste.
const BOXES_PER_ATOM: f64 = 4.0;

/// Atoms in the box of an atom, on average, up to which coarse boxes are good enough.
const CROWD: u64 = 32;

impl Boxes {
    /// Sorts atoms into boxes at least as wide as it takes to have `finest` of them along each axis.
    /// `atoms` are fractional coordinates in [0, 1] and positions (Å).
    pub(super) fn new(finest: [usize; 3], atoms: &[(Vector3<f64>, Vector3<f64>)]) -> Self {
        let total: f64 = finest.iter().map(|n| *n as f64).product();
        let most = BOXES_PER_ATOM * atoms.len() as f64 + 64.0;
        let coarse = total > most;
        let fewer = |n: usize| ((n as f64 * (most / total).cbrt()) as usize).max(1);
        let counts = if coarse { finest.map(fewer) } else { finest };
        // An axis with a single box leaves more to the others than their share.
        let fits = counts.iter().map(|n| *n as f64).product::<f64>() <= 4.0 * most;
        if fits && let Some(boxes) = Self::dense(counts, coarse, atoms) {
            return boxes;
        }
        Self::sparse(finest, atoms)
    }

    /// Counts the atoms of every box; `None` where they crowd in a few.
    fn dense(
        counts: [usize; 3],
        coarse: bool,
        atoms: &[(Vector3<f64>, Vector3<f64>)],
    ) -> Option<Self> {
        let number = |f: &Vector3<f64>| {
            let [a, b, c] = box_of(counts, f);
            (a * counts[1] + b) * counts[2] + c
        };
        let mut starts = vec![0; counts.iter().product::<usize>() + 1];
        for (f, _) in atoms {
            starts[number(f) + 1] += 1;
        }
        let crowd: u64 = starts.iter().map(|n| u64::from(*n).pow(2)).sum();
        if coarse && crowd > CROWD * atoms.len() as u64 {
            return None;
        }
        for k in 1..starts.len() {
            starts[k] += starts[k - 1];
        }
        let mut next = starts.clone();
        let blank = Placed { cartesian: Vector3::zeros(), index: 0 };
        let mut placed = vec![blank; atoms.len()];
        for (index, (f, cartesian)) in atoms.iter().enumerate() {
            let place = &mut next[number(f)];
            placed[*place as usize] = Placed { cartesian: *cartesian, index: index as u32 };
            *place += 1;
        }
        Some(Self { counts, coarse, placed, groups: Groups::All(starts) })
    }

    fn sparse(counts: [usize; 3], atoms: &[(Vector3<f64>, Vector3<f64>)]) -> Self {
        let keys: Vec<_> = atoms.iter().map(|(f, _)| box_of(counts, f)).collect();
        let mut order: Vec<u32> = (0..atoms.len() as u32).collect();
        order.sort_by_key(|&i| keys[i as usize]);
        let mut groups = HashMap::new();
        let mut start = 0;
        for group in order.chunk_by(|&i, &j| keys[i as usize] == keys[j as usize]) {
            let end = start + group.len() as u32;
            groups.insert(keys[group[0] as usize], start..end);
            start = end;
        }
        let placed = |&index: &u32| Placed { cartesian: atoms[index as usize].1, index };
        let placed = order.iter().map(placed).collect();
        Self { counts, coarse: false, placed, groups: Groups::Occupied(groups) }
    }

    /// Shows the atoms of the boxes `last` of the row of boxes at `row`, a few at a time.
    pub(super) fn each(
        &self,
        row: [usize; 2],
        last: Range<usize>,
        mut visit: impl FnMut(&[Placed]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match &self.groups {
            Groups::All(starts) => {
                let row = (row[0] * self.counts[1] + row[1]) * self.counts[2];
                let (start, end) = (starts[row + last.start], starts[row + last.end]);
                visit(&self.placed[start as usize..end as usize])
            }
            Groups::Occupied(groups) => {
                for c in last {
                    if let Some(group) = groups.get(&[row[0], row[1], c]) {
                        visit(&self.placed[group.start as usize..group.end as usize])?;
                    }
                }
                ControlFlow::Continue(())
            }
        }
    }
}

fn box_of(counts: [usize; 3], f: &Vector3<f64>) -> [usize; 3] {
    // Rounding may leave a coordinate at exactly 1: it belongs to the last box.
    [0, 1, 2].map(|k| ((f[k] * counts[k] as f64) as usize).min(counts[k] - 1))
}

/// Boxes from `low` to `high` along an axis with `count` of them in each copy of the cell: the boxes met
/// in each copy, and the number of the copy.
pub(super) fn copies(
    low: i64,
    high: i64,
    count: usize,
) -> impl Iterator<Item = (Range<usize>, f64)> + Clone {
    let count = count as i64;
    (low.div_euclid(count)..=high.div_euclid(count)).map(move |copy| {
        let first = copy * count;
        let within = (low - first).max(0) as usize..(high - first + 1).min(count) as usize;
        (within, copy as f64)
    })
}
