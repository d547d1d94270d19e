//! The random string of a request. The randomness comes from the caller.

use std::fmt::{self, Write};

use thiserror::Error;

/// A nonce (请求随机串): 1 to 32 characters of `[0-9A-Za-z]`.
///
/// Make a new one for every attempt, retries included: whether WeChat Pay refuses a repeated nonce is not documented.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Nonce(String);

impl Nonce {
    /// Writes 16 random bytes as 32 hexadecimal digits.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        let mut text = String::with_capacity(32);
        for byte in bytes {
            let _ = write!(text, "{byte:02X}");
        }
        Self(text)
    }

    /// Takes a nonce made elsewhere.
    ///
    /// # Errors
    ///
    /// [`InvalidNonce`] unless it has 1 to 32 characters of `[0-9A-Za-z]`.
    pub fn parse(text: &str) -> Result<Self, InvalidNonce> {
        let fits = matches!(text.len(), 1..=32) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidNonce)
        }
    }

    /// The text of the nonce.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that cannot be a nonce.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a nonce has 1 to 32 characters of `[0-9A-Za-z]`")]
pub struct InvalidNonce;
