//! The keys are declared once, in Rust; what is written elsewhere must agree.

use std::path::PathBuf;

use serde_json::{Map, Value};

fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The table beside `PROTOCOL.md`. `UPDATE_SETTINGS=1` writes it anew.
#[test]
fn the_committed_table_is_the_one_in_the_code() {
    let file = path("settings.json");
    let now = serde_json::to_string_pretty(&cellwright_lsp::settings()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SETTINGS").is_some() {
        std::fs::write(&file, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap();
    assert!(
        committed == now,
        "settings.json is not what the code says: run this test with UPDATE_SETTINGS=1"
    );
}

/// Keys that only the extension reads.
const OF_THE_EXTENSION: [&str; 2] = ["cellwright.server.path", "cellwright.trace.server"];

/// The extension's manifest. `UPDATE_SETTINGS=1` puts the table into it, behind the extension's own keys.
#[test]
fn the_extension_offers_every_key_of_the_server() {
    let file = path("../../editor-ext/package.json");
    let mut manifest: Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let ours = cellwright_lsp::settings().as_object().unwrap().clone();
    let offered = &mut manifest["contributes"]["configuration"]["properties"];
    let own = offered.as_object().unwrap().clone().into_iter();
    let (own, theirs): (Map<_, _>, Map<_, _>) =
        own.partition(|(key, _)| OF_THE_EXTENSION.contains(&key.as_str()));
    assert_eq!(own.len(), OF_THE_EXTENSION.len());
    if std::env::var_os("UPDATE_SETTINGS").is_some() {
        *offered = Value::Object(own.into_iter().chain(ours).collect());
        let text = serde_json::to_string_pretty(&manifest).unwrap() + "\n";
        std::fs::write(&file, text).unwrap();
        return;
    }
    assert!(
        theirs == ours,
        "editor-ext/package.json does not offer the server's keys: run this test with UPDATE_SETTINGS=1"
    );
}
