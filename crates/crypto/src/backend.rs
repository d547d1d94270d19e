//! The seam between the protocol and the implementations of RSA and AES-256-GCM.
//!
//! Each backend is a module with the same functions. Which one is used is a value, so that both can run in one
//! process and be compared; a feature adds a backend and never changes what the other one does.

use zeroize::Zeroizing;

use crate::error::{AeadError, BadSignature, KeyError, OpenError, SealError, SignError};

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(feature = "rust-crypto")]
mod rust_crypto;

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
compile_error!("wxmember-crypto needs a backend: enable the feature `aws-lc-rs` or `rust-crypto`");

/// An implementation of the algorithms.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Backend {
    /// AWS-LC through `aws-lc-rs`; the default.
    #[cfg(feature = "aws-lc-rs")]
    AwsLc,
    /// The `rsa` and `aes-gcm` crates, pure Rust. RUSTSEC-2023-0071 applies to private-key operations.
    #[cfg(feature = "rust-crypto")]
    RustCrypto,
}

impl Backend {
    /// Every backend that was compiled in.
    pub const ALL: &[Self] = &[
        #[cfg(feature = "aws-lc-rs")]
        Self::AwsLc,
        #[cfg(feature = "rust-crypto")]
        Self::RustCrypto,
    ];

    /// Gathers the randomness that the first sealing or signing of a process would wait for.
    ///
    /// AWS-LC measures the jitter of the processor, which takes a core some 30 to 60 ms and is nine tenths of what a program
    /// does before its first request; a program that calls this on a thread of its own reads its files meanwhile. It need not
    /// be called. The other backend asks the operating system, which takes no time.
    ///
    /// ```
    /// let gathering = std::thread::spawn(|| wxmember_crypto::Backend::default().gather_randomness());
    /// # gathering.join().unwrap();
    /// ```
    pub fn gather_randomness(self) {
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc => aws_lc::gather_randomness(),
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto => {}
        }
    }

    pub(crate) fn aead_open(
        self,
        key: &[u8; 32],
        nonce: &[u8],
        associated_data: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AeadError> {
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc => aws_lc::aead_open(key, nonce, associated_data, ciphertext),
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto => rust_crypto::aead_open(key, nonce, associated_data, ciphertext),
        }
    }

    pub(crate) fn aead_seal(
        self,
        key: &[u8; 32],
        nonce: &[u8],
        associated_data: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, AeadError> {
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc => aws_lc::aead_seal(key, nonce, associated_data, plaintext),
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto => rust_crypto::aead_seal(key, nonce, associated_data, plaintext),
        }
    }
}

impl Default for Backend {
    fn default() -> Self {
        #[cfg(feature = "aws-lc-rs")]
        let backend = Self::AwsLc;
        #[cfg(not(feature = "aws-lc-rs"))]
        let backend = Self::RustCrypto;
        backend
    }
}

/// Makes a new RSA-2048 private key and returns it as PKCS#8 PEM, wiped when dropped.
///
/// # Errors
///
/// [`KeyError::NotRsa`] when the backend cannot make a key, for lack of randomness.
#[cfg(feature = "generate")]
pub fn generate_rsa_2048_pem() -> Result<Zeroizing<String>, KeyError> {
    let der = match Backend::default() {
        #[cfg(feature = "aws-lc-rs")]
        Backend::AwsLc => aws_lc::generate_pkcs8()?,
        #[cfg(feature = "rust-crypto")]
        Backend::RustCrypto => rust_crypto::generate_pkcs8()?,
    };
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    Ok(Zeroizing::new(pem::encode_config(
        &pem::Pem::new("PRIVATE KEY", &**der),
        config,
    )))
}

/// A parsed private key of some backend.
pub(crate) enum PrivateOps {
    #[cfg(feature = "aws-lc-rs")]
    AwsLc(aws_lc::Private),
    #[cfg(feature = "rust-crypto")]
    RustCrypto(Box<rust_crypto::Private>),
}

impl PrivateOps {
    pub(crate) fn from_pkcs8(backend: Backend, der: &[u8]) -> Result<Self, KeyError> {
        match backend {
            #[cfg(feature = "aws-lc-rs")]
            Backend::AwsLc => aws_lc::Private::from_pkcs8(der).map(Self::AwsLc),
            #[cfg(feature = "rust-crypto")]
            Backend::RustCrypto => {
                rust_crypto::Private::from_pkcs8(der).map(|key| Self::RustCrypto(Box::new(key)))
            }
        }
    }

    pub(crate) fn from_pkcs1(backend: Backend, der: &[u8]) -> Result<Self, KeyError> {
        match backend {
            #[cfg(feature = "aws-lc-rs")]
            Backend::AwsLc => aws_lc::Private::from_pkcs1(der).map(Self::AwsLc),
            #[cfg(feature = "rust-crypto")]
            Backend::RustCrypto => {
                rust_crypto::Private::from_pkcs1(der).map(|key| Self::RustCrypto(Box::new(key)))
            }
        }
    }

    pub(crate) fn public_pkcs1(&self) -> &[u8] {
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc(key) => key.public_pkcs1(),
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto(key) => key.public_pkcs1(),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc(key) => key.sign(message),
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto(key) => key.sign(message),
        }
    }

    pub(crate) fn open(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc(key) => key.open(ciphertext),
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto(key) => key.open(ciphertext),
        }
    }
}

/// A parsed public key of some backend.
#[derive(Clone)]
pub(crate) enum PublicOps {
    #[cfg(feature = "aws-lc-rs")]
    AwsLc(aws_lc::Public),
    #[cfg(feature = "rust-crypto")]
    RustCrypto(rust_crypto::Public),
}

impl PublicOps {
    pub(crate) fn from_pkcs1(backend: Backend, der: &[u8]) -> Result<Self, KeyError> {
        match backend {
            #[cfg(feature = "aws-lc-rs")]
            Backend::AwsLc => aws_lc::Public::from_pkcs1(der).map(Self::AwsLc),
            #[cfg(feature = "rust-crypto")]
            Backend::RustCrypto => rust_crypto::Public::from_pkcs1(der).map(Self::RustCrypto),
        }
    }

    /// Bytes of the modulus.
    pub(crate) fn modulus_len(&self) -> usize {
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc(key) => key.modulus_len(),
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto(key) => key.modulus_len(),
        }
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc(key) => key.verify(message, signature),
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto(key) => key.verify(message, signature),
        }
    }

    pub(crate) fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        match self {
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc(key) => key.seal(plaintext),
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto(key) => key.seal(plaintext),
        }
    }
}
