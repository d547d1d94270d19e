//! Dates and times as people write them, to the RFC 3339 text the platform wants.
//!
//! Accepted: `2024-01-31`, `2024/1/31`, `2024.1.31`, `2024年1月31日`, `20240131`, each alone or followed by `T` or a
//! space and `8:30`, `08:30:00`, `08:30:00.120`, and by `Z` or an offset such as `+08:00`.

use jiff::{civil::DateTime, tz::Offset};

use super::problem::ProblemKind;

/// A moment with the text that says it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Moment {
    pub(super) text: String,
    pub(super) timestamp: jiff::Timestamp,
}

/// Which end of the day a date without a time means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DayEdge {
    /// The first second.
    First,
    /// The last second, also when the time is an explicit midnight: "valid until the 31st" includes the 31st.
    Last,
}

/// A birthday as `YYYY-MM-DD`.
pub(super) fn birthday(text: &str) -> Result<String, ProblemKind> {
    if is_excel_date(text) {
        return Err(ProblemKind::ExcelDate);
    }
    let mut scanner = Scanner { rest: text };
    let (year, month, day) = scanner.date().ok_or(ProblemKind::BadBirthday)?;
    let date = jiff::civil::Date::new(year, month, day).map_err(|_| ProblemKind::BadBirthday)?;
    // Lists carry birthdays with an empty time of day, as databases export them.
    let rest = scanner.rest.trim_start_matches([' ', 'T']);
    let is_midnight = rest.is_empty() || ["00:00", "0:00", "00:00:00", "0:00:00"].contains(&rest);
    match is_midnight && (1900..=2100).contains(&year) {
        true => Ok(date.to_string()),
        false => Err(ProblemKind::BadBirthday),
    }
}

/// A moment; `zone` holds where the text names none.
pub(super) fn moment(text: &str, zone: Offset, edge: DayEdge) -> Result<Moment, ProblemKind> {
    if is_excel_date(text) {
        return Err(ProblemKind::ExcelDate);
    }
    read_moment(text, zone, edge).ok_or(ProblemKind::BadTime)
}

fn read_moment(text: &str, zone: Offset, edge: DayEdge) -> Option<Moment> {
    let mut scanner = Scanner { rest: text };
    let (year, month, day) = scanner.date()?;
    if !(1970..=9999).contains(&year) {
        return None;
    }
    let has_time = scanner.take("T") || scanner.take("t") || scanner.spaces() && !scanner.rest.is_empty();
    let time = if has_time { scanner.time()? } else { MIDNIGHT };
    // A database writes a date as its first second, and "valid until the 31st" still includes the 31st.
    let (hour, minute, second, milliseconds) = match (time, edge) {
        (MIDNIGHT, DayEdge::Last) => (23, 59, 59, 0),
        (time, _) => time,
    };
    let offset = if has_time { scanner.offset()? } else { None }.unwrap_or(zone);
    if !scanner.rest.is_empty() {
        return None;
    }
    let nanoseconds = i32::from(milliseconds) * 1_000_000;
    let civil = DateTime::new(year, month, day, hour, minute, second, nanoseconds).ok()?;
    let timestamp = offset.to_timestamp(civil).ok()?;
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let fraction = if milliseconds == 0 {
        String::new()
    } else {
        format!(".{milliseconds:03}")
    };
    let text = format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{sign}{:02}:{:02}",
        minutes.abs() / 60,
        minutes.abs() % 60,
    );
    Some(Moment { text, timestamp })
}

const MIDNIGHT: (i8, i8, i8, u16) = (0, 0, 0, 0);

