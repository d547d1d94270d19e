//! Keys, seals and signatures under every backend, against vectors that another implementation made.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use crate::{
    ApiV3Key, Backend, Certificate, FormValue, KeyError, MerchantCiphertext, MerchantKey, PhoneNumber,
    Plaintext, PlatformCiphertext, PrivateKey, PublicKey,
    party::{Merchant, Party, Platform},
};

const MERCHANT_KEY: &str = include_str!("../../../../tests/vectors/test_merchant_key.pem");
const MERCHANT_CERT: &str = include_str!("../../../../tests/vectors/test_merchant_cert.pem");
const PLATFORM_KEY: &str = include_str!("../../../../tests/vectors/test_wechatpay_pubmode_key.pem");
const PLATFORM_PUB: &str = include_str!("../../../../tests/vectors/test_wechatpay_pubmode_pub_key.pem");
const PLATFORM_CERT: &str = include_str!("../../../../tests/vectors/test_wechatpay_certmode_cert.pem");

const PKCS1: &str = include_str!("../../../../tests/vectors/protected/pkcs1.pem");

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/vectors.json")).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text `{key}`"))
}

#[test]
fn both_backends_are_compiled_into_the_tests() {
    assert_eq!(Backend::ALL.len(), 2);
    assert_eq!(Backend::default(), Backend::AwsLc);
}

#[test]
fn every_oaep_vector_opens_under_every_backend() {
    let vectors = vectors();
    let mut opened = 0;
    for &backend in Backend::ALL {
        let merchant = MerchantKey::from_pem_with(backend, MERCHANT_KEY).unwrap();
        let platform = PrivateKey::<Platform>::from_pem_with(backend, PLATFORM_KEY).unwrap();
        for vector in vectors["oaep"].as_array().unwrap() {
            let plain: FormValue = match text(vector, "decrypt_with") {
                "test_merchant_key.pem" => {
                    let sealed: MerchantCiphertext =
                        serde_json::from_value(vector["ciphertext"].clone()).unwrap();
                    merchant.open(&sealed).unwrap()
                }
                "test_wechatpay_pubmode_key.pem" => {
                    let sealed: PlatformCiphertext =
                        serde_json::from_value(vector["ciphertext"].clone()).unwrap();
                    platform.open(&sealed).unwrap()
                }
                other => panic!("unknown key {other}"),
            };
            assert_eq!(
                plain.expose(),
                text(vector, "plaintext"),
                "{backend:?}: {}",
                text(vector, "name")
            );
            opened += 1;
        }
    }
    assert_eq!(opened, 22);
}

#[test]
fn what_one_backend_seals_the_other_opens() {
    for &sealer in Backend::ALL {
        for &opener in Backend::ALL {
            let public = PublicKey::<Platform>::from_pem_with(sealer, PLATFORM_PUB).unwrap();
            let private = PrivateKey::<Platform>::from_pem_with(opener, PLATFORM_KEY).unwrap();
            let sealed = public.seal(&FormValue::new("广东省深圳市")).unwrap();
            assert_eq!(sealed.as_str().len(), 344);
            assert_eq!(
                private.open::<FormValue>(&sealed).unwrap().expose(),
                "广东省深圳市"
            );
        }
    }
}

#[test]
fn backends_sign_alike_and_verify_each_other() {
    let message = b"GET\n/v3/certificates\n1796000000\nabc\n\n";
    let mut signatures = Vec::new();
    for &backend in Backend::ALL {
        let key = MerchantKey::from_pem_with(backend, MERCHANT_KEY).unwrap();
        signatures.push(key.sign(message).unwrap());
    }
    assert_eq!(signatures[0], signatures[1]);
    for &backend in Backend::ALL {
        let certificate = Certificate::<Merchant>::from_pem_with(backend, MERCHANT_CERT).unwrap();
        certificate.public_key().verify(message, &signatures[0]).unwrap();
        certificate
            .public_key()
            .verify(b"another message", &signatures[0])
            .unwrap_err();
    }
}

#[test]
fn a_key_of_the_other_side_does_not_open() {
    for &backend in Backend::ALL {
        let key = PublicKey::<Merchant>::from_pem_with(backend, PLATFORM_PUB).unwrap();
        let sealed = key.seal(&PhoneNumber::new("13800138000")).unwrap();
        let merchant = MerchantKey::from_pem_with(backend, MERCHANT_KEY).unwrap();
        merchant.open::<PhoneNumber>(&sealed).unwrap_err();
    }
}

