//! What the tests share.

use cellwright_models::tasks::relax::{Optimizer, RelaxOptions};
use cellwright_worker::protocol::{Cell, Task};

/// One atom in a cubic cell of 4 Å, `away` Å from its spring's end along x.
pub(crate) fn atom(z: u8, away: f64) -> Cell {
    atoms(vec![z], away)
}

/// Atoms in a cubic cell of 4 Å, all at one place.
pub(crate) fn atoms(species: Vec<u8>, away: f64) -> Cell {
    let frac = vec![[away / 4.0, 0.0, 0.0]; species.len()];
    Cell { lattice: [[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 4.0]], species, frac }
}

/// Silicon, which has no special behaviour, half an ångström from its place.
pub(crate) fn silicon() -> Cell {
    atom(14, 0.4)
}

/// Two atoms, drawn towards each other: no net force, which a relaxation takes away.
pub(crate) fn pair(z: u8) -> Cell {
    let frac = vec![[0.1, 0.0, 0.0], [0.4, 0.0, 0.0]];
    Cell { frac, ..atoms(vec![z; 2], 0.0) }
}

pub(crate) fn energy(structures: Vec<Cell>) -> Task {
    Task::Energy { structures }
}

pub(crate) fn relax(structure: Cell) -> Task {
    let options = RelaxOptions {
        optimizer: Optimizer::Fire,
        cell: false,
        force_tolerance: 1e-3,
        max_steps: 1_000_000_000,
        held: Vec::new(),
    };
    Task::Relax { structure, symmetry: None, options }
}
