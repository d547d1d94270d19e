//! The program as a user runs it: exit code, stdout and stderr together.

use std::{fs, io::pipe, path::Path, process::Stdio};

use serde_json::Value;
use wxmember_tests::{
    folder::{Folder, NOWHERE},
    root, shown, wxmember,
};

fn json(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_thousand_members_travel_and_the_same_command_sends_nobody_twice() {
    let home = tempfile::tempdir().unwrap();
    let import = || {
        let arguments = ["import", "examples/members.csv", "--sandbox", "--format", "json"];
        wxmember(home.path()).args(arguments).output().unwrap()
    };
    let first = import();
    let summary = json(&first);
    assert_eq!(first.status.code(), Some(0), "{summary}");
    let count = |summary: &Value, name: &str| summary[name].as_u64().unwrap();
    assert_eq!(
        (count(&summary, "rows"), count(&summary, "imported")),
        (1000, 1000)
    );
    assert_eq!(count(&summary, "sent"), 1000);
    // A line every ten seconds is all there is to tell, on a machine that needs so long.
    let said = String::from_utf8_lossy(&first.stderr);
    assert!(
        said.lines()
            .all(|line| line.contains(" of 1000 rows, ") || line.contains(" rows read, ")),
        "{said}"
    );
    let second = import();
    let summary = json(&second);
    assert_eq!(second.status.code(), Some(0));
    assert_eq!((count(&summary, "imported"), count(&summary, "sent")), (1000, 0));
    let states = ["imported", "present", "refused", "unknown", "queued"];
    assert_eq!(
        states.map(|state| count(&summary, state)).iter().sum::<u64>(),
        count(&summary, "rows")
    );
}

#[test]
fn every_mistake_is_named_and_the_good_rows_are_imported() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("list.csv");
    fs::copy(root().join("examples/members-with-mistakes.csv"), &file).unwrap();
    let output = wxmember(home.path())
        .args(["import", "--sandbox"])
        .arg(&file)
        .output()
        .unwrap();
    let folder = home.path().display().to_string();
    let text = shown(&output, &[(&folder, "HOME")]);
    insta::assert_snapshot!(text);
    // The file of refused rows is the owner's, and imports again as it is.
    let refused = home.path().join("list.csv.refused.csv");
    assert!(
        fs::read_to_string(&refused)
            .unwrap()
            .contains("row,code,message,request_id")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&refused).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let output = wxmember(home.path())
        .args(["import", "--sandbox", "--format", "json"])
        .arg(&refused)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(json(&output)["rows"], 21);
}

#[track_caller]
fn refused_source(name: &str, content: &[u8]) -> String {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(name);
    fs::write(&file, content).unwrap();
    let output = wxmember(home.path())
        .args(["import", "--sandbox"])
        .arg(&file)
        .output()
        .unwrap();
    shown(&output, &[(&home.path().display().to_string(), "HOME")])
}

