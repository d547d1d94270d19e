//! What the engine needs of WeChat Pay, and everything an attempt can come to.
//!
//! The engine decides by these types, never by the text of an error. It knows no HTTP; an implementation signs each
//! attempt anew, waits for the answer no longer than its own time-out, verifies it, and says what is known.

use std::{fmt, future::Future, time::Duration};

use thiserror::Error;
use wxmember_crypto::KeyId;

use crate::{job::Route, member::Member};

/// WeChat Pay, as far as an import is concerned.
pub trait Gateway: Send + Sync + 'static {
    /// Makes ready what sealing needs, such as platform keys that are downloaded. Called before rows are loaded.
    ///
    /// # Errors
    ///
    /// [`Stop`] when no row could be sealed; nothing is loaded then.
    fn prepare(&self) -> impl Future<Output = Result<(), Stop>> + Send {
        std::future::ready(Ok(()))
    }

    /// Seals the personal fields of one member into a request of this route, to be stored and sent later by anybody.
    ///
    /// Called from several threads at once while a source is loaded.
    ///
    /// # Errors
    ///
    /// [`SealRefusal`] names the field that could not be sealed.
    fn seal(&self, route: Route, member: &Member) -> Result<SealedRequest, SealRefusal>;

    /// Sends a stored request of this route once, signed anew, and says what is known afterwards.
    ///
    /// Dropping the future counts as a lost answer.
    fn send(&self, route: Route, request: &SealedRequest) -> impl Future<Output = Answer> + Send;
}

/// A request as it is stored: bytes of the gateway's own, in which every personal field is a ciphertext, and the key it was
/// sealed with.
#[derive(Clone, Eq, PartialEq)]
pub struct SealedRequest {
    body: Vec<u8>,
    platform_key_id: KeyId,
}

impl SealedRequest {
    /// Takes the bytes as the gateway will want them back, and the id of the platform key.
    #[must_use]
    pub fn new(body: Vec<u8>, platform_key_id: KeyId) -> Self {
        Self {
            body,
            platform_key_id,
        }
    }

    /// The bytes as the gateway gave them.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The id of the platform key that every field of this request was sealed with.
    #[must_use]
    pub fn platform_key_id(&self) -> &KeyId {
        &self.platform_key_id
    }
}

impl fmt::Debug for SealedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SealedRequest({} bytes, {})",
            self.body.len(),
            self.platform_key_id
        )
    }
}

/// A member who could not be made into a sealed request. Never holds a value.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("failed to seal `{field}`: {reason}")]
pub struct SealRefusal {
    /// The field, by its name on the wire.
    pub field: String,
    /// Why.
    pub reason: String,
    /// Whether it is the row's fault; otherwise the load cannot go on.
    pub is_row: bool,
}

/// What is known after one attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// A verified success: the platform has this member.
    Imported {
        /// The platform's name for the request.
        request_id: Option<String>,
    },
    /// The platform answered and did not do it. The answer is unsigned, as all errors of the platform are.
    Refused {
        /// The HTTP status, 4xx.
        status: u16,
        /// The platform's `code`.
        code: String,
        /// The platform's `message`. Unstable: for people, and for the table in `outcome`.
        message: String,
        /// The platform's name for the request.
        request_id: Option<String>,
    },
    /// 429: not processed, ask again later.
    RateLimited {
        /// How long to wait, if the platform said so.
        retry_after: Option<Duration>,
    },
    /// Nothing left this host, for example because the connection was refused. Safe to repeat.
    NotSent {
        /// Why, without personal data.
        reason: String,
    },
    /// It may or may not have taken effect: lost answer, failed verification, 5xx, 202.
    Unknown {
        /// Why, without personal data.
        reason: String,
        /// The platform's name for the request, if an answer came.
        request_id: Option<String>,
    },
    /// The same would happen to every row: wrong key, no permission, operation not open, wrong card.
    StopRun(Stop),
}

/// Why a run cannot go on.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{code}: {message}")]
pub struct Stop {
    /// The platform's `code`, or our own in capitals.
    pub code: String,
    /// The platform's message, or our own.
    pub message: String,
    /// What the user can do about it.
    pub hint: Option<Hint>,
}

/// What the user can do about a stop, as a fragment without a period.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Hint {
    /// What comes first; the same command goes on with the job afterwards, and whoever shows this says so.
    First(String),
    /// Everything, with how the job goes on.
    Whole(String),
}

impl Hint {
    /// Returns its own words, without what whoever shows it adds.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::First(text) | Self::Whole(text) => text,
        }
    }
}
