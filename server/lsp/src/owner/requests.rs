//! Requests that only read: they run on the blocking pool, on a view of the newest text.

use std::sync::Arc;

use cellwright_features::EnergyState;
use cellwright_features::complete::{group_at, hints, offers};
use cellwright_features::denoise::choice;
use cellwright_features::energy::refusal_unless_masked;
use cellwright_features::hints::Hint;
use cellwright_features::hints::force_hints;
use cellwright_features::lens::lenses;
use cellwright_features::predict;
use cellwright_features::relax::choices;
use cellwright_syntax::{Span, composition_lines};
use serde_json::json;
use tower_lsp::lsp_types::{
    CodeAction, CodeActionDisabled, CodeActionKind, CodeActionOrCommand, CodeActionParams,
    CodeActionResponse, CodeLens, CodeLensParams, InlayHint, InlayHintParams, Url,
};

use super::Owner;
use super::action::{ActionData, What};
use super::complete::completions;
use super::document::Need;
use crate::client::{DENOISE_KIND, PREDICT_KIND, RELAX_KIND, SUBSTITUTE_KIND};
use crate::event::{Reply, content_modified};
use crate::guard::guard;
use crate::position::{to_offset, to_span};
use crate::protocol::{RelaxChoice, RelaxChoices, RelaxChoicesParams, SymmetryChoice};
use crate::snapshot::View;
use crate::to_proto::{code_lens, diagnostic, inlay_hint, workspace_edit};

impl Owner {
    /// Answers from a view of the newest text, on the blocking pool. With `edition` the answer is refused if the text is another.
    fn read<T: Send + 'static>(
        &mut self,
        uri: &Url,
        need: Need,
        edition: Option<u64>,
        reply: Reply<T>,
        work: impl FnOnce(&View) -> T + Send + 'static,
    ) {
        let at = uri.clone();
        let then = Box::new(move |owner: &mut Self, outcome: super::document::Outcome| {
            if let Some(error) = outcome.error() {
                reply.send(Err(error));
                return;
            }
            let Some(view) = owner.view(&at) else { return };
            if edition.is_some_and(|edition| edition != view.snapshot.edition) {
                reply.send(Err(content_modified()));
                return;
            }
            owner.handle.spawn_blocking(move || {
                if reply.cancelled().is_cancelled() {
                    return;
                }
                // Dropping the reply after a panic answers with an internal error.
                if let Some(result) = guard("a request", || work(&view)) {
                    reply.send(Ok(result));
                }
            });
        });
        self.when_ready(uri, need, then);
    }

    fn view(&self, uri: &Url) -> Option<View> {
        let open = self.documents.get(uri)?;
        let (_, snapshot) = open.snapshot.as_ref()?;
        let findings = open.findings.as_ref().map(|(_, f)| Arc::clone(f)).unwrap_or_default();
        Some(View {
            snapshot: Arc::clone(snapshot),
            findings,
            energies: self.energy_states(open),
            completions: completions(open),
            config: Arc::clone(&self.config),
            client: Arc::clone(&self.features),
        })
    }

    pub(super) fn code_lens(
        &mut self,
        params: &CodeLensParams,
        reply: Reply<Option<Vec<CodeLens>>>,
    ) {
        self.read(&params.text_document.uri, Need::Parsed, None, reply, |view| {
            let offers = predict::lenses(&composition_lines(&view.snapshot.parsed));
            let lenses = lenses(view.snapshot.facts(), &view.energies).into_iter().chain(offers);
            Some(lenses.filter_map(|l| code_lens(l, &view.snapshot, &view.client)).collect())
        });
    }

    pub(super) fn inlay_hint(
        &mut self,
        params: &InlayHintParams,
        reply: Reply<Option<Vec<InlayHint>>>,
    ) {
        let range = params.range;
        self.read(&params.text_document.uri, Need::Parsed, None, reply, move |view| {
            let rope = &view.snapshot.rope;
            let wanted = to_span(rope, range, view.client.encoding);
            let threshold = view.config.energy.force_hint;
            let readings = view.snapshot.parsed.readings.iter().zip(&view.energies);
            let hints = readings.flat_map(|(reading, state)| match state {
                EnergyState::Known(energy) => force_hints(reading, energy, threshold),
                _ => Vec::new(),
            });
            let guessed = guesses(view);
            let visible = hints.chain(guessed).filter(|hint| wanted.touches(hint.offset));
            Some(visible.map(|hint| inlay_hint(hint, rope, &view.client)).collect())
        });
    }

    pub(super) fn code_action(
        &mut self,
        params: CodeActionParams,
        reply: Reply<Option<CodeActionResponse>>,
    ) {
        let uri = params.text_document.uri.clone();
        // The range is one of the text that the client has now.
        let edition = self.documents.get(&uri).map(|open| open.edition);
        self.read(&uri, Need::Checked, edition, reply, move |view| {
            if !view.client.action_literals {
                return None;
            }
            let selected = to_span(&view.snapshot.rope, params.range, view.client.encoding);
            let only = params.context.only.as_deref();
            let wants = |kind: &CodeActionKind| {
                only.is_none_or(|kinds| kinds.iter().any(|k| includes(k, kind)))
            };
            let mut actions = Vec::new();
            if wants(&CodeActionKind::QUICKFIX) {
                actions.extend(complete_actions(view, selected));
                actions.extend(quick_fixes(view, selected));
            }
            if wants(&CodeActionKind::new(RELAX_KIND)) {
                actions.extend(relax_actions(view, selected));
            }
            if wants(&CodeActionKind::new(PREDICT_KIND)) {
                actions.extend(predict_actions(view, selected));
            }
            if wants(&CodeActionKind::new(DENOISE_KIND)) {
                actions.extend(denoise_action(view, selected));
            }
            if wants(&CodeActionKind::new(SUBSTITUTE_KIND)) {
                actions.extend(substitute_action(view, selected));
            }
            Some(actions.into_iter().map(CodeActionOrCommand::CodeAction).collect())
        });
    }

    pub(super) fn relax_choices(
        &mut self,
        params: &RelaxChoicesParams,
        reply: Reply<Option<RelaxChoices>>,
    ) {
        let (block, position) = (params.block, params.position);
        self.read(&params.text_document.uri, Need::Parsed, None, reply, move |view| {
            let readings = &view.snapshot.parsed.readings;
            let block = match (block, position) {
                (Some(block), _) => block,
                (None, Some(position)) => {
                    let offset = to_offset(&view.snapshot.rope, position, view.client.encoding);
                    // Before the first crystal the first is meant, behind one that one.
                    readings.iter().rposition(|r| r.span.start <= offset).unwrap_or(0)
                }
                (None, None) => 0,
            };
            let reading = readings.get(block)?;
            let choice = |choice: cellwright_features::relax::Choice| RelaxChoice {
                title: choice.title,
                cell: choice.way.cell,
                symmetry: if choice.way.keep_symmetry {
                    SymmetryChoice::Keep
                } else {
                    SymmetryChoice::None
                },
                disabled: choice.disabled,
            };
            Some(RelaxChoices {
                version: view.snapshot.version,
                block,
                name: reading.name.clone(),
                choices: choices(reading).into_iter().map(choice).collect(),
            })
        });
    }
}

