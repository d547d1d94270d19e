//! Answers: signed when the platform has done something, plain when it refuses, spoilt when a fault says so.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use hyper::body::Bytes;
use wxmember_crypto::SignError;

use crate::{
    authorization::SCHEME,
    clock::Clock,
    fault::{Content, Fault},
    platform::KeyPair,
    random::Tokens,
    refusal::{Language, Refusal},
};

mod body;

use self::body::{CutBody, SlowBody};

/// What goes back over the connection.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    /// Nothing: the connection is closed.
    Closed,
    /// Nothing: the connection is reset.
    Reset,
    /// Nothing, for as long as the client waits.
    Stalled,
}

/// One answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    sending: Sending,
}

/// How a body goes out.
#[derive(Clone, Copy, Debug)]
enum Sending {
    /// Half of it is kept back, and the connection closed.
    Cut,
    Slow {
        bytes_per_second: u32,
    },
    Whole,
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
            sending: Sending::Whole,
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
    pub(crate) fn put(&mut self, name: &'static str, value: &str) {
        // Every value is made of ids that were checked to be visible ASCII.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }

    /// Adds what every answer carries.
    pub(crate) fn stamp(&mut self, clock: &Clock, tokens: &Tokens) {
        self.put("request-id", &format!("08{}-0", tokens.token()));
        // A fault may have put a time of its own there.
        if !self.headers.contains_key(header::DATE) {
            self.put("date", &clock.http_date());
        }
    }

    /// The id that the answer was stamped with.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.headers
            .get("request-id")
            .and_then(|value| value.to_str().ok())
    }

    /// The answer as the server sends it.
    pub(crate) fn into_response(self) -> Response<Body> {
        let body = match self.sending {
            Sending::Cut => Body::new(CutBody::new(self.body)),
            Sending::Slow { bytes_per_second } => Body::new(SlowBody::new(self.body, bytes_per_second)),
            Sending::Whole => Body::from(self.body),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// What signs the platform's answers and notifications.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer<'a> {
    pub(crate) pair: &'a KeyPair,
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
        // Whose answer it is has been settled: a body is a body here.
        let content = match body.is_empty() {
            true => Content::None,
            false => Content::Card,
        };
        let fault = fault.filter(|fault| fault.finds_something_in(content));
        let mut answer = Answer::plain(status, content_type, body);
        let mut flaw = Flaw::None;
        match fault {
            Some(Fault::LostAnswer) => return Ok(Reply::Closed),
            Some(Fault::ResetAnswer) => return Ok(Reply::Reset),
            Some(Fault::Stalled) => return Ok(Reply::Stalled),
            Some(Fault::Unsigned) => return Ok(Reply::Answer(answer)),
            Some(Fault::CutBody) => answer.sending = Sending::Cut,
            Some(Fault::HugeAnswer) => {
                let mut body = answer.body.to_vec();
                body.resize(body.len() + HUGE, b' ');
                answer.body = body.into();
            }
            Some(Fault::ShiftedClock { seconds }) => flaw = Flaw::ShiftedClock { seconds },
            Some(Fault::SignatureProbe) => flaw = Flaw::Probe,
            Some(Fault::SignatureProbeNotBase64) => flaw = Flaw::ProbeNotBase64,
            Some(Fault::SlowBody { bytes_per_second }) => answer.sending = Sending::Slow { bytes_per_second },
            Some(Fault::TruncatedJson) => answer.body.truncate(answer.body.len() / 2),
            Some(Fault::UnknownSerial) => flaw = Flaw::UnknownSerial,
            Some(Fault::WrongDocument) => answer.body = Bytes::from_static(WRONG_DOCUMENT),
            Some(Fault::WrongSignature) => flaw = Flaw::WrongSignature,
            _ => {}
        }
        for (name, value) in self.headers(&answer.body, flaw)? {
            if (fault, name) != (Some(Fault::NoNonce), "wechatpay-nonce") {
                answer.put(name, &value);
            }
        }
        Ok(Reply::Answer(answer))
    }

    /// The headers that sign a body, right or with a flaw.
    pub(crate) fn headers(self, body: &[u8], flaw: Flaw) -> Result<[(&'static str, String); 5], SignError> {
        let mut seconds = self.clock.unix_seconds();
        if let Flaw::ShiftedClock { seconds: shift } = flaw {
            seconds = seconds.saturating_add(shift);
        }
        let nonce = self.tokens.token();
        let mut message = format!("{seconds}\n{nonce}\n").into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        if flaw == Flaw::WrongSignature {
            message.push(b'\n');
        }
        let mut signature = self.pair.key.sign(&message)?.to_base64();
        match flaw {
            // The prefix has 19 characters, so what follows keeps its place in its group of four.
            Flaw::Probe => signature.replace_range(..PROBE.len(), PROBE),
            Flaw::ProbeNotBase64 => {
                signature.replace_range(..PROBE.len(), PROBE);
                signature.truncate(signature.len() - 3);
            }
            _ => {}
        }
        let key_id = match flaw {
            Flaw::UnknownSerial => NOBODYS_KEY_ID,
            _ => self.pair.id.as_str(),
        };
        Ok([
            ("wechatpay-timestamp", seconds.to_string()),
            ("wechatpay-nonce", nonce),
            ("wechatpay-serial", key_id.to_owned()),
            ("wechatpay-signature", signature),
            ("wechatpay-signature-type", SCHEME.to_owned()),
        ])
    }
}

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flaw {
    None,
    Probe,
    ProbeNotBase64,
    ShiftedClock { seconds: i64 },
    UnknownSerial,
    WrongSignature,
}

/// 2 MiB.
pub(crate) const HUGE: usize = 2 << 20;

pub(crate) const JSON: &str = "application/json; charset=utf-8";
/// Numbers and lists where every document of the API has texts and objects.
const WRONG_DOCUMENT: &[u8] = br#"{"brand_id":[1004],"card_id":4,"data":"none","token":{}}"#;
const PROBE: &str = "WECHATPAY/SIGNTEST/";
const NOBODYS_KEY_ID: &str = "7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A";
