//! The examples of the repository, run as their users run them.

use wxmember_tests::{example, shown};

#[test]
fn six_styles_come_to_the_same_outcome() {
    let output = example("six_styles").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", shown(&output, &[]));
    let outcomes: Vec<_> = text.lines().map(|line| line.split_at(19).1).collect();
    assert_eq!(outcomes, ["200 478515832665 EFFECTIVE"; 6], "{text}");
}

/// The key is in another process, and neither the example nor its output ever holds it.
#[test]
fn another_process_signs_and_opens() {
    let output = example("remote_signer").output().unwrap();
    insta::assert_snapshot!(shown(&output, &[]), @r"
    exit code: 0
    --- stdout
    signed by openssl, accepted: 478515832665 EFFECTIVE
    opened by openssl, as sent: true
    --- stderr
    ");
}

#[test]
fn a_route_receives_a_notification_once_and_refuses_a_probe() {
    let output = example("notifications").output().unwrap();
    insta::assert_snapshot!(shown(&output, &[]), @r#"
    exit code: 0
    --- stdout
          created, phone number given: true
    new   answered 200 {"code":"SUCCESS","message":"OK"}
    again answered 200 {"code":"SUCCESS","message":"OK"}
    probe answered 401 {"code":"FAIL","message":"the signature does not verify"}
    --- stderr
    "#);
}

#[test]
fn an_import_takes_members_from_a_program() {
    let output = example("import_from_iterator").output().unwrap();
    insta::assert_snapshot!(shown(&output, &[]), @r"
    exit code: 0
    --- stdout
    4 rows: 3 imported, 1 refused, 0 unknown, 3 requests
    row 3: ROW_BAD_PHONE_NUMBER column `mobile`: not a mobile number of mainland China
    the same again sends 0 requests
    --- stderr
    ");
}