/// Whether a kind that was asked for includes another: `refactor` includes `refactor.rewrite`.
fn includes(asked: &CodeActionKind, kind: &CodeActionKind) -> bool {
    let rest = kind.as_str().strip_prefix(asked.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || asked.as_str().is_empty())
}

/// The mends of every finding that the selection touches.
fn quick_fixes(view: &View, selected: Span) -> Vec<CodeAction> {
    let View { snapshot, config, client, .. } = view;
    let touched = view
        .findings
        .iter()
        .filter(|f| f.span.start <= selected.end && selected.start <= f.span.end);
    let shown = touched
        .filter_map(|f| Some((f, diagnostic(f, &snapshot.uri, &snapshot.rope, config, client)?)));
    shown
        .flat_map(|(finding, diagnostic)| {
            finding.fixes.iter().enumerate().map(move |(i, fix)| CodeAction {
                title: fix.title.clone(),
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![diagnostic.clone()]),
                edit: Some(workspace_edit(snapshot, &fix.edits, client)),
                is_preferred: (i == 0).then_some(true),
                ..CodeAction::default()
            })
        })
        .collect()
}

/// The ways to relax the crystal under the cursor, to be computed on demand.
fn relax_actions(view: &View, selected: Span) -> Vec<CodeAction> {
    if !view.client.lazy_actions {
        return Vec::new();
    }
    let readings = view.snapshot.parsed.readings.iter().enumerate();
    let Some((block, reading)) = readings.into_iter().find(|(_, r)| r.span.touches(selected.start))
    else {
        return Vec::new();
    };
    let offered = choices(reading).into_iter();
    let offered = offered.filter(|c| c.disabled.is_none() || view.client.disabled_actions);
    offered
        .map(|choice| {
            let data = ActionData::new(&view.snapshot, What::relax(block, choice.way));
            CodeAction {
                title: choice.title,
                kind: Some(CodeActionKind::new(RELAX_KIND)),
                disabled: choice.disabled.map(|reason| CodeActionDisabled { reason }),
                data: Some(json!(data)),
                ..CodeAction::default()
            }
        })
        .collect()
}

