//! What comes in by stdin or by a file, within bounds.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use crate::failure::Failure;

/// The whole of stdin.
pub(crate) fn stdin(what: &str) -> Result<Vec<u8>, Failure> {
    bounded(io::stdin().lock(), what)
}

/// The whole of a file; `-` is stdin.
pub(crate) fn file(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        return stdin(what);
    }
    let file = fs::File::open(path)
        .map_err(|error| Failure::because(format!("failed to read {}", path.display()), &error))?;
    bounded(file, what)
}

/// The same as text in UTF-8.
pub(crate) fn text(bytes: Vec<u8>, what: &str) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("{what} is not text in UTF-8")))
}

/// A text without the line break that an editor or `echo` puts at its end.
pub(crate) fn without_line_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

fn bounded(reader: impl Read, what: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    reader
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::because(format!("failed to read {what}"), &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::new(format!("{what} is larger than {LARGEST} bytes")));
    }
    Ok(bytes)
}

/// 4 MiB; the largest request and answer have some tens of KiB.
const LARGEST: u64 = 4 * 1024 * 1024;
