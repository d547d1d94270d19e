//! What was asked and how it was answered, for tests to look at. Bounded; never a body, a plaintext or a signature.

use std::{collections::VecDeque, sync::Mutex};

use axum::http::header;

use crate::{
    authorization::Authorization,
    fault::Fault,
    gateway::{Head, PLATFORM_SERIAL},
    lock::locked,
    reply::Reply,
};

/// One request and its answer. Texts of the request are cut after 2,048 bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct JournalEntry {
    /// Counts the requests from 1 on.
    pub number: u64,
    /// The operation's id in the API document; `None` when path and method lead nowhere.
    pub operation: Option<String>,
    /// The method.
    pub method: String,
    /// Path and query, as on the wire.
    pub target: String,
    /// The status of the answer; `None` when none was sent.
    pub status: Option<u16>,
    /// `Request-ID` of the answer.
    pub request_id: Option<String>,
    /// `nonce_str` of `Authorization`, where that can be read.
    pub nonce: Option<String>,
    /// `timestamp` of `Authorization`, in Unix seconds, where that can be read.
    pub timestamp: Option<i64>,
    /// `Wechatpay-Serial` of the request.
    pub platform_serial: Option<String>,
    /// The [`Rule::id`](crate::Rule::id) of a refusal.
    pub rule: Option<&'static str>,
    /// The fault that spoilt the answer.
    pub fault: Option<Fault>,
}

/// Why an answer is as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cause {
    pub(crate) rule: Option<&'static str>,
    pub(crate) fault: Option<Fault>,
}

/// The last requests, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    written: u64,
    entries: VecDeque<JournalEntry>,
}

impl Journal {
    pub(crate) fn write(&self, head: &Head, operation: Option<&str>, reply: &Reply, cause: Cause) {
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = text(&header::AUTHORIZATION).and_then(|value| Authorization::parse(value).ok());
        let answer = match reply {
            Reply::Answer(answer) => Some(answer),
            Reply::Closed | Reply::Stalled => None,
        };
        let entry = JournalEntry {
            number: 0,
            operation: operation.map(str::to_owned),
            method: cut(head.method.as_str()),
            target: cut(&head.target),
            status: answer.map(|answer| answer.status.as_u16()),
            request_id: answer.and_then(|answer| answer.request_id()).map(str::to_owned),
            nonce: authorization.map(|authorization| cut(authorization.nonce)),
            timestamp: authorization.map(|authorization| authorization.unix_seconds),
            platform_serial: text(&PLATFORM_SERIAL).map(cut),
            rule: cause.rule,
            fault: cause.fault,
        };
        let mut kept = locked(&self.kept);
        kept.written += 1;
        let number = kept.written;
        if kept.entries.len() == LONGEST {
            kept.entries.pop_front();
        }
        kept.entries.push_back(JournalEntry { number, ..entry });
    }

    pub(crate) fn entries(&self) -> Vec<JournalEntry> {
        locked(&self.kept).entries.iter().cloned().collect()
    }
}

fn cut(text: &str) -> String {
    text.chars()
        .scan(0, |bytes, character| {
            *bytes += character.len_utf8();
            (*bytes <= LONGEST_TEXT).then_some(character)
        })
        .collect()
}

/// How many requests are kept: some MiB at the very most.
const LONGEST: usize = 1024;
const LONGEST_TEXT: usize = 2048;

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Method};

    use super::*;

    #[test]
    fn the_journal_is_bounded_and_keeps_the_newest() {
        let journal = Journal::default();
        let head = Head {
            method: Method::GET,
            target: format!("/{}", "x".repeat(5000)),
            headers: HeaderMap::new(),
        };
        for _ in 0..LONGEST + 3 {
            journal.write(&head, None, &Reply::Closed, Cause::default());
        }
        let entries = journal.entries();
        assert_eq!(entries.len(), LONGEST);
        let last = entries.last().unwrap();
        assert_eq!((last.number, last.target.len()), (1027, LONGEST_TEXT));
        assert_eq!((last.status, last.nonce.as_deref()), (None, None));
    }
}
