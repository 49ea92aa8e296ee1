//! Noise of fractional coordinates without their centre of mass, and what the network is to say about it.

use std::f64::consts::TAU;

use super::config::Score;
use super::tables::Entry;
use super::wrapped;

/// To (−½, ½].
#[must_use]
pub fn wrap(x: f64) -> f64 {
    let x = x - x.floor();
    if x > 0.5 { x - 1.0 } else { x }
}

/// Circular mean of numbers on a circle of circumference 1, in [0, 1).
#[must_use]
pub fn circular_mean(x: &[f64]) -> f64 {
    let sine: f64 = x.iter().map(|x| (TAU * x).sin()).sum();
    let cosine: f64 = x.iter().map(|x| (TAU * x).cos()).sum();
    (sine.atan2(cosine) / TAU).rem_euclid(1.0)
}

/// Subtracts the circular mean; the result is in [0, 1).
pub fn remove_mean(x: &mut [f64]) {
    let mean = circular_mean(x);
    for x in x {
        *x = (*x - mean).rem_euclid(1.0);
    }
}

/// Derivative of the circular mean of `x` with respect to each of them.
///
/// Where the points balance and no mean is defined, the derivative is 0.
#[must_use]
pub fn circular_mean_slopes(x: &[f64]) -> Vec<f64> {
    let count = x.len() as f64;
    let u = x.iter().map(|x| (TAU * x).sin()).sum::<f64>() / count;
    let v = x.iter().map(|x| (TAU * x).cos()).sum::<f64>() / count;
    let square = u * u + v * v;
    if square < 1e-24 {
        return vec![0.0; x.len()];
    }
    x.iter()
        .map(|x| {
            let (sine, cosine) = (TAU * x).sin_cos();
            (v * cosine + u * sine) / square / count
        })
        .collect()
}

/// What the two heads are to predict for the atoms of one crystal along one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// Displacements over their standard deviation.
    pub position: Vec<f64>,
    /// Scores over theirs.
    pub score: Vec<f64>,
}

/// Targets for the noise `noise` = σ ε of one crystal's atoms along one axis.
#[must_use]
pub fn targets(noise: &[f64], sigma: f64, entry: Entry, score: Score) -> Targets {
    match score {
        Score::VonMises if noise.len() == 1 => Targets { position: vec![0.0], score: vec![0.0] },
        Score::VonMises => {
            let mut free = noise.to_vec();
            remove_mean(&mut free);
            let position = entry.position_variance.sqrt();
            let slope = TAU * entry.kappa / entry.score_variance.sqrt();
            Targets {
                position: free.iter().map(|n| wrap(*n) / position).collect(),
                score: free.iter().map(|n| slope * (TAU * n).sin()).collect(),
            }
        }
        Score::WrappedNormal => Targets {
            position: vec![0.0; noise.len()],
            score: noise
                .iter()
                .map(|n| wrapped::score(*n, sigma) / entry.score_variance.sqrt())
                .collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 5] = [0.1, 0.95, 0.3, 0.02, 0.88];

    #[test]
    fn wrapping() {
        for (x, wrapped) in [(0.5, 0.5), (-0.5, 0.5), (0.75, -0.25), (1.25, 0.25), (-3.0, 0.0)] {
            assert_eq!(wrap(x), wrapped);
        }
    }

    #[test]
    fn what_is_left_does_not_know_where_the_crystal_is() {
        let mut here = X;
        let mut there = X.map(|x| x + 0.37);
        remove_mean(&mut here);
        remove_mean(&mut there);
        for (a, b) in here.iter().zip(there) {
            assert!(wrap(a - b).abs() < 1e-12);
        }
        assert!(wrap(circular_mean(&here)).abs() < 1e-12);
    }

    #[test]
    fn slopes_of_the_mean() {
        let slopes = circular_mean_slopes(&X);
        for i in 0..X.len() {
            let shifted = |h: f64| {
                let mut x = X;
                x[i] += h;
                circular_mean(&x)
            };
            let slope = wrap(shifted(1e-6) - shifted(-1e-6)) / 2e-6;
            assert!((slope - slopes[i]).abs() < 1e-8);
        }
        assert_eq!(circular_mean_slopes(&[0.0, 0.25, 0.5, 0.75]), [0.0; 4]);
    }

    #[test]
    fn one_atom_has_nothing_to_learn() {
        let entry = Entry { kappa: 0.0, score_variance: 1.0, position_variance: 1.0 };
        let targets = targets(&[0.3], 0.1, entry, Score::VonMises);
        assert_eq!((targets.position[0], targets.score[0]), (0.0, 0.0));
    }
}
