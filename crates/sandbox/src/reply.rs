//! Answers: signed when the platform has done something, plain when it refuses, spoilt when a fault says so.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use hyper::body::{Bytes, Frame, SizeHint};
use wxmember_crypto::{KeyId, PrivateKey, SignError, party::Platform};

use crate::{
    authorization::SCHEME,
    clock::Clock,
    fault::Fault,
    random::Tokens,
    refusal::{Language, Refusal},
};

/// What goes back over the connection.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    /// Nothing: the connection is closed.
    Closed,
}

/// One answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether half of the body is kept back and the connection closed.
    cut: bool,
}

impl Answer {
    /// An answer without a signature.
    pub(crate) fn plain(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Self {
            status,
            headers,
            body: body.into(),
            cut: false,
        }
    }

    /// A refusal in the platform's shape.
    pub(crate) fn refusal(refusal: &Refusal, language: Language) -> Self {
        let status = StatusCode::from_u16(refusal.rule.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match refusal.body(language) {
            Some(body) => Self::plain(status, JSON, body.to_string()),
            None => Self::plain(status, "", Bytes::new()),
        }
    }

    /// Puts a header whose value is ours.
    fn put(&mut self, name: &'static str, value: &str) {
        // Every value is made of ids that were checked to be visible ASCII.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }

    /// Adds what every answer carries.
    pub(crate) fn stamp(&mut self, clock: &Clock, tokens: &Tokens) {
        self.put("request-id", &format!("08{}-0", tokens.token()));
        self.put("date", &clock.http_date());
    }

    /// The answer as the server sends it.
    pub(crate) fn into_response(self) -> Response<Body> {
        let body = if self.cut {
            Body::new(CutBody::new(self.body))
        } else {
            Body::from(self.body)
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// What signs the platform's answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer<'a> {
    pub(crate) key: &'a PrivateKey<Platform>,
    pub(crate) key_id: &'a KeyId,
    pub(crate) clock: &'a Clock,
    pub(crate) tokens: &'a Tokens,
}

impl Signer<'_> {
    /// Signs a body, and spoils the answer as the fault says.
    pub(crate) fn reply(
        self,
        status: StatusCode,
        body: Bytes,
        fault: Option<Fault>,
    ) -> Result<Reply, SignError> {
        let content_type = if body.is_empty() { "" } else { JSON };
        let mut answer = Answer::plain(status, content_type, body);
        let mut seconds = self.clock.unix_seconds();
        let mut key_id = self.key_id.as_str();
        match fault {
            Some(Fault::LostAnswer) => return Ok(Reply::Closed),
            Some(Fault::Unsigned) => return Ok(Reply::Answer(answer)),
            Some(Fault::CutBody) => answer.cut = true,
            Some(Fault::ShiftedClock { seconds: shift }) => seconds = seconds.saturating_add(shift),
            Some(Fault::TruncatedJson) => answer.body.truncate(answer.body.len() / 2),
            Some(Fault::UnknownSerial) => key_id = NOBODYS_KEY_ID,
            _ => {}
        }
        let nonce = self.tokens.token();
        let mut message = format!("{seconds}\n{nonce}\n").into_bytes();
        message.extend_from_slice(&answer.body);
        message.push(b'\n');
        if fault == Some(Fault::WrongSignature) {
            message.push(b'\n');
        }
        let mut signature = self.key.sign(&message)?.to_base64();
        match fault {
            // The prefix has 19 characters, so what follows keeps its place in its group of four.
            Some(Fault::SignatureProbe) => signature.replace_range(..PROBE.len(), PROBE),
            Some(Fault::SignatureProbeNotBase64) => {
                signature.replace_range(..PROBE.len(), PROBE);
                signature.truncate(signature.len() - 3);
            }
            _ => {}
        }
        answer.put("wechatpay-timestamp", &seconds.to_string());
        answer.put("wechatpay-nonce", &nonce);
        answer.put("wechatpay-serial", key_id);
        answer.put("wechatpay-signature", &signature);
        answer.put("wechatpay-signature-type", SCHEME);
        Ok(Reply::Answer(answer))
    }
}

/// A body that promises its whole length, gives half and fails.
#[derive(Debug)]
struct CutBody {
    promised: u64,
    half: Option<Bytes>,
    paused: bool,
}

impl CutBody {
    fn new(mut body: Bytes) -> Self {
        let promised = u64::try_from(body.len()).unwrap_or(u64::MAX);
        body.truncate(body.len() / 2);
        Self {
            promised,
            half: Some(body),
            paused: false,
        }
    }
}

impl hyper::body::Body for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !self.paused {
            // The server sends what it has while a body has nothing to give.
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let cut = io::Error::new(io::ErrorKind::ConnectionAborted, "the fault `CutBody`");
        Poll::Ready(Some(Err(cut)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

const JSON: &str = "application/json; charset=utf-8";
const PROBE: &str = "WECHATPAY/SIGNTEST/";
const NOBODYS_KEY_ID: &str = "PUB_KEY_ID_0100000000000000000000000000";
