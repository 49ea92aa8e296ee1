//! Charge balance: is there an assignment of oxidation states that makes the composition neutral?

use crate::{Composition, Element};

/// One element of an assignment with the states its atoms take.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// Element.
    pub element: Element,
    /// Oxidation states with how many atoms have each; more than one entry is mixed valence.
    pub states: Vec<(i8, f64)>,
}

/// The outcome of a charge check.
#[derive(Debug, Clone, PartialEq)]
pub enum Balance {
    /// Neutral with these states.
    Neutral {
        /// The best assignment.
        assignment: Vec<Assigned>,
    },
    /// Only metals (or one element): no charges to balance.
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

/// Looks for the best neutral assignment over known oxidation states: one state per element first, mixed
/// valence of one element next; more electronegative elements must not be more positive than less
/// electronegative ones where a choice exists; usual states are preferred over rare ones.
///
/// `tolerance` is the total charge (e, for the composition as given) that rounding of occupancies may leave.
#[must_use]
pub fn balance(composition: &Composition, tolerance: f64) -> Balance {
    todo!()
}
