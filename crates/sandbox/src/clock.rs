//! The sandbox's one clock: the system's, or one that a test sets by hand.
//!
//! Nothing else in this crate may read the time; what happens at a time takes a [`Clock`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use thiserror::Error;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// What time it is on the platform. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    /// How far the platform's clock is ahead of its source, in milliseconds.
    shift: AtomicI64,
}

#[derive(Debug)]
enum Source {
    /// Unix milliseconds, as set, and those at the start.
    Manual {
        now: AtomicI64,
        started_at: i64,
    },
    System {
        started_at: Instant,
    },
}

/// A shift that the platform's clock cannot have.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error(
    "the shift of the clock must be from -{limit} to {limit} seconds, 100 years either way",
    limit = Clock::LARGEST_SHIFT_SECONDS
)]
pub struct ClockShiftError {
    _private: (),
}

impl Clock {
    /// The largest shift, in seconds either way: a hundred years of 365.25 days. What is written of a time, above all a
    /// certificate's validity, has four digits for the year.
    pub const LARGEST_SHIFT_SECONDS: i64 = 100 * 31_557_600;

    /// The system's clock.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the time"
    )]
    pub fn system() -> Self {
        Self::from_source(Source::System {
            started_at: Instant::now(),
        })
    }

    /// A clock that stands still at a Unix time, in seconds, until it is moved with [`advance`](Self::advance).
    #[must_use]
    pub fn manual(unix_seconds: i64) -> Self {
        let millis = unix_seconds.saturating_mul(1000);
        Self::from_source(Source::Manual {
            now: AtomicI64::new(millis),
            started_at: millis,
        })
    }

    fn from_source(source: Source) -> Self {
        Self(Arc::new(Inner {
            source,
            shift: AtomicI64::new(0),
        }))
    }

    /// Moves a manual clock forward; a system clock takes no notice.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual { now, .. } = &self.0.source {
            now.fetch_add(millis_of(by), Ordering::SeqCst);
        }
    }

    /// Sets how many seconds the platform is ahead of the true time; negative is behind. At most
    /// [`LARGEST_SHIFT_SECONDS`](Self::LARGEST_SHIFT_SECONDS) either way.
    ///
    /// It moves the window for requests and the timestamps of answers alike, and never the quota's clock.
    ///
    /// ```
    /// use wxmember_sandbox::Clock;
    ///
    /// let clock = Clock::manual(1_796_000_000);
    /// clock.set_shift(-600)?;
    /// assert_eq!(clock.unix_seconds(), 1_795_999_400);
    /// assert!(clock.set_shift(Clock::LARGEST_SHIFT_SECONDS + 1).is_err());
    /// # Ok::<(), wxmember_sandbox::ClockShiftError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClockShiftError`]: it is larger, and the clock stays as it was.
    pub fn set_shift(&self, seconds: i64) -> Result<(), ClockShiftError> {
        let shift = Self::checked_shift(seconds)?;
        self.0.shift.store(shift * 1000, Ordering::SeqCst);
        Ok(())
    }

    /// Passes a shift, in seconds, that a clock can have.
    ///
    /// # Errors
    ///
    /// [`ClockShiftError`]: it is larger than [`LARGEST_SHIFT_SECONDS`](Self::LARGEST_SHIFT_SECONDS).
    pub fn checked_shift(seconds: i64) -> Result<i64, ClockShiftError> {
        let largest = Self::LARGEST_SHIFT_SECONDS;
        match (-largest..=largest).contains(&seconds) {
            true => Ok(seconds),
            false => Err(ClockShiftError { _private: () }),
        }
    }

    /// How many seconds the platform is ahead of the true time.
    #[must_use]
    pub fn shift_seconds(&self) -> i64 {
        self.0.shift.load(Ordering::SeqCst).div_euclid(1000)
    }

    /// The platform's Unix time, in seconds.
    #[must_use]
    pub fn unix_seconds(&self) -> i64 {
        self.unix_millis().div_euclid(1000)
    }

    fn unix_millis(&self) -> i64 {
        let now = match &self.0.source {
            Source::Manual { now, .. } => now.load(Ordering::SeqCst),
            Source::System { .. } => system_unix_millis(),
        };
        now.saturating_add(self.0.shift.load(Ordering::SeqCst))
    }

    /// The platform's time as a date.
    pub(crate) fn date_time(&self) -> OffsetDateTime {
        // Certificates are written with years 0 to 9999, and a writer of them panics on others; they begin a day before.
        let millis = self.unix_millis().clamp(FIRST_DATE * 1000, LAST_DATE * 1000);
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The platform's time in RFC 3339, in China's offset, to the second, as answers carry it.
    pub(crate) fn rfc_3339(&self) -> String {
        rfc_3339(self.date_time())
    }

    /// The value of the header `Date`.
    pub(crate) fn http_date(&self) -> String {
        self.http_date_shifted(0)
    }

    /// The same, as many seconds ahead.
    pub(crate) fn http_date_shifted(&self, seconds: i64) -> String {
        let millis = self.unix_millis().saturating_add(seconds.saturating_mul(1000));
        // The formatter takes years 1970 to 9999 and panics on others.
        let millis = millis.clamp(0, LAST_DATE * 1000).unsigned_abs();
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(millis))
    }

    /// Whether time passes by itself.
    pub(crate) fn runs(&self) -> bool {
        matches!(self.0.source, Source::System { .. })
    }

    /// Time since the clock was made; it never goes back.
    pub(crate) fn elapsed(&self) -> Duration {
        match &self.0.source {
            Source::Manual { now, started_at } => Duration::from_millis(
                now.load(Ordering::SeqCst)
                    .saturating_sub(*started_at)
                    .max(0)
                    .unsigned_abs(),
            ),
            Source::System { started_at } => started_at.elapsed(),
        }
    }
}

