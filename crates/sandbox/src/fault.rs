//! Misbehaviour on request: what the platform, or the network before it, does to the next answers.
//!
//! A fault never changes a rule: a request that would be refused is refused, unless the fault comes before every check.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::lock::locked;

mod kinds;
mod rate;

pub use self::rate::{FaultRate, FaultRateError};
pub(crate) use self::kinds::kinds;
pub(crate) use self::rate::{name_of, named, share_of};

/// What goes wrong with an answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// 202 with an empty, signed body: received, not processed. Nothing is stored.
    Accepted,
    /// 502 with a page of HTML, as a proxy before the platform sends. Nothing is stored.
    BadGateway,
    /// 200, processed and stored; the body stops short of its `Content-Length`.
    CutBody,
    /// 500 with an empty body. Nothing is stored.
    EmptyError,
    /// 404 with an empty body. Nothing is stored.
    EmptyNotFound,
    /// 400 whose JSON is in GBK and says so: its message is not UTF-8. Nothing is stored.
    ErrorNotUtf8,
    /// 200, processed and stored; the document is signed rightly and followed by 2 MiB of blanks.
    HugeAnswer,
    /// 500 in the real shape, with a message of 2 MiB. Nothing is stored.
    HugeError,
    /// Processed and stored; the connection is closed without an answer.
    LostAnswer,
    /// The connection is closed without an answer. Nothing is stored.
    LostRequest,
    /// 200, processed and stored; signed rightly, but `Wechatpay-Nonce` is left out.
    NoNonce,
    /// 429 in the real shape, without `Retry-After`. Nothing is stored.
    RateLimited,
    /// 429 in the real shape, with `Retry-After` in seconds. Nothing is stored.
    RateLimitedFor {
        /// The value of `Retry-After`.
        seconds: u32,
    },
    /// 503 in the real shape. Nothing is stored.
    ServiceUnavailable,
    /// 200, processed and stored; signed rightly, but at a time that is off by as many seconds.
    ShiftedClock {
        /// How far the answer's timestamp is ahead; negative is behind.
        seconds: i64,
    },
    /// 200, processed and stored; the signature is a probe, `WECHATPAY/SIGNTEST/…`, in valid base64.
    SignatureProbe,
    /// 200, processed and stored; the signature is a probe that is not base64.
    SignatureProbeNotBase64,
    /// Processed and stored; nothing is sent, and the connection stays open until the client leaves, the sandbox stops,
    /// or 60 seconds have passed.
    Stalled,
    /// 500 in the real shape. Nothing is stored.
    SystemError,
    /// 500 with the first half of an error's JSON. Nothing is stored.
    TruncatedError,
    /// 200, processed and stored; half a JSON document, signed rightly as it is.
    TruncatedJson,
    /// 200, processed and stored; signed rightly, under the id of a key that nobody has.
    UnknownSerial,
    /// 200, processed and stored; none of the signature's headers.
    Unsigned,
    /// 401 `SIGN_ERROR` about the clock, with a `Date` that is off by as many seconds. Nothing is stored.
    ///
    /// It lies about one answer; [`Clock::set_shift`](crate::Clock::set_shift) moves the platform's clock in earnest.
    WrongDate {
        /// How far `Date` is ahead; negative is behind.
        seconds: i64,
    },
    /// 200, processed and stored; well-formed JSON that is not the promised document, signed rightly.
    WrongDocument,
    /// 200, processed and stored; a well-formed signature of something else.
    WrongSignature,
}

impl Fault {
    /// Whether the request takes effect although the answer fails.
    ///
    /// Of these, the ones that spoil a body leave an answer without one, 204, as it is.
    #[must_use]
    pub const fn commits(self) -> bool {
        matches!(
            self,
            Self::CutBody
                | Self::HugeAnswer
                | Self::LostAnswer
                | Self::NoNonce
                | Self::ShiftedClock { .. }
                | Self::SignatureProbe
                | Self::SignatureProbeNotBase64
                | Self::Stalled
                | Self::TruncatedJson
                | Self::UnknownSerial
                | Self::Unsigned
                | Self::WrongDocument
                | Self::WrongSignature
        )
    }

