//! Runs the corpus files of `tree-sitter test` without the command line tool, and checks of every
//! input that its tree holds no error.

use std::fmt::Write as _;
use std::path::Path;

use tree_sitter::{Language, Parser};

/// Runs every `*.txt` in a folder and panics with the list of what differs.
pub fn run(language: &Language, folder: &Path) {
    let mut parser = Parser::new();
    parser.set_language(language).expect("the library reads the parser's ABI");
    let mut failures = String::new();
    let mut count = 0;
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("corpus files are UTF-8");
        for case in cases(&text) {
            count += 1;
            let tree = parser.parse(case.input, None).expect("no time limit is set");
            let found = tree.root_node().to_sexp();
            if found != case.expected || tree.root_node().has_error() {
                writeln!(
                    failures,
                    "{}: {}\n  expected {}\n  found    {found}\n",
                    file.display(),
                    case.name,
                    case.expected
                )
                .expect("writing to a string");
            }
        }
    }
    assert!(count > 0, "no corpus in {}", folder.display());
    assert!(failures.is_empty(), "{failures}");
}

struct Case<'a> {
    name: &'a str,
    input: &'a str,
    expected: String,
}

/// A case is a name between two lines of `===`, the input, a line of `---`, the tree.
fn cases(text: &str) -> Vec<Case<'_>> {
    let is_rule = |line: &str, c: char| line.len() >= 3 && line.trim_end().chars().all(|x| x == c);
    let mut cases = Vec::new();
    // (start of line, line without its break)
    let mut lines = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        lines.push((at, line.trim_end_matches('\n')));
        at += line.len();
    }
    let headers: Vec<usize> = (0..lines.len().saturating_sub(2))
        .filter(|&i| is_rule(lines[i].1, '=') && is_rule(lines[i + 2].1, '='))
        .collect();
    for (k, &header) in headers.iter().enumerate() {
        let end = headers.get(k + 1).copied().unwrap_or(lines.len());
        // The last divider: one in the input must be shorter than this to `tree-sitter test` too.
        let divider = (header + 3..end)
            .rfind(|&i| is_rule(lines[i].1, '-'))
            .unwrap_or_else(|| panic!("{}: no line of dashes", lines[header + 1].1));
        let start = lines[header + 3].0;
        let input = &text[start..lines[divider].0];
        let tree_end = lines.get(end).map_or(text.len(), |line| line.0);
        let tree = text[lines[divider].0..tree_end].trim_start_matches('-');
        let words: Vec<&str> = tree.split_whitespace().collect();
        cases.push(Case {
            name: lines[header + 1].1,
            input: input.strip_suffix('\n').unwrap_or(input),
            expected: words.join(" ").replace(" )", ")"),
        });
    }
    cases
}
