//! Lines of a worker's stdout as replies.

use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};
use tokio::sync::mpsc::Sender;

use crate::protocol::{MAX_LINE, Reply, VERSION};

/// What came out of a worker.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    Reply(Reply),
    /// The greeting of another version of the protocol.
    OtherProtocol {
        protocol: u32,
        version: String,
    },
    /// No reply at all; the beginning of it.
    Garbage(String),
}

/// Reads until the output ends or nobody listens.
pub(super) async fn read(mut output: impl AsyncBufRead + Unpin, lines: Sender<Line>) {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read = (&mut output).take(MAX_LINE).read_until(b'\n', &mut bytes).await;
        // A worker that dies in the middle of a line has said nothing with it.
        if read.is_err() || (bytes.last() != Some(&b'\n') && (bytes.len() as u64) < MAX_LINE) {
            break;
        }
        if !bytes.trim_ascii().is_empty() && lines.send(parse(&bytes)).await.is_err() {
            break;
        }
    }
}

fn parse(line: &[u8]) -> Line {
    /// A greeting of any version.
    #[derive(Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Greeting {
        Hello { protocol: u32, version: Option<String> },
    }
    match serde_json::from_slice(line) {
        Ok(Greeting::Hello { protocol, version }) if protocol != VERSION => {
            let version = version.unwrap_or_else(|| "of unknown version".to_owned());
            Line::OtherProtocol { protocol, version }
        }
        _ => {
            serde_json::from_slice(line).map_or_else(|_| Line::Garbage(excerpt(line)), Line::Reply)
        }
    }
}

/// Enough of a line to recognise it.
fn excerpt(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(400)]);
    let mut excerpt: String = text.trim_end().chars().take(80).collect();
    if excerpt.len() < line.trim_ascii_end().len() {
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    async fn lines(text: &[u8]) -> Vec<Line> {
        let (sender, mut receiver) = mpsc::channel(100);
        read(text, sender).await;
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line);
        }
        lines
    }

    #[tokio::test]
    async fn replies_and_other_things() {
        let text = concat!(
            "Last login: Tuesday\n\n",
            r#"{"type":"hello","protocol":7,"version":"9.1","colour":"blue"}"#,
            "\n",
            r#"{"type":"progress","id":3,"fraction":null,"message":"step 1","frame":null}"#,
            "\r\n",
            r#"{"type":"progress","id":3,"fra"#,
        );
        let progress = Reply::Progress {
            id: 3,
            fraction: None,
            message: "step 1".to_owned(),
            frame: None,
            candidates: Vec::new(),
        };
        let expected = [
            Line::Garbage("Last login: Tuesday".to_owned()),
            Line::OtherProtocol { protocol: 7, version: "9.1".to_owned() },
            Line::Reply(progress),
        ];
        assert_eq!(lines(text.as_bytes()).await, expected);
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_garbage() {
        assert_eq!(lines(b"\xff\xfe\n").await, [Line::Garbage("\u{fffd}\u{fffd}".to_owned())]);
        let long = [b"x".repeat(1000), b"\n".to_vec()].concat();
        assert_eq!(lines(&long).await, [Line::Garbage("x".repeat(80) + "…")]);
    }
}
