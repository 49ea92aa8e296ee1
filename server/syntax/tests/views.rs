//! The typed views: what is where.

use std::path::Path;

use cellwright_syntax::cif::{Block, CifFile, CifVersion, ValueKind};
use cellwright_syntax::poscar::{Mode, PoscarFile};
use cellwright_syntax::{File, Language, Parsed};

fn cif(source: &str) -> CifFile {
    match Parsed::new(Language::Cif, source).file {
        File::Cif(file) => file,
        File::Poscar(_) => panic!("a CIF was asked for"),
    }
}

fn poscar(source: &str) -> PoscarFile {
    match Parsed::new(Language::Poscar, source).file {
        File::Poscar(file) => file,
        File::Cif(_) => panic!("a POSCAR was asked for"),
    }
}

/// Values of a loop, row by row.
fn rows(source: &str, block: &Block, table: usize) -> Vec<Vec<String>> {
    let text = |value: &cellwright_syntax::cif::Value| value.text(source).into_owned();
    block.loops[table].rows().map(|row| row.iter().map(text).collect()).collect()
}

#[test]
fn comments_are_found_wherever_they_stand() {
    let source = "#\\#CIF_1.1\n# a\ndata_x # b\n_t 'no # comment' # c\nloop_ # d\n_a#e\n# f\n1 # g\n\
                  ;\n# text\n;\n# h";
    let comments = cif(source).comments;
    let found: Vec<&str> = comments.iter().map(|c| c.text(source)).collect();
    assert_eq!(found, ["# a", "# b", "# c", "# d", "# f", "# g", "# h"]);
}

#[test]
fn languages_by_name_and_content() {
    let by_name = |name: &str| Language::from_path(Path::new(name));
    for name in ["a.cif", "dir/a.MCIF", "a.mmcif", "cif_core.dic", "POSCAR.cif"] {
        assert_eq!(by_name(name), Some(Language::Cif), "{name}");
    }
    for name in ["POSCAR", "x/CONTCAR", "POSCAR_1", "relaxed.vasp", "a.poscar", "Fe-POSCAR.txt"] {
        assert_eq!(by_name(name), Some(Language::Poscar), "{name}");
    }
    assert_eq!(by_name("cif.txt"), None);
    assert_eq!(by_name(".."), None);
    assert_eq!(Language::from_id("mmcif"), Some(Language::Cif));
    assert_eq!(Language::from_id("rust"), None);
    assert_eq!(Language::guess("# x\r\n  Data_a\r\n"), Language::Cif);
    assert_eq!(Language::guess("\u{feff}#\\#CIF_2.0\n"), Language::Cif);
    assert_eq!(Language::guess("NaCl data_\n1.0\n"), Language::Poscar);
}

#[test]
fn blocks_items_and_frames() {
    let source =
        "# head\ndata_One\n_A 1\nsave_Frame\n_b 'x y'\nsave_\n_c\n;\ntext\n;\n\nDATA_two\n";
    let file = cif(source);
    assert_eq!(file.version, CifVersion::V1);
    let [one, two] = file.blocks.as_slice() else { panic!("two blocks, not {:?}", file.blocks) };
    assert_eq!((one.name.value.as_str(), one.name.span.text(source)), ("One", "data_One"));
    assert_eq!(one.span.start, source.find("data_One").expect("it is there"));
    assert_eq!(one.span.end, two.span.start);
    assert_eq!((two.name.value.as_str(), two.span.text(source)), ("two", "DATA_two\n"));
    let names: Vec<&str> = one.items.iter().map(|item| item.name.value.as_str()).collect();
    assert_eq!(names, ["_a", "_c"]);
    assert_eq!(one.items[0].name.span.text(source), "_A");
    let text = one.value("_c").expect("it has a value");
    assert_eq!((text.kind, text.text(source).as_ref()), (ValueKind::TextField, "\ntext"));
    let frame = &one.frames[0];
    assert_eq!(frame.name.value, "Frame");
    assert_eq!(frame.span.text(source), "save_Frame\n_b 'x y'\nsave_");
    assert_eq!(frame.value("_b").expect("it has a value").text(source), "x y");
}

