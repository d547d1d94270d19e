//! Keys that the `openssl` command encrypted, under every backend, and files made to fail.

use proptest::prelude::*;

use crate::{Backend, KeyError, MerchantKey, Passphrase};

const PLAIN: &str = include_str!("../../../../../tests/vectors/test_merchant_key.pem");
const DEFAULT: &str = include_str!("../../../../../tests/vectors/protected/pkcs8_default.pem");
const SCRYPT: &str = include_str!("../../../../../tests/vectors/protected/pkcs8_scrypt.pem");
const OLD: &str = include_str!("../../../../../tests/vectors/protected/pkcs1_old_encryption.pem");

fn passphrase() -> Passphrase {
    Passphrase::new("test-passphrase")
}

/// A file opens to the merchant's key, and with no other passphrase.
#[track_caller]
fn check(pem: &str, passphrase: &str) {
    let expect = MerchantKey::from_pem(PLAIN).unwrap();
    for &backend in Backend::ALL {
        let key = MerchantKey::from_encrypted_pem_with(backend, pem, &Passphrase::new(passphrase)).unwrap();
        assert_eq!(key.public_key(), expect.public_key());
        assert_eq!(key.sign(b"x").unwrap(), expect.sign(b"x").unwrap());
    }
    for wrong in ["", "test", "test-passphrase ", "Test-passphrase"] {
        let refused = MerchantKey::from_encrypted_pem(pem, &Passphrase::new(wrong)).unwrap_err();
        assert_eq!(refused, KeyError::WrongPassphrase, "{wrong:?}");
    }
}

#[track_caller]
fn check_refused(pem: &str, expect: &KeyError) {
    for &backend in Backend::ALL {
        let refused = MerchantKey::from_encrypted_pem_with(backend, pem, &passphrase()).unwrap_err();
        assert_eq!(&refused, expect);
    }
}

/// The file with one run of its DER replaced by another of the same length.
fn patched(pem: &str, find: &[u8], replace: &[u8]) -> String {
    let mut der = pem::parse(pem).unwrap().into_contents();
    let at = der.windows(find.len()).position(|window| window == find).unwrap();
    der[at..at + replace.len()].copy_from_slice(replace);
    pem::encode(&pem::Pem::new("ENCRYPTED PRIVATE KEY", der))
}

#[test]
fn what_openssl_writes_by_default_opens() {
    check(DEFAULT, "test-passphrase");
}

#[test]
fn a_passphrase_is_utf8() {
    check(
        include_str!("../../../../../tests/vectors/protected/pkcs8_han_passphrase.pem"),
        "口令",
    );
}

#[test]
fn aes_and_triple_des_under_pbkdf2_open() {
    for pem in [
        include_str!("../../../../../tests/vectors/protected/pkcs8_aes128_sha1.pem"),
        include_str!("../../../../../tests/vectors/protected/pkcs8_aes192_sha512.pem"),
        include_str!("../../../../../tests/vectors/protected/pkcs8_des3.pem"),
    ] {
        check(pem, "test-passphrase");
    }
}

#[test]
fn scrypt_opens() {
    check(SCRYPT, "test-passphrase");
}

#[test]
fn the_schemes_of_pkcs12_open() {
    for pem in [
        include_str!("../../../../../tests/vectors/protected/pkcs8_v1_3des.pem"),
        include_str!("../../../../../tests/vectors/protected/pkcs8_v1_rc2_40.pem"),
    ] {
        check(pem, "test-passphrase");
    }
}

#[test]
fn what_is_not_read_is_named() {
    check_refused(
        include_str!("../../../../../tests/vectors/protected/pkcs8_v1_md5_des.pem"),
        &KeyError::UnsupportedEncryption {
            algorithm: "1.2.840.113549.1.5.3".to_owned(),
        },
    );
    check_refused(
        include_str!("../../../../../tests/vectors/protected/pkcs8_elliptic.pem"),
        &KeyError::NotRsa,
    );
    check_refused(
        PLAIN,
        &KeyError::WrongLabel {
            found: "PRIVATE KEY".to_owned(),
            expected: "ENCRYPTED PRIVATE KEY",
        },
    );
    check_refused(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
        &KeyError::DamagedEncryption,
    );
}

/// Both readers recognise it, and both say how to convert it.
#[test]
fn the_old_encryption_is_named_with_its_cure() {
    check_refused(OLD, &KeyError::OldEncryption);
    let refused = MerchantKey::from_pem(OLD).unwrap_err();
    assert_eq!(refused, KeyError::OldEncryption);
    assert!(refused.to_string().contains("openssl pkcs8 -topk8"), "{refused}");
    assert_eq!(MerchantKey::from_pem(DEFAULT).unwrap_err(), KeyError::Encrypted);
}

/// How much work a file asks for is written in the file, so whoever made it could stop a process for hours.
#[test]
fn a_costly_file_is_refused_before_the_work_is_done() {
    check_refused(
        include_str!("../../../../../tests/vectors/protected/pkcs8_costly.pem"),
        &KeyError::TooCostly,
    );
    // scrypt: N = 16384, r = 8, p = 1 becomes p = 127, then r = 120, then N = 0 and N = 3.
    const PARAMETERS: &[u8] = &[2, 2, 0x40, 0, 2, 1, 8, 2, 1, 1];
    for (cost, expect) in [
        (&[2, 2, 0x40, 0, 2, 1, 8, 2, 1, 127], KeyError::TooCostly),
        (&[2, 2, 0x40, 0, 2, 1, 120, 2, 1, 1], KeyError::TooCostly),
        (&[2, 2, 0x40, 0, 2, 1, 0, 2, 1, 1], KeyError::DamagedEncryption),
        (&[2, 2, 0x40, 1, 2, 1, 8, 2, 1, 1], KeyError::DamagedEncryption),
    ] {
        check_refused(&patched(SCRYPT, PARAMETERS, cost), &expect);
    }
    let zero = patched(SCRYPT, &[2, 2, 0x40, 0], &[2, 2, 0, 0]);
    MerchantKey::from_encrypted_pem(&zero, &passphrase()).unwrap_err();
}

#[test]
fn errors_and_debug_show_no_passphrase() {
    let marker = Passphrase::new("MARKER-passphrase");
    let refused = MerchantKey::from_encrypted_pem(DEFAULT, &marker).unwrap_err();
    let shown = format!("{marker:?} {refused:?} {refused}");
    assert!(!shown.contains("MARKER"), "{shown}");
    assert_eq!(format!("{marker:?}"), "Passphrase(…)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_changed_file_makes_the_reader_panic(
        scrypt in any::<bool>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<proptest::sample::Index>()),
        // Most of a file is ciphertext; the parameters before it are where a reader can go wrong.
        head in 16_usize..120,
    ) {
        let mut der = pem::parse(if scrypt { SCRYPT } else { DEFAULT }).unwrap().into_contents();
        for (at, byte) in changes {
            let at = at.index(head);
            der[at] = byte;
        }
        if let Some(cut) = cut {
            der.truncate(cut.index(der.len()));
        }
        let changed = pem::encode(&pem::Pem::new("ENCRYPTED PRIVATE KEY", der));
        for &backend in Backend::ALL {
            let _ = MerchantKey::from_encrypted_pem_with(backend, &changed, &passphrase());
        }
    }
}
