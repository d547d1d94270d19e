//! What comes sealed with the APIv3 key: the resource of a notification, and a downloaded platform certificate.
//!
//! Both have the same four members in JSON. Verify the signature over the message that holds the resource before it
//! is opened; the one exception is the first download of certificates, which is verified with what it brings.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use crate::{Backend, error::ResourceError, secret::ApiV3Key};

/// A sealed resource, its members as they stand in the JSON.
///
/// ```
/// use wxmember_crypto::{ApiV3Key, ResourceError, SealedResource};
///
/// let key = ApiV3Key::new("0123456789abcdef0123456789abcdef")?;
/// let resource = SealedResource {
///     algorithm: "AEAD_AES_256_GCM",
///     nonce: "61f9c719728a",
///     associated_data: Some("certificate"),
///     ciphertext: "dGFtcGVyZWQ=",
/// };
/// assert_eq!(key.open_resource(&resource), Err(ResourceError::DoesNotOpen));
/// # Ok::<(), wxmember_crypto::KeyError>(())
/// ```
#[derive(Clone, Copy)]
pub struct SealedResource<'a> {
    /// `algorithm`; only `AEAD_AES_256_GCM` is opened.
    pub algorithm: &'a str,
    /// `nonce`: 12 bytes of UTF-8, used as they are and not decoded.
    pub nonce: &'a str,
    /// `associated_data`, used as UTF-8 bytes; absent is the same as empty.
    pub associated_data: Option<&'a str>,
    /// `ciphertext`: standard base64 with padding of the encrypted text and its 16-byte tag.
    pub ciphertext: &'a str,
}

/// A ciphertext is not secret but of no use to a reader; only its size is shown.
impl fmt::Debug for SealedResource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedResource({} characters)", self.ciphertext.len())
    }
}

impl ApiV3Key {
    /// Opens the resource of a notification (JSON) or a downloaded certificate (PEM).
    ///
    /// # Errors
    ///
    /// [`ResourceError`]: another algorithm, a nonce of another length, no base64, or content that does not open.
    pub fn open_resource(&self, resource: &SealedResource<'_>) -> Result<Zeroizing<Vec<u8>>, ResourceError> {
        self.open_resource_with(Backend::default(), resource)
    }

    /// The same as [`open_resource`](Self::open_resource) with a chosen backend.
    ///
    /// # Errors
    ///
    /// As [`open_resource`](Self::open_resource).
    pub fn open_resource_with(
        &self,
        backend: Backend,
        resource: &SealedResource<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, ResourceError> {
        if resource.algorithm != ALGORITHM {
            return Err(ResourceError::UnknownAlgorithm);
        }
        let len = resource.nonce.len();
        if len != NONCE_LEN {
            return Err(ResourceError::NonceLength { len });
        }
        let ciphertext = BASE64_STANDARD
            .decode(resource.ciphertext)
            .map_err(|_| ResourceError::NotBase64)?;
        let associated_data = resource.associated_data.unwrap_or_default();
        self.open_with(
            backend,
            resource.nonce.as_bytes(),
            associated_data.as_bytes(),
            &ciphertext,
        )
        .map_err(|_| ResourceError::DoesNotOpen)
    }
}

/// The one algorithm that is opened.
const ALGORITHM: &str = "AEAD_AES_256_GCM";

/// Bytes of a nonce of AES-256-GCM.
const NONCE_LEN: usize = 12;

#[cfg(test)]
mod tests;
