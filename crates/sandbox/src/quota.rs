//! The platform's quota: a bucket per merchant and operation, shared by all connections.

use std::{num::NonZeroU32, time::Duration};

use governor::{RateLimiter, middleware::NoOpMiddleware, state::keyed::HashMapStateStore};

use crate::clock::Clock;

/// How many requests of one operation a merchant may make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quota(governor::Quota);

impl Quota {
    /// As many requests a second; the bucket holds one second's worth.
    #[must_use]
    pub const fn per_second(requests: NonZeroU32) -> Self {
        Self(governor::Quota::per_second(requests))
    }

    /// The same rate with a bucket of another size.
    #[must_use]
    pub const fn with_burst(self, requests: NonZeroU32) -> Self {
        Self(self.0.allow_burst(requests))
    }
}

type Key = (String, String);

/// The buckets of all merchants.
#[derive(Debug)]
pub(crate) struct Buckets(RateLimiter<Key, HashMapStateStore<Key>, Clock, NoOpMiddleware<Duration>>);

impl Buckets {
    pub(crate) fn new(quota: Quota, clock: &Clock) -> Self {
        Self(RateLimiter::new(
            quota.0,
            HashMapStateStore::default(),
            clock.clone(),
        ))
    }

    /// Takes one request out of a bucket; `false` when it is empty.
    pub(crate) fn take(&self, mchid: &str, operation: &str) -> bool {
        self.0
            .check_key(&(mchid.to_owned(), operation.to_owned()))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_with_time() {
        let clock = Clock::manual(1_796_000_000);
        let buckets = Buckets::new(Quota::per_second(NonZeroU32::new(5).unwrap()), &clock);
        let taken = |count: usize| (0..count).filter(|_| buckets.take("a", "import")).count();
        assert_eq!(taken(10), 5);
        clock.advance(Duration::from_millis(400));
        assert_eq!(taken(10), 2);
        clock.advance(Duration::from_secs(60));
        assert_eq!(taken(10), 5);
        assert!(buckets.take("a", "other"));
        assert!(buckets.take("b", "import"));
    }
}