/// Five digits: the number of a day since 1900, from 1954 on.
fn is_excel_date(text: &str) -> bool {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole.len() == 5 && whole.bytes().all(|byte| byte.is_ascii_digit())
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn take(&mut self, text: &str) -> bool {
        self.rest.strip_prefix(text).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    fn spaces(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start();
        self.rest.len() < before
    }

    /// A number of `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i16> {
        let digits = self
            .rest
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        if digits < least {
            return None;
        }
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        number.parse().ok()
    }

    fn small(&mut self, least: usize) -> Option<i8> {
        self.number(least, 2).and_then(|number| i8::try_from(number).ok())
    }

    fn date(&mut self) -> Option<(i16, i8, i8)> {
        let year = self.number(4, 4)?;
        for separator in ["-", "/", "."] {
            if self.take(separator) {
                let month = self.small(1)?;
                return self
                    .take(separator)
                    .then_some(())
                    .and_then(|()| Some((year, month, self.small(1)?)));
            }
        }
        if self.take("年") {
            let month = self.small(1)?;
            let day = self.take("月").then(|| self.small(1))??;
            return self.take("日").then_some((year, month, day));
        }
        Some((year, self.small(2)?, self.small(2)?))
    }

    fn time(&mut self) -> Option<(i8, i8, i8, u16)> {
        let hour = self.small(1)?;
        let minute = self.take(":").then(|| self.small(2))??;
        if !self.take(":") {
            return Some((hour, minute, 0, 0));
        }
        let second = self.small(2)?;
        let mut milliseconds = 0;
        if self.take(".") {
            let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=9).contains(&digits) {
                return None;
            }
            let (fraction, rest) = self.rest.split_at(digits);
            self.rest = rest;
            // Anything below a millisecond is cut off.
            milliseconds = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
        }
        Some((hour, minute, second, milliseconds))
    }

    /// `Some(None)` when there is no offset, `None` when there is a bad one.
    fn offset(&mut self) -> Option<Option<Offset>> {
        self.spaces();
        if self.take("Z") || self.take("z") {
            return Some(Some(Offset::UTC));
        }
        let sign = if self.take("+") {
            1
        } else if self.take("-") {
            -1
        } else {
            return Some(None);
        };
        let hours = self.number(2, 2)?;
        let minutes = self.take(":").then(|| self.number(2, 2))??;
        if hours > 23 || minutes > 59 {
            return None;
        }
        let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
        Offset::from_seconds(sign * seconds).ok().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHINA: Offset = Offset::constant(8);

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(moment(text, CHINA, DayEdge::First).unwrap().text, expect);
    }

    #[test]
    fn times_become_rfc_3339() {
        check("2024-01-02", "2024-01-02T00:00:00+08:00");
        check("2024/1/2", "2024-01-02T00:00:00+08:00");
        check("20240102", "2024-01-02T00:00:00+08:00");
        check("2024.1.2 3:04", "2024-01-02T03:04:00+08:00");
        check("2024年1月2日 03:04:05", "2024-01-02T03:04:05+08:00");
        check("2024-01-02 03:04:05", "2024-01-02T03:04:05+08:00");
        check("2020-05-20T13:29:35.120+08:00", "2020-05-20T13:29:35.120+08:00");
        check("2020-05-20T13:29:35.1204567Z", "2020-05-20T13:29:35.120+00:00");
        check("2020-05-20T13:29:35-03:30", "2020-05-20T13:29:35-03:30");
    }

    #[test]
    fn the_last_day_is_a_whole_one() {
        for (text, expect) in [
            ("2030-12-31", "2030-12-31T23:59:59+08:00"),
            ("2030-12-31 00:00:00", "2030-12-31T23:59:59+08:00"),
            ("2030/12/31 0:00", "2030-12-31T23:59:59+08:00"),
            ("2030-12-31T00:00:00.000+09:00", "2030-12-31T23:59:59+09:00"),
            ("2030-12-31 00:00:01", "2030-12-31T00:00:01+08:00"),
        ] {
            assert_eq!(moment(text, CHINA, DayEdge::Last).unwrap().text, expect, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2024-02-30",
            "2024-13-01",
            "2024-01-02 25:00",
            "2024-01-02T",
            "2024-01-02 03:04:05 pm",
            "02/01/2024",
            "2024-01/02",
            "2024年1月",
            "2024-01-02T03:04:05+8",
            "１２３４",
            "2024-1-2-3",
        ] {
            assert_eq!(
                moment(text, CHINA, DayEdge::First),
                Err(ProblemKind::BadTime),
                "{text}"
            );
        }
        assert_eq!(
            moment("45293", CHINA, DayEdge::First),
            Err(ProblemKind::ExcelDate)
        );
        assert_eq!(
            moment("45293.5", CHINA, DayEdge::First),
            Err(ProblemKind::ExcelDate)
        );
    }

    #[test]
    fn birthdays_become_one_spelling() {
        for text in [
            "1990-01-02",
            "1990/1/2",
            "1990年1月2日",
            "19900102",
            "1990-01-02 00:00:00",
        ] {
            assert_eq!(birthday(text).as_deref(), Ok("1990-01-02"), "{text}");
        }
        for text in ["", "1990-02-29", "90-01-02", "1990-01-02 12:00:00", "1890-01-01"] {
            assert_eq!(birthday(text), Err(ProblemKind::BadBirthday), "{text}");
        }
        assert_eq!(birthday("32875"), Err(ProblemKind::ExcelDate));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9年月日:. TZ+/-]{0,30}") {
            let _ = birthday(&text);
            if let Ok(read) = moment(&text, CHINA, DayEdge::First) {
                // What was read is written so that it reads as the same moment.
                prop_assert_eq!(&moment(&read.text, Offset::UTC, DayEdge::First).unwrap(), &read);
                prop_assert_eq!(read.text.parse::<jiff::Timestamp>().unwrap(), read.timestamp);
            }
        }
    }
}