/// A key service gets raw bytes and gives raw bytes back; the types hold at both ends.
#[test]
fn a_field_can_be_opened_elsewhere() {
    let merchant = MerchantKey::from_pem(MERCHANT_KEY).unwrap();
    let sealed = merchant.public_key().seal(&FormValue::new("上海")).unwrap();
    let raw = sealed.to_bytes().unwrap();
    assert_eq!(raw.len(), 256);
    let opened = merchant.ops.open(&raw).unwrap();
    assert_eq!(FormValue::from_opened_bytes(opened).unwrap().expose(), "上海");
    let refused = FormValue::from_opened_bytes(zeroize::Zeroizing::new(vec![0xff]));
    assert_eq!(refused.unwrap_err(), crate::OpenError);
    let odd: MerchantCiphertext = serde_json::from_str("\"不是base64\"").unwrap();
    assert_eq!(odd.to_bytes(), None);
}

#[test]
fn a_plaintext_in_a_stored_request_is_refused() {
    let refused = serde_json::from_str::<PlatformCiphertext>("\"13800138000\"").unwrap_err();
    assert!(refused.to_string().starts_with("not an RSA-OAEP ciphertext"));
    assert!(!refused.to_string().contains("138"));
}

#[test]
fn a_placeholder_in_an_answer_is_kept_and_fails_when_opened() {
    let text = "\"vvysDQeEaH3I+wRh14St0abIkvQyFgh/fbWY==\"";
    let sealed: MerchantCiphertext = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&sealed).unwrap(), text);
    let key = MerchantKey::from_pem(MERCHANT_KEY).unwrap();
    key.open::<FormValue>(&sealed).unwrap_err();
}

#[test]
fn certificates_give_serial_and_key() {
    for &backend in Backend::ALL {
        let certificate = Certificate::<Merchant>::from_pem_with(backend, MERCHANT_CERT).unwrap();
        assert_eq!(
            certificate.serial().as_str(),
            "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6"
        );
        assert!(certificate.not_before() < certificate.not_after());
        let (first, last) = (certificate.not_before(), certificate.not_after());
        let second = Duration::from_secs(1);
        for (at, valid) in [
            (first, true),
            (last, true),
            (first - second, false),
            (last + second, false),
        ] {
            assert_eq!(certificate.is_valid_at(at), valid);
        }
        assert_eq!(certificate.subject_common_name(), Some("1900000109"));
        assert_eq!(certificate.issuer_common_name(), Some("1900000109"));
        assert!(certificate.belongs_to(&PrivateKey::from_pem_with(backend, MERCHANT_KEY).unwrap()));
        assert!(!certificate.belongs_to(&PrivateKey::from_pem_with(backend, PLATFORM_KEY).unwrap()));
    }
}

#[test]
fn the_downloaded_certificate_opens_under_every_backend() {
    let vectors = vectors();
    let key = ApiV3Key::new(text(&vectors["keys"], "apiv3_key")).unwrap();
    let body: Value = serde_json::from_str(text(&vectors["certificates_download"], "body")).unwrap();
    let sealed = &body["data"][0]["encrypt_certificate"];
    let ciphertext =
        base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text(sealed, "ciphertext")).unwrap();
    let (nonce, aad) = (
        text(sealed, "nonce").as_bytes(),
        text(sealed, "associated_data").as_bytes(),
    );
    for &backend in Backend::ALL {
        let pem = key.open_with(backend, nonce, aad, &ciphertext).unwrap();
        assert_eq!(*pem, PLATFORM_CERT.as_bytes());
        key.open_with(backend, nonce, b"other", &ciphertext).unwrap_err();
        key.open_with(backend, b"short", aad, &ciphertext).unwrap_err();
        let again = backend
            .aead_seal(b"TestOnlyApiV3Key0123456789abcdef", nonce, aad, &pem)
            .unwrap();
        assert_eq!(again, ciphertext);
    }
}

#[test]
fn every_way_to_give_a_wrong_key_has_its_own_error() {
    #[track_caller]
    fn check(pem: &str, expect: &KeyError) {
        for &backend in Backend::ALL {
            assert_eq!(&MerchantKey::from_pem_with(backend, pem).unwrap_err(), expect);
        }
    }
    check(
        "",
        &KeyError::NotPem {
            expected: "PRIVATE KEY",
        },
    );
    check(
        "hello",
        &KeyError::NotPem {
            expected: "PRIVATE KEY",
        },
    );
    let wrong = KeyError::WrongLabel {
        found: "CERTIFICATE".to_owned(),
        expected: "PRIVATE KEY",
    };
    check(MERCHANT_CERT, &wrong);
    check(&MERCHANT_KEY[..400], &KeyError::DamagedPem);
    check(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
        &KeyError::Encrypted,
    );
    check(
        "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
        &KeyError::NotRsa,
    );
    check(
        "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
        &KeyError::DamagedPem,
    );
}

#[test]
fn pkcs1_and_pkcs8_are_the_same_key() {
    for &backend in Backend::ALL {
        let one = MerchantKey::from_pem_with(backend, PKCS1).unwrap();
        let eight = MerchantKey::from_pem_with(backend, MERCHANT_KEY).unwrap();
        assert_eq!(one.public_key(), eight.public_key());
        assert_eq!(one.sign(b"x").unwrap(), eight.sign(b"x").unwrap());
    }
}

