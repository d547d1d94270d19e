//! Plaintext of persons and symmetric keys, in types that do not leak.
//!
//! None of them has `Display` or `Serialize`; `Debug` prints a constant; memory is wiped on drop.
//! The one way to the text is [`Plaintext::expose`]: search for it to see every place where plaintext leaves.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    Backend,
    error::{AeadError, KeyError, OpenError},
};

/// A personal value that may be sealed.
///
/// A key service that opens fields elsewhere gets [`Ciphertext::to_bytes`](crate::Ciphertext::to_bytes) and what it
/// opened comes back through [`from_opened_bytes`](Self::from_opened_bytes).
pub trait Plaintext {
    /// Wraps a text that was just opened.
    fn from_opened(text: Zeroizing<String>) -> Self;

    /// Wraps bytes that were just opened.
    ///
    /// # Errors
    ///
    /// [`OpenError`], the same as for a wrong key, when they are not UTF-8.
    fn from_opened_bytes(mut bytes: Zeroizing<Vec<u8>>) -> Result<Self, OpenError>
    where
        Self: Sized,
    {
        match String::from_utf8(std::mem::take(&mut *bytes)) {
            Ok(text) => Ok(Self::from_opened(Zeroizing::new(text))),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(OpenError)
            }
        }
    }

    /// The text itself. Every call is a place where plaintext leaves its protection.
    fn expose(&self) -> &str;
}

macro_rules! plaintext {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Eq, PartialEq, Zeroize, ZeroizeOnDrop)]
        pub struct $name(String);

        impl $name {
            /// Takes the plaintext.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
        }

        impl Plaintext for $name {
            fn from_opened(text: Zeroizing<String>) -> Self {
                Self(text.as_str().to_owned())
            }

            fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

plaintext! {
    /// A member's phone number.
    PhoneNumber
}

plaintext! {
    /// What a member filled in on the form: name, sex, birthday, address, e-mail, city, or a custom choice.
    FormValue
}

/// The APIv3 key (APIv3密钥): 32 ASCII characters, used as the raw bytes of an AES-256-GCM key.
///
/// It opens notifications and downloaded platform certificates.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ApiV3Key([u8; 32]);

impl ApiV3Key {
    /// Takes the 32 characters as the merchant platform shows them.
    ///
    /// # Errors
    ///
    /// [`KeyError::Size`] with the number of bits given, when it is not exactly 32 bytes.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let bytes = text
            .as_bytes()
            .try_into()
            .map_err(|_| KeyError::Size { bits: text.len() * 8 })?;
        Ok(Self(bytes))
    }

    /// Opens a message: `ciphertext` is the encrypted text followed by the 16-byte tag.
    ///
    /// # Errors
    ///
    /// [`AeadError`] whenever anything does not fit, without a cause.
    pub fn open(
        &self,
        nonce: &[u8],
        associated_data: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AeadError> {
        Backend::default().aead_open(&self.0, nonce, associated_data, ciphertext)
    }

    /// Seals a message, as the platform does; the sandbox needs it.
    ///
    /// # Errors
    ///
    /// [`AeadError`] when the nonce does not have 12 bytes.
    pub fn seal(&self, nonce: &[u8], associated_data: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, AeadError> {
        Backend::default().aead_seal(&self.0, nonce, associated_data, plaintext)
    }

    /// The same as [`open`](Self::open) with a chosen backend.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(
        &self,
        backend: Backend,
        nonce: &[u8],
        associated_data: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AeadError> {
        backend.aead_open(&self.0, nonce, associated_data, ciphertext)
    }
}

impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV3Key(…)")
    }
}
