//! Key files: PEM, encrypted PKCS#8, PKCS#12 and certificates, as somebody hands them over.
//!
//! The first byte says how the rest is wrapped: most of what can go wrong is in the DER, which base64 hides from a
//! fuzzer. Then come the passphrase, a line feed and the file.

use base64::{Engine, prelude::BASE64_STANDARD};
use wxmember_crypto::{
    Backend, Certificate, KeyFileKind, Passphrase, Pkcs12, PrivateKey, PublicKey, party::Merchant,
};

use crate::{
    claims::{quiet, silent},
    input::line,
};

/// Reads a file in every way in which one is read.
pub fn run(data: &[u8]) {
    let Some((wrapping, rest)) = data.split_first() else {
        return;
    };
    let (passphrase, content) = line(rest);
    let Ok(passphrase) = str::from_utf8(passphrase) else {
        return;
    };
    let passphrase = Passphrase::new(passphrase);
    quiet(&format!("{passphrase:?}"));
    if asks_for_many_rounds(content) {
        return;
    }
    match usize::from(*wrapping) {
        wrapping if wrapping < LABELS.len() => {
            let label = LABELS[wrapping];
            let text = BASE64_STANDARD.encode(content);
            pem(
                &format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n"),
                &passphrase,
            );
        }
        _ => {
            let _ = KeyFileKind::of(content).to_string();
            der(content, &passphrase);
            if let Ok(text) = str::from_utf8(content) {
                pem(text, &passphrase);
            }
        }
    }
}

fn pem(text: &str, passphrase: &Passphrase) {
    let kind = KeyFileKind::of(text.as_bytes());
    let _ = kind.to_string();
    match PrivateKey::<Merchant>::from_pem(text) {
        Ok(key) => private(&key),
        Err(error) => silent(&error),
    }
    match PrivateKey::<Merchant>::from_encrypted_pem(text, passphrase) {
        Ok(key) => private(&key),
        Err(error) => silent(&error),
    }
    match PublicKey::<Merchant>::from_pem(text) {
        Ok(key) => public(&key),
        Err(error) => silent(&error),
    }
    match Certificate::<Merchant>::from_pem(text) {
        Ok(found) => certificate(&found),
        Err(error) => silent(&error),
    }
}

fn der(content: &[u8], passphrase: &Passphrase) {
    match Certificate::<Merchant>::from_der(content) {
        Ok(found) => certificate(&found),
        Err(error) => silent(&error),
    }
    match Pkcs12::<Merchant>::open(content, passphrase) {
        Ok(file) => {
            assert!(file.certificate().belongs_to(file.key()));
            private(file.key());
            certificate(file.certificate());
        }
        Err(error) => silent(&error),
    }
}

/// A key that is taken works, and the other backend agrees on its signature.
fn private(key: &PrivateKey<Merchant>) {
    quiet(&format!("{key:?}"));
    public(key.public_key());
    let signature = key.sign(b"message").expect("a key that is taken signs");
    let text = key.public_key().to_pem();
    for backend in Backend::ALL {
        let public = PublicKey::<Merchant>::from_pem_with(*backend, &text).expect("a public key of its own");
        let verified = public.verify(b"message", &signature);
        verified.expect("a signature verifies under its own key");
    }
}

/// What is read is written as it was.
fn public(key: &PublicKey<Merchant>) {
    let again = PublicKey::<Merchant>::from_pem(&key.to_pem()).expect("what was written is read");
    assert!(again == *key && again.to_pem() == key.to_pem());
    assert_eq!(key.seal_limit(), again.seal_limit());
}

fn certificate(certificate: &Certificate<Merchant>) {
    public(certificate.public_key());
    let names = [
        certificate.subject_common_name(),
        certificate.issuer_common_name(),
    ];
    for name in names.into_iter().flatten() {
        // They are shown on terminals.
        assert!(
            name.chars().count() <= 64 && !name.chars().any(char::is_control),
            "{name:?}"
        );
    }
    let serial = certificate.serial().as_str();
    assert!(serial.bytes().all(|byte| byte.is_ascii_hexdigit()), "{serial:?}");
    assert!(
        certificate.not_after() < certificate.not_before()
            || certificate.is_valid_at(certificate.not_after())
    );
}

/// Whether an integer of three or four bytes asks for more rounds than a fuzzer has time for. The product has a bound of
/// its own, a second of work, which unit tests hold it to.
fn asks_for_many_rounds(content: &[u8]) -> bool {
    let integers = content.windows(5).filter_map(|five| match five {
        [2, 3, high, middle, low] => Some(u32::from_be_bytes([0, *high, *middle, *low])),
        [2, 4, first, second, third] => Some(u32::from_be_bytes([*first, *second, *third, 0])),
        _ => None,
    });
    // The one large number that every key has is its exponent.
    integers
        .into_iter()
        .any(|number| number > MOST_ROUNDS && number != 65_537)
}

const MOST_ROUNDS: u32 = 40_000;

/// How DER is wrapped, by the first byte of the input. Anything else is taken as it is.
const LABELS: [&str; 6] = [
    "ENCRYPTED PRIVATE KEY",
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "PUBLIC KEY",
    "RSA PUBLIC KEY",
    "CERTIFICATE",
];
