//! Which elements may replace which, whatever the positions.

use crate::Element;

use super::Prepared;
use super::kind::OCCUPANCY_UNIT;

/// Elements of one structure and those of another that may take their places.
#[derive(Debug)]
pub(super) struct Replacements<'a> {
    first: &'a Prepared,
    second: &'a Prepared,
    /// Elements of the first structure, the rarest first.
    elements: Vec<Option<Element>>,
    /// Elements of the second structure.
    targets: Vec<Option<Element>>,
    /// For each element of the first, what it may become (index among the targets) and the change of
    /// electronegativity, Σ n (χ − χ′)² over its atoms, the least change first.
    choices: Vec<Vec<(usize, f64)>>,
    /// For each element of the first, the kinds that have a replacement once it and all before it have.
    completed: Vec<Vec<usize>>,
}

/// Difference of electronegativity that stands in for one that is not tabulated: more than any that is.
const UNKNOWN_DIFFERENCE: f64 = 4.0;

impl<'a> Replacements<'a> {
    /// `None` where some element has nothing to become.
    pub(super) fn between(first: &'a Prepared, second: &'a Prepared) -> Option<Self> {
        let (ours, theirs) = (amounts(first), amounts(second));
        let mut choices = Vec::new();
        for &(from, amount) in &ours {
            let may = |&(_, &(to, there)): &(usize, &(Option<Element>, i64))| {
                there == amount && from.is_some() == to.is_some()
            };
            let change =
                |to: Option<Element>| amount as f64 * OCCUPANCY_UNIT * difference(from, to).powi(2);
            let mut list: Vec<_> = theirs
                .iter()
                .enumerate()
                .filter(may)
                .map(|(i, (to, _))| (i, change(*to)))
                .collect();
            if list.is_empty() {
                return None;
            }
            list.sort_by(|a, b| a.1.total_cmp(&b.1));
            choices.push(list);
        }
        let elements: Vec<_> = ours.into_iter().map(|(element, _)| element).collect();
        let last = |kind: usize| {
            let depth = |e| elements.iter().position(|x| *x == e);
            first.kinds[kind].units().filter_map(|(e, _)| depth(e)).max()
        };
        let done_at = |d: usize| (0..first.kinds.len()).filter(|k| last(*k) == Some(d)).collect();
        let completed = (0..elements.len()).map(done_at).collect();
        let targets = theirs.into_iter().map(|(element, _)| element).collect();
        Some(Self { first, second, elements, targets, choices, completed })
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        self.elements.len()
    }

    pub(super) fn of(&self, element: usize) -> &[(usize, f64)] {
        &self.choices[element]
    }

    pub(super) fn completed(&self, element: usize) -> &[usize] {
        &self.completed[element]
    }

    /// Whether kind `a` of the first structure may become kind `b` of the second under some replacement.
    pub(super) fn alike(&self, a: usize, b: usize) -> bool {
        self.first.groups[a].len() == self.second.groups[b].len()
            && self.first.kinds[a].occupancies() == self.second.kinds[b].occupancies()
    }

    /// The kind of the second structure that kind `a` of the first becomes when its elements become these.
    pub(super) fn image(&self, a: usize, elements: &[usize]) -> Option<usize> {
        let target =
            |e| self.elements.iter().position(|x| *x == e).map(|i| self.targets[elements[i]]);
        let kind = &self.first.kinds[a];
        let count = self.first.groups[a].len();
        let is = |b: &usize| {
            let other = &self.second.kinds[*b];
            count == self.second.groups[*b].len()
                && kind.units().count() == other.units().count()
                && kind.units().all(|(e, units)| {
                    target(e).is_some_and(|e| other.units().any(|there| there == (e, units)))
                })
        };
        (0..self.second.kinds.len()).find(is)
    }

    /// The replacement by name, masks left out, by atomic number.
    pub(super) fn named(&self, elements: &[usize]) -> Vec<(Element, Element)> {
        let pairs = self.elements.iter().zip(elements.iter().map(|&i| self.targets[i]));
        let mut named: Vec<_> = pairs.filter_map(|(from, to)| Some(((*from)?, to?))).collect();
        named.sort_unstable();
        named
    }
}

/// Elements (`None`: masked) with their amounts in the reduced cell, the rarest first, then by number.
fn amounts(structure: &Prepared) -> Vec<(Option<Element>, i64)> {
    let mut amounts: Vec<(Option<Element>, i64)> = Vec::new();
    for (kind, count) in structure.kinds() {
        for (element, units) in kind.units() {
            // Absurd occupancies stay absurd, whatever they add up to.
            let units = units.saturating_mul(count as i64);
            match amounts.iter_mut().find(|(e, _)| *e == element) {
                Some((_, sum)) => *sum = sum.saturating_add(units),
                None => amounts.push((element, units)),
            }
        }
    }
    amounts.sort_unstable_by_key(|&(element, units)| (units, element));
    amounts
}

fn difference(from: Option<Element>, to: Option<Element>) -> f64 {
    let chi = |element: Option<Element>| element?.data().electronegativity;
    match (chi(from), chi(to)) {
        _ if from == to => 0.0,
        (Some(from), Some(to)) => from - to,
        _ => UNKNOWN_DIFFERENCE,
    }
}
