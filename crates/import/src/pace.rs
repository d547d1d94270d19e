//! How fast requests may leave: the quota, and less than the quota while the platform says "too many".
//!
//! A rate is kept by `governor` with a burst of one, so requests are spaced evenly. After a 429 the rate is halved,
//! once a second at most; every second without one it grows by a twentieth of the quota until the quota is reached.
//! Without a quota, the first 429 starts from half of what was just sent in a second. Time is tokio's.

use std::{
    num::NonZeroU32,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{
    RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use thiserror::Error;
use tokio::time::Instant;

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

/// Lets requests go at the rate of the moment.
pub(crate) struct Pacer {
    quota: Option<Quota>,
    state: Mutex<State>,
    /// Those who wait stand in a row.
    turn: tokio::sync::Mutex<()>,
}

struct State {
    /// Requests per second; `None` is unlimited.
    rate: Option<f64>,
    limiter: Option<Limiter>,
    not_before: Instant,
    changed_at: Instant,
    /// What left in the current second and in the one before, to know the rate when nothing limits it.
    second: Instant,
    left: u32,
    left_before: u32,
}

impl Pacer {
    pub(crate) fn new(quota: Option<Quota>) -> Self {
        let now = Instant::now();
        let rate = quota.map(Quota::per_second);
        let state = State {
            rate,
            limiter: rate.map(limiter),
            not_before: now,
            changed_at: now,
            second: now,
            left: 0,
            left_before: 0,
        };
        Self {
            quota,
            state: Mutex::new(state),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Waits until the next request may leave. Dropping the future gives the place up.
    pub(crate) async fn ready(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let Some(wait) = self.wait() else { return };
            tokio::time::sleep(wait).await;
        }
    }

    /// After a 429.
    pub(crate) fn slow_down(&self, retry_after: Option<Duration>) {
        let mut state = self.lock();
        let now = Instant::now();
        let pause = retry_after.unwrap_or(PAUSE).min(PAUSE_MOST);
        state.not_before = state.not_before.max(now + pause);
        let is_same_jam = state.rate != self.quota.map(Quota::per_second) && now - state.changed_at < PAUSE;
        if is_same_jam {
            return;
        }
        let current = state
            .rate
            .unwrap_or_else(|| f64::from(state.left.max(state.left_before)));
        self.change(&mut state, Some((current / 2.0).max(RATE_LEAST)), now);
    }

    /// After an answer that was no 429.
    pub(crate) fn speed_up(&self) {
        let mut state = self.lock();
        let now = Instant::now();
        let ceiling = self.quota.map(Quota::per_second);
        let Some(rate) = state.rate else { return };
        if Some(rate) == ceiling || now - state.changed_at < PAUSE {
            return;
        }
        let faster = match ceiling {
            Some(ceiling) => (rate + ceiling / 20.0).min(ceiling),
            None => (rate * 1.1).min(MOST_PER_SECOND),
        };
        self.change(&mut state, Some(faster), now);
    }

    /// The rate of the moment in requests per second; `None` is unlimited.
    pub(crate) fn rate(&self) -> Option<f64> {
        self.lock().rate
    }

    fn change(&self, state: &mut State, rate: Option<f64>, now: Instant) {
        state.rate = rate;
        state.limiter = rate.map(limiter);
        state.changed_at = now;
    }

    /// How long to wait; `None` when the request may leave, and is counted.
    fn wait(&self) -> Option<Duration> {
        let mut state = self.lock();
        let now = Instant::now();
        if state.not_before > now {
            return Some(state.not_before - now);
        }
        if let Some(limiter) = &state.limiter
            && let Err(not_until) = limiter.check()
        {
            // Timers count milliseconds.
            return Some(
                not_until
                    .wait_time_from(TokioClock.now())
                    .max(Duration::from_millis(1)),
            );
        }
        if now - state.second >= Duration::from_secs(1) {
            state.left_before = state.left;
            state.left = 0;
            state.second = now;
        }
        state.left += 1;
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Moment>>;

fn limiter(rate: f64) -> Limiter {
    let period = Duration::from_secs_f64(1.0 / rate.clamp(RATE_LEAST, MOST_PER_SECOND));
    let quota = governor::Quota::with_period(period)
        .unwrap_or(governor::Quota::per_second(NonZeroU32::MIN))
        .allow_burst(NonZeroU32::MIN);
    RateLimiter::direct_with_clock(quota, TokioClock)
}

/// Tokio's clock for `governor`, so that a test that stops time stops the pace too.
#[derive(Clone, Copy, Debug, Default)]
struct TokioClock;

impl Clock for TokioClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(Instant::now())
    }
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Moment(Instant);

impl std::ops::Add<governor::nanos::Nanos> for Moment {
    type Output = Self;

    fn add(self, time: governor::nanos::Nanos) -> Self {
        Self(self.0 + Duration::from(time))
    }
}

impl governor::clock::Reference for Moment {
    fn duration_since(&self, earlier: Self) -> governor::nanos::Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, time: governor::nanos::Nanos) -> Self {
        Self(self.0.checked_sub(time.into()).unwrap_or(self.0))
    }
}

const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MOST: Duration = Duration::from_secs(300);
const RATE_LEAST: f64 = 0.1;
const MOST_PER_SECOND: f64 = 1_000_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    async fn seconds_for(pacer: &Pacer, requests: u32) -> f64 {
        let start = Instant::now();
        for _ in 0..requests {
            pacer.ready().await;
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
        let pacer = Pacer::new(Some("5/s".parse().unwrap()));
        let seconds = seconds_for(&pacer, 101).await;
        assert!((19.9..20.3).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_quota_is_no_wait() {
        assert_eq!(seconds_for(&Pacer::new(None), 10_000).await, 0.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_halves_the_rate_once_and_it_recovers() {
        let pacer = Pacer::new(Some("20/s".parse().unwrap()));
        pacer.slow_down(None);
        pacer.slow_down(None);
        assert_eq!(pacer.rate(), Some(10.0));
        let pause = seconds_for(&pacer, 1).await;
        assert!((1.0..1.2).contains(&pause), "{pause}");
        for _ in 0..12 {
            tokio::time::advance(Duration::from_secs(1)).await;
            pacer.speed_up();
        }
        assert_eq!(pacer.rate(), Some(20.0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_platform_says_how_long_to_wait() {
        let pacer = Pacer::new(None);
        seconds_for(&pacer, 100).await;
        pacer.slow_down(Some(Duration::from_secs(7)));
        assert_eq!(pacer.rate(), Some(50.0));
        let seconds = seconds_for(&pacer, 1).await;
        assert!((7.0..7.1).contains(&seconds), "{seconds}");
    }
}
