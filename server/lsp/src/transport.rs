//! Around tower-lsp: what comes in is made safe for it, `exit` ends it, and a handler that panics answers.
//!
//! Three things that tower-lsp 0.20 does not do by itself:
//! * its codec ends the whole session at the first message that is no JSON or no JSON-RPC ([`sanitize`]);
//! * `exit` does not end `serve` while stdin stays open ([`sanitize`] closes its input, [`Lifecycle`] sees the method);
//! * a panic in a handler unwinds through the one task that everything runs on ([`Lifecycle`]).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};
use tower_service::Service;

/// Stands for a message that could not be read; never comes from a client that means well.
const MALFORMED: &str = "cellwright/malformedMessage";

/// No header is longer than this; what is, is no header.
const HEADER_LIMIT: u64 = 8192;

/// Passes messages from `input` to `output` until `exit` or the end of input. Lone surrogates, which JSON can spell
/// and UTF-8 cannot, become U+FFFD; what is no message at all becomes a notification that [`Lifecycle`] answers with an error.
pub(crate) async fn sanitize<R, W>(input: R, mut output: W, exit: CancellationToken)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut input = BufReader::new(input);
    loop {
        let body = tokio::select! {
            () = exit.cancelled() => break,
            body = read_message(&mut input) => body,
        };
        let Ok(Some(mut body)) = body else { break };
        mend_surrogates(&mut body);
        let body = match complaint(&body) {
            None => body,
            Some(reason) => {
                let params = serde_json::json!({ "reason": reason });
                Request::build(MALFORMED).params(params).finish().to_string().into_bytes()
            }
        };
        let header = format!("Content-Length: {}\r\n\r\n", body.len());
        let sent = async {
            output.write_all(header.as_bytes()).await?;
            output.write_all(&body).await?;
            output.flush().await
        };
        if sent.await.is_err() {
            break;
        }
    }
    // Dropping the output is the end of input for the server, which then answers what is open and ends.
}

/// The next body; `None` at the end of input. Lines that are no header are skipped.
async fn read_message<R>(input: &mut BufReader<R>) -> std::io::Result<Option<Vec<u8>>>
where
    R: AsyncRead + Unpin,
{
    let mut length = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut *input).take(HEADER_LIMIT).read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if let Some((name, value)) = text.split_once(':') {
            if name.trim().eq_ignore_ascii_case("content-length") {
                length = value.trim().parse::<u64>().ok();
            }
        } else if let (true, Some(length)) = (text.is_empty(), length) {
            // `take` grows with what arrives, so an absurd length costs nothing until it is sent.
            let mut body = Vec::new();
            let got = (&mut *input).take(length).read_to_end(&mut body).await?;
            return Ok((got as u64 == length).then_some(body));
        }
    }
}

/// What a JSON-RPC message has to look like for tower-lsp to read it.
#[derive(Deserialize)]
struct Shape {
    jsonrpc: String,
    #[serde(default, rename = "method")]
    _method: Option<String>,
    #[serde(default, rename = "id")]
    _id: Option<Id>,
    #[serde(default, rename = "params")]
    _params: IgnoredAny,
}

/// Why a body is no message, if it is none.
fn complaint(body: &[u8]) -> Option<String> {
    let shape: Shape = match serde_json::from_slice(body) {
        Ok(shape) => shape,
        Err(error) => return Some(error.to_string()),
    };
    (shape.jsonrpc != "2.0").then(|| format!("unknown JSON-RPC version '{}'", shape.jsonrpc))
}

/// Replaces every `\uD800`…`\uDFFF` that is no half of a pair by `\uFFFD`. Editors whose text is UTF-16 send such things.
fn mend_surrogates(body: &mut [u8]) {
    let mut i = 0;
    while i + 1 < body.len() {
        if body[i] != b'\\' {
            i += 1;
            continue;
        }
        let (first, second) = (escape_at(body, i), escape_at(body, i + 6));
        match (first, second) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => i += 12,
            (Some(0xD800..=0xDFFF), _) => {
                body[i + 2..i + 6].copy_from_slice(b"fffd");
                i += 6;
            }
            (Some(_), _) => i += 6,
            (None, _) => i += 2,
        }
    }
}

