//! The linear assignment problem: every row gets a column of its own at the least total cost.
//!
//! Shortest augmenting paths with dual variables, started from the row minima. Method: Jonker and
//! Volgenant, Computing 38, 325 (1987), in the dense form of Crouse, IEEE Trans. Aerosp. Electron. Syst.
//! 52, 1679 (2016). O(n³) at worst; nearly every row of a structure match finds its column at once.

/// "No row" and "no column".
const NONE: usize = usize::MAX;

/// Room to solve assignment problems in, kept between solutions.
#[derive(Debug, Default, Clone)]
pub(super) struct Assignment {
    /// Column of each row.
    column: Vec<usize>,
    /// Row of each column.
    row: Vec<usize>,
    row_dual: Vec<f64>,
    column_dual: Vec<f64>,
    /// Length of the shortest path to each column, and the row it comes from.
    path: Vec<f64>,
    from: Vec<usize>,
    /// Whether the shortest path to a column is final.
    settled: Vec<bool>,
}

impl Assignment {
    /// The column of each row in the cheapest assignment of the square matrix `cost` (row by row; an
    /// infinite entry forbids the pair), or `None` where every assignment holds a forbidden pair.
    pub(super) fn solve(&mut self, n: usize, cost: &[f64]) -> Option<&[usize]> {
        debug_assert_eq!(cost.len(), n * n);
        self.clear(n);
        for i in 0..n {
            let (j, least) = least(&cost[i * n..(i + 1) * n])?;
            self.row_dual[i] = least;
            if self.row[j] == NONE {
                self.row[j] = i;
                self.column[i] = j;
            }
        }
        for i in 0..n {
            if self.column[i] == NONE {
                self.augment(i, n, cost)?;
            }
        }
        Some(&self.column)
    }

    fn clear(&mut self, n: usize) {
        fn fill<T: Copy>(list: &mut Vec<T>, n: usize, value: T) {
            list.clear();
            list.resize(n, value);
        }
        fill(&mut self.column, n, NONE);
        fill(&mut self.row, n, NONE);
        fill(&mut self.row_dual, n, 0.0);
        fill(&mut self.column_dual, n, 0.0);
        fill(&mut self.path, n, f64::INFINITY);
        fill(&mut self.from, n, NONE);
        fill(&mut self.settled, n, false);
    }

    /// Gives `start` a column along the cheapest chain of reassignments that ends in a free one.
    fn augment(&mut self, start: usize, n: usize, cost: &[f64]) -> Option<()> {
        self.path.fill(f64::INFINITY);
        self.settled.fill(false);
        let (mut i, mut length) = (start, 0.0);
        let free = loop {
            let mut nearest = NONE;
            let mut shortest = f64::INFINITY;
            for j in 0..n {
                if self.settled[j] {
                    continue;
                }
                let reached = length + cost[i * n + j] - self.row_dual[i] - self.column_dual[j];
                if reached < self.path[j] {
                    self.path[j] = reached;
                    self.from[j] = i;
                }
                if self.path[j] < shortest {
                    shortest = self.path[j];
                    nearest = j;
                }
            }
            if nearest == NONE {
                return None;
            }
            length = shortest;
            self.settled[nearest] = true;
            if self.row[nearest] == NONE {
                break nearest;
            }
            i = self.row[nearest];
        };
        self.row_dual[start] += length;
        for j in 0..n {
            if self.settled[j] {
                let slack = length - self.path[j];
                self.column_dual[j] -= slack;
                if j != free {
                    self.row_dual[self.row[j]] += slack;
                }
            }
        }
        let mut j = free;
        loop {
            let i = self.from[j];
            self.row[j] = i;
            std::mem::swap(&mut self.column[i], &mut j);
            if i == start {
                return Some(());
            }
        }
    }
}

/// The smallest finite entry and where it is.
fn least(row: &[f64]) -> Option<(usize, f64)> {
    let mut best = None;
    let mut least = f64::INFINITY;
    for (j, &value) in row.iter().enumerate() {
        if value < least {
            least = value;
            best = Some(j);
        }
    }
    best.map(|j| (j, least))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The least cost over all permutations.
    fn by_trying_all(n: usize, cost: &[f64]) -> f64 {
        fn descend(i: usize, n: usize, cost: &[f64], used: &mut [bool]) -> f64 {
            if i == n {
                return 0.0;
            }
            let mut best = f64::INFINITY;
            for j in 0..n {
                if !used[j] {
                    used[j] = true;
                    best = best.min(cost[i * n + j] + descend(i + 1, n, cost, used));
                    used[j] = false;
                }
            }
            best
        }
        descend(0, n, cost, &mut vec![false; n])
    }

    proptest! {
        #[test]
        fn no_permutation_is_cheaper(
            n in 1_usize..7,
            // Small whole numbers make ties; some pairs are forbidden.
            entries in prop::collection::vec(prop_oneof![
                3 => (0_u8..6).prop_map(f64::from),
                2 => 0.0..1.0,
                1 => Just(f64::INFINITY),
            ], 36),
        ) {
            let cost = &entries[..n * n];
            let want = by_trying_all(n, cost);
            match Assignment::default().solve(n, cost) {
                None => prop_assert!(want.is_infinite()),
                Some(columns) => {
                    let got: f64 = (0..n).map(|i| cost[i * n + columns[i]]).sum();
                    prop_assert!((got - want).abs() < 1e-12, "{got} {want}");
                    let mut seen = columns.to_vec();
                    seen.sort_unstable();
                    prop_assert!(seen.iter().copied().eq(0..n));
                }
            }
        }
    }

    #[test]
    fn room_is_used_again() {
        let mut room = Assignment::default();
        assert_eq!(room.solve(0, &[]), Some(&[][..]));
        assert_eq!(room.solve(2, &[1.0, 2.0, 1.0, 9.0]), Some(&[1, 0][..]));
        assert_eq!(room.solve(2, &[1.0, f64::INFINITY, 1.0, f64::INFINITY]), None);
        assert_eq!(room.solve(1, &[7.0]), Some(&[0][..]));
    }
}
