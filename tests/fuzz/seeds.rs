//! The files that are damaged: those of the repository and, where it is there, the corpus beside
//! `CELLWRIGHT_DATA`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cellwright_syntax::Language;
use cellwright_syntax::text::decode;

/// Both formats.
pub(crate) const LANGUAGES: [Language; 2] = [Language::Cif, Language::Poscar];

/// Longer files make every case slow and break in no other way.
const LONGEST: usize = 6_000;

/// A file to start from.
pub(crate) struct Seed {
    pub(crate) language: Language,
    pub(crate) text: String,
}

/// All seeds, read once.
pub(crate) fn seeds() -> &'static [Seed] {
    static SEEDS: OnceLock<Vec<Seed>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut folders = vec![root.join("examples"), root.join("tests/fuzz/seeds")];
        let data =
            std::env::var_os("CELLWRIGHT_DATA").map_or(root.join("../shared/data"), PathBuf::from);
        let corpus = data.parent().map(|beside| beside.join("corpus")).filter(|c| c.is_dir());
        match corpus {
            Some(corpus) => folders.extend(["cif", "poscar"].map(|folder| corpus.join(folder))),
            None => {
                let message =
                    "SKIPPED: the corpus beside CELLWRIGHT_DATA; fuzzing our own files only\n";
                std::io::stderr().write_all(message.as_bytes()).expect("stderr");
            }
        }
        let seeds: Vec<Seed> = folders.iter().flat_map(|folder| read(folder)).collect();
        assert!(seeds.len() > 8, "only {} seeds", seeds.len());
        seeds
    })
}

fn read(folder: &Path) -> Vec<Seed> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            let language = Language::from_path(&path)?;
            let bytes = fs::read(&path).expect("it can be read");
            let text = decode(&bytes).0.into_owned();
            (text.len() <= LONGEST).then_some(Seed { language, text })
        })
        .collect()
}
