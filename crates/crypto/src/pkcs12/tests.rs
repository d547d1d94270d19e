//! Files that the `openssl` command wrote, under every backend, and files made to fail.

use proptest::prelude::*;

use super::Pkcs12;
use crate::{Backend, KeyFileKind, MerchantKey, Passphrase, Pkcs12Error, party::Merchant};

macro_rules! protected {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/vectors/protected/", $name)).as_slice()
    };
}

const KEY: &str = include_str!("../../../../tests/vectors/test_merchant_key.pem");
const SERIAL: &str = "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6";

fn mchid() -> Passphrase {
    Passphrase::new("1900000109")
}

/// A file opens to the merchant's key and certificate, and with no other passphrase.
#[track_caller]
fn check(file: &[u8], passphrase: &str) {
    for &backend in Backend::ALL {
        let opened = Pkcs12::<Merchant>::open_with(backend, file, &Passphrase::new(passphrase)).unwrap();
        let expect = MerchantKey::from_pem_with(backend, KEY).unwrap();
        assert_eq!(opened.key().public_key(), expect.public_key());
        assert_eq!(opened.certificate().serial().as_str(), SERIAL);
        let (key, certificate) = opened.into_parts();
        assert!(certificate.belongs_to(&key));
        assert_eq!(key.sign(b"x").unwrap(), expect.sign(b"x").unwrap());
    }
    for wrong in ["", "1900000108", "19000001090"] {
        let refused = Pkcs12::<Merchant>::open(file, &Passphrase::new(wrong)).unwrap_err();
        assert_eq!(refused, Pkcs12Error::WrongPassphrase, "{wrong:?}");
    }
}

#[track_caller]
fn check_refused(file: &[u8], expect: &Pkcs12Error) {
    for &backend in Backend::ALL {
        let refused = Pkcs12::<Merchant>::open_with(backend, file, &mchid()).unwrap_err();
        assert_eq!(&refused, expect);
    }
}

/// The file with one run of bytes replaced by another of the same length.
fn patched(file: &[u8], find: &[u8], replace: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let at = file
        .windows(find.len())
        .position(|window| window == find)
        .unwrap();
    file[at..at + replace.len()].copy_from_slice(replace);
    file
}

#[test]
fn a_file_of_an_old_tool_opens_with_the_merchant_id() {
    check(protected!("legacy.p12"), "1900000109");
}

#[test]
fn a_file_of_openssl_3_opens() {
    check(protected!("modern.p12"), "1900000109");
    check(protected!("sha512_mac.p12"), "1900000109");
}

#[test]
fn a_passphrase_beyond_ascii_is_utf16() {
    check(protected!("legacy_han_passphrase.p12"), "口令");
}

#[test]
fn the_certificate_of_the_key_is_found_among_others() {
    check(protected!("with_other_certificate.p12"), "1900000109");
}

#[test]
fn content_in_clear_under_a_code_opens() {
    check(protected!("mac_only.p12"), "1900000109");
}

#[test]
fn without_a_code_a_wrong_passphrase_is_told_by_what_it_decrypts_to() {
    check(protected!("without_mac.p12"), "1900000109");
}

#[test]
fn what_is_missing_is_named() {
    check_refused(protected!("without_certificate.p12"), &Pkcs12Error::NoCertificate);
    check_refused(protected!("without_key.p12"), &Pkcs12Error::NoKey);
}

#[test]
fn something_else_is_named() {
    for (file, found) in [
        (KEY.as_bytes(), KeyFileKind::PrivateKey),
        (b"".as_slice(), KeyFileKind::Empty),
        (b"hello".as_slice(), KeyFileKind::Unknown),
    ] {
        check_refused(file, &Pkcs12Error::NotPkcs12 { found });
    }
    let refused = Pkcs12::<Merchant>::open(KEY.as_bytes(), &mchid()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "expected a PKCS#12 file, as `apiclient_cert.p12` is; found a private key"
    );
    assert_eq!(KeyFileKind::of(protected!("legacy.p12")), KeyFileKind::Pkcs12);
    assert_eq!(KeyFileKind::of(protected!("modern.p12")), KeyFileKind::Pkcs12);
}

#[test]
fn damage_is_told_from_a_wrong_passphrase_where_the_format_can() {
    let file = protected!("modern.p12");
    check_refused(&file[..file.len() - 1], &Pkcs12Error::Damaged);
    check_refused(&[file, b"\n"].concat(), &Pkcs12Error::Damaged);
    // Inside the guarded content there is no difference.
    let mut changed = file.to_vec();
    changed[400] ^= 1;
    check_refused(&changed, &Pkcs12Error::WrongPassphrase);
    let indefinite = [&[0x30, 0x80][..], &file[4..], &[0, 0]].concat();
    check_refused(&indefinite, &Pkcs12Error::IndefiniteLength);
}

#[test]
fn a_large_or_costly_file_is_refused_before_the_work_is_done() {
    check_refused(&vec![0x30; 16_385], &Pkcs12Error::TooLarge { limit: 16_384 });
    check_refused(protected!("costly.p12"), &Pkcs12Error::TooCostly);
}

#[test]
fn an_unknown_code_is_named() {
    const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
    const SHA3: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 8, 5, 0, 4, 0x20];
    check_refused(
        &patched(protected!("modern.p12"), SHA256, SHA3),
        &Pkcs12Error::Unsupported {
            algorithm: "2.16.840.1.101.3.4.2.8".to_owned(),
        },
    );
}

#[test]
fn errors_and_debug_show_no_content() {
    let opened = Pkcs12::<Merchant>::open(protected!("modern.p12"), &mchid()).unwrap();
    let shown = format!("{opened:?}");
    assert!(shown.contains("key: PrivateKey(of the merchant, …)"), "{shown}");
    let refused = Pkcs12::<Merchant>::open(protected!("modern.p12"), &Passphrase::new("MARKER")).unwrap_err();
    assert!(!format!("{refused:?} {refused}").contains("MARKER"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// `without_mac.p12` and `mac_only.p12` let changes through to the bags; the code of the others stops them.
    #[test]
    fn no_changed_file_makes_the_reader_panic(
        which in 0_usize..4,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<proptest::sample::Index>()),
        head in 16_usize..1200,
    ) {
        let files = [protected!("legacy.p12"), protected!("modern.p12"), protected!("without_mac.p12"), protected!("mac_only.p12")];
        let mut file = files[which].to_vec();
        for (at, byte) in changes {
            let at = at.index(head.min(file.len()));
            file[at] = byte;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        for &backend in Backend::ALL {
            let _ = Pkcs12::<Merchant>::open_with(backend, &file, &mchid());
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Pkcs12::<Merchant>::open(&bytes, &mchid());
    }
}
