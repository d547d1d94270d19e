//! The hours of the day in which requests may leave.
//!
//! Pure: a time goes in, how long to wait comes out. A zone is an offset, so no day has an hour twice or not at all.

use std::{fmt, str::FromStr, time::Duration};

use jiff::tz::Offset;
use thiserror::Error;

/// Hours of every day, such as `22:00-06:00`; outside them a run waits.
///
/// The end is not part of it, and may be smaller than the beginning: the window then goes over midnight. The hours are
/// China's (`+08:00`) unless an offset stands behind them.
///
/// ```
/// let window: wxmember_import::Window = "22:00-06:00".parse()?;
/// assert_eq!(window.to_string(), "22:00-06:00 +08:00");
/// assert_eq!("09:30-24:00 Z".parse::<wxmember_import::Window>()?.to_string(), "09:30-24:00 +00:00");
/// # Ok::<(), wxmember_import::WindowError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    begin: u32,
    end: u32,
    zone: Offset,
}

impl Window {
    /// Sets whose hours they are.
    #[must_use]
    pub fn with_time_zone(mut self, zone: Offset) -> Self {
        self.zone = zone;
        self
    }

    /// How long it takes until requests may leave, at a time in seconds since 1970; nothing while they may.
    pub(crate) fn opens_in(&self, now: i64) -> Option<Duration> {
        let local = now.saturating_add(i64::from(self.zone.seconds()));
        let second = local.rem_euclid(i64::from(DAY)).try_into().unwrap_or(0);
        let is_open = if self.begin < self.end {
            (self.begin..self.end).contains(&second)
        } else {
            second >= self.begin || second < self.end
        };
        let wait = (self.begin + DAY - second) % DAY;
        (!is_open).then(|| Duration::from_secs(u64::from(wait)))
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let (begin, rest) = text.trim().split_once('-').ok_or(WindowError::Form)?;
        let rest = rest.trim_start();
        let (end, zone) = rest
            .find([' ', '+', '-', 'Z'])
            .map_or((rest, ""), |place| rest.split_at(place));
        let (begin, end) = (minutes(begin)? * 60, minutes(end)? * 60);
        if begin == end || end == 0 && begin == DAY {
            return Err(WindowError::Empty);
        }
        let window = Self {
            begin: begin % DAY,
            end,
            zone: offset(zone.trim())?,
        };
        Ok(window)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |second: u32| (second / 3600, second / 60 % 60);
        let ((from, from_minute), (to, to_minute)) = (clock(self.begin), clock(self.end));
        let zone = self.zone.seconds();
        let sign = if zone < 0 { '-' } else { '+' };
        let (hour, minute) = clock(zone.unsigned_abs());
        write!(
            f,
            "{from:02}:{from_minute:02}-{to:02}:{to_minute:02} {sign}{hour:02}:{minute:02}"
        )
    }
}

/// A window that cannot be read.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum WindowError {
    /// It begins when it ends.
    #[error("the window begins when it ends; leave it out to send at all hours")]
    Empty,
    /// It is not two times of the day.
    #[error("not a window; write it like `22:00-06:00`, or `22:00-06:00 +08:00` with a time zone")]
    Form,
    /// A time of the day that no clock shows.
    #[error("a time of the window is not on the clock; hours go from 00:00 to 24:00")]
    Time,
    /// The time zone is none.
    #[error("the time zone of the window is no offset; write it like `+08:00` or `Z`")]
    Zone,
}

/// `HH:MM` in minutes.
fn minutes(text: &str) -> Result<u32, WindowError> {
    let (hours, minutes) = text.trim().split_once(':').ok_or(WindowError::Form)?;
    let number = |text: &str| match text.len() {
        1 | 2 if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse::<u32>().map_err(|_| WindowError::Form)
        }
        _ => Err(WindowError::Form),
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let time = hours * 60 + minutes;
    if minutes > 59 || time > DAY / 60 {
        return Err(WindowError::Time);
    }
    Ok(time)
}

