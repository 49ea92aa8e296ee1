//! Energies, hints, lenses and relaxation, with a worker that follows simple rules (see `fake_worker`).

use serde_json::{Value, json};

use crate::actions::applied;
use crate::harness::{Client, Manners};
use crate::{CL1, SALT};

const URI: &str = "file:///a.cif";

/// A crystal that the fake worker relaxes until somebody stops it.
pub(crate) const FOREVER: &str = "\
data_forever
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
He1 He 0.1 0.0 0.0
";

/// Params of `cellwright/relax` for the positions of the first block.
pub(crate) fn relax(uri: &str, version: i32) -> Value {
    json!({
        "textDocument": { "uri": uri, "version": version },
        "block": 0, "cell": false, "symmetry": "none", "token": "t",
    })
}

fn start_position() -> Value {
    json!({ "line": 0, "character": 0 })
}

/// The code action number `index` for relaxing the first block.
pub(crate) async fn resolve(client: &mut Client, uri: &str, index: usize) -> Value {
    let params = json!({
        "textDocument": { "uri": uri },
        "range": { "start": start_position(), "end": start_position() },
        "context": { "diagnostics": [], "only": ["refactor.rewrite.relax"] },
    });
    let actions = client.request("textDocument/codeAction", params).await.unwrap();
    assert_eq!(actions[index].get("edit"), None, "the edit is computed on demand");
    actions[index].clone()
}

