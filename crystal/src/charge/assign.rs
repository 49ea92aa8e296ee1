//! The search: dynamic programming over the total charge, element by element.

use super::Assigned;
use super::states::{Company, Role, State, UNUSUAL, candidates, is_fixed_cation, mixtures};
use crate::Element;

/// What a search gives.
pub(super) enum Found {
    Neutral(Vec<Assigned>),
    Charged { nearest: Vec<Assigned>, charge: f64 },
}

/// Cost of letting one element have two states, next to what the states cost.
const MIXING: f32 = 2.0;

/// Largest number of distinct total charges that are told apart.
const MAX_STEPS: f64 = 20_000.0;

/// The cheapest neutral assignment of `atoms`, else the one nearest to neutral.
pub(super) fn best(atoms: &[(Element, f64)], company: &Company, tolerance: f64) -> Found {
    let chi = |e: Element| e.data().electronegativity.unwrap_or(0.0);
    let anion = atoms.iter().map(|(e, _)| *e).max_by(|a, b| chi(*a).total_cmp(&chi(*b)));
    let fixed = atoms.iter().all(|(e, _)| Some(*e) == anion || is_fixed_cation(*e));
    let role = |e: Element| match (anion == Some(e), fixed) {
        (false, _) => Role::Any,
        (true, true) => Role::Anion,
        (true, false) => Role::AnionAmongOxidisable,
    };
    let species: Vec<Species> = atoms
        .iter()
        .map(|(element, amount)| Species {
            element: *element,
            amount: *amount,
            states: candidates(*element, role(*element), company),
        })
        .collect();
    let grid = Grid::new(&species);
    let slack = tolerance.max(1e-6);

    let all: Vec<&Species> = species.iter().collect();
    let table = Table::new(&all, &grid);
    let plain = table
        .entries()
        .filter(|entry| entry.charge(&all).abs() <= slack)
        .min_by(|a, b| a.cost.total_cmp(&b.cost));
    let mixed = mixed(&species, &grid, company);
    match (plain, mixed) {
        (Some(plain), Some((cost, assignment))) => {
            if plain.cost <= cost {
                Found::Neutral(plain.assigned(&all))
            } else {
                Found::Neutral(assignment)
            }
        }
        (Some(plain), None) => Found::Neutral(plain.assigned(&all)),
        (None, Some((_, assignment))) => Found::Neutral(assignment),
        (None, None) => nearest(&species, &grid),
    }
}

/// The cheapest neutral assignment in which one element has two states.
fn mixed(species: &[Species], grid: &Grid, company: &Company) -> Option<(f32, Vec<Assigned>)> {
    let mut best: Option<(f32, Vec<Assigned>)> = None;
    for (i, mixing) in species.iter().enumerate() {
        let pairs = mixtures(mixing.element, &mixing.states, company);
        if pairs.is_empty() {
            continue;
        }
        let others: Vec<&Species> =
            species.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, s)| s).collect();
        let table = Table::new(&others, grid);
        for entry in table.entries() {
            let mean = -entry.charge(&others) / mixing.amount;
            for (low, high) in &pairs {
                let Some(states) = mixing.split(mean, low, high, grid.whole) else {
                    continue;
                };
                let cost = entry.cost + MIXING + low.cost.max(high.cost);
                if best.as_ref().is_none_or(|(known, _)| cost < *known) {
                    let mut assignment = entry.assigned(&others);
                    assignment.insert(i, Assigned { element: mixing.element, states });
                    best = Some((cost, assignment));
                }
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
    let entry = table.entries().min_by(|a, b| {
        let distance = a.charge(&all).abs().total_cmp(&b.charge(&all).abs());
        distance.then(a.cost.total_cmp(&b.cost))
    });
    entry.map_or(Found::Charged { nearest: Vec::new(), charge: 0.0 }, |entry| Found::Charged {
        nearest: entry.assigned(&all),
        charge: entry.charge(&all),
    })
}

struct Species {
    element: Element,
    amount: f64,
    states: Vec<State>,
}

impl Species {
    /// The same with its ordinary states, unless it has none.
    fn ordinary(&self) -> Self {
        let usual: Vec<State> = self.states.iter().copied().filter(|s| s.cost < UNUSUAL).collect();
        let states = if usual.is_empty() { self.states.clone() } else { usual };
        Self { element: self.element, amount: self.amount, states }
    }

    /// How many atoms have each of two states when their mean is given; `None` if it is no mixture, or
    /// none of whole atoms where the formula is whole.
    fn split(&self, mean: f64, low: &State, high: &State, whole: bool) -> Option<Vec<(f64, f64)>> {
        let mut upper = (mean - low.value) / (high.value - low.value) * self.amount;
        // Carbon's states are means over many kinds of atoms: they need not be whole.
        if whole && self.element.symbol() != "C" {
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
        // Sixths hold every half and third of a charge exactly.
        let whole = species.iter().all(|s| s.amount.fract() == 0.0);
        let finest = if whole { 1.0 / 6.0 } else { 0.01 };
        let step = f64::max(finest, 2.0 * reach / MAX_STEPS);
        // Rounding of each contribution may carry a sum a little beyond the reach.
        Self { whole, step, half: (reach / step).ceil() as usize + species.len() + 1 }
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

    /// Every total charge that can be had.
    fn entries(&self) -> impl Iterator<Item = Entry> {
        self.cost.iter().enumerate().filter(|(_, c)| c.is_finite()).map(|(end, cost)| {
            let mut at = end;
            let mut picks = vec![0; self.choices.len()];
            for (i, pick) in picks.iter_mut().enumerate().rev() {
                *pick = usize::from(self.choices[i][at]);
                at = at.wrapping_add_signed(-self.moves[i][*pick]);
            }
            Entry { cost: *cost, picks }
        })
    }
}

/// One choice of states.
struct Entry {
    cost: f32,
    picks: Vec<usize>,
}

impl Entry {
    /// Total charge, without the rounding of the table.
    fn charge(&self, species: &[&Species]) -> f64 {
        species.iter().zip(&self.picks).map(|(s, k)| s.states[*k].value * s.amount).sum()
    }

    fn assigned(&self, species: &[&Species]) -> Vec<Assigned> {
        let one = |(s, k): (&&Species, &usize)| Assigned {
            element: s.element,
            states: vec![(s.states[*k].value, s.amount)],
        };
        species.iter().zip(&self.picks).map(one).collect()
    }
}
