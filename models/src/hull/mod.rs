//! Energy above hull: how much lower in energy a mixture of known phases is than a crystal of the same composition.
//!
//! The hull at a composition is the lowest energy per atom that known phases of its chemical system reach together, each in
//! any amount: a linear program with a row for each element and a column for each phase. What is above it can decompose; what
//! is below is a new vertex. The known phases are those of the library, with energies by the same potential
//! ([`Energies`]). Phases that nobody knows can only lower a hull, so that every distance is a lower bound.

use cellwright_crystal::{Composition, Element};
use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};
use serde::{Deserialize, Serialize};

mod energies;
mod phases;
#[cfg(test)]
mod tests;

pub use energies::Energies;
pub use phases::phases;

/// A known phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Identifier in its database.
    pub id: String,
    /// What it is made of.
    pub composition: Composition,
    /// eV/atom.
    pub energy: f64,
}

/// The hull at one composition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hull {
    /// Energy of the mixture (eV/atom).
    pub energy: f64,
    /// What the mixture is made of, the largest share of atoms first.
    pub products: Vec<Product>,
    /// Known phases of the chemical system, all of them: the more, the better the hull is known.
    pub phases: usize,
}

/// A phase of the mixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// Identifier in its database.
    pub id: String,
    /// Reduced formula.
    pub formula: String,
    /// Reduced formula units for one reduced formula unit of the composition.
    pub amount: f64,
}

/// Why there is no hull.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoHull {
    /// Nobody knows the energies of the phases.
    #[error("no hull: the energies of this library's crystals are not known")]
    NoEnergies,
    /// A composition of nothing.
    #[error("there is no hull without atoms")]
    Empty,
    /// No known phase of the system holds these.
    #[error("no hull: no known phase of this chemical system holds {}", symbols(.0))]
    Without(Vec<Element>),
    /// Every element is there, but never in the ratios that are needed.
    #[error(
        "no hull: the {0} known phases of this chemical system do not add up to this composition"
    )]
    NoMixture(usize),
    /// The solver gave up, which is a fault of this program.
    #[error("no hull: {0}")]
    Solver(String),
}

fn symbols(elements: &[Element]) -> String {
    elements.iter().map(|e| e.symbol()).collect::<Vec<_>>().join(", ")
}

/// Smaller shares of atoms are rounding.
const SHARE: f64 = 1e-8;

impl Hull {
    /// The hull of `phases` at a composition. Phases that hold other elements too do not count.
    ///
    /// # Errors
    /// When no mixture of the phases has the composition.
    pub fn new(phases: &[Phase], composition: &Composition) -> Result<Self, NoHull> {
        if composition.is_empty() {
            return Err(NoHull::Empty);
        }
        let inside = |phase: &&Phase| {
            phase.energy.is_finite()
                && !phase.composition.is_empty()
                && phase.composition.iter().all(|(e, _)| composition.amount(e) > 0.0)
        };
        let phases: Vec<&Phase> = phases.iter().filter(inside).collect();
        let elements: Vec<Element> = composition.iter().map(|(e, _)| e).collect();
        let unseen = |e: &Element| !phases.iter().any(|p| p.composition.amount(*e) > 0.0);
        let without: Vec<Element> = elements.iter().copied().filter(unseen).collect();
        if !without.is_empty() {
            return Err(NoHull::Without(without));
        }
        let shares = shares(&phases, &elements, composition)?;
        let energy = shares.iter().map(|(i, share)| share * phases[*i].energy).sum();
        let atoms = composition.reduced().0.total();
        let product = |(i, share): (usize, f64)| {
            let (unit, _) = phases[i].composition.reduced();
            let (id, formula) = (phases[i].id.clone(), unit.formula());
            Product { id, formula, amount: share * atoms / unit.total() }
        };
        let products = shares.into_iter().map(product).collect();
        Ok(Self { energy, products, phases: phases.len() })
    }

    /// How far an energy (eV/atom) is above the hull; below zero where it makes a new vertex.
    #[must_use]
    pub fn above(&self, energy: f64) -> f64 {
        energy - self.energy
    }

    /// What the mixture is: `0.5 Li2O + 1 FePO4`.
    #[must_use]
    pub fn mixture(&self) -> String {
        let amount = |x: f64| {
            let text = format!("{x:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        let part = |p: &Product| format!("{} {}", amount(p.amount), p.formula);
        self.products.iter().map(part).collect::<Vec<_>>().join(" + ")
    }
}

/// Shares of atoms of the phases that make up the mixture of lowest energy.
fn shares(
    phases: &[&Phase],
    elements: &[Element],
    composition: &Composition,
) -> Result<Vec<(usize, f64)>, NoHull> {
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let columns: Vec<Variable> =
        phases.iter().map(|p| problem.add_var(p.energy, (0.0, 1.0))).collect();
    for &element in elements {
        let part = |c: &Composition| c.amount(element) / c.total();
        let row = columns.iter().zip(phases).map(|(x, p)| (*x, part(&p.composition)));
        let row: Vec<(Variable, f64)> = row.filter(|(_, part)| *part > 0.0).collect();
        problem.add_constraint(row.as_slice(), ComparisonOp::Eq, part(composition));
    }
    let outcome = problem.solve().map_err(|error| match error {
        microlp::Error::Infeasible => NoHull::NoMixture(phases.len()),
        other => NoHull::Solver(other.to_string()),
    })?;
    let solution = outcome
        .into_solution()
        .map_err(|_| NoHull::Solver("the linear program was interrupted".to_owned()))?;
    let shares = columns.iter().map(|x| solution[*x]).enumerate();
    let mut shares: Vec<(usize, f64)> = shares.filter(|(_, share)| *share > SHARE).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(shares)
}
