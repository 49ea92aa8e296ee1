//! From byte offsets and plain structs to LSP.

use std::collections::HashMap;

use cellwright_checks::{Finding, Severity};
use cellwright_features::hints::Hint;
use cellwright_features::lens::{Lens, LensAction};
use cellwright_syntax::TextEdit;
use ropey::Rope;
use serde_json::json;
use tower_lsp::lsp_types::{
    CodeLens, Command, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity,
    DocumentChanges, InlayHint, InlayHintLabel, InlayHintTooltip, Location, NumberOrString, OneOf,
    OptionalVersionedTextDocumentIdentifier, TextDocumentEdit, Url, WorkspaceEdit,
};

use crate::client::ClientFeatures;
use crate::config::Config;
use crate::position::{to_position, to_range};
use crate::snapshot::Snapshot;

/// `source` of every diagnostic.
const SOURCE: &str = "cellwright";

/// Command of the client that starts a relaxation.
pub(crate) const RELAX_COMMAND: &str = "cellwright.relax";

/// Command of the client that starts a prediction.
pub(crate) const PREDICT_COMMAND: &str = "cellwright.predict";

/// A finding as a diagnostic; `None` if the user has switched it off.
pub(crate) fn diagnostic(
    finding: &Finding,
    uri: &Url,
    rope: &Rope,
    config: &Config,
    client: &ClientFeatures,
) -> Option<Diagnostic> {
    let severity = config.severity(finding.code, finding.severity)?;
    let related = client.related_information && !finding.related.is_empty();
    let related = related.then(|| {
        let related = finding.related.iter().map(|r| DiagnosticRelatedInformation {
            location: Location::new(uri.clone(), to_range(rope, r.span, client.encoding)),
            message: r.message.clone(),
        });
        related.collect()
    });
    Some(Diagnostic {
        range: to_range(rope, finding.span, client.encoding),
        severity: Some(match severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Information => DiagnosticSeverity::INFORMATION,
            Severity::Hint => DiagnosticSeverity::HINT,
        }),
        code: Some(NumberOrString::String(finding.code.to_owned())),
        source: Some(SOURCE.to_owned()),
        message: finding.message.clone(),
        related_information: related,
        ..Diagnostic::default()
    })
}

/// Edits of one document as the client takes them.
pub(crate) fn workspace_edit(
    snapshot: &Snapshot,
    edits: &[TextEdit],
    client: &ClientFeatures,
) -> WorkspaceEdit {
    let edits = edits.iter().map(|e| tower_lsp::lsp_types::TextEdit {
        range: to_range(&snapshot.rope, e.span, client.encoding),
        new_text: e.text.clone(),
    });
    if client.document_changes {
        let text_document = OptionalVersionedTextDocumentIdentifier {
            uri: snapshot.uri.clone(),
            version: Some(snapshot.version),
        };
        let edits = edits.map(OneOf::Left).collect();
        let change = TextDocumentEdit { text_document, edits };
        return WorkspaceEdit {
            document_changes: Some(DocumentChanges::Edits(vec![change])),
            ..WorkspaceEdit::default()
        };
    }
    WorkspaceEdit::new(HashMap::from([(snapshot.uri.clone(), edits.collect())]))
}

/// A lens; `None` if it needs a command that the client does not have.
pub(crate) fn code_lens(
    lens: Lens,
    snapshot: &Snapshot,
    client: &ClientFeatures,
) -> Option<CodeLens> {
    let of_client = |command: &str, index: usize| {
        let arguments = vec![json!(snapshot.uri), json!(index)];
        client.commands.contains(command).then(|| (command.to_owned(), Some(arguments)))
    };
    let (command, arguments) = match lens.action {
        // An empty command is text that cannot be clicked.
        None => (String::new(), None),
        Some(LensAction::Relax(block)) => of_client(RELAX_COMMAND, block)?,
        Some(LensAction::Predict(line)) => of_client(PREDICT_COMMAND, line)?,
    };
    Some(CodeLens {
        range: to_range(&snapshot.rope, lens.span, client.encoding),
        command: Some(Command { title: lens.title, command, arguments }),
        data: None,
    })
}

pub(crate) fn inlay_hint(hint: Hint, rope: &Rope, client: &ClientFeatures) -> InlayHint {
    InlayHint {
        position: to_position(rope, hint.offset, client.encoding),
        label: InlayHintLabel::String(hint.label),
        kind: None,
        text_edits: None,
        tooltip: Some(InlayHintTooltip::String(hint.tooltip)),
        padding_left: Some(true),
        padding_right: None,
        data: None,
    }
}
