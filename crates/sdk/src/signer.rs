//! Keys that need not be in this process: a hardware module or a key service can sign and open.
//!
//! Both are traits over bytes; what is signed and what is opened is decided elsewhere, by the pipeline.

use std::{fmt::Debug, pin::Pin};

use wxmember_crypto::{
    FormValue, MerchantCiphertext, MerchantKey, OpenError, PublicKey, Signature, party::Merchant,
};

/// A signature that is being made.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Signature, SignerError>> + Send + 'a>>;

/// Makes the merchant's signatures. A [`MerchantKey`] is one; implement it for a hardware module or a key service.
///
/// `examples/remote_signer.rs` signs in another process.
///
/// ```
/// use wxmember::{MerchantKey, Signer, Signing};
///
/// /// Counts what it signs.
/// #[derive(Debug)]
/// struct Counting(MerchantKey, std::sync::atomic::AtomicU64);
///
/// impl Signer for Counting {
///     fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
///         self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
///         Signer::sign(&self.0, message)
///     }
/// }
/// ```
pub trait Signer: Debug + Send + Sync {
    /// Signs a message with RSASSA-PKCS1-v1_5 and SHA-256 under the key of the merchant's API certificate.
    ///
    /// It is called once for each attempt, on the runtime's threads: do not block them.
    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a>;

    /// The public half, when it is known: then a platform key that is the merchant's own by mistake is found early.
    fn public_key(&self) -> Option<&PublicKey<Merchant>> {
        None
    }
}

/// Opens the personal fields of answers and notifications. A [`MerchantKey`] is one.
pub trait Opener: Debug + Send + Sync {
    /// Opens RSAES-OAEP with SHA-1 twice; `ciphertext.to_bytes()` has the raw bytes.
    ///
    /// It is called on the thread that asks for the field. One that asks another machine blocks that thread, so open
    /// its fields with `tokio::task::spawn_blocking`.
    ///
    /// # Errors
    ///
    /// [`OpenError`], without a cause, whatever went wrong: a reason would tell an attacker something.
    fn open(&self, ciphertext: &MerchantCiphertext) -> Result<FormValue, OpenError>;
}

impl Signer for MerchantKey {
    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        let signature = Self::sign(self, message).map_err(SignerError::new);
        Box::pin(std::future::ready(signature))
    }

    fn public_key(&self) -> Option<&PublicKey<Merchant>> {
        Some(Self::public_key(self))
    }
}

impl Opener for MerchantKey {
    fn open(&self, ciphertext: &MerchantCiphertext) -> Result<FormValue, OpenError> {
        Self::open(self, ciphertext)
    }
}

/// A signer that gave no signature; the request was not sent.
#[derive(Debug, thiserror::Error)]
#[error("the signer gave no signature")]
pub struct SignerError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl SignerError {
    /// Takes the reason. Its text reaches error messages, so it must hold no key and no message.
    pub fn new(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }
}
