//! The platform's side of one request, in the order of the gateway's checks.
//!
//! Knows no sockets: what was received goes in, what is to be sent comes out. Must never panic on outside input.

use std::{
    str,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use hyper::body::Bytes;
use serde_json::Value;
use wxmember_crypto::{Certificate, KeyId, Signature, party::Merchant};

use crate::{
    authorization::Authorization,
    body,
    clock::Clock,
    fault::{Fault, Faults},
    import_by_phone,
    lock::locked,
    member::{Card, Members},
    nonce::{Nonces, WINDOW_SECONDS},
    policy::Policies,
    quota::Buckets,
    random::Tokens,
    refusal::{Language, Refusal},
    registry::{Caller, Registry},
    reply::{Answer, Reply, Signer},
    rule,
    spec::{Operation, Route, Spec},
};

/// Everything that an answer depends on.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) spec: Spec,
    pub(crate) registry: Registry,
    pub(crate) clock: Clock,
    pub(crate) tokens: Tokens,
    pub(crate) policies: Policies,
    pub(crate) buckets: Option<Buckets>,
    pub(crate) faults: Faults,
    pub(crate) members: Mutex<Members>,
    pub(crate) nonces: Mutex<Nonces>,
    pub(crate) requests: AtomicU64,
}

/// The head of a request.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    /// Path and query, as on the wire.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
}

impl Head {
    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&*self.target, |(path, _)| path)
    }
}

/// The operations that the sandbox plays; others of the document are unknown paths to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Play {
    ImportByPhone,
}

impl Play {
    fn of(operation: &Operation) -> Option<Self> {
        match operation.id.as_str() {
            "import_by_phone" => Some(Self::ImportByPhone),
            _ => None,
        }
    }
}

/// Who called, once it is proved.
struct Authenticated<'a> {
    caller: &'a Caller,
    certificate: &'a Certificate<Merchant>,
}

