//! Bayesian optimisation with a tree of Parzen estimators (Bergstra, Bardenet, Bengio and Kégl, NIPS 2011).

use cellwright_crystal::{Element, Structure};

use super::genome::{CELL, Genome, difference};
use super::strategy::{Problem, Strategy};
use crate::nn::random::Random;

/// Random structures before the first guess.
const STARTS: usize = 40;

/// Share of all structures that counts as good.
const GOOD: f64 = 0.15;

/// Guesses of which the most promising one is asked for.
const GUESSES: usize = 24;

/// Guesses that are tried until so many are sensible.
const TRIES: usize = 200;

/// Share of questions that stay random.
const FRESH: f64 = 0.2;

/// Widths of the kernels: of logarithms of lengths, of angles (radians), of fractional coordinates. With the number of good
/// structures n they shrink as n^(−1/5).
const WIDTHS: [f64; 3] = [0.12, 0.15, 0.12];

/// Two densities are kept, of the good structures and of the others; what is likely under the first and not under the second is
/// asked for. The numbers of a structure are taken as independent.
#[derive(Debug, Clone)]
pub struct BayesianSearch {
    problem: Problem,
    elements: Vec<Element>,
    known: Vec<(Genome, f64)>,
}

impl BayesianSearch {
    /// Starts with random structures.
    #[must_use]
    pub fn new(problem: Problem) -> Self {
        Self { elements: problem.elements(), problem, known: Vec::new() }
    }

    fn guess(&self, random: &mut Random) -> Option<Structure> {
        if self.known.len() < STARTS || random.uniform() < FRESH {
            return None;
        }
        let good = ((self.known.len() as f64 * GOOD).ceil() as usize).max(2);
        let (good, others) = self.known.split_at(good.min(self.known.len()));
        let shrink = (good.len() as f64).powf(-0.2);
        let width = |i: usize| {
            shrink
                * WIDTHS[if i < 3 {
                    0
                } else if i < CELL {
                    1
                } else {
                    2
                }]
        };
        let density = |of: &[(Genome, f64)], i: usize, x: f64| {
            let kernel = |(genome, _): &(Genome, f64)| {
                (-0.5 * (difference(i, x - genome.0[i]) / width(i)).powi(2)).exp()
            };
            of.iter().map(kernel).sum::<f64>() / of.len().max(1) as f64 + 1e-6
        };
        let mut best: Option<(f64, Structure)> = None;
        let mut guesses = 0;
        for _ in 0..TRIES {
            let draw =
                |i: usize| good[random.below(good.len())].0.0[i] + width(i) * random.normal();
            let mut genome = Genome((0..good[0].0.0.len()).map(draw).collect());
            genome.clamp();
            let Some(structure) = genome.structure(&self.elements) else { continue };
            if !self.problem.is_sensible(&structure) {
                continue;
            }
            let promise = genome
                .0
                .iter()
                .enumerate()
                .map(|(i, x)| (density(good, i, *x) / density(others, i, *x)).ln());
            let promise: f64 = promise.sum();
            if best.as_ref().is_none_or(|(most, _)| promise > *most) {
                best = Some((promise, structure));
            }
            guesses += 1;
            if guesses == GUESSES {
                break;
            }
        }
        best.map(|(_, structure)| structure)
    }
}

impl Strategy for BayesianSearch {
    fn ask(&mut self, random: &mut Random) -> Option<Structure> {
        self.guess(random).or_else(|| self.problem.start(random))
    }

    fn tell(&mut self, structure: &Structure, energy: f64) {
        let at = self.known.partition_point(|(_, e)| *e <= energy);
        self.known.insert(at, (Genome::of(structure), energy));
    }
}
