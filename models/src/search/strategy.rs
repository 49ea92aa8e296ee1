//! Ways to choose the next structures from the energies of those before.

use cellwright_crystal::neighbors::neighbors;
use cellwright_crystal::{Element, Structure};

use super::start::{Settings, radius, random_structure};
use crate::nn::random::Random;

/// Proposes structures and learns how good they were.
pub trait Strategy {
    /// A structure to be evaluated; none where no sensible one was found.
    fn ask(&mut self, random: &mut Random) -> Option<Structure>;

    /// The energy (eV/atom) of a structure that was asked for. Answers come in the order of the questions.
    fn tell(&mut self, structure: &Structure, energy: f64);
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The atoms of the cell.
    pub counts: Vec<(Element, u32)>,
    /// How starts are drawn.
    pub settings: Settings,
}

impl Problem {
    /// A random structure with symmetry, its atoms in the order of [`Self::elements`].
    pub(super) fn start(&self, random: &mut Random) -> Option<Structure> {
        let mut start = random_structure(&self.counts, &self.settings, random)?;
        start.sites.sort_by_key(|site| site.element);
        Some(start)
    }

    /// The elements of all atoms, in order.
    pub(super) fn elements(&self) -> Vec<Element> {
        let repeat = |(element, n): &(Element, u32)| std::iter::repeat_n(*element, *n as usize);
        let mut elements: Vec<Element> = self.counts.iter().flat_map(repeat).collect();
        elements.sort_unstable();
        elements
    }

    /// Whether no two atoms are closer than starts may be, and the volume is within a factor of two.
    pub(super) fn is_sensible(&self, structure: &Structure) -> bool {
        let radius = |i: usize| radius(structure.sites[i].element);
        let largest = (0..structure.len()).map(radius).fold(0.0, f64::max);
        let share = self.settings.shortest;
        let frac: Vec<_> = structure.sites.iter().map(|site| site.frac).collect();
        let volume = structure.lattice.volume() / self.settings.volume;
        (0.5..2.0).contains(&volume)
            && neighbors(&structure.lattice, &frac, 2.0 * share * largest).is_ok_and(|near| {
                let mut pairs = near.iter();
                pairs.all(|(i, n)| n.distance >= share * (radius(i) + radius(n.index as usize)))
            })
    }
}

/// Random search: every structure is drawn afresh, with a symmetry of its own.
#[derive(Debug, Clone)]
pub struct RandomSearch {
    problem: Problem,
}

impl RandomSearch {
    /// For a problem.
    #[must_use]
    pub fn new(problem: Problem) -> Self {
        Self { problem }
    }
}

impl Strategy for RandomSearch {
    fn ask(&mut self, random: &mut Random) -> Option<Structure> {
        self.problem.start(random)
    }

    fn tell(&mut self, _structure: &Structure, _energy: f64) {}
}

