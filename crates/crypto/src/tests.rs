//! Mistakes that users of other SDKs have met, each as a test by its name and under every backend.

use std::thread;

use proptest::prelude::*;
use rsa::{Oaep, RsaPublicKey, pkcs8::DecodePublicKey, rand_core::OsRng};
use sha1::Sha1;
use sha2::Sha256;

use crate::{
    Backend, FormValue, KeyId, MerchantCiphertext, MerchantKey, OpenError, PhoneNumber, Plaintext,
    PlatformCiphertext, PlatformKey, PrivateKey, PublicKey, SealError, Signature, party::Platform,
};

mod wycheproof;

const MERCHANT_KEY: &str = include_str!("../../../tests/vectors/test_merchant_key.pem");
const PLATFORM_KEY: &str = include_str!("../../../tests/vectors/test_wechatpay_pubmode_key.pem");
const PLATFORM_PUB: &str = include_str!("../../../tests/vectors/test_wechatpay_pubmode_pub_key.pem");

/// One SDK shared a cipher between threads and wrote one member's number on another member's card.
#[test]
fn keys_shared_by_threads_never_mix_up_values() {
    const THREADS: usize = 8;
    const EACH: usize = 25;
    for &backend in Backend::ALL {
        let public = PlatformKey::from_pem_with(backend, PLATFORM_PUB).unwrap();
        let private = PrivateKey::<Platform>::from_pem_with(backend, PLATFORM_KEY).unwrap();
        let right: usize = thread::scope(|scope| {
            let workers: Vec<_> = (0..THREADS)
                .map(|worker| {
                    let (public, private) = (&public, &private);
                    scope.spawn(move || {
                        // All are sealed before any is opened, so that threads seal at the same time.
                        let rows: Vec<_> = (0..EACH)
                            .map(|row| format!("{:011}", 13_000_000_000_usize + worker * EACH + row))
                            .map(|plain| {
                                let sealed = public.seal(&PhoneNumber::new(&*plain)).unwrap();
                                (plain, sealed)
                            })
                            .collect();
                        rows.iter()
                            .filter(|(plain, sealed)| {
                                private.open::<PhoneNumber>(sealed).unwrap().expose() == plain
                            })
                            .count()
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!(right, THREADS * EACH, "{backend:?}");
    }
}

/// The same SDK had the same mistake in its signer.
#[test]
fn a_signing_key_shared_by_threads_signs_each_message() {
    for &backend in Backend::ALL {
        let key = MerchantKey::from_pem_with(backend, MERCHANT_KEY).unwrap();
        thread::scope(|scope| {
            for worker in 0..4 {
                let key = &key;
                scope.spawn(move || {
                    for row in 0..8 {
                        let message = format!("{worker} {row}");
                        let signature = key.sign(message.as_bytes()).unwrap();
                        key.public_key().verify(message.as_bytes(), &signature).unwrap();
                    }
                });
            }
        });
    }
}

/// Another SDK sends an empty value unencrypted; the field has to be left out.
#[test]
fn an_empty_value_is_refused_and_not_sent_in_clear() {
    for &backend in Backend::ALL {
        let key = PlatformKey::from_pem_with(backend, PLATFORM_PUB).unwrap();
        assert_eq!(key.seal(&FormValue::new("")).unwrap_err(), SealError::Empty);
    }
}

#[test]
fn bytes_count_and_not_characters_214_fit_and_215_do_not() {
    for &backend in Backend::ALL {
        let key = PlatformKey::from_pem_with(backend, PLATFORM_PUB).unwrap();
        let private = PrivateKey::<Platform>::from_pem_with(backend, PLATFORM_KEY).unwrap();
        for fits in ["x".repeat(214), "汉".repeat(71), format!("{}x", "汉".repeat(71))] {
            let sealed = key.seal(&FormValue::new(&*fits)).unwrap();
            assert_eq!(private.open::<FormValue>(&sealed).unwrap().expose(), fits);
        }
        for (too_long, len) in [("x".repeat(215), 215), ("汉".repeat(72), 216)] {
            assert_eq!(
                key.seal(&FormValue::new(too_long)).unwrap_err(),
                SealError::TooLong { len, limit: 214 }
            );
        }
    }
}

/// One answer in the platform's own forum recommends SHA-256; every guide and every official sample uses SHA-1.
#[test]
fn oaep_is_sha1_twice_without_a_label() {
    let merchant = MerchantKey::from_pem(MERCHANT_KEY).unwrap();
    let public = RsaPublicKey::from_public_key_pem(&merchant.public_key().to_pem()).unwrap();
    let sealed = |padding: Oaep| {
        let bytes = public.encrypt(&mut OsRng, padding, "上海".as_bytes()).unwrap();
        MerchantCiphertext::from_sealed(&bytes)
    };
    for &backend in Backend::ALL {
        let key = MerchantKey::from_pem_with(backend, MERCHANT_KEY).unwrap();
        let opened: FormValue = key.open(&sealed(Oaep::new::<Sha1>())).unwrap();
        assert_eq!(opened.expose(), "上海");
        for other in [
            Oaep::new::<Sha256>(),
            Oaep::new_with_mgf_hash::<Sha1, Sha256>(),
            Oaep::new_with_mgf_hash::<Sha256, Sha1>(),
            Oaep::new_with_label::<Sha1, _>("label"),
        ] {
            assert_eq!(key.open::<FormValue>(&sealed(other)).unwrap_err(), OpenError);
        }
    }
}

/// Padding is part of the form: what another side would not read must not pass here.
#[test]
fn only_standard_base64_with_padding_is_read() {
    let merchant = MerchantKey::from_pem(MERCHANT_KEY).unwrap();
    let good = merchant
        .public_key()
        .seal(&FormValue::new("x"))
        .unwrap()
        .as_str()
        .to_owned();
    assert!(good.ends_with("=="), "256 bytes leave two characters of padding");
    let unpadded = good.trim_end_matches('=').to_owned();
    let broken = format!("{}\n{}", &good[..64], &good[64..]);
    let url_safe = format!("-_{}", &good[2..]);
    for text in [unpadded, broken, url_safe, format!("{good}="), format!(" {good}")] {
        let json = serde_json::Value::String(text.clone());
        serde_json::from_value::<PlatformCiphertext>(json.clone()).unwrap_err();
        let sealed: MerchantCiphertext = serde_json::from_value(json).unwrap();
        assert_eq!(merchant.open::<FormValue>(&sealed).unwrap_err(), OpenError);
        Signature::from_base64(&text).unwrap_err();
    }
    Signature::from_base64(&good).unwrap();
}

/// Keys given for each other are the most frequent question to every SDK. Whose a key is, the compiler checks; which
/// half it is, the reader says.
#[test]
fn a_public_key_in_a_private_key_s_place_is_named() {
    let refused = MerchantKey::from_pem(PLATFORM_PUB).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "found a PEM block `PUBLIC KEY`, expected `PRIVATE KEY`"
    );
    let refused = PublicKey::<Platform>::from_pem(MERCHANT_KEY).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "found a PEM block `PRIVATE KEY`, expected `PUBLIC KEY`"
    );
}

/// Tools print one serial number in several ways, and a certificate's file is rarely at hand to compare.
#[test]
fn a_serial_is_the_same_in_every_form_that_tools_print() {
    let expect = KeyId::new("4D3C2B1A");
    for form in [
        "4d3c2b1a",
        " 4D3C2B1A\n",
        "004D3C2B1A",
        "4D:3C:2B:1A",
        "4d 3c 2b 1a",
        "0x4d3c2b1a",
    ] {
        assert_eq!(KeyId::new(form), expect, "{form:?}");
    }
    assert_eq!(expect.as_str(), "4D3C2B1A");
    for other in ["4D3C2B1B", "PUB_KEY_ID_4D3C2B1A", "4D:3C2B1A", "4D3C 2B1A"] {
        assert_ne!(KeyId::new(other), expect, "{other:?}");
    }
}

proptest! {
    /// Another SDK read a serial as a number and failed at `PUB_KEY_ID_…`.
    #[test]
    fn any_text_is_a_serial(text in "\\PC{0,80}|[0-9a-fA-F: x]{0,40}") {
        let id = KeyId::new(&text);
        prop_assert_eq!(&KeyId::new(id.as_str()), &id);
    }
}
