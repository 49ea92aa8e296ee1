#![allow(missing_docs, clippy::print_stdout)]
use cellwright_checks::*;
use cellwright_syntax::*;
fn main() {
    for f in std::env::args().skip(1) {
        let b = std::fs::read(&f).unwrap();
        let (t, _) = text::decode(&b);
        let l =
            Language::from_path(std::path::Path::new(&f)).unwrap_or_else(|| Language::guess(&t));
        let t0 = std::time::Instant::now();
        let p = Parsed::new(l, &t);
        let t1 = t0.elapsed();
        let t0 = std::time::Instant::now();
        let r = check(&p, &Tolerances::default());
        let t2 = t0.elapsed();
        println!("FILE\t{f}\t{}\t{:?}\t{:?}", r.len(), t1, t2);
        for x in r {
            let line = t[..x.span.start].matches('\n').count() + 1;
            println!(
                "{}\t{:?}\t{}:{line}\t{}",
                x.code,
                x.severity,
                f.rsplit('/').next().unwrap(),
                x.message
            );
            for r in x.related.iter().take(1) {
                println!("\t\t\t\t\t~{}", r.message)
            }
        }
    }
}
