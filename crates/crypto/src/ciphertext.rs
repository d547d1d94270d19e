//! Ciphertexts that know who may open them.
//!
//! There is no way from text to a ciphertext but `serde`, which reads what was once written by [`seal`] or by the
//! other side: a plaintext sent by mistake does not compile.
//!
//! ```compile_fail
//! let sealed: wxmember_crypto::PlatformCiphertext = "13800138000".into();
//! ```
//!
//! ```compile_fail
//! let sealed = wxmember_crypto::PlatformCiphertext::new("13800138000");
//! ```
//!
//! Nor can a ciphertext be sealed a second time, which is how a request that is sent again gets spoilt elsewhere.
//!
//! ```compile_fail
//! fn again(key: &wxmember_crypto::PlatformKey, sealed: &wxmember_crypto::PlatformCiphertext) {
//!     let twice = key.seal(sealed);
//! }
//! ```
//!
//! [`seal`]: crate::PublicKey::seal

use std::{fmt, marker::PhantomData};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::party::{Merchant, Party, Platform};

/// Sealed for WeChat Pay: what a request carries.
pub type PlatformCiphertext = Ciphertext<Platform>;

/// Sealed for the merchant: what an answer carries.
pub type MerchantCiphertext = Ciphertext<Merchant>;

/// The base64 text of one RSA-OAEP ciphertext, which only `P` can open.
///
/// 344 characters for a 2048-bit key. OAEP is randomised: two ciphertexts of one text differ, so a ciphertext is
/// no identity and must not be compared to find duplicates; hence no `Hash` and no order.
pub struct Ciphertext<P> {
    base64: Box<str>,
    party: PhantomData<P>,
}

impl<P: Party> Ciphertext<P> {
    pub(crate) fn from_sealed(bytes: &[u8]) -> Self {
        Self {
            base64: BASE64_STANDARD.encode(bytes).into_boxed_str(),
            party: PhantomData,
        }
    }

    /// The base64 text, as it goes over the wire. It is not a secret.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.base64
    }

    /// The raw ciphertext, for who opens it elsewhere, or `None` when the text is not standard base64 with padding.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(self.base64.as_bytes()).ok()
    }
}

impl<P> Clone for Ciphertext<P> {
    fn clone(&self) -> Self {
        Self {
            base64: self.base64.clone(),
            party: PhantomData,
        }
    }
}

impl<P> PartialEq for Ciphertext<P> {
    fn eq(&self, other: &Self) -> bool {
        self.base64 == other.base64
    }
}

impl<P> Eq for Ciphertext<P> {}

impl<P: Party> fmt::Debug for Ciphertext<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Ciphertext(for the {}, {} characters)",
            P::NAME,
            self.base64.len()
        )
    }
}

impl<P> Serialize for Ciphertext<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.base64)
    }
}

/// Reads a ciphertext that was written before.
///
/// For the platform's it must be what `seal` writes: strict base64 of 256 to 1024 bytes. A plaintext that slipped
/// into a stored request is refused here. For the merchant's any text is taken, because an answer must not become
/// unreadable for one odd field; it fails when it is opened.
impl<'de, P: Party> Deserialize<'de> for Ciphertext<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let base64 = Box::<str>::deserialize(deserializer)?;
        let ciphertext = Self {
            base64,
            party: PhantomData,
        };
        let must_be_ours = P::NAME == Platform::NAME;
        if must_be_ours
            && !ciphertext
                .to_bytes()
                .is_some_and(|bytes| matches!(bytes.len(), 256..=1024))
        {
            return Err(de::Error::custom("not an RSA-OAEP ciphertext in base64"));
        }
        Ok(ciphertext)
    }
}

impl<P: Party> schemars::JsonSchema for Ciphertext<P> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}Ciphertext", P::NAME).into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": format!("wechatpay-{}-ciphertext", P::NAME),
            "maxLength": 512,
        })
    }
}
