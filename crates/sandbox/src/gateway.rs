//! The platform's side of one request, in the order of the gateway's checks.
//!
//! Knows no sockets: what was received goes in, what is to be sent comes out. Must never panic on outside input.

use std::{
    collections::BTreeMap,
    str,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use serde_json::Value;
use wxmember_crypto::{Certificate, KeyId, Signature, party::Merchant};

use crate::{
    authorization::Authorization,
    body,
    clock::Clock,
    fault::{Content, Fault, Faults},
    journal::{Journal, Kept},
    lock::locked,
    member::Card,
    nonce::{Nonces, WINDOW_SECONDS},
    operations::{Call, LIST_CERTIFICATES, Outcome, Play, Scene, Start, State, play_of},
    outbox::Outbox,
    platform::{Chosen, unix_seconds},
    policy::Policies,
    quota::Buckets,
    random::Tokens,
    refusal::{Language, Location, Refusal},
    registry::{Caller, Registry},
    reply::{Answer, Reply, Signer},
    rule::{self, Rule},
    spec::{Operation, Route, Spec},
};

mod faults;
mod given;

pub(crate) use self::{faults::NegativeTest, given::Given};

/// Everything that an answer depends on.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) spec: Spec,
    pub(crate) registry: Registry,
    pub(crate) clock: Clock,
    pub(crate) tokens: Tokens,
    pub(crate) policies: Mutex<Policies>,
    /// Where notifications go, whatever a template says.
    pub(crate) notify_url: Option<String>,
    pub(crate) buckets: Option<Buckets>,
    pub(crate) faults: Faults,
    pub(crate) negative_test: NegativeTest,
    pub(crate) journal: Journal,
    pub(crate) outbox: Outbox,
    pub(crate) start: Start,
    pub(crate) state: Mutex<State>,
    pub(crate) nonces: Mutex<Nonces>,
    pub(crate) given: Mutex<Given>,
    pub(crate) requests: AtomicU64,
    pub(crate) certificate_downloads: AtomicU64,
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

    fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }
}

/// Why an answer is as it is.
struct Cause {
    refusal: Option<Refusal>,
    fault: Option<Fault>,
}

/// Who called, once it is proved.
struct Authenticated<'a> {
    caller: &'a Caller,
    certificate: &'a Certificate<Merchant>,
}

impl Gateway {
    /// Lets something happen that the platform does of its own accord, or that people do on their phones.
    pub(crate) fn on_scene<T>(
        &self,
        happens: impl FnOnce(&mut Scene<'_>) -> Result<T, Refusal>,
    ) -> Result<T, &'static Rule> {
        let caller = self.registry.first_caller().ok_or(&rule::MERCHANT_UNKNOWN)?;
        let result = happens(&mut Scene {
            caller,
            registry: &self.registry,
            clock: &self.clock,
            tokens: &self.tokens,
            policies: self.policies(),
            state: &mut locked(&self.state),
        });
        result.map_err(|refusal| refusal.rule)
    }

    /// What happens now where the protocol is silent.
    pub(crate) fn policies(&self) -> Policies {
        *locked(&self.policies)
    }

    /// Forgets what it was told, what was asked and which faults wait. Keys, clock, quota and policies stay as they are.
    pub(crate) fn reset(&self) {
        *locked(&self.state) = State::new(&self.start, &self.clock);
        *locked(&self.nonces) = Nonces::default();
        *locked(&self.given) = Given::default();
        self.faults.clear();
        self.journal.clear();
        self.outbox.clear();
        self.requests.store(0, Ordering::Relaxed);
        self.certificate_downloads.store(0, Ordering::Relaxed);
    }

