//! States that leave no choice: what a second opinion may be compared with.

use crate::{Element, Structure};

/// From this share of its reports in the ICSD on, a state is the only one an element has.
const ONLY: f64 = 0.97;

/// From this share on, a state that the formula asks for is believed.
const USUAL: f64 = 0.05;

/// The oxidation state of each site of an ordered structure, where there is no choice: as declared, else the only state
/// of the element, and for one more element the state that makes the whole neutral, if it is one that the element often has.
/// `None` where a site is masked, the structure disordered, or any choice left; also where the states are not neutral.
#[must_use]
pub fn certain_states(structure: &Structure) -> Option<Vec<f64>> {
    if !structure.is_ordered() {
        return None;
    }
    let composition = structure.composition();
    let anion = composition.most_electronegative()?;
    let mut states = Vec::with_capacity(structure.len());
    for site in &structure.sites {
        let element = site.element?;
        // A declared zero is mostly a place left empty.
        let declared = site.oxidation.filter(|q| *q != 0.0);
        states.push(declared.or_else(|| only_state(element, element == anion)));
    }
    let mut open = structure.sites.iter().zip(&states).filter(|(_, q)| q.is_none());
    if let Some((first, _)) = open.next() {
        let element = first.element?;
        if open.any(|(site, _)| site.element != Some(element)) {
            return None;
        }
        let charge: f64 = states.iter().flatten().sum();
        let atoms = states.iter().filter(|q| q.is_none()).count();
        let needed = usual(element, -charge / atoms as f64)?;
        states.iter_mut().filter(|q| q.is_none()).for_each(|q| *q = Some(needed));
    }
    let states: Vec<f64> = states.into_iter().collect::<Option<_>>()?;
    (states.iter().sum::<f64>().abs() < 1e-3).then_some(states)
}

/// The one state of an element, if it has one: among the negative ones for the most electronegative element of a compound.
fn only_state(element: Element, negative: bool) -> Option<f64> {
    let reports = element.data().icsd_reports.iter().filter(|(q, _)| !negative || *q < 0);
    let total: u32 = reports.clone().map(|(_, n)| n).sum();
    let (state, most) = reports.max_by_key(|(_, n)| *n)?;
    (f64::from(*most) >= ONLY * f64::from(total)).then_some(f64::from(*state))
}

/// The state itself where it is whole and the element often has it.
fn usual(element: Element, state: f64) -> Option<f64> {
    let reports = element.data().icsd_reports;
    let total: u32 = reports.iter().map(|(_, n)| n).sum();
    let (_, n) = reports.iter().find(|(q, _)| (f64::from(*q) - state).abs() < 1e-6)?;
    (f64::from(*n) >= USUAL * f64::from(total)).then_some(state.round())
}
