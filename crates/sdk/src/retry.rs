//! When a call is made again: decided by delivery and status, never by text.
//!
//! Pure but for the jitter; the loop around it is in `attempt.rs`.

use std::{num::NonZeroU32, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use wxmember_signing::VerifyError;

use crate::{Delivery, Error, ErrorKind};

/// How often and how long a call is repeated.
///
/// Repeated are: a request that was not sent; 429, which was not processed; and, when the operation may be repeated
/// ([`Operation::is_repeatable`](crate::Operation::is_repeatable)), a call whose outcome is unknown: an answer that was
/// lost, that does not verify, 202 or 5xx. Each attempt is signed anew, with a new time and nonce.
///
/// ```
/// use std::time::Duration;
/// use wxmember::RetryPolicy;
/// let patient = RetryPolicy::default().with_attempts(8).with_deadline(Duration::from_secs(300));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RetryPolicy {
    attempts: NonZeroU32,
    deadline: Duration,
    first_wait: Duration,
    longest_wait: Duration,
}

impl RetryPolicy {
    /// One attempt.
    #[must_use]
    pub const fn never() -> Self {
        Self {
            attempts: NonZeroU32::MIN,
            deadline: Duration::from_secs(60),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(20),
        }
    }

    /// At most so many attempts, the first one included; 0 counts as 1. Default: 3.
    #[must_use]
    pub const fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = match NonZeroU32::new(attempts) {
            Some(attempts) => attempts,
            None => NonZeroU32::MIN,
        };
        self
    }

    /// The time for all attempts and waits together. Default: 60 seconds.
    ///
    /// No wait begins that would outlast it, and neither signing nor sending outlasts it by more than a second each. A key
    /// that an answer names and that has to be downloaded first may add ten seconds, once a minute.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The wait after the first attempt, doubled after each further one up to `longest`. Default: 0.5 to 20 seconds.
    ///
    /// Up to as much again is added at random, so that clients that failed together do not come back together. A
    /// `Retry-After` of the platform that is longer goes before.
    #[must_use]
    pub const fn with_waits(mut self, first: Duration, longest: Duration) -> Self {
        self.first_wait = first;
        self.longest_wait = longest;
        self
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The waits of one call.
    pub(crate) fn waits(&self) -> ExponentialBackoff {
        ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(self.first_wait)
            .with_max_delay(self.longest_wait)
            .with_max_times(usize::try_from(self.attempts.get() - 1).unwrap_or(usize::MAX))
            .build()
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::never().with_attempts(3)
    }
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Next {
    /// The failure is final.
    GiveUp,
    /// Once more, after a wait.
    Again { other_host: bool },
}

/// Decides after a failed attempt; `repeatable` says that the call may be made twice.
pub(crate) fn next(error: &Error, repeatable: bool) -> Next {
    let again = |other_host| Next::Again { other_host };
    match (error.kind(), error.delivery()) {
        (ErrorKind::Connect, _) => again(true),
        (ErrorKind::RateLimited, _) => again(false),
        // Time does not heal a wrong clock or a key that is not there.
        (ErrorKind::Unverified, _)
            if matches!(
                error.verify_error(),
                Some(VerifyError::Stale { .. } | VerifyError::UnknownKey { .. })
            ) =>
        {
            Next::GiveUp
        }
        (ErrorKind::Interrupted, Delivery::MaybeSent) if repeatable => again(true),
        (ErrorKind::Unverified, Delivery::MaybeSent) | (ErrorKind::NotProcessed, _) if repeatable => {
            again(false)
        }
        (ErrorKind::Platform, _) if repeatable => again(matches!(error.status(), Some(502..=504))),
        _ => Next::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Operation;

    const OPERATION: Operation = Operation::new("test", "POST", "/v3/test", 5, true);

    fn error(kind: ErrorKind, delivery: Delivery) -> Error {
        Error::new(&OPERATION, kind, delivery)
    }

    /// `expect` for an operation that may not be repeated, and for one that may.
    #[track_caller]
    fn check(error: &Error, expect: [Next; 2]) {
        assert_eq!([next(error, false), next(error, true)], expect, "{error:?}");
    }

    const SAME: Next = Next::Again { other_host: false };
    const OTHER: Next = Next::Again { other_host: true };

    #[test]
    fn delivery_and_status_decide() {
        use Delivery::{Answered, MaybeSent, NotSent};
        use Next::GiveUp;
        check(&error(ErrorKind::Connect, NotSent), [OTHER, OTHER]);
        check(&error(ErrorKind::RateLimited, Answered), [SAME, SAME]);
        check(&error(ErrorKind::Interrupted, MaybeSent), [GiveUp, OTHER]);
        check(&error(ErrorKind::NotProcessed, Answered), [GiveUp, SAME]);
        check(&error(ErrorKind::Platform, Answered), [GiveUp, SAME]);
        check(&error(ErrorKind::Unverified, MaybeSent), [GiveUp, SAME]);
        for kind in [
            ErrorKind::Request,
            ErrorKind::Keys,
            ErrorKind::Seal,
            ErrorKind::Sign,
            ErrorKind::Undecodable,
            ErrorKind::BadRequest,
            ErrorKind::Unauthorized,
            ErrorKind::Forbidden,
            ErrorKind::NotFound,
            ErrorKind::Refused,
            ErrorKind::Unexpected,
        ] {
            check(&error(kind, Answered), [GiveUp, GiveUp]);
        }
    }

    #[test]
    fn a_gateway_that_is_down_sends_the_call_to_the_other_host() {
        for (status, next) in [(500, SAME), (502, OTHER), (503, OTHER), (504, OTHER), (501, SAME)] {
            let seen = crate::pipeline::Seen {
                status: Some(status),
                ..Default::default()
            };
            let error = error(ErrorKind::Platform, Delivery::Answered).seen(seen);
            check(&error, [Next::GiveUp, next]);
        }
    }

    #[test]
    fn time_does_not_heal_a_clock_or_an_unknown_key() {
        let stale = VerifyError::Stale { clock_ahead: 600 };
        let error = error(ErrorKind::Unverified, Delivery::MaybeSent).caused_by(stale);
        check(&error, [Next::GiveUp, Next::GiveUp]);
    }

    #[test]
    fn waits_grow_have_a_floor_and_an_end() {
        let policy = RetryPolicy::default()
            .with_attempts(5)
            .with_waits(Duration::from_millis(500), Duration::from_secs(2));
        for _ in 0..100 {
            let waits: Vec<_> = policy.waits().map(|wait| wait.as_millis()).collect();
            assert_eq!(waits.len(), 4);
            for (wait, floor) in waits.into_iter().zip([500, 1000, 2000, 2000]) {
                assert!((floor..=2 * floor).contains(&wait), "{wait}, floor {floor}");
            }
        }
        assert_eq!(RetryPolicy::never().waits().count(), 0);
        assert_eq!(RetryPolicy::never(), RetryPolicy::default().with_attempts(0));
    }
}
