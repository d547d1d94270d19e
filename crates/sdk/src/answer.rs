//! What a generic call answers: verified bytes, which the caller reads as JSON.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use wxmember_crypto::{FormValue, MerchantCiphertext, OpenError, Plaintext};

use crate::Merchant;

/// The body of a verified answer. Empty for 204.
///
/// Fields that the platform sealed are ciphertexts in it; [`open`](Self::open) opens one.
///
/// ```no_run
/// # async fn demo(client: wxmember::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use wxmember::{PhoneNumber, Plaintext};
///
/// let card = client.chain("v3/brand/partner/card-member/user-cards/478515832665").get().await?;
/// println!("{}", card.value()?["user_card_state"]);
/// let phone: PhoneNumber = card.open("/phone_number")?;
/// assert_eq!(phone.expose().len(), 11);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Answer {
    body: Bytes,
    merchant: Arc<Merchant>,
}

impl Answer {
    pub(crate) fn new(body: Bytes, merchant: Arc<Merchant>) -> Self {
        Self { body, merchant }
    }

    /// The bytes as they came and were verified.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    ///
    /// [`AnswerError::Json`] with the place where it could not be read.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, AnswerError> {
        serde_json::from_slice(&self.body).map_err(|error| AnswerError::Json {
            line: error.line(),
            column: error.column(),
        })
    }

    /// Reads the body as any JSON; an empty body is `null`.
    ///
    /// # Errors
    ///
    /// As [`json`](Self::json).
    pub fn value(&self) -> Result<Value, AnswerError> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        self.json()
    }

    /// Opens the sealed field at a JSON Pointer, such as `/phone_number`.
    ///
    /// # Errors
    ///
    /// [`AnswerError::NoText`] when there is no text, [`AnswerError::Open`] when it does not open.
    pub fn open<T: Plaintext>(&self, pointer: &str) -> Result<T, AnswerError> {
        let value = self.value()?;
        let text = value.pointer(pointer).filter(|text| text.is_string());
        let ciphertext: MerchantCiphertext = text
            .cloned()
            .and_then(|text| serde_json::from_value(text).ok())
            .ok_or_else(|| AnswerError::NoText {
                pointer: pointer.to_owned(),
            })?;
        let opened: FormValue = self.merchant.open(&ciphertext).map_err(AnswerError::Open)?;
        Ok(T::from_opened(opened.expose().to_owned().into()))
    }
}

/// An answer may hold personal data; only its size is shown.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({} bytes)", self.body.len())
    }
}

/// Why a verified answer is not what the caller takes it for.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum AnswerError {
    /// It is not the expected JSON.
    #[error("the answer is not the expected JSON at line {line}, column {column}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// There is no text at the pointer.
    #[error("the answer has no text at `{pointer}`")]
    NoText {
        /// The JSON Pointer.
        pointer: String,
    },
    /// The field does not open.
    #[error("the field does not open")]
    Open(#[source] OpenError),
}
