//! JSON lines over stdin and stdout. Nothing in it is a file path or shell text.
//!
//! The worker speaks first: one `hello`. Then every `run` gets any number of `progress` and exactly one `result` or
//! `error` with its id. A line that cannot be understood gets an `error` of kind `bad_request`. When its stdin ends, the
//! worker ends at once, whatever it is doing: nobody is left to hear the answer.
//!
//! ```json
//! {"type":"run","id":1,"task":{"name":"energy","structures":[{"lattice":[[0,2.715,2.715],[2.715,0,2.715],[2.715,2.715,0]],"species":[14,14],"frac":[[0,0,0],[0.25,0.25,0.25]]}]}}
//! ```

mod candidate;
mod cell;

pub use candidate::CandidateLine;
pub use cellwright_models::Provenance;
pub use cellwright_models::hull::Hull;
pub use cellwright_models::tasks::denoise::{DenoiseOptions, Ending};
pub use cellwright_models::tasks::predict::{AboveHull, Relaxation};
pub use cellwright_models::tasks::relax::{Optimizer, RelaxOptions};
use serde::{Deserialize, Serialize};

/// Version of this protocol; worker and client refuse each other when the major differs.
pub const VERSION: u32 = 1;

/// Longest line that is read (bytes): a million atoms, or a flood of something that is no protocol.
pub const MAX_LINE: u64 = 256 << 20;

/// From the client to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Start a task. Tasks run one after the other, in order.
    Run {
        /// Chosen by the client, unique while the task lives.
        id: u64,
        /// What to do.
        task: Task,
    },
    /// Stop a task; answered by an `error` of kind `cancelled` (or by its result, if that was faster). A task that still
    /// waits is answered when its turn comes.
    Cancel {
        /// The task.
        id: u64,
    },
    /// Settings of the worker, from here on. Not answered.
    Configure {
        /// Refuse work beyond this much memory (bytes); 0: half of the memory of its machine.
        memory_limit: u64,
    },
}

/// What a worker can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Task {
    /// Energy, forces, stress, magnetic moments of structures.
    Energy {
        /// The structures, answered in order.
        structures: Vec<Cell>,
    },
    /// Relaxation; every step is a `progress` with a frame.
    Relax {
        /// Where to start.
        structure: Cell,
        /// Operations to keep, as `xyz` strings; absent: none.
        symmetry: Option<Vec<String>>,
        /// How.
        options: RelaxOptions,
    },
    /// Structures for a composition; whenever the list has become better it is a `progress`: at once, with energies, and
    /// after each round of relaxation.
    Predict {
        /// Atomic numbers and counts.
        composition: Vec<(u8, u32)>,
        /// How often the cell holds these counts; absent: whatever is known for such a formula.
        units: Option<u32>,
        /// Only structures of this space group (International Tables number).
        space_group: Option<u16>,
        /// At most so many candidates.
        answers: usize,
        /// Steps of relaxation that the best candidates get; 0: energies only.
        #[serde(default)]
        relax: usize,
        /// Samples of a diffusion model.
        #[serde(default)]
        samples: usize,
        /// Random starts, where candidates are relaxed; absent: some if nothing else fits.
        #[serde(default)]
        starts: Option<usize>,
    },
    /// Elements for masked sites.
    Complete {
        /// The crystal; species 0 is masked.
        structure: Cell,
        /// Masked sites (counted from 0) that take one element together; every masked site is in one.
        groups: Vec<Vec<usize>>,
        /// Atomic numbers that are allowed; empty: all that the model knows.
        #[serde(default)]
        elements: Vec<u8>,
        /// At most so many assignments of all groups.
        answers: usize,
        /// Whether the cell was measured or computed; absent where nobody knows.
        #[serde(default)]
        measured: Option<bool>,
        /// Whether the potential is asked about the likeliest assignments too, where it is installed: better, and slower.
        #[serde(default)]
        thorough: bool,
    },
    /// Displaced atoms are put back; every round is a `progress`.
    Denoise {
        /// Where to start; species 0 is masked.
        structure: Cell,
        /// Operations to keep, as `xyz` strings; absent: none.
        symmetry: Option<Vec<String>>,
        /// How.
        options: DenoiseOptions,
    },
}

/// An ordered structure on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Lattice vectors, rows, Å.
    pub lattice: [[f64; 3]; 3],
    /// Atomic numbers; 0 is a masked site.
    pub species: Vec<u8>,
    /// Fractional coordinates.
    pub frac: Vec<[f64; 3]>,
}

