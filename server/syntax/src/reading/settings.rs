//! Which tabulated setting is meant, by a symbol and the cell, or by a list of operations.

use std::collections::HashMap;
use std::sync::OnceLock;

use cellwright_crystal::Lattice;
use cellwright_crystal::symmetry::{Operation, Setting};

/// An operation as a key: the rotation and the translation in 24ths. All tabulated operations have one.
type Key = ([i32; 9], [u8; 3]);

/// How much better (relative change of the metric) the cell must fit a later candidate than the conventional
/// first one: well above rounding, well below the difference between two axis choices.
const CLEARLY_BETTER: f64 = 1e-3;

/// Of the settings that a symbol may stand for the one that the cell fits, the conventional one where the cell does not
/// decide: `R -3 m` with γ = 90° is on rhombohedral axes.
pub(super) fn fitting(candidates: &[Setting], lattice: Option<&Lattice>) -> Option<Setting> {
    let first = *candidates.first()?;
    let (Some(lattice), true) = (lattice, candidates.len() > 1) else { return Some(first) };
    let mut best = (first, first.metric_misfit(lattice));
    for candidate in &candidates[1..] {
        if best.1 <= CLEARLY_BETTER {
            break;
        }
        let misfit = candidate.metric_misfit(lattice);
        if misfit < best.1 - CLEARLY_BETTER {
            best = (*candidate, misfit);
        }
    }
    Some(best.0)
}

/// The setting with exactly these operations: one of `candidates` if it has them, otherwise any of the tabulated ones.
pub(super) fn identify(operations: &[Operation], candidates: &[Setting]) -> Option<Setting> {
    let keys = sorted_keys(operations)?;
    let has = |setting: &Setting| sorted_keys(&setting.operations()).is_some_and(|k| k == keys);
    candidates.iter().copied().find(has).or_else(|| table().get(&keys).copied())
}

/// Every tabulated setting by its operations.
fn table() -> &'static HashMap<Vec<Key>, Setting> {
    static TABLE: OnceLock<HashMap<Vec<Key>, Setting>> = OnceLock::new();
    TABLE.get_or_init(|| {
        // From the last to the first: of two settings with the same operations the lower Hall number stays.
        let settings = (1..=530).rev().filter_map(Setting::from_hall_number);
        settings.filter_map(|s| Some((sorted_keys(&s.operations())?, s))).collect()
    })
}

fn sorted_keys(operations: &[Operation]) -> Option<Vec<Key>> {
    let mut keys = operations.iter().map(key).collect::<Option<Vec<_>>>()?;
    keys.sort_unstable();
    Some(keys)
}

fn key(operation: &Operation) -> Option<Key> {
    let mut translation = [0; 3];
    for (part, t) in translation.iter_mut().zip(operation.translation.iter()) {
        let parts = t * 24.0;
        if (parts - parts.round()).abs() > 0.1 {
            return None;
        }
        *part = (parts.round() as i64).rem_euclid(24) as u8;
    }
    let mut rotation = [0; 9];
    rotation.copy_from_slice(operation.rotation.as_slice());
    Some((rotation, translation))
}
