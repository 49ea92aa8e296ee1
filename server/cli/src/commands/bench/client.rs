//! The smallest client of the language server protocol that can time an answer.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// A server under test.
pub(crate) struct Client {
    child: Child,
    stdin: ChildStdin,
    messages: Receiver<(Instant, Value)>,
    next_id: u64,
}

impl Client {
    /// Starts a server and shakes hands.
    pub(crate) fn start(program: &str, args: &[String]) -> Result<Self> {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let stdin = child.stdin.take().context("no stdin")?;
        let mut stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Ok(message) = receive(&mut stdout) {
                if sender.send((Instant::now(), message)).is_err() {
                    break;
                }
            }
        });
        let mut client = Self { child, stdin, messages, next_id: 0 };
        client.request(
            "initialize",
            &json!({ "processId": std::process::id(), "rootUri": null, "capabilities": {
                "general": { "positionEncodings": ["utf-16"] },
                "textDocument": { "publishDiagnostics": { "versionSupport": true, "relatedInformation": true } },
                "workspace": { "configuration": true },
            }}),
        )?;
        client.notify("initialized", &json!({}))?;
        Ok(client)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn notify(&mut self, method: &str, params: &Value) -> Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        let (_, mut reply) = self.wait(|m| m["id"] == id && m["method"].is_null())?;
        Ok(reply["result"].take())
    }

    /// Waits for the first message that is wanted, answering what the server asks meanwhile.
    pub(crate) fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<(Instant, Value)> {
        loop {
            let (at, message) = match self.messages.recv_timeout(Duration::from_secs(60)) {
                Ok(received) => received,
                Err(RecvTimeoutError::Timeout) => bail!("no answer within a minute"),
                Err(RecvTimeoutError::Disconnected) => bail!("the server ended"),
            };
            if wanted(&message) {
                return Ok((at, message));
            }
            if !message["id"].is_null() && message["method"].is_string() {
                let result = match message["method"].as_str() {
                    Some("workspace/configuration") => {
                        // Learned energies would share the cores with what is measured.
                        let quiet = json!({ "energy": { "enabled": false } });
                        let items = message["params"]["items"].as_array().map_or(0, Vec::len);
                        json!(vec![quiet; items])
                    }
                    _ => Value::Null,
                };
                self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))?;
            }
        }
    }

    /// Says goodbye; the server has to end by itself.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.request("shutdown", &Value::Null)?;
        self.notify("exit", &Value::Null)?;
        self.child.wait()?;
        Ok(())
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        let body = message.to_string();
        write!(self.stdin, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        Ok(self.stdin.flush()?)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Only reached with the server alive when something failed: it must not outlive the benchmark.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn receive(input: &mut impl BufRead) -> Result<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            bail!("end of stream");
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}
