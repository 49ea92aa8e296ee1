//! After any edits the incremental tree is the tree of a fresh parse, and the rope holds the text; also when
//! the tree was made from a clone while the edits went on.

use cellwright_syntax::{Document, Language, Span, TextEdit};
use proptest::prelude::*;

/// Pieces that make and break every construct of CIF.
const CIF: &[&str] = &[
    "\n;",
    ";",
    "\n;\n",
    "'",
    "\"",
    "'''",
    "\"\"\"",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "#",
    "# x\n",
    "#\\#CIF_2.0\n",
    "#\\#CIF_1.1\n",
    "data_a",
    "\ndata_b\n",
    "DATA_",
    "loop_",
    "\nloop_\n",
    "_a",
    "_name",
    "_",
    "save_x",
    "save_",
    "stop_",
    "global_",
    "1.5(2)",
    "abc",
    "?",
    ".",
    "[",
    "]",
    "{",
    "}",
    ":",
    "'k':",
    "\0",
    "\u{a0}",
    "é",
    "\u{feff}",
    "x y z\n1 2 3\n",
    "a'b",
    "$f",
    "loop_x",
];

/// The same for POSCAR.
const POSCAR: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    " ",
    "\t",
    "1",
    "1.0",
    "-.5",
    "2D-1",
    "0 0 0",
    "T",
    "F T F",
    "Fe",
    "Fe O",
    "/ab",
    "Selective",
    "Direct",
    "Cartesian",
    "Lattice velocities",
    "L",
    "! x",
    "#",
    "\0",
    "é",
    "\u{feff}",
    ",",
    "*",
    "\n0 0 0\n",
    "\n  \n",
    ".TRUE.",
    "1 2\nDirect\n",
];

const CIF_TEXT: &str = "#\\#CIF_2.0\ndata_x\n_cell_length_a 4.2(1)\n_t\n;\nsome text\n_not 1\n;\n\
    loop_\n_a\n_b\n_c\n1 'x y' 3\n4 [5 {'k':6}] 7\n\nsave_f\n_q 1\nsave_\n# end\n";

const POSCAR_TEXT: &str = "NaCl\n1.0\n5.6 0 0\n0 5.6 0\n0 0 5.6\nNa Cl\n1 1\nSelective\nDirect\n\
    0 0 0 T T T\n0.5 0.5 0.5 F F F Cl\n\n0 0 0\n0 0 0\n";

/// Where, how much is replaced, and by which piece; numbers are taken modulo what there is.
type RawEdit = (usize, usize, usize);

fn edits() -> impl Strategy<Value = Vec<RawEdit>> {
    let length = prop_oneof![4 => Just(0usize), 3 => 0usize..4, 1 => 0usize..40];
    prop::collection::vec((any::<usize>(), length, any::<usize>()), 1..12)
}

fn boundary(text: &str, at: usize) -> usize {
    let at = at % (text.len() + 1);
    (0..=at).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

/// Kind and place of every node, in order: more than an s-expression says.
fn outline(document: &mut Document) -> Vec<(&'static str, usize, usize, usize, usize, u32)> {
    let mut cursor = document.tree().walk();
    let mut depth = 0;
    let mut nodes = Vec::new();
    loop {
        let node = cursor.node();
        let (start, end) = (node.start_position(), node.end_position());
        nodes.push((
            node.kind(),
            node.start_byte(),
            node.end_byte(),
            start.row * 10_000 + start.column,
            end.row * 10_000 + end.column,
            depth,
        ));
        if cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return nodes;
            }
            depth -= 1;
        }
    }
}

fn check(language: Language, start: &str, pieces: &[&str], edits: &[RawEdit]) {
    let mut text = start.to_owned();
    let mut document = Document::new(language, &text);
    document.tree();
    let mut reader: Option<Document> = None;
    for &(at, length, piece) in edits {
        let first = boundary(&text, at);
        let last = boundary(&text, (first + length).min(text.len()));
        let edit =
            TextEdit::replace(Span::new(first, last.max(first)), pieces[piece % pieces.len()]);
        document.apply(&edit);
        text.replace_range(edit.span.start..edit.span.end, &edit.text);
        assert_eq!(document.rope().to_string(), text);
        // A reader that was started earlier comes back; or nobody reads for a while.
        if at % 3 == 0
            && let Some(mut read) = reader.take()
        {
            read.tree();
            document.adopt(&mut read);
        }
        if at % 4 == 0 {
            reader = Some(document.clone());
        }
        if at % 2 == 0 {
            continue;
        }
        let mut fresh = Document::new(language, &text);
        assert!(!fresh.tree().root_node().has_error(), "an error node in {text:?}");
        assert_eq!(outline(&mut document), outline(&mut fresh), "after {edit:?} in {text:?}");
    }
    let parsed = document.parse();
    let fresh = Document::new(language, &text).parse();
    assert_eq!(&*parsed.text, text.as_str());
    assert_eq!(parsed.problems, fresh.problems);
    for problem in &parsed.problems {
        let spans = problem.related.iter().map(|r| r.0).chain([problem.span]);
        let edits = problem.fix.iter().flat_map(|fix| fix.1.iter().map(|edit| edit.span));
        for span in spans.chain(edits) {
            // Panics when the span leaves the text or cuts a character.
            let _ = span.text(&text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn cif_trees_are_those_of_a_fresh_parse(edits in edits()) {
        check(Language::Cif, CIF_TEXT, CIF, &edits);
    }

    #[test]
    fn cif_trees_from_nothing(edits in edits()) {
        check(Language::Cif, "", CIF, &edits);
    }

    #[test]
    fn poscar_trees_are_those_of_a_fresh_parse(edits in edits()) {
        check(Language::Poscar, POSCAR_TEXT, POSCAR, &edits);
    }

    #[test]
    fn poscar_trees_from_nothing(edits in edits()) {
        check(Language::Poscar, "", POSCAR, &edits);
    }
}

/// One edit can turn everything below it; so can its undoing.
#[test]
fn edits_that_turn_the_whole_file() {
    let edit = |at: usize, len: usize, text: &str| TextEdit::replace(Span::new(at, at + len), text);
    let middle = CIF_TEXT.find("_cell").expect("it is in the text");
    for (there, back) in [
        (edit(0, 10, "#\\#CIF_1.1"), edit(0, 10, "#\\#CIF_2.0")),
        (edit(0, 0, " "), edit(0, 1, "")),
        (edit(0, 1, ""), edit(0, 0, "#")),
        (edit(middle, 0, ";"), edit(middle, 1, "")),
        (edit(middle, 0, "_x\n;\n"), edit(middle, 5, "")),
        (edit(middle - 1, 1, "\r"), edit(middle - 1, 1, "\n")),
        (edit(middle, 0, "'''"), edit(middle, 3, "")),
    ] {
        let mut document = Document::new(Language::Cif, CIF_TEXT);
        let before = outline(&mut document);
        document.apply(&there);
        let text = document.rope().to_string();
        let mut fresh = Document::new(Language::Cif, &text);
        assert_eq!(outline(&mut document), outline(&mut fresh), "{text:?}");
        document.apply(&back);
        assert_eq!(document.rope().to_string(), CIF_TEXT);
        assert_eq!(outline(&mut document), before);
    }
}
