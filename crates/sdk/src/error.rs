//! Why a call gave no answer, in terms a program can decide by: `kind`, `delivery`, status and code, never text.
//!
//! Nothing here prints a body, a header or the platform's message: a refusal may echo what was sent.

use std::{fmt, sync::Arc, time::Duration};

use http::HeaderMap;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;
use wxmember_client::{BodyFault, Refusal, raw};
use wxmember_signing::VerifyError;

use crate::{
    ErrorCode, Operation,
    attempt::History,
    pipeline::{AnotherPath, Seen},
    seal::{SealError, SealReason},
};

/// A call that failed.
///
/// ```
/// # async fn demo(client: &wxmember::Client, request: &wxmember::ImportByPhone) {
/// use wxmember::{Delivery, ErrorKind};
/// match client.user_cards().import_by_phone(request).await {
///     Ok(card) => println!("{}", card.user_card_code),
///     Err(error) if error.kind() == ErrorKind::RateLimited => println!("later, slower"),
///     Err(error) if error.is_outcome_unknown() => println!("repeat with the same code: {error}"),
///     Err(error) => println!("refused: {error}"),
/// }
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    operation: &'static str,
    kind: ErrorKind,
    delivery: Delivery,
    status: Option<u16>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    verified: bool,
    clock_offset: Option<i64>,
    history: History,
    problem: Problem,
    source: Option<Source>,
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What happened.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request could not be made: a path parameter is missing or leads elsewhere, or a value is no JSON.
    Request,
    /// No platform key is known, and none could be downloaded; the source says why.
    Keys,
    /// A field could not be sealed.
    Seal,
    /// The request could not be signed or written.
    Sign,
    /// No connection to the platform.
    Connect,
    /// The connection broke or the time was up before an answer was complete.
    Interrupted,
    /// An answer that says success, but does not verify. [`Error::verify_error`] says why.
    Unverified,
    /// A verified answer that could not be read, or that is larger than the limit.
    Undecodable,
    /// 202: accepted, not processed; repeat with the same parameters.
    NotProcessed,
    /// 400: protocol or parameters.
    BadRequest,
    /// 401: signature, certificate or clock. Every further call would fail alike.
    Unauthorized,
    /// 403: no permission, or a rule of the business.
    Forbidden,
    /// 404: no such resource, or no such path for this merchant.
    NotFound,
    /// 429: too many requests; not processed.
    RateLimited,
    /// Another 4xx.
    Refused,
    /// 5xx: the platform failed; it may have acted.
    Platform,
    /// A status that the protocol does not know.
    Unexpected,
}

/// Whether the platform may have acted on the request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Delivery {
    /// It was not sent: safe to repeat.
    NotSent,
    /// It was sent, and nothing believable came back: the outcome is unknown.
    MaybeSent,
    /// The platform, or a gateway before it, answered with an error.
    Answered,
}

/// Where the platform sees the error (`detail` of an error answer), without the value it may echo.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// A JSON Pointer into the body, or the bare name of a path or query parameter.
    #[serde(default, deserialize_with = "readable")]
    pub field: Option<String>,
    /// What is wrong with it. Like the message it may echo what was sent; do not log it.
    #[serde(default, deserialize_with = "readable")]
    pub issue: Option<String>,
    /// `body`, `url` or `query`.
    #[serde(default, deserialize_with = "readable")]
    pub location: Option<String>,
}

/// The issue may echo what was sent, so only the place is shown.
impl fmt::Debug for ErrorDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorDetail")
            .field("field", &self.field)
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

/// The body of an error answer, as far as it can be read.
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default, deserialize_with = "readable")]
    code: Option<ErrorCode>,
    #[serde(default, deserialize_with = "readable")]
    message: Option<String>,
    #[serde(default, deserialize_with = "readable")]
    detail: Option<ErrorDetail>,
}

impl Problem {
    /// Reads what can be read. HTML, empty and truncated bodies are no JSON and hold nothing; in another character set the
    /// message is lost and the code, which is ASCII, is not.
    fn read(body: &[u8]) -> Self {
        serde_json::from_str(&String::from_utf8_lossy(body)).unwrap_or_default()
    }
}

