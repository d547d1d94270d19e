//! The API document against the sandbox, by schemathesis: the same cases each time, of which none may fail.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use wxmember_tests::root;

use super::variable;
use crate::interop::Program;

#[test]
fn schemathesis_finds_no_answer_that_breaks_the_document() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("d");
    let _sandbox = Program::start_with(home.path(), &folder, &["--platform-certificates", "1"]);
    let settings: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("sandbox.json")).unwrap()).unwrap();
    let tally = home.path().join("tally.json");
    let program = PathBuf::from(variable("WXMEMBER_TEST_PYTHON")).with_file_name("schemathesis");
    let output = Command::new(program)
        .current_dir(home.path())
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONPATH", root().join("tests/clients"))
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
        .env("WXMEMBER_SANDBOX_DIR", &folder)
        .env("WXMEMBER_TALLY", &tally)
        .args([
            "--no-color",
            "run",
            "--url",
            settings["base_url"].as_str().unwrap(),
        ])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--generation-deterministic",
        ])
        .args(["--max-examples", MAX_EXAMPLES, "--continue-on-failure"])
        .args(["--exclude-checks", "positive_data_acceptance"])
        .arg(root().join("crates/sandbox/src/openapi.json"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let (_, summary) = text.rsplit_once("SUMMARY").unwrap_or_default();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}{errors}");

    let tally: BTreeMap<String, BTreeMap<u16, u64>> =
        serde_json::from_slice(&std::fs::read(tally).unwrap()).unwrap();
    let count = |wanted: &dyn Fn(u16) -> bool| -> u64 {
        let statuses = tally.values().flatten();
        statuses
            .filter(|(status, _)| wanted(**status))
            .map(|(_, count)| count)
            .sum()
    };
    assert_eq!(count(&|status| status >= 500), 0, "{tally:?}");
    assert_eq!(tally.len(), OPERATIONS);
    for (operation, statuses) in &tally {
        assert!(
            statuses.keys().any(|status| *status < 300),
            "{operation} never succeeded: {statuses:?}"
        );
    }
    // The runner's own line, and what it does not count.
    let cases = summary
        .lines()
        .find(|line| line.contains(" generated, "))
        .unwrap_or_default();
    println!(
        "schemathesis: {}; {} answers: {} of 2xx, {} of 4xx, none of 5xx, from {OPERATIONS} operations",
        cases.trim(),
        count(&|_| true),
        count(&|status| status < 300),
        count(&|status| (400..500).contains(&status)),
    );
}

/// Of random cases an operation; the cases that follow from the document come first, a hundred an operation.
const MAX_EXAMPLES: &str = "10";
const OPERATIONS: usize = 27;
