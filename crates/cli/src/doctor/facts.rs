//! What was read, before anybody says whether it is right. No private key is kept, only its public half.

use std::time::SystemTime;

use wxmember::{Certificate, KeyError, KeyId, MerchantKey, PlatformKey, party};
use wxmember_crypto::KeyFileKind;

use crate::profile::KeyPair;

/// Everything the checks look at.
#[derive(Debug)]
pub(crate) struct Facts {
    /// What this machine's clock shows.
    pub(crate) now: SystemTime,
    /// Where something was looked for: a folder or a configuration file.
    pub(crate) place: String,
    pub(crate) merchant_key: Option<KeyFile>,
    pub(crate) merchant_certificate: Option<KeyFile>,
    pub(crate) platform_key: Option<KeyFile>,
    pub(crate) platform_certificate: Option<KeyFile>,
    pub(crate) apiv3_key: Option<SecretFile>,
    /// What a profile says, then what `sandbox.json` says.
    pub(crate) settings: Vec<Settings>,
    /// Secret files and who may read them.
    pub(crate) modes: Vec<Mode>,
}

/// A file in the place of a key or certificate.
#[derive(Clone, Debug)]
pub(crate) struct KeyFile {
    pub(crate) at: String,
    pub(crate) holds: Holds,
}

/// What a file holds, whatever it was meant to hold.
#[derive(Clone, Debug)]
pub(crate) enum Holds {
    Certificate(CertificateFacts),
    /// A private key behind a passphrase.
    Encrypted,
    /// A private key, known by its public half.
    PrivateKey(Key),
    PublicKey(Key),
    /// There is no such file, or it cannot be read.
    Unreadable(String),
    /// A text that is none of these.
    Unusable(String),
}

/// The public half of a key, PKCS#1 DER.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Key(pub(crate) Vec<u8>);

/// What a certificate says.
#[derive(Clone, Debug)]
pub(crate) struct CertificateFacts {
    pub(crate) serial: KeyId,
    pub(crate) key: Key,
    /// The name of the subject; of a merchant's certificate it is the merchant id.
    pub(crate) common_name: Option<String>,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
}

/// What a place was made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Certificate,
    PrivateKey,
    PublicKey,
}

/// A file that holds a symmetric key: how long it is, never what it is.
#[derive(Clone, Debug)]
pub(crate) struct SecretFile {
    pub(crate) at: String,
    pub(crate) holds: Result<SecretText, String>,
}

/// The shape of a symmetric key's text, without the line break at its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretText {
    pub(crate) bytes: usize,
    pub(crate) has_blanks: bool,
}

/// What one file says about names and addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) at: String,
    pub(crate) base_url: Option<String>,
    pub(crate) mchid: Option<String>,
    pub(crate) merchant_serial: Option<String>,
    pub(crate) platform_key_id: Option<String>,
    pub(crate) brand_id: Option<String>,
    pub(crate) card_id: Option<String>,
}

/// The permission bits of a secret file.
#[derive(Clone, Debug)]
pub(crate) struct Mode {
    pub(crate) at: String,
    pub(crate) bits: u32,
}

impl Facts {
    /// The merchant's certificate, when that place holds a certificate.
    pub(crate) fn merchant_certificate(&self) -> Option<&CertificateFacts> {
        self.merchant_certificate.as_ref()?.holds.certificate()
    }

    /// The platform's certificate, when that place holds a certificate.
    pub(crate) fn platform_certificate(&self) -> Option<&CertificateFacts> {
        self.platform_certificate.as_ref()?.holds.certificate()
    }
}

impl CertificateFacts {
    fn of<P: party::Party>(certificate: &Certificate<P>) -> Self {
        Self {
            serial: certificate.serial().clone(),
            key: Key(certificate.public_key().pkcs1_der().to_vec()),
            common_name: certificate.subject_common_name().map(str::to_owned),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
        }
    }
}

impl Holds {
    /// Reads a file. What the place was made for is tried first, since a file may hold several things.
    pub(crate) fn read(content: &[u8], wanted: Kind) -> Self {
        let unusable = || Self::Unusable(KeyFileKind::of(content).to_string());
        let Ok(text) = std::str::from_utf8(content) else {
            return unusable();
        };
        let first = match Self::try_read(text, wanted) {
            Ok(holds) => return holds,
            Err(first) => first,
        };
        let others = [Kind::PrivateKey, Kind::Certificate, Kind::PublicKey].into_iter();
        others
            .filter(|kind| *kind != wanted)
            .find_map(|kind| Self::try_read(text, kind).ok())
            .unwrap_or_else(|| match KeyFileKind::of(content) {
                // The readers say better what is wrong inside.
                KeyFileKind::Certificate | KeyFileKind::PrivateKey | KeyFileKind::PublicKey => {
                    Self::Unusable(first)
                }
                _ => unusable(),
            })
    }

    fn try_read(text: &str, kind: Kind) -> Result<Self, String> {
        match kind {
            Kind::Certificate => Certificate::<party::Platform>::from_pem(text)
                .map(|certificate| Self::Certificate(CertificateFacts::of(&certificate)))
                .map_err(|error| error.to_string()),
            Kind::PrivateKey => match MerchantKey::from_pem(text) {
                Ok(key) => Ok(Self::PrivateKey(Key(key.public_key().pkcs1_der().to_vec()))),
                Err(KeyError::Encrypted) => Ok(Self::Encrypted),
                Err(error) => Err(error.to_string()),
            },
            Kind::PublicKey => PlatformKey::from_pem(text)
                .map(|key| Self::PublicKey(Key(key.pkcs1_der().to_vec())))
                .map_err(|error| error.to_string()),
        }
    }

    /// One half of what was read together.
    pub(crate) fn of_pair(pair: &KeyPair, wanted: Kind) -> Self {
        match (&pair.certificate, wanted) {
            (Some(certificate), Kind::Certificate) => Self::Certificate(CertificateFacts::of(certificate)),
            _ => Self::PrivateKey(Key(pair.key.public_key().pkcs1_der().to_vec())),
        }
    }

    /// The key, whatever is around it.
    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            Self::Certificate(certificate) => Some(&certificate.key),
            Self::PrivateKey(key) | Self::PublicKey(key) => Some(key),
            Self::Encrypted | Self::Unreadable(_) | Self::Unusable(_) => None,
        }
    }

    /// The certificate, when it is one.
    pub(crate) fn certificate(&self) -> Option<&CertificateFacts> {
        match self {
            Self::Certificate(certificate) => Some(certificate),
            _ => None,
        }
    }

    /// The key, when it is a private one.
    pub(crate) fn private_key(&self) -> Option<&Key> {
        match self {
            Self::PrivateKey(key) => Some(key),
            _ => None,
        }
    }
}