/// From the worker to the client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// First line after start.
    Hello {
        /// [`VERSION`].
        protocol: u32,
        /// Version of the binary.
        version: String,
        /// Device the models run on.
        device: String,
        /// Models that are installed.
        models: Vec<Provenance>,
        /// Operating-system process id.
        pid: u32,
    },
    /// A task is under way.
    Progress {
        /// The task.
        id: u64,
        /// 0 to 1 where it is known.
        fraction: Option<f64>,
        /// For a progress bar: `step 12, E −5.1234 eV/atom, max |F| 0.08 eV/Å`.
        message: String,
        /// The structure of a relaxation step.
        frame: Option<FrameLine>,
        /// The candidates of a prediction so far, the likeliest first; empty for other tasks.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        candidates: Vec<CandidateLine>,
    },
    /// A task is done.
    Result {
        /// The task.
        id: u64,
        /// What came out.
        output: Output,
    },
    /// A task failed.
    Error {
        /// The task; absent when the worker itself is at fault.
        id: Option<u64>,
        /// What kind of failure.
        kind: ErrorKind,
        /// For the user: what is wrong and what to do.
        message: String,
    },
}

/// A step of a relaxation on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameLine {
    /// Step number, 0 is the start.
    pub step: usize,
    /// Energy (eV/atom).
    pub energy_per_atom: f64,
    /// Largest force (eV/Å).
    pub max_force: f64,
    /// The structure.
    pub structure: Cell,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The client asked.
    Cancelled,
    /// No weights: `models pull`.
    NotInstalled,
    /// The structure cannot be treated.
    Unsupported,
    /// The request made no sense.
    BadRequest,
    /// Out of memory, or more memory than allowed.
    Memory,
    /// The worker process died, could not start, or speaks another protocol.
    Worker,
    /// Anything else.
    Internal,
}

/// What a task gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Output {
    /// Of [`Task::Energy`]: one for each structure.
    Energy {
        /// Which model.
        provenance: Provenance,
        /// In order; a failure of one is its own.
        results: Vec<EnergyResult>,
    },
    /// Of [`Task::Relax`].
    Relax {
        /// Which model.
        provenance: Provenance,
        /// The end.
        structure: Cell,
        /// Numbers at the start.
        initial: Energies,
        /// Numbers at the end.
        last: Energies,
        /// The largest force on an atom at the start, less what pulls at held coordinates (eV/Å).
        initial_force: f64,
        /// The same at the end.
        last_force: f64,
        /// Steps taken.
        steps: usize,
        /// Whether the tolerance was reached.
        converged: bool,
    },
    /// Of [`Task::Predict`].
    Predict {
        /// The likeliest first.
        candidates: Vec<CandidateLine>,
        /// Model behind the energies; absent where none is installed.
        energies_by: Option<Provenance>,
        /// The hull that the energies are compared with, where there is one.
        #[serde(default)]
        hull: Option<Hull>,
        /// What the user should know.
        notes: Vec<String>,
    },
    /// Of [`Task::Complete`].
    Complete {
        /// Which model.
        provenance: Provenance,
        /// For each group atomic numbers and their chances, the likeliest first.
        groups: Vec<Vec<(u8, f64)>>,
        /// Assignments of all groups, the likeliest first.
        joint: Vec<AssignmentLine>,
        /// The potential that was asked too.
        energies_by: Option<Provenance>,
        /// The one with finer stresses.
        #[serde(default)]
        stresses_by: Option<Provenance>,
    },
    /// Of [`Task::Denoise`].
    Denoise {
        /// Which model.
        provenance: Provenance,
        /// The end.
        structure: Cell,
        /// Rounds that moved anything.
        rounds: usize,
        /// Why it ended.
        ending: Ending,
        /// Energies at the start and the end (eV/atom), where a potential could be asked.
        energies: Option<(f64, f64)>,
        /// The potential behind them.
        energies_by: Option<Provenance>,
        /// Shortest distances at the start and the end (Å).
        shortest: (f64, f64),
        /// What the user should know.
        notes: Vec<String>,
    },
}

/// An element for every group of masked sites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssignmentLine {
    /// Atomic numbers, in the order of the groups.
    pub elements: Vec<u8>,
    /// Chance that all are right.
    pub probability: f64,
    /// Whether usual oxidation states add up to zero; absent where the rule does not apply.
    pub charge_balanced: Option<bool>,
    /// How much the cell would pull at these elements (GPa, tension positive), where the potential was asked.
    #[serde(default)]
    pub pressure: Option<f64>,
}

/// Numbers for one structure, or why there are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EnergyResult {
    /// The numbers.
    Ok(Energies),
    /// The reason.
    Failed {
        /// Kind.
        kind: ErrorKind,
        /// For the user.
        message: String,
    },
}

/// [`cellwright_models::Evaluation`] on the wire, same units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Energies {
    /// eV/atom.
    pub energy_per_atom: f64,
    /// eV/Å.
    pub forces: Vec<[f64; 3]>,
    /// GPa, tension positive.
    pub stress: [[f64; 3]; 3],
    /// µB.
    pub magmoms: Vec<f64>,
    /// eV.
    pub site_energies: Vec<f64>,
    /// Reasons to trust the numbers less.
    pub cautions: Vec<String>,
}
