//! Every vector under every backend, and what no vector covers.

use std::{collections::HashMap, sync::OnceLock};

use proptest::prelude::*;
use serde_json::Value;
use wxmember_crypto::{Backend, Certificate, KeyId, MerchantKey, PlatformKey, Signature, party::Platform};

use crate::{
    Authorization, Identity, Keyring, Nonce, Request, SignatureHeaders, UnixSeconds, VerifyError,
    authorization, verify,
};

const NOW: UnixSeconds = UnixSeconds(1_796_000_000);

struct Keys(HashMap<KeyId, PlatformKey>);

impl Keyring for Keys {
    fn key(&self, id: &KeyId) -> Option<&PlatformKey> {
        self.0.get(id)
    }
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/vectors.json")).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text `{key}`"))
}

fn pem(name: &str) -> &'static str {
    match name {
        "test_brand_key.pem" => include_str!("../../../tests/vectors/test_brand_key.pem"),
        "test_merchant_key.pem" => include_str!("../../../tests/vectors/test_merchant_key.pem"),
        "test_wechatpay_certmode_cert.pem" => {
            include_str!("../../../tests/vectors/test_wechatpay_certmode_cert.pem")
        }
        "test_wechatpay_pubmode_pub_key.pem" => {
            include_str!("../../../tests/vectors/test_wechatpay_pubmode_pub_key.pem")
        }
        other => panic!("unknown file {other}"),
    }
}

/// Both of the platform's keys at once, as during a change of mode.
fn platform_keys(backend: Backend) -> Keys {
    let vectors = vectors();
    let keys = &vectors["keys"];
    let public_key = PlatformKey::from_pem_with(backend, pem(text(keys, "wechatpay_public_key"))).unwrap();
    let certificate =
        Certificate::<Platform>::from_pem_with(backend, pem(text(keys, "wechatpay_certificate"))).unwrap();
    assert_eq!(
        certificate.serial().as_str(),
        text(keys, "wechatpay_cert_serial_no")
    );
    Keys(HashMap::from([
        (KeyId::new(text(keys, "wechatpay_pub_key_id")), public_key),
        (certificate.serial().clone(), certificate.public_key().clone()),
    ]))
}

#[test]
fn every_request_vector_is_reproduced_bit_for_bit() {
    let vectors = vectors();
    let mut checked = 0;
    for &backend in Backend::ALL {
        for vector in vectors["request_signing"].as_array().unwrap() {
            let name = text(vector, "name");
            let serial = KeyId::new(text(vector, "serial_no"));
            let identity = match vector.get("brand_id") {
                Some(id) => Identity::brand(id.as_str().unwrap(), serial),
                None => Identity::partner(text(vector, "mchid"), serial),
            };
            assert_eq!(identity.scheme().name(), text(vector, "scheme"), "{name}");
            // An upload signs the JSON of its `meta` part, never the file.
            let body = vector
                .get("signed_body")
                .unwrap_or(&vector["body"])
                .as_str()
                .unwrap();
            let request = Request {
                method: text(vector, "method"),
                target: text(vector, "canonical_url"),
                body: body.as_bytes(),
            };
            let timestamp = UnixSeconds(vector["timestamp"].as_i64().unwrap());
            let nonce = Nonce::parse(text(vector, "nonce")).unwrap();
            let message = request.message(timestamp, &nonce);
            assert_eq!(
                String::from_utf8(message.clone()).unwrap(),
                text(vector, "message"),
                "{name}: message"
            );

            let key = MerchantKey::from_pem_with(backend, pem(text(vector, "private_key"))).unwrap();
            let signature = key.sign(&message).unwrap().to_base64();
            assert_eq!(signature, text(vector, "signature"), "{name}: signature");
            let header = authorization(&identity, &key, &request, timestamp, &nonce).unwrap();
            // Made elsewhere, it is the same header.
            let elsewhere = Signature::from_base64(&signature).unwrap();
            let elsewhere = Signature::from_bytes(elsewhere.as_bytes().to_vec());
            assert_eq!(
                header,
                Authorization::from_signature(&identity, timestamp, &nonce, &elsewhere)
            );
            assert_eq!(
                parameters(header.as_str()),
                parameters(text(vector, "authorization")),
                "{name}: header"
            );
            checked += 1;
        }
    }
    assert_eq!(checked, 18);
}

