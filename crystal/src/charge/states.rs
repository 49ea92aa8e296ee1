//! Which oxidation states an element may take in a balance, and what each costs.

use crate::{Composition, Element};

/// A state and how unusual it is: 0 for the most usual one, up to [`RARE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct State {
    pub(super) value: f64,
    pub(super) cost: f32,
}

/// Cost from which on a state is no evidence that a formula is right.
pub(super) const UNUSUAL: f32 = 4.0;

/// Cost of a state that is hardly or never reported.
const RARE: f32 = 6.0;

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
            Role::AnionAmongOxidisable => !company.is_peroxo_salt,
            // Next to fluorine: positive in OF2, an oxide in salts.
            Role::Any => company.is_oxide_of_several,
        };
    let main_group = data.group <= 3 && !is_actinide(element);
    let rigid = oxide || main_group || matches!(element.symbol(), "Al" | "Zn" | "Cd");
    let usual = data.common_oxidation_states.iter().chain(data.icsd_oxidation_states);
    // States that solids seldom show: chlorine 4 in its oxide, ruthenium 8, copper 4 in fluorides.
    let reported = data.icsd_reports.iter().map(|(q, _)| q).chain(data.oxidation_states);
    let mut known: Vec<i8> = if rigid && (usual.clone().count() > 0) {
        usual.copied().collect()
    } else {
        usual.chain(reported).copied().collect()
    };
    known.sort_unstable();
    known.dedup();
    let most_usual =
        known.iter().copied().min_by(|a, b| prior(element, *a).total_cmp(&prior(element, *b)));
    let mut states: Vec<State> = Vec::new();
    for state in known {
        let value = f64::from(state);
        let possible = state != 0 && has_the_electrons(element, value);
        let highest_only = company.is_oxide_of_several && is_network_former(element);
        let lowered = highest_only && state > 0 && most_usual != Some(state);
        // Transition metals are anions in carbonyls, where carbon takes up any charge, and gold in aurides.
        let carbonyl = data.block == b'd' && state < 0 && element.symbol() != "Au";
        if possible && !lowered && !carbonyl && (state < 0 || !negative) {
            // Anionic metals (plumbides, aurides) exist, but are the last thing to think of.
            let anionic = if element.is_metal() && state < 0 { 6.0 } else { 0.0 };
            states.push(State { value, cost: prior(element, state) + anionic });
        }
    }
    if element.symbol() != "O" || role == Role::Anion {
        let shared = homoatomic(element).iter().map(|q| State { value: *q, cost: UNUSUAL });
        states.extend(shared);
    }
    states
}

/// How unusual a state is: the logarithm of how many times rarer than the element's most frequent state
/// it is in the ICSD, at most [`RARE`].
fn prior(element: Element, state: i8) -> f32 {
    let data = element.data();
    let most = data.icsd_reports.iter().map(|(_, n)| *n).max().unwrap_or(0);
    let reports = data.icsd_reports.iter().find(|(q, _)| *q == state);
    match reports {
        Some((_, n)) => (most as f32 / *n as f32).ln().min(RARE),
        // Elements that nobody counted: francium, einsteinium.
        None if most == 0 && data.common_oxidation_states.contains(&state) => 0.0,
        None => RARE,
    }
}

/// What the other elements of the compound say about the states of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Company {
    /// The most electronegative element.
    pub(super) anion: Option<Element>,
    /// Oxygen with at least two more elements.
    is_oxide_of_several: bool,
    /// Boron or aluminium: their hydrogen is negative, next to that of water or ammonia.
    is_hydride_complex: bool,
    /// Boron and hydrogen, no oxygen: in cages such as B6H6 2− boron is bonded to boron.
    is_boron_cage: bool,
    /// Of potassium, rubidium or caesium with sulfur or carbon: the peroxodisulfates and peroxodicarbonates.
    is_peroxo_salt: bool,
}

impl Company {
    pub(super) fn of(composition: &Composition) -> Self {
        let has = |symbol: &str| composition.iter().any(|(e, _)| e.symbol() == symbol);
        Self {
            anion: composition.most_electronegative(),
            is_oxide_of_several: has("O") && composition.len() > 2,
            is_hydride_complex: has("B") || has("Al"),
            is_boron_cage: has("B") && has("H") && !has("O"),
            is_peroxo_salt: composition.len() == 3
                && has("O")
                && (has("K") || has("Rb") || has("Cs"))
                && (has("S") || has("C")),
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
/// superoxide and ozonide, azide, triiodide and its kin, polysulfides and -selenides, the cages P7 and P11.
fn homoatomic(element: Element) -> &'static [f64] {
    match element.symbol() {
        "O" => &[-0.5, -1.0 / 3.0],
        "N" | "I" | "Br" => &[-1.0 / 3.0],
        "S" | "Se" | "Te" => &[-2.0 / 3.0, -0.5, -0.4, -1.0 / 3.0, -0.25],
        "P" | "As" | "Sb" => &[-3.0 / 7.0, -3.0 / 11.0],
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
    let mut sorted: Vec<State> = states.iter().copied().filter(|s| s.cost < RARE).collect();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    let cage = element.symbol() == "B" && company.is_boron_cage;
    let any_mean =
        element.symbol() == "C" || element == Element::H && company.is_hydride_complex || cage;
    if any_mean {
        return sorted.first().copied().zip(sorted.last().copied()).into_iter().collect();
    }
    let mixes = !element.is_metal() || element.data().group > 2;
    let neighbours = sorted.windows(2).map(|pair| (pair[0], pair[1]));
    neighbours.filter(|(a, b)| mixes && a.value * b.value > 0.0).collect()
}
