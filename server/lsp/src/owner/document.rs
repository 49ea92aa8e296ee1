//! Open documents: text under edit, and what is known of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cellwright_checks::Finding;
use cellwright_features::Energy;
use cellwright_syntax::{Document, Language, Span, TextEdit};
use cellwright_worker::protocol::Cell;
use ropey::Rope;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower_lsp::lsp_types::{
    DidChangeTextDocumentParams, PublishDiagnosticsParams, TextDocumentItem, Url,
};

use super::Owner;
use super::complete::Known;
use super::relax::Relaxed;
use crate::event::content_modified;
use crate::outbox::Outgoing;
use crate::position::to_span;
use crate::snapshot::Snapshot;

/// What happens to a request that waits for an analysis.
pub(super) type Then = Box<dyn FnOnce(&mut Owner, Outcome) + Send>;

/// How the waiting ended.
pub(super) enum Outcome {
    /// The newest text has been analysed as far as was asked.
    Ready,
    /// It could not be read.
    Failed,
    /// The document was closed.
    Gone,
}

/// How much a request needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// The snapshot of the newest text.
    Parsed,
    /// Its findings too.
    Checked,
}

/// A document that is open in the client.
pub(super) struct OpenDocument {
    /// The client's version.
    pub(super) version: i32,
    /// Our number of this very text, see [`Snapshot::edition`].
    pub(super) edition: u64,
    pub(super) document: Document,
    /// Number of the newest analysis wanted; jobs look at it to see whether they are still wanted.
    pub(super) generation: Arc<AtomicU64>,
    /// The generation of the job under way. There is never more than one for a document.
    pub(super) running: Option<u64>,
    /// When the text changed last.
    pub(super) touched: Instant,
    /// Cancelled by the next change of the text.
    pub(super) unchanged: CancellationToken,
    /// Cancelled when the model is asked anew.
    pub(super) asking: CancellationToken,
    /// Cancelled when the model of masked sites is asked anew.
    pub(super) completing: CancellationToken,
    /// The newest text that was read, with the generation that read it.
    pub(super) snapshot: Option<(u64, Arc<Snapshot>)>,
    /// Findings of all checks for a generation.
    pub(super) findings: Option<(u64, Arc<Vec<Finding>>)>,
    /// What is shown, moved along with the text until something newer is known.
    pub(super) shown: Shown,
    /// What the model said of the crystals of the newest snapshot.
    pub(super) answers: Vec<(Cell, Result<Arc<Energy>, String>)>,
    /// Where the last relaxation of a crystal of this document ended.
    pub(super) relaxed: Option<Relaxed>,
    /// What a model said of the masked sites of the newest snapshot.
    pub(super) completions: Vec<Known>,
    pub(super) waiting: Vec<(Need, Then)>,
}

/// Findings by where they come from.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// From the text alone.
    pub(super) syntax: Vec<Finding>,
    /// From all other checks.
    pub(super) checks: Vec<Finding>,
    /// From the model.
    pub(super) forces: Vec<Finding>,
}

impl Shown {
    fn shift(&mut self, edit: &TextEdit) {
        for list in [&mut self.syntax, &mut self.checks, &mut self.forces] {
            list.retain_mut(|finding| shift(finding, edit));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.syntax.iter().chain(&self.checks).chain(&self.forces)
    }
}

/// Moves a finding along with an edit; false if the edit changed what it was about.
fn shift(finding: &mut Finding, edit: &TextEdit) -> bool {
    let Some(span) = shift_span(finding.span, edit) else { return false };
    finding.span = span;
    finding.related.retain_mut(|related| {
        let moved = shift_span(related.span, edit);
        related.span = moved.unwrap_or(related.span);
        moved.is_some()
    });
    // Its edits were for the old text.
    finding.fixes.clear();
    true
}

fn shift_span(span: Span, edit: &TextEdit) -> Option<Span> {
    if span.end <= edit.span.start {
        return Some(span);
    }
    let moved = |offset: usize| offset - edit.span.end + edit.text.len() + edit.span.start;
    (span.start >= edit.span.end).then(|| Span::new(moved(span.start), moved(span.end)))
}

impl Owner {
    pub(super) fn opened(&mut self, item: TextDocumentItem) {
        let TextDocumentItem { uri, language_id, version, text } = item;
        let path = uri.to_file_path().unwrap_or_else(|()| uri.path().into());
        let language = Language::from_id(&language_id)
            .or_else(|| Language::from_path(&path))
            .unwrap_or_else(|| Language::guess(&text));
        let document = Document::new(language, &text);
        self.forget(&uri);
        let edition = self.next();
        let document = OpenDocument {
            version,
            edition,
            document,
            generation: Arc::new(AtomicU64::new(0)),
            running: None,
            touched: Instant::now(),
            unchanged: CancellationToken::new(),
            asking: CancellationToken::new(),
            completing: CancellationToken::new(),
            snapshot: None,
            findings: None,
            shown: Shown::default(),
            answers: Vec::new(),
            relaxed: None,
            completions: Vec::new(),
            waiting: Vec::new(),
        };
        self.documents.insert(uri.clone(), document);
        self.analyse(&uri);
    }