/// Work grows with the square of a key's length or of a set's size in a certificate.
#[test]
fn a_huge_key_or_certificate_is_refused_unread() {
    let huge = |label, len| pem::encode(&pem::Pem::new(label, vec![0x30; len]));
    let key = MerchantKey::from_pem(&huge("PRIVATE KEY", 8 * 1024 + 1)).unwrap_err();
    assert_eq!(key, KeyError::NotRsa);
    let certificate = Certificate::<Merchant>::from_pem(&huge("CERTIFICATE", 8 * 1024 + 1)).unwrap_err();
    assert_eq!(certificate, crate::CertificateError::NotX509);
}

#[test]
fn text_before_the_pem_block_is_skipped() {
    let exported =
        format!("Bag Attributes\n    localKeyID: 01\nKey Attributes: <No Attributes>\n{MERCHANT_KEY}");
    MerchantKey::from_pem(&exported).unwrap();
}

#[test]
fn debug_shows_no_secret() {
    let marker = "MARKER13800138000MARKER";
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        PhoneNumber::new(marker),
        FormValue::new(marker),
        ApiV3Key::new("MARKER13800138000MARKER.........").unwrap(),
        MerchantKey::from_pem(MERCHANT_KEY).unwrap(),
        crate::KeyedHash::new([7; 32]),
    );
    assert!(
        !shown.contains("MARKER") && !shown.contains("13800138000") && !shown.contains("MII"),
        "{shown}"
    );
    assert_eq!(
        shown,
        "PhoneNumber(…) FormValue(…) ApiV3Key(…) PrivateKey(of the merchant, …) KeyedHash(…)"
    );
}

#[test]
fn a_keyed_hash_depends_on_key_purpose_and_value() {
    let hash = |key: u8, purpose, value: &str| {
        crate::KeyedHash::new([key; 32]).of(purpose, &PhoneNumber::new(value))
    };
    assert_eq!(hash(1, "phone", "13800138000"), hash(1, "phone", "13800138000"));
    assert_ne!(hash(1, "phone", "13800138000"), hash(2, "phone", "13800138000"));
    assert_ne!(hash(1, "phone", "13800138000"), hash(1, "name", "13800138000"));
    assert_ne!(hash(1, "phone", "13800138000"), hash(1, "phone", "13800138001"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_fits_is_sealed_and_opened(plain in "\\PC{1,71}") {
        let public = PublicKey::<Platform>::from_pem(PLATFORM_PUB).unwrap();
        let private = PrivateKey::<Platform>::from_pem(PLATFORM_KEY).unwrap();
        prop_assume!(plain.len() <= 214);
        let sealed = public.seal(&FormValue::new(&*plain)).unwrap();
        let opened: FormValue = private.open(&sealed).unwrap();
        prop_assert_eq!(opened.expose(), plain);
    }

    #[test]
    fn no_text_makes_the_key_reader_panic(text in "(-----BEGIN [A-Z ]{0,20}-----)?\\PC{0,200}(-----END [A-Z ]{0,20}-----)?") {
        let _ = MerchantKey::from_pem(&text);
        let _ = PublicKey::<Platform>::from_pem(&text);
        let _ = Certificate::<Merchant>::from_pem(&text);
    }

    /// The DER of a private key, a public key and a certificate, with bytes changed, cut short or put in.
    #[test]
    fn no_changed_der_makes_a_reader_panic(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<proptest::sample::Index>()),
        more in proptest::collection::vec(any::<u8>(), 0..40),
        at_the_head in any::<bool>(),
    ) {
        for (label, pem) in [
            ("PRIVATE KEY", MERCHANT_KEY),
            ("RSA PRIVATE KEY", PKCS1),
            ("PUBLIC KEY", PLATFORM_PUB),
            ("CERTIFICATE", MERCHANT_CERT),
        ] {
            let mut der = pem::parse(pem).unwrap().into_contents();
            let range = if at_the_head { 40 } else { der.len() };
            for (at, byte) in &changes {
                let at = at.index(range);
                der[at] = *byte;
            }
            if let Some(cut) = cut {
                der.truncate(cut.index(der.len()));
                der.extend_from_slice(&more);
            }
            let changed = pem::encode(&pem::Pem::new(label, der));
            for &backend in Backend::ALL {
                let _ = MerchantKey::from_pem_with(backend, &changed);
                let _ = PublicKey::<Platform>::from_pem_with(backend, &changed);
                let _ = Certificate::<Merchant>::from_pem_with(backend, &changed);
            }
        }
    }
}

#[test]
fn the_sides_have_names() {
    assert_eq!((Merchant::NAME, Platform::NAME), ("merchant", "platform"));
}

#[test]
fn to_pem_writes_a_public_key_as_openssl_does() {
    let key = PrivateKey::<Platform>::from_pem(PLATFORM_KEY).unwrap();
    assert_eq!(key.public_key().to_pem(), PLATFORM_PUB);
}