#[test]
fn loops_are_flat_and_have_rows() {
    let source = "data_a\nloop_\n_atom_site_label\n_atom_site_fract_x # x\nFe1 0.25(3)\n# two\n\
                  'O 1'\t.5\nN1";
    let file = cif(source);
    let block = &file.blocks[0];
    let table = &block.loops[0];
    assert_eq!(rows(source, block, 0), [vec!["Fe1", "0.25(3)"], vec!["O 1", ".5"], vec!["N1"]]);
    assert_eq!(table.keyword.text(source), "loop_");
    assert_eq!(table.span.end, source.len());
    assert_eq!(table.column("_atom_site_fract_x"), Some(1));
    let number = table.values[1].number(source).expect("it is a number");
    assert_eq!((number.value, number.su, number.decimals), (0.25, Some(0.03), 2));
    assert_eq!(block.value("_atom_site_label").expect("it is looped").text(source), "Fe1");
    assert!(block.find_loop("_none").is_none());
}

#[test]
fn unknown_and_inapplicable_are_so_only_without_quotes() {
    let source = "data_a\n_a ?\n_b .\n_c '?'\n_d '1.5'\n";
    let file = cif(source);
    let value = |name| file.blocks[0].value(name).expect("it has a value");
    assert!(value("_a").is_unknown(source) && value("_a").is_null(source));
    assert!(!value("_b").is_unknown(source) && value("_b").is_null(source));
    assert!(!value("_c").is_null(source));
    assert_eq!(value("_d").number(source).map(|n| n.value), Some(1.5));
}

#[test]
fn values_of_version_2() {
    let source = "\u{feff}#\\#CIF_2.0\r\ndata_a\r\n_l [1 'two'\r\n3]\r\n_t {'k':v}\r\n_s '''a\r\n'b'\r\n'''\r\n";
    let file = cif(source);
    assert_eq!(file.version, CifVersion::V2);
    let kinds: Vec<ValueKind> =
        file.blocks[0].items.iter().filter_map(|item| Some(item.value?.kind)).collect();
    assert_eq!(kinds, [ValueKind::List, ValueKind::Table, ValueKind::TripleQuoted]);
    let text = |name| file.blocks[0].value(name).expect("it has a value").text(source);
    assert_eq!(text("_l"), "[1 'two'\r\n3]");
    assert_eq!(text("_s"), "a\r\n'b'\r\n");
    assert_eq!(cif("#\\#CIF_2.01\ndata_a\n").version, CifVersion::V1);
    assert_eq!(cif(" #\\#CIF_2.0\ndata_a\n").version, CifVersion::V1);
}

#[test]
fn what_stands_before_the_first_block_is_read_too() {
    let source = "_cell_length_a 4\ndata_b\n_x 1\n";
    let file = cif(source);
    assert_eq!(file.blocks.len(), 2);
    assert_eq!(file.blocks[0].name.value, "");
    assert_eq!(file.blocks[0].span.text(source), "_cell_length_a 4\n");
    assert!(cif("some words\n").blocks.is_empty());
}

#[test]
fn every_line_break_is_one() {
    let source = "data_a\n_t\n;\none\n;\nloop_\n_x\n_y\n1 2\n3 4\n";
    for line_break in ["\r\n", "\r"] {
        let source = source.replace('\n', line_break);
        let parsed = Parsed::new(Language::Cif, &source);
        assert_eq!(parsed.problems, []);
        let File::Cif(file) = &parsed.file else { panic!("a CIF was asked for") };
        assert_eq!(rows(&source, &file.blocks[0], 0), [["1", "2"], ["3", "4"]]);
        let text = file.blocks[0].value("_t").expect("it has a value").text(&source);
        assert_eq!(text, format!("{line_break}one"));
    }
}

