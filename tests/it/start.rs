//! `wxmember sandbox` as it starts: what it says, and why it does not start.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::Stdio,
};

use wxmember_tests::{Running, wxmember};

/// The exit code and what was said of a sandbox that does not start.
fn refused(home: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = wxmember(home).arg("sandbox").args(arguments).output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_address_that_is_taken_is_blamed_on_its_flag() {
    let home = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let free = "127.0.0.1:0";
    for (listen, control, english, chinese) in [
        (
            address.as_str(),
            free,
            "choose another address with `--listen`;",
            "请用 `--listen` 选择其他地址",
        ),
        (
            free,
            address.as_str(),
            "choose another address with `--control`;",
            "请用 `--control` 选择其他地址",
        ),
        (
            address.as_str(),
            address.as_str(),
            "`--listen` and `--control` need an address each",
            "`--listen` 和 `--control` 需要各自的地址",
        ),
    ] {
        for (language, hint) in [("en", english), ("zh", chinese)] {
            let arguments = ["--listen", listen, "--control", control, "--lang", language];
            let (code, said) = refused(home.path(), &arguments);
            assert_eq!(code, Some(1), "{said}");
            assert!(said.contains(&address) && said.contains(hint), "{said}");
        }
    }
}

#[test]
fn a_value_that_cannot_be_read_is_answered_with_an_example() {
    let home = tempfile::tempdir().unwrap();
    for (flag, value, english, chinese) in [
        (
            "--listen",
            "localhost:9999",
            "such as `127.0.0.1:8765`",
            "如 `127.0.0.1:8765`",
        ),
        (
            "--control",
            "9999",
            "such as `127.0.0.1:8765`",
            "如 `127.0.0.1:8765`",
        ),
        ("--clock-shift", "10m", "such as `600`", "如 `600`"),
    ] {
        for (language, example) in [("en", english), ("zh", chinese)] {
            let (code, said) = refused(home.path(), &[flag, value, "--lang", language]);
            assert_eq!(code, Some(2), "{said}");
            assert!(said.contains(flag) && said.contains(example), "{said}");
            assert!(!said.contains(value), "{said}");
        }
    }
}

#[test]
fn a_wrong_setting_of_a_file_is_named_in_both_languages_and_its_value_is_not() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file.toml");
    let file = file.to_str().unwrap();
    let check = |flag: &str, text: &str, english: &str, chinese: &str| {
        fs::write(file, text).unwrap();
        for (language, words) in [("en", english), ("zh", chinese)] {
            let (code, said) = refused(home.path(), &[flag, file, "--lang", language]);
            assert_eq!(code, Some(1), "{said}");
            assert!(said.contains(words) && !said.contains("MARKER"), "{said}");
        }
    };
    check(
        "--identities",
        "[platform]\npublic_key = true\n",
        "file.toml: line 1: the setting `merchants` is missing\n\nhint: the file needs `[[merchants]]`",
        "file.toml：第 1 行：缺少配置项 `merchants`\n\n提示：该文件必须有 `[[merchants]]`",
    );
    check(
        "--identities",
        "[[merchants]]\nmchid = \"1\"\napiv3key = \"MARKER\"\n",
        "line 3: unknown setting `apiv3key` in `merchants`; there are `mchid`, `brands`,",
        "第 3 行：`merchants` 中有未知的配置项 `apiv3key`；可用的有 `mchid`、`brands`、",
    );
    check(
        "--identities",
        "[[merchants]]\nmchid = [\"MARKER\"]\n",
        "line 2: the setting `merchants.mchid` needs text in quotation marks",
        "第 2 行：配置项 `merchants.mchid` 应为加引号的文本",
    );
    check(
        "--faults",
        "[[faults]]\nfault = \"unsigned\"\nanswers = \"MARKER\"\n",
        "line 3: the setting `faults.answers` needs a whole number from 0 on\n\nhint: the file needs `[[faults]]`",
        "第 3 行：配置项 `faults.answers` 应为不小于 0 的整数\n\n提示：该文件必须有 `[[faults]]`",
    );
    check(
        "--faults",
        "faults = [MARKER\n",
        "line 1: not TOML",
        "第 1 行：不是合法的 TOML",
    );
}

#[test]
fn the_command_that_imports_into_it_is_shown_with_a_ledger_of_its_own_and_a_quota() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("d");
    let shown = folder.display();
    for (quota, expected) in [(&[][..], "200/s"), (&["--quota", "5/s"][..], "5/s")] {
        let mut command = wxmember(home.path());
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--dir"]);
        command.arg(&folder).args(quota);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut running = Running(child.unwrap());
        let lines = BufReader::new(running.0.stderr.take().unwrap()).lines();
        let said: Vec<_> = lines.take(4).map(Result::unwrap).collect();
        let command = format!(
            "`wxmember import FILE --config {shown}/wxmember.toml --ledger {shown}/ledger.db --quota {expected}`"
        );
        assert!(said[2].contains(&command), "{said:?}");
        assert!(said[3].contains(&format!("delete {shown}/ledger.db")), "{said:?}");
    }
}
