//! RSA keys of both sides. Parsed once; every operation afterwards works on the parsed form.

use std::{fmt, marker::PhantomData};

use base64::{Engine, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use crate::{
    Backend, Ciphertext, KeyError, Plaintext,
    backend::{PrivateOps, PublicOps},
    certificate::{rsa_key_of_spki, spki_of_rsa_key},
    error::{BadSignature, OpenError, SealError, SignError},
    file_kind::{OLD_ENCRYPTION, contains},
    party::{Merchant, Party, Platform},
};

/// The merchant's API private key (`apiclient_key.pem`): signs requests, opens answers.
pub type MerchantKey = PrivateKey<Merchant>;

/// WeChat Pay's public key (`pub_key.pem`, or a platform certificate's): verifies answers, seals request fields.
pub type PlatformKey = PublicKey<Platform>;

/// An RSA private key of side `P`.
///
/// Parsing costs about 0.4 ms, an operation about 0.8 ms (2048 bits, `aws-lc-rs`), so keep it and share it.
pub struct PrivateKey<P> {
    ops: PrivateOps,
    public: PublicKey<P>,
}

impl<P: Party> PrivateKey<P> {
    /// Reads a PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`) key from PEM text.
    ///
    /// # Errors
    ///
    /// [`KeyError`] says whether there was no PEM, another kind of PEM, a passphrase, or no RSA key of 2048 to 8192 bits.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_pem_with(Backend::default(), pem)
    }

    /// The same as [`from_pem`](Self::from_pem) with a chosen backend.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_with(backend: Backend, pem: &str) -> Result<Self, KeyError> {
        if contains(pem.as_bytes(), OLD_ENCRYPTION) {
            return Err(KeyError::OldEncryption);
        }
        if pem.contains("ENCRYPTED PRIVATE KEY") {
            return Err(KeyError::Encrypted);
        }
        let block = pem_block(pem, &["PRIVATE KEY", "RSA PRIVATE KEY"], "PRIVATE KEY")?;
        match block.label.as_str() {
            "RSA PRIVATE KEY" => Self::new(&block.der, |der| PrivateOps::from_pkcs1(backend, der), backend),
            _ => Self::from_pkcs8_der_with(backend, &block.der),
        }
    }

    pub(crate) fn from_pkcs8_der_with(backend: Backend, der: &[u8]) -> Result<Self, KeyError> {
        Self::new(der, |der| PrivateOps::from_pkcs8(backend, der), backend)
    }

    fn new(
        der: &[u8],
        parse: impl FnOnce(&[u8]) -> Result<PrivateOps, KeyError>,
        backend: Backend,
    ) -> Result<Self, KeyError> {
        // Checking a key costs at least the square of its length, so a huge one made on purpose would hang here.
        if der.len() > MAX_PRIVATE_KEY_LEN {
            return Err(KeyError::NotRsa);
        }
        let ops = parse(der)?;
        let public = PublicKey::from_pkcs1_der_with(backend, ops.public_pkcs1())?;
        Ok(Self { ops, public })
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey<P> {
        &self.public
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the backend fails.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        self.ops.sign(message).map(Signature)
    }

    /// Opens a ciphertext that was sealed for this side.
    ///
    /// Open only what came with a verified signature: an oracle that opens anything breaks OAEP's promise.
    ///
    /// # Errors
    ///
    /// [`OpenError`], without a cause: not base64, wrong key, wrong padding, or not UTF-8.
    pub fn open<T: Plaintext>(&self, ciphertext: &Ciphertext<P>) -> Result<T, OpenError> {
        let bytes = ciphertext.to_bytes().ok_or(OpenError)?;
        T::from_opened_bytes(self.ops.open(&bytes)?)
    }
}

impl<P: Party> fmt::Debug for PrivateKey<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of the {}, …)", P::NAME)
    }
}

/// An RSA public key of side `P`.
pub struct PublicKey<P> {
    ops: PublicOps,
    pkcs1: Box<[u8]>,
    party: PhantomData<P>,
}

