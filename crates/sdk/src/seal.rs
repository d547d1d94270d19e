//! Between plain and sealed: requests are sealed whole, answers opened field by field when somebody asks.
//!
//! A sealed request carries the id of the key it was sealed with; the two cannot part, so ciphertext and
//! `Wechatpay-Serial` always agree. Sealing twice does not compile: what is sealed has another type.

use std::{
    fmt::{self, Write},
    marker::PhantomData,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use thiserror::Error;
use wxmember_crypto::{KeyId, MerchantCiphertext, OpenError, Plaintext, PlatformCiphertext, PlatformKey};

use crate::{Merchant, PlaintextError};

/// A plain request that can be sealed. Implemented by generated types.
pub trait Seal {
    /// The type of the wire.
    #[doc(hidden)]
    type Raw: Clone + Serialize + DeserializeOwned;

    /// Seals every personal field with one key.
    #[doc(hidden)]
    fn seal_with(&self, sealer: &Sealer<'_>, path: &Path<'_>) -> Result<Self::Raw, SealError>;
}

/// A plain view of an answer. Implemented by generated types.
pub trait Unseal {
    /// The type of the wire.
    #[doc(hidden)]
    type Raw;

    /// Takes an answer apart; nothing is opened yet.
    #[doc(hidden)]
    fn from_raw(raw: Self::Raw, opener: &FieldOpener) -> Self;
}

/// An answer without a body (204).
impl Unseal for () {
    type Raw = ();

    fn from_raw(raw: (), _: &FieldOpener) -> Self {
        raw
    }
}

/// A request whose personal fields are sealed: safe to store, ready to send, any number of times.
///
/// Serialises to JSON with the id of the key, and reads back only if every encrypted field is a ciphertext.
///
/// ```no_run
/// # async fn demo(client: wxmember::Client, member: wxmember::ImportByPhone) -> Result<(), Box<dyn std::error::Error>> {
/// use wxmember::{ImportByPhone, Sealed};
///
/// let stored = serde_json::to_string(&client.seal(&member)?)?;
/// let sealed: Sealed<ImportByPhone> = serde_json::from_str(&stored)?;
/// client.user_cards().import_by_phone_sealed(&sealed).await?;
/// # Ok(()) }
/// ```
///
/// What is sealed cannot be sealed again:
///
/// ```compile_fail,E0277
/// # fn demo(client: &wxmember::Client, sealed: &wxmember::Sealed<wxmember::ImportByPhone>) {
/// let twice = client.seal(sealed);
/// # }
/// ```
pub struct Sealed<T: Seal> {
    raw: T::Raw,
    key_id: KeyId,
}

impl<T: Seal> Sealed<T> {
    pub(crate) fn new(request: &T, key: Option<(KeyId, PlatformKey)>) -> Result<Self, SealError> {
        let (key_id, key) = key.ok_or_else(SealError::no_key)?;
        let raw = request.seal_with(&Sealer { key: &key }, &Path::ROOT)?;
        Ok(Self { raw, key_id })
    }

    /// The platform key that the fields were sealed with; sent as `Wechatpay-Serial`.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    pub(crate) fn raw(&self) -> &T::Raw {
        &self.raw
    }
}

impl<T: Seal> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self {
            raw: self.raw.clone(),
            key_id: self.key_id.clone(),
        }
    }
}

impl<T: Seal> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(with {})", self.key_id)
    }
}

impl<T: Seal> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored {
            platform_key_id: self.key_id.as_str().into(),
            request: &self.raw,
        }
        .serialize(serializer)
    }
}

impl<'de, T: Seal> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::<T::Raw>::deserialize(deserializer)?;
        Ok(Self {
            raw: stored.request,
            key_id: KeyId::new(&stored.platform_key_id),
        })
    }
}

#[derive(Deserialize, Serialize)]
struct Stored<R> {
    platform_key_id: Box<str>,
    request: R,
}

/// Seals fields with one key.
#[doc(hidden)]
#[derive(Debug)]
pub struct Sealer<'a> {
    pub(crate) key: &'a PlatformKey,
}

impl Sealer<'_> {
    /// Seals one field; `path` names it in errors.
    #[doc(hidden)]
    pub fn seal<T: Plaintext>(
        &self,
        plaintext: &T,
        path: &Path<'_>,
    ) -> Result<PlatformCiphertext, SealError> {
        self.seal_at(plaintext, || path.to_string())
    }

    /// The same for a field whose place is known as a text.
    pub(crate) fn seal_at<T: Plaintext>(
        &self,
        plaintext: &T,
        field: impl Fn() -> String,
    ) -> Result<PlatformCiphertext, SealError> {
        let refuse = |reason| SealError {
            field: field(),
            reason,
        };
        // The basic rules of the API; whether they bind encrypted text is not documented, so be strict.
        if plaintext.expose().chars().any(|c| c.len_utf8() == 4) {
            return Err(refuse(SealReason::FourByteCharacter));
        }
        self.key
            .seal(plaintext)
            .map_err(|error| refuse(SealReason::Crypto(error)))
    }
}

/// Where a field stands in a request; built without allocating, written as a JSON Pointer.
#[doc(hidden)]
#[derive(Debug)]
pub struct Path<'a> {
    parent: Option<&'a Self>,
    segment: Segment,
}

