//! Every notification and the certificate download of the vectors, under every backend.

use proptest::prelude::*;
use serde_json::Value;

use super::SealedResource;
use crate::{
    ApiV3Key, Backend, Certificate, KeyId, MerchantCiphertext, MerchantKey, PhoneNumber, Plaintext,
    ResourceError, party::Platform,
};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/vectors.json")).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text `{key}`"))
}

fn sealed(resource: &Value) -> SealedResource<'_> {
    SealedResource {
        algorithm: text(resource, "algorithm"),
        nonce: text(resource, "nonce"),
        associated_data: resource["associated_data"].as_str(),
        ciphertext: text(resource, "ciphertext"),
    }
}

#[test]
fn every_notification_vector_opens_as_expected() {
    let vectors = vectors();
    let mut opened = 0;
    for &backend in Backend::ALL {
        for vector in vectors["notifications"].as_array().unwrap() {
            let name = text(vector, "name");
            let body: Value = serde_json::from_str(text(vector, "body")).unwrap();
            let key = ApiV3Key::new(text(&vectors["keys"], text(vector, "aes_key"))).unwrap();
            let result = key.open_resource_with(backend, &sealed(&body["resource"]));
            match text(vector, "expect") {
                "ok" => assert_eq!(
                    std::str::from_utf8(&result.unwrap()).unwrap(),
                    text(vector, "resource_plaintext"),
                    "{backend:?}: {name}"
                ),
                "decrypt_error" => {
                    assert_eq!(result.unwrap_err(), ResourceError::DoesNotOpen, "{name}");
                }
                other => panic!("unknown verdict {other}"),
            }
            opened += 1;
        }
    }
    assert_eq!(opened, 2 * 8);
}

/// Two layers: AES under the APIv3 key, then RSA under the merchant's key.
#[test]
fn the_sealed_fields_inside_a_notification_open_with_the_merchant_key() {
    let vectors = vectors();
    let merchant_key = include_str!("../../../../tests/vectors/test_merchant_key.pem");
    let body: Value = serde_json::from_str(text(&vectors["notifications"][0], "body")).unwrap();
    let key = ApiV3Key::new(text(&vectors["keys"], "apiv3_key")).unwrap();
    for &backend in Backend::ALL {
        let json = key
            .open_resource_with(backend, &sealed(&body["resource"]))
            .unwrap();
        let card: Value = serde_json::from_slice(&json).unwrap();
        let phone: MerchantCiphertext = serde_json::from_value(card["phone_number"].clone()).unwrap();
        let merchant = MerchantKey::from_pem_with(backend, merchant_key).unwrap();
        let phone: PhoneNumber = merchant.open(&phone).unwrap();
        assert!(phone.expose().starts_with('1') && phone.expose().len() == 11);
    }
}

#[test]
fn the_downloaded_certificate_is_the_one_that_its_entry_names() {
    let vectors = vectors();
    let key = ApiV3Key::new(text(&vectors["keys"], "apiv3_key")).unwrap();
    let body: Value = serde_json::from_str(text(&vectors["certificates_download"], "body")).unwrap();
    let mut opened = 0;
    for &backend in Backend::ALL {
        for entry in body["data"].as_array().unwrap() {
            let pem = key
                .open_resource_with(backend, &sealed(&entry["encrypt_certificate"]))
                .unwrap();
            let pem = std::str::from_utf8(&pem).unwrap();
            let certificate = Certificate::<Platform>::from_pem_with(backend, pem).unwrap();
            assert_eq!(certificate.serial(), &KeyId::new(text(entry, "serial_no")));
            opened += 1;
        }
    }
    assert_eq!(opened, 2);
}

#[test]
fn every_way_to_be_no_resource_has_its_own_error() {
    #[track_caller]
    fn check(change: impl Fn(&mut SealedResource<'_>), expect: Option<&ResourceError>) {
        let key = ApiV3Key::new("0123456789abcdef0123456789abcdef").unwrap();
        let sealed = key.seal(b"abcdefghijkl", b"", b"{}").unwrap();
        let ciphertext = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, sealed);
        for &backend in Backend::ALL {
            let mut resource = SealedResource {
                algorithm: "AEAD_AES_256_GCM",
                nonce: "abcdefghijkl",
                associated_data: None,
                ciphertext: &ciphertext,
            };
            change(&mut resource);
            let result = key.open_resource_with(backend, &resource);
            assert_eq!(result.as_ref().err(), expect, "{backend:?}");
        }
    }
    check(|_| (), None);
    check(|resource| resource.associated_data = Some(""), None);
    let does_not_open = Some(&ResourceError::DoesNotOpen);
    check(
        |resource| resource.associated_data = Some("user_card"),
        does_not_open,
    );
    check(|resource| resource.nonce = "ABCDEFGHIJKL", does_not_open);
    check(|resource| resource.ciphertext = "", does_not_open);
    check(|resource| resource.ciphertext = "AAAA", does_not_open);
    for algorithm in ["", "aead_aes_256_gcm", "AEAD_SM4_GCM", "AEAD_AES_256_GCM "] {
        check(
            |resource| resource.algorithm = algorithm,
            Some(&ResourceError::UnknownAlgorithm),
        );
    }
    check(
        |resource| resource.nonce = "abcdefghijk",
        Some(&ResourceError::NonceLength { len: 11 }),
    );
    // Four Han characters are 12 bytes, twelve are 36: bytes count, not characters.
    check(|resource| resource.nonce = "一二三四", does_not_open);
    check(
        |resource| resource.nonce = "一二三四一二三四一二三四",
        Some(&ResourceError::NonceLength { len: 36 }),
    );
    for ciphertext in ["not base64", "AAA", "AA-_", "AAAA\n", "AAAA="] {
        check(
            |resource| resource.ciphertext = ciphertext,
            Some(&ResourceError::NotBase64),
        );
    }
}

#[test]
fn debug_shows_no_content() {
    let resource = SealedResource {
        algorithm: "AEAD_AES_256_GCM",
        nonce: "MARKERMARKER",
        associated_data: Some("MARKER"),
        ciphertext: "MARKER==",
    };
    assert_eq!(format!("{resource:?}"), "SealedResource(8 characters)");
}

proptest! {
    #[test]
    fn no_resource_makes_the_opener_panic(
        nonce in "\\PC{0,14}|[a-z0-9]{12}",
        associated_data in proptest::option::of("\\PC{0,20}"),
        ciphertext in "\\PC{0,60}|([A-Za-z0-9+/]{4}){0,40}",
    ) {
        let key = ApiV3Key::new("0123456789abcdef0123456789abcdef").unwrap();
        for &backend in Backend::ALL {
            let resource = SealedResource {
                algorithm: "AEAD_AES_256_GCM",
                nonce: &nonce,
                associated_data: associated_data.as_deref(),
                ciphertext: &ciphertext,
            };
            prop_assert!(key.open_resource_with(backend, &resource).is_err());
        }
    }
}
