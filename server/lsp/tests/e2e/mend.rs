//! Masked sites, denoising and substitutions, with a worker that follows simple rules (see `fake_worker`).

use serde_json::{Value, json};

use crate::actions::applied;
use crate::harness::{Client, Manners};
use crate::{CL1, SALT};

const URI: &str = "file:///a.cif";

fn at(line: u32) -> Value {
    json!({ "line": line, "character": 1 })
}

async fn actions(client: &mut Client, range: [Value; 2], kind: &str) -> Vec<Value> {
    let [start, end] = range;
    let params = json!({
        "textDocument": { "uri": URI },
        "range": { "start": start, "end": end },
        "context": { "diagnostics": [], "only": [kind] },
    });
    let actions = client.request("textDocument/codeAction", params).await.unwrap();
    actions.as_array().unwrap().clone()
}

async fn hints(client: &mut Client) -> Value {
    let params = json!({
        "textDocument": { "uri": URI },
        "range": { "start": at(0), "end": { "line": 99, "character": 0 } },
    });
    client.request("textDocument/inlayHint", params).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_masked_site_is_guessed_and_completed_at_once() {
    let mut client = Client::start(Manners::only_relax()).await;
    let text = SALT.replace("Cl1 Cl", "X1 ?").replace("Cl2 Cl", "X2 ?");
    client.open(URI, "cif", &text).await;
    let found = client.settled(URI, 1).await;
    let codes: Vec<_> = found.iter().map(|d| d["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["masked-species", "masked-species"], "{found:?}");
    client.refreshed().await;
    let hints = hints(&mut client).await;
    assert_eq!(hints[0]["label"], "O 75 %?", "{hints}");
    assert_eq!(hints[0]["position"]["line"], json!(CL1));
    assert!(hints[0]["tooltip"].as_str().unwrap().contains("X1 after Fake 1 on abacus: O 75 %"));
    let offered = actions(&mut client, [at(CL1), at(CL1)], "quickfix").await;
    let titles: Vec<_> = offered.iter().map(|a| a["title"].as_str().unwrap()).collect();
    assert_eq!(
        titles,
        [
            "Complete X1 → O (75 %)",
            "Complete X1 → F (24 %)",
            "Complete all 2 masked sites → X1 O, X2 O (60 %, charges balance)",
            "Complete all 2 masked sites → X1 F, X2 F (10 %, charges balance)",
        ]
    );
    assert_eq!(offered[0]["isPreferred"], true);
    assert_eq!(applied(&text, &offered[1]["edit"]), text.replace("X1 ?", "X1 F"));
    let both = text.replace("X1 ?", "X1 O").replace("X2 ?", "X2 O");
    assert_eq!(applied(&text, &offered[2]["edit"]), both);
    // A site with an element has nothing to complete, and the answer is known after an edit elsewhere.
    assert!(actions(&mut client, [at(CL1 - 1), at(CL1 - 1)], "quickfix").await.is_empty());
    client.change(URI, 2, [0, 0, 0, 0], "# a comment\n").await;
    client.settled(URI, 2).await;
    assert_eq!(actions(&mut client, [at(CL1 + 1), at(CL1 + 1)], "quickfix").await.len(), 4);
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_guesses_gets_none_and_a_refusal_offers_nothing() {
    let text = SALT.replace("Cl1 Cl", "X1 ?");
    let off = json!({ "energy": { "enabled": false }, "complete": { "enabled": false } });
    let mut client = Client::start(Manners { settings: off, ..Manners::only_relax() }).await;
    client.open(URI, "cif", &text).await;
    client.settled(URI, 1).await;
    assert!(actions(&mut client, [at(CL1), at(CL1)], "quickfix").await.is_empty());
    assert_eq!(client.finish().await, 0);

    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", &text.replace("Na1 Na", "Ar1 Ar")).await;
    client.settled(URI, 1).await;
    client.refreshed().await;
    assert!(actions(&mut client, [at(CL1), at(CL1)], "quickfix").await.is_empty());
    assert_eq!(hints(&mut client).await, json!([]));
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_user_asks_for_goes_before_what_is_asked_unasked() {
    let mut client = Client::start(Manners::only_relax()).await;
    let endless = SALT.replace("Cl1 Cl", "X1 ?").replace("Na1 Na", "He1 He");
    client.open("file:///endless.cif", "cif", &endless).await;
    client.settled("file:///endless.cif", 1).await;
    // The first answer is there, the second never comes.
    client.refreshed().await;
    client.open(URI, "cif", SALT).await;
    client.settled(URI, 1).await;
    for _ in 0..2 {
        let params = json!({ "textDocument": { "uri": URI, "version": 1 } });
        let done = client.request("cellwright/denoise", params).await.unwrap();
        assert!(done["message"].as_str().unwrap().starts_with("Denoised"), "{done}");
    }
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn denoising_says_how_far_atoms_move_and_what_that_gains() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", SALT).await;
    client.settled(URI, 1).await;
    let document = json!({ "uri": URI, "version": 1 });
    let params = json!({ "textDocument": document, "token": "d" });
    let done = client.request("cellwright/denoise", params).await.unwrap();
    let told = client.told("cellwright/denoiseProgress").await;
    assert_eq!((&told["token"], &told["message"]), (&json!("d"), &json!("round 1")));
    assert_eq!(
        done["message"],
        "Denoised: 1 site moved, Cl1 furthest by 0.282 Å, E −1.2500 → −1.5000 eV/atom"
    );
    assert_eq!(done["moves"][0]["label"], "Cl1");
    assert_eq!((&done["energies"], &done["changed"]), (&json!([-1.25, -1.5]), &json!(true)));
    assert_eq!(done["energyModel"]["model"], "Fake");
    assert_eq!(applied(SALT, &done["edit"]), SALT.replace("Cl1 Cl 0.5500", "Cl1 Cl 0.5000"));
    // Where other rows are selected, this one is held.
    let range = json!({ "start": at(CL1 + 1), "end": at(CL1 + 2) });
    let params = json!({ "textDocument": document, "range": range });
    let still = client.request("cellwright/denoise", params).await.unwrap();
    assert_eq!((&still["changed"], &still["moves"]), (&json!(false), &json!([])));
    assert_eq!(still["message"], "Nothing to move: every atom is where it belongs");
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn denoising_is_an_action_of_the_selection() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", SALT).await;
    client.settled(URI, 1).await;
    let kind = "refactor.rewrite.denoise";
    let all = actions(&mut client, [at(0), at(0)], kind).await;
    assert_eq!((all.len(), &all[0]["title"]), (1, &json!("Denoise positions")));
    let some = actions(&mut client, [at(CL1), at(CL1 + 1)], kind).await;
    assert_eq!(some[0]["title"], "Denoise positions of 2 selected sites");
    assert_eq!(some[0].get("edit"), None, "the edit is computed on demand");
    let resolved = client.request("codeAction/resolve", some[0].clone()).await.unwrap();
    assert!(applied(SALT, &resolved["edit"]).contains("Cl1 Cl 0.5000 "));
    let others = actions(&mut client, [at(CL1 - 2), at(CL1 - 1)], kind).await;
    let resolved = client.request("codeAction/resolve", others[0].clone()).await.unwrap();
    assert_eq!(applied(SALT, &resolved["edit"]), SALT);
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_or_a_cancel_ends_denoising() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", crate::relax::FOREVER).await;
    client.settled(URI, 1).await;
    let params =
        |version: i32| json!({ "textDocument": { "uri": URI, "version": version }, "token": "d" });
    let running = client.ask("cellwright/denoise", params(1)).await;
    client.told("cellwright/denoiseProgress").await;
    client.notify("$/cancelRequest", json!({ "id": running })).await;
    assert_eq!(client.answer(running).await.unwrap_err()["code"], -32800);
    let running = client.ask("cellwright/denoise", params(1)).await;
    client.told("cellwright/denoiseProgress").await;
    client.change(URI, 2, [0, 0, 0, 0], "# typed\n").await;
    assert_eq!(client.answer(running).await.unwrap_err()["code"], -32801);
    let stale = client.request("cellwright/denoise", params(1)).await.unwrap_err();
    assert_eq!(stale["code"], -32801);
    client.settled(URI, 2).await;
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn elements_are_suggested_for_a_site() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", SALT).await;
    client.settled(URI, 1).await;
    let params = |line: u32| json!({ "textDocument": { "uri": URI, "version": 1 }, "position": at(line), "token": "s" });
    let done = client.request("cellwright/substitute", params(CL1)).await.unwrap();
    let candidates = done["candidates"].as_array().unwrap();
    let shown: Vec<_> = candidates
        .iter()
        .map(|c| (c["title"].as_str().unwrap(), c["description"].as_str().unwrap()))
        .collect();
    assert_eq!(shown, [("Cl1 → O", "75 %"), ("Cl1 → F", "24 %")]);
    assert_eq!(done["notes"], json!(["Cl, which is there now, has < 1 %"]));
    assert_eq!(applied(SALT, &candidates[1]["edit"]), SALT.replace("Cl1 Cl", "Cl1 F "));
    let error = client.request("cellwright/substitute", params(1)).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("there is no site here"), "{error}");
    let kind = "refactor.rewrite.substitute";
    let offered = actions(&mut client, [at(CL1), at(CL1)], kind).await;
    assert_eq!(offered[0]["title"], "Suggest substitutions for Cl1");
    let resolved = client.request("codeAction/resolve", offered[0].clone()).await.unwrap();
    assert_eq!(applied(SALT, &resolved["edit"]), SALT.replace("Cl1 Cl", "Cl1 O "));
    assert!(actions(&mut client, [at(1), at(1)], kind).await.is_empty());
    assert_eq!(client.finish().await, 0);
}
