//! The commands for jobs that are in a ledger, on the ledger of the sandbox.

use std::{fs, path::Path, process::Output};

use serde_json::Value;
use wxmember_tests::{root, shown, wxmember};

fn run(home: &Path, arguments: &[&str]) -> Output {
    wxmember(home).args(arguments).output().unwrap()
}

/// Exit code, stdout and stderr, with the job's name and every moment replaced.
fn said(home: &Path, arguments: &[&str]) -> String {
    let output = run(home, arguments);
    hidden(&shown(&output, &[(&home.display().to_string(), "HOME")]))
}

/// Words that differ from run to run.
fn hidden(text: &str) -> String {
    let mut hidden = String::new();
    let mut word = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_alphanumeric() || matches!(character, ':' | '+' | '-') {
            word.push(character);
            continue;
        }
        let id = word.trim_end_matches(':');
        let is_id = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_moment = word.len() >= 20 && word.contains('T') && word.contains(':');
        hidden.push_str(match (is_id, is_moment) {
            (true, _) if id == word => "JOB",
            (true, _) => "JOB:",
            (_, true) => "MOMENT",
            _ => &word,
        });
        word.clear();
        hidden.push(character);
    }
    hidden.trim_end_matches('\0').to_owned()
}

/// A home in which the list with mistakes was imported.
fn imported() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let list = home.path().join("list.csv");
    fs::copy(root().join("examples/members-with-mistakes.csv"), &list).unwrap();
    let output = run(home.path(), &["import", "--sandbox", list.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    home
}

#[track_caller]
fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_job_is_listed_told_paused_resumed_retried_and_purged() {
    let home = imported();
    let verbs: [&[&str]; 8] = [
        &["jobs", "--sandbox"],
        &["status", "last", "--sandbox"],
        &["pause", "last", "--sandbox"],
        &["resume", "last", "--sandbox"],
        &["retry", "last", "--sandbox", "--state", "refused"],
        &["report", "last", "--sandbox"],
        &["purge", "last", "--sandbox"],
        &["retry", "last", "--sandbox"],
    ];
    let said = verbs.map(|verb| said(home.path(), verb));
    insta::assert_snapshot!(said.join("\n=====\n"));
}

#[test]
fn every_command_has_a_format_for_programs() {
    let home = imported();
    let of = |verb: &str| {
        let mut arguments = vec![verb];
        if verb != "jobs" {
            arguments.push("last");
        }
        arguments.extend(["--sandbox", "--format", "json"]);
        let output = run(home.path(), &arguments);
        assert_eq!(output.status.code(), Some(0), "{verb}: {output:?}");
        assert!(output.stderr.is_empty(), "{verb}: {output:?}");
        let value = json(&output);
        assert_eq!(value["format_version"], 1, "{verb}");
        value
    };
    let jobs = of("jobs");
    let job = &jobs["jobs"][0];
    assert_eq!(job["standing"], "done");
    assert_eq!(job["counts"]["refused"], 21);
    assert_eq!(of("status")["job"], *job);
    assert_eq!(of("pause")["job"]["is_paused"], true);
    assert_eq!(of("resume")["job"]["is_paused"], false);
    assert_eq!(of("retry")["rows"], 0);
    assert!(of("purge")["purged"]["requests"].is_u64());
    assert_eq!(of("status")["job"]["standing"], "purged");
    assert_eq!(of("report")["job"]["counts"], job["counts"]);
}

#[test]
fn rows_are_exported_with_and_without_their_source() {
    let home = imported();
    let export = |more: &[&str]| {
        let arguments = [&["export", "last", "--sandbox", "--state"], more].concat();
        run(home.path(), &arguments)
    };
    let refused = export(&["refused"]);
    assert_eq!(refused.status.code(), Some(0), "{refused:?}");
    let text = String::from_utf8(refused.stdout).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("\u{FEFF}row,line,user_card_code,state,code,message,request_id,updated_at")
    );
    assert!(
        lines
            .next()
            .unwrap()
            .contains(",refused,ROW_BAD_PHONE_NUMBER,column `手机号`: ")
    );
    assert_eq!(text.lines().count(), 22);
    // No cell of the source, unless it is asked for.
    assert!(!text.contains("李雷"));
    let list = home.path().join("list.csv");
    let file = home.path().join("imported.csv");
    let output = export(&[
        "imported",
        "--source",
        list.to_str().unwrap(),
        "--output",
        file.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("\u{FEFF}手机号,会员卡号,") && text.contains("\r\n19900010001,E0001,李雷,"),
        "{text}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    fs::write(&list, fs::read_to_string(&list).unwrap() + "x").unwrap();
    let other = said(
        home.path(),
        &[
            "export",
            "last",
            "--sandbox",
            "--state",
            "imported",
            "--source",
            list.to_str().unwrap(),
        ],
    );
    insta::assert_snapshot!(other, @r"
    exit code: 1
    --- stdout
    --- stderr
    error: `list.csv` is not what job JOB was loaded from

    hint: give the file as it was when it was imported
    ");
}

#[test]
fn what_is_wrong_with_a_ledger_or_a_job_is_one_clear_error() {
    let home = imported();
    let foreign = home.path().join("foreign.db");
    fs::write(&foreign, "not a ledger at all, but long enough to be read as one").unwrap();
    let foreign = foreign.to_str().unwrap();
    let cases: [&[&str]; 8] = [
        &["jobs"],
        &["jobs", "--ledger", foreign],
        &["status", "abc", "--sandbox"],
        &["jobs", "--ledger", "postgres://anna:hunter2@127.0.0.1:1/members"],
        &["jobs", "--ledger", "postgres://anna@127.0.0.1:1/members"],
        &["import", "list.csv", "--sandbox", "--window", "25:00-06:00"],
        &["import", "list.csv", "--sandbox", "--max-duration", "8"],
        &["export", "last", "--sandbox", "--state", "leased"],
    ];
    let said = cases.map(|arguments| said(home.path(), arguments));
    for text in &said {
        assert!(!text.contains("hunter2"), "{text}");
    }
    insta::assert_snapshot!(said.join("\n=====\n"));
}

/// The URL with its password comes from the environment, and is shown by no help and no message.
#[test]
fn a_password_comes_from_the_environment_and_is_never_shown() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [&["jobs", "--help"][..], &["jobs"], &["jobs", "--log", "debug"]] {
        let output = wxmember(home.path())
            .args(arguments)
            .env("WXMEMBER_LEDGER", "postgres://anna:hunter2@127.0.0.1:1/members")
            .output()
            .unwrap();
        let said = shown(&output, &[]);
        assert!(!said.contains("hunter2"), "{said}");
        if arguments.len() == 1 {
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains("postgres://127.0.0.1:1/members"), "{said}");
        }
    }
    // The same password by the two other ways; one way is enough.
    let file = home.path().join("password");
    fs::write(&file, "hunter2\n").unwrap();
    let output = wxmember(home.path())
        .args(["jobs", "--ledger", "postgres://anna@127.0.0.1:1/members"])
        .arg("--ledger-password-file")
        .arg(&file)
        .env("PGPASSWORD", "hunter2")
        .output()
        .unwrap();
    let said = shown(&output, &[]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