/// The scheme and the sorted parameters; their order on the wire is free.
fn parameters(header: &str) -> (String, Vec<String>) {
    let (scheme, rest) = header.split_once(' ').unwrap();
    let mut parameters: Vec<_> = rest.split(',').map(str::to_owned).collect();
    parameters.sort();
    (scheme.to_owned(), parameters)
}

#[test]
fn every_answer_and_notification_vector_is_judged_as_expected() {
    let vectors = vectors();
    let mut checked = 0;
    for &backend in Backend::ALL {
        let keys = platform_keys(backend);
        let answers = vectors["response_verification"].as_array().unwrap().iter();
        let others = vectors["notifications"].as_array().unwrap().iter();
        for vector in answers.chain(others).chain([&vectors["certificates_download"]]) {
            let verdict = judge(vector, &keys);
            // A notification whose content does not decrypt has a right signature all the same.
            let expect = match vector["expect"].as_str() {
                None | Some("decrypt_error") => "ok",
                Some(expect) => expect,
            };
            assert_eq!(verdict, expect, "{backend:?}: {}", text(vector, "name"));
            checked += 1;
        }
    }
    assert_eq!(checked, 2 * (17 + 8 + 1));
}

fn judge(vector: &Value, keys: &Keys) -> &'static str {
    let status = vector["status"].as_u64().unwrap_or(200);
    if !(200..300).contains(&status) {
        return "api_error";
    }
    let headers = SignatureHeaders::collect(|name| vector["headers"][name].as_str());
    let now = UnixSeconds(vector["verifier_clock"].as_i64().unwrap());
    match verify(&headers, text(vector, "body").as_bytes(), now, keys) {
        Ok(_) => "ok",
        Err(VerifyError::MissingHeader { .. }) => "missing_header",
        Err(VerifyError::Stale { .. }) => "expired_timestamp",
        Err(VerifyError::UnknownKey { .. }) => "unknown_serial",
        Err(VerifyError::Probe { .. } | VerifyError::NotBase64 { .. } | VerifyError::Mismatch { .. }) => {
            "bad_signature"
        }
        Err(other) => panic!("unexpected {other:?}"),
    }
}

#[test]
fn probes_are_named_whether_or_not_they_are_base64() {
    let vectors = vectors();
    let keys = platform_keys(Backend::default());
    let probes: Vec<_> = vectors["response_verification"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|vector| text(vector, "name").starts_with("signature probe"))
        .collect();
    assert_eq!(probes.len(), 2);
    for vector in probes {
        let headers = SignatureHeaders::collect(|name| vector["headers"][name].as_str());
        let refusal = verify(&headers, text(vector, "body").as_bytes(), NOW, &keys).unwrap_err();
        assert!(matches!(refusal, VerifyError::Probe { .. }), "{refusal:?}");
    }
}

#[test]
fn the_window_ends_at_300_seconds_on_both_sides() {
    for (difference, within) in [
        (0, true),
        (299, true),
        (-299, true),
        (300, false),
        (-300, false),
        (i64::MIN, false),
    ] {
        let signed_at = UnixSeconds(NOW.0.saturating_add(difference));
        assert_eq!(signed_at.is_within_window_of(NOW), within, "{difference}");
    }
}

#[test]
fn refusals_read_well() {
    let key = KeyId::new("PUB_KEY_ID_01");
    insta::assert_snapshot!(
        [
            VerifyError::MissingHeader { name: "Wechatpay-Signature" },
            VerifyError::MalformedTimestamp,
            VerifyError::Stale { clock_ahead: -600 },
            VerifyError::UnknownKey { key: key.clone() },
            VerifyError::Probe { key: key.clone() },
            VerifyError::NotBase64 { key: key.clone() },
            VerifyError::Mismatch { key },
        ]
        .map(|error| error.to_string())
        .join("\n"),
        @r"
    the header `Wechatpay-Signature` is missing, so nothing says who wrote this
    `Wechatpay-Timestamp` is not a number of seconds
    the clocks differ by 600 seconds (limit 300); check this machine's clock
    signed with the key `PUB_KEY_ID_01`, which is not configured
    a signature probe of WeChat Pay (`WECHATPAY/SIGNTEST/`), rejected as it must be
    the signature is not base64
    the signature does not match under the key `PUB_KEY_ID_01`: the body was changed, or the key is not the platform's
    "
    );
}