    /// Whether it spoils the body of a good answer. An answer without one, 204, cannot be spoilt that way and is sent
    /// as it is.
    pub(crate) const fn needs_body(self) -> bool {
        matches!(
            self,
            Self::CutBody | Self::HugeAnswer | Self::TruncatedJson | Self::WrongDocument
        )
    }
}

/// A fault that waits.
#[derive(Debug)]
struct Waiting {
    id: u64,
    fault: Fault,
    /// The one operation that it is for; `None` is any.
    operation: Option<String>,
    answers: u64,
}

/// A fault by chance, and how many answers it could have spoilt so far.
#[derive(Debug)]
struct Chance {
    id: u64,
    rate: FaultRate,
    answers: u64,
}

/// A fault as it is listed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Listed {
    pub(crate) id: u64,
    pub(crate) fault: Fault,
    pub(crate) operation: Option<String>,
    pub(crate) when: When,
}

/// Which answers a fault spoils.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum When {
    /// As many of the next ones.
    Next { answers: u64 },
    /// A share of them, in answers a million, chosen by a seed.
    Share { per_million: u32, seed: u64 },
}

/// The faults that wait for their answers, first in, first out, and behind them those by chance.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Mutex<VecDeque<Waiting>>,
    chances: Mutex<Vec<Chance>>,
    ids: AtomicU64,
}

impl Faults {
    /// Adds a fault for as many answers, of one operation or of any, and returns its id.
    pub(crate) fn push(&self, fault: Fault, operation: Option<&str>, answers: u64) -> u64 {
        let id = self.next_id();
        if answers > 0 {
            locked(&self.waiting).push_back(Waiting {
                id,
                fault,
                operation: operation.map(str::to_owned),
                answers,
            });
        }
        id
    }

    /// Adds a fault by chance, and returns its id.
    pub(crate) fn push_rate(&self, rate: FaultRate) -> u64 {
        let id = self.next_id();
        locked(&self.chances).push(Chance { id, rate, answers: 0 });
        id
    }

    fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Every fault that is still there: those that wait, in their order, then those by chance.
    pub(crate) fn list(&self) -> Vec<Listed> {
        let waiting = locked(&self.waiting);
        let waiting = waiting.iter().map(|waiting| Listed {
            id: waiting.id,
            fault: waiting.fault,
            operation: waiting.operation.clone(),
            when: When::Next {
                answers: waiting.answers,
            },
        });
        let mut listed: Vec<_> = waiting.collect();
        let chances = locked(&self.chances);
        listed.extend(chances.iter().map(|chance| Listed {
            id: chance.id,
            fault: chance.rate.fault,
            operation: chance.rate.operation.clone(),
            when: chance.rate.when(),
        }));
        listed
    }

