//! How a task is watched: work-done progress of LSP, or a notification of ours.

use std::sync::Arc;
use std::time::Duration;

use cellwright_worker::supervisor::TaskProgress;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;
use tower_lsp::Client;
use tower_lsp::lsp_types::request::WorkDoneProgressCreate;
use tower_lsp::lsp_types::{
    NumberOrString, ProgressParams, ProgressParamsValue, WorkDoneProgress, WorkDoneProgressBegin,
    WorkDoneProgressCreateParams, WorkDoneProgressEnd, WorkDoneProgressReport,
};

use crate::outbox::{Outbox, Outgoing};

/// Where the worker's steps are put.
pub(crate) type Updates = UnboundedSender<TaskProgress>;

/// Nobody reads faster; small cells make hundreds of steps a second.
const INTERVAL: Duration = Duration::from_millis(100);

/// Lets through the first update and then at most one an interval. The end of a task says itself where it ended.
#[derive(Default)]
struct Throttle(Option<Instant>);

impl Throttle {
    fn lets_through(&mut self) -> bool {
        let now = Instant::now();
        let open = self.0.is_none_or(|last| now - last >= INTERVAL);
        if open {
            self.0 = Some(now);
        }
        open
    }
}

/// Shows updates as work-done progress until their sender is gone. Must run as a task of its own: it waits for the client.
pub(crate) async fn work_done(
    client: Client,
    outbox: Outbox,
    token: NumberOrString,
    title: String,
    mut updates: UnboundedReceiver<TaskProgress>,
) {
    let params = WorkDoneProgressCreateParams { token: token.clone() };
    if client.send_request::<WorkDoneProgressCreate>(params).await.is_err() {
        return;
    }
    let send = |value| {
        let value = ProgressParamsValue::WorkDone(value);
        outbox.send(Outgoing::Progress(ProgressParams { token: token.clone(), value }));
    };
    send(WorkDoneProgress::Begin(WorkDoneProgressBegin {
        title,
        cancellable: Some(true),
        ..WorkDoneProgressBegin::default()
    }));
    let mut throttle = Throttle::default();
    while let Some(update) = updates.recv().await {
        if throttle.lets_through() {
            send(WorkDoneProgress::Report(WorkDoneProgressReport {
                cancellable: Some(true),
                message: Some(update.message),
                percentage: update.fraction.map(|f| (f.clamp(0.0, 1.0) * 100.0) as u32),
            }));
        }
    }
    send(WorkDoneProgress::End(WorkDoneProgressEnd { message: None }));
}

/// Sends what `tell` makes of the updates until their sender is gone.
pub(crate) async fn notify(
    outbox: Outbox,
    token: NumberOrString,
    mut updates: UnboundedReceiver<TaskProgress>,
    tell: Arc<dyn Fn(NumberOrString, TaskProgress) -> Outgoing + Send + Sync>,
) {
    let mut throttle = Throttle::default();
    while let Some(update) = updates.recv().await {
        if throttle.lets_through() {
            let (token, tell) = (token.clone(), Arc::clone(&tell));
            // A panic has been logged; the next update may do better.
            if let Ok(message) = tokio::task::spawn_blocking(move || tell(token, update)).await {
                outbox.send(message);
            }
        }
    }
}
