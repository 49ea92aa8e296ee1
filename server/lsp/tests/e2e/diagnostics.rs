//! Diagnostics come for the newest text, move with it, and go when it is closed.

use serde_json::json;

use crate::harness::{Client, Manners};
use crate::{CL1, SALT};

const URI: &str = "file:///a.cif";

fn codes(diagnostics: &[serde_json::Value]) -> Vec<&str> {
    diagnostics.iter().map(|d| d["code"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_atoms_too_close_are_found_and_the_finding_goes_when_they_part() {
    let mut client = Client::start(Manners::default()).await;
    client.open(URI, "cif", SALT).await;
    let clean = client.settled(URI, 1).await;
    assert!(clean.is_empty(), "{clean:#?}");
    // Cl1 onto Na1.
    client.change(URI, 2, [CL1, 7, CL1, 13], "0.0500").await;
    let found = client.settled(URI, 2).await;
    assert!(codes(&found).iter().any(|c| c.contains("distance")), "{found:#?}");
    let distance = found.iter().find(|d| d["code"].as_str().unwrap().contains("distance")).unwrap();
    assert_eq!(distance["severity"], 1);
    assert_eq!(distance["source"], "cellwright");
    assert_eq!(distance["relatedInformation"][0]["location"]["uri"], URI);
    client.change(URI, 3, [CL1, 7, CL1, 13], "0.5500").await;
    assert!(client.settled(URI, 3).await.is_empty());
    client.close(URI).await;
    let cleared = client.told("textDocument/publishDiagnostics").await;
    assert_eq!(cleared, json!({ "uri": URI, "diagnostics": [] }));
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_behind_an_emoji_count_utf16_units() {
    let manners = Manners { encodings: vec!["utf-16"], ..Manners::default() };
    let mut client = Client::start(manners).await;
    // A value too many, behind a quoted emoji on the same line.
    client.open(URI, "cif", "data_x\n_a_b '😀é' stray\n").await;
    let found = client.settled(URI, 1).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["range"]["start"], json!({ "line": 1, "character": 11 }));
    assert_eq!(found[0]["range"]["end"], json!({ "line": 1, "character": 16 }));
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_newest_of_many_versions_is_settled() {
    let mut client = Client::start(Manners::default()).await;
    client.open(URI, "cif", SALT).await;
    for version in 2..60 {
        let x = format!("0.{version:02}00");
        client.change(URI, version, [CL1, 7, CL1, 13], &x).await;
    }
    // Version 59 puts Cl1 at 0.59; those of versions 2 to 9 were too close to Na1.
    assert!(client.settled(URI, 59).await.is_empty());
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_can_be_switched_off_and_on_again() {
    let off = json!({ "energy": { "enabled": false }, "checks": { "short-distance": "off" } });
    let mut client = Client::start(Manners { settings: off, ..Manners::default() }).await;
    client.open(URI, "cif", &SALT.replace("Cl1 Cl 0.5500", "Cl1 Cl 0.0500")).await;
    let found = client.settled(URI, 1).await;
    assert!(!codes(&found).contains(&"short-distance"), "{found:#?}");
    client.notify("workspace/didChangeConfiguration", json!({ "settings": null })).await;
    let (id, _) = client.asked("workspace/configuration").await;
    let hint = json!({ "energy": { "enabled": false }, "checks": { "short-distance": "hint" } });
    client.reply(&id, json!([hint])).await;
    let found = client.settled(URI, 1).await;
    let distance = found.iter().find(|d| d["code"] == "short-distance").unwrap();
    assert_eq!(distance["severity"], 4);
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_cut_and_says_so() {
    let mut client = Client::start(Manners::default()).await;
    let mut text = "data_x\n".to_owned();
    for i in 0..3000 {
        text.push_str(&format!("_a_{i} 1\n_a_{i} 2\n"));
    }
    // Problems of the text alone are cut at a thousand already; the checks of a crystal come on top.
    text.push_str(&SALT.replace("_cell_length_a", "_cell_volume 200.0\n_cell_length_a"));
    client.open(URI, "cif", &text).await;
    let found = client.settled(URI, 1).await;
    assert_eq!(found.len(), 1001);
    assert_eq!(found.last().unwrap()["code"], "more-findings");
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_answered_by_diagnostics() {
    let mut client = Client::start(Manners::default()).await;
    let binary: String = (0..4096_u32).map(|i| char::from((i * 7 % 256) as u8)).collect();
    let nan = SALT.replace("5.64", "1e308").replace("0.0000", "NaN");
    let texts =
        ["", "\u{feff}", "data_", &SALT[..SALT.len() - 20], "loop_", &binary, &nan, ";\n", "'"];
    for (version, text) in texts.iter().enumerate() {
        for (uri, language) in [("file:///b.cif", "cif"), ("file:///POSCAR", "poscar")] {
            if version == 0 {
                client.open(uri, language, text).await;
            } else {
                let params = json!({
                    "textDocument": { "uri": uri, "version": version + 1 },
                    "contentChanges": [{ "text": text }],
                });
                client.notify("textDocument/didChange", params).await;
            }
            client.settled(uri, version as i32 + 1).await;
        }
    }
    assert_eq!(client.finish().await, 0);
}
