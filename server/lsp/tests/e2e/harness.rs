//! A client that speaks raw JSON-RPC with a server in the same process, and forgets nothing: a test in which the server said
//! something that nobody looked at fails.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

/// A server that says nothing for so long is stuck. Only failing tests wait so long.
const STUCK: Duration = Duration::from_secs(30);

/// How a client introduces itself.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    pub(crate) encodings: Vec<&'static str>,
    /// The section `cellwright`, as `workspace/configuration` answers it.
    pub(crate) settings: Value,
    pub(crate) worker: Vec<String>,
    pub(crate) work_done_progress: bool,
    pub(crate) status: bool,
}

impl Default for Manners {
    /// A modern client without energies.
    fn default() -> Self {
        Self {
            encodings: vec!["utf-16", "utf-8"],
            settings: json!({ "energy": { "enabled": false } }),
            worker: vec!["no-worker-in-this-test".to_owned()],
            work_done_progress: false,
            status: false,
        }
    }
}

impl Manners {
    /// With a worker that only pretends, but no energies unasked.
    pub(crate) fn only_relax() -> Self {
        let worker = vec![env!("CARGO_BIN_EXE_cellwright-fake-worker").to_owned()];
        Self { worker, ..Self::default() }
    }

    /// With energies, by a worker that only pretends.
    pub(crate) fn with_worker() -> Self {
        Self { settings: json!({}), ..Self::only_relax() }
    }
}

pub(crate) struct Client {
    writer: Option<DuplexStream>,
    incoming: UnboundedReceiver<Value>,
    /// What has arrived and nobody has asked for yet.
    stash: VecDeque<Value>,
    next: i64,
    server: Option<JoinHandle<i32>>,
    pub(crate) capabilities: Value,
}

impl Client {
    /// A client that has only connected.
    pub(crate) fn connect(worker: &[String]) -> Self {
        let (writer, input) = tokio::io::duplex(1 << 16);
        let (output, reader) = tokio::io::duplex(1 << 16);
        let options = cellwright_lsp::Options { worker_command: worker.to_vec() };
        let server = tokio::spawn(cellwright_lsp::run(input, output, options));
        let (sender, incoming) = unbounded_channel();
        tokio::spawn(async move {
            let mut reader = BufReader::new(reader);
            while let Some(message) = read(&mut reader).await {
                let _ = sender.send(message);
            }
        });
        Self {
            writer: Some(writer),
            incoming,
            stash: VecDeque::new(),
            next: 0,
            server: Some(server),
            capabilities: Value::Null,
        }
    }

