//! What comes of a relaxation: edits, numbers, and an energy that is known before anybody asks.

use std::sync::Arc;

use cellwright_crystal::Structure;
use cellwright_features::Energy;
use cellwright_features::relax::{Summary, Way, displacements, edits, held};
use cellwright_syntax::edit::Update;
use cellwright_worker::protocol::{Cell, Output};
use tower_lsp::jsonrpc::{Error, Result};

use super::super::energy::energy;
use crate::client::ClientFeatures;
use crate::event::failed;
use crate::protocol::{Model, RelaxResult};
use crate::snapshot::Snapshot;
use crate::to_proto::workspace_edit;

/// The end of a relaxation. As soon as it is in the text, this is what the text says, but for the digits that were cut off: its
/// energy is shown until the model has looked at the text itself.
#[derive(Debug)]
pub(crate) struct Relaxed {
    structure: Structure,
    energy: Arc<Energy>,
}

/// How far (Å) cut digits may bring an atom or the end of a cell vector.
const ROUNDING: f64 = 0.01;

impl Relaxed {
    /// The energy of this crystal, if it is the relaxed one.
    pub(in crate::owner) fn energy_of(&self, cell: &Cell) -> Option<&Arc<Energy>> {
        let written = cell.to_structure().ok()?;
        let elements = |s: &Structure| s.sites.iter().map(|site| site.element).collect::<Vec<_>>();
        let (old, new) = (&self.structure.lattice, &written.lattice);
        let longest = old.lengths().into_iter().fold(0.0, f64::max);
        // Its orientation may be another.
        let strain = (old.metric() - new.metric()).amax();
        let same = elements(&self.structure) == elements(&written)
            && strain <= 2.0 * ROUNDING * longest
            && displacements(&self.structure, &written).1 <= ROUNDING;
        same.then_some(&self.energy)
    }
}

/// From the worker's output to edits and numbers.
pub(super) fn result(
    snapshot: &Snapshot,
    block: usize,
    way: Way,
    output: Output,
    client: &ClientFeatures,
) -> Result<(RelaxResult, Relaxed)> {
    let Output::Relax {
        provenance,
        structure,
        initial,
        last,
        initial_force,
        last_force,
        steps,
        converged,
    } = output
    else {
        return Err(failed("the worker answered something else than a relaxation"));
    };
    let reading = snapshot.parsed.readings.get(block);
    let reading = reading.ok_or_else(Error::internal_error)?;
    let start = reading.structure.as_ref().ok_or_else(Error::internal_error)?;
    let relaxed = structure.to_structure().map_err(failed)?;
    let Update { edits, notes } = edits(&snapshot.parsed, reading, &relaxed, way)
        .map_err(|error| failed(format!("{error}; relax it as P 1 instead")))?;
    let (rms_displacement, max_displacement) = displacements(start, &relaxed);
    let summary = Summary {
        energy_before: initial.energy_per_atom,
        energy_after: last.energy_per_atom,
        max_force_before: initial_force,
        max_force_after: last_force,
        steps,
        converged,
        held: held(&snapshot.parsed),
        volume_before: start.lattice.volume(),
        volume_after: relaxed.lattice.volume(),
        rms_displacement,
        max_displacement,
        cautions: last.cautions.clone(),
    };
    let by = format!("{} {} on {}", provenance.model, provenance.version, provenance.device);
    let energy = Arc::new(energy(last, &by));
    let result = RelaxResult {
        version: snapshot.version,
        edit: workspace_edit(snapshot, &edits, client),
        changed: !edits.is_empty(),
        message: summary.message(),
        notes,
        model: Model {
            model: provenance.model,
            version: provenance.version,
            device: provenance.device,
        },
        summary: summary.into(),
    };
    Ok((result, Relaxed { structure: relaxed, energy }))
}
