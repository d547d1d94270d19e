//! Hashes for what is kept: the digest of a source file, and keyed hashes of personal values.

use std::fmt::{self, Write};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::secret::Plaintext;

/// A SHA-256 digest or HMAC, shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The raw 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Digests a source as it streams by.
///
/// ```
/// let mut hasher = wxmember_crypto::SourceHasher::new();
/// hasher.update(b"abc");
/// assert!(hasher.finish().to_string().starts_with("ba7816bf"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SourceHasher(Sha256);

impl SourceHasher {
    /// Starts with nothing read.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything taken.
    #[must_use]
    pub fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }
}

/// HMAC-SHA256 over personal values, so that duplicates are found without keeping the values.
///
/// A plain hash of a phone number is no protection: there are only some 10^10 of them. The key is what protects,
/// so it is kept apart from the ledger's copies.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KeyedHash([u8; 32]);

impl KeyedHash {
    /// Takes the key, 32 random bytes.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The keyed hash of a value; `purpose` keeps equal texts of different fields apart.
    #[must_use]
    pub fn of(&self, purpose: &str, value: &impl Plaintext) -> Fingerprint {
        let mut text = String::with_capacity(purpose.len() + 1);
        // The length first, so that no purpose is the beginning of another one's message.
        let _ = write!(text, "{}:{purpose}:", purpose.len());
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(text.as_bytes());
        mac.update(value.expose().as_bytes());
        Fingerprint(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash(…)")
    }
}