#[test]
fn an_unusable_source_is_one_clear_error() {
    let gbk = b"\xca\xd6\xbb\xfa\xba\xc5,code\n13800138000,A1\n";
    let sources = [
        refused_source("empty.csv", b""),
        refused_source("header-only.csv", "手机号,会员卡号,领取时间\n".as_bytes()),
        refused_source("missing-column.csv", "手机号,姓名\n13800138000,李雷\n".as_bytes()),
        refused_source("gbk.csv", gbk),
        refused_source(
            "ragged.csv",
            "手机号,会员卡号,领取时间\n13800138000,A1\n".as_bytes(),
        ),
    ];
    insta::assert_snapshot!(sources.join("\n=====\n"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let home = tempfile::tempdir().unwrap();
    let output = wxmember(home.path())
        .args(["import", "--sandbox", "nowhere.csv"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("nowhere.csv") && said.contains("hint: name a file that exists"),
        "{said}"
    );
    let output = wxmember(home.path()).arg("import").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_ledger_belongs_to_its_owner() {
    let home = tempfile::tempdir().unwrap();
    let ledger = home.path().join("l.db");
    let output = wxmember(home.path())
        .args([
            "import",
            "examples/members-with-mistakes.csv",
            "--sandbox",
            "--format",
            "json",
            "--ledger",
        ])
        .arg(&ledger)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    fs::remove_file(root().join("examples/members-with-mistakes.csv.refused.csv")).unwrap();
    #[cfg(unix)]
    for path in [ledger.as_path(), Path::new(&format!("{}.key", ledger.display()))] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            path.display()
        );
    }
}

/// Runs the program with a stdout, or a stdout and a stderr, that nobody reads any more.
#[track_caller]
fn check_unread(home: &Path, arguments: &[&str], input: &Path, code: i32) {
    for is_all_unread in [false, true] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut command = wxmember(home);
        command.args(arguments).stdin(fs::File::open(input).unwrap());
        match is_all_unread {
            true => command.stderr(writer.try_clone().unwrap()),
            false => command.stderr(Stdio::piped()),
        };
        let output = command
            .stdout(writer)
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
fn a_reader_that_has_gone_changes_no_exit_code() {
    let folder = Folder::write(NOWHERE);
    folder.put("empty.json", "");
    folder.put("text", "x");
    let path = |name: &str| folder.path.join(name).to_str().unwrap().to_owned();
    let (dir, input, list) = (path(""), folder.path.join("text"), path("list.csv"));
    fs::copy(root().join("examples/members-with-mistakes.csv"), &list).unwrap();
    let check = |arguments: &[&str], code| check_unread(folder.home(), arguments, &input, code);
    check(&["doctor", "--dir", &dir], 0);
    check(&["doctor", "--dir", &dir, "--format", "json"], 0);
    check(&["seal", "--key", &path("pub_key.pem")], 0);
    check(&["import", "--sandbox", &list], 3);
    check(&["import", "--sandbox", &list, "--format", "json"], 3);
    let headers = [
        "--serial",
        "a",
        "--timestamp",
        "1",
        "--nonce",
        "b",
        "--signature",
        "c",
    ];
    let verify = [
        "verify",
        "--key",
        &path("pub_key.pem"),
        "--body",
        &path("empty.json"),
    ];
    check(&[&verify[..], &headers].concat(), 1);
    check(&["open", "--key", &path("apiclient_key.pem")], 1);
    folder.mode("apiclient_key.pem", 0o644);
    check(&["doctor", "--dir", &dir], 1);
}

#[test]
fn a_flag_can_be_said_by_a_variable_in_the_usual_words() {
    let folder = Folder::write(NOWHERE);
    folder.remove("wxmember.toml");
    let check = |variable: &str, value: &str, arguments: &[&str], code: i32, words: &str| {
        let mut command = wxmember(folder.home());
        let output = command.args(arguments).env(variable, value).output().unwrap();
        let said = shown(&output, &[]);
        assert_eq!(output.status.code(), Some(code), "{variable}={value}: {said}");
        assert!(said.contains(words), "{variable}={value}: {said}");
    };
    let import = ["import", "nowhere.csv"];
    for value in ["1", "true", "TRUE"] {
        check("WXMEMBER_SANDBOX", value, &import, 1, "nowhere.csv");
    }
    for value in ["0", "false", ""] {
        check("WXMEMBER_SANDBOX", value, &import, 1, "wxmember.toml");
        let configured = ["import", "nowhere.csv", "--config", "other.toml"];
        check("WXMEMBER_SANDBOX", value, &configured, 1, "other.toml");
        let doctor = ["doctor", "--dir", folder.path.to_str().unwrap()];
        check("WXMEMBER_ONLINE", value, &doctor, 0, "`--online` does");
    }
    check("WXMEMBER_SANDBOX", "maybe", &import, 2, "`0` or `false`");
    let both = ["import", "nowhere.csv", "--config", "other.toml"];
    check("WXMEMBER_SANDBOX", "1", &both, 2, "leave out `--sandbox`");
}
