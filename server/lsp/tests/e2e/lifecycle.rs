//! Beginning and end.

use serde_json::{Value, json};

use crate::harness::{Client, Manners};

#[tokio::test(flavor = "multi_thread")]
async fn the_server_says_what_it_can_and_takes_bytes_for_columns() {
    let client = Client::start(Manners::default()).await;
    let can = client.capabilities.clone();
    assert_eq!(can["positionEncoding"], "utf-8");
    assert_eq!(can["textDocumentSync"]["change"], 2);
    assert_eq!(can["codeActionProvider"]["resolveProvider"], true);
    assert_eq!(can.get("executeCommandProvider"), None, "commands belong to the client");
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_speaks_only_utf16_is_understood() {
    let manners = Manners { encodings: vec!["utf-16"], ..Manners::default() };
    let client = Client::start(manners).await;
    assert_eq!(client.capabilities["positionEncoding"], "utf-16");
    assert_eq!(client.finish().await, 0);
}

// Row 6 of the known problems of tower-lsp: `exit` alone does not end it while its input stays open.
#[tokio::test(flavor = "multi_thread")]
async fn exit_ends_the_server_while_its_input_stays_open() {
    let client = Client::start(Manners::default()).await;
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_without_shutdown_is_a_failure() {
    let mut client = Client::start(Manners::default()).await;
    client.send(&json!({ "jsonrpc": "2.0", "method": "exit" })).await;
    assert_eq!(client.exited().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_ends_the_server() {
    let mut client = Client::start(Manners::default()).await;
    client.hang_up();
    assert_eq!(client.exited().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_right_behind_shutdown_loses_no_answer() {
    let mut client = Client::start(Manners::default()).await;
    let id = client.ask("shutdown", Value::Null).await;
    client.send(&json!({ "jsonrpc": "2.0", "method": "exit" })).await;
    assert_eq!(client.answer(id).await, Ok(Value::Null));
    assert_eq!(client.exited().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_initialize_everything_is_refused() {
    let mut client = Client::connect(&[]);
    let refused = client.request("textDocument/codeLens", json!({})).await.unwrap_err();
    assert_eq!(refused["code"], -32002);
    client.hang_up();
    assert_eq!(client.exited().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_answered_and_survived() {
    let mut client = Client::start(Manners::default()).await;
    client.send_raw(b"Content-Length: 4\r\n\r\n{\"x\"").await;
    assert_eq!(client.complaint().await["code"], -32700);
    client.send_raw(b"\x00\xff garbage\r\nContent-Length: 2\r\n\r\n{}").await;
    assert_eq!(client.complaint().await["code"], -32700);
    let unknown = client.request("cellwright/noSuchThing", json!({})).await.unwrap_err();
    assert_eq!(unknown["code"], -32601);
    let wrong = client.request("textDocument/codeLens", json!({ "x": 1 })).await.unwrap_err();
    assert_eq!(wrong["code"], -32602);
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_told() {
    let settings = json!({ "energy": { "enabled": false, "forceHint": "much" } });
    let mut client = Client::start(Manners { settings, ..Manners::default() }).await;
    let log = client.told("window/logMessage").await;
    let message = log["message"].as_str().unwrap();
    assert!(message.starts_with("cellwright.energy.forceHint is \"much\""), "{message}");
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_about_a_document_before_the_configuration_is_known() {
    let uri = "file:///a.cif";
    let mut client = Client::connect(&[]);
    let capabilities = json!({ "workspace": { "configuration": true } });
    client.request("initialize", json!({ "capabilities": capabilities })).await.unwrap();
    client.notify("initialized", json!({})).await;
    let (id, _) = client.asked("workspace/configuration").await;
    client.open(uri, "cif", "data_x\n_a_b 1 stray\n").await;
    // The server has seen the document: it answers what comes behind it.
    let resolved = client.request("codeAction/resolve", json!({ "title": "x" })).await.unwrap();
    assert_eq!((&resolved["title"], client.published(uri)), (&json!("x"), 0));
    let settings = json!({ "energy": { "enabled": false }, "checks": { "stray-value": "off" } });
    client.reply(&id, json!([settings])).await;
    assert!(client.settled(uri, 1).await.is_empty());
    assert_eq!(client.finish().await, 0);
}
