//! The messages that are ours; `PROTOCOL.md` beside the sources is their manual.

use cellwright_features::relax::Summary;
use serde::{Deserialize, Serialize};
use tower_lsp::lsp_types::notification::Notification;
use tower_lsp::lsp_types::{
    NumberOrString, Position, Range, TextDocumentIdentifier, VersionedTextDocumentIdentifier,
    WorkspaceEdit,
};

/// Method of [`RelaxChoicesParams`].
pub(crate) const RELAX_CHOICES: &str = "cellwright/relaxChoices";
/// Method of [`RelaxParams`].
pub(crate) const RELAX: &str = "cellwright/relax";
/// Method of [`PredictParams`].
pub(crate) const PREDICT: &str = "cellwright/predict";
/// Method of [`DenoiseParams`].
pub(crate) const DENOISE: &str = "cellwright/denoise";
/// Method of [`SubstituteParams`].
pub(crate) const SUBSTITUTE: &str = "cellwright/substitute";
/// Method of the notification that the installed models have changed.
pub(crate) const MODELS_CHANGED: &str = "cellwright/modelsChanged";
/// Method of LSP that tower-lsp does not route.
pub(crate) const CANCEL_PROGRESS: &str = "window/workDoneProgress/cancel";

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RelaxChoicesParams {
    pub(crate) text_document: TextDocumentIdentifier,
    #[serde(default)]
    pub(crate) position: Option<Position>,
    #[serde(default)]
    pub(crate) block: Option<usize>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct RelaxChoices {
    pub(crate) version: i32,
    pub(crate) block: usize,
    pub(crate) name: String,
    pub(crate) choices: Vec<RelaxChoice>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct RelaxChoice {
    pub(crate) title: String,
    pub(crate) cell: bool,
    pub(crate) symmetry: SymmetryChoice,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disabled: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SymmetryChoice {
    /// The declared symmetry.
    Keep,
    /// P 1.
    None,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RelaxParams {
    pub(crate) text_document: VersionedTextDocumentIdentifier,
    pub(crate) block: usize,
    pub(crate) cell: bool,
    pub(crate) symmetry: SymmetryChoice,
    #[serde(default)]
    pub(crate) token: Option<NumberOrString>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct RelaxResult {
    pub(crate) version: i32,
    pub(crate) edit: WorkspaceEdit,
    pub(crate) changed: bool,
    pub(crate) message: String,
    pub(crate) notes: Vec<String>,
    pub(crate) model: Model,
    pub(crate) summary: Numbers,
}

/// Which model spoke.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Model {
    pub(crate) model: String,
    pub(crate) version: String,
    pub(crate) device: String,
}

/// [`Summary`] on the wire.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Numbers {
    energy_before: f64,
    energy_after: f64,
    max_force_before: f64,
    max_force_after: f64,
    steps: usize,
    converged: bool,
    held_atoms: usize,
    volume_before: f64,
    volume_after: f64,
    rms_displacement: f64,
    max_displacement: f64,
    cautions: Vec<String>,
}

impl From<Summary> for Numbers {
    fn from(summary: Summary) -> Self {
        Self {
            energy_before: summary.energy_before,
            energy_after: summary.energy_after,
            max_force_before: summary.max_force_before,
            max_force_after: summary.max_force_after,
            steps: summary.steps,
            converged: summary.converged,
            held_atoms: summary.held.iter().filter(|flags| flags.contains(&true)).count(),
            volume_before: summary.volume_before,
            volume_after: summary.volume_after,
            rms_displacement: summary.rms_displacement,
            max_displacement: summary.max_displacement,
            cautions: summary.cautions,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RelaxProgress {
    pub(crate) token: NumberOrString,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fraction: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) energy_per_atom: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_force: Option<f64>,
}

impl Notification for RelaxProgress {
    type Params = Self;
    const METHOD: &'static str = "cellwright/relaxProgress";
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PredictParams {
    pub(crate) text_document: VersionedTextDocumentIdentifier,
    #[serde(default)]
    pub(crate) line: Option<usize>,
    #[serde(default)]
    pub(crate) position: Option<Position>,
    #[serde(default)]
    pub(crate) token: Option<NumberOrString>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct PredictResult {
    pub(crate) version: i32,
    pub(crate) name: String,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<Model>,
}

/// A predicted structure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Candidate {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) detail: String,
    pub(crate) edit: WorkspaceEdit,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PredictProgress {
    pub(crate) token: NumberOrString,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fraction: Option<f64>,
    pub(crate) candidates: Vec<Candidate>,
}

impl Notification for PredictProgress {
    type Params = Self;
    const METHOD: &'static str = "cellwright/predictProgress";
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DenoiseParams {
    pub(crate) text_document: VersionedTextDocumentIdentifier,
    #[serde(default)]
    pub(crate) range: Option<Range>,
    #[serde(default)]
    pub(crate) token: Option<NumberOrString>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DenoiseResult {
    pub(crate) version: i32,
    pub(crate) edit: WorkspaceEdit,
    pub(crate) changed: bool,
    pub(crate) message: String,
    pub(crate) notes: Vec<String>,
    pub(crate) model: Model,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) energy_model: Option<Model>,
    /// Before and after (eV/atom).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) energies: Option<[f64; 2]>,
    /// Before and after (Å).
    pub(crate) shortest: [f64; 2],
    pub(crate) rounds: usize,
    pub(crate) moves: Vec<Move>,
}

/// How far a row moved.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Move {
    pub(crate) label: String,
    /// Å.
    pub(crate) distance: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DenoiseProgress {
    pub(crate) token: NumberOrString,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fraction: Option<f64>,
}

impl Notification for DenoiseProgress {
    type Params = Self;
    const METHOD: &'static str = "cellwright/denoiseProgress";
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubstituteParams {
    pub(crate) text_document: VersionedTextDocumentIdentifier,
    pub(crate) position: Position,
    #[serde(default)]
    pub(crate) token: Option<NumberOrString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    Off,
    Stopped,
    Starting,
    Ready,
    Busy,
    NotInstalled,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<String>,
    pub(crate) message: String,
}

impl Notification for Status {
    type Params = Self;
    const METHOD: &'static str = "cellwright/status";
}
