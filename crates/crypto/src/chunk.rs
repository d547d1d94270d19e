//! Pieces of a temporary file, sealed with a key that is never written anywhere.
//!
//! For data that must be read more than once and may not lie on a disk in clear. Never use one key for two files: the
//! number of a piece is its nonce.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Backend, error::AeadError};

/// The key of one temporary file: AES-256-GCM with the number of the piece as nonce.
///
/// ```
/// use wxmember_crypto::ChunkKey;
///
/// let key = ChunkKey::new([7; 32]); // 32 random bytes in earnest
/// let sealed = key.seal(0, b"a piece")?;
/// assert_eq!(*key.open(0, &sealed)?, *b"a piece");
/// assert!(key.open(1, &sealed).is_err());
/// # Ok::<(), wxmember_crypto::AeadError>(())
/// ```
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ChunkKey([u8; 32]);

impl ChunkKey {
    /// Bytes that a sealed piece is longer than its content.
    pub const OVERHEAD: usize = 16;

    /// Takes the key: 32 random bytes, for one file only.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Seals the piece with this number; each number once.
    ///
    /// # Errors
    ///
    /// [`AeadError`] when the backend fails.
    pub fn seal(&self, number: u64, piece: &[u8]) -> Result<Vec<u8>, AeadError> {
        Backend::default().aead_seal(&self.0, &nonce(number), b"", piece)
    }

    /// Opens the piece with this number.
    ///
    /// # Errors
    ///
    /// [`AeadError`] when it is another piece, was changed, or belongs to another key.
    pub fn open(&self, number: u64, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AeadError> {
        Backend::default().aead_open(&self.0, &nonce(number), b"", sealed)
    }
}

impl fmt::Debug for ChunkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChunkKey(…)")
    }
}

fn nonce(number: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    nonce
}
