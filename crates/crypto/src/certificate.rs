//! X.509 certificates: the merchant's API certificate and the platform's certificates.

use std::time::SystemTime;

use x509_cert::{
    der::{Decode, Encode, Tag, Tagged, asn1::ObjectIdentifier},
    name::Name,
    spki::DecodePublicKey,
};

use crate::{
    Backend, KeyId,
    error::{CertificateError, KeyError},
    file_kind::MAX_CERTIFICATE_LEN,
    key::{PrivateKey, PublicKey, pem_block},
    party::Party,
};

/// A certificate of one side, read from PEM.
///
/// Only what WeChat Pay's protocol needs is kept: the serial number, the public key, the validity and two names.
/// The chain is not checked here: WeChat Pay's trust is the key the merchant was given, not an authority.
#[derive(Clone, Debug)]
pub struct Certificate<P: Party> {
    serial: KeyId,
    public_key: PublicKey<P>,
    not_before: SystemTime,
    not_after: SystemTime,
    subject: Option<Box<str>>,
    issuer: Option<Box<str>>,
}

impl<P: Party> Certificate<P> {
    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] when there is no certificate, it is damaged, or its key is not RSA of 2048 to 8192 bits.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        Self::from_pem_with(Backend::default(), pem)
    }

    /// The same as [`from_pem`](Self::from_pem) with a chosen backend for the public key.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_with(backend: Backend, pem: &str) -> Result<Self, CertificateError> {
        let block = pem_block(pem, &["CERTIFICATE"], "CERTIFICATE").map_err(CertificateError::Pem)?;
        Self::from_der_with(backend, &block.der)
    }

    /// Reads a certificate in DER, of at most 8 KiB.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        Self::from_der_with(Backend::default(), der)
    }

    /// The same as [`from_der`](Self::from_der) with a chosen backend for the public key.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der_with(backend: Backend, der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE_LEN {
            return Err(CertificateError::NotX509);
        }
        let certificate = x509_cert::Certificate::from_der(der).map_err(|_| CertificateError::NotX509)?;
        let tbs = &certificate.tbs_certificate;
        let spki = tbs
            .subject_public_key_info
            .to_der()
            .map_err(|_| CertificateError::NotX509)?;
        let public_key = PublicKey::from_spki_der_with(backend, &spki).map_err(CertificateError::Key)?;
        let mut serial = String::new();
        // DER puts a zero byte before a number whose first bit is set; it is not of the number.
        let bytes = tbs.serial_number.as_bytes();
        for byte in bytes
            .strip_prefix(&[0])
            .filter(|rest| !rest.is_empty())
            .unwrap_or(bytes)
        {
            serial.push_str(&format!("{byte:02X}"));
        }
        Ok(Self {
            serial: KeyId::new(&serial),
            public_key,
            not_before: tbs.validity.not_before.to_system_time(),
            not_after: tbs.validity.not_after.to_system_time(),
            subject: common_name(&tbs.subject),
            issuer: common_name(&tbs.issuer),
        })
    }

    /// The serial number, in upper-case hexadecimal.
    #[must_use]
    pub fn serial(&self) -> &KeyId {
        &self.serial
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey<P> {
        &self.public_key
    }

    /// The first moment of validity.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// The last moment of validity.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Whether the certificate is valid at this time, both ends included. `at` comes from the caller's clock.
    #[must_use]
    pub fn is_valid_at(&self, at: SystemTime) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// The common name of the subject, when there is one.
    ///
    /// A merchant's API certificate names the merchant id, the platform's names `Tenpay.com sign`. At most 64
    /// characters; control characters are replaced, so that it can be shown on a terminal.
    #[must_use]
    pub fn subject_common_name(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The common name of the issuer, when there is one: `Tenpay.com Root CA` for both sides. Shown as
    /// [`subject_common_name`](Self::subject_common_name) is.
    #[must_use]
    pub fn issuer_common_name(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether `key` is the private key of this certificate.
    #[must_use]
    pub fn belongs_to(&self, key: &PrivateKey<P>) -> bool {
        self.public_key == *key.public_key()
    }
}

/// The first common name as text, in any of the string types that authorities use for it.
fn common_name(name: &Name) -> Option<Box<str>> {
    let value = name
        .0
        .iter()
        .flat_map(|set| set.0.iter())
        .find(|attribute| attribute.oid == COMMON_NAME)
        .map(|attribute| &attribute.value)?;
    let bytes = value.value();
    let text = match value.tag() {
        Tag::BmpString => {
            let (units, _) = bytes.as_chunks::<2>();
            String::from_utf16_lossy(&units.iter().copied().map(u16::from_be_bytes).collect::<Vec<_>>())
        }
        Tag::Ia5String | Tag::PrintableString | Tag::TeletexString | Tag::Utf8String => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        _ => return None,
    };
    let shown: String = text
        .chars()
        .take(64)
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect();
    Some(shown.into_boxed_str())
}

/// Checks that the DER of a SubjectPublicKeyInfo is RSA and returns the PKCS#1 key inside.
pub(crate) fn rsa_key_of_spki(spki: &[u8]) -> Result<Vec<u8>, KeyError> {
    struct Pkcs1(Vec<u8>);
    impl TryFrom<x509_cert::spki::SubjectPublicKeyInfoRef<'_>> for Pkcs1 {
        type Error = x509_cert::spki::Error;
        fn try_from(info: x509_cert::spki::SubjectPublicKeyInfoRef<'_>) -> Result<Self, Self::Error> {
            info.algorithm.assert_algorithm_oid(RSA_ENCRYPTION)?;
            let key = info
                .subject_public_key
                .as_bytes()
                .ok_or(x509_cert::spki::Error::KeyMalformed)?;
            Ok(Self(key.to_vec()))
        }
    }
    Pkcs1::from_public_key_der(spki)
        .map(|key| key.0)
        .map_err(|_| KeyError::NotRsa)
}

/// Puts a PKCS#1 key into a SubjectPublicKeyInfo, the inverse of [`rsa_key_of_spki`].
pub(crate) fn spki_of_rsa_key(pkcs1: &[u8]) -> Vec<u8> {
    /// `SEQUENCE { OID 1.2.840.113549.1.1.1, NULL }`.
    const ALGORITHM: &[u8] = &[
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let mut bits = vec![0]; // No unused bits at the end.
    bits.extend_from_slice(pkcs1);
    let mut content = ALGORITHM.to_vec();
    content.extend(der_value(0x03, &bits));
    der_value(0x30, &content)
}

/// Tag, length and content, in DER.
fn der_value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(length.len() - 1);
    let length = &length[significant..];
    let mut der = vec![tag];
    match length {
        [short @ 0..=0x7f] => der.push(*short),
        _ => {
            der.push(0x80 | u8::try_from(length.len()).unwrap_or(8));
            der.extend_from_slice(length);
        }
    }
    der.extend_from_slice(content);
    der
}

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
