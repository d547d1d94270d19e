//! Talks with the small program that drives a client: a line of JSON in, a line of JSON out.

use std::{
    io::{BufRead, BufReader, Write},
    process::{ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use serde_json::Value;
use wxmember_tests::Running;

use super::PATIENCE;

/// A running driver, ended when dropped.
pub(super) struct Driver {
    _child: Running,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Driver {
    pub(super) fn start(mut command: Command) -> Self {
        let mut child = command
            // No proxy stands between a client and the loopback address.
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            _child: Running(child),
            stdin,
            lines,
        }
    }

    /// What the driver says to a command; `ok` tells whether the client did it.
    pub(super) fn ask(&mut self, command: &Value) -> Value {
        writeln!(self.stdin, "{command}").unwrap();
        let line = self
            .lines
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|error| panic!("{error}: no answer to {command}"));
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(said["ok"].is_boolean(), "{said}");
        said
    }
}
