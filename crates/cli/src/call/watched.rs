//! A key that tells what it signs. The message holds ciphertext only: fields are sealed before anything is signed.

use std::{fmt, sync::Arc};

use wxmember::{MerchantKey, PublicKey, Signer, Signing, party};

/// What is told of every message before it is signed.
pub(crate) type Watch = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// Signs as the key does.
pub(crate) struct Watched {
    key: Arc<MerchantKey>,
    watch: Watch,
}

impl Watched {
    /// `watch` is called once for each attempt.
    pub(crate) fn new(key: Arc<MerchantKey>, watch: Watch) -> Self {
        Self { key, watch }
    }
}

impl Signer for Watched {
    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        (self.watch)(message);
        Signer::sign(&*self.key, message)
    }

    fn public_key(&self) -> Option<&PublicKey<party::Merchant>> {
        Some(self.key.public_key())
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched(…)")
    }
}
