//! The search: dynamic programming over the total charge, element by element.

use super::states::{Company, Role, State, UNUSUAL, candidates, is_fixed_cation, mixtures};
use super::{Assigned, Declared};
use crate::composition::common_factor;
use crate::{Composition, Element};

/// What a search gives.
pub(super) enum Found {
    Neutral(Vec<Assigned>),
    Charged { nearest: Vec<Assigned>, charge: f64 },
}

/// Atoms of one element that are looked at together: those with one declared state, or all others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) element: Element,
    pub(super) amount: f64,
    pub(super) state: Option<f64>,
}

impl Part {
    /// The parts of a composition, those of one element next to each other.
    pub(super) fn of(composition: &Composition, declared: &[Declared]) -> Vec<Self> {
        let mut parts = Vec::with_capacity(composition.len() + declared.len());
        for (element, amount) in composition.iter() {
            let mut left = amount;
            for known in declared.iter().filter(|d| d.element == element) {
                let amount = known.amount.min(left);
                left -= amount;
                if amount > 0.0 {
                    parts.push(Self { element, amount, state: Some(known.state) });
                }
            }
            // Occupancies are rounded: what they leave is no atom.
            if left > 1e-6 * amount {
                parts.push(Self { element, amount: left, state: None });
            }
        }
        parts
    }

    /// One formula unit of the parts, and how many units there are.
    pub(super) fn reduced(parts: Vec<Self>) -> (Vec<Self>, f64) {
        let units = common_factor(parts.iter().map(|p| p.amount)) as f64;
        (parts.into_iter().map(|p| Self { amount: p.amount / units, ..p }).collect(), units)
    }
}

/// Cost of letting one element have two states, next to what the states cost.
const MIXING: f32 = 2.0;

/// Largest number of distinct total charges that are told apart.
const MAX_STEPS: f64 = 20_000.0;

/// The cheapest neutral assignment of `parts`, else the one nearest to neutral.
pub(super) fn best(parts: &[Part], company: &Company, tolerance: f64) -> Found {
    let anion = company.anion;
    let fixed = parts.iter().all(|p| Some(p.element) == anion || is_fixed_cation(p.element));
    let role = |e: Element| match (anion == Some(e), fixed) {
        (false, _) => Role::Any,
        (true, true) => Role::Anion,
        (true, false) => Role::AnionAmongOxidisable,
    };
    let species: Vec<Species> = parts
        .iter()
        .map(|part| Species {
            element: part.element,
            amount: part.amount,
            declared: part.state.is_some(),
            states: match part.state {
                Some(value) => vec![State { value, cost: 0.0 }],
                None => candidates(part.element, role(part.element), company),
            },
        })
        .collect();
    let grid = Grid::new(&species);
    let slack = tolerance.max(1e-6);

    let all: Vec<&Species> = species.iter().collect();
    let table = Table::new(&all, &grid);
    let mut plain: Option<(f32, Vec<usize>)> = None;
    for (end, cost) in table.ends() {
        // The grid may be off by half a step for each species.
        let off = grid.charge(end).abs() > slack + grid.step * all.len() as f64;
        if off || plain.as_ref().is_some_and(|(known, _)| cost >= *known) {
            continue;
        }
        let picks = table.picks(end);
        if charge(&all, &picks).abs() <= slack {
            plain = Some((cost, picks));
        }
    }
    let limit = plain.as_ref().map_or(f32::INFINITY, |(cost, _)| *cost);
    match (mixed(&species, &grid, company, limit), plain) {
        (Some(assignment), _) => Found::Neutral(merged(assignment)),
        (None, Some((_, picks))) => Found::Neutral(merged(assigned(&all, &picks))),
        (None, None) => nearest(&species, &grid),
    }
}

/// The cheapest neutral assignment in which one element has two states, if it costs less than `limit`.
fn mixed(species: &[Species], grid: &Grid, company: &Company, limit: f32) -> Option<Vec<Assigned>> {
    let mut best: Option<Vec<Assigned>> = None;
    let mut limit = limit;
    for (i, mixing) in species.iter().enumerate().filter(|(_, s)| !s.declared) {
        let pairs = mixtures(mixing.element, &mixing.states, company);
        if pairs.is_empty() {
            continue;
        }
        let others: Vec<&Species> =
            species.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, s)| s).collect();
        let table = Table::new(&others, grid);
        for (end, below) in table.ends() {
            let roughly = -grid.charge(end) / mixing.amount;
            let rounding = grid.step * species.len() as f64 / mixing.amount;
            for (low, high) in &pairs {
                let cost = below + MIXING + low.cost.max(high.cost);
                let outside = roughly < low.value - rounding || roughly > high.value + rounding;
                if cost >= limit || outside {
                    continue;
                }
                let picks = table.picks(end);
                let mean = -charge(&others, &picks) / mixing.amount;
                let Some(states) = mixing.split(mean, low, high, grid.whole) else { continue };
                let mut assignment = assigned(&others, &picks);
                assignment.insert(i, Assigned { element: mixing.element, states });
                best = Some(assignment);
                limit = cost;
            }
        }
    }
    best
}