impl Gateway {
    /// What can be said before the body is there; `None` lets the request go on.
    pub(crate) fn greet(&self, head: &Head) -> Option<Reply> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let before = |refusal: Refusal| Some(self.refuse(head, &refusal));
        match self.spec.route(&head.method, head.path()) {
            Route::UnknownPath => return before((&rule::UNKNOWN_PATH).into()),
            Route::WrongMethod => return before((&rule::WRONG_METHOD).into()),
            Route::Operation(operation) if Play::of(operation).is_none() => {
                return before((&rule::UNKNOWN_PATH).into());
            }
            Route::Operation(_) => {}
        }
        if let Some(fault) = self.faults.take_before_checks() {
            return Some(self.fail(head, fault));
        }
        let is_given = |name: &HeaderName| head.headers.get(name).is_some_and(|value| !value.is_empty());
        if !is_given(&header::USER_AGENT) || !is_given(&header::ACCEPT) {
            return before((&rule::CLIENT_HEADERS).into());
        }
        None
    }

    /// Answers a request whose body is there.
    pub(crate) fn answer(&self, head: &Head, body: &[u8]) -> Reply {
        match self.process(head, body) {
            Ok(reply) => reply,
            Err(refusal) => self.refuse(head, &refusal),
        }
    }

    /// A refusal as it is sent.
    pub(crate) fn refuse(&self, head: &Head, refusal: &Refusal) -> Reply {
        let language = Language::of_request(&head.headers);
        self.stamped(Reply::Answer(Answer::refusal(refusal, language)))
    }

    fn process(&self, head: &Head, body: &[u8]) -> Result<Reply, Refusal> {
        let Route::Operation(operation) = self.spec.route(&head.method, head.path()) else {
            return Err((&rule::UNKNOWN_PATH).into());
        };
        let Authenticated { caller, certificate } = self.authenticate(head, body)?;
        if self
            .buckets
            .as_ref()
            .is_some_and(|buckets| !buckets.take(&caller.mchid, &operation.id))
        {
            return Err((&rule::RATE_LIMITED).into());
        }
        let signer = self.signer(head, operation)?;
        let opened = match &operation.request {
            Some(expected) => {
                check_content_type(head)?;
                let longest = signer.key.public_key().seal_limit();
                let longest = longest.min(certificate.public_key().seal_limit());
                body::open(body::parse(body, expected)?, expected, signer.key, longest)?
            }
            None => Card {
                document: Value::Null,
                personal: Default::default(),
            },
        };
        let card = self.perform(operation, opened, caller)?;
        let document = card.filled(|value| {
            let sealed = certificate.public_key().seal(value);
            sealed.map(|sealed| sealed.as_str().to_owned())
        });
        let document = document.map_err(|_| &rule::SYSTEM_ERROR)?;
        let fault = self.faults.take_after_commit();
        let reply = signer.reply(StatusCode::OK, document.to_string().into(), fault);
        Ok(self.stamped(reply.map_err(|_| &rule::SYSTEM_ERROR)?))
    }

    /// Does what the operation is for. A new operation of the document gets its arm here.
    fn perform(&self, operation: &Operation, opened: Card, caller: &Caller) -> Result<Card, Refusal> {
        match Play::of(operation) {
            Some(Play::ImportByPhone) => {
                let mut members = locked(&self.members);
                let member =
                    import_by_phone::member_of(opened, caller, &self.registry, &members, &self.clock)?;
                let member = members.import(member, self.policies)?;
                Ok(member.card.clone())
            }
            None => Err((&rule::UNKNOWN_PATH).into()),
        }
    }

    fn authenticate(&self, head: &Head, body: &[u8]) -> Result<Authenticated<'_>, Refusal> {
        let value = head
            .headers
            .get(header::AUTHORIZATION)
            .ok_or(&rule::AUTHORIZATION_MISSING)?;
        let value = value.to_str().map_err(|_| &rule::AUTHORIZATION_MALFORMED)?;
        let authorization = Authorization::parse(value)?;
        let caller = self
            .registry
            .caller(authorization.mchid)
            .ok_or(&rule::MERCHANT_UNKNOWN)?;
        let certificate = caller
            .certificate(&KeyId::new(authorization.serial))
            .ok_or(&rule::MERCHANT_SERIAL)?;
        let now = self.clock.unix_seconds();
        if authorization.unix_seconds.saturating_sub(now).saturating_abs() > WINDOW_SECONDS {
            return Err((&rule::CLOCK_WINDOW).into());
        }
        let signature = Signature::from_base64(authorization.signature).map_err(|_| &rule::SIGNATURE)?;
        let Authorization { timestamp, nonce, .. } = authorization;
        let mut message = format!("{}\n{}\n{timestamp}\n{nonce}\n", head.method, head.target).into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        let verified = certificate.public_key().verify(&message, &signature);
        verified.map_err(|_| &rule::SIGNATURE)?;
        let is_new = locked(&self.nonces).note(&caller.mchid, nonce, authorization.unix_seconds, now);
        if !is_new {
            return Err((&rule::NONCE_REPLAYED).into());
        }
        Ok(Authenticated { caller, certificate })
    }

    /// The key that the request names; it opens the fields and signs the answer.
    fn signer(&self, head: &Head, operation: &Operation) -> Result<Signer<'_>, Refusal> {
        let (key_id, key) = match head.headers.get(PLATFORM_SERIAL) {
            None if operation.needs_platform_serial => return Err((&rule::PLATFORM_SERIAL_MISSING).into()),
            None => self.registry.some_platform_key(),
            Some(value) => {
                let id = value.to_str().ok().map(KeyId::new);
                id.and_then(|id| self.registry.platform_key(&id))
            }
        }
        .ok_or(&rule::PLATFORM_SERIAL_UNKNOWN)?;
        Ok(Signer {
            key,
            key_id,
            clock: &self.clock,
            tokens: &self.tokens,
        })
    }

    /// An answer of the kind that comes before every check.
    fn fail(&self, head: &Head, fault: Fault) -> Reply {
        let plain = |status, content_type, body| {
            self.stamped(Reply::Answer(Answer::plain(status, content_type, body)))
        };
        match fault {
            Fault::Accepted => {
                let key = self.registry.some_platform_key();
                let reply = key.and_then(|(key_id, key)| {
                    let signer = Signer {
                        key,
                        key_id,
                        clock: &self.clock,
                        tokens: &self.tokens,
                    };
                    signer.reply(StatusCode::ACCEPTED, Bytes::new(), None).ok()
                });
                reply.map_or(Reply::Closed, |reply| self.stamped(reply))
            }
            Fault::BadGateway => plain(StatusCode::BAD_GATEWAY, "text/html", HTML_502),
            Fault::EmptyNotFound => plain(StatusCode::NOT_FOUND, "", ""),
            Fault::RateLimited => self.refuse(head, &(&rule::RATE_LIMITED).into()),
            Fault::SystemError => self.refuse(head, &(&rule::SYSTEM_ERROR).into()),
            _ => Reply::Closed,
        }
    }

    fn stamped(&self, mut reply: Reply) -> Reply {
        if let Reply::Answer(answer) = &mut reply {
            answer.stamp(&self.clock, &self.tokens);
        }
        reply
    }
}

/// JSON in UTF-8, whatever else the header says.
fn check_content_type(head: &Head) -> Result<(), Refusal> {
    let value = head.header(&header::CONTENT_TYPE).unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf_8 = parts
        .filter_map(|parameter| parameter.split_once('='))
        .all(|(name, value)| {
            !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        });
    if is_json && is_utf_8 {
        Ok(())
    } else {
        Err((&rule::CONTENT_TYPE).into())
    }
}

const PLATFORM_SERIAL: HeaderName = HeaderName::from_static("wechatpay-serial");

const HTML_502: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";

#[cfg(test)]
mod tests;