/// A member of another type than documented counts as absent, and does not take the others with it.
fn readable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    // No member is documented as a list, and serde would take one for the fields of an object in their order.
    let value = Value::deserialize(deserializer)?;
    Ok(Some(value)
        .filter(|value| !value.is_array())
        .and_then(|value| serde_json::from_value(value).ok()))
}

impl ErrorKind {
    /// A short name, for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Keys => "keys",
            Self::Seal => "seal",
            Self::Sign => "sign",
            Self::Connect => "connect",
            Self::Interrupted => "interrupted",
            Self::Unverified => "unverified",
            Self::Undecodable => "undecodable",
            Self::NotProcessed => "not_processed",
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::Refused => "refused",
            Self::Platform => "platform",
            Self::Unexpected => "unexpected",
        }
    }
}

impl Error {
    /// What happened.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the platform may have acted on the request, all attempts together.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        match self.0.delivery {
            // Whatever the last attempt came to, an earlier one may have taken effect.
            _ if self.0.history.may_have_acted => Delivery::MaybeSent,
            delivery => delivery,
        }
    }

    /// How many attempts were made; 0 when the call never got so far.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.history.attempts
    }

    /// Whether an attempt before the last one may have taken effect.
    ///
    /// Then a refusal such as "exists already" may speak of this very call.
    #[must_use]
    pub fn may_have_acted_before(&self) -> bool {
        self.0.history.may_have_acted
    }

    /// How far the platform's clock was ahead of ours, in seconds, by the `Date` of its refusal; negative when behind.
    ///
    /// `Date` is not signed: a hint for people, nothing to set a clock by. Signatures are refused from 300 on.
    #[must_use]
    pub fn clock_offset(&self) -> Option<i64> {
        self.0.clock_offset
    }

    /// Whether nobody can say if the platform acted: repeat with identical parameters, and do not count it as failed.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        let half_done = match self.0.kind {
            ErrorKind::Platform | ErrorKind::NotProcessed | ErrorKind::Undecodable => true,
            // A verified success of a status that the document does not promise.
            ErrorKind::Unexpected => self.0.verified,
            _ => false,
        };
        self.delivery() == Delivery::MaybeSent || half_done || self.0.history.may_have_acted
    }

    /// The HTTP status, when there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The platform's code (错误码), such as `PARAM_ERROR`; `None` when the body held none.
    ///
    /// Decide by [`kind`](Self::kind) first: the same code comes with different statuses.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        self.0.problem.code.as_ref()
    }

    /// The platform's message for people (错误描述). It changes; do not decide by it. It may echo what was sent; do not log it.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.problem.message.as_deref()
    }

    /// Where the platform sees the error.
    #[must_use]
    pub fn detail(&self) -> Option<&ErrorDetail> {
        self.0.problem.detail.as_ref()
    }

    /// The `Request-ID`, to quote to WeChat Pay's support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the platform asks to wait: `Retry-After`, in seconds or as a date, which counts from the answer's own `Date`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the answer behind this error carried a signature that verified. Errors of the gateway never do.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.0.verified
    }

    /// Why an answer did not verify, for [`ErrorKind::Unverified`].
    #[must_use]
    pub fn verify_error(&self) -> Option<&VerifyError> {
        self.0.source.as_ref().and_then(|source| source.downcast_ref())
    }

    pub(crate) fn from_raw<E>(operation: &Operation, error: raw::Error<E>) -> Self {
        match Refusal::take(error) {
            Ok(refusal) => Self::from_refusal(operation, refusal),
            Err(error) => Self::from_client(operation, error),
        }
    }

    pub(crate) fn new(operation: &Operation, kind: ErrorKind, delivery: Delivery) -> Self {
        Self(Box::new(Inner {
            operation: operation.id(),
            kind,
            delivery,
            status: None,
            request_id: None,
            retry_after: None,
            verified: false,
            clock_offset: None,
            history: History::default(),
            problem: Problem::default(),
            source: None,
        }))
    }

    /// There is no platform key; `missing` is the download that failed, if one was tried.
    pub(crate) fn no_keys(operation: &Operation, missing: Option<Arc<Self>>) -> Self {
        let error = Self::new(operation, ErrorKind::Keys, Delivery::NotSent);
        match missing {
            Some(missing) => error.caused_by(missing),
            None => error.caused_by(SealReason::NoKey),
        }
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds what the pipeline saw of the exchange, however it ended.
    pub(crate) fn seen(mut self, seen: Seen) -> Self {
        let Seen {
            status,
            request_id,
            retry_after,
            clock_offset,
        } = seen;
        self.0.status = self.0.status.or(status);
        self.0.request_id = self.0.request_id.take().or(request_id);
        self.0.retry_after = retry_after;
        self.0.clock_offset = clock_offset;
        self
    }

    /// Adds what earlier attempts left behind.
    pub(crate) fn after(mut self, history: History) -> Self {
        self.0.history = history;
        self
    }

    fn answered(mut self, status: u16, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        self.0.status = Some(status);
        self.0.request_id = text("request-id").map(|id| id.chars().take(128).collect());
        self
    }

    fn from_refusal(operation: &Operation, refusal: Refusal) -> Self {
        let new = |kind, delivery| Self::new(operation, kind, delivery);
        match refusal {
            Refusal::Sign(unsigned) => {
                let reason = unsigned.into_reason();
                let kind = if reason.is::<AnotherPath>() {
                    ErrorKind::Request
                } else {
                    ErrorKind::Sign
                };
                new(kind, Delivery::NotSent).caused_by(reason)
            }
            Refusal::Status {
                status,
                headers,
                body,
            } => {
                let mut error = new(kind_of(status), Delivery::Answered).answered(status, &headers);
                error.0.problem = Problem::read(&body);
                error
            }
            Refusal::Body {
                status,
                headers,
                fault,
            } => {
                let error = match fault {
                    // The status of a refusal came whole, and it alone decides.
                    _ if !(200..300).contains(&status) => new(kind_of(status), Delivery::Answered),
                    BodyFault::TooLarge { .. } => new(ErrorKind::Undecodable, Delivery::MaybeSent),
                    _ => new(ErrorKind::Interrupted, Delivery::MaybeSent),
                };
                let error = error.answered(status, &headers);
                match fault {
                    BodyFault::Interrupted(source) => error.caused_by(source.without_url()),
                    fault => error.caused_by(fault),
                }
            }
            Refusal::Unverified {
                status,
                headers,
                reason,
            } => new(ErrorKind::Unverified, Delivery::MaybeSent)
                .answered(status, &headers)
                .caused_by(reason),
            Refusal::StreamingBody => new(ErrorKind::Sign, Delivery::NotSent),
            // What this version does not know may have been sent.
            _ => new(ErrorKind::Interrupted, Delivery::MaybeSent),
        }
    }

    fn from_client<E>(operation: &Operation, error: raw::Error<E>) -> Self {
        let new = |kind, delivery| Self::new(operation, kind, delivery);
        match error {
            raw::Error::CommunicationError(source) => {
                let error = match () {
                    () if source.is_connect() => new(ErrorKind::Connect, Delivery::NotSent),
                    () if source.is_builder() => new(ErrorKind::Sign, Delivery::NotSent),
                    () => new(ErrorKind::Interrupted, Delivery::MaybeSent),
                };
                error.caused_by(source.without_url())
            }
            raw::Error::InvalidRequest(what) => new(ErrorKind::Request, Delivery::NotSent).caused_by(what),
            raw::Error::Custom(_) => new(ErrorKind::Sign, Delivery::NotSent),
            // Only verified 2xx answers come as far as the generated code.
            raw::Error::UnexpectedResponse(response) => {
                let status = response.status().as_u16();
                let kind = if status == 202 {
                    ErrorKind::NotProcessed
                } else {
                    ErrorKind::Unexpected
                };
                let mut error = new(kind, Delivery::Answered).answered(status, response.headers());
                error.0.verified = true;
                error
            }
            raw::Error::InvalidResponsePayload(_, source) => {
                let mut error = new(ErrorKind::Undecodable, Delivery::MaybeSent);
                error.0.verified = true;
                // The JSON reader's message may quote the body, so only the place is kept.
                error.caused_by(JsonPlace {
                    line: source.line(),
                    column: source.column(),
                })
            }
            raw::Error::ErrorResponse(response) => {
                let status = response.status().as_u16();
                new(kind_of(status), Delivery::Answered).answered(status, response.headers())
            }
            raw::Error::InvalidUpgrade(source) | raw::Error::ResponseBodyError(source) => {
                new(ErrorKind::Interrupted, Delivery::MaybeSent).caused_by(source.without_url())
            }
        }
    }
}