    /// What can be said before the body is there; `None` lets the request go on.
    pub(crate) fn greet(&self, head: &Head) -> Option<Reply> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let (operation, _) = match self.operation(head) {
            Ok(found) => found,
            Err(refusal) => return Some(self.refuse(head, None, &refusal)),
        };
        if operation.id == LIST_CERTIFICATES {
            self.certificate_downloads.fetch_add(1, Ordering::Relaxed);
        }
        let fault = match self.asked_for(head) {
            Ok(Some(fault)) => (!fault.commits()).then_some(fault),
            Ok(None) => {
                self.faults
                    .take_before_checks(&operation.id, operation.content(), self.clock.elapsed())
            }
            Err(refusal) => return Some(self.refuse(head, None, &refusal)),
        };
        if let Some(fault) = fault {
            return Some(self.fail(head, fault));
        }
        let is_given = |name: &HeaderName| head.headers.get(name).is_some_and(|value| !value.is_empty());
        if !is_given(&header::USER_AGENT) || !is_given(&header::ACCEPT) {
            return Some(self.refuse(head, None, &(&rule::CLIENT_HEADERS).into()));
        }
        None
    }

    /// Answers a request whose body is there.
    pub(crate) fn answer(&self, head: &Head, body: &[u8]) -> Reply {
        match self.process(head, body) {
            Ok((reply, fault)) => {
                let cause = Cause { refusal: None, fault };
                self.finished(head, Some(body), reply, cause)
            }
            Err(refusal) => self.refuse(head, Some(body), &refusal),
        }
    }

    /// A refusal as it is sent; the body is what came of it, if it was read.
    pub(crate) fn refuse(&self, head: &Head, body: Option<&[u8]>, refusal: &Refusal) -> Reply {
        let language = Language::of_request(&head.headers);
        let mut answer = Answer::refusal(refusal, language);
        if refusal.rule.status == StatusCode::METHOD_NOT_ALLOWED {
            // HTTP wants it of every 405 (RFC 9110, section 15.5.6).
            answer.put("allow", &self.spec.methods(head.path()));
        }
        let reply = Reply::Answer(answer);
        let cause = Cause {
            refusal: Some(refusal.clone()),
            fault: None,
        };
        self.finished(head, body, reply, cause)
    }

    /// What a path and a method lead to, and how that is played.
    fn operation(&self, head: &Head) -> Result<(&Operation, Play), Refusal> {
        match self.spec.route(&head.method, head.path()) {
            Route::Operation(operation) => match play_of(&operation.id) {
                Some(play) => Ok((operation, play)),
                None => Err((&rule::UNKNOWN_PATH).into()),
            },
            Route::UnknownPath => Err((&rule::UNKNOWN_PATH).into()),
            Route::WrongMethod => Err((&rule::WRONG_METHOD).into()),
        }
    }

    fn process(&self, head: &Head, body: &[u8]) -> Result<(Reply, Option<Fault>), Refusal> {
        let (operation, play) = self.operation(head)?;
        let Authenticated { caller, certificate } = self.authenticate(head, body)?;
        if self
            .buckets
            .as_ref()
            .is_some_and(|buckets| !buckets.take(&caller.mchid, &operation.id))
        {
            return Err((&rule::RATE_LIMITED).into());
        }
        let keys = self.keys(head, operation)?;
        let call = call_of(head, body, operation, &keys, certificate)?;
        let outcome = play(
            call,
            &mut Scene {
                caller,
                registry: &self.registry,
                clock: &self.clock,
                tokens: &self.tokens,
                policies: self.policies(),
                state: &mut locked(&self.state),
            },
        )?;
        let (status, document) = match outcome {
            Outcome::Document(card) => {
                let document = card.filled(|value| {
                    let sealed = certificate.public_key().seal(value);
                    sealed.map(|sealed| sealed.as_str().to_owned())
                });
                let document = document.map_err(|_| &rule::SYSTEM_ERROR)?;
                (StatusCode::OK, Some(document))
            }
            Outcome::Nothing => (StatusCode::NO_CONTENT, None),
        };
        let content = match document {
            Some(_) => operation.content(),
            None => Content::None,
        };
        let fault = match self.asked_for(head)? {
            Some(fault) => fault.spoils(content).then_some(fault),
            None => self
                .faults
                .take_after_commit(&operation.id, content, self.clock.elapsed()),
        };
        let pair = match fault {
            Some(Fault::RotatedKey) => &self.rotated(&keys.signs)?,
            _ => &keys.signs,
        };
        let signer = Signer {
            pair,
            clock: &self.clock,
            tokens: &self.tokens,
        };
        let body = self.body_of(document, &caller.mchid, operation, fault);
        let reply = signer.reply(status, body, fault);
        Ok((reply.map_err(|_| &rule::SYSTEM_ERROR)?, fault))
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
        let validity = unix_seconds(certificate.not_before())..=unix_seconds(certificate.not_after());
        if !validity.contains(&now) {
            return Err((&rule::MERCHANT_EXPIRED).into());
        }
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

    /// The keys of the mode that the request names.
    fn keys(&self, head: &Head, operation: &Operation) -> Result<Chosen, Refusal> {
        let now = self.clock.unix_seconds();
        let platform = &self.registry.platform;
        let chosen = match head.headers.get(PLATFORM_SERIAL) {
            None if operation.needs_platform_serial => return Err((&rule::PLATFORM_SERIAL_MISSING).into()),
            None => platform.choose(None, now),
            Some(value) => {
                let id = value.to_str().ok().map(KeyId::new);
                let chosen = id.and_then(|id| platform.choose(Some(&id), now));
                // Or else a merchant whose certificate was retired could never get the new one.
                chosen.or_else(|| {
                    let is_download = operation.id == LIST_CERTIFICATES;
                    is_download.then(|| platform.choose(None, now)).flatten()
                })
            }
        };
        chosen.ok_or_else(|| (&rule::PLATFORM_SERIAL_UNKNOWN).into())
    }

    /// Stamps a reply and writes it into the journal.
    fn finished(&self, head: &Head, body: Option<&[u8]>, mut reply: Reply, cause: Cause) -> Reply {
        if let Reply::Answer(answer) = &mut reply {
            answer.stamp(&self.clock, &self.tokens);
        }
        let operation = self
            .operation(head)
            .ok()
            .map(|(operation, _)| operation.id.as_str());
        let kept = Kept::new(head, body, cause.refusal, self.clock.unix_seconds());
        self.journal.write(head, operation, &reply, cause.fault, kept);
        reply
    }
}

