//! C2SP's Wycheproof vectors through our own functions, under every backend, counted.
//!
//! Every `valid` case must pass and every `invalid` one must fail. What the protocol has no room for is counted by
//! itself, with what must become of it; what cannot even be asked is counted as left out. The counts are asserted, so
//! that a file that is lost, or a case that is no longer run, is seen; and they are printed.
//!
//! Of the `acceptable` cases, which an implementation may take or refuse: a signature whose digest lacks the `NULL` of its
//! algorithm (`MissingNull`) is refused, as no platform makes one.

use std::{
    collections::BTreeMap,
    fmt::Display,
    io::{self, Write},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use wycheproof::{HashFunction, TestResult, aead, rsa_oaep, rsa_pkcs1_verify};
use zeroize::Zeroizing;

use crate::{Backend, MerchantCiphertext, MerchantKey, OpenError, Plaintext, PlatformKey, Signature};

/// How often what happened in one file, under one backend.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// Prints the counts and compares them.
    #[track_caller]
    fn check(&self, file: impl Display, backend: Backend, expect: &str) {
        let counts: Vec<_> = self
            .0
            .iter()
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        let (file, counts) = (file.to_string(), counts.join(", "));
        // The handle itself: what `println!` writes is kept back when a test passes.
        let line = format!("wycheproof {file} {backend:?}: {counts}\n");
        io::stdout().write_all(line.as_bytes()).unwrap();
        assert_eq!(counts, expect, "{file} {backend:?}");
    }
}

/// What was opened, whatever it is; the types of the product take text only.
struct Bytes(Zeroizing<Vec<u8>>);

impl Plaintext for Bytes {
    fn from_opened(text: Zeroizing<String>) -> Self {
        Self(Zeroizing::new(text.as_bytes().to_vec()))
    }

    fn from_opened_bytes(bytes: Zeroizing<Vec<u8>>) -> Result<Self, OpenError> {
        Ok(Self(bytes))
    }

    fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap()
    }
}

fn oaep(file: rsa_oaep::TestName, backend: Backend) -> Tally {
    let mut tally = Tally::default();
    for group in rsa_oaep::TestSet::load(file).unwrap().test_groups {
        let is_ours = (group.hash, group.mgf_hash) == (HashFunction::Sha1, HashFunction::Sha1);
        let key = MerchantKey::from_pem_with(backend, &group.pem);
        for test in group.tests {
            if !is_ours {
                tally.count("left out (another hash)");
                continue;
            }
            let Ok(key) = &key else {
                tally.count("under a key that is refused");
                continue;
            };
            let case = format!("{file:?} {backend:?} {}: {}", test.tc_id, test.comment);
            let sealed = serde_json::Value::String(BASE64_STANDARD.encode(test.ct.as_slice()));
            let sealed: MerchantCiphertext = serde_json::from_value(sealed).unwrap();
            let opened = key.open::<Bytes>(&sealed);
            match test.result {
                TestResult::Valid if test.label.is_empty() => {
                    assert_eq!(*opened.unwrap_or_else(|_| panic!("{case}")).0, *test.pt, "{case}");
                    tally.count("valid opened");
                }
                // The protocol's label is empty.
                TestResult::Valid => {
                    assert!(opened.is_err(), "{case}");
                    tally.count("valid with a label refused");
                }
                TestResult::Invalid => {
                    assert!(opened.is_err(), "{case}");
                    tally.count("invalid refused");
                }
                TestResult::Acceptable => panic!("nothing is decided on {:?}: {case}", test.flags),
            }
        }
    }
    tally
}

