//! Quick fixes.

use serde_json::{Value, json};

use crate::SALT;
use crate::harness::{Client, Manners};

const URI: &str = "file:///a.cif";

/// A text after the edits of a versioned workspace edit; columns are bytes.
pub(crate) fn applied(text: &str, edit: &Value) -> String {
    let mut edits = edit["documentChanges"][0]["edits"].as_array().unwrap().clone();
    let offset = |position: &Value| {
        let line = position["line"].as_u64().unwrap() as usize;
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        start + position["character"].as_u64().unwrap() as usize
    };
    edits.sort_by_key(|e| std::cmp::Reverse(offset(&e["range"]["start"])));
    let mut text = text.to_owned();
    for edit in edits {
        let (start, end) = (offset(&edit["range"]["start"]), offset(&edit["range"]["end"]));
        text.replace_range(start..end, edit["newText"].as_str().unwrap());
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_volume_is_mended_by_its_quick_fix() {
    let mut client = Client::start(Manners::default()).await;
    let text = SALT.replace("_cell_length_a", "_cell_volume 200.0\n_cell_length_a");
    client.open(URI, "cif", &text).await;
    let found = client.settled(URI, 1).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    let params = json!({
        "textDocument": { "uri": URI },
        "range": found[0]["range"],
        "context": { "diagnostics": found, "only": ["quickfix"] },
    });
    let actions = client.request("textDocument/codeAction", params).await.unwrap();
    let action = &actions[0];
    assert_eq!(action["diagnostics"], json!(found), "the fix is tied to its diagnostic");
    assert_eq!(action["isPreferred"], true);
    let document = &action["edit"]["documentChanges"][0]["textDocument"];
    assert_eq!(document, &json!({ "uri": URI, "version": 1 }));
    let mended = applied(&text, &action["edit"]);
    let params = json!({
        "textDocument": { "uri": URI, "version": 2 },
        "contentChanges": [{ "text": mended }],
    });
    client.notify("textDocument/didChange", params).await;
    assert!(client.settled(URI, 2).await.is_empty(), "{mended}");
    // A quick fix that is resolved all the same comes back as it is.
    let resolved = client.request("codeAction/resolve", action.clone()).await.unwrap();
    assert_eq!(&resolved, action);
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disordered_crystal_is_not_relaxed_and_the_reason_is_given() {
    let mut client = Client::start(Manners::default()).await;
    let mut text =
        SALT.replace("_atom_site_fract_z\n", "_atom_site_fract_z\n_atom_site_occupancy\n");
    text = text.replace("000\n", "000 1\n").replacen("0.0000 1\n", "0.0000 0.5\n", 1);
    client.open(URI, "cif", &text).await;
    client.settled(URI, 1).await;
    let start = json!({ "line": 0, "character": 0 });
    let params = json!({
        "textDocument": { "uri": URI },
        "range": { "start": start, "end": start },
        "context": { "diagnostics": [], "only": ["refactor"] },
    });
    let actions = client.request("textDocument/codeAction", params).await.unwrap();
    let reason = actions[0]["disabled"]["reason"].as_str().unwrap();
    assert!(reason.contains("disordered") && reason.contains("Na1"), "{reason}");
    let params = json!({
        "textDocument": { "uri": URI, "version": 1 }, "block": 0, "cell": false, "symmetry": "none",
    });
    let refused = client.request("cellwright/relax", params).await.unwrap_err();
    assert_eq!(refused["code"], -32803);
    assert!(refused["message"].as_str().unwrap().contains("disordered"));
    assert_eq!(client.finish().await, 0);
}