/// A moment in RFC 3339, in China's offset, to the second.
pub(crate) fn rfc_3339(moment: OffsetDateTime) -> String {
    let china = UtcOffset::from_hms(8, 0, 0).unwrap_or(UtcOffset::UTC);
    let moment = moment.replace_nanosecond(0).ok();
    moment
        .and_then(|moment| moment.checked_to_offset(china)?.format(&Rfc3339).ok())
        .unwrap_or_default()
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the time"
)]
fn system_unix_millis() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis_of)
}

fn millis_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// 0001-01-01T00:00:00Z.
const FIRST_DATE: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const LAST_DATE: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::manual(1_796_000_000);
        assert_eq!(clock.unix_seconds(), 1_796_000_000);
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.unix_seconds(), 1_796_000_001);
        assert_eq!(clock.elapsed(), Duration::from_millis(1500));
    }

    #[test]
    fn a_shift_moves_the_time_and_not_the_elapsed_time() {
        let clock = Clock::manual(1_796_000_000);
        clock.set_shift(-600).unwrap();
        assert_eq!(clock.unix_seconds(), 1_795_999_400);
        assert_eq!(clock.elapsed(), Duration::ZERO);
    }

    #[test]
    fn a_shift_is_a_hundred_years_at_most() {
        let clock = Clock::manual(1_796_000_000);
        let largest = Clock::LARGEST_SHIFT_SECONDS;
        for seconds in [i64::MIN, -largest - 1, largest + 1, i64::MAX] {
            let error = clock.set_shift(seconds).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the shift of the clock must be from -3155760000 to 3155760000 seconds, 100 years either way"
            );
            assert_eq!(clock.shift_seconds(), 0);
        }
        for seconds in [-largest, largest] {
            clock.set_shift(seconds).unwrap();
            assert_eq!(clock.shift_seconds(), seconds);
        }
    }

    #[test]
    fn times_are_written_as_answers_carry_them() {
        let clock = Clock::manual(1_796_000_000);
        assert_eq!(clock.rfc_3339(), "2026-11-30T08:53:20+08:00");
        assert_eq!(clock.http_date(), "Mon, 30 Nov 2026 00:53:20 GMT");
    }

    #[test]
    fn no_time_is_too_far_to_be_written() {
        for seconds in [i64::MIN, -1, 0, i64::MAX] {
            let clock = Clock::manual(seconds);
            let _ = (
                clock.rfc_3339(),
                clock.http_date(),
                clock.http_date_shifted(i64::MIN),
            );
        }
    }
}
