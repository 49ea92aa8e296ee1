//! What holds of every text.

use cellwright_checks::{Tolerances, check};
use cellwright_crystal::Structure;
use cellwright_features::{Energy, EnergyState, facts, lens, relax};
use cellwright_syntax::poscar::Mode;
use cellwright_syntax::text::apply_edits;
use cellwright_syntax::{Document, Language, Parsed, Reading, Span, TextEdit, edit, write};
use nalgebra::Vector3;

use crate::damage::Damage;

/// Cells with more atoms are read and checked, but not moved and written: that would take the time
/// of a hundred other cases and show nothing new.
const MOST_ATOMS: usize = 400;

/// Everything.
pub(crate) fn hold(language: Language, text: &str) {
    let mut document = Document::new(language, text);
    assert!(!document.tree().root_node().has_error(), "an error node in {text:?}");
    let parsed = document.parse();
    assert_eq!(&*parsed.text, text);
    problems_are_in_the_text(&parsed);
    parsed.readings.iter().for_each(|reading| places_are_in_the_text(&parsed, reading));
    findings_are_in_the_text(&document, &parsed);
    shown(&parsed);
    for reading in &parsed.readings {
        if let Some(structure) = reading.structure.as_ref().filter(|s| s.len() <= MOST_ATOMS) {
            moved(&parsed, reading, structure);
            written(structure);
        }
    }
}

fn inside(text: &str, span: Span) {
    assert!(text.get(span.start..span.end).is_some(), "{span:?} is not in {text:?}");
}

fn problems_are_in_the_text(parsed: &Parsed) {
    for problem in &parsed.problems {
        assert!(!problem.message.is_empty());
        let related = problem.related.iter().map(|r| r.0);
        related.chain([problem.span]).for_each(|span| inside(&parsed.text, span));
        if let Some((_, edits)) = &problem.fix {
            let _ = apply_edits(&parsed.text, edits);
        }
    }
}

fn places_are_in_the_text(parsed: &Parsed, reading: &Reading) {
    let text = &parsed.text;
    inside(text, reading.header);
    inside(text, reading.span);
    reading.obstacles.iter().for_each(|o| inside(text, o.span));
    for site in &reading.sites {
        let spans = site.coordinate_spans.into_iter().flatten().chain(site.symbol_span);
        spans.chain(site.occupancy_span).for_each(|span| inside(text, span));
        inside(text, site.label_span);
        inside(text, site.row);
    }
    let atoms = reading.structure.as_ref().map_or(0, Structure::len);
    assert_eq!(reading.origins.len(), atoms);
    for origin in &reading.origins {
        assert!(origin.site < reading.sites.len());
        assert!(origin.operation < reading.symmetry.operations.len());
    }
}

/// Places, and fixes: each can be applied, and the document it is applied to incrementally is what a fresh
/// parse of the result gives.
fn findings_are_in_the_text(document: &Document, parsed: &Parsed) {
    for finding in check(parsed, &Tolerances::default()) {
        assert!(!finding.message.is_empty() && !finding.message.ends_with('.'), "{finding:?}");
        let related = finding.related.iter().map(|r| r.span);
        related.chain([finding.span]).for_each(|span| inside(&parsed.text, span));
        for fix in &finding.fixes {
            let after = apply_edits(&parsed.text, &fix.edits);
            assert_ne!(after, &*parsed.text, "{finding:?} changes nothing");
            let mut edited = document.clone();
            let mut edits: Vec<&TextEdit> = fix.edits.iter().collect();
            edits.sort_by_key(|e| (e.span.start, e.span.end));
            edits.into_iter().rev().for_each(|edit| edited.apply(edit));
            // Insertions at one place come out in reverse when they are applied from the end.
            if edited.rope() == after.as_str() {
                same(&mut edited, &mut Document::new(parsed.language(), &after));
            }
        }
    }
}

/// What the editor shows.
fn shown(parsed: &Parsed) {
    let states: Vec<EnergyState<Box<Energy>>> =
        parsed.readings.iter().map(|_| EnergyState::Off).collect();
    for lens in lens::lenses(&facts::facts(parsed), &states) {
        inside(&parsed.text, lens.span);
    }
    for reading in &parsed.readings {
        let _ = relax::choices(reading);
    }
    let _ = relax::held(parsed);
}

/// Atoms that moved and a cell that grew come back from the text, up to the digits that are written.
fn moved(parsed: &Parsed, reading: &Reading, structure: &Structure) {
    let mut new = structure.clone();
    for (i, site) in new.sites.iter_mut().enumerate() {
        let step = 0.001 * (1 + i % 7) as f64;
        site.frac += Vector3::new(step, -step, 0.5 * step);
    }
    for edits in [edit::update(parsed, reading, &new), edit::update_as_p1(parsed, reading, &new)]
        .into_iter()
        .flatten()
    {
        let after = apply_edits(&parsed.text, &edits.edits);
        let read = Parsed::new(parsed.language(), &after);
        if parsed.problems.is_empty() {
            assert_eq!(read.problems, [], "{:?} became {after:?}", parsed.text);
            let again = &read.readings[parsed
                .readings
                .iter()
                .position(|r| std::ptr::eq(r, reading))
                .expect("it is one of them")];
            let atoms = again.structure.as_ref().map(Structure::len);
            assert_eq!(atoms, Some(structure.len()), "{:?} became {after:?}", parsed.text);
        }
    }
}

/// A structure that is written as a new file is the one that is read from it. The angles of a cell that is
/// millions of Å long do not fit the digits of a CIF.
fn written(structure: &Structure) {
    if structure.lattice.lengths().iter().any(|length| *length > 1000.0) {
        return;
    }
    let cif = write::cif(structure, "x");
    let poscar = write::poscar(structure, "x", Mode::Direct).ok();
    let texts = [(Language::Cif, Some(cif)), (Language::Poscar, poscar)];
    for (language, text) in texts.into_iter().filter_map(|(l, t)| Some((l, t?))) {
        let parsed = Parsed::new(language, &text);
        assert_eq!(parsed.problems, [], "{text}");
        let again = parsed.readings[0].structure.as_ref().map(Structure::len);
        assert_eq!(again, Some(structure.len()), "{text}");
    }
}

/// After each edit the incremental tree is that of a fresh parse, and so is all that is read from it.
pub(crate) fn incremental_is_fresh(language: Language, start: &str, damages: &[Damage]) {
    let mut text = start.to_owned();
    let mut document = Document::new(language, &text);
    for damage in damages {
        for edit in damage.edits(&text) {
            document.apply(&edit);
            text.replace_range(edit.span.start..edit.span.end, &edit.text);
            assert_eq!(document.rope().to_string(), text);
        }
        same(&mut document, &mut Document::new(language, &text));
    }
}

fn same(document: &mut Document, fresh: &mut Document) {
    let [tree, other] = [&mut *document, &mut *fresh].map(|d| d.tree().root_node().to_sexp());
    assert_eq!(tree, other, "in {:?}", fresh.rope().to_string());
    let [read, again] = [document.parse(), fresh.parse()];
    assert_eq!(read.problems, again.problems);
    let spans = |p: &Parsed| p.readings.iter().map(|r| (r.header, r.span)).collect::<Vec<_>>();
    assert_eq!(spans(&read), spans(&again));
}
