//! A client in another language, which shares no code with us, against `wxmember sandbox --dir`.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use wxmember_tests::{Running, root, wxmember};

/// `wxmember sandbox --dir DIR`, ended when dropped.
pub(crate) struct Program {
    _child: Running,
}

impl Program {
    fn start(home: &Path, folder: &Path) -> Self {
        Self::start_with(home, folder, &[])
    }

    pub(crate) fn start_with(home: &Path, folder: &Path, more: &[&str]) -> Self {
        let child = wxmember(home)
            .args(["sandbox", "--listen", "127.0.0.1:0", "--dir"])
            .arg(folder)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = Running(child.unwrap());
        // It listens once it has said where.
        let mut line = String::new();
        BufReader::new(child.0.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.starts_with("base_url"), "{line}");
        Self { _child: child }
    }
}

fn python(folder: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let python = env::var_os("WXMEMBER_TEST_PYTHON")
        .expect("a Python with `cryptography` and `requests`; run the tests with `cargo xtask test`");
    let script = root().join("tests/python/import_one.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder)
        .args(more)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let result = serde_json::from_str(text.trim())
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), result)
}

#[test]
fn a_python_client_imports_and_a_changed_byte_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("d");
    let _sandbox = Program::start(home.path(), &folder);
    let (code, result) = python(&folder, &[]);
    assert_eq!(code, Some(0), "{result}");
    let (code, result) = python(&folder, &["--tamper"]);
    assert_eq!(code, Some(0), "{result}");
    assert!(result.to_string().contains("SIGN_ERROR"), "{result}");
}

#[test]
fn the_profile_that_the_sandbox_writes_is_ready_to_import() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("d");
    let import = |more: &[&str]| {
        let output = wxmember(home.path())
            .args([
                "import",
                "examples/members.csv",
                "--quota",
                "100000/s",
                "--format",
                "json",
                "--config",
            ])
            .arg(folder.join("wxmember.toml"))
            .args(more)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let first = Program::start(home.path(), &folder);
    let key = std::fs::read(folder.join("apiclient_key.pem")).unwrap();
    assert_eq!(import(&[])["imported"], 1000);
    drop(first);
    // The same keys are used when the folder is there.
    let _second = Program::start(home.path(), &folder);
    assert_eq!(std::fs::read(folder.join("apiclient_key.pem")).unwrap(), key);
    let ledger = home.path().join("other.db");
    assert_eq!(import(&["--ledger", ledger.to_str().unwrap()])["imported"], 1000);
}
