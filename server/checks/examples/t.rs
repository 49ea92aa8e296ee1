#![allow(missing_docs, clippy::print_stdout)]
use cellwright_checks::*;
use cellwright_syntax::*;
fn main() {
    let t = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let p = Parsed::new(Language::Cif, &t);
    for _ in 0..5 {
        let s = p.readings[0].structure.as_ref().unwrap();
        let t0 = std::time::Instant::now();
        let n = cellwright_crystal::neighbors::neighbors(&s.lattice, &s.fractional(), 1.7).unwrap();
        let a = t0.elapsed();
        let t0 = std::time::Instant::now();
        let c = s.composition();
        let b = t0.elapsed();
        let t0 = std::time::Instant::now();
        let _ = cellwright_crystal::charge::balance(&c.reduced().0, 1e-3);
        let d = t0.elapsed();
        let t0 = std::time::Instant::now();
        let r = check(&p, &Tolerances::default());
        println!(
            "neigh {a:?} {} comp {b:?} bal {d:?} check {:?} {}",
            n.pairs(),
            t0.elapsed(),
            r.len()
        );
    }
}
