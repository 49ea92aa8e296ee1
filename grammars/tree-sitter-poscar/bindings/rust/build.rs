//! Compiles the committed parser and the scanner.

fn main() {
    let src = std::path::Path::new("src");
    let sources = ["parser.c", "scanner.c"].map(|name| src.join(name));
    let mut build = cc::Build::new();
    // A parser that is built without optimisation makes every test of the workspace slow.
    build.std("c11").include(src).files(&sources).opt_level(2);
    // MSVC reads sources in the system's code page otherwise.
    build.flag_if_supported("-utf-8");
    build.flag_if_supported("-Wno-unused-parameter");
    build.compile("tree-sitter-poscar");
    for path in sources.iter().chain([&src.join("tree_sitter")]) {
        println!("cargo:rerun-if-changed={}", path.display());
    }
}
