//! What was asked and how it was answered, for tests to look at. Bounded; an entry never shows a body, a plaintext or a
//! signature. The newest requests are kept beside their entries, so that they can be explained.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex},
};

use axum::http::header;
use hyper::body::Bytes;
use tokio::sync::watch;

use crate::{
    authorization::Authorization,
    fault::Fault,
    gateway::{Head, PLATFORM_SERIAL},
    lock::locked,
    refusal::Refusal,
    reply::Reply,
};

/// One request and its answer. Texts of the request are cut after 2,048 bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct JournalEntry {
    /// Counts the requests from 1 on.
    pub number: u64,
    /// The platform's Unix time when it was answered, in seconds.
    pub at: i64,
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

/// What an explanation is made from, beside the entry. Never shown as it is.
#[derive(Clone)]
pub(crate) struct Kept {
    /// Of the headers, those that are checked.
    headers: Vec<(&'static str, String)>,
    body: Option<Bytes>,
    pub(crate) refusal: Option<Refusal>,
    /// The platform's Unix time when it was answered.
    pub(crate) at: i64,
}

impl Kept {
    pub(crate) fn new(head: &Head, body: Option<&[u8]>, refusal: Option<Refusal>, at: i64) -> Self {
        let headers = HEADERS.iter().filter_map(|name| {
            let value = head.headers.get(*name)?.to_str().ok()?;
            Some((*name, cut(value)))
        });
        let body = body.filter(|body| body.len() <= LARGEST_BODY);
        Self {
            headers: headers.collect(),
            body: body.map(Bytes::copy_from_slice),
            refusal,
            at,
        }
    }

    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(own, value)| (*own == name).then_some(value.as_str()))
    }

    /// The body; `None` when it was not read, or was too large to be kept.
    pub(crate) fn whole_body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(…)")
    }
}

/// The last requests, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pages: Mutex<Pages>,
    news: watch::Sender<News>,
}

/// What a reader waits for: that something is written, or everything forgotten.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct News {
    /// The number of the newest request.
    pub(crate) written: u64,
    /// How often everything was forgotten.
    pub(crate) clears: u64,
}

#[derive(Debug, Default)]
struct Pages {
    written: u64,
    entries: VecDeque<JournalEntry>,
    /// Of the newest entries, the last one of the last entry.
    kept: VecDeque<Arc<Kept>>,
    /// Every request of a known operation, by operation and status: as many counters as there can be answers.
    tally: BTreeMap<(String, Option<u16>), u64>,
}

impl Journal {
    pub(crate) fn write(
        &self,
        head: &Head,
        operation: Option<&str>,
        reply: &Reply,
        fault: Option<Fault>,
        kept: Kept,
    ) {
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = text(&header::AUTHORIZATION).and_then(|value| Authorization::parse(value).ok());
        let answer = match reply {
            Reply::Answer(answer) => Some(answer),
            Reply::Closed | Reply::Reset | Reply::Stalled => None,
        };
        let entry = JournalEntry {
            number: 0,
            at: kept.at,
            operation: operation.map(str::to_owned),
            method: cut(head.method.as_str()),
            target: cut(&head.target),
            status: answer.map(|answer| answer.status.as_u16()),
            request_id: answer.and_then(|answer| answer.request_id()).map(str::to_owned),
            nonce: authorization.map(|authorization| cut(authorization.nonce)),
            timestamp: authorization.map(|authorization| authorization.unix_seconds),
            platform_serial: text(&PLATFORM_SERIAL).map(cut),
            rule: kept.refusal.as_ref().map(|refusal| refusal.rule.id),
            fault,
        };
        let mut pages = locked(&self.pages);
        pages.written += 1;
        if let Some(operation) = operation {
            let counter = pages.tally.entry((operation.to_owned(), entry.status));
            *counter.or_default() += 1;
        }
        let number = pages.written;
        if pages.entries.len() == LONGEST {
            pages.entries.pop_front();
        }
        pages.entries.push_back(JournalEntry { number, ..entry });
        if pages.kept.len() == EXPLAINED {
            pages.kept.pop_front();
        }
        pages.kept.push_back(Arc::new(kept));
        self.news.send_modify(|news| news.written = number);
    }

