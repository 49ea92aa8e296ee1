//! A learning rate that falls when the loss no longer does.

use serde::{Deserialize, Serialize};

/// When and how far the rate falls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Learning rate at the start \[1e-3\].
    pub start: f64,
    /// Factor at a plateau \[0.6\].
    pub factor: f64,
    /// Looks without improvement that make a plateau \[30\].
    pub patience: u32,
    /// Smallest rate \[1e-4\].
    pub floor: f64,
    /// Relative improvement that counts as one \[1e-4\].
    pub threshold: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { start: 1e-3, factor: 0.6, patience: 30, floor: 1e-4, threshold: 1e-4 }
    }
}

/// The present rate and how long the loss has not fallen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// Learning rate.
    pub rate: f64,
    best: Option<f64>,
    waited: u32,
}

impl Plateau {
    /// At the start.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self { rate: settings.start, best: None, waited: 0 }
    }

    /// Looks at a loss; the rate may fall.
    pub fn look(&mut self, loss: f64, settings: &Settings) {
        if self.best.is_none_or(|best| loss < best * (1.0 - settings.threshold)) {
            self.best = Some(loss);
            self.waited = 0;
            return;
        }
        self.waited += 1;
        if self.waited > settings.patience {
            self.rate = (self.rate * settings.factor).max(settings.floor);
            self.waited = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_falls_after_patience_and_stops_at_the_floor() {
        let settings = Settings { patience: 2, floor: 5e-4, ..Settings::default() };
        let mut plateau = Plateau::new(&settings);
        for (loss, rate) in
            [(1.0, 1e-3), (0.9, 1e-3), (0.95, 1e-3), (0.9, 1e-3), (0.899_99, 6e-4), (0.8, 6e-4)]
        {
            plateau.look(loss, &settings);
            assert!((plateau.rate - rate).abs() < 1e-12, "{loss}: {}", plateau.rate);
        }
        for _ in 0..20 {
            plateau.look(f64::NAN, &settings);
        }
        assert_eq!(plateau.rate, 5e-4);
    }
}
