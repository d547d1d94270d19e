//! The rate that everybody shares who sends under one merchant id. Pure: no clock, no ledger, no waiting.
//!
//! Requests are spaced evenly. After a "too many requests" everything is held for a while and the rate is halved, once
//! a second at most; then it grows by a twentieth of the ceiling a second until the ceiling is reached. A store loads
//! the bucket, asks it, and saves it, all in one transaction.

use std::time::Duration;

/// Times are microseconds since 1970, of the one clock of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Bucket {
    /// When the next request may leave.
    pub(crate) next: i64,
    /// Before this time none may leave.
    pub(crate) hold: i64,
    /// The latest time the bucket was asked at.
    pub(crate) seen_at: i64,
    /// A rate below the ceiling, in requests per second, and when it was so.
    pub(crate) slowed: Option<Slowed>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slowed {
    pub(crate) rate: f64,
    pub(crate) at: i64,
    /// What the rate was before; without a ceiling the rate grows by a twentieth of this a second.
    pub(crate) before: f64,
}

/// When requests may leave: the first after `wait`, each other one an `interval` later.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reservation {
    pub(crate) wait: Duration,
    pub(crate) interval: Duration,
    /// Requests per second; nothing when nothing limits them.
    pub(crate) rate: Option<f64>,
}

impl Reservation {
    pub(crate) const UNLIMITED: Self = Self {
        wait: Duration::ZERO,
        interval: Duration::ZERO,
        rate: None,
    };
}

impl Bucket {
    /// Takes places for `requests` requests.
    pub(crate) fn reserve(&mut self, now: i64, requests: u32, ceiling: Option<f64>) -> Reservation {
        let now = self.see(now);
        let Some(rate) = self.rate(now, ceiling) else {
            return Reservation::UNLIMITED;
        };
        let first = now.max(self.next).max(self.hold);
        // Rounded up, so that the rate is never passed.
        let interval = (SECOND as f64 / rate.clamp(LEAST, MOST_PER_SECOND)).ceil() as i64;
        self.next = first.saturating_add(interval.saturating_mul(i64::from(requests)));
        if ceiling.is_some_and(|ceiling| rate >= ceiling) {
            self.slowed = None;
        }
        Reservation {
            wait: micros(first.saturating_sub(now)),
            interval: micros(interval),
            rate: Some(rate),
        }
    }

    /// After a 429. `observed` is the rate at which requests were sent, for when there is no ceiling. Returns the new
    /// rate.
    pub(crate) fn slow_down(
        &mut self,
        now: i64,
        ceiling: Option<f64>,
        retry_after: Option<Duration>,
        observed: f64,
    ) -> f64 {
        let now = self.see(now);
        let pause = retry_after.unwrap_or(PAUSE).min(PAUSE_MOST);
        self.hold = self.hold.max(now.saturating_add(pause.as_micros() as i64));
        if let Some(slowed) = self.slowed
            && now.saturating_sub(slowed.at) < SECOND
        {
            return slowed.rate;
        }
        let before = match (self.rate(now, ceiling), self.slowed) {
            // Without a ceiling the rate goes on growing, far above what is sent: to halve that would change nothing.
            // What was allowed at the last 429 is the least, for a process that sends little sees little.
            (Some(rate), Some(slowed)) if ceiling.is_none() => rate.min(observed.max(slowed.rate)),
            (rate, _) => rate.unwrap_or(observed),
        };
        let least = ceiling.map_or(RATE_LEAST, |ceiling| ceiling.min(RATE_LEAST));
        let rate = (before / 2.0).max(least);
        self.slowed = Some(Slowed {
            rate,
            at: now,
            before: before.max(rate),
        });
        rate
    }

    /// The rate in requests per second; nothing when nothing limits it.
    fn rate(&self, now: i64, ceiling: Option<f64>) -> Option<f64> {
        let Some(slowed) = self.slowed else { return ceiling };
        let seconds = now.saturating_sub(slowed.at).max(0) as f64 / SECOND as f64;
        let growth = ceiling.unwrap_or(slowed.before) / RECOVERY_SECONDS;
        let rate = slowed.rate + growth * seconds;
        Some(rate.min(ceiling.unwrap_or(MOST_PER_SECOND)))
    }

    /// Notes the time. A clock that was put back takes the bucket with it, so that nobody waits for the time that was
    /// taken away; small steps back are differences between those who ask.
    fn see(&mut self, now: i64) -> i64 {
        let back = self.seen_at.saturating_sub(now);
        if back >= SECOND {
            // What a damaged ledger holds need be no time.
            self.next = self.next.saturating_sub(back);
            self.hold = self.hold.saturating_sub(back);
            if let Some(slowed) = &mut self.slowed {
                slowed.at = slowed.at.saturating_sub(back);
            }
            self.seen_at = now;
        }
        self.seen_at = self.seen_at.max(now);
        // No pause is longer, so a later end is none of ours.
        let longest = self.seen_at.saturating_add(PAUSE_MOST.as_micros() as i64);
        self.hold = self.hold.min(longest);
        self.seen_at
    }
}

fn micros(time: i64) -> Duration {
    Duration::from_micros(u64::try_from(time).unwrap_or(0))
}

const SECOND: i64 = 1_000_000;
const PAUSE: Duration = Duration::from_secs(1);
/// However long the platform asks to wait.
const PAUSE_MOST: Duration = Duration::from_secs(300);
const RECOVERY_SECONDS: f64 = 20.0;
const RATE_LEAST: f64 = 0.1;
/// Only so that an interval is a number: an hour's quota of one request has 0.00028.
const LEAST: f64 = 1e-6;
pub(super) const MOST_PER_SECOND: f64 = 1_000_000.0;

#[cfg(test)]
mod tests;
