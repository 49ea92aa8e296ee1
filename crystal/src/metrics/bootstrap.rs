//! How sure a number is that was measured on a sample.

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The percentile bootstrap interval (Efron, *Ann. Statist.* **7**, 1 (1979)) of a statistic over
/// `items` things: it is computed for `resamples` draws with replacement, each given as indices, and the
/// middle `level` (0.95, say) of the results is kept. The same seed gives the same interval everywhere.
///
/// `None` without items or resamples, for a level outside (0, 1), and where a statistic is not finite.
pub fn bootstrap(
    items: usize,
    statistic: impl Fn(&[usize]) -> f64,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Option<Interval> {
    if items == 0 || resamples == 0 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let mut random = SplitMix(seed);
    let mut draw = vec![0; items];
    let mut results = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        draw.fill_with(|| random.below(items));
        results.push(statistic(&draw));
    }
    if results.iter().any(|r| !r.is_finite()) {
        return None;
    }
    results.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    Some(Interval { low: quantile(&results, tail), high: quantile(&results, 1.0 - tail) })
}

/// Linear between the order statistics; `sorted` is not empty.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

/// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): small, and the same on every machine.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly among 0 to n − 1, up to n / 2⁶⁴.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SplitMix(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn the_interval_of_a_rate_is_that_of_the_binomial() {
        // 400 of 1000 found: 0.4 ± 1.96 √(0.4 · 0.6 / 1000) = 0.3696 to 0.4304.
        let rate =
            |draw: &[usize]| draw.iter().filter(|i| **i < 400).count() as f64 / draw.len() as f64;
        let interval = bootstrap(1000, rate, 2000, 0.95, 7).unwrap();
        assert!((interval.low - 0.3696).abs() < 0.004, "{interval:?}");
        assert!((interval.high - 0.4304).abs() < 0.004, "{interval:?}");
        assert_eq!(bootstrap(1000, rate, 2000, 0.95, 7), Some(interval));
        assert_ne!(bootstrap(1000, rate, 2000, 0.95, 8), Some(interval));
    }

    #[test]
    fn nothing_to_draw_gives_nothing() {
        assert_eq!(bootstrap(0, |_| 1.0, 10, 0.95, 0), None);
        assert_eq!(bootstrap(5, |_| 1.0, 0, 0.95, 0), None);
        assert_eq!(bootstrap(5, |_| 1.0, 10, 1.0, 0), None);
        assert_eq!(bootstrap(5, |_| f64::NAN, 10, 0.95, 0), None);
        let constant = Interval { low: 2.0, high: 2.0 };
        assert_eq!(bootstrap(5, |_| 2.0, 1, 0.95, 0), Some(constant));
    }
}