const NACL: &str = "NaCl, by hand\n  5.6 ! scale\n1 0 0\n0 1.0D0 0\n0 0 1 # c\n Na_pv/1f2e Cl ! names\n\
                    1 2\nSelective dynamics\nCartesian ! mode\n0 0 0 T T F first\n.5 .5 .5 .TRUE. .F. f\n\
                    0.5 0 0 F F F\n\nDirect\n1 2 3\n4 5 6\n7 8 9\n\n0.1\n";

#[test]
fn every_part_of_a_poscar() {
    let file = poscar(NACL);
    assert_eq!(Parsed::new(Language::Poscar, NACL).problems, []);
    assert_eq!(file.comment.as_ref().map(|c| c.value.as_str()), Some("NaCl, by hand"));
    assert_eq!(file.scale.len(), 1);
    assert_eq!(file.lattice[1][1].value.value, 1.0);
    assert_eq!(file.lattice[1][1].span.text(NACL), "1.0D0");
    let species: Vec<&str> = file.species.iter().map(|s| s.value.as_str()).collect();
    assert_eq!(species, ["Na_pv", "Cl"]);
    assert_eq!(file.species[0].span.text(NACL), "Na_pv");
    let counts: Vec<u32> = file.counts.iter().map(|c| c.value).collect();
    assert_eq!(counts, [1, 2]);
    assert_eq!(file.selective.map(|s| s.text(NACL)), Some("Selective dynamics"));
    assert_eq!(file.mode.as_ref().map(|m| m.value), Some(Mode::Cartesian));
    let groups: Vec<usize> = file.atoms.iter().map(|row| row.group).collect();
    assert_eq!(groups, [0, 1, 1]);
    let flags = file.atoms[1].flags.as_ref().expect("the row has flags");
    assert_eq!(flags.each_ref().map(|f| f.value), [true, false, false]);
    assert_eq!(file.atoms[0].trailing.map(|t| t.text(NACL)), Some("first"));
    assert_eq!(file.atoms[2].trailing, None);
    assert_eq!(file.velocities.len(), 3);
    assert_eq!(file.velocities[2][2].value.value, 9.0);
    assert!(file.tail.expect("there is more").text(NACL).starts_with("\nDirect"));
}

#[test]
fn line_breaks_of_a_poscar() {
    for line_break in ["\r\n", "\r"] {
        let source = NACL.replace('\n', line_break);
        let (file, plain) = (poscar(&source), poscar(NACL));
        assert_eq!(file.atoms.len(), plain.atoms.len());
        assert_eq!(file.velocities.len(), plain.velocities.len());
        assert_eq!(file.atoms[0].span.text(&source), plain.atoms[0].span.text(NACL));
    }
}

#[test]
fn vasp_4_three_scales_and_the_volume() {
    let body = "3 0 0\n0 3 0\n0 0 3\n1 0 1\nd\n0 0 0 Fe\n.5 .5 .5 O\n";
    let file = poscar(&format!("Fe O\n-27.5\n{body}"));
    assert!(file.species.is_empty());
    assert_eq!(file.scale[0].value.value, -27.5);
    // A count of zero takes no row.
    assert_eq!(file.atoms.iter().map(|row| row.group).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(poscar(&format!("Fe O\n1 1.0 2D0\n{body}")).scale.len(), 3);
}

#[test]
fn lattice_velocities_come_before_velocities() {
    let head = "c\n1\n3 0 0\n0 3 0\n0 0 3\nFe\n1\nDirect\n0 0 0\n";
    let lattice = "Lattice velocities and vectors\n 1\n0 0 0\n0 0 0\n0 0 0\n3 0 0\n0 3 0\n0 0 3\n";
    let file = poscar(&format!("{head}{lattice}\n1 2 3\n"));
    assert!(file.extra_rows.is_empty());
    assert_eq!(file.velocities.len(), 1);
    assert_eq!(file.velocities[0][0].value.value, 1.0);
}
