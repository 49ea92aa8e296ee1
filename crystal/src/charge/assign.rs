//! The search: dynamic programming over the total charge, element by element.

use super::states::{Company, Role, State, UNUSUAL, candidates, is_fixed_cation, mixtures};
use super::table::{Grid, Table};
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

    let table = Table::full(&species, &grid, slack);
    let mut plain: Option<(f32, Picks)> = None;
    for (end, cost) in table.ends() {
        // The grid may be off by half a step for each species.
        let off = grid.charge(end).abs() > slack + grid.step * species.len() as f64;
        if off || plain.as_ref().is_some_and(|(known, _)| cost >= *known) {
            continue;
        }
        let picks = table.picks(end);
        if charge(&species, &picks).abs() <= slack {
            plain = Some((cost, picks));
        }
    }
    let limit = plain.as_ref().map_or(f32::INFINITY, |(cost, _)| *cost);
    match (mixed(&species, &grid, company, limit), plain) {
        (Some(assignment), _) => Found::Neutral(merged(assignment)),
        (None, Some((_, picks))) => Found::Neutral(merged(assigned(&species, &picks))),
        (None, None) => nearest(&species, &grid),
    }
}

/// Which species has which of its states.
type Picks = Vec<(usize, usize)>;

/// The cheapest neutral assignment in which one element has two states, if it costs less than `limit`.
fn mixed(species: &[Species], grid: &Grid, company: &Company, limit: f32) -> Option<Vec<Assigned>> {
    let pairs: Vec<Vec<(State, State)>> = species
        .iter()
        .map(|s| if s.declared { Vec::new() } else { mixtures(s.element, &s.states, company) })
        .collect();
    let cheapest = |s: &Species| s.states.iter().map(|q| q.cost).fold(f32::INFINITY, f32::min);
    let least: f32 = species.iter().map(cheapest).sum();
    // What a mixture costs at least, the others having their cheapest states.
    let can_win = |(one, pairs): (&Species, &Vec<(State, State)>)| {
        let pair = pairs.iter().map(mixture_cost).fold(f32::INFINITY, f32::min);
        least - cheapest(one) + pair < limit
    };
    let wanted: Vec<bool> = species.iter().zip(&pairs).map(can_win).collect();
    let mut best: Option<Vec<Assigned>> = None;
    let mut limit = limit;
    Table::new(species, grid, 0.0).each_without(&wanted, &mut |table, i| {
        let mixing = &species[i];
        for (end, below) in table.ends() {
            let roughly = -grid.charge(end) / mixing.amount;
            let rounding = grid.step * species.len() as f64 / mixing.amount;
            for pair in &pairs[i] {
                let (low, high) = pair;
                let cost = below + mixture_cost(pair);
                let outside = roughly < low.value - rounding || roughly > high.value + rounding;
                if cost >= limit || outside {
                    continue;
                }
                let picks = table.picks(end);
                let mean = -charge(species, &picks) / mixing.amount;
                let Some(states) = mixing.split(mean, low, high, grid.whole) else { continue };
                let mut assignment = assigned(species, &picks);
                assignment.insert(i, Assigned { element: mixing.element, states });
                best = Some(assignment);
                limit = cost;
            }
        }
    });
    best
}

fn mixture_cost((low, high): &(State, State)) -> f32 {
    MIXING + low.cost.max(high.cost)
}

/// The assignment of ordinary states whose total charge is smallest.
fn nearest(species: &[Species], grid: &Grid) -> Found {
    let ordinary: Vec<Species> = species.iter().map(Species::ordinary).collect();
    let table = Table::full(&ordinary, grid, f64::INFINITY);
    let end = table.ends().min_by(|(a, x), (b, y)| {
        let distance = grid.charge(*a).abs().total_cmp(&grid.charge(*b).abs());
        distance.then(x.total_cmp(y))
    });
    end.map_or(Found::Charged { nearest: Vec::new(), charge: 0.0 }, |(end, _)| {
        let picks = table.picks(end);
        let charge = charge(&ordinary, &picks);
        Found::Charged { nearest: merged(assigned(&ordinary, &picks)), charge }
    })
}

/// Total charge of a choice of states, without the rounding of the table.
fn charge(species: &[Species], picks: &Picks) -> f64 {
    picks.iter().map(|(i, k)| species[*i].states[*k].value * species[*i].amount).sum()
}

fn assigned(species: &[Species], picks: &Picks) -> Vec<Assigned> {
    let one = |(i, k): &(usize, usize)| Assigned {
        element: species[*i].element,
        states: vec![(species[*i].states[*k].value, species[*i].amount)],
    };
    picks.iter().map(one).collect()
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

/// Atoms that have one state, or two where they mix.
pub(super) struct Species {
    element: Element,
    pub(super) amount: f64,
    declared: bool,
    pub(super) states: Vec<State>,
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
