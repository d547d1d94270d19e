//! What people hand to the sandbox in files: recordings to scrub, fixtures to replay, identities and faults.
//!
//! The first byte chooses which.

use std::{fs, path::Path, sync::LazyLock};

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wxmember_sandbox::{
    fixture::Fixture,
    fuzzing,
    replay::replay_with,
    scrub::{Unknown, scrub},
};

use crate::{
    claims::{MARKER, has_marker, quiet, silent},
    input::choice,
    parties::{filled, identity},
    workplace::{folder, runtime},
};

/// Reads one file.
pub fn run(data: &[u8]) {
    let Some((way, strictness, rest)) = choice(data) else {
        return;
    };
    let Ok(text) = String::from_utf8(filled(rest)) else {
        return;
    };
    match way % 8 {
        0..=3 => scrubbed(&text, [Unknown::Drop, Unknown::Refuse][strictness % 2]),
        4 | 5 => fixture(&text),
        6 => {
            if let Err(error) = fuzzing::identities(Path::new("identities.toml"), &text) {
                silent(&error);
            }
        }
        _ => faults(&text),
    }
}

/// Nothing that identifies is left, and the same recording gives the same fixture.
fn scrubbed(text: &str, unknown: Unknown) {
    let scrubbed = match scrub(text, unknown) {
        Ok(scrubbed) => scrubbed,
        Err(error) => return silent(&error),
    };
    let written = scrubbed.fixture.to_json();
    assert_eq!(scrubbed.fixture.findings(), Vec::<String>::new());
    let read = Fixture::from_json(&written).expect("what was written is read");
    assert!(read == scrubbed.fixture, "what was read is what was written");
    quiet(&written);
    quiet(&format!("{:?}", scrubbed.removed));
    for digits in numbers_of(text) {
        assert!(!written.contains(digits), "{digits} is left");
    }
    let again = scrub(text, unknown).expect("the same again");
    assert!(again == scrubbed);
    // To leave out what is unknown never leaves out what is known.
    if unknown == Unknown::Refuse {
        let dropped = scrub(text, Unknown::Drop).expect("what is known is known");
        assert!(dropped.fixture == scrubbed.fixture);
    }
}

/// Runs of digits that no mark and no word of the document has.
fn numbers_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|one: char| !one.is_ascii_digit())
        .filter(|digits| digits.len() >= LONG_NUMBER)
        .take(20)
}

/// A fixture says the same after it was written and read; a replay ends.
fn fixture(text: &str) {
    let fixture = match Fixture::from_json(text) {
        Ok(fixture) => fixture,
        Err(error) => return silent(&error),
    };
    let written = fixture.to_json();
    let read = Fixture::from_json(&written).expect("what was written is read");
    assert!(read == fixture);
    assert_eq!(read.to_json(), written);
    if let Some(finding) = fixture.findings().iter().find(|finding| finding.contains(MARKER)) {
        panic!("a finding repeats a value: {finding}");
    }
    let _ = fixture.name();
    if fixture.len() > MOST_EXCHANGES || is_large(text) {
        return;
    }
    let identity = identity();
    match RUNTIME.block_on(replay_with(&fixture, identity)) {
        Ok(replayed) => assert_eq!(replayed.exchanges.len(), fixture.len()),
        Err(error) => drop(error.to_string()),
    }
}

/// Members of a fixture are given one after the other, with an RSA operation each.
fn is_large(text: &str) -> bool {
    let fixture: Value = serde_json::from_str(text).unwrap_or_default();
    fixture["given"]["members"]
        .as_array()
        .is_some_and(|members| members.len() > MOST_EXCHANGES)
}

fn faults(text: &str) {
    let path = FOLDER.path().join("faults.toml");
    fs::write(&path, text).expect("the file is written");
    match fuzzing::faults(&path) {
        Ok(rules) => {
            // What names a fault and an operation is a word of ours.
            for rule in rules {
                quiet(&format!("{rule:?}"));
            }
        }
        Err(error) => {
            if has_marker(text.as_bytes()) {
                silent(&error);
            }
        }
    }
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(runtime);

static FOLDER: LazyLock<TempDir> = LazyLock::new(folder);

/// More say nothing new.
const MOST_EXCHANGES: usize = 4;

/// Shorter ones may be numbers of marks, page sizes and statuses.
const LONG_NUMBER: usize = 9;
