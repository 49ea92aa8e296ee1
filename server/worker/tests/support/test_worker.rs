//! The worker process of this crate's tests: the real main loop with a potential that needs no weights, and a few
//! processes that only look like workers. Not a product.
//!
//! `cellwright-test-worker MODE [ADDRESS]`
//!
//! | mode | what it does |
//! |---|---|
//! | `serve` | serves [`einstein`] until stdin ends |
//! | `login` | the same after a few lines such as a login shell prints |
//! | `stubborn` | the same, but it stays when stdin ends |
//! | `abacus` | the real `main` with a device that does not exist |
//! | `other` | greets in another version of the protocol |
//! | `mute` | says nothing |
//! | `babble` | greets, then answers with what is no reply |
//! | `die` | complains and exits with status 3 |
//!
//! With an address it connects there first and holds the connection as long as it lives, so that a test can wait for
//! its end.

mod einstein;

use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::net::TcpStream;
use std::process::ExitCode;

use cellwright_worker::protocol::VERSION;
use cellwright_worker::serve::{self, End};

use einstein::{EinsteinEngine, complain};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let _lifeline = arguments.next().map(TcpStream::connect);
    match mode.as_str() {
        "serve" => return end(serve_einstein()),
        "login" => {
            say("Welcome to gpu-node\n\n  12 updates can be installed.");
            return end(serve_einstein());
        }
        "stubborn" => {
            serve_einstein();
            loop {
                std::thread::park();
            }
        }
        "abacus" => {
            if let Err(error) = serve::main(Some("abacus"), 0) {
                complain(&error.to_string());
                return ExitCode::from(2);
            }
        }
        "other" => {
            let other = VERSION + 1;
            say(&format!(r#"{{"type":"hello","protocol":{other},"version":"99.0","moons":[]}}"#));
            requests().for_each(drop);
        }
        "mute" => requests().for_each(drop),
        "babble" => {
            say(&format!(
                r#"{{"type":"hello","protocol":{VERSION},"version":"0","device":"test","models":[],"pid":1}}"#
            ));
            requests().filter(|line| line.contains("\"run\"")).for_each(|_| say("E0 = -42.0"));
        }
        "die" => {
            complain("first the bad news");
            complain("no licence found");
            return ExitCode::from(3);
        }
        _ => complain("which mode?"),
    }
    ExitCode::SUCCESS
}

fn serve_einstein() -> End {
    serve::serve(BufReader::new(stdin()), stdout(), EinsteinEngine, 0)
}

fn end(end: End) -> ExitCode {
    match end {
        End::InputClosed | End::OutputClosed => ExitCode::SUCCESS,
        End::OutOfMemory => ExitCode::FAILURE,
    }
}

fn requests() -> impl Iterator<Item = String> {
    stdin().lock().lines().map_while(Result::ok)
}

fn say(text: &str) {
    let mut out = stdout().lock();
    // A test that no longer listens is about to end this process.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