impl<P: Party> PublicKey<P> {
    /// Reads a `PUBLIC KEY` (SubjectPublicKeyInfo) or `RSA PUBLIC KEY` (PKCS#1) from PEM text.
    ///
    /// # Errors
    ///
    /// [`KeyError`] says what was found instead.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_pem_with(Backend::default(), pem)
    }

    /// The same as [`from_pem`](Self::from_pem) with a chosen backend.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_with(backend: Backend, pem: &str) -> Result<Self, KeyError> {
        let block = pem_block(pem, &["PUBLIC KEY", "RSA PUBLIC KEY"], "PUBLIC KEY")?;
        match block.label.as_str() {
            "RSA PUBLIC KEY" => Self::from_pkcs1_der_with(backend, &block.der),
            _ => Self::from_spki_der_with(backend, &block.der),
        }
    }

    pub(crate) fn from_spki_der_with(backend: Backend, spki: &[u8]) -> Result<Self, KeyError> {
        Self::from_pkcs1_der_with(backend, &rsa_key_of_spki(spki)?)
    }

    fn from_pkcs1_der_with(backend: Backend, pkcs1: &[u8]) -> Result<Self, KeyError> {
        let ops = PublicOps::from_pkcs1(backend, pkcs1)?;
        let bits = ops.modulus_len() * 8;
        if !(2048..=8192).contains(&bits) {
            return Err(KeyError::Size { bits });
        }
        Ok(Self {
            ops,
            pkcs1: pkcs1.into(),
            party: PhantomData,
        })
    }

    /// The most bytes of plaintext that one ciphertext holds: 214 for 2048 bits.
    #[must_use]
    pub fn seal_limit(&self) -> usize {
        self.ops.modulus_len() - OAEP_SHA1_OVERHEAD
    }

    /// The key in PKCS#1 DER, the form inside a certificate's SubjectPublicKeyInfo.
    #[must_use]
    pub fn pkcs1_der(&self) -> &[u8] {
        &self.pkcs1
    }

    /// The key as a PEM block `PUBLIC KEY` (SubjectPublicKeyInfo), as `pub_key.pem` holds it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new("PUBLIC KEY", spki_of_rsa_key(&self.pkcs1)), config)
    }

    /// Verifies a signature, RSASSA-PKCS1-v1_5 with SHA-256.
    ///
    /// # Errors
    ///
    /// [`BadSignature`] when it does not belong to the message and this key.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        self.ops.verify(message, &signature.0)
    }

    /// Seals a plaintext for this side, RSAES-OAEP with SHA-1 twice and an empty label.
    ///
    /// # Errors
    ///
    /// [`SealError::TooLong`] above [`seal_limit`](Self::seal_limit), [`SealError::Empty`] for an empty text.
    pub fn seal<T: Plaintext + ?Sized>(&self, plaintext: &T) -> Result<Ciphertext<P>, SealError> {
        let bytes = plaintext.expose().as_bytes();
        if bytes.is_empty() {
            return Err(SealError::Empty);
        }
        if bytes.len() > self.seal_limit() {
            return Err(SealError::TooLong {
                len: bytes.len(),
                limit: self.seal_limit(),
            });
        }
        self.ops
            .seal(bytes)
            .map(|sealed| Ciphertext::from_sealed(&sealed))
    }
}

impl<P> PartialEq for PublicKey<P> {
    fn eq(&self, other: &Self) -> bool {
        self.pkcs1 == other.pkcs1
    }
}

impl<P> Eq for PublicKey<P> {}

impl<P> Clone for PublicKey<P> {
    fn clone(&self) -> Self {
        Self {
            ops: self.ops.clone(),
            pkcs1: self.pkcs1.clone(),
            party: PhantomData,
        }
    }
}

impl<P: Party> fmt::Debug for PublicKey<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PublicKey(of the {}, {} bits)",
            P::NAME,
            self.ops.modulus_len() * 8
        )
    }
}

/// An RSA signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature(Vec<u8>);

impl Signature {
    /// Takes a signature that was made elsewhere, in a hardware module or a key service.
    ///
    /// Any bytes are taken; wrong ones do not verify.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Reads standard base64.
    ///
    /// # Errors
    ///
    /// [`BadSignature`] when it is not base64: a failed verification, never a crash.
    pub fn from_base64(text: &str) -> Result<Self, BadSignature> {
        BASE64_STANDARD.decode(text).map(Self).map_err(|_| BadSignature)
    }

    /// Standard base64 without line breaks, as it goes into a header.
    #[must_use]
    pub fn to_base64(&self) -> String {
        BASE64_STANDARD.encode(&self.0)
    }

    /// The raw bytes, as long as the modulus.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The DER of one PEM block and its label.
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// The first block with one of the wanted labels; text around it, such as `Bag Attributes`, is skipped.
pub(crate) fn pem_block(text: &str, wanted: &[&str], expected: &'static str) -> Result<Block, KeyError> {
    if !text.contains("-----BEGIN ") {
        return Err(KeyError::NotPem { expected });
    }
    let blocks = pem::parse_many(text).map_err(|_| KeyError::DamagedPem)?;
    let mut other = None;
    for block in blocks {
        let label = block.tag().to_owned();
        let der = Zeroizing::new(block.into_contents());
        if wanted.contains(&label.as_str()) {
            return Ok(Block { label, der });
        }
        other.get_or_insert(label);
    }
    match other {
        Some(found) => Err(KeyError::WrongLabel { found, expected }),
        None => Err(KeyError::DamagedPem),
    }
}

/// Bytes of DER: a key of 8192 bits has about 4,700.
const MAX_PRIVATE_KEY_LEN: usize = 8 * 1024;

/// Two SHA-1 digests and two bytes (RFC 8017, section 7.1.1).
const OAEP_SHA1_OVERHEAD: usize = 2 * 20 + 2;

#[cfg(feature = "encrypted-keys")]
mod encrypted;
#[cfg(test)]
mod tests;
