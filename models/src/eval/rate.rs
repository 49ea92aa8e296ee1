//! Shares and means over questions, with how sure they are.

use cellwright_crystal::metrics::bootstrap;
use serde::Serialize;

/// Draws of the bootstrap.
const DRAWS: usize = 1000;

/// A share or mean with its 95 % interval, by bootstrap over crystals: the questions about one crystal are drawn together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// The number itself.
    pub value: f64,
    /// Its interval; none where it could not be had.
    pub interval: Option<[f64; 2]>,
}

/// A quotient of sums: a numerator and a denominator for each question, in the order of the crystals they are about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums(Vec<(usize, [f64; 2])>);

impl Sums {
    /// Of a question about a crystal.
    pub(crate) fn add(&mut self, crystal: usize, numerator: f64, denominator: f64) {
        match self.0.last_mut() {
            Some((last, sums)) if *last == crystal => {
                sums[0] += numerator;
                sums[1] += denominator;
            }
            _ => self.0.push((crystal, [numerator, denominator])),
        }
    }

    /// One or nothing.
    pub(crate) fn count(&mut self, crystal: usize, right: bool) {
        self.add(crystal, f64::from(u8::from(right)), 1.0);
    }

    /// None without anything to divide by.
    pub(crate) fn rate(&self, seed: u64) -> Option<Rate> {
        let quotient = |all: &mut dyn Iterator<Item = [f64; 2]>| {
            let [a, b] = all.fold([0.0; 2], |[a, b], [x, y]| [a + x, b + y]);
            a / b
        };
        let value = quotient(&mut self.0.iter().map(|(_, s)| *s));
        let drawn = |draw: &[usize]| quotient(&mut draw.iter().map(|i| self.0[*i].1));
        let interval = bootstrap(self.0.len(), drawn, DRAWS, 0.95, seed);
        value.is_finite().then(|| Rate { value, interval: interval.map(|i| [i.low, i.high]) })
    }

    /// One minus the quotient.
    pub(crate) fn rest(&self, seed: u64) -> Option<Rate> {
        let Rate { value, interval } = self.rate(seed)?;
        Some(Rate { value: 1.0 - value, interval: interval.map(|[a, b]| [1.0 - b, 1.0 - a]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_of_one_crystal_are_drawn_together() {
        let (mut apart, mut together) = (Sums::default(), Sums::default());
        for i in 0..400 {
            apart.count(i, i % 2 == 0);
            together.count(i / 100, i / 100 % 2 == 0);
        }
        let [apart, together] = [apart, together].map(|s| s.rate(1).unwrap());
        assert_eq!((apart.value, together.value), (0.5, 0.5));
        let width = |rate: Rate| rate.interval.map(|[a, b]| b - a).unwrap();
        // Standard errors 0.5 / √400 and 0.5 / √4.
        assert!((width(apart) - 0.098).abs() < 0.02, "{}", width(apart));
        assert!(width(together) > 0.7);
        assert_eq!(Sums::default().rate(0), None);
    }

    #[test]
    fn what_is_left_of_one() {
        let mut sums = Sums::default();
        sums.add(0, 1.0, 4.0);
        sums.add(1, 0.0, 4.0);
        let rest = sums.rest(1).unwrap();
        assert_eq!(rest.value, 0.875);
        assert!(rest.interval.is_some_and(|[low, high]| low <= 0.875 && 0.875 <= high));
    }
}
