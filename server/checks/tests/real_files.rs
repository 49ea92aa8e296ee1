//! Files as people publish them are mostly right, so most of them must be without findings. Looks at
//! the corpus beside the data folder and skips loudly without it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use cellwright_checks::{Finding, Severity, Tolerances, check};
use cellwright_syntax::text::decode;
use cellwright_syntax::{Language, Parsed};

/// A folder beside `CELLWRIGHT_DATA` (default: `../shared/data` beside the repository).
fn beside_data(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::var_os("CELLWRIGHT_DATA").map_or(root.join("../shared/data"), PathBuf::from);
    let folder = data.parent()?.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let message = format!("SKIPPED: {} is not there; set CELLWRIGHT_DATA\n", folder.display());
    std::io::stderr().write_all(message.as_bytes()).expect("stderr");
    None
}

/// How many files have a finding of a code at a severity, and how many files there are.
fn tally(files: impl IntoIterator<Item = (String, Language, String)>) -> (usize, Tally) {
    let mut tally = BTreeMap::new();
    let mut count = 0;
    for (name, language, text) in files {
        count += 1;
        let findings = check(&Parsed::new(language, &text), &Tolerances::default());
        let mut codes: Vec<_> = findings.iter().map(|f: &Finding| (f.code, f.severity)).collect();
        codes.sort();
        codes.dedup();
        for key in codes {
            let files: &mut Vec<String> = tally.entry(key).or_default();
            files.push(name.clone());
        }
    }
    (count, tally)
}

type Tally = BTreeMap<(&'static str, Severity), Vec<String>>;