#[test]
fn debug_shows_neither_body_nor_signature() {
    let key = MerchantKey::from_pem(pem("test_merchant_key.pem")).unwrap();
    let identity = Identity::partner("1900000109", KeyId::new("AB"));
    let request = Request {
        method: "POST",
        target: "/v3/x",
        body: b"MARKER13800138000",
    };
    let header = authorization(&identity, &key, &request, NOW, &Nonce::from_random([1; 16])).unwrap();
    assert_eq!(
        format!("{request:?} {header:?}"),
        "Request(POST /v3/x, 17 bytes) Authorization(…)"
    );
}

#[test]
fn a_nonce_is_32_characters_and_cannot_break_the_header() {
    assert_eq!(Nonce::from_random([0xAB; 16]).as_str().len(), 32);
    for text in ["", "a\"b", "a\nb", "ä", &"x".repeat(33)] {
        Nonce::parse(text).unwrap_err();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_header_makes_the_verifier_panic(
        timestamp in proptest::option::of("\\PC{0,24}|[0-9]{1,24}|[+-]?[0-9]{19,20}"),
        nonce in proptest::option::of("\\PC{0,40}"),
        serial in proptest::option::of("\\PC{0,70}|PUB_KEY_ID_0119000001092026113000000000000001"),
        signature in proptest::option::of("\\PC{0,400}|WECHATPAY/SIGNTEST/\\PC{0,50}|[A-Za-z0-9+/]{344}"),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        now in any::<i64>(),
    ) {
        let headers = SignatureHeaders {
            timestamp: timestamp.as_deref(),
            nonce: nonce.as_deref(),
            serial: serial.as_deref(),
            signature: signature.as_deref(),
        };
        for now in [NOW, UnixSeconds(now)] {
            prop_assert!(verify(&headers, &body, now, one_key()).is_err());
        }
    }

    /// In time and under a known key, so that the signature itself is reached.
    #[test]
    fn no_signature_makes_the_verifier_panic(
        signature in "[A-Za-z0-9+/]{0,700}={0,3}|[A-Za-z0-9_-]{342}|\\PC{0,50}",
        nonce in "\\PC{0,40}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let headers = SignatureHeaders {
            timestamp: Some("1796000000"),
            nonce: Some(&nonce),
            serial: Some(PUBLIC_KEY_ID),
            signature: Some(&signature),
        };
        let refusal = verify(&headers, &body, NOW, one_key()).unwrap_err();
        prop_assert!(
            matches!(refusal, VerifyError::NotBase64 { .. } | VerifyError::Mismatch { .. }),
            "{refusal:?}"
        );
    }

    #[test]
    fn no_timestamp_makes_the_window_panic(signed_at in any::<i64>(), now in any::<i64>()) {
        let text = signed_at.unsigned_abs().to_string();
        let headers = SignatureHeaders {
            timestamp: Some(&text),
            nonce: Some("n"),
            serial: Some("unknown"),
            signature: Some(""),
        };
        let refusal = verify(&headers, b"", UnixSeconds(now), one_key()).unwrap_err();
        let expected = matches!(
            refusal,
            VerifyError::Stale { .. } | VerifyError::MalformedTimestamp | VerifyError::UnknownKey { .. }
        );
        prop_assert!(expected, "{refusal:?}");
    }
}

/// One trusted key, parsed once for all cases.
fn one_key() -> &'static (KeyId, PlatformKey) {
    static KEY: OnceLock<(KeyId, PlatformKey)> = OnceLock::new();
    KEY.get_or_init(|| {
        let key = PlatformKey::from_pem(pem("test_wechatpay_pubmode_pub_key.pem")).unwrap();
        (KeyId::new(PUBLIC_KEY_ID), key)
    })
}

const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026113000000000000001";
