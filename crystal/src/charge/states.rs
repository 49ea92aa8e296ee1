//! Which oxidation states an element may take in a balance, and what each costs.

use crate::Element;

/// A state and how unusual it is: 0 common, up to [`UNUSUAL`] hardly seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct State {
    pub(super) value: f64,
    pub(super) cost: f32,
}

/// Cost from which on a state is no evidence that a formula is right.
pub(super) const UNUSUAL: f32 = 4.0;

/// Elements that make ionic compounds: where one is present, charges have to add up.
pub(super) fn is_ionic_anion(element: Element) -> bool {
    matches!(element.symbol(), "N" | "O" | "F" | "S" | "Cl" | "Se" | "Br" | "I")
}

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

/// States of an element.
pub(super) fn candidates(element: Element, role: Role) -> Vec<State> {
    let data = element.data();
    let negative = role != Role::Any;
    let oxide = element.symbol() == "O" && role == Role::AnionAmongOxidisable;
    let rigid = oxide || data.group <= 3 || matches!(element.symbol(), "Al" | "Zn" | "Cd");
    let listed = [
        (data.common_oxidation_states, 0.0),
        // Sm2+, Eu2+ and the like are real, but 3+ comes first; transition metals change more easily.
        (data.icsd_oxidation_states, if rigid { 3.0 } else { 1.0 }),
        (if rigid { &[] } else { data.icsd24_oxidation_states }, UNUSUAL),
    ];
    let known = listed.iter().any(|(states, _)| !states.is_empty());
    let listed = if known { listed } else { [(data.oxidation_states, UNUSUAL); 3] };
    let mut states: Vec<State> = Vec::new();
    for (value, cost) in listed.iter().flat_map(|(list, cost)| list.iter().map(|q| (*q, *cost))) {
        let value = f64::from(value);
        let wanted = if negative { value < 0.0 } else { value != 0.0 };
        if wanted && !states.iter().any(|s| s.value == value) {
            // Anionic metals (plumbides, aurides) exist, but are the last thing to think of.
            let anionic = if element.is_metal() && value < 0.0 { 6.0 } else { 0.0 };
            states.push(State { value, cost: cost + anionic });
        }
    }
    if negative && !oxide {
        let shared = homoatomic(element).iter().map(|q| State { value: *q, cost: UNUSUAL });
        states.extend(shared);
    }
    states
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
pub(super) fn mixtures(element: Element, states: &[State]) -> Vec<(State, State)> {
    let mut sorted: Vec<State> = states.iter().copied().filter(|s| s.cost <= UNUSUAL).collect();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    if element.symbol() == "C" {
        return sorted.first().copied().zip(sorted.last().copied()).into_iter().collect();
    }
    let mixes = !element.is_metal() || element.data().group > 2;
    let neighbours = sorted.windows(2).map(|pair| (pair[0], pair[1]));
    neighbours.filter(|(a, b)| mixes && a.value * b.value > 0.0).collect()
}
