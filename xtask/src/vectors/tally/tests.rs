//! The check of the vectors must fail on vectors that are wrong.

use std::path::{Path, PathBuf};

use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/vectors.json")).unwrap()
}

#[track_caller]
fn check(spoil: impl FnOnce(&mut Value), expect: &[&str]) {
    let mut vectors = vectors();
    spoil(&mut vectors);
    let tally = count(&vectors, &Openssl::new(&folder()).unwrap()).unwrap();
    assert_eq!(tally.failures, expect);
}

/// Changes one character of a text of letters and digits.
fn change(text: &mut Value, at: usize) {
    let mut bytes = text.as_str().unwrap().to_owned().into_bytes();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    *text = String::from_utf8(bytes).unwrap().into();
}

#[test]
fn the_vectors_of_the_repository_hold() {
    let tally = count(&vectors(), &Openssl::new(&folder()).unwrap()).unwrap();
    assert_eq!(tally.failures, Vec::<String>::new());
    assert!(tally.checks > 100, "{}", tally.checks);
}

#[test]
fn a_changed_signature_is_found() {
    let name = "request `import-by-phone, seed example verbatim`";
    check(
        |vectors| change(&mut vectors["request_signing"][0]["signature"], 10),
        &[
            &format!("{name}: signature"),
            &format!("{name}: verification"),
            &format!("{name}: signature of the header"),
        ],
    );
}

#[test]
fn a_changed_message_is_found() {
    let name = "request `import-by-phone, seed example verbatim`";
    check(
        |vectors| change(&mut vectors["request_signing"][0]["message"], 0),
        &[&format!("{name}: message")],
    );
}

#[test]
fn a_changed_answer_is_found() {
    check(
        |vectors| change(&mut vectors["response_verification"][0]["body"], 3),
        &["response `import-by-phone 200`: the verdict is `bad_signature`, expected `ok`"],
    );
    check(
        |vectors| change(&mut vectors["notifications"][0]["headers"]["Wechatpay-Nonce"], 3),
        &[
            "notification `user card created, personal fields RSA-encrypted inside`: \
           the verdict is `bad_signature`, expected `ok`",
        ],
    );
}

#[test]
fn a_wrong_expectation_is_found() {
    check(
        |vectors| vectors["response_verification"][0]["expect"] = "bad_signature".into(),
        &["response `import-by-phone 200`: the verdict is `ok`, expected `bad_signature`"],
    );
}

#[test]
fn a_changed_plaintext_is_found() {
    let expect = "oaep `phone number for the import request`: plaintext";
    check(
        |vectors| change(&mut vectors["oaep"][0]["plaintext"], 0),
        &[expect],
    );
    check(
        |vectors| change(&mut vectors["oaep"][0]["ciphertext"], 0),
        &[expect],
    );
}

#[test]
fn a_plaintext_that_fits_is_found() {
    let expect = "oaep_too_long: 215 bytes must not fit the key";
    check(
        |vectors| vectors["oaep_too_long"]["plaintext"] = "x".repeat(214).into(),
        &[expect],
    );
}

#[test]
fn an_empty_section_is_found() {
    check(
        |vectors| vectors["oaep"] = Value::Array(Vec::new()),
        &["oaep holds no vector"],
    );
}

#[test]
fn a_wrong_serial_is_found() {
    check(
        |vectors| vectors["keys"]["brand_serial_no"] = "00".into(),
        &["keys: brand_serial_no is 1F2E3D4C5B6A798887766554433221100F1E2D3C in the certificate"],
    );
}

#[test]
fn a_key_that_cannot_be_read_is_not_a_bad_signature() {
    let mut vectors = vectors();
    vectors["keys"]["wechatpay_public_key"] = "missing.pem".into();
    assert!(count(&vectors, &Openssl::new(&folder()).unwrap()).is_err());
}