async fn lenses(client: &mut Client, uri: &str) -> Vec<String> {
    let params = json!({ "textDocument": { "uri": uri } });
    let lenses = client.request("textDocument/codeLens", params).await.unwrap();
    let title = |l: &Value| l["command"]["title"].as_str().unwrap().to_owned();
    lenses.as_array().unwrap().iter().map(title).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lens_says_what_it_is_and_the_hint_where_it_hurts() {
    let mut client = Client::start(Manners::with_worker()).await;
    client.open(URI, "cif", SALT).await;
    assert!(client.settled(URI, 1).await.is_empty());
    // The model has answered: published again, and the client is asked to ask again.
    let published = client.told("textDocument/publishDiagnostics").await;
    assert_eq!(published["diagnostics"], json!([]));
    client.refreshed().await;
    let titles = lenses(&mut client, URI).await;
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles[0].starts_with("NaCl · Z = 4 · "), "{titles:?}");
    assert!(
        titles[0]
            .ends_with("2.164 g/cm³ · E −1.5000 eV/atom · max |F| 2.00 eV/Å · Fake 1 on abacus"),
        "{titles:?}"
    );
    assert_eq!(titles[1], "Relax");
    let params = json!({
        "textDocument": { "uri": URI },
        "range": { "start": start_position(), "end": { "line": 99, "character": 0 } },
    });
    let hints = client.request("textDocument/inlayHint", params).await.unwrap();
    assert_eq!(hints.as_array().unwrap().len(), 1, "{hints:#}");
    assert_eq!(hints[0]["label"], "|F| 2.00 eV/Å");
    assert_eq!(hints[0]["position"], json!({ "line": CL1, "character": 27 }));
    assert!(hints[0]["tooltip"].as_str().unwrap().contains("Fake 1 on abacus"));
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absurd_force_is_a_finding_and_an_edit_elsewhere_asks_nothing_again() {
    let mut client = Client::start(Manners::with_worker()).await;
    client
        .open(
            URI,
            "cif",
            &SALT.replace("Na1 Na 0.0000 0.0000 0.0000", "Na1 Na 0.0000 0.0000 0.9900"),
        )
        .await;
    client.settled(URI, 1).await;
    let published = client.told("textDocument/publishDiagnostics").await;
    client.refreshed().await;
    let force =
        published["diagnostics"].as_array().unwrap().iter().find(|d| d["code"] == "large-force");
    let force = force.unwrap();
    assert!(
        force["message"].as_str().unwrap().contains("100.0 eV/Å (Fake 1 on abacus)"),
        "{force}"
    );
    // A comment changes no crystal: the answer is known and shown with the checks already.
    client.change(URI, 2, [0, 0, 0, 0], "# a comment\n").await;
    let found = client.settled(URI, 2).await;
    let moved = found.iter().find(|d| d["code"] == "large-force").unwrap();
    let line = |d: &Value| d["range"]["start"]["line"].as_u64().unwrap();
    assert_eq!(line(moved), line(force) + 1);
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn relaxing_by_request_gives_edit_numbers_and_progress() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", SALT).await;
    client.settled(URI, 1).await;
    let choices = client
        .request("cellwright/relaxChoices", json!({ "textDocument": { "uri": URI } }))
        .await
        .unwrap();
    let titles: Vec<_> =
        choices["choices"].as_array().unwrap().iter().map(|c| &c["title"]).collect();
    assert_eq!(titles, ["Relax positions", "Relax cell and positions"]);
    let done = client.request("cellwright/relax", relax(URI, 1)).await.unwrap();
    assert_eq!(client.told("cellwright/relaxProgress").await["message"], "step 0");
    assert_eq!((&done["version"], &done["changed"]), (&json!(1), &json!(true)));
    assert_eq!(done["model"], json!({ "model": "Fake", "version": "1", "device": "abacus" }));
    assert_eq!(done["summary"]["maxForceAfter"], 0.0);
    let moved = done["summary"]["maxDisplacement"].as_f64().unwrap();
    assert!((moved - 0.05 * 5.64).abs() < 1e-9, "{moved}");
    assert_eq!(
        done["message"],
        "Relaxed in 3 steps: E −1.5000 → −1.5000 eV/atom, max |F| 2.00 → 0.00 eV/Å"
    );
    assert_eq!(applied(SALT, &done["edit"]), SALT.replace("0.5500", "0.5000"));
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn held_atoms_stay_and_the_answer_says_how_many() {
    let mut client = Client::start(Manners::only_relax()).await;
    let (uri, slab) = (
        "file:///POSCAR",
        "slab\n1\n4 0 0\n0 4 0\n0 0 9\nH\n2\nSelective dynamics\nDirect\n0.0500 0 0 F F F\n\
         0.5500 0 0.3 T T F\n\n0.1 0 0\n0 0 0\n",
    );
    client.open(uri, "poscar", slab).await;
    client.settled(uri, 1).await;
    let done = client.request("cellwright/relax", relax(uri, 1)).await.unwrap();
    client.told("cellwright/relaxProgress").await;
    let message = done["message"].as_str().unwrap();
    assert!(
        message.starts_with("Relaxed in 3 steps, 2 atoms held (1 along some axes only): E "),
        "{message}"
    );
    assert_eq!(done["summary"]["heldAtoms"], 2);
    assert_eq!(
        done["notes"],
        json!(["the velocities behind the atoms are still those from before"])
    );
    assert_eq!(applied(slab, &done["edit"]), slab.replace("0.5500", "0.500000"));
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lens_shows_the_energy_of_a_relaxation_as_soon_as_it_is_applied() {
    let mut client = Client::start(Manners::with_worker()).await;
    client.open(URI, "cif", SALT).await;
    client.settled(URI, 1).await;
    client.told("textDocument/publishDiagnostics").await;
    client.refreshed().await;
    let done = client.request("cellwright/relax", relax(URI, 1)).await.unwrap();
    client.told("cellwright/relaxProgress").await;
    let params = json!({
        "textDocument": { "uri": URI, "version": 2 },
        "contentChanges": [{ "text": applied(SALT, &done["edit"]) }],
    });
    client.notify("textDocument/didChange", params).await;
    // The model is asked some time after the change, so it has not answered yet.
    let titles = lenses(&mut client, URI).await;
    assert!(titles[0].contains("E −1.5000 eV/atom · max |F| 0.00 eV/Å"), "{titles:?}");
    client.settled(URI, 2).await;
    client.told("textDocument/publishDiagnostics").await;
    client.refreshed().await;
    // Another crystal has no energy yet.
    client.change(URI, 3, [CL1, 7, CL1, 13], "0.4500").await;
    let titles = lenses(&mut client, URI).await;
    assert!(titles[0].contains("E …"), "{titles:?}");
    client.settled(URI, 3).await;
    client.told("textDocument/publishDiagnostics").await;
    client.refreshed().await;
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn resolving_an_action_computes_its_edit_with_progress() {
    let manners = Manners { work_done_progress: true, ..Manners::only_relax() };
    let mut client = Client::start(manners).await;
    client.open(URI, "cif", SALT).await;
    client.settled(URI, 1).await;
    let action = resolve(&mut client, URI, 1).await;
    assert_eq!(action["title"], "Relax cell and positions");
    let running = client.ask("codeAction/resolve", action).await;
    let (create, _) = client.asked("window/workDoneProgress/create").await;
    client.reply(&create, Value::Null).await;
    let resolved = client.answer(running).await.unwrap();
    let text = applied(SALT, &resolved["edit"]);
    assert!(text.contains("_cell_length_a 5.6964") && text.contains("Cl1 Cl 0.5000"), "{text}");
    let begin = client.told("$/progress").await;
    assert_eq!(begin["value"]["title"], "Relaxing salt");
    assert_eq!(begin["value"]["cancellable"], true);
    assert_eq!(client.told("$/progress").await["value"]["message"], "step 0");
    assert_eq!(client.told("$/progress").await["value"]["kind"], "end");
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resolve_for_a_changed_document_is_refused() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", SALT).await;
    client.settled(URI, 1).await;
    let action = resolve(&mut client, URI, 0).await;
    client.change(URI, 2, [0, 0, 0, 0], "# typed\n").await;
    let refused = client.request("codeAction/resolve", action).await.unwrap_err();
    assert_eq!(refused["code"], -32801);
    let refused = client.request("cellwright/relax", relax(URI, 1)).await.unwrap_err();
    assert_eq!(refused["code"], -32801);
    client.settled(URI, 2).await;
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_ends_a_running_relaxation() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", FOREVER).await;
    client.settled(URI, 1).await;
    let running = client.ask("cellwright/relax", relax(URI, 1)).await;
    client.told("cellwright/relaxProgress").await;
    client.change(URI, 2, [0, 0, 0, 0], "# typed\n").await;
    let ended = client.answer(running).await.unwrap_err();
    assert_eq!(ended["code"], -32801);
    assert!(ended["message"].as_str().unwrap().contains("changed"));
    client.settled(URI, 2).await;
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_button_of_the_progress_stops_a_relaxation() {
    let manners = Manners { work_done_progress: true, ..Manners::only_relax() };
    let mut client = Client::start(manners).await;
    client.open(URI, "cif", FOREVER).await;
    client.settled(URI, 1).await;
    let action = resolve(&mut client, URI, 0).await;
    let running = client.ask("codeAction/resolve", action).await;
    let (create, params) = client.asked("window/workDoneProgress/create").await;
    client.reply(&create, Value::Null).await;
    assert_eq!(client.told("$/progress").await["value"]["kind"], "begin");
    assert_eq!(client.told("$/progress").await["value"]["kind"], "report");
    client.notify("window/workDoneProgress/cancel", json!({ "token": params["token"] })).await;
    assert_eq!(client.answer(running).await.unwrap_err()["code"], -32800);
    assert_eq!(client.told("$/progress").await["value"]["kind"], "end");
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_is_told_and_the_next_one_works() {
    let mut client = Client::start(Manners::only_relax()).await;
    client.open(URI, "cif", &FOREVER.replace("He", "Ne")).await;
    client.settled(URI, 1).await;
    let died = client.request("cellwright/relax", relax(URI, 1)).await.unwrap_err();
    assert_eq!(died["code"], -32803);
    client.change(URI, 2, [13, 4, 13, 6], "Na").await;
    client.settled(URI, 2).await;
    let done = client.request("cellwright/relax", relax(URI, 2)).await.unwrap();
    assert_eq!(done["changed"], true);
    client.told("cellwright/relaxProgress").await;
    assert_eq!(client.finish().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_weights_show_in_the_status_and_nowhere_else() {
    let mut client = Client::start(Manners { status: true, ..Manners::only_relax() }).await;
    assert_eq!(client.told("cellwright/status").await["state"], "stopped");
    assert_eq!(client.told("cellwright/status").await["state"], "off");
    client.open(URI, "cif", &FOREVER.replace("He", "Ar")).await;
    client.settled(URI, 1).await;
    let missing = client.request("cellwright/relax", relax(URI, 1)).await.unwrap_err();
    assert!(missing["message"].as_str().unwrap().contains("cellwright models pull"));
    // The worker starts, works and rests; then the weights are known to be missing.
    loop {
        let status = client.told("cellwright/status").await;
        if status["state"] == "notInstalled" {
            assert!(status["message"].as_str().unwrap().contains("cellwright models pull"));
            break;
        }
    }
    client.notify("cellwright/modelsChanged", json!({})).await;
    loop {
        if client.told("cellwright/status").await["state"] == "off" {
            break;
        }
    }
    assert_eq!(client.finish().await, 0);
}
