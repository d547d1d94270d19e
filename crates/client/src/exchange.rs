//! What a client needs from outside to exchange one request for one answer, and how an exchange can fail.
//!
//! progenitor's `exec` returns `reqwest::Result`, which has no room for a typed failure. A [`Refusal`] therefore
//! travels in the extensions of a response with a status that no server sends; the generated code hands such a
//! response on untouched, and [`Refusal::take`] gets it out again.

use std::{fmt::Debug, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use thiserror::Error;
use wxmember_crypto::KeyId;
use wxmember_signing::{Authorization, Request, SignatureHeaders, Verified, VerifyError};

use crate::raw;

/// What a step of a [`Pipeline`] is working on.
pub type Step<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Signs what leaves and verifies what comes. A client cannot be made without one.
pub trait Pipeline: Debug + Send + Sync {
    /// The `Authorization` of one attempt: called again for each, with a new time and nonce.
    ///
    /// # Errors
    ///
    /// [`Unsigned`] when there is no signature, for example because a key service does not answer.
    fn authorize<'a>(&'a self, request: Request<'a>) -> Step<'a, Result<Authorization, Unsigned>>;

    /// Verifies an answer with a 2xx status over its raw body.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] says why nobody should believe this answer.
    fn verify<'a>(
        &'a self,
        headers: SignatureHeaders<'a>,
        body: &'a [u8],
    ) -> Step<'a, Result<Verified, VerifyError>>;

    /// Is told the head of each answer, before its body is read.
    fn note(&self, status: u16, headers: &HeaderMap);

    /// The platform key that answers should be signed with, for requests that seal nothing; `None` before any is known.
    ///
    /// WeChat Pay signs its answer in the mode that the request's `Wechatpay-Serial` names.
    fn answer_key(&self) -> Option<KeyId>;

    /// How long this attempt may take, from the first byte sent to the last byte read.
    fn timeout(&self) -> Duration;

    /// The value of `User-Agent`; the gateway refuses requests without one.
    fn user_agent(&self) -> &str;

    /// The most bytes of an answer's body that are read.
    fn body_limit(&self) -> usize;
}

/// Why an exchange gave no answer that can be believed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The request could not be signed; nothing was sent.
    Sign(Unsigned),
    /// The request has a body that is not in memory, so that nobody could sign it; nothing was sent.
    StreamingBody,
    /// A status other than 2xx. Not verified: errors of the gateway carry no signature.
    Status {
        /// The status.
        status: u16,
        /// The headers.
        headers: HeaderMap,
        /// The body, of any kind.
        body: Bytes,
    },
    /// The body could not be read to its end; the platform may have acted.
    Body {
        /// The status.
        status: u16,
        /// The headers.
        headers: HeaderMap,
        /// What went wrong.
        fault: BodyFault,
    },
    /// A 2xx answer that does not verify; the platform may have acted.
    Unverified {
        /// The status.
        status: u16,
        /// The headers.
        headers: HeaderMap,
        /// Why it does not verify.
        reason: VerifyError,
    },
}

/// A request that has no signature; nothing was sent.
#[derive(Debug, Error)]
#[error("the request could not be signed")]
pub struct Unsigned(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Unsigned {
    /// Takes the reason, whose text must hold neither a key nor the message.
    pub fn new(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }

    /// The reason.
    #[must_use]
    pub fn into_reason(self) -> Box<dyn std::error::Error + Send + Sync> {
        self.0
    }
}

/// Why a body could not be read to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BodyFault {
    /// The connection ended before the body did.
    #[error("the connection ended before the answer did")]
    Interrupted(#[source] reqwest::Error),
    /// The body is larger than the pipeline's limit.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

impl Refusal {
    /// Wraps a refusal for the way through the generated code.
    pub(crate) fn into_response(self) -> reqwest::Response {
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = carrier_status();
        response.extensions_mut().insert(Carrier(Arc::new(self)));
        response.into()
    }

    /// Gets the refusal out of an error of the generated code; gives the error back when there is none.
    ///
    /// # Errors
    ///
    /// The error itself, when it is of another origin.
    pub fn take<E>(error: raw::Error<E>) -> Result<Self, raw::Error<E>> {
        let raw::Error::UnexpectedResponse(mut response) = error else {
            return Err(error);
        };
        match Self::carried_by(&mut response) {
            Some(refusal) => Ok(refusal),
            None => Err(raw::Error::UnexpectedResponse(response)),
        }
    }

    pub(crate) fn carried_by(response: &mut reqwest::Response) -> Option<Self> {
        let carrier = response.extensions_mut().remove::<Carrier>()?;
        Arc::into_inner(carrier.0)
    }
}

/// Extensions must be `Clone`; nobody clones a response, so the `Arc` has one owner.
#[derive(Clone)]
struct Carrier(Arc<Refusal>);

/// 999 is no status of HTTP, and outside every range that the generated code looks for.
fn carrier_status() -> http::StatusCode {
    http::StatusCode::from_u16(999).unwrap_or(http::StatusCode::CONTINUE)
}
