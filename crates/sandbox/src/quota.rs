//! The platform's quota: a bucket per merchant and operation, shared by all connections, which can be looked into.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Mutex, time::Duration};

use crate::{clock::Clock, lock::locked};

/// How many requests of one operation a merchant may make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quota {
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

impl Quota {
    /// As many requests a second; the bucket holds one second's worth.
    #[must_use]
    pub const fn per_second(requests: NonZeroU32) -> Self {
        Self {
            per_second: requests,
            burst: requests,
        }
    }

    /// The same rate with a bucket of another size.
    #[must_use]
    pub const fn with_burst(self, requests: NonZeroU32) -> Self {
        Self {
            burst: requests,
            ..self
        }
    }

    /// The time in which one request flows back. More than a billion a second are as many as that.
    fn interval(self) -> Duration {
        (Duration::from_secs(1) / self.per_second.get()).max(Duration::from_nanos(1))
    }

    /// The time in which an empty bucket fills.
    fn capacity(self) -> Duration {
        self.interval() * self.burst.get()
    }
}

/// Merchant id and operation.
type Key = (String, String);

/// The buckets of all merchants: as many as there are merchants and operations, since only a request that is known by
/// both takes from one.
#[derive(Debug)]
pub(crate) struct Buckets {
    quota: Quota,
    clock: Clock,
    /// When each bucket will be full, on the clock that never goes back. What was full long ago may stand there.
    full_at: Mutex<BTreeMap<Key, Duration>>,
}

/// A bucket as it is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Level {
    pub(crate) mchid: String,
    pub(crate) operation: String,
    /// Requests that may come at once.
    pub(crate) left: u32,
}

impl Buckets {
    pub(crate) fn new(quota: Quota, clock: &Clock) -> Self {
        Self {
            quota,
            clock: clock.clone(),
            full_at: Mutex::default(),
        }
    }

    /// Takes one request out of a bucket; `false` when it is empty.
    pub(crate) fn take(&self, mchid: &str, operation: &str) -> bool {
        let now = self.clock.elapsed();
        let mut buckets = locked(&self.full_at);
        let full_at = buckets.entry((mchid.to_owned(), operation.to_owned()));
        let full_at = full_at.or_default();
        let then = now.max(*full_at) + self.quota.interval();
        let has_room = then - now <= self.quota.capacity();
        if has_room {
            *full_at = then;
        }
        has_room
    }

    /// Requests a second, and how many a full bucket holds.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.quota.per_second.get(), self.quota.burst.get())
    }

    /// Every bucket that was taken from since the start, by merchant and operation.
    pub(crate) fn levels(&self) -> Vec<Level> {
        let now = self.clock.elapsed();
        let buckets = locked(&self.full_at);
        let levels = buckets.iter().map(|((mchid, operation), full_at)| {
            let missing = full_at.saturating_sub(now).as_nanos();
            let missing = missing.div_ceil(self.quota.interval().as_nanos());
            let missing = u32::try_from(missing).unwrap_or(u32::MAX);
            Level {
                mchid: mchid.clone(),
                operation: operation.clone(),
                left: self.quota.burst.get().saturating_sub(missing),
            }
        });
        levels.collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn a_bucket_empties_and_fills_with_time() {
        let clock = Clock::manual(1_796_000_000);
        let buckets = Buckets::new(Quota::per_second(number(5)), &clock);
        let taken = |count: usize| (0..count).filter(|_| buckets.take("a", "import")).count();
        assert_eq!(taken(10), 5);
        clock.advance(Duration::from_millis(400));
        assert_eq!(taken(10), 2);
        clock.advance(Duration::from_secs(60));
        assert_eq!(taken(10), 5);
        assert!(buckets.take("a", "other"));
        assert!(buckets.take("b", "import"));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_can_be_taken(
            rate in 1_u32..50,
            burst in 1_u32..50,
            steps in prop::collection::vec((0_u64..400, 0_u32..20), 1..30),
        ) {
            let clock = Clock::manual(1_796_000_000);
            let quota = Quota::per_second(number(rate)).with_burst(number(burst));
            let buckets = Buckets::new(quota, &clock);
            for (millis, asked) in steps {
                clock.advance(Duration::from_millis(millis));
                let shown = buckets.levels().first().map_or(burst, |level| level.left);
                let taken = (0..asked).filter(|_| buckets.take("a", "import")).count();
                prop_assert_eq!(taken, asked.min(shown) as usize);
            }
        }

        #[test]
        fn no_quota_panics(rate in 1_u32.., burst in 1_u32.., millis in any::<u32>()) {
            let clock = Clock::manual(0);
            let buckets = Buckets::new(Quota::per_second(number(rate)).with_burst(number(burst)), &clock);
            prop_assert!(buckets.take("a", "import"));
            clock.advance(Duration::from_millis(millis.into()));
            prop_assert!(buckets.levels()[0].left < burst || millis > 0);
        }
    }
}
