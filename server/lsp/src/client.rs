//! What the client can do, and what we tell it that we can do.

use std::collections::HashSet;

use serde_json::Value;
use tower_lsp::lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions,
    InitializeParams, OneOf, ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions,
};

use crate::position::Encoding;

/// Kind of the relax actions.
pub(crate) const RELAX_KIND: &str = "refactor.rewrite.relax";

/// Kind of the predict actions.
pub(crate) const PREDICT_KIND: &str = "refactor.rewrite.predict";

/// Kind of the denoise actions.
pub(crate) const DENOISE_KIND: &str = "refactor.rewrite.denoise";

/// Kind of the substitute actions.
pub(crate) const SUBSTITUTE_KIND: &str = "refactor.rewrite.substitute";

/// The client's abilities that matter here.
#[derive(Debug, Clone)]
pub(crate) struct ClientFeatures {
    /// Agreed position encoding.
    pub(crate) encoding: Encoding,
    /// Answers `workspace/configuration`.
    pub(crate) configuration: bool,
    /// Wants to be asked to watch the configuration.
    pub(crate) register_configuration: bool,
    /// Takes `workspace/codeLens/refresh`.
    pub(crate) lens_refresh: bool,
    /// Takes `workspace/inlayHint/refresh`.
    pub(crate) hint_refresh: bool,
    /// Shows progress that the server starts.
    pub(crate) work_done_progress: bool,
    /// Takes versioned edits.
    pub(crate) document_changes: bool,
    /// Takes code actions with kinds and edits (and not only commands).
    pub(crate) action_literals: bool,
    /// Asks for an action's edit later, and sends our data back with it.
    pub(crate) lazy_actions: bool,
    /// Shows actions that cannot be done, with the reason.
    pub(crate) disabled_actions: bool,
    /// Shows places related to a diagnostic.
    pub(crate) related_information: bool,
    /// Commands the client has registered itself.
    pub(crate) commands: HashSet<String>,
    /// Shows `cellwright/status`.
    pub(crate) status: bool,
}

impl ClientFeatures {
    pub(crate) fn new(params: &InitializeParams) -> Self {
        let workspace = params.capabilities.workspace.as_ref();
        let document = params.capabilities.text_document.as_ref();
        let window = params.capabilities.window.as_ref();
        let general = params.capabilities.general.as_ref();
        let action = document.and_then(|d| d.code_action.as_ref());
        let resolves_edit = action.is_some_and(|a| {
            let lazy = a.resolve_support.as_ref();
            a.data_support == Some(true)
                && lazy.is_some_and(|r| r.properties.iter().any(|p| p == "edit"))
        });
        let options = params.initialization_options.as_ref();
        let commands = options.and_then(|o| o["commands"].as_array());
        Self {
            encoding: Encoding::negotiate(general.and_then(|g| g.position_encodings.as_deref())),
            configuration: workspace.is_some_and(|w| w.configuration == Some(true)),
            register_configuration: workspace
                .and_then(|w| w.did_change_configuration)
                .is_some_and(|c| c.dynamic_registration == Some(true)),
            lens_refresh: workspace
                .and_then(|w| w.code_lens.as_ref())
                .is_some_and(|c| c.refresh_support == Some(true)),
            hint_refresh: workspace
                .and_then(|w| w.inlay_hint.as_ref())
                .is_some_and(|h| h.refresh_support == Some(true)),
            work_done_progress: window.is_some_and(|w| w.work_done_progress == Some(true)),
            document_changes: workspace
                .and_then(|w| w.workspace_edit.as_ref())
                .is_some_and(|e| e.document_changes == Some(true)),
            action_literals: action.is_some_and(|a| a.code_action_literal_support.is_some()),
            lazy_actions: resolves_edit,
            disabled_actions: action.is_some_and(|a| a.disabled_support == Some(true)),
            related_information: document
                .and_then(|d| d.publish_diagnostics.as_ref())
                .is_some_and(|p| p.related_information == Some(true)),
            commands: commands
                .into_iter()
                .flatten()
                .filter_map(|c| c.as_str().map(str::to_owned))
                .collect(),
            status: options.is_some_and(|o| o["statusNotification"] == Value::Bool(true)),
        }
    }
}

/// What the server offers.
pub(crate) fn capabilities(client: &ClientFeatures) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(client.encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            ..TextDocumentSyncOptions::default()
        })),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![
                CodeActionKind::QUICKFIX,
                CodeActionKind::new(RELAX_KIND),
                CodeActionKind::new(PREDICT_KIND),
                CodeActionKind::new(DENOISE_KIND),
                CodeActionKind::new(SUBSTITUTE_KIND),
            ]),
            resolve_provider: Some(true),
            ..CodeActionOptions::default()
        })),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
        inlay_hint_provider: Some(OneOf::Left(true)),
        ..ServerCapabilities::default()
    }
}
