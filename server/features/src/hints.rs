//! Inlay hints: the force at sites that are far from equilibrium.

use cellwright_syntax::Reading;

use crate::Energy;

/// Text shown inside the document.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// Behind this byte.
    pub offset: usize,
    /// What is shown: `|F| 1.84 eV/Å`.
    pub label: String,
    /// More, for whoever asks.
    pub tooltip: String,
}

/// A hint behind every row whose atoms feel more than `threshold` (eV/Å).
#[must_use]
pub fn force_hints(reading: &Reading, energy: &Energy, threshold: f64) -> Vec<Hint> {
    let rows = reading.sites.iter().zip(energy.row_forces(reading));
    rows.filter_map(|(site, force)| Some((site, force.filter(|f| *f > threshold)?)))
        .map(|(site, force)| Hint {
            offset: site.row.end,
            label: format!("|F| {force:.2} eV/Å"),
            tooltip: format!(
                "Force on {} after {}: {force:.3} eV/Å. At equilibrium it is zero.",
                site.label, energy.model
            ),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{POSCAR, energy, poscar};

    #[test]
    fn only_rows_above_the_threshold_have_a_hint_at_their_end() {
        let parsed = poscar(POSCAR);
        let hints = force_hints(&parsed.readings[0], &energy(&[0.9, 1.5]), 1.0);
        assert_eq!(hints.len(), 1);
        assert_eq!(hints[0].label, "|F| 1.50 eV/Å");
        assert!(POSCAR[..hints[0].offset].ends_with("0.5 0.5 0.5"));
    }
}