    pub(super) fn changed(&mut self, params: DidChangeTextDocumentParams) {
        let uri = params.text_document.uri;
        let encoding = self.features.encoding;
        let edition = self.next();
        let Some(open) = self.documents.get_mut(&uri) else {
            tracing::warn!("{uri} changed but is not open");
            return;
        };
        if params.text_document.version < open.version {
            tracing::warn!(
                "{uri}: version {} after {}",
                params.text_document.version,
                open.version
            );
        }
        open.version = params.text_document.version;
        open.edition = edition;
        open.touched = Instant::now();
        open.unchanged.cancel();
        open.unchanged = CancellationToken::new();
        for change in params.content_changes {
            let rope = open.document.rope();
            let edit = match change.range {
                Some(range) => TextEdit::replace(to_span(rope, range, encoding), change.text),
                None => whole_text(rope, &change.text),
            };
            open.document.apply(&edit);
            open.shown.shift(&edit);
        }
        // Nobody is answered from the text as it was, and two readings of a huge one are one too many.
        let old = (open.snapshot.take(), open.findings.take());
        self.discard(old);
        self.analyse(&uri);
    }

    pub(super) fn closed(&mut self, uri: &Url) {
        self.forget(uri);
        let cleared = PublishDiagnosticsParams::new(uri.clone(), Vec::new(), None);
        self.outbox.send(Outgoing::Diagnostics(cleared));
    }

    /// Drops a document and ends whatever works on it.
    fn forget(&mut self, uri: &Url) {
        let Some(mut open) = self.documents.remove(uri) else { return };
        open.unchanged.cancel();
        // No generation is as large as this: jobs under way see that nobody wants them.
        open.generation.store(u64::MAX, Ordering::SeqCst);
        for (_, then) in std::mem::take(&mut open.waiting) {
            then(self, Outcome::Gone);
        }
        self.discard(open);
    }

    /// Drops something large where nobody waits for it.
    pub(super) fn discard<T: Send + 'static>(&self, old: T) {
        drop(self.handle.spawn_blocking(|| drop(old)));
    }

    /// Runs `then` as soon as the newest text of a document is known as far as `need`. An edit in between prolongs the waiting.
    pub(super) fn when_ready(&mut self, uri: &Url, need: Need, then: Then) {
        let Some(open) = self.documents.get_mut(uri) else {
            then(self, Outcome::Gone);
            return;
        };
        if open.knows(need) {
            then(self, Outcome::Ready);
        } else {
            open.waiting.push((need, then));
            // After a job that failed none is under way.
            self.start_analysis(uri);
        }
    }
}

impl OpenDocument {
    /// Whether the newest generation is known so far.
    pub(super) fn knows(&self, need: Need) -> bool {
        let newest = self.generation.load(Ordering::SeqCst);
        let known = match need {
            Need::Parsed => self.snapshot.as_ref().map(|(generation, _)| *generation),
            Need::Checked => self.findings.as_ref().map(|(generation, _)| *generation),
        };
        known == Some(newest)
    }

    /// The snapshot of exactly this text, if it has been read.
    pub(super) fn current(&self) -> Option<&Arc<Snapshot>> {
        let (_, snapshot) = self.snapshot.as_ref()?;
        (snapshot.edition == self.edition).then_some(snapshot)
    }
}

impl Outcome {
    /// The error of a request that needed a document and got none.
    pub(super) fn error(&self) -> Option<tower_lsp::jsonrpc::Error> {
        match self {
            Self::Ready => None,
            Self::Failed => Some(tower_lsp::jsonrpc::Error::internal_error()),
            Self::Gone => Some(content_modified()),
        }
    }
}

/// The smallest edit that makes `rope` into `text`: clients that always send everything shall not cost a full parse.
fn whole_text(rope: &Rope, text: &str) -> TextEdit {
    let same = rope.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    let mut start = same;
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let room = rope.len_bytes().min(text.len()) - start;
    let from_end = rope.bytes_at(rope.len_bytes()).reversed().zip(text.bytes().rev());
    let mut tail = from_end.take(room).take_while(|(a, b)| a == b).count();
    while !text.is_char_boundary(text.len() - tail) {
        tail -= 1;
    }
    let span = Span::new(start, rope.len_bytes() - tail);
    TextEdit::replace(span, &text[start..text.len() - tail])
}

#[cfg(test)]
mod tests {
    use super::*;
    use cellwright_checks::{Related, Severity};
    use proptest::prelude::*;

    fn finding(span: Span, related: Span) -> Finding {
        let related = vec![Related { span: related, message: String::new() }];
        let (severity, message) = (Severity::Error, String::new());
        Finding { code: "x", severity, span, message, related, fixes: Vec::new() }
    }

    #[test]
    fn findings_move_along_with_the_text_until_it_is_they_who_change() {
        let mut behind = finding(Span::new(10, 12), Span::new(3, 5));
        assert!(shift(&mut behind, &TextEdit::replace(Span::new(4, 6), "xyz")));
        assert_eq!(behind.span, Span::new(11, 13));
        assert!(behind.related.is_empty(), "what the edit touched is gone");
        assert!(shift(&mut behind, &TextEdit::insert(20, "far behind")));
        assert_eq!(behind.span, Span::new(11, 13));
        assert!(!shift(&mut behind, &TextEdit::delete(Span::new(12, 13))));
    }

    proptest! {
        #[test]
        fn a_whole_text_becomes_a_small_edit(old in "[aé漢\r\n]{0,12}", new in "[aé漢\r\n]{0,12}") {
            let edit = whole_text(&Rope::from_str(&old), &new);
            let after = cellwright_syntax::text::apply_edits(&old, std::slice::from_ref(&edit));
            prop_assert_eq!(after, new.clone());
            if old == new {
                prop_assert!(edit.span.is_empty() && edit.text.is_empty());
            }
        }
    }
}
