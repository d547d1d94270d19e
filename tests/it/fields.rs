//! `wxmember seal`, `open` and `verify`, against values that another implementation made.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Output, Stdio},
};

use serde_json::Value;
use wxmember::{Certificate, party};
use wxmember_tests::{
    folder::{Folder, NOWHERE},
    root, shown, wxmember,
};

/// Runs the program with something on stdin.
fn run(home: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = wxmember(home)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments reads nothing.
    drop(child.stdin.take().unwrap().write_all(input));
    child.wait_with_output().unwrap()
}

fn vectors() -> Value {
    let text = fs::read_to_string(root().join("tests/vectors/vectors.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

const PLATFORM_KEY: &str = "tests/vectors/test_wechatpay_pubmode_pub_key.pem";
const PLATFORM_PRIVATE_KEY: &str = "tests/vectors/test_wechatpay_pubmode_key.pem";
const MERCHANT_KEY: &str = "tests/vectors/test_merchant_key.pem";
const MARKER: &str = "MARKER手机13800138000";

#[test]
fn every_value_that_was_sealed_elsewhere_opens() {
    let home = tempfile::tempdir().unwrap();
    let vectors = vectors();
    let values = vectors["oaep"].as_array().unwrap();
    assert!(values.len() >= 10);
    for value in values {
        let text = |name: &str| value[name].as_str().unwrap();
        let key = format!("tests/vectors/{}", text("decrypt_with"));
        let output = run(
            home.path(),
            &["open", "--key", &key],
            text("ciphertext").as_bytes(),
        );
        assert_eq!(output.status.code(), Some(0), "{}", text("name"));
        assert_eq!(
            output.stdout,
            format!("{}\n", text("plaintext")).as_bytes(),
            "{}",
            text("name")
        );
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn a_key_under_a_passphrase_opens_too() {
    let folder = Folder::write(NOWHERE);
    folder.put("mchid.txt", "1900000109");
    let passphrase = folder.path.join("mchid.txt");
    let vectors = vectors();
    let value = vectors["oaep"]
        .as_array()
        .unwrap()
        .iter()
        .find(|value| value["direction"] == "to_merchant")
        .unwrap();
    let output = run(
        folder.home(),
        &[
            "open",
            "--key",
            "tests/vectors/protected/legacy.p12",
            "--passphrase-file",
            passphrase.to_str().unwrap(),
        ],
        value["ciphertext"].as_str().unwrap().as_bytes(),
    );
    let plaintext = value["plaintext"].as_str().unwrap();
    assert_eq!(
        output.stdout,
        format!("{plaintext}\n").as_bytes(),
        "{}",
        shown(&output, &[])
    );
}

#[test]
fn what_is_sealed_opens_on_the_other_side_and_shows_up_nowhere_else() {
    let home = tempfile::tempdir().unwrap();
    let sealed = run(
        home.path(),
        &["seal", "--key", PLATFORM_KEY],
        format!("{MARKER}\n").as_bytes(),
    );
    assert_eq!(sealed.status.code(), Some(0));
    assert!(!shown(&sealed, &[]).contains("MARKER"));
    assert_eq!(sealed.stdout.len(), 345);
    let opened = run(
        home.path(),
        &["open", "--key", PLATFORM_PRIVATE_KEY],
        &sealed.stdout,
    );
    assert_eq!(opened.stdout, format!("{MARKER}\n").as_bytes());
    assert!(opened.stderr.is_empty());

    // The profile's key, and the id with the ciphertext.
    let folder = Folder::write(NOWHERE);
    let config = folder.path.join("wxmember.toml");
    let output = run(
        folder.home(),
        &["seal", "--format", "json", "--config", config.to_str().unwrap()],
        MARKER.as_bytes(),
    );
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["key_id"], "PUB_KEY_ID_0119000001092026113000000000000001");
    assert!(!shown(&output, &[]).contains("MARKER"));
    let opened = run(
        folder.home(),
        &["open", "--key", PLATFORM_PRIVATE_KEY],
        value["ciphertext"].to_string().as_bytes(),
    );
    assert_eq!(opened.stdout, format!("{MARKER}\n").as_bytes());
}

#[test]
fn what_cannot_be_sealed_or_opened_is_one_clear_error_without_the_value() {
    let folder = Folder::write(NOWHERE);
    let config = folder.path.join("wxmember.toml");
    let config = config.to_str().unwrap();
    let run = |arguments: &[&str], input: &str| run(folder.home(), arguments, input.as_bytes());
    let sealed = run(&["seal", "--key", PLATFORM_KEY], "MARKER").stdout;
    let sealed = String::from_utf8(sealed).unwrap();
    let outputs = [
        run(&["seal", "--key", PLATFORM_KEY], ""),
        run(&["seal", "--key", PLATFORM_KEY], "MARKER😀"),
        run(&["seal", "--key", PLATFORM_KEY], &"MARKER".repeat(50)),
        run(&["seal", "--key", MERCHANT_KEY], "MARKER"),
        run(&["seal", "--key", "nowhere.pem"], "MARKER"),
        run(&["seal", "--key", "tests/vectors/protected/legacy.p12"], "MARKER"),
        run(&["seal", "--key", "Cargo.toml"], "MARKER"),
        run(&["seal", "--key", PLATFORM_KEY, "MARKER"], ""),
        run(&["open", "--key", MERCHANT_KEY], &sealed),
        run(&["open", "--config", config], &sealed[1..]),
        run(&["open", "--key", PLATFORM_KEY], &sealed),
        run(&["open", "--key", MERCHANT_KEY], ""),
        run(&["open", "--key", "tests/vectors/protected/legacy.p12"], &sealed),
        run(
            &["open", "--key", "tests/vectors/protected/pkcs8_default.pem"],
            &sealed,
        ),
    ];
    let texts = outputs.map(|output| {
        assert!(output.stdout.is_empty());
        shown(&output, &[(&folder.shown_home(), "HOME")])
    });
    insta::assert_snapshot!(texts.join("---\n"));
    // The merchant's own key in the platform's place seals nothing.
    folder.put(
        "pub_key.pem",
        &fs::read_to_string(root().join("tests/vectors/test_merchant_cert.pem")).unwrap(),
    );
    let output = run(&["seal", "--config", config], "MARKER");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
}

#[test]
fn nothing_is_sealed_with_a_key_of_the_merchants_own() {
    let folder = Folder::write(NOWHERE);
    // The public key alone says not whose it is; the profile does, and so does the private key beside it.
    let own = include_str!("../vectors/test_merchant_cert.pem");
    let own = Certificate::<party::Platform>::from_pem(own).unwrap();
    let elsewhere = folder.home().join("pub_key.pem");
    fs::write(&elsewhere, own.public_key().to_pem()).unwrap();
    folder.put("other.pem", &own.public_key().to_pem());
    let path = |name: &str| folder.path.join(name).to_str().unwrap().to_owned();
    let config = path("wxmember.toml");
    let elsewhere = elsewhere.to_str().unwrap();
    let brand = "tests/vectors/test_brand_cert.pem";
    for arguments in [
        &["--key", "tests/vectors/test_merchant_cert.pem"][..],
        &["--key", brand],
        &["--key", &path("other.pem")],
        &["--key", elsewhere, "--config", &config],
    ] {
        let output = run(folder.home(), &[&["seal"], arguments].concat(), b"MARKER");
        let said = shown(&output, &[]);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(
            output.stdout.is_empty() && said.contains("is in the platform's place"),
            "{said}"
        );
        assert!(said.contains("hint: download WeChat Pay's public key"), "{said}");
    }
    let certificate = "tests/vectors/test_wechatpay_certmode_cert.pem";
    let output = run(
        folder.home(),
        &["seal", "--key", certificate, "--config", &config],
        b"x",
    );
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output, &[]));
}

/// Saves a vector as `curl -D headers -o body` would, and verifies it.
fn verify(folder: &Folder, vector: &Value, more: &[&str]) -> Output {
    let mut headers = format!("HTTP/1.1 {} -\r\n", vector["status"].as_u64().unwrap_or(200));
    for (name, value) in vector["headers"].as_object().unwrap() {
        headers.push_str(&format!(
            "{}: {}\r\n",
            name.to_lowercase(),
            value.as_str().unwrap()
        ));
    }
    folder.put("headers.txt", &format!("{headers}\r\n"));
    folder.put("body.json", vector["body"].as_str().unwrap());
    let path = |name: &str| folder.path.join(name).to_str().unwrap().to_owned();
    let (headers, body, config) = (path("headers.txt"), path("body.json"), path("wxmember.toml"));
    let mut arguments = vec![
        "verify",
        "--headers",
        &headers,
        "--body",
        &body,
        "--config",
        &config,
    ];
    arguments.extend(more);
    run(folder.home(), &arguments, b"")
}

#[test]
fn every_answer_that_was_signed_elsewhere_gets_the_verdict_it_was_made_for() {
    let folder = Folder::write(NOWHERE);
    folder.put(
        "plat.pem",
        include_str!("../vectors/test_wechatpay_certmode_cert.pem"),
    );
    folder.replace(
        "wxmember.toml",
        "brand_id",
        "platform_certificate = \"plat.pem\"\nbrand_id",
    );
    let vectors = vectors();
    let answers = vectors["response_verification"].as_array().unwrap();
    let notifications = vectors["notifications"].as_array().unwrap();
    let mut said = String::new();
    for vector in answers.iter().chain(notifications) {
        let clock = vector["verifier_clock"].to_string();
        let output = verify(&folder, vector, &["--received-at", &clock]);
        let text = shown(&output, &[]);
        said.push_str(&format!("{}\n{text}---\n", vector["name"].as_str().unwrap()));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn the_message_is_shown_line_by_line_and_what_happened_to_it_is_guessed() {
    let folder = Folder::write(NOWHERE);
    let mut vector = vectors()["response_verification"][0].clone();
    let body = format!("{}\n", vector["body"].as_str().unwrap());
    vector["body"] = body.into();
    let output = verify(&folder, &vector, &["-v", "--received-at", "1796000000"]);
    insta::assert_snapshot!(shown(&output, &[]));
    let output = verify(
        &folder,
        &vector,
        &["--received-at", "1796000000", "--format", "json"],
    );
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["verified"], false);
    assert_eq!(value["steps"][3]["check"], "signature");
    assert!(value["hint"].as_str().unwrap().contains("line break"));
}

#[test]
fn headers_can_be_given_one_by_one_and_the_body_by_stdin() {
    let home = tempfile::tempdir().unwrap();
    let vector = &vectors()["response_verification"][0];
    let header = |name: &str| vector["headers"][name].as_str().unwrap();
    let output = run(
        home.path(),
        &[
            "verify",
            "--key",
            PLATFORM_KEY,
            "--serial",
            header("Wechatpay-Serial"),
            "--timestamp",
            header("Wechatpay-Timestamp"),
            "--nonce",
            header("Wechatpay-Nonce"),
            "--signature",
            header("Wechatpay-Signature"),
            "--received-at",
            "1796000000",
            "--body",
            "-",
        ],
        vector["body"].as_str().unwrap().as_bytes(),
    );
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output, &[]));
    let output = run(
        home.path(),
        &["verify", "--key", PLATFORM_KEY, "--body", "-"],
        b"",
    );
    assert_eq!(output.status.code(), Some(1));
}
