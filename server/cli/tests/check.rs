use std::ffi::OsString;

use crate::support::{cellwright, file, run};

fn args(words: &[&str], files: &[&str]) -> Vec<OsString> {
    let words = words.iter().map(OsString::from);
    words.chain(files.iter().map(|name| file(name).into_os_string())).collect()
}

#[test]
fn a_clean_file_gives_exit_0_and_a_broken_one_exit_1() {
    let clean = cellwright(&args(&["check"], &["rutile.cif"]));
    assert_eq!(clean.code, 0, "{}", clean.stdout);
    assert_eq!(clean.stdout, "1 file checked: 0 errors, 0 warnings, 0 notes\n");

    let broken = cellwright(&args(&["check"], &["broken.cif"]));
    assert_eq!(broken.code, 1, "{}", broken.stdout);
    assert!(broken.stdout.contains("error[short-distance]"), "{}", broken.stdout);
    assert!(broken.stdout.contains("broken.cif:20:"), "{}", broken.stdout);
}

#[test]
fn one_file_that_cannot_be_read_does_not_stop_the_others() {
    let both = cellwright(&args(&["check", "--format", "json"], &["missing.cif", "broken.cif"]));
    assert_eq!(both.code, 2);
    assert!(both.stderr.contains("missing.cif"), "{}", both.stderr);
    let findings = both.json("check");
    let findings = findings.as_array().expect("a list");
    assert!(findings.iter().any(|f| f["code"] == "short-distance"), "{findings:#?}");
}

#[test]
fn json_places_a_finding_at_its_line_column_and_byte() {
    let text = std::fs::read_to_string(file("broken.cif")).expect("a file");
    let findings = cellwright(&args(&["check", "--format", "json"], &["broken.cif"])).json("check");
    let findings = findings.as_array().expect("a list");
    let finding = findings.iter().find(|f| f["code"] == "short-distance").expect("the distance");
    let number = |place: &str, key: &str| finding[place][key].as_u64().expect("a number") as usize;
    let (start, end) = (number("start", "byte"), number("end", "byte"));
    let line = text[..start].matches('\n').count() + 1;
    assert_eq!(number("start", "line"), line);
    assert_eq!(number("start", "column"), start - text[..start].rfind('\n').expect("not line 1"));
    assert!(start < end && end <= text.len());
}

#[test]
fn folders_are_searched_and_standard_input_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("deep")).expect("a folder");
    std::fs::copy(file("broken.cif"), folder.path().join("deep/b.cif")).expect("a copy");
    std::fs::copy(file("POSCAR"), folder.path().join("POSCAR")).expect("a copy");
    std::fs::write(folder.path().join("notes.txt"), "not a structure").expect("a file");
    let run_folder = cellwright(&["check".as_ref(), folder.path().as_os_str()]);
    assert!(run_folder.stdout.contains("2 files checked"), "{}", run_folder.stdout);

    let text = std::fs::read(file("broken.cif")).expect("a file");
    let piped = run(&["check", "-", "--format", "json"], &text);
    assert_eq!(piped.code, 1);
    assert_eq!(piped.json("check")[0]["file"], "<stdin>");
}

#[test]
fn sarif_has_the_rules_and_the_places() {
    let sarif = cellwright(&args(&["check", "--format", "sarif"], &["broken.cif"]));
    let sarif: serde_json::Value = serde_json::from_str(&sarif.stdout).expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in run["results"].as_array().expect("results") {
        assert!(rules.iter().any(|r| r["id"] == result["ruleId"]), "{result}");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert!(region["startLine"].as_u64() >= Some(1), "{region}");
    }
}

#[test]
fn every_code_can_be_explained() {
    let list = cellwright(&["explain"]);
    assert_eq!(list.code, 0);
    assert!(list.stdout.lines().count() >= 12, "{}", list.stdout);
    for line in list.stdout.lines() {
        let code = line.split_whitespace().next().expect("a code");
        let manual = cellwright(&["explain", code]);
        assert_eq!(manual.code, 0);
        assert!(manual.stdout.lines().count() > 3, "{code} has no manual");
        let code_ends = manual.stdout.rfind("```").unwrap_or(0);
        let cure = &manual.stdout[code_ends..];
        assert!(cure.contains("## How to mend it"), "{code} has no cure");
        // What is no code is filled to 80 columns where stdout is no terminal.
        let longest = cure.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(80), "{code} has lines of {longest:?} columns");
    }
    assert_eq!(cellwright(&["explain", "no-such-code"]).code, 2);
}

#[test]
fn any_bytes_are_answered() {
    let noise: Vec<u8> =
        (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for language in ["cif", "poscar"] {
        let run = run(&["check", "-", "--language", language], &noise);
        assert!(run.code == 0 || run.code == 1, "{}: {}", run.code, run.stderr);
    }
}
