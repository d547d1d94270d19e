//! How fast requests may leave: the quota, and less than the quota while the platform says "too many".
//!
//! The rate is shared by every process that uses the ledger and the merchant id: it lives in the ledger as a
//! [`Bucket`](bucket::Bucket). Without a quota nothing is shared before the first 429. Waiting goes by tokio's clock.

use std::{
    num::NonZeroU32,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use thiserror::Error;
use tokio::time::Instant;

use crate::{
    job::{Profile, Route},
    ledger::{Ledger, LedgerError},
};

mod bucket;

use self::bucket::MOST_PER_SECOND;
pub(crate) use self::bucket::{Bucket, Reservation, Slowed};

/// Requests per time that the platform allows, such as `5/s` or `300/m`.
///
/// ```
/// let quota: wxmember_import::Quota = "300/m".parse()?;
/// assert_eq!(quota.per_second(), 5.0);
/// # Ok::<(), wxmember_import::QuotaError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quota {
    requests: NonZeroU32,
    period: Duration,
}

impl Quota {
    /// So many requests in each second.
    #[must_use]
    pub fn each_second(requests: NonZeroU32) -> Self {
        Self {
            requests,
            period: Duration::from_secs(1),
        }
    }

    /// Requests per second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        f64::from(self.requests.get()) / self.period.as_secs_f64()
    }
}

impl FromStr for Quota {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, QuotaError> {
        let (number, unit) = text.trim().split_once('/').ok_or(QuotaError)?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            _ => return Err(QuotaError),
        };
        let requests: NonZeroU32 = number.trim().parse().map_err(|_| QuotaError)?;
        let quota = Self {
            requests,
            period: Duration::from_secs(seconds),
        };
        if quota.per_second() > MOST_PER_SECOND {
            Err(QuotaError)
        } else {
            Ok(quota)
        }
    }
}

/// A quota that cannot be read.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not a quota; write it like `5/s`, `300/m` or `18000/h`, at most 1000000/s")]
pub struct QuotaError;

/// What shares one pace: the quota belongs to a merchant id and an operation, on one platform.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PaceKey {
    pub(crate) mchid: String,
    pub(crate) base_url: String,
    pub(crate) operation: &'static str,
}

impl PaceKey {
    pub(crate) fn new(profile: &Profile, route: Route) -> Self {
        Self {
            mchid: profile.mchid.clone(),
            base_url: profile.base_url.trim_end_matches('/').to_owned(),
            operation: route.name(),
        }
    }
}

/// Lets the requests of this process go when their time has come.
#[derive(Debug)]
pub(crate) struct Pacer {
    ledger: Ledger,
    key: PaceKey,
    ceiling: Option<f64>,
    state: Mutex<State>,
    /// Those who wait stand in a row.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// Requests per second; `None` is unlimited.
    rate: Option<f64>,
    /// Places that are reserved.
    places: Option<Places>,
    /// When the ledger was last asked.
    asked_at: Option<Instant>,
    /// What left in the current second and in the one before, to know the rate when nothing limits it.
    second: Instant,
    left: u32,
    left_before: u32,
}

#[derive(Clone, Copy, Debug)]
struct Places {
    next: Instant,
    interval: Duration,
    count: u32,
}

