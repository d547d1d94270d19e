//! What can go wrong here. Flat enums with typed payload; no text of a key or of a person in any of them.

use thiserror::Error;

#[cfg(feature = "encrypted-keys")]
use crate::KeyFileKind;

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
    /// The private key is in OpenSSL's old encrypted form, whose derivation is one round of MD5; it is not read.
    #[error(
        "the private key is in OpenSSL's old encrypted form (`Proc-Type: 4,ENCRYPTED`); convert it with `openssl pkcs8 -topk8 -in FILE -out FILE2`"
    )]
    OldEncryption,
    /// The passphrase is wrong. Encrypted PKCS#8 carries no check of its own, so damage looks the same.
    #[error("the passphrase is wrong, or the file is damaged")]
    WrongPassphrase,
    /// The private key is encrypted in a way that is not read.
    #[error(
        "the private key is encrypted with the algorithm {algorithm}, which is not read; convert it with `openssl pkcs8 -topk8 -in FILE -out FILE2`"
    )]
    UnsupportedEncryption {
        /// The object identifier, in dotted decimals.
        algorithm: String,
    },
    /// The file asks for more work to try a passphrase than is accepted; with OpenSSL's defaults none does.
    #[error(
        "trying a passphrase on this file takes too much work; accepted are 2500000 rounds, and 128 MiB with scrypt"
    )]
    TooCostly,
    /// The DER around an encrypted key is unreadable.
    #[error("the encrypted private key is damaged")]
    DamagedEncryption,
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

/// Why a PKCS#12 file could not be read.
#[cfg(feature = "encrypted-keys")]
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Pkcs12Error {
    /// It is something else, for example `apiclient_key.pem`.
    #[error("expected a PKCS#12 file, as `apiclient_cert.p12` is; found {found}")]
    NotPkcs12 {
        /// What was found.
        found: KeyFileKind,
    },
    /// It is written with indefinite lengths (BER), as some browsers export it.
    #[error(
        "the PKCS#12 file is not in DER; write it anew with `openssl pkcs12 -in FILE -out FILE.pem` and `openssl pkcs12 -export -in FILE.pem -out FILE2`"
    )]
    IndefiniteLength,
    /// It is larger than any that holds one key.
    #[error("the PKCS#12 file is larger than {limit} bytes")]
    TooLarge {
        /// The most bytes that are read.
        limit: usize,
    },
    /// It is protected in a way that is not read.
    #[error("the PKCS#12 file uses the algorithm {algorithm}, which is not read")]
    Unsupported {
        /// The object identifier, in dotted decimals.
        algorithm: String,
    },
    /// It asks for more work to try a passphrase than is accepted; with OpenSSL's defaults none does.
    #[error(
        "trying a passphrase on this PKCS#12 file takes too much work; accepted are 2500000 rounds, and 128 MiB with scrypt"
    )]
    TooCostly,
    /// The passphrase is wrong, or the content was changed: one code guards both.
    #[error(
        "the passphrase is wrong, or the file is damaged; WeChat Pay's `apiclient_cert.p12` has the merchant id as its passphrase"
    )]
    WrongPassphrase,
    /// The structure is unreadable, whatever the passphrase.
    #[error("the PKCS#12 file is damaged")]
    Damaged,
    /// There is no private key in it.
    #[error("the PKCS#12 file holds no private key")]
    NoKey,
    /// There are several private keys in it, and nothing says which one is meant.
    #[error("the PKCS#12 file holds several private keys")]
    SeveralKeys,
    /// There is no certificate in it that belongs to the key.
    #[error("the PKCS#12 file holds no certificate that belongs to its key")]
    NoCertificate,
    /// The private key is unusable.
    #[error("the private key in the PKCS#12 file is unusable: {0}")]
    Key(KeyError),
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
