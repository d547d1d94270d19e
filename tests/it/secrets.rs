//! Markers in every personal field: none may be found in anything the program writes but the file of refused rows.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::sleep;
use wxmember_sandbox::{Fault, FaultRule, Sandbox};
use wxmember_tests::{
    files_below,
    markers::Markers,
    members::MemberList,
    stage::{Stage, check_members},
    wxmember,
};

mod everything;
mod shown;

const MARKERS: [&str; 5] = [
    "13987654321",
    "19876543210",
    "MARKERNAME",
    "标记城市",
    "MARKERADDRESS",
];

#[test]
fn no_personal_value_is_written_anywhere() {
    let home = tempfile::tempdir().unwrap();
    let source = tempfile::tempdir().unwrap();
    let file = source.path().join("members.csv");
    let rows = "手机号,会员卡号,姓名,城市,地址,性别,领取时间\n\
                13987654321,S1,MARKERNAME,标记城市,MARKERADDRESS,男,2024-01-31\n\
                19876543210,S2,MARKERNAME,标记城市,MARKERADDRESS,标记城市,2024-01-31\n\
                19876543210,S3,MARKERNAME😀,标记城市,MARKERADDRESS,男,MARKERNAME\n\
                13987654321,S4,MARKERNAME,标记城市,MARKERADDRESS,男,2024-01-31\n";
    fs::write(&file, rows).unwrap();
    let output = wxmember(home.path())
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .args(["import", "--sandbox"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut searched = files_below(home.path());
    assert!(
        searched.iter().any(|(path, _)| path.ends_with("sandbox.db")),
        "the ledger must be searched"
    );
    searched.push(("stdout".into(), output.stdout));
    searched.push(("stderr".into(), output.stderr));
    for (path, bytes) in searched {
        for marker in MARKERS {
            let found = bytes
                .windows(marker.len())
                .any(|window| window == marker.as_bytes());
            assert!(!found, "`{marker}` stands in {}", path.display());
        }
    }
    // The search itself works: the refused file does hold the rows.
    let refused = fs::read_to_string(source.path().join("members.csv.refused.csv")).unwrap();
    assert!(refused.contains("19876543210") && refused.contains("标记城市"));
}

/// Every file of a stage but the merchant's own: the keys, the profile, the list, and the rows that were refused.
fn written(stage: &Stage) -> Vec<(PathBuf, Vec<u8>)> {
    const OWN: [&str; 6] = [
        "apiclient_key.pem",
        "apiv3_key.txt",
        "members.csv",
        "members.csv.refused.csv",
        "pub_key.pem",
        "wxmember.toml",
    ];
    let mut files = files_below(stage.folder.home());
    files.retain(|(path, _)| !OWN.iter().any(|own| path.ends_with(Path::new("d").join(own))));
    files
}

#[track_caller]
fn check_written(stage: &Stage, markers: &Markers) {
    let files = written(stage);
    assert!(files.iter().any(|(path, _)| path.ends_with("ledger.db")));
    assert!(files.iter().any(|(path, _)| path.ends_with("import.stderr")));
    assert_eq!(markers.found_in(&files), Vec::<String>::new());
}

/// With the write-ahead log of a process that was killed, and everything that was said meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_leaves_no_personal_value_and_no_key() {
    let list = MemberList::new(60, 51).with_mistakes(150);
    let stage = Stage::set_up(Sandbox::builder(), list).await;
    for (fault, share) in [
        (Fault::LostAnswer, 50_000),
        (Fault::WrongSignature, 50_000),
        (Fault::SystemError, 50_000),
    ] {
        stage.sandbox.fault_rule(FaultRule::share(fault, share, 51));
    }
    let start = || {
        let mut command = stage.import();
        command.args(["--quota", "1000/s", "--log", "debug", "--log-format", "json"]);
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        stage.start("import", command)
    };
    let markers = Markers::of_list(list).with_keys();
    let mut child = start();
    while child.try_wait().unwrap().is_none() && stage.sandbox.requests() < 20 {
        sleep(Duration::from_millis(1)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let wal = fs::metadata(stage.path("ledger.db-wal")).unwrap();
    assert!(wal.len() > 0, "the write-ahead log must be searched too");
    check_written(&stage, &markers);
    for _ in 0..10 {
        let mut child = start();
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => sleep(Duration::from_millis(5)).await,
            }
        };
        check_written(&stage, &markers);
        match status.code() {
            Some(3) => break,
            code => assert_eq!(code, Some(75), "{}", stage.said("import")),
        }
    }
    check_members(&stage.sandbox, &[list]).unwrap();
    let reports: [(&str, &[&str]); 6] = [
        ("jobs", &["--format", "json"]),
        ("status", &["last", "--format", "json"]),
        ("report", &["last", "--format", "html"]),
        ("report", &["last", "--format", "csv"]),
        ("report", &["last", "--format", "json"]),
        ("export", &["last", "--state", "imported"]),
    ];
    for (verb, arguments) in reports {
        let mut command = stage.reading(verb);
        command.args(arguments);
        let status = stage.start("report", command).wait().unwrap();
        assert!(status.success(), "{verb}: {}", stage.said("report"));
        check_written(&stage, &markers);
    }
    let refused = files_below(&stage.folder.path);
    // The search itself works: the list and the rows that were refused do hold them.
    assert!(markers.found_in(&refused).len() > 60);
    stage.sandbox.shutdown().await;
}