fn offset(text: &str) -> Result<Offset, WindowError> {
    let (sign, text) = match text.split_at_checked(1) {
        None => return Ok(CHINA),
        Some(("Z", "")) => return Ok(Offset::UTC),
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        Some(_) => return Err(WindowError::Zone),
    };
    let seconds = minutes(text).map_err(|_| WindowError::Zone)? * 60;
    let seconds = i32::try_from(seconds).map_err(|_| WindowError::Zone)?;
    Offset::from_seconds(sign * seconds).map_err(|_| WindowError::Zone)
}

/// China's time, in which the quotas and the tariffs of the platform are written.
const CHINA: Offset = Offset::constant(8);
/// Seconds of a day.
const DAY: u32 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_window_is_open_between_its_times_and_says_how_long_it_is_not() {
        #[track_caller]
        fn check(window: &str, clock: &str, expect: Option<u64>) {
            let window: Window = window.parse().unwrap();
            let now: jiff::Timestamp = format!("2026-03-01T{clock}").parse().unwrap();
            assert_eq!(
                window.opens_in(now.as_second()),
                expect.map(Duration::from_secs),
                "{window} at {clock}"
            );
        }
        check("22:00-06:00", "22:00:00+08:00", None);
        check("22:00-06:00", "00:00:00+08:00", None);
        check("22:00-06:00", "05:59:59+08:00", None);
        check("22:00-06:00", "06:00:00+08:00", Some(16 * 3600));
        check("22:00-06:00", "21:59:59+08:00", Some(1));
        check("9:30-18:00", "09:29:00+08:00", Some(60));
        check("9:30-18:00", "18:00:00+08:00", Some(15 * 3600 + 1800));
        check("00:00-24:00", "23:59:59+08:00", None);
        check("24:00-06:00", "05:00:00+08:00", None);
        check("22:00-24:00", "00:00:00+08:00", Some(22 * 3600));
        check("22:00-06:00 Z", "21:00:00Z", Some(3600));
        check("22:00-06:00-05:30", "22:00:00-05:30", None);
        check("22:00-06:00+09:00", "22:00:00+08:00", None);
    }

    #[test]
    fn what_is_no_window_says_what_one_is() {
        #[track_caller]
        fn check(text: &str, expect: WindowError) {
            assert_eq!(text.parse::<Window>(), Err(expect), "{text}");
        }
        check("", WindowError::Form);
        check("22:00", WindowError::Form);
        check("22-6", WindowError::Form);
        check("22:00-6:0x", WindowError::Form);
        check("22:00-+6:00", WindowError::Form);
        check("22:00-06:60", WindowError::Time);
        check("25:00-06:00", WindowError::Time);
        check("06:00-24:01", WindowError::Time);
        check("06:00-06:00", WindowError::Empty);
        check("24:00-00:00", WindowError::Empty);
        check("22:00-06:00 CST", WindowError::Zone);
        check("22:00-06:00+99:00", WindowError::Zone);
    }

    proptest! {
        #[test]
        fn a_window_is_read_as_it_is_written(begin in 0..1440_u32, end in 1..=1440_u32, zone in -12..=14_i8) {
            prop_assume!(begin != end);
            let window = Window { begin: begin * 60, end: end * 60, zone: Offset::constant(zone) };
            prop_assert_eq!(window.to_string().parse::<Window>(), Ok(window));
        }

        #[test]
        fn no_text_panics(text in ".{0,24}") {
            let _ = text.parse::<Window>();
        }

        #[test]
        fn after_the_wait_it_is_open(begin in 0..1440_u32, end in 1..=1440_u32, now in 0..200_000_i64) {
            prop_assume!(begin != end);
            let window = Window { begin: begin * 60, end: end * 60, zone: Offset::UTC };
            if let Some(wait) = window.opens_in(now) {
                prop_assert!(wait > Duration::ZERO);
                prop_assert_eq!(window.opens_in(now + i64::try_from(wait.as_secs()).unwrap()), None);
                prop_assert!(window.opens_in(now + i64::try_from(wait.as_secs()).unwrap() - 1).is_some());
            }
        }
    }
}
