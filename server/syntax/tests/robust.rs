//! No text makes the readers panic, hang or lose a byte.
// A test that skips says so.
#![allow(clippy::print_stderr)]

use std::fs;
use std::path::PathBuf;

use cellwright_syntax::{Document, File, Language, Parsed, Span, text};
use proptest::prelude::*;

const CIF_TEXT: &str = "#\\#CIF_2.0\r\ndata_x\r\n_cell_length_a 4.2(1) # Å\r\n_t\r\n;\r\ntext é\r\n;\r\n\
    loop_\r\n_a\r\n_b\r\n1 'x y'\r\n[5 {'k':6}] \"\"\"z\"\"\"\r\nsave_f\r\n_q 1\r\nsave_\r\n";

const POSCAR_TEXT: &str = "NaCl é\r\n-1.0\r\n5.6D0 0 0\r\n0 5.6 0\r\n0 0 5.6\r\nNa/ab Cl\r\n1 1\r\n\
    Selective\r\nDirect\r\n0 0 0 T T T\r\n0.5 0.5 0.5 F F F Cl\r\n\r\n0 0 0\r\n0 0 0\r\n";

/// Parses and looks at every span.
fn read(language: Language, source: &str) -> Parsed {
    let mut document = Document::new(language, source);
    assert!(!document.tree().root_node().has_error(), "an error node in {source:?}");
    let parsed = document.parse();
    assert_eq!(&*parsed.text, source);
    for problem in &parsed.problems {
        let _ = problem.span.text(source);
        assert!(!problem.message.is_empty() && !problem.message.ends_with('.'));
    }
    let ordered = |spans: &[Span]| spans.windows(2).all(|pair| pair[0].end <= pair[1].start);
    match &parsed.file {
        File::Cif(file) => {
            for block in file.blocks.iter().flat_map(|b| b.frames.iter().chain([b])) {
                let _ = block.span.text(source);
                for item in &block.items {
                    assert_eq!(item.name.span.text(source).to_lowercase(), item.name.value);
                    let _ = item.value.map(|value| value.text(source).len());
                }
                for table in &block.loops {
                    let spans: Vec<Span> = table.values.iter().map(|v| v.span).collect();
                    assert!(ordered(&spans), "values out of order in {source:?}");
                    let _ = table.values.iter().map(|v| v.text(source).len()).sum::<usize>();
                }
            }
        }
        File::Poscar(file) => {
            let spans: Vec<Span> = file.atoms.iter().map(|row| row.span).collect();
            assert!(ordered(&spans), "rows out of order in {source:?}");
            assert!(file.atoms.iter().all(|row| row.group < file.counts.len()));
            let _ = file.tail.map(|tail| tail.text(source).len());
        }
    }
    parsed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let (source, _) = text::decode(&bytes);
        read(Language::Cif, &source);
        read(Language::Poscar, &source);
    }

    #[test]
    fn any_likely_characters_are_read(source in "[a_ ;'\"\\[\\]{}:#\\\\\\n\\r\\t0-9.\\x00!]{0,200}") {
        read(Language::Cif, &source);
        read(Language::Cif, &format!("#\\#CIF_2.0\ndata_x\n{source}"));
        read(Language::Poscar, &source);
    }
}

#[test]
fn files_cut_at_every_byte_are_read() {
    for (language, whole) in [(Language::Cif, CIF_TEXT), (Language::Poscar, POSCAR_TEXT)] {
        for end in (0..whole.len()).filter(|&i| whole.is_char_boundary(i)) {
            read(language, &whole[..end]);
            read(language, &whole[end..]);
        }
        assert!(read(language, whole).problems.is_empty());
    }
}

#[test]
fn deep_nesting_and_long_runs_are_read() {
    let n = 20_000;
    for body in
        ["[", "{'k':", "]", "[]", "{", "'''", "loop_ ", "save_x ", "data_ ", "_a ", "; ", "\n;"]
    {
        read(Language::Cif, &format!("#\\#CIF_2.0\ndata_x\n_a {}", body.repeat(n)));
        read(Language::Cif, &body.repeat(n));
    }
    for body in ["1 ", "\n", "x", "Fe ", "0 0 0\n", "T ", "\r", "L\n", "\0"] {
        read(Language::Poscar, &body.repeat(n));
        read(
            Language::Poscar,
            &format!("c\n1\n1 0 0\n0 1 0\n0 0 1\n1\nDirect\n{}", body.repeat(n)),
        );
    }
}

#[test]
fn a_count_without_its_atoms_costs_nothing() {
    let head = "c\n1\n1 0 0\n0 1 0\n0 0 1\n";
    read(Language::Poscar, &format!("{head}4294967295 4294967295 4294967295\nDirect\n0 0 0\n"));
    read(Language::Poscar, &format!("{head}99999999999999999999\nDirect\n0 0 0\n"));
    read(Language::Poscar, &format!("{head}0 0 1\nDirect\n0 0 0\n"));
    read(Language::Poscar, &format!("{head}0\nDirect\n"));
}

#[test]
fn the_corpus_is_read_without_a_false_alarm() {
    let data = std::env::var_os("CELLWRIGHT_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let corpus = data.join("../corpus");
    if !corpus.is_dir() {
        eprintln!("SKIPPED: no corpus at {} (set CELLWRIGHT_DATA)", corpus.display());
        return;
    }
    // A program wrote `3.141*^-3` into the coordinates of this one.
    let broken = ["matterviz_scientific-notation.poscar"];
    let mut count = 0;
    let mut alarms = Vec::new();
    for (folder, language) in [("cif", Language::Cif), ("poscar", Language::Poscar)] {
        let entries = fs::read_dir(corpus.join(folder)).expect("the corpus has both folders");
        for entry in entries {
            let path = entry.expect("it can be listed").path();
            let bytes = fs::read(&path).expect("it can be read");
            let (source, _) = text::decode(&bytes);
            let parsed = read(language, &source);
            count += 1;
            let name =
                path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            if !broken.contains(&name.as_str()) {
                alarms
                    .extend(parsed.problems.into_iter().map(|p| format!("{name}: {}", p.message)));
            }
        }
    }
    assert!(count > 100, "only {count} files");
    assert!(alarms.is_empty(), "{alarms:#?}");
}
