//! One version of a document, read and frozen: what requests and jobs work on.

use std::sync::{Arc, OnceLock};

use cellwright_checks::Finding;
use cellwright_features::complete::open_groups;
use cellwright_features::energy::refusal;
use cellwright_features::facts::facts;
use cellwright_features::measured::measured;
use cellwright_features::{Energy, EnergyState, Facts};
use cellwright_syntax::{Parsed, Reading};
use cellwright_worker::protocol::Cell;
use ropey::Rope;
use tower_lsp::lsp_types::Url;

use crate::client::ClientFeatures;
use crate::config::Config;
use crate::owner::{Answer, Question};

/// A version of a document. Immutable; shared by whoever looks at it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) uri: Url,
    /// The client's number.
    pub(crate) version: i32,
    /// Ours: a new one for every text, never used again.
    pub(crate) edition: u64,
    pub(crate) rope: Rope,
    pub(crate) parsed: Parsed,
    /// For each reading what a model would be asked, or why it will not be.
    pub(crate) cells: Vec<Result<Cell, String>>,
    /// For each reading with masked sites what a model would be asked.
    pub(crate) masked: Vec<Option<Question>>,
    facts: OnceLock<Vec<Option<Facts>>>,
}

impl Snapshot {
    /// `limit` is the largest number of atoms for which energies are computed unasked.
    pub(crate) fn new(
        uri: Url,
        version: i32,
        edition: u64,
        rope: Rope,
        parsed: Parsed,
        limit: usize,
    ) -> Self {
        let cells = parsed.readings.iter().map(|r| cell(r, limit)).collect();
        let masked = parsed.readings.iter().map(|r| question(&parsed, r)).collect();
        Self { uri, version, edition, rope, parsed, cells, masked, facts: OnceLock::new() }
    }

    /// What each reading is, computed once: it may search for symmetry.
    pub(crate) fn facts(&self) -> &[Option<Facts>] {
        self.facts.get_or_init(|| facts(&self.parsed))
    }
}

fn cell(reading: &Reading, limit: usize) -> Result<Cell, String> {
    if let Some(reason) = refusal(reading) {
        return Err(reason);
    }
    let structure = reading.structure.as_ref().ok_or("no structure")?;
    if structure.len() > limit {
        return Err(format!("{} atoms, more than {limit}", structure.len()));
    }
    Ok(Cell::from_structure(structure))
}

fn question(parsed: &Parsed, reading: &Reading) -> Option<Question> {
    let groups = open_groups(parsed, reading);
    let structure = reading.structure.as_ref().filter(|_| !groups.is_empty())?;
    let groups = groups.iter().map(|group| group.atoms(reading)).collect();
    let measured = measured(parsed, reading);
    Some(Question { cell: Cell::from_structure(structure), groups, measured })
}

/// What a request sees: a snapshot and everything known about it at that moment.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) snapshot: Arc<Snapshot>,
    /// Findings of all checks, in order of place.
    pub(crate) findings: Arc<Vec<Finding>>,
    /// One for each reading.
    pub(crate) energies: Vec<EnergyState<Arc<Energy>>>,
    /// One for each reading: what is known of its masked sites.
    pub(crate) completions: Vec<Option<Answer>>,
    pub(crate) config: Arc<Config>,
    pub(crate) client: Arc<ClientFeatures>,
}
