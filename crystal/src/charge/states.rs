//! Which oxidation states an element may take in a balance, and what each costs.

use crate::{Composition, Element};

/// A state and how unusual it is: 0 common, up to [`UNUSUAL`] hardly seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct State {
    pub(super) value: f64,
    pub(super) cost: f32,
}

/// Cost from which on a state is no evidence that a formula is right.
pub(super) const UNUSUAL: f32 = 4.0;

/// What an element is in a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Not the most electronegative element: any state.
    Any,
    /// The most electronegative element: negative states, shared charges of homoatomic anions included.
    Anion,
    /// The same next to elements that can be oxidised instead: oxygen is −2 there, peroxide needs cations
    /// that have nothing else to give.
    AnionAmongOxidisable,
}

/// Whether a cation has one state only, as those of peroxides and superoxides have.
pub(super) fn is_fixed_cation(element: Element) -> bool {
    element.data().group <= 2 || matches!(element.symbol(), "Zn" | "Cd" | "Hg")
}

/// States of an element in a compound with these others.
pub(super) fn candidates(element: Element, role: Role, company: &Company) -> Vec<State> {
    let data = element.data();
    let negative = role != Role::Any;
    let oxide = element.symbol() == "O"
        && match role {
            Role::Anion => false,
            Role::AnionAmongOxidisable => true,
            // Next to fluorine: positive in OF2, an oxide in salts.
            Role::Any => company.is_oxide_of_several,
        };
    let main_group = data.group <= 3 && !is_actinide(element);
    let rigid = oxide || main_group || matches!(element.symbol(), "Al" | "Zn" | "Cd");
    let reported: &[i8] = if rigid { &[] } else { data.icsd24_oxidation_states };
    // States that solids seldom show: chlorine 4 in its oxide, ruthenium 8, copper 4 in fluorides.
    let others: &[i8] = if rigid { &[] } else { data.oxidation_states };
    let listed = [
        (data.common_oxidation_states, 0.0),
        // Sm2+, Eu2+ and the like are real, but 3+ comes first; transition metals change more easily.
        (data.icsd_oxidation_states, if rigid { 3.0 } else { 1.0 }),
        (reported, UNUSUAL),
        (others, UNUSUAL),
    ];
    let known = listed.iter().any(|(states, _)| !states.is_empty());
    let listed = if known { listed } else { [(data.oxidation_states, UNUSUAL); 4] };
    let mut states: Vec<State> = Vec::new();
    for (value, cost) in listed.iter().flat_map(|(list, cost)| list.iter().map(|q| (*q, *cost))) {
        let value = f64::from(value);
        let possible = value != 0.0 && has_the_electrons(element, value);
        let highest_only = company.is_oxide_of_several && is_network_former(element);
        let lowered = highest_only && value > 0.0 && cost > 0.0;
        // Transition metals are anions in carbonyls, where carbon takes up any charge, and gold in aurides.
        let carbonyl = data.block == b'd' && value < 0.0 && element.symbol() != "Au";
        let wanted = possible && !lowered && !carbonyl && (value < 0.0 || !negative);
        if wanted && !states.iter().any(|s| s.value == value) {
            // Anionic metals (plumbides, aurides) exist, but are the last thing to think of.
            let anionic = if element.is_metal() && value < 0.0 { 6.0 } else { 0.0 };
            states.push(State { value, cost: cost + anionic });
        }
    }
    if element.symbol() != "O" || negative && !oxide {
        let shared = homoatomic(element).iter().map(|q| State { value: *q, cost: UNUSUAL });
        states.extend(shared);
    }
    states
}

/// What the other elements of the compound say about the states of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Company {
    /// Oxygen with at least two more elements.
    is_oxide_of_several: bool,
    /// Boron or aluminium: their hydrogen is negative, next to that of water or ammonia.
    is_hydride_complex: bool,
}

impl Company {
    pub(super) fn of(composition: &Composition) -> Self {
        let has = |symbol: &str| composition.iter().any(|(e, _)| e.symbol() == symbol);
        Self {
            is_oxide_of_several: has("O") && composition.len() > 2,
            is_hydride_complex: has("B") || has("Al"),
        }
    }
}

/// Whether a shell can give or take so many: reports of nitrogen −5 or niobium 6 are slips of the pen.
fn has_the_electrons(element: Element, state: f64) -> bool {
    let group = f64::from(element.data().group);
    match element.data().block {
        b's' | b'd' if group <= 7.0 => state <= group,
        b'p' if group < 18.0 => (group - 18.0..=group - 10.0).contains(&state),
        _ => true,
    }
}

/// Elements that have but their highest state in the networks of silicates and borates.
fn is_network_former(element: Element) -> bool {
    matches!(element.symbol(), "Si" | "B")
}

fn is_actinide(element: Element) -> bool {
    element.z() >= 89
}

/// Charges per atom of anions whose atoms are bound to each other, beyond the tabulated −1:
/// superoxide and ozonide, azide, polysulfides and -selenides, triiodide and its kin.
fn homoatomic(element: Element) -> &'static [f64] {
    match element.symbol() {
        "O" => &[-0.5, -1.0 / 3.0],
        "N" | "I" | "Br" => &[-1.0 / 3.0],
        "S" | "Se" | "Te" => &[-2.0 / 3.0, -0.5, -0.4, -1.0 / 3.0],
        _ => &[],
    }
}

/// Pairs of states that atoms of one element may share in one compound. Carbon is bound to itself and
/// to hydrogen in so many ways that any mean between its extremes is ordinary.
pub(super) fn mixtures(
    element: Element,
    states: &[State],
    company: &Company,
) -> Vec<(State, State)> {
    let mut sorted: Vec<State> = states.iter().copied().filter(|s| s.cost <= UNUSUAL).collect();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    let any_mean = element.symbol() == "C" || element == Element::H && company.is_hydride_complex;
    if any_mean {
        return sorted.first().copied().zip(sorted.last().copied()).into_iter().collect();
    }
    let mixes = !element.is_metal() || element.data().group > 2;
    let neighbours = sorted.windows(2).map(|pair| (pair[0], pair[1]));
    neighbours.filter(|(a, b)| mixes && a.value * b.value > 0.0).collect()
}
