//! Limited-memory BFGS with a trust radius instead of a line search (Nocedal & Wright, Numerical Optimization, alg. 7.4).
//!
//! One energy a step is all that is spent: a step that went uphill shortens the next ones and clears the memory.

use std::collections::VecDeque;

use nalgebra::Vector3;

use super::{LONGEST_STEP, Minimiser};

/// Pairs remembered.
const MEMORY: usize = 20;

/// First guess of the curvature (eV/Å²), that of a stiff bond, as ASE has it.
const CURVATURE: f64 = 70.0;

/// The trust radius never falls below this (Å).
const SHORTEST_RADIUS: f64 = 0.005;

type Rows = Vec<Vector3<f64>>;

/// The memory.
#[derive(Debug)]
pub(super) struct Lbfgs {
    /// Displacement and change of the gradient, oldest first.
    pairs: VecDeque<(Rows, Rows)>,
    /// Energy and forces before the last step, and that step.
    last: Option<(f64, Rows, Rows)>,
    radius: f64,
}

impl Lbfgs {
    pub(super) fn new() -> Self {
        Self { pairs: VecDeque::new(), last: None, radius: LONGEST_STEP }
    }

    /// Learns from the step that led here.
    fn learn(&mut self, energy: f64, forces: &[Vector3<f64>]) {
        let Some((before, old_forces, step)) = self.last.take() else { return };
        if energy > before + 1e-6 * step.len() as f64 {
            self.pairs.clear();
            self.radius = (self.radius * 0.5).max(SHORTEST_RADIUS);
            return;
        }
        self.radius = (self.radius * 1.2).min(LONGEST_STEP);
        let change: Rows = old_forces.iter().zip(forces).map(|(old, new)| old - new).collect();
        // Only a positive curvature keeps the approximate inverse Hessian positive.
        if dot(&step, &change) > 1e-10 * dot(&step, &step) {
            if self.pairs.len() == MEMORY {
                self.pairs.pop_front();
            }
            self.pairs.push_back((step, change));
        }
    }

    /// The two-loop recursion: inverse Hessian times force.
    fn direction(&self, forces: &[Vector3<f64>]) -> Rows {
        let mut d = forces.to_vec();
        let mut weights = Vec::with_capacity(self.pairs.len());
        for (s, y) in self.pairs.iter().rev() {
            let weight = dot(s, &d) / dot(s, y);
            add(&mut d, y, -weight);
            weights.push(weight);
        }
        let scale = self.pairs.back().map_or(1.0 / CURVATURE, |(s, y)| dot(s, y) / dot(y, y));
        d.iter_mut().for_each(|row| *row *= scale);
        for ((s, y), weight) in self.pairs.iter().zip(weights.iter().rev()) {
            let along = dot(y, &d) / dot(s, y);
            add(&mut d, s, weight - along);
        }
        d
    }
}

impl Minimiser for Lbfgs {
    fn step(&mut self, energy: f64, forces: &[Vector3<f64>]) -> Rows {
        self.learn(energy, forces);
        let mut step = self.direction(forces);
        if dot(&step, forces) <= 0.0 {
            self.pairs.clear();
            step = self.direction(forces);
        }
        let longest = step.iter().map(Vector3::norm).fold(0.0, f64::max);
        if longest > self.radius {
            step.iter_mut().for_each(|row| *row *= self.radius / longest);
        }
        self.last = Some((energy, forces.to_vec(), step.clone()));
        step
    }

    fn reset(&mut self) {
        self.pairs.clear();
        self.last = None;
        self.radius = (self.radius * 0.5).max(SHORTEST_RADIUS);
    }
}

fn dot(a: &[Vector3<f64>], b: &[Vector3<f64>]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.dot(b)).sum()
}

fn add(sum: &mut [Vector3<f64>], other: &[Vector3<f64>], factor: f64) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += other * factor;
    }
}
