//! Structure prediction by search alone: structures are proposed, a learned potential says how good they are, and the best are
//! relaxed. No known structure takes part but for the volume that the composition lets expect.

use cellwright_crystal::{Element, Structure};

use crate::ModelError;
use crate::data::Crystal;
use crate::hull::NoHull;
use crate::nn::random::Random;
use crate::prototypes::Library;
use crate::search::{
    BayesianSearch, ParticleSwarm, Problem, RandomSearch, Settings, Strategy, search,
};
use crate::tasks::finish::{self, Evaluate, finish};
use crate::tasks::predict::{Draft, Prediction, Request, Source, distinct};

/// How the next structures are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By chance, with symmetry.
    Random,
    /// By a particle swarm.
    Swarm,
    /// By Bayesian optimisation.
    Bayesian,
}

impl Kind {
    fn strategy(self, problem: Problem) -> Box<dyn Strategy> {
        match self {
            Self::Random => Box::new(RandomSearch::new(problem)),
            Self::Swarm => Box::new(ParticleSwarm::new(problem)),
            Self::Bayesian => Box::new(BayesianSearch::new(problem)),
        }
    }
}

/// How long to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How the next structures are chosen.
    pub kind: Kind,
    /// Structures whose energy is asked for, as they are.
    pub evaluations: usize,
    /// Different ones among the best of them that are relaxed.
    pub relaxed: usize,
    /// Steps that the best of these get at most.
    pub steps: usize,
    /// Of whatever chance decides.
    pub seed: u64,
}

/// Structures whose energies are asked for at once.
const BATCH: usize = 20;

/// Looks for a crystal by its composition and the size of its primitive cell; the lowest energy first.
///
/// # Errors
/// When the crystal is none or the potential fails.
pub fn look(
    library: &Library,
    crystal: &Crystal,
    plan: &Plan,
    evaluate: &mut Evaluate<'_>,
) -> Result<Vec<Structure>, ModelError> {
    let composition = crystal.structure()?.composition();
    let counts: Vec<(Element, u32)> = composition.iter().map(|(e, n)| (e, n as u32)).collect();
    let settings = Settings { volume: library.expected_volume(&counts), ..Settings::default() };
    let mut strategy = plan.kind.strategy(Problem { counts: counts.clone(), settings });
    let mut energies = |structures: &[Structure]| {
        let answers = evaluate(&structures.iter().collect::<Vec<_>>());
        answers.into_iter().map(|answer| Some(answer.ok()?.energy_per_atom)).collect()
    };
    let random = &mut Random::new(plan.seed, 0);
    let go_on = &mut |_| true;
    let found = search(strategy.as_mut(), plan.evaluations, BATCH, random, &mut energies, go_on);
    let source = Source::Search { seed: plan.seed };
    let draft = |(structure, _)| Draft { structure, source: source.clone(), probability: None };
    // Comparing every structure with every other would take longer than their energies.
    let best = found.into_iter().take(4 * plan.relaxed).map(draft).collect();
    let request = Request {
        composition: counts,
        units: None,
        space_group: None,
        answers: plan.relaxed,
        samples: 0,
        starts: Some(0),
        seed: plan.seed,
    };
    let drafts = distinct(best, plan.relaxed);
    let candidates = drafts.into_iter().map(|draft| request.candidate(draft, None)).collect();
    let prediction = Prediction { candidates, ..Prediction::default() };
    let options = finish::Options { steps: plan.steps };
    let relaxed = finish(prediction, Err(NoHull::Empty), None, &options, evaluate, &mut |_| true)?;
    Ok(relaxed.candidates.into_iter().map(|candidate| candidate.structure).collect())
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix3, Vector3};

    use super::*;
    use crate::Evaluation;
    use crate::prototypes::Provenance;

    fn salt() -> Crystal {
        Crystal {
            id: "CsCl".into(),
            numbers: vec![55, 17],
            frac: vec![[0.0; 3], [0.5; 3]],
            lengths: [4.1; 3],
            angles: [90.0; 3],
        }
    }

    /// Lower the nearer the angles are to 90°; nothing pulls at an atom.
    fn energy(structure: &Structure) -> f64 {
        structure.lattice.angles().iter().map(|a| (a - 90.0).abs()).sum::<f64>() / 90.0
    }

    fn answer(structure: &Structure) -> Result<Evaluation, ModelError> {
        let n = structure.len();
        Ok(Evaluation {
            energy_per_atom: energy(structure),
            forces: vec![Vector3::zeros(); n],
            stress: Matrix3::zeros(),
            magmoms: vec![0.0; n],
            site_energies: vec![0.0; n],
            cautions: Vec::new(),
        })
    }

    #[test]
    fn the_lowest_of_what_was_seen_comes_first() {
        let library = Library::new(Vec::new(), Provenance::default());
        for kind in [Kind::Random, Kind::Swarm, Kind::Bayesian] {
            let plan = Plan { kind, evaluations: 60, relaxed: 4, steps: 5, seed: 1 };
            let mut seen = Vec::new();
            let mut evaluate = |structures: &[&Structure]| {
                seen.extend(structures.iter().map(|s| energy(s)));
                structures.iter().map(|s| answer(s)).collect()
            };
            let found = look(&library, &salt(), &plan, &mut evaluate).unwrap();
            assert!(!found.is_empty() && found.len() <= 4, "{kind:?}: {}", found.len());
            let lowest = seen.iter().copied().fold(f64::INFINITY, f64::min);
            assert!((energy(&found[0]) - lowest).abs() < 1e-9, "{kind:?}");
            assert!(seen.len() >= 60, "{kind:?}: {}", seen.len());
            let composition = salt().structure().unwrap().composition();
            assert!(found.iter().all(|s| s.composition() == composition));
            assert_eq!(
                found,
                look(&library, &salt(), &plan, &mut |s| { s.iter().map(|s| answer(s)).collect() })
                    .unwrap()
            );
        }
    }

    #[test]
    fn without_a_potential_nothing_is_found() {
        let library = Library::new(Vec::new(), Provenance::default());
        let plan = Plan { kind: Kind::Random, evaluations: 20, relaxed: 4, steps: 5, seed: 1 };
        let mut evaluate = |structures: &[&Structure]| {
            structures.iter().map(|_| Err(ModelError::Unsupported("Cs".into()))).collect()
        };
        assert!(look(&library, &salt(), &plan, &mut evaluate).unwrap().is_empty());
    }
}
