//! Whether probabilities are what they say.

use serde::Serialize;

/// Bins of equal width between 0 and 1.
const BINS: usize = 10;

/// Answers whose probability lies in one bin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// How many there are.
    pub answers: usize,
    /// Mean of their probabilities.
    pub said: f64,
    /// Share of them that is right.
    pub right: f64,
}

/// Probabilities, each with whether it came true, in bins; empty bins are left out.
#[must_use]
pub fn bins(answers: &[(f64, bool)]) -> Vec<Bin> {
    let mut bins = [(0, 0.0, 0); BINS];
    for (chance, right) in answers {
        let bin = &mut bins[((chance * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += 1;
        bin.1 += chance;
        bin.2 += usize::from(*right);
    }
    let bin = |(answers, said, right): (usize, f64, usize)| {
        let mean = |sum: f64| sum / answers as f64;
        Bin { answers, said: mean(said), right: mean(right as f64) }
    };
    bins.into_iter().filter(|(answers, ..)| *answers > 0).map(bin).collect()
}

/// Expected calibration error: mean over the answers of the distance between what was said and how often it came true,
/// bin by bin (Naeini, Cooper & Hauskrecht, *AAAI* 2015). None of nothing.
#[must_use]
pub fn error(bins: &[Bin]) -> Option<f64> {
    let all: usize = bins.iter().map(|bin| bin.answers).sum();
    let sum: f64 = bins.iter().map(|bin| bin.answers as f64 * (bin.said - bin.right).abs()).sum();
    (all > 0).then(|| sum / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calibrated_probability_is_how_often_it_is_right() {
        let quarter: Vec<(f64, bool)> = (0..40).map(|i| (0.25, i % 4 == 0)).collect();
        assert!(error(&bins(&quarter)).unwrap() < 1e-12);
        let vain = [(0.85, false); 40];
        assert!((error(&bins(&vain)).unwrap() - 0.85).abs() < 1e-12);
        let both = [quarter, vain.to_vec()].concat();
        let binned = bins(&both);
        assert_eq!(binned.len(), 2);
        assert_eq!((binned[0].answers, binned[0].right), (40, 0.25));
        assert!((error(&binned).unwrap() - 0.425).abs() < 1e-12);
        assert_eq!(error(&bins(&[])), None);
        assert_eq!(bins(&[(1.0, true)]), [Bin { answers: 1, said: 1.0, right: 1.0 }]);
    }
}