/// Only the status decides: the same code comes with different statuses on different operations.
fn kind_of(status: u16) -> ErrorKind {
    match status {
        202 => ErrorKind::NotProcessed,
        400 => ErrorKind::BadRequest,
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        402 | 405..=428 | 430..=499 => ErrorKind::Refused,
        500..=599 => ErrorKind::Platform,
        _ => ErrorKind::Unexpected,
    }
}

impl From<SealError> for Error {
    fn from(source: SealError) -> Self {
        Self::new(
            &Operation::new("seal", "", "", 0, true),
            ErrorKind::Seal,
            Delivery::NotSent,
        )
        .caused_by(source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            operation,
            kind,
            status,
            request_id,
            problem,
            clock_offset,
            history,
            ..
        } = &*self.0;
        let what = match kind {
            ErrorKind::Request => "the request could not be made",
            ErrorKind::Keys => "no key of the platform is known",
            ErrorKind::Seal => "the request could not be sealed",
            ErrorKind::Sign => "the request could not be signed",
            ErrorKind::Connect => "no connection to the platform",
            ErrorKind::Interrupted => "the answer did not come whole; the outcome is unknown",
            ErrorKind::Unverified => "the answer does not verify; the outcome is unknown",
            ErrorKind::Undecodable => "the answer cannot be read; the outcome is unknown",
            ErrorKind::NotProcessed => "accepted but not processed; repeat with the same parameters",
            ErrorKind::BadRequest | ErrorKind::Refused => "refused by the platform",
            ErrorKind::Unauthorized => "the platform does not accept the signature",
            ErrorKind::Forbidden => "not permitted by the platform",
            ErrorKind::NotFound => "not found on the platform",
            ErrorKind::RateLimited => "too many requests",
            ErrorKind::Platform => "the platform failed; the outcome is unknown",
            ErrorKind::Unexpected if matches!(status, Some(300..400)) => "a redirect, which is not followed",
            ErrorKind::Unexpected => "an answer that the protocol does not know",
        };
        write!(f, "{operation}: {what}")?;
        let mut separator = " (";
        if let Some(status) = status {
            write!(f, "{separator}{status}")?;
            separator = ", ";
        }
        if let Some(code) = &problem.code {
            // The code is the gateway's own word; anything else stays out of the text.
            let code = code.as_str();
            let word = code.len() <= 64
                && code
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            write!(f, "{separator}{}", if word { code } else { "an odd code" })?;
            separator = ", ";
        }
        if let Some(id) = request_id {
            write!(f, "{separator}request {id}")?;
            separator = ", ";
        }
        if history.attempts > 1 {
            write!(f, "{separator}{} attempts", history.attempts)?;
            separator = ", ";
        }
        if let (Some(offset), ErrorKind::Unauthorized) = (clock_offset, kind)
            && offset.unsigned_abs() >= NOTABLE_OFFSET
        {
            let direction = if *offset < 0 { "ahead" } else { "behind" };
            write!(
                f,
                "{separator}this clock is {} s {direction}",
                offset.unsigned_abs()
            )?;
            separator = ", ";
        }
        if separator == ", " {
            f.write_str(")")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}, {:?}, {self})", self.0.kind, self.0.delivery)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Where a JSON text could not be read.
#[derive(Debug, thiserror::Error)]
#[error("not the expected JSON at line {line}, column {column}")]
struct JsonPlace {
    line: usize,
    column: usize,
}

/// Seconds of difference between the clocks that are worth a word; a request takes some itself.
const NOTABLE_OFFSET: u64 = 60;
