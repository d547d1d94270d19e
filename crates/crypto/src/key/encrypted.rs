//! Private keys under a passphrase: PKCS#8 with the label `ENCRYPTED PRIVATE KEY`.

use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use x509_cert::der::{AnyRef, Decode, Tag, Tagged};

use super::{PrivateKey, pem_block};
use crate::{
    Backend, KeyError,
    file_kind::{OLD_ENCRYPTION, contains},
    party::Party,
    passphrase::{Budget, Passphrase, PassphraseError, decrypt},
};

impl<P: Party> PrivateKey<P> {
    /// Reads an encrypted PKCS#8 key (`ENCRYPTED PRIVATE KEY`) from PEM text.
    ///
    /// PBES2 with PBKDF2 or scrypt, as `openssl pkcs8 -topk8` writes it, and the triple DES and RC2 of
    /// `-v1 PBE-SHA1-…`. The work is bounded: 2,500,000 rounds, and 128 MiB with scrypt.
    ///
    /// # Errors
    ///
    /// [`KeyError::WrongPassphrase`] for a wrong passphrase and most kinds of damage, which this format cannot tell
    /// apart; otherwise what was found instead, or why it cannot be decrypted.
    ///
    /// # Examples
    ///
    /// ```
    /// use wxmember_crypto::{KeyError, MerchantKey, Passphrase};
    ///
    /// let damaged = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    /// let error = MerchantKey::from_encrypted_pem(damaged, &Passphrase::new("secret")).unwrap_err();
    /// assert_eq!(error, KeyError::DamagedEncryption);
    /// ```
    pub fn from_encrypted_pem(pem: &str, passphrase: &Passphrase) -> Result<Self, KeyError> {
        Self::from_encrypted_pem_with(Backend::default(), pem, passphrase)
    }

    /// The same as [`from_encrypted_pem`](Self::from_encrypted_pem) with a chosen backend.
    ///
    /// # Errors
    ///
    /// As [`from_encrypted_pem`](Self::from_encrypted_pem).
    pub fn from_encrypted_pem_with(
        backend: Backend,
        pem: &str,
        passphrase: &Passphrase,
    ) -> Result<Self, KeyError> {
        if contains(pem.as_bytes(), OLD_ENCRYPTION) {
            return Err(KeyError::OldEncryption);
        }
        let block = pem_block(pem, &[LABEL], LABEL)?;
        if block.der.len() > MAX_ENCRYPTED_LEN {
            return Err(KeyError::DamagedEncryption);
        }
        let info = EncryptedPrivateKeyInfo::from_der(&block.der).map_err(|_| KeyError::DamagedEncryption)?;
        let pkcs8 = decrypt(
            &info.encryption_algorithm,
            info.encrypted_data.as_bytes(),
            passphrase,
            &mut Budget::new(),
        )
        .map_err(|error| match error {
            PassphraseError::Malformed => KeyError::DamagedEncryption,
            PassphraseError::Mismatch => KeyError::WrongPassphrase,
            PassphraseError::TooCostly => KeyError::TooCostly,
            PassphraseError::Unsupported { algorithm } => KeyError::UnsupportedEncryption { algorithm },
        })?;
        // One wrong passphrase in 256 leaves good padding; what it decrypts to is no DER.
        if !AnyRef::from_der(&pkcs8).is_ok_and(|any| any.tag() == Tag::Sequence) {
            return Err(KeyError::WrongPassphrase);
        }
        Self::from_pkcs8_der_with(backend, &pkcs8)
    }
}

const LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// Bytes of DER: a key of 8192 bits and its wrapping need about 5,000.
const MAX_ENCRYPTED_LEN: usize = 16 * 1024;

#[cfg(test)]
mod tests;
