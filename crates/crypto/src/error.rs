//! What can go wrong here. Flat enums with typed payload; no text of a key or of a person in any of them.

use thiserror::Error;

/// Why a key could not be read.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum KeyError {
    /// The text holds no PEM block at all.
    #[error("no PEM block found; expected a line `-----BEGIN {expected}-----`")]
    NotPem {
        /// The label that was looked for.
        expected: &'static str,
    },
    /// A PEM block is there, but not of the wanted kind, for example a certificate in the place of a key.
    #[error("found a PEM block `{found}`, expected `{expected}`")]
    WrongLabel {
        /// The label found.
        found: String,
        /// The label that was looked for.
        expected: &'static str,
    },
    /// The PEM block is damaged: bad base64, or no end line.
    #[error("the PEM block is damaged (bad base64, or the end line is missing)")]
    DamagedPem,
    /// The private key is protected by a passphrase.
    #[error(
        "the private key is encrypted with a passphrase; decrypt it first with `openssl pkey -in FILE -out FILE2`"
    )]
    Encrypted,
    /// The DER inside the PEM block is not an RSA key.
    #[error("the content is not an RSA key")]
    NotRsa,
    /// The key is too short or too long to be a WeChat Pay key.
    #[error("the RSA key has {bits} bits; WeChat Pay uses 2048, accepted are 2048 to 8192")]
    Size {
        /// Bits of the modulus.
        bits: usize,
    },
}

/// Why a certificate could not be read or used.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum CertificateError {
    /// The PEM around the certificate is unusable.
    #[error(transparent)]
    Pem(KeyError),
    /// The DER inside is not an X.509 certificate.
    #[error("the content is not an X.509 certificate")]
    NotX509,
    /// The certificate's public key is unusable.
    #[error("the certificate's public key is unusable: {0}")]
    Key(KeyError),
}

/// Why a plaintext was not sealed.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SealError {
    /// OAEP has no room: 214 bytes with a 2048-bit key.
    #[error("the plaintext has {len} bytes of UTF-8, at most {limit} can be sealed")]
    TooLong {
        /// Bytes of the plaintext.
        len: usize,
        /// Most bytes that this key can seal.
        limit: usize,
    },
    /// An empty value was given; leave the field out instead.
    #[error("the plaintext is empty; leave the field out instead")]
    Empty,
    /// The backend failed, for lack of randomness or memory.
    #[error("the cryptographic backend failed to seal")]
    Backend,
}

/// A ciphertext that does not open. One variant, no cause: a reason would tell an attacker something.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the ciphertext does not open with this key")]
pub struct OpenError;

/// An AES-256-GCM message that does not open: wrong key, nonce, associated data or ciphertext.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the AES-256-GCM message does not open with this key")]
pub struct AeadError;

/// Why a resource that is sealed with the APIv3 key was not opened.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ResourceError {
    /// `algorithm` is not `AEAD_AES_256_GCM`.
    #[error("the resource is sealed with another algorithm than `AEAD_AES_256_GCM`")]
    UnknownAlgorithm,
    /// `nonce` has another length than AES-256-GCM asks for.
    #[error("the nonce of the resource has {len} bytes, not 12")]
    NonceLength {
        /// Bytes of the nonce.
        len: usize,
    },
    /// `ciphertext` is not standard base64 with padding.
    #[error("the ciphertext of the resource is not base64")]
    NotBase64,
    /// The content does not open: another key, or something was changed on the way.
    #[error("the resource does not open with this APIv3 key")]
    DoesNotOpen,
}

/// A signature that does not verify.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// The backend failed to sign, for lack of randomness or memory.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the cryptographic backend failed to sign")]
pub struct SignError;
