//! Markers in every personal field: none may be found in anything the program writes but the file of refused rows.

use std::fs;

use wxmember_tests::{files_below, wxmember};

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