    /// Takes one away; `false` when it is not there, or no longer.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut waiting = locked(&self.waiting);
        let mut chances = locked(&self.chances);
        let before = waiting.len() + chances.len();
        waiting.retain(|waiting| waiting.id != id);
        chances.retain(|chance| chance.id != id);
        waiting.len() + chances.len() < before
    }

    pub(crate) fn clear(&self) {
        locked(&self.waiting).clear();
        locked(&self.chances).clear();
    }

    /// How many answers will still fail.
    pub(crate) fn waiting(&self) -> u64 {
        let waiting = locked(&self.waiting);
        waiting
            .iter()
            .fold(0, |sum, waiting| sum.saturating_add(waiting.answers))
    }

    /// The next fault for an operation, if it is of the kind that comes before every check.
    pub(crate) fn take_before_checks(&self, operation: &str) -> Option<Fault> {
        self.take(operation, |fault| !fault.commits())
    }

    /// The next fault for an operation, if it is of the kind that spoils a good answer.
    pub(crate) fn take_after_commit(&self, operation: &str) -> Option<Fault> {
        self.take(operation, Fault::commits)
    }

    fn take(&self, operation: &str, fits: impl Fn(Fault) -> bool) -> Option<Fault> {
        self.take_waiting(operation, &fits)
            .or_else(|| self.draw(operation, &fits))
    }

    /// Every chance counts the answer, also behind one that has hit, so that none changes what another one does.
    fn draw(&self, operation: &str, fits: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut drawn = None;
        for Chance { rate, answers, .. } in locked(&self.chances).iter_mut() {
            if fits(rate.fault) && rate.operation.as_deref().is_none_or(|only| only == operation) {
                if rate.hits(*answers) {
                    drawn = drawn.or(Some(rate.fault));
                }
                *answers += 1;
            }
        }
        drawn
    }

    fn take_waiting(&self, operation: &str, fits: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut waiting = locked(&self.waiting);
        let is_for = |waiting: &Waiting| waiting.operation.as_deref().is_none_or(|only| only == operation);
        let at = waiting.iter().position(is_for)?;
        let next = waiting.get_mut(at)?;
        let fault = next.fault;
        if !fits(fault) {
            return None;
        }
        next.answers -= 1;
        if next.answers == 0 {
            waiting.remove(at);
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_used_up_in_order() {
        let faults = Faults::default();
        faults.push(Fault::BadGateway, None, 0);
        faults.push(Fault::BadGateway, None, 1);
        faults.push(Fault::Unsigned, None, 2);
        assert_eq!(faults.waiting(), 3);
        assert_eq!(faults.take_after_commit("any"), None);
        assert_eq!(faults.take_before_checks("any"), Some(Fault::BadGateway));
        assert_eq!(faults.take_before_checks("any"), None);
        assert_eq!(faults.take_after_commit("any"), Some(Fault::Unsigned));
        assert_eq!(faults.take_after_commit("any"), Some(Fault::Unsigned));
        assert_eq!(faults.take_after_commit("any"), None);
    }

    #[test]
    fn a_fault_by_chance_comes_behind_those_that_wait() {
        let faults = Faults::default();
        faults.push_rate(FaultRate::new(Fault::BadGateway, 1_000_000, 0).with_operation("one"));
        faults.push_rate(FaultRate::new(Fault::LostAnswer, 1_000_000, 0));
        faults.push(Fault::SystemError, None, 1);
        assert_eq!(faults.take_before_checks("one"), Some(Fault::SystemError));
        assert_eq!(faults.take_before_checks("one"), Some(Fault::BadGateway));
        assert_eq!(faults.take_before_checks("other"), None);
        assert_eq!(faults.take_after_commit("other"), Some(Fault::LostAnswer));
        assert_eq!(faults.waiting(), 0);
        faults.clear();
        assert_eq!(faults.take_after_commit("other"), None);
    }

    #[test]
    fn faults_are_listed_and_taken_away_by_their_id() {
        let faults = Faults::default();
        let rate = faults.push_rate(FaultRate::new(Fault::LostAnswer, 10_000, 7));
        let next = faults.push(Fault::Unsigned, Some("list_cards"), 2);
        let listed = faults.list();
        assert_eq!((listed[0].id, listed[0].when), (next, When::Next { answers: 2 }));
        let share = When::Share {
            per_million: 10_000,
            seed: 7,
        };
        assert_eq!((listed[1].id, listed[1].when), (rate, share));
        assert!(faults.remove(next) && !faults.remove(next) && faults.remove(rate));
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_fault_of_one_operation_leaves_the_others_alone() {
        let faults = Faults::default();
        faults.push(Fault::SystemError, Some("list_certificates"), 1);
        faults.push(Fault::BadGateway, None, 1);
        assert_eq!(
            faults.take_before_checks("import_by_phone"),
            Some(Fault::BadGateway)
        );
        assert_eq!(faults.take_before_checks("import_by_phone"), None);
        assert_eq!(
            faults.take_before_checks("list_certificates"),
            Some(Fault::SystemError)
        );
        assert_eq!(faults.waiting(), 0);
    }
}
