//! The platform's quota: a token bucket per merchant and operation, shared by all connections.
//!
//! Whole numbers throughout, so that no rounding lets a request through or keeps one out, however long it runs.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Mutex, time::Duration};

use serde_json::{Value, json};

use crate::{clock::Clock, lock::locked};

/// How many requests of one operation a merchant may make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quota {
    requests: NonZeroU32,
    period: Duration,
    burst: NonZeroU32,
}

impl Quota {
    /// As many requests a second; the bucket holds one second's worth.
    #[must_use]
    pub const fn per_second(requests: NonZeroU32) -> Self {
        Self {
            requests,
            period: Duration::from_secs(1),
            burst: requests,
        }
    }

    /// One request in each such time, and a bucket that holds one. A time of zero counts as a nanosecond.
    #[must_use]
    pub const fn every(period: Duration) -> Self {
        Self {
            requests: NonZeroU32::MIN,
            period,
            burst: NonZeroU32::MIN,
        }
    }

    /// The same rate with a bucket of another size.
    #[must_use]
    pub const fn with_burst(mut self, requests: NonZeroU32) -> Self {
        self.burst = requests;
        self
    }

    /// What a request takes out of a bucket. A nanosecond fills it by as many units as `requests` says.
    fn cost(&self) -> u128 {
        self.period.as_nanos().max(1)
    }

    fn capacity(&self) -> u128 {
        self.cost() * u128::from(self.burst.get())
    }

    fn requests_per_second(&self) -> f64 {
        f64::from(self.requests.get()) * 1e9 / (self.cost() as f64)
    }
}

/// The content of one bucket at a time, and what became of its requests.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    units: u128,
    at: Duration,
    taken: u64,
    limited: u64,
}

impl Bucket {
    fn full(quota: &Quota, now: Duration) -> Self {
        Self {
            units: quota.capacity(),
            at: now,
            taken: 0,
            limited: 0,
        }
    }

    /// Adds what time has brought.
    fn fill(&mut self, quota: &Quota, now: Duration) {
        let passed = now.saturating_sub(self.at).as_nanos();
        let brought = passed.saturating_mul(u128::from(quota.requests.get()));
        self.units = self.units.saturating_add(brought).min(quota.capacity());
        self.at = self.at.max(now);
    }

    fn take(&mut self, quota: &Quota) -> bool {
        let is_allowed = self.units >= quota.cost();
        if is_allowed {
            self.units -= quota.cost();
            self.taken += 1;
        } else {
            self.limited += 1;
        }
        is_allowed
    }
}

/// The buckets of all merchants, by merchant id and operation. Both are known ones, so their number is bounded.
#[derive(Debug)]
pub(crate) struct Buckets {
    quota: Quota,
    clock: Clock,
    buckets: Mutex<BTreeMap<(String, String), Bucket>>,
}

impl Buckets {
    pub(crate) fn new(quota: Quota, clock: &Clock) -> Self {
        Self {
            quota,
            clock: clock.clone(),
            buckets: Mutex::default(),
        }
    }

    /// Takes one request out of a bucket; `false` when it is empty.
    pub(crate) fn take(&self, mchid: &str, operation: &str) -> bool {
        let mut buckets = locked(&self.buckets);
        // Read under the lock, so that time never goes back in a bucket.
        let now = self.clock.elapsed();
        let bucket = buckets
            .entry((mchid.to_owned(), operation.to_owned()))
            .or_insert_with(|| Bucket::full(&self.quota, now));
        bucket.fill(&self.quota, now);
        bucket.take(&self.quota)
    }

    /// The quota and every bucket as they are now, as `GET /quota` has them.
    pub(crate) fn as_json(&self) -> Value {
        let now = self.clock.elapsed();
        let (capacity, per_second) = (self.quota.burst.get(), self.quota.requests_per_second());
        let cost = self.quota.cost() as f64;
        let mut buckets = locked(&self.buckets).clone();
        let buckets = buckets.iter_mut().map(|((mchid, operation), bucket)| {
            bucket.fill(&self.quota, now);
            json!({
                "mchid": mchid,
                "operation": operation,
                "capacity": capacity,
                "per_second": per_second,
                "left": (bucket.units as f64 * 1000.0 / cost).floor() / 1000.0,
                "taken": bucket.taken,
                "limited": bucket.limited,
            })
        });
        let buckets: Vec<_> = buckets.collect();
        json!({"quota": {"capacity": capacity, "per_second": per_second}, "buckets": buckets})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_796_000_000;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn a_bucket_empties_and_fills_with_time() {
        let clock = Clock::manual(START);
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

    /// A third of a second is no whole number of nanoseconds, and nothing is lost all the same.
    #[test]
    fn the_rate_is_kept_exactly() {
        for quota in [
            Quota::per_second(number(3)),
            Quota::every(Duration::from_secs(1)).with_burst(number(7)),
        ] {
            let clock = Clock::manual(START);
            let buckets = Buckets::new(quota, &clock);
            while buckets.take("a", "import") {}
            let mut taken = 0;
            for _ in 0..100_000 {
                clock.advance(Duration::from_millis(7));
                taken += u32::from(buckets.take("a", "import"));
            }
            assert_eq!(taken, 700 * quota.requests.get(), "{quota:?}");
        }
    }

    #[test]
    fn buckets_can_be_read_and_reading_takes_nothing() {
        let clock = Clock::manual(START);
        let buckets = Buckets::new(
            Quota::every(Duration::from_millis(200)).with_burst(number(5)),
            &clock,
        );
        for _ in 0..7 {
            buckets.take("a", "import");
        }
        clock.advance(Duration::from_millis(500));
        for _ in 0..2 {
            let shown = buckets.as_json();
            assert_eq!(shown["quota"], json!({"capacity": 5, "per_second": 5.0}));
            let bucket = &shown["buckets"][0];
            assert_eq!(
                (&bucket["left"], &bucket["taken"], &bucket["limited"]),
                (&json!(2.5), &json!(5), &json!(2))
            );
        }
    }
}
