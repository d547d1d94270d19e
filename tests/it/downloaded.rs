//! A profile whose platform certificates are downloaded: every command works with it, and says so when it cannot.

use std::{
    fs,
    io::Write,
    process::{Output, Stdio},
};

use serde_json::{Value, json};
use wxmember_sandbox::{NotificationOptions, Sandbox};
use wxmember_tests::{folder::Folder, identity, shown, wxmember};

use crate::interop::Program;

/// A sandbox whose platform has this many certificates, and the folder of a merchant who downloads them.
async fn start(certificates: usize) -> (Sandbox, Folder) {
    let sandbox = Sandbox::builder()
        .with_identity(identity().unwrap())
        .with_platform_certificates(certificates)
        .start()
        .await
        .unwrap();
    let folder = Folder::write(&sandbox.base_url());
    folder.download_certificates();
    (sandbox, folder)
}

/// Runs the program in the folder, and lets the sandbox in this process answer meanwhile.
async fn run(folder: &Folder, arguments: &[&str], input: &str) -> Output {
    let mut command = wxmember(folder.home());
    command
        .args(arguments)
        .current_dir(&folder.path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = input.to_owned();
    let run = move || {
        let mut child = command.spawn().unwrap();
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        child.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_works_with_downloaded_certificates() {
    let (sandbox, folder) = start(1).await;
    let serial = sandbox.platform_certificates()[0].serial.clone();
    let sealed = run(&folder, &["seal", "--format", "json"], "MARKER").await;
    assert_eq!(sealed.status.code(), Some(0), "{}", shown(&sealed, &[]));
    let sealed: Value = serde_json::from_slice(&sealed.stdout).unwrap();
    assert_eq!(sealed["key_id"], serial);
    assert_eq!(sealed["ciphertext"].as_str().unwrap().len(), 344);

    let called = run(&folder, &["call", "GET", "v3/certificates"], "").await;
    assert_eq!(called.status.code(), Some(0), "{}", shown(&called, &[]));

    // Told only once it has happened, and offline that it has not.
    let doctor = run(&folder, &["doctor", "--config", "wxmember.toml"], "").await;
    let said = shown(&doctor, &[]);
    assert_eq!(doctor.status.code(), Some(0), "{said}");
    let told = format!("✓ platform certificate: downloaded, and opened with the APIv3 key; {serial} seals");
    assert!(said.contains(&told) && !said.contains("not tried yet"), "{said}");
    sandbox.shutdown().await;
    let doctor = run(&folder, &["doctor", "--config", "wxmember.toml"], "").await;
    let said = shown(&doctor, &[]);
    assert_eq!(doctor.status.code(), Some(0), "{said}");
    assert!(
        said.contains("- platform certificate: ") && said.contains("not tried yet"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_verified_with_the_certificate_that_its_header_names() {
    let (sandbox, folder) = start(1).await;
    let serial = sandbox.platform_certificates()[0].serial.clone();
    let options = NotificationOptions::default().signed_by(&serial);
    let notification = sandbox
        .notification_with("MEMBER_CARD.ACTIVATED", &json!({}), &options)
        .unwrap();
    let header = |name: &str| format!("{name}: {}\n", notification.header(name).unwrap());
    let names = [
        "Wechatpay-Serial",
        "Wechatpay-Timestamp",
        "Wechatpay-Nonce",
        "Wechatpay-Signature",
    ];
    folder.put("headers.txt", &names.map(header).concat());
    fs::write(folder.path.join("body.json"), &notification.body).unwrap();
    let arguments = ["verify", "--headers", "headers.txt", "--body", "body.json"];
    let output = run(&folder, &arguments, "").await;
    let said = shown(&output, &[]);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(&format!("✓ key: {serial} is known")), "{said}");
    // A body that another program wrote anew.
    folder.put("body.json", "{\"id\":1}");
    let changed = run(&folder, &arguments, "").await;
    folder.put("body.json", "");
    let empty = run(&folder, &arguments, "").await;
    for (output, hint) in [
        (&changed, "never re-serialise"),
        (&empty, "the body is empty; save the raw bytes"),
    ] {
        let said = shown(output, &[]);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(hint), "{said}");
    }
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_without_platform_certificates_is_told_to_take_the_public_key() {
    let (sandbox, folder) = start(0).await;
    let wanted = "this merchant has no platform certificate; set `platform_key` and `platform_key_id`";
    for (arguments, code) in [
        (&["seal"][..], 1),
        (&["call", "GET", "v3/certificates"], 1),
        (&["doctor", "--online", "--config", "wxmember.toml"], 1),
    ] {
        let output = run(&folder, arguments, "MARKER").await;
        let said = shown(&output, &[]);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(wanted) && !said.contains("try again"), "{said}");
        assert!(
            !said.contains("MARKER") && !said.contains("✓ platform certificate"),
            "{said}"
        );
    }
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_apiv3_key_is_named_as_the_cause() {
    let (sandbox, folder) = start(1).await;
    folder.put("apiv3_key.txt", "MARKER0123456789abcdefghijklmnop");
    for arguments in [
        &["seal"][..],
        &["doctor", "--online", "--config", "wxmember.toml"],
    ] {
        let output = run(&folder, arguments, "x").await;
        let said = shown(&output, &[]);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("write the APIv3 key (APIv3密钥)"), "{said}");
        assert!(!said.contains("MARKER"), "{said}");
    }
    sandbox.shutdown().await;
}

#[test]
fn the_apiv3_key_alone_makes_a_profile_by_the_programs_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("d");
    let _sandbox = Program::start_with(home.path(), &folder, &["--platform-certificates", "1"]);
    let settings: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("sandbox.json")).unwrap()).unwrap();
    let setting = |name: &str| settings[name].as_str().unwrap();
    let run = |arguments: &[&str]| {
        let output = wxmember(home.path())
            .current_dir(&folder)
            .args(arguments)
            .output()
            .unwrap();
        let said = shown(&output, &[]);
        assert_eq!(output.status.code(), Some(0), "{said}");
        said
    };
    run(&[
        "init",
        "--config",
        "made.toml",
        "--mchid",
        setting("mchid"),
        "--merchant-key",
        "apiclient_key.pem",
        "--merchant-certificate",
        "apiclient_cert.pem",
        "--apiv3-key-file",
        "apiv3_key.txt",
        "--brand-id",
        setting("brand_id"),
        "--card-id",
        setting("card_id"),
        "--base-url",
        setting("base_url"),
    ]);
    let said = run(&["doctor", "--online", "--config", "made.toml"]);
    assert!(said.contains("✓ platform certificate: downloaded"), "{said}");
}
