//! Files that the program writes: none of them may cost a user what was there before.

use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
};

use wxmember_tests::{root, wxmember};

/// A home with a list in which most rows are wrong, imported, and what the import said.
fn imported() -> (tempfile::TempDir, Output) {
    let home = tempfile::tempdir().unwrap();
    let list = home.path().join("list.csv");
    fs::copy(root().join("examples/members-with-mistakes.csv"), list).unwrap();
    let output = import(home.path());
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    (home, output)
}

fn import(home: &Path) -> Output {
    run(home, &["import", "--sandbox", "list.csv"])
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    wxmember(home).args(arguments).current_dir(home).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_export_never_costs_a_list_or_an_older_export() {
    let (home, _) = imported();
    let home = home.path();
    let list = fs::read(home.join("list.csv")).unwrap();
    fs::write(home.join("other.csv"), "a,b\n1,2\n").unwrap();
    fs::write(home.join("out.csv"), "older").unwrap();
    let export = |source: &str, output: &str| {
        let verb = ["export", "last", "--sandbox", "--state", "refused"];
        let more = ["--source", source, "--output", output];
        run(home, &[&verb[..], &more].concat())
    };
    assert_eq!(export("list.csv", "list.csv").status.code(), Some(2));
    assert_eq!(export("other.csv", "out.csv").status.code(), Some(1));
    assert_eq!(
        export("list.csv", "state/wxmember/sandbox.db").status.code(),
        Some(2)
    );
    let verb = [
        "report",
        "last",
        "--sandbox",
        "--output",
        "state/wxmember/sandbox.db.key",
    ];
    assert_eq!(run(home, &verb).status.code(), Some(2));
    assert_eq!(fs::read(home.join("list.csv")).unwrap(), list);
    assert_eq!(fs::read_to_string(home.join("out.csv")).unwrap(), "older");
    assert_eq!(export("list.csv", "out.csv").status.code(), Some(0));
    assert!(
        fs::read_to_string(home.join("out.csv"))
            .unwrap()
            .contains("ROW_BAD_PHONE_NUMBER")
    );
    let is_left = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(".wxmember");
    let left = fs::read_dir(home)
        .unwrap()
        .filter(|entry| is_left(entry.as_ref().unwrap()));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_source_that_was_read_in_a_way_of_its_own_is_exported_in_the_same_way() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let text = "手机号!会员卡号!领取时间\n12!A1!2024-01-02\n";
    fs::write(home.join("list.txt"), text).unwrap();
    let read = ["--delimiter", "!"];
    let output = run(home, &[&["import", "--sandbox", "list.txt"][..], &read].concat());
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let verb = [
        "export",
        "last",
        "--sandbox",
        "--state",
        "refused",
        "--source",
        "list.txt",
    ];
    let output = run(home, &[&verb[..], &read].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\n12,A1,2024-01-02,1,2,"), "{text}");
}

#[test]
fn a_corrected_file_of_refused_rows_is_kept() {
    let (home, _) = imported();
    let home = home.path();
    let refused = home.join("list.csv.refused.csv");
    let written = fs::read_to_string(&refused).unwrap();
    import(home);
    assert!(!home.join("list.csv.refused.2.csv").exists());
    let corrected = written.replacen("row,code", "row,CODE", 1);
    fs::write(&refused, &corrected).unwrap();
    let output = import(home);
    assert_eq!(fs::read_to_string(&refused).unwrap(), corrected);
    let second = fs::read_to_string(home.join("list.csv.refused.2.csv")).unwrap();
    assert_eq!(second, written);
    let said = stderr(&output);
    assert!(said.contains("list.csv.refused.csv has another text"), "{said}");
    assert!(said.contains("rows in list.csv.refused.2.csv right"), "{said}");
}

#[test]
fn the_outcome_is_told_when_the_refused_rows_cannot_be_written() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    fs::copy(
        root().join("examples/members-with-mistakes.csv"),
        home.join("list.csv"),
    )
    .unwrap();
    // Every name is taken, which also holds for an administrator.
    fs::write(home.join("list.csv.refused.csv"), "taken").unwrap();
    for number in 2..=1000 {
        fs::write(home.join(format!("list.csv.refused.{number}.csv")), "taken").unwrap();
    }
    let output = import(home);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("refused   21"));
    let said = stderr(&output);
    assert!(
        said.contains("failed to write the file of refused rows") && said.contains("hint: "),
        "{said}"
    );
}

#[test]
fn a_wrong_value_is_told_with_a_hint_in_both_languages() {
    let home = tempfile::tempdir().unwrap();
    for flag in ["--window", "--max-duration", "--quota", "--concurrency"] {
        for (language, hint) in [("en", "hint: "), ("zh", "提示：")] {
            let output = run(home.path(), &["import", "x", flag, "MARKER", "--lang", language]);
            assert_eq!(output.status.code(), Some(2), "{flag}");
            let said = stderr(&output);
            assert!(
                said.contains(hint) && said.contains(flag) && !said.contains("MARKER"),
                "{said}"
            );
            let english = said.contains("needed") || said.contains("write it");
            assert_eq!(english, language == "en", "{said}");
        }
    }
}

/// A file that no command can open again, as `import <(…)` names one.
#[cfg(unix)]
#[test]
fn a_stream_by_a_name_is_imported_and_told() {
    let home = tempfile::tempdir().unwrap();
    let list = fs::File::open(root().join("examples/members-with-mistakes.csv")).unwrap();
    let mut cat = std::process::Command::new("cat")
        .stdin(list)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = wxmember(home.path())
        .args(["import", "--sandbox", "/dev/fd/0"])
        .current_dir(home.path())
        .stdin(cat.stdout.take().unwrap())
        .output()
        .unwrap();
    cat.wait().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("refused   21"));
    assert!(home.path().join("stdin.refused.csv").exists());
}

#[test]
fn variables_that_are_set_to_nothing_count_as_not_set() {
    let home = tempfile::tempdir().unwrap();
    let list = home.path().join("list.csv");
    fs::copy(root().join("examples/members-with-mistakes.csv"), list).unwrap();
    let names = "CONCURRENCY CONFIG DELIMITER ENCODING FORMAT INPUT_FORMAT LANG LEDGER LEDGER_KEY LOG LOG_FORMAT MAP \
                 MAP_FILE MAX_DURATION ON_UNKNOWN PROFILE QUOTA SHEET VIA WINDOW YES LEDGER_PASSWORD_FILE";
    let output = wxmember(home.path())
        .args(["import", "--sandbox", "list.csv"])
        .envs(
            names
                .split_whitespace()
                .map(|name| (format!("WXMEMBER_{name}"), "")),
        )
        .current_dir(home.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[test]
fn a_column_with_a_comma_can_be_mapped() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let text = "\"Phone, mobile\",会员卡号,领取时间\n12,A1,2024-01-02\n";
    fs::write(home.join("list.csv"), text).unwrap();
    let map = ["--map", "phone_number=Phone, mobile"];
    let output = run(home, &[&["import", "--sandbox", "list.csv"][..], &map].concat());
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[test]
fn a_damaged_ledger_is_not_taken_for_a_full_disk() {
    let (home, _) = imported();
    let home = home.path();
    let ledger = home.join("state/wxmember/sandbox.db");
    let mut bytes = fs::read(&ledger).unwrap();
    // The first page says what the file is; everything behind it is lost.
    bytes[100..].fill(0xA5);
    fs::write(&ledger, bytes).unwrap();
    let output = run(home, &["status", "last", "--sandbox"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = stderr(&output);
    assert!(
        said.contains("hint: put the file and its key back from a backup"),
        "{said}"
    );
}