impl Pacer {
    pub(crate) fn new(ledger: Ledger, key: PaceKey, quota: Option<Quota>) -> Self {
        let ceiling = quota.map(Quota::per_second);
        Self {
            ledger,
            key,
            ceiling,
            state: Mutex::new(State {
                rate: ceiling,
                places: None,
                asked_at: None,
                second: Instant::now(),
                left: 0,
                left_before: 0,
            }),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Waits until the next request may leave. Dropping the future gives the place up.
    pub(crate) async fn ready(&self) -> Result<(), LedgerError> {
        let _turn = self.turn.lock().await;
        loop {
            let place = self.lock().place();
            match place {
                Place::Now => return Ok(()),
                Place::At(time) => tokio::time::sleep_until(time).await,
                Place::Ask => self.ask().await?,
            }
        }
    }

    /// After a 429.
    pub(crate) async fn slow_down(&self, retry_after: Option<Duration>) -> Result<(), LedgerError> {
        let observed = {
            let mut state = self.lock();
            state.places = None;
            f64::from(state.left.max(state.left_before))
        };
        let rate = self
            .ledger
            .slow_down(&self.key, self.ceiling, retry_after, observed)
            .await?;
        let mut state = self.lock();
        state.rate = Some(rate);
        state.places = None;
        Ok(())
    }

    /// The rate of the moment in requests per second; `None` is unlimited.
    pub(crate) fn rate(&self) -> Option<f64> {
        self.lock().rate
    }

    async fn ask(&self) -> Result<(), LedgerError> {
        let rate = self.rate().unwrap_or(0.0);
        // One by one where each counts, else what leaves in a tenth of a second.
        let count = (rate / 10.0).ceil().clamp(1.0, 1000.0) as u32;
        let count = if rate > ONE_BY_ONE { count } else { 1 };
        let reservation = self.ledger.reserve(&self.key, count, self.ceiling).await?;
        let now = Instant::now();
        let mut state = self.lock();
        state.asked_at = Some(now);
        state.rate = reservation.rate;
        state.places = reservation.rate.map(|_| Places {
            next: now + reservation.wait,
            interval: reservation.interval,
            count,
        });
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Place {
    /// The request may leave, and is counted.
    Now,
    At(Instant),
    Ask,
}

impl State {
    fn place(&mut self) -> Place {
        let now = Instant::now();
        match &mut self.places {
            Some(places) if places.count > 0 => {
                if places.next > now {
                    return Place::At(places.next);
                }
                if now - places.next > places.interval + STALE {
                    // The host slept: what was missed would leave all at once.
                    self.places = None;
                    return Place::Ask;
                }
                places.count -= 1;
                places.next += places.interval;
            }
            Some(_) => return Place::Ask,
            // Another process may have heard a 429.
            None if self.rate.is_some() || self.asked_at.is_none_or(|asked| now - asked >= LOOK) => {
                return Place::Ask;
            }
            None => {}
        }
        if now - self.second >= Duration::from_secs(1) {
            self.left_before = self.left;
            self.left = 0;
            self.second = now;
        }
        self.left += 1;
        Place::Now
    }
}

const ONE_BY_ONE: f64 = 20.0;
const STALE: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing;

    fn pacer(folder: &tempfile::TempDir, quota: Option<&str>) -> Pacer {
        let profile = Profile::new("1", "2", "3", "http://127.0.0.1");
        Pacer::new(
            testing::open(&folder.path().join("ledger.db")),
            PaceKey::new(&profile, Route::default()),
            quota.map(|quota| quota.parse().unwrap()),
        )
    }

    async fn seconds_for(pacer: &Pacer, requests: u32) -> f64 {
        let start = Instant::now();
        for _ in 0..requests {
            pacer.ready().await.unwrap();
        }
        start.elapsed().as_secs_f64()
    }

    #[test]
    fn quotas_are_read_as_people_write_them() {
        for (text, rate) in [("5/s", 5.0), ("300/m", 5.0), (" 300 / min ", 5.0), ("36/h", 0.01)] {
            assert_eq!(text.parse::<Quota>().unwrap().per_second(), rate, "{text}");
        }
        for text in [
            "",
            "5",
            "0/s",
            "-1/s",
            "5/d",
            "1.5/s",
            "/s",
            "99999999999/s",
            "2000000/s",
        ] {
            assert_eq!(text.parse::<Quota>(), Err(QuotaError), "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_quota_is_used_and_not_passed() {
        for (quota, requests) in [("5/s", 101), ("50/s", 1001), ("1000/s", 20_001)] {
            let folder = tempfile::tempdir().unwrap();
            let seconds = seconds_for(&pacer(&folder, Some(quota)), requests).await;
            assert!((19.9..20.3).contains(&seconds), "{quota}: {seconds}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn processes_share_a_quota() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (pacer(&folder, Some("10/s")), pacer(&folder, Some("10/s")));
        let (first, second) = tokio::join!(seconds_for(&one, 51), seconds_for(&two, 50));
        let seconds = first.max(second);
        assert!((9.9..10.3).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_quota_is_no_wait() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(seconds_for(&pacer(&folder, None), 10_000).await, 0.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_slows_every_process_down_and_it_recovers() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (pacer(&folder, Some("20/s")), pacer(&folder, Some("20/s")));
        one.slow_down(None).await.unwrap();
        one.slow_down(None).await.unwrap();
        assert_eq!(one.rate(), Some(10.0));
        let pause = seconds_for(&two, 1).await;
        assert!((1.0..1.2).contains(&pause), "{pause}");
        assert!(two.rate().unwrap() < 11.5);
        tokio::time::advance(Duration::from_secs(20)).await;
        one.ready().await.unwrap();
        assert_eq!(one.rate(), Some(20.0));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_quota_the_first_429_starts_from_what_was_sent() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (pacer(&folder, None), pacer(&folder, None));
        seconds_for(&one, 100).await;
        one.slow_down(Some(Duration::from_secs(7))).await.unwrap();
        assert_eq!(one.rate(), Some(50.0));
        let seconds = seconds_for(&one, 1).await;
        assert!((7.0..7.1).contains(&seconds), "{seconds}");
        // The other process finds out within a second.
        tokio::time::advance(LOOK).await;
        two.ready().await.unwrap();
        assert!(two.rate().is_some());
    }
}
