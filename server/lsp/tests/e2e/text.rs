//! The server's text is the client's text.

use proptest::prelude::*;
use serde_json::json;

use crate::SALT;
use crate::harness::{Client, Manners};

const URI: &str = "file:///a.cif";

// Row 1: handlers run concurrently; edits must be applied in the order of arrival all the same.
#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_edits_are_applied_in_order() {
    let mut client = Client::start(Manners::default()).await;
    client.open(URI, "cif", SALT).await;
    let mut name = "salt".to_owned();
    for i in 0..300_u32 {
        let digit = char::from_digit(i % 10, 10).unwrap();
        // Behind the name, which grows by one with every edit.
        let end = 9 + i;
        client.change(URI, 2 + i as i32, [0, end, 0, end], &digit.to_string()).await;
        name.push(digit);
    }
    assert_eq!(client.name(URI).await, name);
    client.settled(URI, 301).await;
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_changes_of_one_notification_follow_each_other() {
    let mut client = Client::start(Manners::default()).await;
    client.open(URI, "cif", SALT).await;
    let at = |column: u32| json!({ "line": 0, "character": column });
    let params = json!({
        "textDocument": { "uri": URI, "version": 2 },
        "contentChanges": [
            { "range": { "start": at(5), "end": at(9) }, "text": "x" },
            { "range": { "start": at(6), "end": at(6) }, "text": "yz" },
            // Far outside: clamped to the end of the line.
            { "range": { "start": at(900), "end": at(901) }, "text": "_" },
        ],
    });
    client.notify("textDocument/didChange", params).await;
    assert_eq!(client.name(URI).await, "xyz_");
    client.settled(URI, 2).await;
    // A change without a range is a whole text.
    let params = json!({
        "textDocument": { "uri": URI, "version": 3 },
        "contentChanges": [{ "text": SALT.replace("data_salt", "data_whole") }],
    });
    client.notify("textDocument/didChange", params).await;
    assert_eq!(client.name(URI).await, "whole");
    client.settled(URI, 3).await;
    assert_eq!(client.finish().await, 0);
}

/// A text before the block, a place to insert at (in characters), and what is inserted.
fn edits() -> impl Strategy<Value = Vec<(usize, String)>> {
    proptest::collection::vec((0_usize..40, "[a-z😀漢é\r\n]{1,3}"), 1..8)
}

/// Where a character of a text is, counted as the client counts.
fn position(text: &str, at: usize, utf16: bool) -> (u32, u32) {
    let before: String = text.chars().take(at).collect();
    // A position between \r and \n does not exist.
    let lines = before.replace("\r\n", "\n").replace('\r', "\n");
    let (line, column) = (lines.matches('\n').count(), lines.rsplit('\n').next().unwrap());
    let column = if utf16 { column.encode_utf16().count() } else { column.len() };
    (line as u32, column as u32)
}

/// Makes edits inside a comment field in front of a block and asks where the block is afterwards.
async fn edits_arrive(utf16: bool, edits: Vec<(usize, String)>) {
    let encodings = if utf16 { vec!["utf-16"] } else { vec!["utf-8"] };
    let mut client = Client::start(Manners { encodings, ..Manners::default() }).await;
    let mut text = format!("_x\n;漢😀\n;\n{SALT}");
    client.open(URI, "cif", &text).await;
    let mut version = 1;
    for (at, insert) in edits {
        // Inside the field, never in the middle of a line break.
        let end = text[..text.find("\n;\n").unwrap()].chars().count();
        let mut at = (4 + at).min(end);
        let chars: Vec<char> = text.chars().collect();
        if chars[at - 1] == '\r' && chars[at] == '\n' {
            at -= 1;
        }
        let (line, column) = position(&text, at, utf16);
        version += 1;
        client.change(URI, version, [line, column, line, column], &insert).await;
        text = chars[..at].iter().collect::<String>()
            + &insert
            + &chars[at..].iter().collect::<String>();
    }
    let params = json!({ "textDocument": { "uri": URI } });
    let lenses = client.request("textDocument/codeLens", params).await.unwrap();
    let block = text[..text.find("data_salt").unwrap()].chars().count();
    let (line, column) = position(&text, block, utf16);
    let start = &lenses[0]["range"]["start"];
    assert_eq!(start, &json!({ "line": line, "character": column }), "{text:?}");
    client.settled(URI, version).await;
    assert_eq!(client.finish().await, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_edits_leave_the_same_text_on_both_sides(utf16 in any::<bool>(), edits in edits()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(edits_arrive(utf16, edits));
    }
}
