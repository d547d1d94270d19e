//! Entrances for the targets in `fuzz/`: what answers a request, and what reads files, without sockets, keys and time. No
//! part of the interface; nothing else may use it.

use std::path::Path;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, uri::PathAndQuery};

use crate::{
    clock::Clock,
    explanation::{Personal, explain},
    fault::{self, FaultRule, FaultsFileError},
    gateway::Head,
    identities::{self, IdentitiesError},
    reply::Reply,
    sandbox::Sandbox,
};

/// An answer, and what the control address tells of it.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Nothing when the connection is closed without an answer.
    pub status: Option<u16>,
    /// As they are sent.
    pub headers: Vec<(String, String)>,
    /// As it is sent.
    pub body: Vec<u8>,
    /// The explanation, personal fields masked.
    pub explanation: String,
    /// The rule of a refusal.
    pub rule: Option<&'static str>,
    /// Whether the request asked for a fault, or one was waiting.
    pub is_faulty: bool,
}

/// Answers a request as the server does once it has read it. `None` for a head that no HTTP library hands on; a header
/// that none hands on is left out.
#[must_use]
pub fn answer(
    sandbox: &Sandbox,
    method: &[u8],
    target: &str,
    headers: &[(String, Vec<u8>)],
    body: &[u8],
) -> Option<Answered> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value),
        ) {
            map.append(name, value);
        }
    }
    let head = Head {
        method: Method::from_bytes(method).ok()?,
        target: target.parse::<PathAndQuery>().ok()?.as_str().to_owned(),
        headers: map,
    };
    let gateway = sandbox.gateway();
    let reply = gateway
        .greet(&head)
        .unwrap_or_else(|| gateway.answer(&head, body));
    let number = sandbox.journal().last()?.number;
    let (entry, kept) = gateway.journal.find(&number.to_string())?;
    let explanation = explain(gateway, &entry, &*kept?, Personal::Masked).to_string();
    let (rule, is_faulty) = (entry.rule, entry.fault.is_some());
    let Reply::Answer(answer) = reply else {
        return Some(Answered {
            status: None,
            headers: Vec::new(),
            body: Vec::new(),
            explanation,
            rule,
            is_faulty,
        });
    };
    let headers = answer.headers.iter();
    let headers = headers
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    Some(Answered {
        status: Some(answer.status.as_u16()),
        headers,
        body: answer.body.to_vec(),
        explanation,
        rule,
        is_faulty,
    })
}

/// Reads an identities file as far as no key is made and no other file is read.
///
/// # Errors
///
/// [`IdentitiesError`], as a start.
pub fn identities(path: &Path, text: &str) -> Result<(), IdentitiesError> {
    identities::look(path, text, &Clock::manual(0))
}

/// Reads a file of faults.
///
/// # Errors
///
/// [`FaultsFileError`], as a start.
pub fn faults(path: &Path) -> Result<Vec<FaultRule>, FaultsFileError> {
    fault::read_file(path)
}