/// The code unit of a `\uXXXX` at `i`.
fn escape_at(body: &[u8], i: usize) -> Option<u16> {
    let digits = body.get(i..i + 6)?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

/// The tower service around tower-lsp's own: watches for `shutdown` and `exit`, answers malformed messages, and turns
/// a panicking handler into an error.
#[derive(Debug)]
pub(crate) struct Lifecycle<S> {
    inner: S,
    /// Cancelled by `exit`.
    exit: CancellationToken,
    /// Whether `shutdown` came before.
    shutdown: Arc<AtomicBool>,
}

impl<S> Lifecycle<S> {
    pub(crate) fn new(inner: S, exit: CancellationToken, shutdown: Arc<AtomicBool>) -> Self {
        Self { inner, exit, shutdown }
    }
}

impl<S> Service<Request> for Lifecycle<S>
where
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Option<Response>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match request.method() {
            // The inner service never hears of it: it would refuse what is still on its way and leave `serve` hanging.
            "exit" => {
                self.exit.cancel();
                return Box::pin(async { Ok(None) });
            }
            MALFORMED => {
                let reason = request.params().and_then(|p| p["reason"].as_str()).unwrap_or("");
                tracing::warn!("a message could not be read: {reason}");
                let mut error = Error::new(ErrorCode::ParseError);
                error.message = format!("not a JSON-RPC message: {reason}").into();
                return Box::pin(async { Ok(Some(Response::from_error(Id::Null, error))) });
            }
            "shutdown" => self.shutdown.store(true, Ordering::SeqCst),
            _ => {}
        }
        let id = request.id().cloned();
        let method = request.method().to_owned();
        // A handler is a send and a wait, so nothing of ours is left half done by unwinding.
        let handler = AssertUnwindSafe(self.inner.call(without_null_params(request)));
        Box::pin(handler.catch_unwind().map(move |outcome| {
            outcome.unwrap_or_else(|panic| {
                tracing::error!("'{method}' panicked: {}", crate::guard::panic_text(&*panic));
                Ok(id.map(|id| Response::from_error(id, Error::internal_error())))
            })
        }))
    }
}

/// `"params": null` is as good as none; tower-lsp takes only the latter for `shutdown`.
fn without_null_params(request: Request) -> Request {
    if request.params().is_none_or(|p| !p.is_null()) {
        return request;
    }
    let (method, id, _) = request.into_parts();
    match id {
        Some(id) => Request::build(method).id(id).finish(),
        None => Request::build(method).finish(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn passed(input: &[u8]) -> Vec<String> {
        let (writer, mut reader) = tokio::io::duplex(1 << 16);
        sanitize(input, writer, CancellationToken::new()).await;
        let mut all = Vec::new();
        reader.read_to_end(&mut all).await.unwrap();
        let mut input = BufReader::new(&all[..]);
        let mut bodies = Vec::new();
        while let Some(body) = read_message(&mut input).await.unwrap() {
            bodies.push(String::from_utf8(body).unwrap());
        }
        bodies
    }

    fn framed(body: &str) -> Vec<u8> {
        format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    #[tokio::test]
    async fn good_messages_pass_as_they_are() {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"t":"\ud83d\ude00 \\ud800"}}"#;
        let mut input = framed(body);
        input.extend(b"Content-Type: application/vscode-jsonrpc\r\n");
        input.extend(framed(r#"{"jsonrpc":"2.0","id":1,"result":null}"#));
        assert_eq!(passed(&input).await, [body, r#"{"jsonrpc":"2.0","id":1,"result":null}"#]);
    }

    #[tokio::test]
    async fn bad_messages_become_one_notification_each() {
        let mut input = b"\xff\xfe garbage\nContent-Length: 3\r\n\r\n{\"x".to_vec();
        input.extend(framed(r#"{"jsonrpc":"1.0","method":"x"}"#));
        input.extend(framed(r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#));
        input.extend(framed(r#"{"jsonrpc":"2.0","method":"good"}"#));
        let bodies = passed(&input).await;
        assert_eq!(bodies.len(), 4, "{bodies:?}");
        assert!(bodies[..3].iter().all(|b| b.contains(MALFORMED)), "{bodies:?}");
        assert!(bodies[3].contains("good"));
    }

    #[tokio::test]
    async fn lone_surrogates_are_replaced() {
        let body = r#"{"jsonrpc":"2.0","method":"x","params":["\ud83d","\ude00x","\uD83D\u0041"]}"#;
        let expected =
            r#"{"jsonrpc":"2.0","method":"x","params":["\ufffd","\ufffdx","\ufffd\u0041"]}"#;
        assert_eq!(passed(&framed(body)).await, [expected]);
    }

    #[tokio::test]
    async fn a_message_cut_short_is_the_end() {
        assert!(passed(b"Content-Length: 999999999999\r\n\r\n{}").await.is_empty());
    }
}
