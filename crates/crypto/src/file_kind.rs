//! What kind of thing a file is that was given as a key: for error texts that say what to do, and for `doctor`.
//!
//! Looks at labels and the first bytes and decodes no key, so an answer is a hint and never a proof.

use std::fmt;

use x509_cert::der::Decode;

/// The kind of a file that should hold a key or a certificate.
///
/// ```
/// use wxmember_crypto::KeyFileKind;
///
/// let given = b"-----BEGIN PUBLIC KEY-----\nMIIB...\n-----END PUBLIC KEY-----\n";
/// assert_eq!(KeyFileKind::of(given), KeyFileKind::PublicKey);
/// assert_eq!(KeyFileKind::of(given).to_string(), "a public key, as `pub_key.pem` of WeChat Pay is");
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KeyFileKind {
    /// A PEM certificate: `apiclient_cert.pem` of the merchant, or a platform certificate.
    Certificate,
    /// A PEM request for a certificate, which was sent to the authority and is of no use afterwards.
    CertificateRequest,
    /// A certificate in DER, without the PEM around it.
    DerCertificate,
    /// Nothing, or white space.
    Empty,
    /// A PKCS#8 key under a passphrase.
    EncryptedPrivateKey,
    /// A private key in OpenSSL's old encrypted form, with a line `Proc-Type: 4,ENCRYPTED`.
    OldEncryptedPrivateKey,
    /// PEM of a kind that is of no use here, for example an elliptic-curve key.
    OtherPem {
        /// The label between `BEGIN` and the dashes.
        label: String,
    },
    /// PKCS#12, as `apiclient_cert.p12` is.
    Pkcs12,
    /// A private key without a passphrase, PKCS#8 or PKCS#1.
    PrivateKey,
    /// A public key.
    PublicKey,
    /// None of these.
    Unknown,
}

impl KeyFileKind {
    /// Tells the kind from the whole content of a file. With several PEM blocks the first counts.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        if content.iter().all(u8::is_ascii_whitespace) {
            return Self::Empty;
        }
        if let Some(label) = first_label(content) {
            return Self::of_label(label, content);
        }
        if is_pkcs12(content) {
            return Self::Pkcs12;
        }
        let is_certificate =
            content.len() <= MAX_CERTIFICATE_LEN && x509_cert::Certificate::from_der(content).is_ok();
        if is_certificate {
            Self::DerCertificate
        } else {
            Self::Unknown
        }
    }

    fn of_label(label: &str, content: &[u8]) -> Self {
        match label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Self::Certificate,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::CertificateRequest,
            "ENCRYPTED PRIVATE KEY" => Self::EncryptedPrivateKey,
            "PRIVATE KEY" => Self::PrivateKey,
            "RSA PRIVATE KEY" if contains(content, OLD_ENCRYPTION) => Self::OldEncryptedPrivateKey,
            "RSA PRIVATE KEY" => Self::PrivateKey,
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Self::PublicKey,
            other => Self::OtherPem {
                label: other.to_owned(),
            },
        }
    }
}

/// Fits after "found" or "this is".
impl fmt::Display for KeyFileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "a certificate",
            Self::CertificateRequest => "a request for a certificate",
            Self::DerCertificate => "a certificate in DER, without PEM around it",
            Self::Empty => "an empty file",
            Self::EncryptedPrivateKey => "a private key under a passphrase",
            Self::OldEncryptedPrivateKey => "a private key in OpenSSL's old encrypted form",
            Self::OtherPem { label } => return write!(f, "a PEM block `{label}`"),
            Self::Pkcs12 => "a PKCS#12 file, as `apiclient_cert.p12` is",
            Self::PrivateKey => "a private key",
            Self::PublicKey => "a public key, as `pub_key.pem` of WeChat Pay is",
            Self::Unknown => "neither PEM nor PKCS#12",
        })
    }
}

/// The label of the first line `-----BEGIN …-----`, when it looks like one.
fn first_label(content: &[u8]) -> Option<&str> {
    let start = position(content, BEGIN)? + BEGIN.len();
    let rest = &content[start..];
    let label = &rest[..position(rest, b"-----")?];
    let is_label = (1..=MAX_LABEL_LEN).contains(&label.len())
        && label
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'#'));
    is_label.then(|| std::str::from_utf8(label).ok()).flatten()
}

/// A sequence that begins with the version 3 and the content type `data`.
fn is_pkcs12(content: &[u8]) -> bool {
    /// `INTEGER 3`.
    const VERSION: &[u8] = &[0x02, 0x01, 0x03];
    /// `OID 1.2.840.113549.1.7.1`.
    const DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
    let head = &content[..content.len().min(32)];
    head.first() == Some(&0x30) && contains(head, VERSION) && contains(head, DATA)
}

pub(crate) fn contains(content: &[u8], wanted: &[u8]) -> bool {
    position(content, wanted).is_some()
}

fn position(content: &[u8], wanted: &[u8]) -> Option<usize> {
    content.windows(wanted.len()).position(|window| window == wanted)
}

/// What every PEM block begins with.
const BEGIN: &[u8] = b"-----BEGIN ";

/// The line by which OpenSSL's old encrypted form is known.
pub(crate) const OLD_ENCRYPTION: &[u8] = b"Proc-Type: 4,ENCRYPTED";

/// Real labels have up to 25 characters.
const MAX_LABEL_LEN: usize = 40;

/// Bytes of a certificate in DER that are looked at; real ones have about 1,500. Sorting sets inside a certificate
/// takes quadratic time, so a large one made on purpose would hang the reader.
pub(crate) const MAX_CERTIFICATE_LEN: usize = 8 * 1024;

#[cfg(test)]
mod tests;
