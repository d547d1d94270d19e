//! The places that a merchant has for keys and certificates, and what to do when another file stands there.
//!
//! A merchant has four files that all look alike. Nothing here puts the content of a file into a text.

use std::{error::Error, path::Path};

use wxmember_crypto::KeyFileKind;

use crate::failure::Failure;

/// What a file was given as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    MerchantCertificate,
    MerchantKey,
    /// The place of a public key or of a certificate.
    Platform,
    PlatformCertificate,
    PlatformKey,
}

impl Place {
    /// Why a file that could not be read as what its place is for is of no use, and what to do.
    pub(crate) fn unusable(self, path: &Path, content: &[u8], error: &dyn Error) -> Failure {
        let found = KeyFileKind::of(content);
        let path = path.display();
        let what = match found {
            KeyFileKind::Certificate => "a certificate",
            KeyFileKind::PublicKey => "a public key",
            KeyFileKind::EncryptedPrivateKey
            | KeyFileKind::OldEncryptedPrivateKey
            | KeyFileKind::PrivateKey => "a private key",
            _ => {
                return Failure::new(format!("{path}: holds no {}: {found}", self.kind()))
                    .hint(self.remedy(&found));
            }
        };
        let failure = match self.kind().contains(what.trim_start_matches("a ")) {
            // The right kind, damaged inside.
            true => Failure::because(path, error),
            false => Failure::new(format!("{path}: holds {what}, not {}", self.name())),
        };
        failure.hint(self.remedy(&found))
    }

    fn kind(self) -> &'static str {
        match self {
            Self::MerchantCertificate | Self::PlatformCertificate => "certificate",
            Self::MerchantKey => "private key",
            Self::Platform => "public key or certificate",
            Self::PlatformKey => "public key",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::MerchantCertificate => "the merchant's certificate",
            Self::MerchantKey => "the merchant's private key",
            Self::Platform => "WeChat Pay's public key or certificate",
            Self::PlatformCertificate => "the platform's certificate",
            Self::PlatformKey => "WeChat Pay's public key",
        }
    }

    fn remedy(self, found: &KeyFileKind) -> &'static str {
        match (self, found) {
            (Self::MerchantCertificate, _) => RESTORE_CERTIFICATE,
            (Self::MerchantKey, _) => RESTORE_KEY,
            (Self::PlatformCertificate, KeyFileKind::PublicKey) => NAME_KEY,
            (Self::PlatformCertificate, _) => FETCH_CERTIFICATE,
            (Self::PlatformKey, KeyFileKind::Certificate) => NAME_CERTIFICATE,
            (Self::Platform | Self::PlatformKey, _) => FETCH_KEY,
        }
    }
}

pub(crate) const RESTORE_KEY: &str =
    "put back the apiclient_key.pem that came with the merchant's certificate";
pub(crate) const RESTORE_CERTIFICATE: &str =
    "put back the apiclient_cert.pem that came with the merchant's key";
pub(crate) const FETCH_KEY: &str = "download WeChat Pay's public key (pub_key.pem) in the merchant platform";
pub(crate) const FETCH_CERTIFICATE: &str =
    "fetch the platform's certificate with WeChat Pay's tool, or change to its public key";
pub(crate) const NAME_CERTIFICATE: &str =
    "name a platform certificate with `platform_certificate`, without an id";
pub(crate) const NAME_KEY: &str = "name it with `platform_key`, and its id with `platform_key_id`";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(place: Place, content: &str, what: &str, hint: &str) {
        let error = std::io::Error::other("damaged");
        let failure = place.unusable(Path::new("f"), content.as_bytes(), &error);
        assert_eq!((failure.what(), failure.advice()), (what, Some(hint)));
    }

    #[test]
    fn what_is_there_instead_is_said_with_what_to_do() {
        let pem = |label: &str| format!("-----BEGIN {label}-----\n");
        check(
            Place::MerchantKey,
            &pem("PUBLIC KEY"),
            "f: holds a public key, not the merchant's private key",
            RESTORE_KEY,
        );
        check(Place::MerchantKey, &pem("PRIVATE KEY"), "f: damaged", RESTORE_KEY);
        check(
            Place::MerchantKey,
            "",
            "f: holds no private key: an empty file",
            RESTORE_KEY,
        );
        check(
            Place::MerchantCertificate,
            "x",
            "f: holds no certificate: neither PEM nor PKCS#12",
            RESTORE_CERTIFICATE,
        );
        check(
            Place::PlatformKey,
            &pem("CERTIFICATE"),
            "f: holds a certificate, not WeChat Pay's public key",
            NAME_CERTIFICATE,
        );
        check(
            Place::PlatformCertificate,
            &pem("PUBLIC KEY"),
            "f: holds a public key, not the platform's certificate",
            NAME_KEY,
        );
        check(
            Place::Platform,
            &pem("RSA PRIVATE KEY"),
            "f: holds a private key, not WeChat Pay's public key or certificate",
            FETCH_KEY,
        );
        check(Place::Platform, &pem("CERTIFICATE"), "f: damaged", FETCH_KEY);
    }
}