#[derive(Debug)]
enum Segment {
    Root,
    Field(&'static str),
    Item(usize),
}

impl<'a> Path<'a> {
    const ROOT: Self = Self {
        parent: None,
        segment: Segment::Root,
    };

    /// A member of an object.
    #[doc(hidden)]
    #[must_use]
    pub fn field(&'a self, name: &'static str) -> Self {
        Self {
            parent: Some(self),
            segment: Segment::Field(name),
        }
    }

    /// An element of a list.
    #[doc(hidden)]
    #[must_use]
    pub fn item(&'a self, index: usize) -> Self {
        Self {
            parent: Some(self),
            segment: Segment::Item(index),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.segment {
            Segment::Root => Ok(()),
            Segment::Field(name) => {
                f.write_char('/')?;
                f.write_str(name)
            }
            Segment::Item(index) => write!(f, "/{index}"),
        }
    }
}

/// A field that was not sealed; the request was not sent.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("failed to seal {}", if field.is_empty() { "the request".to_owned() } else { format!("`{field}`") })]
pub struct SealError {
    field: String,
    #[source]
    reason: SealReason,
}

impl SealError {
    pub(crate) fn no_key() -> Self {
        Self {
            field: String::new(),
            reason: SealReason::NoKey,
        }
    }

    pub(crate) fn no_text(place: &str) -> Self {
        Self {
            field: place.to_owned(),
            reason: SealReason::NoText,
        }
    }

    pub(crate) fn not_sealed(place: &str) -> Self {
        Self {
            field: place.to_owned(),
            reason: SealReason::NotSealed,
        }
    }

    /// The field, as a JSON Pointer into the request; empty when it is not about one field.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with its value.
    #[must_use]
    pub fn reason(&self) -> &SealReason {
        &self.reason
    }
}

/// What keeps a value from being sealed.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SealReason {
    /// A character needs four bytes of UTF-8, which the API refuses.
    #[error(
        "a character needs four bytes of UTF-8 (an emoji or a rare Han character), which the API refuses"
    )]
    FourByteCharacter,
    /// No platform key is there that is valid now: call [`Client::refresh_certificates`](crate::Client::refresh_certificates)
    /// first when certificates are downloaded.
    #[error("no platform key is known that is valid now")]
    NoKey,
    /// The text stands where a JSON text must stand, and is none.
    #[error("there is no text at this place")]
    NoText,
    /// The API document seals this field, and a generic call would have sent it in clear.
    #[error("it is personal and not sealed; name it with `seal`, or with `seal_query` in a query")]
    NotSealed,
    /// Too long, empty, or the backend failed.
    #[error(transparent)]
    Crypto(PlaintextError),
}

/// Opens fields with the merchant's keys.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct FieldOpener {
    merchant: Arc<Merchant>,
    plain: Plain,
}

/// What to make of a field that is no ciphertext.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Plain {
    /// A notification may carry fields in clear: its resource was sealed as a whole.
    Accept,
    /// An answer may not.
    Refuse,
}

impl FieldOpener {
    pub(crate) fn new(merchant: Arc<Merchant>, plain: Plain) -> Self {
        Self { merchant, plain }
    }
}

/// A personal field of an answer, sealed until [`open`](Self::open) is called.
///
/// Opening costs one RSA private-key operation (about 0.8 ms), so it is done only when asked for.
///
/// ```
/// # fn demo(card: wxmember::UserCard) -> Result<(), wxmember::OpenError> {
/// use wxmember::Plaintext;
/// if let Some(phone) = &card.phone_number {
///     assert_eq!(phone.open()?.expose().len(), 11);
/// }
/// # Ok(()) }
/// ```
pub struct SealedField<T> {
    ciphertext: MerchantCiphertext,
    opener: FieldOpener,
    plaintext: PhantomData<fn() -> T>,
}

impl<T: Plaintext> SealedField<T> {
    pub(crate) fn new(ciphertext: MerchantCiphertext, opener: &FieldOpener) -> Self {
        Self {
            ciphertext,
            opener: opener.clone(),
            plaintext: PhantomData,
        }
    }

    /// Opens the field. The answer or notification it stands in was verified before.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when it was sealed for another certificate of this merchant, or is no ciphertext.
    pub fn open(&self) -> Result<T, OpenError> {
        let is_sealed = || {
            let bytes = self.ciphertext.to_bytes();
            bytes.is_some_and(|bytes| (256..=1024).contains(&bytes.len()))
        };
        if self.opener.plain == Plain::Accept && !is_sealed() {
            return Ok(T::from_opened(self.ciphertext.as_str().to_owned().into()));
        }
        let opened = self.opener.merchant.open(&self.ciphertext)?;
        Ok(T::from_opened(opened.expose().to_owned().into()))
    }
}

impl<T> Clone for SealedField<T> {
    fn clone(&self) -> Self {
        Self {
            ciphertext: self.ciphertext.clone(),
            opener: self.opener.clone(),
            plaintext: PhantomData,
        }
    }
}

impl<T> fmt::Debug for SealedField<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedField(…)")
    }
}
