//! `wxmember sandbox --identities`: several merchants from a file, their keys kept in a folder.

use std::fs;

use serde_json::Value;
use wxmember_tests::{root, wxmember};

use crate::interop::Program;

#[test]
fn each_merchant_of_the_file_has_a_ready_profile_and_keeps_its_keys() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("identities.toml");
    // The file that shows everything, with a second merchant who may sign.
    let shown = fs::read_to_string(root().join("crates/sandbox/src/identities.toml")).unwrap();
    fs::write(
        &file,
        shown.replace("# Of a certificate that is made.\nstate = \"expired\"", ""),
    )
    .unwrap();
    let folder = home.path().join("d");
    let start = || Program::start_with(home.path(), &folder, &["--identities", file.to_str().unwrap()]);
    // A few of a thousand are enough.
    let list = home.path().join("list.csv");
    let members = fs::read_to_string(root().join("examples/members.csv")).unwrap();
    let few: Vec<_> = members.lines().take(4).collect();
    fs::write(&list, few.join("\n") + "\n").unwrap();
    let import = |mchid: &str, ledger: &str| {
        let output = wxmember(home.path())
            .args([
                "import",
                list.to_str().unwrap(),
                "--quota",
                "100000/s",
                "--format",
                "json",
                "--ledger",
            ])
            .arg(home.path().join(ledger))
            .arg("--config")
            .arg(folder.join(mchid).join("wxmember.toml"))
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["imported"].clone()
    };
    let key = || fs::read(folder.join("1900000110/apiclient_key.pem")).unwrap();
    let first = start();
    let made = key();
    assert_eq!(import("1900000109", "one.db"), 3);
    assert_eq!(import("1900000110", "two.db"), 3);
    drop(first);
    let _second = start();
    assert_eq!(key(), made);
    assert_eq!(import("1900000110", "three.db"), 3);
}

#[test]
fn what_is_wrong_with_the_file_or_a_policy_is_one_clear_error() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("identities.toml");
    fs::write(&file, "[[merchants]]\nmchid = \"1\"\nmarker = \"MARKER\"\n").unwrap();
    let run = |arguments: &[&str]| {
        let output = wxmember(home.path())
            .args(["sandbox", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run(&["--identities", file.to_str().unwrap()]);
    assert!(
        code == Some(1) && said.contains("identities.toml: line 3") && !said.contains("MARKER"),
        "{said}"
    );
    let (code, said) = run(&["--policy", "second-card=perhaps"]);
    assert!(
        code == Some(2) && said.contains("`second-card` can be `refuse`, `allow`"),
        "{said}"
    );
    let (code, said) = run(&["--notify-url", "https://merchant.example/notify"]);
    assert!(code == Some(2) && said.contains("no TLS"), "{said}");
}
