//! Which tabulated setting is meant, by a symbol and the cell, or by a list of operations.

use cellwright_crystal::Lattice;
use cellwright_crystal::symmetry::{Operation, Setting};

/// How much better (relative change of the metric) the cell must fit a later candidate than the conventional
/// first one: well above rounding, well below the difference between two axis choices.
const CLEARLY_BETTER: f64 = 1e-3;

/// Of the settings that a symbol may stand for those that the cell fits, in their order: `R -3 m` with γ = 90° is on
/// rhombohedral axes. More than one stays where they differ in the origin only.
pub(super) fn fitting(candidates: &[Setting], lattice: Option<&Lattice>) -> Vec<Setting> {
    let Some(lattice) = lattice else { return candidates.to_vec() };
    let misfits: Vec<f64> = candidates.iter().map(|s| s.metric_misfit(lattice)).collect();
    let conventional = misfits.first().copied().unwrap_or(f64::INFINITY);
    let best = misfits.iter().copied().fold(f64::INFINITY, f64::min);
    let limit = if conventional < best + CLEARLY_BETTER { conventional } else { best };
    let fits = |(_, misfit): &(&Setting, &f64)| **misfit < limit + CLEARLY_BETTER;
    candidates.iter().zip(&misfits).filter(fits).map(|(s, _)| *s).collect()
}

/// All settings that a Hermann–Mauguin symbol may stand for. A short monoclinic symbol means unique axis b, but where
/// the cell says otherwise the same symbol on another axis may be meant (`P 2/m` with γ ≠ 90°).
pub(super) fn candidates(symbol: &str) -> Vec<Setting> {
    let mut found = Setting::candidates(symbol);
    let parts: Vec<&str> = symbol.split([' ', '_']).filter(|p| !p.is_empty()).collect();
    if let ([centring, axis], Some(first)) = (parts.as_slice(), found.first().copied()) {
        let turned = [format!("{centring} 1 1 {axis}"), format!("{centring} {axis} 1 1")];
        let others = turned.iter().flat_map(|s| Setting::candidates(s));
        found.extend(others.filter(|s| s.number() == first.number()));
    }
    found
}

/// The setting with exactly these operations. Where several have them (`C c c a :1` and `C c c b :1`), the one that the
/// declared symbol names.
pub(super) fn identify(operations: &[Operation], declared: &[Setting]) -> Option<Setting> {
    let found = Setting::from_operations(operations)?;
    let same = |s: &&Setting| {
        s.number() == found.number() && Setting::from_operations(&s.operations()) == Some(found)
    };
    Some(declared.iter().find(same).copied().unwrap_or(found))
}
