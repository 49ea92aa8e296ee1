//! Charge balance: is there an assignment of oxidation states that makes the composition neutral?
//!
//! The rule is made for people who type formulas: it must be silent about ordinary compounds, mixed
//! valence, peroxides, intermetallics and molecules, and speak up about `NaCl2`. States and their
//! preference are in `states`, the search in `assign` and `table`; compounds of which charges say nothing in
//! `metallic` and `covalent`. The rule that published tables use is [`cdvae`].

mod assign;
pub mod bond_valence;
mod bonded;
pub mod cdvae;
mod certain;
mod covalent;
mod metallic;
mod states;
mod table;

use std::fmt;

use crate::{Composition, Element};

pub use bonded::oxygen_states;
pub use certain::certain_states;

/// One element of an assignment with the states its atoms take.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// Element.
    pub element: Element,
    /// Oxidation states with how many atoms have each; more than one entry is mixed valence. A state
    /// that is no whole number is shared by atoms bound to each other: −½ is the oxygen of a superoxide.
    pub states: Vec<(f64, f64)>,
}

/// `Na +1`; mixed valence as `Fe +2 (1) +3 (2)`.
impl fmt::Display for Assigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.element.fmt(f)?;
        for (state, count) in &self.states {
            let sign = match state {
                q if *q < 0.0 => "−",
                q if *q > 0.0 => "+",
                _ => "",
            };
            write!(f, " {sign}{}", rounded(state.abs()))?;
            if self.states.len() > 1 {
                write!(f, " ({})", rounded(*count))?;
            }
        }
        Ok(())
    }
}

/// At most two decimals.
fn rounded(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}

/// So many atoms of one element whose state is known beforehand: written in the file, or seen in the structure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Declared {
    /// Element.
    pub element: Element,
    /// Its oxidation state (e).
    pub state: f64,
    /// How many of the atoms in the composition have it.
    pub amount: f64,
}

/// The outcome of a charge check.
#[derive(Debug, Clone, PartialEq)]
pub enum Balance {
    /// Neutral with these states.
    Neutral {
        /// The best assignment.
        assignment: Vec<Assigned>,
    },
    /// Formal charges do not apply.
    Beyond(Beyond),
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

impl Balance {
    /// Whether the charges add up; none where nothing can be said of them.
    #[must_use]
    pub fn is_neutral(&self) -> Option<bool> {
        match self {
            Self::Neutral { .. } => Some(true),
            Self::Charged { .. } => Some(false),
            Self::Beyond(_) | Self::Unknown(_) => None,
        }
    }
}

/// Where formal charges do not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// At most one element.
    Element,
    /// Metals only.
    Alloy,
    /// No neutral assignment in a compound whose spare electrons stay with the metal: borides, carbides,
    /// silicides, pnictides and hydrides of metals; sulfides such as GdS, subnitrides, suboxides and cluster
    /// halides.
    Metallic,
    /// No neutral assignment in a compound that bonds between nonmetals hold together: molecules of
    /// nonmetals, compounds with carbon and hydrogen, boron-rich solids.
    Covalent,
}

/// Looks for the best neutral assignment over known oxidation states: one state per element first, mixed valence of one
/// element next. The most electronegative element is negative; states that the ICSD reports often are preferred over
/// rare ones.
///
/// `tolerance` is the total charge (e, for the composition as given) that rounding of occupancies may leave.
/// Time is bounded by the number of elements times the range of total charges.
#[must_use]
pub fn balance(composition: &Composition, tolerance: f64) -> Balance {
    balance_with(composition, &[], tolerance)
}

/// The same where the states of some atoms are known: what is declared is taken as it is, the rest is looked for. More
/// declared atoms of an element than the composition holds count as all of them.
#[must_use]
pub fn balance_with(composition: &Composition, declared: &[Declared], tolerance: f64) -> Balance {
    let finite = |n: f64| n.is_finite();
    let usable = composition.iter().all(|(_, n)| finite(n))
        && declared.iter().all(|d| finite(d.amount) && finite(d.state));
    if composition.len() < 2 || !usable {
        return Balance::Beyond(Beyond::Element);
    }
    if declared.is_empty() && composition.iter().all(|(e, _)| e.is_metal()) {
        return Balance::Beyond(Beyond::Alloy);
    }
    let company = states::Company::of(composition);
    let parts = assign::Part::of(composition, declared);
    let inert = |p: &&assign::Part| {
        p.state.is_none() && states::candidates(p.element, states::Role::Any, &company).is_empty()
    };
    if let Some(part) = parts.iter().find(inert) {
        return Balance::Unknown(part.element);
    }
    let (parts, units) = assign::Part::reduced(parts);
    match assign::best(&parts, &company, tolerance / units) {
        assign::Found::Neutral(assignment) => {
            Balance::Neutral { assignment: scale(assignment, units) }
        }
        assign::Found::Charged { .. } if covalent::is_expected(composition) => {
            Balance::Beyond(Beyond::Covalent)
        }
        assign::Found::Charged { charge, .. } if metallic::is_expected(composition, charge) => {
            Balance::Beyond(Beyond::Metallic)
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
