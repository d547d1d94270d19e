//! Each kind by an example, and no content makes the inspection panic.

use proptest::prelude::*;

use super::KeyFileKind;

#[track_caller]
fn check(content: impl AsRef<[u8]>, expect: &KeyFileKind) {
    assert_eq!(&KeyFileKind::of(content.as_ref()), expect);
}

fn block(label: &str) -> String {
    format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
}

#[test]
fn every_test_file_is_told_by_its_kind() {
    let certificate = include_str!("../../../../tests/vectors/test_merchant_cert.pem");
    check(certificate, &KeyFileKind::Certificate);
    check(
        pem::parse(certificate).unwrap().contents(),
        &KeyFileKind::DerCertificate,
    );
    check(
        include_str!("../../../../tests/vectors/test_merchant_key.pem"),
        &KeyFileKind::PrivateKey,
    );
    check(
        include_str!("../../../../tests/vectors/test_wechatpay_pubmode_pub_key.pem"),
        &KeyFileKind::PublicKey,
    );
}

#[test]
fn labels_decide() {
    check(block("RSA PRIVATE KEY"), &KeyFileKind::PrivateKey);
    check(block("RSA PUBLIC KEY"), &KeyFileKind::PublicKey);
    check(block("ENCRYPTED PRIVATE KEY"), &KeyFileKind::EncryptedPrivateKey);
    check(block("CERTIFICATE REQUEST"), &KeyFileKind::CertificateRequest);
    check(
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n",
        &KeyFileKind::OldEncryptedPrivateKey,
    );
    check(
        format!("Bag Attributes\n    localKeyID: 01\n{}", block("EC PRIVATE KEY")),
        &KeyFileKind::OtherPem {
            label: "EC PRIVATE KEY".to_owned(),
        },
    );
}

#[test]
fn what_is_no_key_file_is_said_to_be_none() {
    check("", &KeyFileKind::Empty);
    check("\r\n \n", &KeyFileKind::Empty);
    check("hello", &KeyFileKind::Unknown);
    check([0x30, 0x80, 0, 0], &KeyFileKind::Unknown);
    // A label is repeated in messages, so nothing else may pass for one.
    check("-----BEGIN 13800138000\nx-----", &KeyFileKind::Unknown);
    check(block(&"A".repeat(41)), &KeyFileKind::Unknown);
    check("-----BEGIN PRIVATE KEY", &KeyFileKind::Unknown);
}

proptest! {
    #[test]
    fn no_content_makes_the_inspection_panic(
        content in proptest::collection::vec(any::<u8>(), 0..300),
        label in "-----BEGIN \\PC{0,50}(-----)?",
    ) {
        let _ = KeyFileKind::of(&content);
        let _ = KeyFileKind::of(label.as_bytes());
    }
}
