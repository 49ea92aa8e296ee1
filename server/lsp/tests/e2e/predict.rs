//! Predictions, with a worker that follows simple rules (see `fake_worker`).

use serde_json::{Value, json};

use crate::actions::applied;
use crate::harness::{Client, Manners};

const URI: &str = "file:///a.cif";
const ASKING: &str = "# predict: Na Cl, Z=1\n";

fn params(version: i32) -> Value {
    json!({ "textDocument": { "uri": URI, "version": version }, "line": 0, "token": "p" })
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_come_while_they_are_found_each_with_its_edit() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", ASKING).await;
    client.settled(URI, 1).await;
    let done = client.request("cellwright/predict", params(1)).await.unwrap();
    let early = client.told("cellwright/predictProgress").await;
    assert_eq!((&early["token"], &early["message"]), (&json!("p"), &json!("1 candidate")));
    assert_eq!(early["candidates"][0]["title"], "P 4/m m m");
    assert!(applied(ASKING, &early["candidates"][0]["edit"]).contains("\ndata_NaCl\n"));
    assert_eq!(
        (&done["version"], &done["name"], &done["notes"]),
        (&json!(1), &json!("NaCl"), &json!(["a note"]))
    );
    let candidates = done["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 2);
    assert_eq!(candidates[0]["title"], "P 4/m m m · E −1.5000 eV/atom · 25 meV above hull");
    assert_eq!(candidates[0]["description"], "25 %");
    assert_eq!(
        candidates[0]["detail"],
        "from KCl (x-1) · Z = 1 · 2.000 g/cm³ · shortest distance 2.00 Å · charges balance · \
         relaxed in 4 steps (volume 1.0 %) · hull of 3 known phases"
    );
    let text = applied(ASKING, &candidates[1]["edit"]);
    assert!(
        text.starts_with(ASKING.trim_end())
            && text.contains("_cell_length_a                4.0000\n"),
        "{text}"
    );
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_becomes_the_likeliest_candidate() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", ASKING).await;
    client.settled(URI, 1).await;
    let start = json!({ "line": 0, "character": 3 });
    let params = json!({
        "textDocument": { "uri": URI },
        "range": { "start": start, "end": start },
        "context": { "diagnostics": [], "only": ["refactor.rewrite.predict"] },
    });
    let actions = client.request("textDocument/codeAction", params).await.unwrap();
    assert_eq!(actions.as_array().unwrap().len(), 1, "{actions}");
    assert_eq!(actions[0]["title"], "Predict structure of NaCl, Z = 1");
    assert_eq!(actions[0].get("edit"), None, "the edit is computed on demand");
    let resolved = client.request("codeAction/resolve", actions[0].clone()).await.unwrap();
    let text = applied(ASKING, &resolved["edit"]);
    assert!(text.contains("_cell_length_a                2.0000\n"), "{text}");
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_predicted_says_why() {
    let mut client = Client::start(Manners::only_relax()).await;
    let text = "# predict: NaQ\n# predict: Ar Na\n";
    client.open(URI, "cif", text).await;
    let found = client.settled(URI, 1).await;
    assert!(found.iter().any(|d| d["code"] == "composition-line"), "{found:?}");
    let error = client.request("cellwright/predict", params(1)).await.unwrap_err();
    assert_eq!(error["code"], -32803);
    assert!(error["message"].as_str().unwrap().starts_with("'Q' is no element"), "{error}");
    let mut second = params(1);
    second["line"] = json!(1);
    let error = client.request("cellwright/predict", second).await.unwrap_err();
    client.told("cellwright/predictProgress").await;
    assert_eq!(error["message"], "no structure was found: a note");
    let mut third = params(1);
    third["line"] = json!(2);
    let error = client.request("cellwright/predict", third).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("there is no composition"), "{error}");
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_ends_a_search() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", "# predict: He\n").await;
    client.settled(URI, 1).await;
    let running = client.ask("cellwright/predict", params(1)).await;
    client.told("cellwright/predictProgress").await;
    client.change(URI, 2, [0, 0, 0, 0], "# typed\n").await;
    let ended = client.answer(running).await.unwrap_err();
    assert_eq!(ended["code"], -32801);
    let stale = client.request("cellwright/predict", params(1)).await.unwrap_err();
    assert_eq!(stale["code"], -32801);
    client.settled(URI, 2).await;
    assert_eq!(client.finish().await, 0);
}