    /// A client that has said hello and was asked for its configuration.
    pub(crate) async fn start(manners: Manners) -> Self {
        let mut client = Self::connect(&manners.worker);
        let params = json!({
            "processId": null,
            "rootUri": null,
            "initializationOptions": {
                "commands": ["cellwright.relax"],
                "statusNotification": manners.status,
            },
            "capabilities": {
                "general": { "positionEncodings": manners.encodings },
                "window": { "workDoneProgress": manners.work_done_progress },
                "workspace": {
                    "configuration": true,
                    "workspaceEdit": { "documentChanges": true },
                    "codeLens": { "refreshSupport": true },
                    "inlayHint": { "refreshSupport": true },
                },
                "textDocument": {
                    "publishDiagnostics": { "relatedInformation": true },
                    "codeAction": {
                        "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix"] } },
                        "disabledSupport": true,
                        "dataSupport": true,
                        "resolveSupport": { "properties": ["edit"] },
                    },
                },
            },
        });
        let result = client.request("initialize", params).await.unwrap();
        client.capabilities = result["capabilities"].clone();
        client.notify("initialized", json!({})).await;
        let (id, params) = client.asked("workspace/configuration").await;
        assert_eq!(params["items"], json!([{ "section": "cellwright" }]));
        client.reply(&id, json!([manners.settings])).await;
        client
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        let writer = self.writer.as_mut().expect("input is open");
        writer.write_all(bytes).await.unwrap();
        writer.flush().await.unwrap();
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    }

    pub(crate) async fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    /// Sends a request and does not wait.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> i64 {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    pub(crate) async fn reply(&mut self, id: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result })).await;
    }

    /// The answer to a request: its result or its error.
    pub(crate) async fn answer(&mut self, id: i64) -> Result<Value, Value> {
        let mut message = self
            .wait(&format!("the answer to {id}"), |m| {
                m.get("method").is_none() && m["id"] == json!(id)
            })
            .await;
        match message.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(message["result"].take()),
        }
    }

    pub(crate) async fn request(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.ask(method, params).await;
        self.answer(id).await
    }

    /// Waits for a notification.
    pub(crate) async fn told(&mut self, method: &str) -> Value {
        let mut message =
            self.wait(method, |m| m["method"] == json!(method) && m.get("id").is_none()).await;
        message["params"].take()
    }

    /// Waits for a request of the server.
    pub(crate) async fn asked(&mut self, method: &str) -> (Value, Value) {
        let mut message =
            self.wait(method, |m| m["method"] == json!(method) && m.get("id").is_some()).await;
        (message["id"].take(), message["params"].take())
    }

    /// Takes every request of this method that is sent until `until` has happened, and answers `null`.
    pub(crate) async fn refreshed(&mut self) {
        for method in ["workspace/codeLens/refresh", "workspace/inlayHint/refresh"] {
            let (id, _) = self.asked(method).await;
            self.reply(&id, Value::Null).await;
        }
    }

    /// The error that answers something that was no request.
    pub(crate) async fn complaint(&mut self) -> Value {
        let mut message =
            self.wait("a complaint", |m| m.get("method").is_none() && m["id"].is_null()).await;
        message["error"].take()
    }

    async fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(i) = self.stash.iter().position(&wanted) {
            return self.stash.remove(i).unwrap();
        }
        loop {
            let next = tokio::time::timeout(STUCK, self.incoming.recv()).await;
            match next {
                Ok(Some(message)) if wanted(&message) => return message,
                Ok(Some(message)) => self.stash.push_back(message),
                Ok(None) => panic!("the server ended; waited for {what}, have {:?}", self.stash),
                Err(_) => panic!("waited in vain for {what}, have {:?}", self.stash),
            }
        }
    }

    /// How many times the diagnostics of a document have arrived that nobody asked for yet.
    pub(crate) fn published(&mut self, uri: &str) -> usize {
        while let Ok(message) = self.incoming.try_recv() {
            self.stash.push_back(message);
        }
        self.stash.iter().filter(|m| m["params"]["uri"] == json!(uri)).count()
    }

    // Documents.

    pub(crate) async fn open(&mut self, uri: &str, language: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": language, "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document })).await;
    }

    /// Replaces `[line, column]` to `[line, column]` by a text.
    pub(crate) async fn change(&mut self, uri: &str, version: i32, range: [u32; 4], text: &str) {
        let [a, b, c, d] = range;
        let range =
            json!({ "start": { "line": a, "character": b }, "end": { "line": c, "character": d } });
        let params = json!({
            "textDocument": { "uri": uri, "version": version },
            "contentChanges": [{ "range": range, "text": text }],
        });
        self.notify("textDocument/didChange", params).await;
    }

    pub(crate) async fn close(&mut self, uri: &str) {
        self.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } })).await;
    }

    /// The diagnostics of a version when all checks have run: the second time that they are published for it. What was published
    /// for other versions before is forgotten.
    pub(crate) async fn settled(&mut self, uri: &str, version: i32) -> Vec<Value> {
        let mut seen = 0;
        loop {
            let mut params = self.told("textDocument/publishDiagnostics").await;
            assert_eq!(params["uri"], json!(uri));
            let of = params["version"].as_i64().expect("diagnostics say their version");
            assert!(of <= i64::from(version), "version {of} was not sent yet");
            if of == i64::from(version) {
                seen += 1;
            }
            if seen == 2 {
                return serde_json::from_value(params["diagnostics"].take()).unwrap();
            }
        }
    }

    /// Asks what the crystal under the start of a document is called: the shortest way to see the server's text.
    pub(crate) async fn name(&mut self, uri: &str) -> String {
        let params = json!({ "textDocument": { "uri": uri } });
        let choices = self.request("cellwright/relaxChoices", params).await.unwrap();
        choices["name"].as_str().unwrap_or_default().to_owned()
    }

    /// Says good bye the proper way; gives the exit code. Whatever the server said must have been looked at.
    pub(crate) async fn finish(mut self) -> i32 {
        self.request("shutdown", Value::Null).await.unwrap();
        self.send(&json!({ "jsonrpc": "2.0", "method": "exit" })).await;
        self.exited().await
    }

    /// Waits for the end of the server. Its input stays open, as some clients leave it.
    pub(crate) async fn exited(mut self) -> i32 {
        let server = self.server.take().expect("not ended before");
        let code = tokio::time::timeout(STUCK, server).await.expect("`exit` ends the server");
        while let Some(message) = self.incoming.recv().await {
            self.stash.push_back(message);
        }
        code.unwrap()
    }

    /// Closes the server's input.
    pub(crate) fn hang_up(&mut self) {
        self.writer = None;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert!(self.server.is_none(), "the test did not end its server");
        assert!(self.stash.is_empty(), "the server said what nobody looked at: {:#?}", self.stash);
    }
}

async fn read(reader: &mut BufReader<DuplexStream>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim().split_once(':') {
            Some((_, value)) => length = value.trim().parse().unwrap(),
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}
