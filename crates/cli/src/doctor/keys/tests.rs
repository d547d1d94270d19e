//! Every mix-up of files that look alike.

use super::super::testing::{
    KEY_ID, MERCHANT_SERIAL, PLATFORM_SERIAL, certificate, check, file, private, public,
};
use super::*;

const MIXED_UP_PRIVATE: &str = "key: the platform's key is in the merchant's place (WeChat Pay's private key, as in the platform's own file)";
const MIXED_UP_PUBLIC: &str = "key: the platform's key is in the merchant's place (WeChat Pay's public key, as in the platform's own file)";
const STRANGER: &str =
    "key: the private key does not belong to the certificate 4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6";

#[test]
fn a_healthy_merchant_has_no_finding() {
    check(|_| {}, &[]);
    // Certificate mode, and both at once.
    check(
        |facts| {
            facts.platform_key = None;
            facts.platform_certificate = file("plat", certificate("platform", PLATFORM_SERIAL));
            facts.settings[0].platform_key_id = None;
        },
        &[],
    );
    check(
        |facts| facts.platform_certificate = file("plat", certificate("other", PLATFORM_SERIAL)),
        &[],
    );
    check(|facts| facts.merchant_certificate = None, &[]);
    // The APIv3 key downloads certificates.
    check(|facts| facts.platform_key = None, &[]);
}

#[test]
fn the_platforms_key_in_the_merchants_place_is_named() {
    check(
        |facts| facts.merchant_key = file("key", private("platform")),
        &[MIXED_UP_PRIVATE],
    );
    check(
        |facts| facts.merchant_key = file("key", public("platform")),
        &[MIXED_UP_PUBLIC],
    );
    check(
        |facts| {
            facts.merchant_key = file("key", certificate("platform", PLATFORM_SERIAL));
            facts.platform_key = None;
            facts.platform_certificate = file("plat", certificate("platform", PLATFORM_SERIAL));
            facts.settings[0].platform_key_id = None;
        },
        &[
            "key: the platform's key is in the merchant's place (WeChat Pay's certificate, as in the platform's own file)",
        ],
    );
}

#[test]
fn a_key_of_somebody_else_is_named() {
    check(
        |facts| facts.merchant_key = file("key", private("stranger")),
        &[STRANGER],
    );
    check(
        |facts| facts.merchant_key = file("key", public("stranger")),
        &["key: holds a public key, not the merchant's private key"],
    );
    check(
        |facts| facts.merchant_key = file("key", public("merchant")),
        &["key: holds the merchant's public key, not the private one"],
    );
    check(
        |facts| facts.merchant_key = file("key", certificate("merchant", MERCHANT_SERIAL)),
        &["key: holds a certificate, not the merchant's private key"],
    );
}

#[test]
fn a_merchant_key_that_cannot_be_read_is_named() {
    check(
        |facts| facts.merchant_key = None,
        &["d: no merchant key is set, or its passphrase cannot be read"],
    );
    check(
        |facts| facts.merchant_key = file("key", Holds::Unreadable("is not there".to_owned())),
        &["key: the merchant's private key is not there"],
    );
    check(
        |facts| facts.merchant_key = file("key", Holds::Unusable("the content is not an RSA key".to_owned())),
        &["key: holds no private key: the content is not an RSA key"],
    );
    check(
        |facts| facts.merchant_key = file("key", Holds::Encrypted),
        &["key: the private key is encrypted with a passphrase"],
    );
}

#[test]
fn what_stands_in_the_place_of_the_certificate_is_named() {
    let cases = [
        (
            private("merchant"),
            "cert: holds a private key, not the merchant's certificate",
        ),
        (
            public("merchant"),
            "cert: holds a public key, not the merchant's certificate",
        ),
        (
            Holds::Unreadable("is not there".to_owned()),
            "cert: the merchant's certificate is not there",
        ),
        (
            Holds::Unusable("the content is not an X.509 certificate".to_owned()),
            "cert: holds no certificate: the content is not an X.509 certificate",
        ),
    ];
    for (holds, expected) in cases {
        check(
            |facts| facts.merchant_certificate = file("cert", holds),
            &[expected],
        );
    }
    check(
        |facts| {
            facts.merchant_certificate = file("cert", certificate("platform", MERCHANT_SERIAL));
        },
        &["cert: the platform's certificate is in the merchant's place"],
    );
}