/// Reads a request and opens what is sealed in it.
fn call_of(
    head: &Head,
    body: &[u8],
    operation: &Operation,
    keys: &Chosen,
    certificate: &Certificate<Merchant>,
) -> Result<Call, Refusal> {
    let key = &keys.opens.key;
    let longest = key.public_key().seal_limit();
    let longest = longest.min(certificate.public_key().seal_limit());
    if operation.request.is_some() {
        check_content_type(head)?;
    }
    let mut parameters = operation.values(head.path(), head.query())?;
    let document = match &operation.request {
        Some(expected) => Some((body::parse(body, expected)?, expected)),
        None if body.is_empty() => None,
        None => return Err((&rule::BODY_UNEXPECTED).into()),
    };
    let mut personal = BTreeMap::new();
    for name in operation.parameters.sealed() {
        if let Some(sealed) = parameters.remove(name) {
            let value = body::open_one(sealed, key, longest, Location::Query, name)?;
            personal.insert(name.to_owned(), value);
        }
    }
    let body = match document {
        Some((document, expected)) => body::open(document, expected, key, longest)?,
        None => Card {
            document: Value::Null,
            personal: BTreeMap::new(),
        },
    };
    Ok(Call {
        parameters,
        personal,
        body,
    })
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

pub(crate) const PLATFORM_SERIAL: HeaderName = HeaderName::from_static("wechatpay-serial");

#[cfg(test)]
pub(crate) mod tests;