/// The prediction that the composition line under the cursor asks for, to be computed on demand.
fn predict_actions(view: &View, selected: Span) -> Vec<CodeAction> {
    if !view.client.lazy_actions {
        return Vec::new();
    }
    let lines = composition_lines(&view.snapshot.parsed).into_iter().enumerate();
    let touched = lines.filter(|(_, line)| line.span.touches(selected.start));
    let offered = touched.filter(|(_, line)| line.wanted.is_ok());
    offered
        .map(|(index, line)| CodeAction {
            title: predict::title(&line),
            kind: Some(CodeActionKind::new(PREDICT_KIND)),
            data: Some(json!(ActionData::new(&view.snapshot, What::Predict { line: index }))),
            ..CodeAction::default()
        })
        .collect()
}

/// The best guess behind every masked site.
fn guesses(view: &View) -> Vec<Hint> {
    let parsed = &view.snapshot.parsed;
    let known = parsed.readings.iter().zip(&view.completions);
    let answered = known.filter_map(|(r, c)| Some((r, c.as_ref()?.as_ref().ok()?)));
    answered.flat_map(|(reading, completion)| hints(parsed, reading, completion)).collect()
}

/// What a model would write on the masked sites under the cursor. Complete as they are: the model was asked before.
fn complete_actions(view: &View, selected: Span) -> Vec<CodeAction> {
    let View { snapshot, config, client, .. } = view;
    let parsed = &snapshot.parsed;
    let known = parsed.readings.iter().zip(&view.completions);
    let Some((reading, Some(Ok(completion)))) =
        known.into_iter().find(|(r, _)| r.span.touches(selected.start))
    else {
        return Vec::new();
    };
    let asked = view.findings.iter().filter(|f| {
        f.code == "masked-species" && f.span.start <= selected.end && selected.start <= f.span.end
    });
    let asked: Vec<_> = asked
        .filter_map(|f| diagnostic(f, &snapshot.uri, &snapshot.rope, config, client))
        .collect();
    let offered = offers(parsed, reading, completion, selected).into_iter().enumerate();
    offered
        .map(|(i, offer)| CodeAction {
            title: offer.title,
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: (!asked.is_empty()).then(|| asked.clone()),
            edit: Some(workspace_edit(snapshot, &offer.edits, client)),
            is_preferred: (i == 0).then_some(true),
            ..CodeAction::default()
        })
        .collect()
}

/// Denoising of the crystal under the cursor, or of the selected rows, to be computed on demand.
fn denoise_action(view: &View, selected: Span) -> Option<CodeAction> {
    let readings = view.snapshot.parsed.readings.iter().enumerate();
    let (block, reading) = readings.into_iter().find(|(_, r)| r.span.touches(selected.start))?;
    let choice = choice(reading, selected);
    let shown = choice.disabled.is_none() || view.client.disabled_actions;
    let what = What::Denoise { block, rows: choice.rows };
    (view.client.lazy_actions && shown).then(|| CodeAction {
        title: choice.title,
        kind: Some(CodeActionKind::new(DENOISE_KIND)),
        disabled: choice.disabled.map(|reason| CodeActionDisabled { reason }),
        data: Some(json!(ActionData::new(&view.snapshot, what))),
        ..CodeAction::default()
    })
}

/// What might stand for the element under the cursor, to be computed on demand.
fn substitute_action(view: &View, selected: Span) -> Option<CodeAction> {
    let parsed = &view.snapshot.parsed;
    let reading = parsed.readings.iter().find(|r| r.span.touches(selected.start))?;
    let group = group_at(parsed, reading, selected).filter(|group| !group.open)?;
    let possible = refusal_unless_masked(reading).is_none() && view.client.lazy_actions;
    let what = What::Substitute { offset: selected.start };
    possible.then(|| CodeAction {
        title: format!("Suggest substitutions for {}", group.name),
        kind: Some(CodeActionKind::new(SUBSTITUTE_KIND)),
        data: Some(json!(ActionData::new(&view.snapshot, what))),
        ..CodeAction::default()
    })
}