fn signatures(file: rsa_pkcs1_verify::TestName, backend: Backend) -> Tally {
    let mut tally = Tally::default();
    for group in rsa_pkcs1_verify::TestSet::load(file).unwrap().test_groups {
        let key = PlatformKey::from_pem_with(backend, &group.pem);
        for test in group.tests {
            if group.hash != HashFunction::Sha2_256 {
                tally.count("left out (another hash)");
                continue;
            }
            let Ok(key) = &key else {
                tally.count("under a key that is refused");
                continue;
            };
            let case = format!("{file:?} {backend:?} {}: {}", test.tc_id, test.comment);
            let verified = key.verify(&test.msg, &Signature::from_bytes(test.sig.to_vec()));
            match test.result {
                TestResult::Valid => {
                    assert_eq!(verified, Ok(()), "{case}");
                    tally.count("valid verified");
                }
                TestResult::Invalid => {
                    assert!(verified.is_err(), "{case}");
                    tally.count("invalid refused");
                }
                TestResult::Acceptable => match test.flags.as_slice() {
                    [rsa_pkcs1_verify::TestFlag::MissingNull] => {
                        assert!(verified.is_err(), "{case}");
                        tally.count("acceptable without NULL refused");
                    }
                    flags => panic!("nothing is decided on {flags:?}: {case}"),
                },
            }
        }
    }
    tally
}

/// An APIv3 key is text, which these keys are not: so the seam itself is asked, as `ApiV3Key` asks it.
fn gcm(backend: Backend) -> Tally {
    let mut tally = Tally::default();
    for group in aead::TestSet::load(aead::TestName::AesGcm).unwrap().test_groups {
        for test in group.tests {
            let Ok(key) = <&[u8; 32]>::try_from(test.key.as_slice()) else {
                tally.count("left out (another key size)");
                continue;
            };
            let case = format!("AES-GCM {backend:?} {}: {}", test.tc_id, test.comment);
            let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let opened = backend.aead_open(key, &test.nonce, &test.aad, &sealed);
            if test.nonce.len() != 12 {
                assert!(opened.is_err(), "{case}");
                tally.count("with a nonce of another size refused");
                continue;
            }
            assert_eq!(group.tag_size, 128, "{case}");
            match test.result {
                TestResult::Valid => {
                    assert_eq!(opened.unwrap().as_slice(), test.pt.as_slice(), "{case}");
                    let again = backend.aead_seal(key, &test.nonce, &test.aad, &test.pt);
                    assert_eq!(again.unwrap(), sealed, "{case}");
                    tally.count("valid opened and sealed alike");
                }
                TestResult::Invalid => {
                    assert!(opened.is_err(), "{case}");
                    tally.count("invalid refused");
                }
                TestResult::Acceptable => panic!("nothing is decided on {:?}: {case}", test.flags),
            }
        }
    }
    tally
}

#[test]
fn oaep_with_sha1_2048() {
    for &backend in Backend::ALL {
        let file = rsa_oaep::TestName::Rsa2048Sha1Mgf1Sha1;
        oaep(file, backend).check(
            "rsa_oaep_2048_sha1_mgf1sha1",
            backend,
            "19 invalid refused, 10 valid opened, 7 valid with a label refused",
        );
    }
}

#[test]
fn oaep_of_other_sizes() {
    for &backend in Backend::ALL {
        oaep(rsa_oaep::TestName::RsaMisc, backend).check(
            "rsa_oaep_misc",
            backend,
            "383 left out (another hash), 3 under a key that is refused, 9 valid opened",
        );
    }
}

#[test]
fn signatures_with_sha256() {
    use rsa_pkcs1_verify::TestName;

    for &backend in Backend::ALL {
        for (file, name, expect) in [
            (
                TestName::Rsa2048Sha256,
                "rsa_signature_2048_sha256",
                "1 acceptable without NULL refused, 249 invalid refused, 9 valid verified",
            ),
            (
                TestName::Rsa3072Sha256,
                "rsa_signature_3072_sha256",
                "1 acceptable without NULL refused, 250 invalid refused, 8 valid verified",
            ),
            (
                TestName::Rsa4096Sha256,
                "rsa_signature_4096_sha256",
                "1 acceptable without NULL refused, 250 invalid refused, 7 valid verified",
            ),
            (
                TestName::Rsa8192Sha256,
                "rsa_signature_8192_sha256",
                "1 acceptable without NULL refused, 250 invalid refused, 7 valid verified",
            ),
        ] {
            signatures(file, backend).check(name, backend, expect);
        }
    }
}

#[test]
fn aes_256_gcm() {
    for &backend in Backend::ALL {
        gcm(backend).check(
            "aes_gcm",
            backend,
            "27 invalid refused, 211 left out (another key size), 39 valid opened and sealed alike, 39 with a nonce of another size refused",
        );
    }
}
