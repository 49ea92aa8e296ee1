//! For every total charge the cheapest choice of states.

use std::ops::Range;

use super::assign::Species;

/// Largest number of distinct total charges that are told apart.
const MAX_STEPS: f64 = 20_000.0;

/// How total charges are told apart: a whole formula has whole charges, others are rounded.
pub(super) struct Grid {
    /// Whether every amount is whole.
    pub(super) whole: bool,
    pub(super) step: f64,
    /// Total charges run from −half to +half steps.
    half: usize,
}

impl Grid {
    pub(super) fn new(species: &[Species]) -> Self {
        let most = |s: &Species| s.states.iter().map(|q| q.value.abs()).fold(0.0, f64::max);
        let reach: f64 = species.iter().map(|s| s.amount * most(s)).sum();
        let whole = species.iter().all(|s| s.amount.fract() == 0.0);
        let plain = species.iter().flat_map(|s| &s.states).all(|q| q.value.fract() == 0.0);
        // Sixths hold every half and third of a charge exactly.
        let finest = match (whole, plain) {
            (true, true) => 1.0,
            (true, false) => 1.0 / 6.0,
            (false, _) => 0.01,
        };
        let step = f64::max(finest, 2.0 * reach / MAX_STEPS);
        // Rounding of each contribution may carry a sum a little beyond the reach.
        Self { whole, step, half: (reach / step).ceil() as usize + species.len() + 1 }
    }

    /// The total charge that an entry of a table stands for.
    pub(super) fn charge(&self, end: usize) -> f64 {
        (end as f64 - self.half as f64) * self.step
    }

    fn steps(&self, charge: f64) -> isize {
        (charge / self.step).round() as isize
    }
}

/// For every total charge the cheapest choice of one state for each species that was put in, by dynamic
/// programming (Bellman 1957; the knapsack problem). What was put in last can be taken out again.
pub(super) struct Table<'a> {
    grid: &'a Grid,
    /// The states of each species and the charge of all its atoms in each, in steps.
    states: Vec<Vec<(f32, isize)>>,
    layers: Vec<Layer>,
    /// The least and the greatest charge that species outside the table can add.
    rest: (isize, isize),
    /// Total charges that they cannot bring this near to zero are left out (in steps).
    near: isize,
}

/// The total charges once one more species is in.
struct Layer {
    /// Which species, by its place in the list.
    species: usize,
    /// The entries that can be had and are of use.
    range: Range<usize>,
    /// The cheapest way to each, infinite where there is none.
    cost: Vec<f32>,
    /// Which state the species has in it.
    choice: Vec<u8>,
}

impl<'a> Table<'a> {
    /// An empty table. Where `slack` (e) is finite only what can come that near to neutral is kept, and what
    /// rounding may hide.
    pub(super) fn new(species: &[Species], grid: &'a Grid, slack: f64) -> Self {
        let states = |s: &Species| {
            s.states.iter().map(|q| (q.cost, grid.steps(q.value * s.amount))).collect()
        };
        let states: Vec<Vec<_>> = species.iter().map(states).collect();
        let rest = states.iter().map(|s| reach(s)).fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        let near = (slack / grid.step).min(2.0 * grid.half as f64) as isize;
        let near = near + species.len() as isize + 1;
        Self { grid, states, layers: Vec::with_capacity(species.len()), rest, near }
    }

    /// The table of all species.
    pub(super) fn full(species: &[Species], grid: &'a Grid, slack: f64) -> Self {
        let mut table = Self::new(species, grid, slack);
        (0..species.len()).for_each(|i| table.put(i));
        table
    }

    fn put(&mut self, species: usize) {
        let states = &self.states[species];
        let (least, most) = reach(states);
        self.rest = (self.rest.0 - least, self.rest.1 - most);
        let half = self.grid.half as isize;
        let (first, none) = ([0.0], self.grid.half..self.grid.half + 1);
        let (before, from) = match self.layers.last() {
            Some(layer) => (layer.cost.as_slice(), layer.range.clone()),
            None => (first.as_slice(), none),
        };
        // The half of the grid is as far as all of them together reach.
        let start = (from.start as isize + least).max(half - self.rest.1 - self.near).max(0);
        let end = (from.end as isize + most).min(half - self.rest.0 + self.near + 1).max(start);
        let range = start as usize..end as usize;
        let mut cost = vec![f32::INFINITY; range.len()];
        let mut choice = vec![0; range.len()];
        for (k, (price, step)) in states.iter().enumerate() {
            // Where the entries before come to lie; some may fall out of the range.
            let place = from.start as isize + step - start;
            let (skip, place) = ((-place).max(0) as usize, place.max(0) as usize);
            let before = before.get(skip..).unwrap_or_default();
            let cost = cost.get_mut(place..).unwrap_or_default();
            let choice = choice.get_mut(place..).unwrap_or_default();
            for ((cost, choice), from) in cost.iter_mut().zip(choice).zip(before) {
                let sum = from + price;
                let better = sum < *cost;
                *cost = if better { sum } else { *cost };
                *choice = if better { k as u8 } else { *choice };
            }
        }
        self.layers.push(Layer { species, range, cost, choice });
    }

    /// Takes out what was put in last.
    fn take(&mut self) {
        if let Some(layer) = self.layers.pop() {
            let (least, most) = reach(&self.states[layer.species]);
            self.rest = (self.rest.0 + least, self.rest.1 + most);
        }
    }

    /// Every total charge that can be had, as an entry of the grid, and its cost.
    pub(super) fn ends(&self) -> impl Iterator<Item = (usize, f32)> {
        let last = self.layers.last();
        let (start, costs) = last.map_or((self.grid.half, &[0.0][..]), |layer| {
            (layer.range.start, layer.cost.as_slice())
        });
        let all = costs.iter().copied().enumerate();
        all.filter(|(_, cost)| cost.is_finite()).map(move |(i, cost)| (start + i, cost))
    }

    /// Each species that is in with the state that it has at one of the [`Self::ends`], in order of the list.
    pub(super) fn picks(&self, end: usize) -> Vec<(usize, usize)> {
        let mut at = end;
        let mut picks = Vec::with_capacity(self.layers.len());
        for layer in self.layers.iter().rev() {
            let pick = usize::from(layer.choice[at - layer.range.start]);
            at = at.wrapping_add_signed(-self.states[layer.species][pick].1);
            picks.push((layer.species, pick));
        }
        picks.sort_unstable();
        picks
    }

    /// Shows the table of all species but one, for each of those wanted. A species goes in for half of the list
    /// at a time, so that n tables take n log n steps instead of n².
    pub(super) fn each_without(&mut self, wanted: &[bool], visit: &mut impl FnMut(&Self, usize)) {
        self.without(0..wanted.len(), wanted, visit);
    }

    fn without(
        &mut self,
        range: Range<usize>,
        wanted: &[bool],
        visit: &mut impl FnMut(&Self, usize),
    ) {
        if !wanted[range.clone()].contains(&true) {
            return;
        }
        if range.len() == 1 {
            return visit(self, range.start);
        }
        let middle = range.start + range.len() / 2;
        let halves = [range.start..middle, middle..range.end];
        for (out, put) in [(0, 1), (1, 0)] {
            halves[put].clone().for_each(|i| self.put(i));
            self.without(halves[out].clone(), wanted, visit);
            halves[put].clone().for_each(|_| self.take());
        }
    }
}

/// The least and the greatest charge of a species.
fn reach(states: &[(f32, isize)]) -> (isize, isize) {
    let steps = || states.iter().map(|(_, step)| *step);
    (steps().min().unwrap_or(0), steps().max().unwrap_or(0))
}
