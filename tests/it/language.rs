//! English and Chinese, for people; one and the same for programs.

use std::{fs, path::Path};

use wxmember_tests::{root, shown, wxmember};

fn list(home: &Path) -> String {
    let list = home.join("list.csv");
    fs::copy(root().join("examples/members-with-mistakes.csv"), &list).unwrap();
    list.to_str().unwrap().to_owned()
}

#[test]
fn an_import_is_told_in_chinese() {
    let home = tempfile::tempdir().unwrap();
    let list = list(home.path());
    let output = wxmember(home.path())
        .args(["import", "--sandbox", "--lang", "zh", &list])
        .output()
        .unwrap();
    let text = shown(&output, &[(&home.path().display().to_string(), "HOME")]);
    let lines = text.lines().map(|line| match line.split_once(" 个，用时 ") {
        Some((sent, _)) => format!("{sent} 个，用时 TIME\n"),
        None => format!("{line}\n"),
    });
    insta::assert_snapshot!(lines.collect::<String>());
}

#[test]
fn the_locale_chooses_and_programs_see_no_difference() {
    let home = tempfile::tempdir().unwrap();
    let run = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = wxmember(home.path());
        command.args(arguments).envs(variables.iter().copied());
        command.output().unwrap()
    };
    let said = |variables: &[(&str, &str)]| {
        let output = run(variables, &["jobs"]);
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said(&[]).starts_with("error: "));
    assert!(said(&[("LANG", "zh_CN.UTF-8")]).starts_with("错误：账本"));
    assert!(said(&[("LANG", "zh_CN.UTF-8"), ("WXMEMBER_LANG", "en")]).starts_with("error: "));
    let help = run(&[("LC_ALL", "zh_CN.UTF-8")], &["import", "--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(
        help.contains("用法：wxmember import") && help.contains("退出码"),
        "{help}"
    );
    let wrong = run(&[], &["import", "--lang", "zh", "--colour"]);
    assert_eq!(wrong.status.code(), Some(2));
    let wrong = String::from_utf8(wrong.stderr).unwrap();
    assert!(wrong.starts_with("错误：未知的参数 `--colour`"), "{wrong}");
    let list = list(home.path());
    let import = |language: &str| {
        let mut arguments = vec!["import", "--sandbox", "--format", "json", "--lang", language];
        arguments.push(&list);
        let output = run(&[], &arguments);
        let mut summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        for changing in ["continued", "seconds", "sent"] {
            summary[changing].take();
        }
        summary
    };
    assert_eq!(import("en"), import("zh"));
}

/// With `--log-format json` a program reads stderr line by line, and nothing of a member is in it.
#[test]
fn a_log_is_json_to_the_last_line_and_holds_no_member() {
    let home = tempfile::tempdir().unwrap();
    let list = list(home.path());
    let output = wxmember(home.path())
        .args([
            "import",
            "--sandbox",
            "--log-format",
            "json",
            "--log",
            "debug",
            &list,
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let log = String::from_utf8(output.stderr).unwrap();
    let mut lines = 0;
    for line in log.lines() {
        let event: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event["level"].is_string(), "{line}");
        lines += 1;
    }
    assert!(lines > 20, "{log}");
    for personal in ["19900010", "李雷", "海淀区", "E0001"] {
        assert!(!log.contains(personal), "{personal}: {log}");
    }
    // The same on a failure.
    let output = wxmember(home.path())
        .args(["status", "nowhere", "--sandbox", "--log-format", "json"])
        .output()
        .unwrap();
    let event: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(
        (&event["level"], &event["exit_code"]),
        (&"ERROR".into(), &1.into())
    );
    assert!(
        event["hint"].as_str().unwrap().contains("wxmember jobs"),
        "{event}"
    );
}

#[test]
fn completions_and_man_pages_are_made_for_every_command() {
    let home = tempfile::tempdir().unwrap();
    for (shell, word) in [
        ("bash", "complete -F _wxmember"),
        ("fish", "complete -c wxmember"),
        ("powershell", "Register-ArgumentCompleter"),
        ("zsh", "#compdef wxmember"),
    ] {
        let output = wxmember(home.path())
            .args(["completions", shell])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains(word) && text.contains("max-duration"),
            "{shell}: {text}"
        );
    }
    for language in ["en", "zh"] {
        let folder = home.path().join(language);
        let output = wxmember(home.path())
            .args(["man", "--lang", language, "--output"])
            .arg(&folder)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let page = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let codes = if language == "en" {
            "75 stopped"
        } else {
            "75 已停止"
        };
        assert!(page("wxmember.1").contains(codes));
        assert!(page("wxmember-import.1").contains(codes));
        let pages = fs::read_dir(&folder).unwrap().count();
        assert_eq!(pages, 24);
        // The talk counts what is there.
        assert!(String::from_utf8_lossy(&output.stderr).contains(&format!(" {pages} ")));
    }
}
