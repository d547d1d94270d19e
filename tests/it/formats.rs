//! Member lists in other formats and with other columns, through the program.

use std::{collections::BTreeMap, fs, path::Path, process::Output};

use serde_json::Value;
use wxmember_tests::{root, wxmember};

fn run(home: &Path, arguments: &[&str]) -> Output {
    wxmember(home).args(arguments).output().unwrap()
}

/// An import of an example into a ledger of its own leaves the rows there that `members.csv` has, in its order.
///
/// By the route that seals one field a row, so that the test takes half the time; `check` looks at all fields.
#[track_caller]
fn check_example(example: &str) {
    let home = tempfile::tempdir().unwrap();
    let list = root().join("examples").join(example);
    let list = list.to_str().unwrap();
    let output = run(home.path(), &["check", list, "--format", "json"]);
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&checked["rows"], &checked["good"]), (&1000.into(), &1000.into()));
    let output = run(
        home.path(),
        &["import", "--sandbox", "--via", "phone-membercard", list],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let output = run(
        home.path(),
        &["export", "last", "--sandbox", "--state", "imported"],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        // The line is another one in every format.
        [cells[0], cells[2], cells[3]].map(str::to_owned)
    });
    let plain = fs::read_to_string(root().join("examples/members.csv")).unwrap();
    let expect = plain.lines().enumerate().skip(1).map(|(row, line)| {
        let code = line.split(',').nth(1).unwrap();
        [row.to_string(), code.to_owned(), "imported".to_owned()]
    });
    assert_eq!(rows.collect::<Vec<_>>(), expect.collect::<Vec<_>>());
}

#[test]
fn the_list_in_csv_comes_to_its_ledger() {
    check_example("members.csv");
}

#[test]
fn the_list_in_gbk_comes_to_the_same_ledger() {
    check_example("members-gbk.csv");
}

#[test]
fn the_list_in_a_spreadsheet_comes_to_the_same_ledger() {
    check_example("members.xlsx");
}

#[test]
fn the_list_in_ndjson_comes_to_the_same_ledger() {
    check_example("members.ndjson");
}

const LIST: &str = "编号,联系方式,爱好,手机\n\
                    C1,13800138000,篮球,13800138001\n\
                    C2,13800138002,跑步,13800138003\n";

/// The list and a mapping file beside it; returns what `check` says.
fn check(mapping: &str) -> Output {
    let home = tempfile::tempdir().unwrap();
    let (list, file) = (home.path().join("list.csv"), home.path().join("mapping.toml"));
    fs::write(&list, LIST).unwrap();
    fs::write(&file, mapping).unwrap();
    let [list, file] = [&list, &file].map(|path| path.to_str().unwrap());
    run(
        home.path(),
        &["check", list, "--map-file", file, "--format", "json"],
    )
}

#[test]
fn a_mapping_file_names_columns_and_constants() {
    let output = check(
        "[columns]\nphone_number = \"联系方式\"\nuser_card_code = \"#1\"\n\"喜欢的运动\" = \"爱好\"\n\
         [constants]\npickup_time = \"2026-01-01\"\nlevel = \"普通会员\"\ncustom_fields = [\"喜欢的运动\"]\n",
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let columns: BTreeMap<&str, &str> = found["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            (
                column["field"].as_str().unwrap(),
                column["name"].as_str().unwrap(),
            )
        })
        .collect();
    let expect = [
        ("phone_number", "联系方式"),
        ("user_card_code", "编号"),
        ("喜欢的运动", "爱好"),
    ];
    assert_eq!(columns, BTreeMap::from(expect));
    assert_eq!(found["ignored_columns"], serde_json::json!(["手机"]));
    assert_eq!((&found["rows"], &found["good"]), (&2.into(), &2.into()));
}

#[test]
fn a_mapping_file_is_refused_with_its_line() {
    #[track_caller]
    fn check_error(mapping: &str, words: &str) {
        let output = check(mapping);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{said}");
    }
    check_error(
        "[constants]\npickup_time = \"2026-01-01\"\nlevl = \"普通会员\"\n",
        "mapping.toml: line 3, column 1: unknown setting `levl` in `constants`; there are `card_color`,",
    );
    check_error(
        "[columns]\nphone_number = \"电话\"\n",
        "none of the 4 columns is `电话`, which is assigned to `phone_number`",
    );
    check_error(
        "[constants]\ntime_zone = \"Peking\"\n",
        "`time_zone` is no offset",
    );
}

#[test]
fn a_list_without_a_header_is_refused_without_a_word_of_its_first_member() {
    let home = tempfile::tempdir().unwrap();
    let list = home.path().join("list.csv");
    fs::write(&list, "13800138000,A1,张三\n13800138001,A2,李四\n").unwrap();
    let output = run(
        home.path(),
        &[
            "import",
            "--sandbox",
            list.to_str().unwrap(),
            "--map",
            "phone_number=#1,user_card_code=#2",
        ],
    );
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("there seems to be no header line"), "{said}");
    for cell in ["13800138000", "A1", "张三"] {
        assert!(!said.contains(cell), "{said}");
    }
}
