//! The adapter to tower-lsp: every handler puts an event into the owner's queue before its first await, so events keep the order
//! of arrival, and then at most waits for the owner's answer. Nothing is computed and no client is asked here.

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{
    CodeAction, CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams,
    DidChangeConfigurationParams, DidChangeTextDocumentParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, InitializeParams, InitializeResult, InitializedParams, InlayHint,
    InlayHintParams, ServerInfo, WorkDoneProgressCancelParams,
};
use tower_lsp::{LanguageServer, async_trait};

use crate::client::{ClientFeatures, capabilities};
use crate::event::{Event, Reply};
use crate::protocol::{
    DenoiseParams, DenoiseResult, PredictParams, PredictResult, RelaxChoices, RelaxChoicesParams,
    RelaxParams, RelaxResult, SubstituteParams,
};

/// What tower-lsp calls.
#[derive(Debug)]
pub(crate) struct Backend {
    events: UnboundedSender<Event>,
}

impl Backend {
    pub(crate) fn new(events: UnboundedSender<Event>) -> Self {
        Self { events }
    }

    fn tell(&self, event: Event) {
        // The owner is gone only after `exit`; whoever asks then gets its error from the dropped reply.
        let _ = self.events.send(event);
    }

    async fn ask<T>(&self, event: impl FnOnce(Reply<T>) -> Event) -> Result<T> {
        let (reply, answer) = Reply::new();
        self.tell(event(reply));
        answer.wait().await
    }

    pub(crate) async fn relax_choices(
        &self,
        params: RelaxChoicesParams,
    ) -> Result<Option<RelaxChoices>> {
        self.ask(|reply| Event::RelaxChoices(params, reply)).await
    }

    pub(crate) async fn relax(&self, params: RelaxParams) -> Result<RelaxResult> {
        self.ask(|reply| Event::Relax(params, reply)).await
    }

    pub(crate) async fn predict(&self, params: PredictParams) -> Result<PredictResult> {
        self.ask(|reply| Event::Predict(params, reply)).await
    }

    pub(crate) async fn denoise(&self, params: DenoiseParams) -> Result<DenoiseResult> {
        self.ask(|reply| Event::Denoise(params, reply)).await
    }

    pub(crate) async fn substitute(&self, params: SubstituteParams) -> Result<PredictResult> {
        self.ask(|reply| Event::Substitute(params, reply)).await
    }

    pub(crate) async fn models_changed(&self, _: Value) {
        self.tell(Event::ModelsChanged);
    }

    pub(crate) async fn cancel_progress(&self, params: WorkDoneProgressCancelParams) {
        self.tell(Event::CancelProgress(params.token));
    }
}

#[async_trait]
impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let features = ClientFeatures::new(&params);
        let capabilities = capabilities(&features);
        self.tell(Event::Initialize(Box::new(features)));
        Ok(InitializeResult {
            capabilities,
            server_info: Some(ServerInfo {
                name: "cellwright".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        self.tell(Event::Initialized);
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.tell(Event::Opened(params));
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.tell(Event::Changed(params));
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.tell(Event::Closed(params));
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        self.tell(Event::ConfigurationChanged(params.settings));
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        self.ask(|reply| Event::CodeLens(params, reply)).await
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        self.ask(|reply| Event::InlayHint(params, reply)).await
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        self.ask(|reply| Event::CodeAction(Box::new(params), reply)).await
    }

    async fn code_action_resolve(&self, action: CodeAction) -> Result<CodeAction> {
        self.ask(|reply| Event::ResolveAction(Box::new(action), reply)).await
    }
}
