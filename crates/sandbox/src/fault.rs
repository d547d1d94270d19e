//! Misbehaviour on request: what the platform, or the network before it, does to the next answers.
//!
//! A fault never changes a rule: a request that would be refused is refused, unless the fault comes before every check.

use std::{collections::VecDeque, sync::Mutex};

use crate::lock::locked;

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
    /// 404 with an empty body. Nothing is stored.
    EmptyNotFound,
    /// Processed and stored; the connection is closed without an answer.
    LostAnswer,
    /// The connection is closed without an answer. Nothing is stored.
    LostRequest,
    /// 429 in the real shape. Nothing is stored.
    RateLimited,
    /// 200, processed and stored; signed rightly, but at a time that is off by as many seconds.
    ShiftedClock {
        /// How far the answer's timestamp is ahead; negative is behind.
        seconds: i64,
    },
    /// 200, processed and stored; the signature is a probe, `WECHATPAY/SIGNTEST/…`, in valid base64.
    SignatureProbe,
    /// 200, processed and stored; the signature is a probe that is not base64.
    SignatureProbeNotBase64,
    /// 500 in the real shape. Nothing is stored.
    SystemError,
    /// 200, processed and stored; half a JSON document, signed rightly as it is.
    TruncatedJson,
    /// 200, processed and stored; signed rightly, under the id of a key that nobody has.
    UnknownSerial,
    /// 200, processed and stored; none of the signature's headers.
    Unsigned,
    /// 200, processed and stored; a well-formed signature of something else.
    WrongSignature,
}

impl Fault {
    /// Whether the request takes effect although the answer fails.
    #[must_use]
    pub const fn commits(self) -> bool {
        !matches!(
            self,
            Self::Accepted
                | Self::BadGateway
                | Self::EmptyNotFound
                | Self::LostRequest
                | Self::RateLimited
                | Self::SystemError
        )
    }
}

/// The faults that wait for their answers, first in, first out.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Mutex<VecDeque<(Fault, u64)>>,
}

impl Faults {
    /// Adds a fault for as many answers.
    pub(crate) fn push(&self, fault: Fault, answers: u64) {
        if answers > 0 {
            locked(&self.waiting).push_back((fault, answers));
        }
    }

    pub(crate) fn clear(&self) {
        locked(&self.waiting).clear();
    }

    /// How many answers will still fail.
    pub(crate) fn waiting(&self) -> u64 {
        let waiting = locked(&self.waiting);
        waiting
            .iter()
            .fold(0, |sum, (_, answers)| sum.saturating_add(*answers))
    }

    /// The next fault, if it is of the kind that comes before every check.
    pub(crate) fn take_before_checks(&self) -> Option<Fault> {
        self.take(|fault| !fault.commits())
    }

    /// The next fault, if it is of the kind that spoils a good answer.
    pub(crate) fn take_after_commit(&self) -> Option<Fault> {
        self.take(Fault::commits)
    }

    fn take(&self, fits: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut waiting = locked(&self.waiting);
        let (fault, answers) = waiting.front_mut()?;
        let fault = *fault;
        if !fits(fault) {
            return None;
        }
        *answers -= 1;
        if *answers == 0 {
            waiting.pop_front();
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
        faults.push(Fault::BadGateway, 0);
        faults.push(Fault::BadGateway, 1);
        faults.push(Fault::Unsigned, 2);
        assert_eq!(faults.waiting(), 3);
        assert_eq!(faults.take_after_commit(), None);
        assert_eq!(faults.take_before_checks(), Some(Fault::BadGateway));
        assert_eq!(faults.take_before_checks(), None);
        assert_eq!(faults.take_after_commit(), Some(Fault::Unsigned));
        assert_eq!(faults.take_after_commit(), Some(Fault::Unsigned));
        assert_eq!(faults.take_after_commit(), None);
    }
}