/// The best structures of a search, the lowest energy first.
///
/// `evaluate` gives energies (eV/atom) of some structures at once, none for what it cannot treat; `go_on` is asked before each
/// such call, with how many were evaluated.
pub fn search(
    strategy: &mut dyn Strategy,
    evaluations: usize,
    batch: usize,
    random: &mut Random,
    evaluate: &mut dyn FnMut(&[Structure]) -> Vec<Option<f64>>,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Vec<(Structure, f64)> {
    let mut found = Vec::new();
    let mut done = 0;
    while done < evaluations && go_on(done) {
        let wanted = batch.clamp(1, evaluations - done);
        let asked: Vec<Structure> = (0..wanted).filter_map(|_| strategy.ask(random)).collect();
        if asked.is_empty() {
            break;
        }
        done += wanted;
        for (structure, energy) in asked.iter().zip(evaluate(&asked)) {
            let energy = energy.filter(|e| e.is_finite());
            // What has no energy is as bad as can be, so that the strategy keeps away from it.
            strategy.tell(structure, energy.unwrap_or(f64::INFINITY));
            found.extend(energy.map(|energy| (structure.clone(), energy)));
        }
    }
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    found
}

#[cfg(test)]
mod tests {
    use cellwright_crystal::Lattice;

    use super::super::{BayesianSearch, ParticleSwarm};
    use super::*;

    fn problem() -> Problem {
        let element = |symbol| Element::from_symbol(symbol).unwrap();
        let settings = Settings { volume: 45.0, ..Settings::default() };
        Problem { counts: vec![(element("Na"), 1), (element("Cl"), 1)], settings }
    }

    /// How far a structure is from rock salt in a cube of its volume: least distances of 2.8 Å between unlike atoms, and
    /// angles of 60°.
    fn energy(structure: &Structure) -> f64 {
        let angles: f64 = structure.lattice.angles().iter().map(|a| (a - 60.0).powi(2)).sum();
        let frac = (structure.sites[0].frac - structure.sites[1].frac).map(|x| x - x.round());
        angles / 400.0 + frac.map(|x| 0.5 - x.abs()).norm_squared() * 4.0
    }

    fn best(strategy: &mut dyn Strategy, evaluations: usize, seed: u64) -> f64 {
        let mut evaluate = |list: &[Structure]| list.iter().map(|s| Some(energy(s))).collect();
        let random = &mut Random::new(seed, 0);
        search(strategy, evaluations, 10, random, &mut evaluate, &mut |_| true)[0].1
    }

    #[test]
    fn what_learns_from_energies_beats_chance() {
        let mean = |make: &dyn Fn() -> Box<dyn Strategy>| {
            (0..6).map(|seed| best(make().as_mut(), 300, seed)).sum::<f64>() / 6.0
        };
        let swarm = mean(&|| Box::new(ParticleSwarm::new(problem())));
        let bayesian = mean(&|| Box::new(BayesianSearch::new(problem())));
        // Without symmetry, as these two move their structures.
        let chance = {
            let settings = Settings { space_group: Some(1), ..problem().settings };
            let free = Problem { settings, ..problem() };
            mean(&|| Box::new(RandomSearch::new(free.clone())))
        };
        assert!(swarm < 0.5 * chance, "{swarm} {chance}");
        assert!(bayesian < 0.8 * chance, "{bayesian} {chance}");
    }

    #[test]
    fn what_is_asked_for_is_sensible_and_has_the_atoms() {
        for strategy in [
            &mut RandomSearch::new(problem()) as &mut dyn Strategy,
            &mut ParticleSwarm::new(problem()),
            &mut BayesianSearch::new(problem()),
        ] {
            let mut evaluate = |list: &[Structure]| {
                for structure in list {
                    let formula = structure.composition().reduced().0.formula();
                    assert_eq!((structure.len(), formula.as_str()), (2, "NaCl"));
                    let shortest = structure.closest_pair().unwrap().unwrap().distance;
                    assert!(shortest > 1.5, "{shortest}");
                }
                // Some have no energy.
                list.iter().enumerate().map(|(i, s)| (i % 3 != 0).then(|| energy(s))).collect()
            };
            let random = &mut Random::new(5, 0);
            let found = search(strategy, 100, 10, random, &mut evaluate, &mut |_| true);
            assert!(found.len() > 40 && found.len() < 80, "{}", found.len());
            assert!(found.windows(2).all(|pair| pair[0].1 <= pair[1].1));
        }
    }

    #[test]
    fn a_search_can_be_stopped_and_needs_room() {
        let mut evaluate = |list: &[Structure]| vec![Some(0.0); list.len()];
        let random = &mut Random::new(5, 0);
        let strategy = &mut RandomSearch::new(problem());
        let found = search(strategy, 100, 10, random, &mut evaluate, &mut |done| done < 20);
        assert!(found.len() <= 20 && found.len() > 10);
        let tight = Settings { volume: 3.0, attempts: 5, ..Settings::default() };
        let strategy = &mut RandomSearch::new(Problem { settings: tight, ..problem() });
        assert!(search(strategy, 100, 10, random, &mut evaluate, &mut |_| true).is_empty());
    }

    #[test]
    fn too_dense_and_too_thin_are_not_sensible() {
        let mut structure = problem().start(&mut Random::new(1, 0)).unwrap();
        assert!(problem().is_sensible(&structure));
        structure.lattice = Lattice::from_parameters([9.0; 3], [90.0; 3]).unwrap();
        assert!(!problem().is_sensible(&structure));
    }
}