#[test]
fn the_merchants_own_key_in_the_platforms_place_is_named() {
    let cases = [
        (
            public("merchant"),
            "pub: the merchant's own public key is in the platform's place",
        ),
        (
            private("merchant"),
            "pub: the merchant's private key is in the platform's place",
        ),
        (
            certificate("merchant", MERCHANT_SERIAL),
            "pub: the merchant's own certificate is in the platform's place",
        ),
        (
            private("stranger"),
            "pub: holds a private key; WeChat Pay gives its public key only",
        ),
        (
            Holds::Encrypted,
            "pub: holds a private key; WeChat Pay gives its public key only",
        ),
        (
            certificate("platform", PLATFORM_SERIAL),
            "pub: holds a certificate, not a public key",
        ),
        (
            Holds::Unreadable("is not there".to_owned()),
            "pub: WeChat Pay's public key is not there",
        ),
        (
            Holds::Unusable("the PEM block is damaged".to_owned()),
            "pub: holds no public key: the PEM block is damaged",
        ),
    ];
    for (holds, expected) in cases {
        check(|facts| facts.platform_key = file("pub", holds), &[expected]);
    }
    // Without a certificate the private key alone says who the merchant is.
    check(
        |facts| {
            facts.merchant_certificate = None;
            facts.platform_key = file("pub", public("merchant"));
        },
        &["pub: the merchant's own public key is in the platform's place"],
    );
}

#[test]
fn what_stands_in_the_place_of_the_platforms_certificate_is_named() {
    let cases = [
        (
            certificate("merchant", MERCHANT_SERIAL),
            "plat: the merchant's own certificate is in the platform's place",
        ),
        (public("platform"), "plat: holds a public key, not a certificate"),
        (
            private("platform"),
            "plat: holds a private key, not the platform's certificate",
        ),
        (
            Holds::Unreadable("is not there".to_owned()),
            "plat: the platform's certificate is not there",
        ),
        (
            Holds::Unusable("the content is not an X.509 certificate".to_owned()),
            "plat: holds no certificate: the content is not an X.509 certificate",
        ),
    ];
    for (holds, expected) in cases {
        check(
            |facts| {
                facts.platform_key = None;
                facts.settings[0].platform_key_id = None;
                facts.platform_certificate = file("plat", holds);
            },
            &[expected],
        );
    }
}

#[test]
fn no_key_of_the_platform_at_all_is_named() {
    check(
        |facts| {
            facts.platform_key = None;
            facts.apiv3_key = None;
        },
        &["d: there is no key of WeChat Pay, so no answer could be believed and no field sealed"],
    );
}

#[test]
fn both_files_exchanged_are_both_named() {
    check(
        |facts| {
            facts.merchant_key = file("key", public("platform"));
            facts.platform_key = file("pub", private("merchant"));
            assert_eq!(facts.settings[0].platform_key_id.as_deref(), Some(KEY_ID));
        },
        &[
            "key: holds a public key, not the merchant's private key",
            "pub: the merchant's private key is in the platform's place",
        ],
    );
}

#[test]
fn a_file_is_read_for_what_it_is() {
    use super::super::facts::Kind;
    let key = include_bytes!("../../../../../tests/vectors/test_merchant_key.pem");
    let cert = include_bytes!("../../../../../tests/vectors/test_merchant_cert.pem");
    let platform = include_bytes!("../../../../../tests/vectors/test_wechatpay_pubmode_pub_key.pem");
    for wanted in [Kind::Certificate, Kind::PrivateKey, Kind::PublicKey] {
        assert!(matches!(Holds::read(key, wanted), Holds::PrivateKey(_)));
        assert!(matches!(Holds::read(cert, wanted), Holds::Certificate(_)));
        assert!(matches!(Holds::read(platform, wanted), Holds::PublicKey(_)));
        let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
        assert!(matches!(Holds::read(encrypted, wanted), Holds::Encrypted));
        assert!(matches!(Holds::read(b"MARKER", wanted), Holds::Unusable(why) if !why.contains("MARKER")));
    }
    // Both in one file, as a container's tools write them: the place decides.
    let both = [cert.as_slice(), key].concat();
    assert!(matches!(
        Holds::read(&both, Kind::PrivateKey),
        Holds::PrivateKey(_)
    ));
    assert!(matches!(
        Holds::read(&both, Kind::Certificate),
        Holds::Certificate(_)
    ));
    assert_eq!(
        Holds::read(key, Kind::PrivateKey).key(),
        Holds::read(cert, Kind::Certificate).key()
    );
}
