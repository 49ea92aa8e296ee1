//! What a key press costs before any check runs: re-parse and typed view, for a table of 200 sites
//! and for 1 MB.

#![allow(missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;

use cellwright_syntax::{Document, Language, Span, TextEdit};
use criterion::{Criterion, criterion_group, criterion_main};

fn fraction(i: usize, step: usize) -> f64 {
    (i * step % 99_991) as f64 / 99_991.0
}

fn cif(sites: usize) -> String {
    let mut text = String::from("data_x\n_cell_length_a 10.0(1)\nloop_\n");
    for column in ["label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy"] {
        writeln!(text, "_atom_site_{column}").expect("writing to a string");
    }
    for i in 0..sites {
        let (x, y, z) = (fraction(i, 7919), fraction(i, 104_729), fraction(i, 611_953));
        writeln!(text, "Fe{i} Fe {x:.5} {y:.5}(3) {z:.4} 1.0").expect("writing to a string");
    }
    text
}

fn poscar(sites: usize) -> String {
    let mut text = format!("c\n1.0\n10 0 0\n0 10 0\n0 0 10\nFe\n{sites}\nDirect\n");
    for i in 0..sites {
        let (x, y, z) = (fraction(i, 7919), fraction(i, 104_729), fraction(i, 611_953));
        writeln!(text, " {x:.10} {y:.10} {z:.10}").expect("writing to a string");
    }
    text
}

fn measure(criterion: &mut Criterion, name: &str, language: Language, text: &str) {
    let mut group = criterion.benchmark_group(format!("{name}, {} kB", text.len() / 1000));
    group.sample_size(20);
    group.bench_function("open", |b| {
        b.iter(|| Document::new(language, black_box(text)).tree().clone());
    });
    let mut document = Document::new(language, text);
    // A digit is typed into the middle and removed again.
    let at = text[..text.len() / 2].rfind(' ').map_or(0, |space| space + 1);
    let mut typed = false;
    group.bench_function("edit", |b| {
        b.iter(|| {
            let edit = if typed {
                TextEdit::delete(Span::new(at, at + 1))
            } else {
                TextEdit::insert(at, "0")
            };
            typed = !typed;
            document.apply(&edit);
            document.tree();
        });
    });
    group.bench_function("view", |b| b.iter(|| black_box(&mut document).parse()));
    group.finish();
}

fn benches(criterion: &mut Criterion) {
    measure(criterion, "CIF", Language::Cif, &cif(200));
    measure(criterion, "CIF", Language::Cif, &cif(24_000));
    measure(criterion, "POSCAR", Language::Poscar, &poscar(200));
    measure(criterion, "POSCAR", Language::Poscar, &poscar(25_600));
}

criterion_group!(parse, benches);
criterion_main!(parse);
