//! FIRE: molecular dynamics that is turned downhill and stopped whenever it runs uphill (Bitzek et al., PRL 97, 170201, 2006).

use nalgebra::Vector3;

use super::{LONGEST_STEP, Minimiser};

/// Parameters of the paper, with ASE's time steps (unit mass).
const FIRST_TIME_STEP: f64 = 0.1;
const LONGEST_TIME_STEP: f64 = 1.0;
const PATIENCE: usize = 5;
const GROW: f64 = 1.1;
const SHRINK: f64 = 0.5;
const FIRST_MIXING: f64 = 0.1;
const MIXING_DECAY: f64 = 0.99;

/// The state of the dynamics.
#[derive(Debug)]
pub(super) struct Fire {
    velocity: Vec<Vector3<f64>>,
    time_step: f64,
    mixing: f64,
    steps_downhill: usize,
}

impl Fire {
    pub(super) fn new() -> Self {
        Self {
            velocity: Vec::new(),
            time_step: FIRST_TIME_STEP,
            mixing: FIRST_MIXING,
            steps_downhill: 0,
        }
    }

    fn stop(&mut self) {
        self.velocity.iter_mut().for_each(|v| *v = Vector3::zeros());
        self.time_step *= SHRINK;
        self.mixing = FIRST_MIXING;
        self.steps_downhill = 0;
    }
}

impl Minimiser for Fire {
    fn step(&mut self, _energy: f64, forces: &[Vector3<f64>]) -> Vec<Vector3<f64>> {
        self.velocity.resize(forces.len(), Vector3::zeros());
        let power: f64 = self.velocity.iter().zip(forces).map(|(v, f)| v.dot(f)).sum();
        if power > 0.0 {
            let speed = norm(&self.velocity);
            let pull = self.mixing * speed / norm(forces);
            for (v, f) in self.velocity.iter_mut().zip(forces) {
                *v = *v * (1.0 - self.mixing) + f * pull;
            }
            if self.steps_downhill > PATIENCE {
                self.time_step = (self.time_step * GROW).min(LONGEST_TIME_STEP);
                self.mixing *= MIXING_DECAY;
            }
            self.steps_downhill += 1;
        } else if power < 0.0 {
            self.stop();
        }
        for (v, f) in self.velocity.iter_mut().zip(forces) {
            *v += f * self.time_step;
        }
        // A speed that the step length forbids would only have to be lost again.
        let longest = self.velocity.iter().map(Vector3::norm).fold(0.0, f64::max) * self.time_step;
        if longest > LONGEST_STEP {
            self.velocity.iter_mut().for_each(|v| *v *= LONGEST_STEP / longest);
        }
        self.velocity.iter().map(|v| v * self.time_step).collect()
    }

    fn reset(&mut self) {
        self.stop();
    }
}

fn norm(rows: &[Vector3<f64>]) -> f64 {
    rows.iter().map(Vector3::norm_squared).sum::<f64>().sqrt()
}
