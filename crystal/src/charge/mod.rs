//! Charge balance: is there an assignment of oxidation states that makes the composition neutral?
//!
//! The rule is made for people who type formulas: it must be silent about ordinary compounds, mixed
//! valence, peroxides, intermetallics and molecules, and speak up about `NaCl2`. States and their
//! preference are in [`states`], the search in [`assign`], what is said of metals in [`metallic`].

mod assign;
pub mod cdvae;
mod metallic;
mod states;

use crate::{Composition, Element};

/// One element of an assignment with the states its atoms take.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// Element.
    pub element: Element,
    /// Oxidation states with how many atoms have each; more than one entry is mixed valence. A state
    /// that is no whole number is shared by atoms bound to each other: −½ is the oxygen of a superoxide.
    pub states: Vec<(f64, f64)>,
}

/// The outcome of a charge check.
#[derive(Debug, Clone, PartialEq)]
pub enum Balance {
    /// Neutral with these states.
    Neutral {
        /// The best assignment.
        assignment: Vec<Assigned>,
    },
    /// Formal charges do not apply: one element, metals only, or no neutral assignment in a compound whose spare
    /// electrons stay with the metal (borides, carbides, silicides, pnictides and hydrides of metals; sulfides
    /// such as GdS, subnitrides, suboxides and cluster halides).
    Metallic,
    /// No assignment is neutral.
    Charged {
        /// The assignment nearest to neutral, most electronegative elements negative.
        nearest: Vec<Assigned>,
        /// Its total charge for the composition as given (e).
        charge: f64,
    },
    /// An element without any known oxidation state takes part (He, Ne, Ar…), so nothing can be said.
    Unknown(Element),
}

/// Looks for the best neutral assignment over known oxidation states: one state per element first, mixed valence of one
/// element next. The most electronegative element is negative; usual states are preferred over rare ones.
///
/// `tolerance` is the total charge (e, for the composition as given) that rounding of occupancies may leave.
/// Time is bounded by the number of elements times the range of total charges, a few milliseconds at ten elements.
#[must_use]
pub fn balance(composition: &Composition, tolerance: f64) -> Balance {
    let finite = composition.iter().all(|(_, n)| n.is_finite());
    if composition.len() < 2 || !finite || composition.iter().all(|(e, _)| e.is_metal()) {
        return Balance::Metallic;
    }
    let company = states::Company::of(composition);
    let inert = |e: &Element| states::candidates(*e, states::Role::Any, &company).is_empty();
    if let Some(element) = composition.iter().map(|(e, _)| e).find(inert) {
        return Balance::Unknown(element);
    }
    let (unit, units) = composition.reduced();
    let units = units as f64;
    let atoms: Vec<_> = unit.iter().collect();
    match assign::best(&atoms, &company, tolerance / units) {
        assign::Found::Neutral(assignment) => {
            Balance::Neutral { assignment: scale(assignment, units) }
        }
        assign::Found::Charged { charge, .. } if metallic::is_expected(&unit, charge) => {
            Balance::Metallic
        }
        assign::Found::Charged { nearest, charge } => {
            Balance::Charged { nearest: scale(nearest, units), charge: charge * units }
        }
    }
}

/// From one formula unit to the composition as given.
fn scale(mut assignment: Vec<Assigned>, units: f64) -> Vec<Assigned> {
    for (_, count) in assignment.iter_mut().flat_map(|a| &mut a.states) {
        *count *= units;
    }
    assignment
}

#[cfg(test)]
mod tests;