/// The assignment of ordinary states whose total charge is smallest.
fn nearest(species: &[Species], grid: &Grid) -> Found {
    let ordinary: Vec<Species> = species.iter().map(Species::ordinary).collect();
    let all: Vec<&Species> = ordinary.iter().collect();
    let table = Table::new(&all, grid);
    let end = table.ends().min_by(|(a, x), (b, y)| {
        let distance = grid.charge(*a).abs().total_cmp(&grid.charge(*b).abs());
        distance.then(x.total_cmp(y))
    });
    end.map_or(Found::Charged { nearest: Vec::new(), charge: 0.0 }, |(end, _)| {
        let picks = table.picks(end);
        Found::Charged { nearest: merged(assigned(&all, &picks)), charge: charge(&all, &picks) }
    })
}

/// Total charge of a choice of states, without the rounding of the table.
fn charge(species: &[&Species], picks: &[usize]) -> f64 {
    species.iter().zip(picks).map(|(s, k)| s.states[*k].value * s.amount).sum()
}

fn assigned(species: &[&Species], picks: &[usize]) -> Vec<Assigned> {
    let one = |(s, k): (&&Species, &usize)| Assigned {
        element: s.element,
        states: vec![(s.states[*k].value, s.amount)],
    };
    species.iter().zip(picks).map(one).collect()
}

/// One entry for each element, whatever parts it had.
fn merged(parts: Vec<Assigned>) -> Vec<Assigned> {
    let mut elements: Vec<Assigned> = Vec::with_capacity(parts.len());
    for part in parts {
        let Some(last) = elements.last_mut().filter(|last| last.element == part.element) else {
            elements.push(part);
            continue;
        };
        for (state, amount) in part.states {
            match last.states.iter_mut().find(|(known, _)| *known == state) {
                Some((_, known)) => *known += amount,
                None => last.states.push((state, amount)),
            }
        }
        last.states.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    elements
}

struct Species {
    element: Element,
    amount: f64,
    declared: bool,
    states: Vec<State>,
}

impl Species {
    /// The same with its ordinary states, unless it has none.
    fn ordinary(&self) -> Self {
        let usual: Vec<State> = self.states.iter().copied().filter(|s| s.cost < UNUSUAL).collect();
        let states = if usual.is_empty() { self.states.clone() } else { usual };
        Self { states, ..*self }
    }

    /// How many atoms have each of two states when their mean is given; `None` if it is no mixture, or
    /// none of whole atoms where the formula is whole.
    fn split(&self, mean: f64, low: &State, high: &State, whole: bool) -> Option<Vec<(f64, f64)>> {
        let mut upper = (mean - low.value) / (high.value - low.value) * self.amount;
        // Those of carbon, and of boron in cages, are means over many kinds of atoms: they need not be whole.
        if whole && !matches!(self.element.symbol(), "B" | "C") {
            if (upper - upper.round()).abs() > 1e-6 {
                return None;
            }
            upper = upper.round();
        }
        let inside = upper > 1e-9 && upper < self.amount - 1e-9;
        inside.then(|| vec![(low.value, self.amount - upper), (high.value, upper)])
    }
}

/// How total charges are told apart: a whole formula has whole charges, others are rounded.
struct Grid {
    /// Whether every amount is whole.
    whole: bool,
    step: f64,
    /// Total charges run from −half to +half steps.
    half: usize,
}

impl Grid {
    fn new(species: &[Species]) -> Self {
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
    fn charge(&self, end: usize) -> f64 {
        (end as f64 - self.half as f64) * self.step
    }

    fn steps(&self, charge: f64) -> isize {
        (charge / self.step).round() as isize
    }
}

/// For every total charge the cheapest choice of one state per species.
struct Table {
    cost: Vec<f32>,
    /// For each species and total charge of it and those before: which state was taken.
    choices: Vec<Vec<u8>>,
    /// Charge of each state in steps, as the table was filled.
    moves: Vec<Vec<isize>>,
}

const NEVER: u8 = u8::MAX;

impl Table {
    fn new(species: &[&Species], grid: &Grid) -> Self {
        let len = 2 * grid.half + 1;
        let mut cost = vec![f32::INFINITY; len];
        cost[grid.half] = 0.0;
        let mut choices = Vec::with_capacity(species.len());
        let mut moves = Vec::with_capacity(species.len());
        for one in species {
            let steps: Vec<isize> =
                one.states.iter().map(|s| grid.steps(s.value * one.amount)).collect();
            let mut next = vec![f32::INFINITY; len];
            let mut choice = vec![NEVER; len];
            for (from, known) in cost.iter().enumerate().filter(|(_, c)| c.is_finite()) {
                for (k, (state, step)) in one.states.iter().zip(&steps).enumerate() {
                    let Some(to) = from.checked_add_signed(*step).filter(|to| *to < len) else {
                        continue;
                    };
                    if known + state.cost < next[to] {
                        next[to] = known + state.cost;
                        choice[to] = k as u8;
                    }
                }
            }
            cost = next;
            choices.push(choice);
            moves.push(steps);
        }
        Self { cost, choices, moves }
    }

    /// Every total charge that can be had, as the place in the table, and its cost.
    fn ends(&self) -> impl Iterator<Item = (usize, f32)> {
        self.cost.iter().copied().enumerate().filter(|(_, cost)| cost.is_finite())
    }

    /// The state that each species has at one of the [`Self::ends`].
    fn picks(&self, end: usize) -> Vec<usize> {
        let mut at = end;
        let mut picks = vec![0; self.choices.len()];
        for (i, pick) in picks.iter_mut().enumerate().rev() {
            *pick = usize::from(self.choices[i][at]);
            at = at.wrapping_add_signed(-self.moves[i][*pick]);
        }
        picks
    }
}
