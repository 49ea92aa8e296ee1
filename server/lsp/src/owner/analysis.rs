//! Tiers 0 and 1: read and check the newest text on the blocking pool, publish in two steps.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cellwright_checks::{Finding, Severity, check};
use cellwright_syntax::{Document, Parsed};
use tower_lsp::lsp_types::{Diagnostic, PublishDiagnosticsParams, Url};

use super::Owner;
use super::document::{Need, Outcome};
use crate::event::{Event, Stage};
use crate::guard::guard;
use crate::outbox::Outgoing;
use crate::snapshot::Snapshot;
use crate::to_proto::diagnostic;

/// Editors drown in more diagnostics than this for one file, and one broken quote can make a million.
const MOST_DIAGNOSTICS: usize = 1000;

/// Reads a text; should the incremental way panic, from nothing.
fn read(document: Document) -> Option<(Document, Parsed)> {
    let read = |mut document: Document| {
        guard("reading a document", || {
            let parsed = document.parse();
            (document, parsed)
        })
    };
    read(document.clone()).or_else(|| {
        let mut fresh = document;
        fresh.forget_tree();
        read(fresh)
    })
}

impl Owner {
    /// The text or the configuration is new: a new generation is wanted.
    pub(super) fn analyse(&mut self, uri: &Url) {
        let generation = self.next();
        if let Some(open) = self.documents.get(uri) {
            open.generation.store(generation, Ordering::SeqCst);
            self.start_analysis(uri);
        }
    }

    /// Starts the analysis of the newest generation, unless a job is under way: when that ends, it starts again if it must. Before the
    /// configuration is known nothing starts, so that no finding flashes up which the user has switched off.
    pub(super) fn start_analysis(&mut self, uri: &Url) {
        if !self.configured {
            return;
        }
        let Some(open) = self.documents.get_mut(uri) else { return };
        if open.running.is_some() {
            return;
        }
        let newest = Arc::clone(&open.generation);
        let generation = newest.load(Ordering::SeqCst);
        open.running = Some(generation);
        let (version, edition) = (open.version, open.edition);
        let document = open.document.clone();
        let (config, events, uri) = (Arc::clone(&self.config), self.events.clone(), uri.clone());
        self.handle.spawn_blocking(move || {
            let send = |stage| {
                let _ = events.send(Event::Analysis { uri: uri.clone(), generation, stage });
            };
            let Some((document, mut parsed)) = read(document) else {
                send(Stage::Failed);
                return;
            };
            let limit = config.energy.max_atoms;
            let known = guard("a check of the text", || {
                // Without readings the checks see what the text alone says, which costs next to nothing.
                let readings = std::mem::take(&mut parsed.readings);
                let syntax = check(&parsed, &config.tolerances);
                parsed.readings = readings;
                let rope = document.rope().clone();
                let snapshot = Snapshot::new(uri.clone(), version, edition, rope, parsed, limit);
                (Arc::new(snapshot), syntax)
            });
            let Some((snapshot, syntax)) = known else {
                send(Stage::Failed);
                return;
            };
            send(Stage::Parsed(Arc::clone(&snapshot), syntax, document));
            if newest.load(Ordering::SeqCst) != generation {
                send(Stage::Superseded);
                return;
            }
            let findings = guard("a check", || check(&snapshot.parsed, &config.tolerances));
            send(findings.map_or(Stage::Failed, Stage::Checked));
        });
    }

    /// A job reports. Stale results are dropped; the end of a stale job starts one for the newest generation.
    pub(super) fn analysis(&mut self, uri: &Url, generation: u64, stage: Stage) {
        let Some(open) = self.documents.get_mut(uri) else {
            self.discard(stage);
            return;
        };
        let newest = open.generation.load(Ordering::SeqCst);
        let is_newest = generation == newest;
        let ended = !matches!(stage, Stage::Parsed(..));
        // A job of a document that was closed and opened again is none of ours.
        let ours = open.running == Some(generation);
        if ended && ours {
            open.running = None;
        }
        let stage = match stage {
            // However old, its tree makes the next reading shorter.
            Stage::Parsed(snapshot, syntax, mut document) if ours => {
                open.document.adopt(&mut document);
                Stage::Parsed(snapshot, syntax, document)
            }
            stage => stage,
        };
        match stage {
            stage if !is_newest => self.discard(stage),
            Stage::Parsed(snapshot, syntax, document) => {
                open.shown.syntax = syntax;
                let old = open.snapshot.replace((generation, snapshot));
                self.discard((old, document));
                self.publish(uri);
                self.wake(uri, Some(Need::Parsed), || Outcome::Ready);
            }
            Stage::Checked(findings) => {
                let of_text: HashSet<_> = open
                    .shown
                    .syntax
                    .iter()
                    .map(|f| (f.code, f.span, f.message.as_str()))
                    .collect();
                let others = findings
                    .iter()
                    .filter(|f| !of_text.contains(&(f.code, f.span, f.message.as_str())));
                open.shown.checks = others.cloned().collect();
                let old = open.findings.replace((generation, Arc::new(findings)));
                self.discard(old);
                self.ask_for_energies(uri);
                self.ask_for_completions(uri);
                self.publish(uri);
                self.wake(uri, None, || Outcome::Ready);
            }
            Stage::Failed => self.wake(uri, None, || Outcome::Failed),
            Stage::Superseded => {}
        }
        if ended && !is_newest {
            self.start_analysis(uri);
        }
    }

    /// Goes on with requests that waited for this (`None`: for anything).
    fn wake(&mut self, uri: &Url, need: Option<Need>, outcome: fn() -> Outcome) {
        let Some(open) = self.documents.get_mut(uri) else { return };
        let waiting = std::mem::take(&mut open.waiting);
        let (ready, still) = waiting.into_iter().partition(|(n, _)| need.is_none_or(|x| x == *n));
        open.waiting = still;
        let ready: Vec<_> = ready;
        for (_, then) in ready {
            then(self, outcome());
        }
    }

    /// Tells the client what is known about a document.
    pub(super) fn publish(&self, uri: &Url) {
        let Some(open) = self.documents.get(uri) else { return };
        let rope = open.document.rope();
        let mut findings: Vec<&Finding> = open
            .shown
            .iter()
            .filter(|f| self.config.severity(f.code, f.severity).is_some())
            .collect();
        let hidden = findings.len().saturating_sub(MOST_DIAGNOSTICS);
        if hidden > 0 {
            findings.sort_by_key(|f| self.config.severity(f.code, f.severity));
            findings.truncate(MOST_DIAGNOSTICS);
        }
        findings.sort_by_key(|f| (f.span.start, f.span.end));
        let shown = findings
            .into_iter()
            .filter_map(|f| diagnostic(f, uri, rope, &self.config, &self.features));
        let mut diagnostics: Vec<Diagnostic> = shown.collect();
        if hidden > 0 {
            let more = Finding {
                code: "more-findings",
                severity: Severity::Information,
                span: cellwright_syntax::Span::at(0),
                message: format!(
                    "{hidden} more findings are not shown; `cellwright check` lists them all"
                ),
                related: Vec::new(),
                fixes: Vec::new(),
            };
            diagnostics.extend(diagnostic(&more, uri, rope, &self.config, &self.features));
        }
        let params = PublishDiagnosticsParams::new(uri.clone(), diagnostics, Some(open.version));
        self.outbox.send(Outgoing::Diagnostics(params));
    }
}
