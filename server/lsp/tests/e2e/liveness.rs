//! Nothing that takes long keeps anything else waiting. Rows are those of the known problems of tower-lsp.

use serde_json::{Value, json};

use crate::SALT;
use crate::harness::{Client, Manners};
use crate::relax::{FOREVER, relax, resolve};

const URI: &str = "file:///a.cif";

// Row 2: everything is polled on one task, so work must not be done there.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_document_does_not_keep_a_small_one_waiting() {
    let mut client = Client::start(Manners::default()).await;
    let mut large = SALT.to_owned();
    for i in 0..40_000 {
        large.push_str(&format!("H{i} H 0.{:04} 0.{:04} 0.{:04}\n", i % 7919, i % 6007, i % 9973));
    }
    client.open("file:///large.cif", "cif", &large).await;
    client.open(URI, "cif", SALT).await;
    assert_eq!(client.name(URI).await, "salt");
    let published = client.published("file:///large.cif");
    assert!(published < 2, "the small one was answered before the large one was checked");
    // Both are checked in the end.
    let mut open = vec![URI, URI, "file:///large.cif", "file:///large.cif"];
    while !open.is_empty() {
        let params = client.told("textDocument/publishDiagnostics").await;
        let i = open.iter().position(|uri| params["uri"] == json!(uri)).unwrap();
        open.remove(i);
    }
    assert_eq!(client.finish().await, 0);
}

// Row 3: `$/cancelRequest` only drops the handler; the work behind it must end too.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_relaxation_ends_in_the_worker_too() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", FOREVER).await;
    client.settled(URI, 1).await;
    let running = client.ask("cellwright/relax", relax(URI, 1)).await;
    assert_eq!(client.told("cellwright/relaxProgress").await["step"], 0);
    client.notify("$/cancelRequest", json!({ "id": running })).await;
    assert_eq!(client.answer(running).await.unwrap_err()["code"], -32800);
    // The worker does one task at a time: it could not do this one if it were still busy.
    client.open("file:///b.cif", "cif", SALT).await;
    client.settled("file:///b.cif", 1).await;
    let done = client.request("cellwright/relax", relax("file:///b.cif", 1)).await.unwrap();
    assert_eq!(done["changed"], true);
    client.told("cellwright/relaxProgress").await;
    assert_eq!(client.finish().await, 0);
}

// Row 4: more requests than tower-lsp's default takes at once, none of which can end.
#[tokio::test(flavor = "multi_thread")]
async fn many_waiting_requests_leave_room_for_others() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", FOREVER).await;
    client.settled(URI, 1).await;
    let mut waiting = Vec::new();
    for _ in 0..200 {
        let mut params = relax(URI, 1);
        params["token"].take();
        waiting.push(client.ask("cellwright/relax", params).await);
    }
    assert_eq!(client.name(URI).await, "forever");
    for id in &waiting {
        client.notify("$/cancelRequest", json!({ "id": id })).await;
    }
    for id in waiting {
        assert_eq!(client.answer(id).await.unwrap_err()["code"], -32800);
    }
    assert_eq!(client.finish().await, 0);
}

// Row 5: an answer of the client to a request whose asker was cancelled must not end the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_to_a_cancelled_request_is_survived() {
    let manners = Manners { work_done_progress: true, ..Manners::only_relax() };
    let mut client = Client::start(manners).await;
    client.open(URI, "cif", FOREVER).await;
    client.settled(URI, 1).await;
    let action = resolve(&mut client, URI, 0).await;
    let running = client.ask("codeAction/resolve", action).await;
    let (create, params) = client.asked("window/workDoneProgress/create").await;
    client.notify("$/cancelRequest", json!({ "id": running })).await;
    assert_eq!(client.answer(running).await.unwrap_err()["code"], -32800);
    client.reply(&create, Value::Null).await;
    assert_eq!(client.name(URI).await, "forever");
    // The progress that was created late is ended all the same.
    let mut kinds = Vec::new();
    while kinds.last() != Some(&json!("end")) {
        let progress = client.told("$/progress").await;
        assert_eq!(progress["token"], params["token"]);
        kinds.push(progress["value"]["kind"].clone());
    }
    assert_eq!(kinds[0], "begin");
    assert_eq!(client.finish().await, 0);
}
