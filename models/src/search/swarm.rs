//! Particle swarm optimisation (Kennedy and Eberhart 1995), as CALYPSO has it for crystals (Wang, Lv, Zhu and Ma,
//! Phys. Rev. B 82 (2010) 094116).

use std::collections::VecDeque;

use cellwright_crystal::{Element, Structure};

use super::genome::Genome;
use super::strategy::{Problem, Strategy};
use crate::nn::random::Random;

/// Particles of the swarm.
const PARTICLES: usize = 20;

/// How much of its velocity a particle keeps, at the first and after [`COOLING`] moves.
const INERTIA: [f64; 2] = [0.9, 0.4];
const COOLING: f64 = 20.0;

/// Pull towards the particle's own best and the swarm's best.
const PULL: f64 = 1.5;

/// Share of moves that are fresh random structures instead, which keeps the swarm from settling too early.
const FRESH: f64 = 0.2;

/// Moves that are tried until one gives a sensible structure; each is half as long as the one before.
const TRIES: usize = 4;

#[derive(Debug, Clone)]
struct Particle {
    place: Genome,
    velocity: Vec<f64>,
    best: Option<(Genome, f64)>,
    moves: f64,
}

/// Structures that fly towards the best one so far, each with a memory of its own best.
#[derive(Debug, Clone)]
pub struct ParticleSwarm {
    problem: Problem,
    elements: Vec<Element>,
    particles: Vec<Particle>,
    /// Particles whose energy is awaited, in order.
    awaited: VecDeque<usize>,
    next: usize,
}

impl ParticleSwarm {
    /// A swarm that starts with random structures.
    #[must_use]
    pub fn new(problem: Problem) -> Self {
        let elements = problem.elements();
        Self { problem, elements, particles: Vec::new(), awaited: VecDeque::new(), next: 0 }
    }

    /// The best place of all.
    fn best(&self) -> Option<&Genome> {
        let known = self.particles.iter().filter_map(|p| p.best.as_ref());
        known.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(place, _)| place)
    }

    /// Moves a particle; none when that leads nowhere sensible.
    fn moved(&self, index: usize, random: &mut Random) -> Option<(Particle, Structure)> {
        let mut particle = self.particles[index].clone();
        let (own, _) = particle.best.as_ref()?;
        let (own, all) = (own.minus(&particle.place), self.best()?.minus(&particle.place));
        let inertia = INERTIA[0] + (INERTIA[1] - INERTIA[0]) * (particle.moves / COOLING).min(1.0);
        for (i, v) in particle.velocity.iter_mut().enumerate() {
            *v = inertia * *v + PULL * (random.uniform() * own[i] + random.uniform() * all[i]);
        }
        particle.moves += 1.0;
        let from = particle.place.clone();
        for _ in 0..TRIES {
            particle.place =
                Genome(from.0.iter().zip(&particle.velocity).map(|(x, v)| x + v).collect());
            particle.place.clamp();
            if let Some(structure) = particle.place.structure(&self.elements)
                && self.problem.is_sensible(&structure)
            {
                return Some((particle, structure));
            }
            particle.velocity.iter_mut().for_each(|v| *v *= 0.5);
        }
        None
    }
}

impl Strategy for ParticleSwarm {
    fn ask(&mut self, random: &mut Random) -> Option<Structure> {
        let index = self.next % PARTICLES;
        self.next += 1;
        let is_old = index < self.particles.len();
        if is_old
            && random.uniform() >= FRESH
            && let Some((particle, structure)) = self.moved(index, random)
        {
            self.particles[index] = particle;
            self.awaited.push_back(index);
            return Some(structure);
        }
        let start = self.problem.start(random)?;
        let place = Genome::of(&start);
        // The particle flies on from here, and remembers what it found elsewhere.
        let best = self.particles.get(index).and_then(|p| p.best.clone());
        let velocity = vec![0.0; place.0.len()];
        let particle = Particle { place, velocity, best, moves: 0.0 };
        match self.particles.get_mut(index) {
            Some(old) => *old = particle,
            None => self.particles.push(particle),
        }
        self.awaited.push_back(index.min(self.particles.len() - 1));
        Some(start)
    }

    fn tell(&mut self, structure: &Structure, energy: f64) {
        let Some(index) = self.awaited.pop_front() else { return };
        let particle = &mut self.particles[index];
        if energy.is_finite() && particle.best.as_ref().is_none_or(|(_, best)| energy < *best) {
            particle.best = Some((Genome::of(structure), energy));
        }
    }
}