    /// Tells of every change from now on; a reader that is slow sees the last one.
    pub(crate) fn news(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// Of the entries after a number, as many of the oldest; what is no longer kept is passed over.
    pub(crate) fn after(&self, number: u64, limit: usize) -> Vec<JournalEntry> {
        let pages = locked(&self.pages);
        let first = pages.entries.partition_point(|entry| entry.number <= number);
        pages.entries.iter().skip(first).take(limit).cloned().collect()
    }

    pub(crate) fn entries(&self) -> Vec<JournalEntry> {
        locked(&self.pages).entries.iter().cloned().collect()
    }

    /// One request by its `Request-ID` or its number, with what explains it unless it is too long ago.
    pub(crate) fn find(&self, id: &str) -> Option<(JournalEntry, Option<Arc<Kept>>)> {
        let number = id.parse::<u64>().ok();
        let pages = locked(&self.pages);
        let mut newest_first = pages.entries.iter().rev().enumerate();
        let (age, entry) = newest_first
            .find(|(_, entry)| entry.request_id.as_deref() == Some(id) || number == Some(entry.number))?;
        Some((entry.clone(), pages.kept.iter().rev().nth(age).cloned()))
    }

    /// How many requests came for an operation, by the status of their answers; `None` is no answer.
    pub(crate) fn tally(&self, operation: &str) -> BTreeMap<Option<u16>, u64> {
        let pages = locked(&self.pages);
        let of_operation = pages.tally.iter().filter(|((own, _), _)| own == operation);
        of_operation
            .map(|((_, status), count)| (*status, *count))
            .collect()
    }

    /// Forgets every request; numbers go on.
    pub(crate) fn clear(&self) {
        let mut pages = locked(&self.pages);
        pages.entries.clear();
        pages.kept.clear();
        pages.tally.clear();
        self.news.send_modify(|news| news.clears += 1);
    }
}

fn cut(text: &str) -> String {
    if text.len() <= LONGEST_TEXT {
        return text.to_owned();
    }
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
/// How many of them can be explained, and the largest body that is kept for that: 4 MiB of bodies at most.
pub(crate) const EXPLAINED: usize = 256;
const LARGEST_BODY: usize = 16 << 10;
const HEADERS: [&str; 7] = [
    "accept",
    "accept-language",
    "authorization",
    "content-type",
    "host",
    "user-agent",
    "wechatpay-serial",
];

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
            journal.write(&head, None, &Reply::Closed, None, Kept::new(&head, None, None, 0));
        }
        let entries = journal.entries();
        assert_eq!(entries.len(), LONGEST);
        let last = entries.last().unwrap();
        assert_eq!((last.number, last.target.len()), (1027, LONGEST_TEXT));
        assert_eq!((last.status, last.nonce.as_deref()), (None, None));
        let explained = |number: u64| journal.find(&number.to_string()).unwrap().1.is_some();
        assert!(explained(1027) && explained(1028 - EXPLAINED as u64));
        assert!(!explained(1027 - EXPLAINED as u64) && journal.find("3").is_none());
        assert!(journal.find("other").is_none());
    }

    #[test]
    fn a_reader_hears_of_what_is_new_and_passes_over_what_is_gone() {
        let journal = Journal::default();
        let head = Head {
            method: Method::GET,
            target: "/".to_owned(),
            headers: HeaderMap::new(),
        };
        let write = || journal.write(&head, None, &Reply::Closed, None, Kept::new(&head, None, None, 7));
        let mut news = journal.news();
        assert!(!news.has_changed().unwrap());
        write();
        write();
        assert_eq!(news.borrow_and_update().written, 2);
        let numbers = |after, limit| {
            let entries = journal.after(after, limit);
            entries.iter().map(|entry| entry.number).collect::<Vec<_>>()
        };
        assert_eq!(numbers(0, 9), [1, 2]);
        assert_eq!(
            (numbers(0, 1), numbers(1, 9), numbers(2, 9)),
            (vec![1], vec![2], vec![])
        );
        assert_eq!(journal.after(0, 1)[0].at, 7);
        for _ in 0..LONGEST {
            write();
        }
        assert_eq!(numbers(1, 2), [3, 4]);
        journal.clear();
        assert_eq!(news.borrow_and_update().clears, 1);
        write();
        assert_eq!(numbers(0, 9), [LONGEST as u64 + 3]);
    }
}
