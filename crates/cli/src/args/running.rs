//! Arguments of `worker`, and those it shares with `import`: how fast, how long and when requests are sent.

use std::{num::NonZeroUsize, time::Duration};

use clap::{Args, ValueEnum};
use wxmember_import::{OnUnknown, Quota, Window};

use super::{Chosen, Format, boolean, ledger::LedgerAt};

/// How requests are sent.
#[derive(Args, Clone, Debug)]
pub(crate) struct Running {
    /// Requests to send at most, for example `5/s` or `300/m`, by all processes on the ledger together [default: the
    /// API's 5/s; none for `--sandbox`]
    #[arg(long, env = "WXMEMBER_QUOTA")]
    pub(crate) quota: Option<Quota>,

    /// Requests under way at once [default: what four seconds of the quota allow, from 8 to 256; 32 without a quota]
    #[arg(long, env = "WXMEMBER_CONCURRENCY", value_name = "NUMBER", value_parser = concurrency)]
    pub(crate) concurrency: Option<NonZeroUsize>,

    /// Send only in these hours of the day, for example `22:00-06:00`; China's hours unless an offset stands behind,
    /// as in `22:00-06:00 +09:00`
    #[arg(long, env = "WXMEMBER_WINDOW", value_name = "FROM-TO")]
    pub(crate) window: Option<Window>,

    /// Stop after this time, for example `8h` or `90m`; the same command continues
    #[arg(long, env = "WXMEMBER_MAX_DURATION", value_name = "TIME", value_parser = duration)]
    pub(crate) max_duration: Option<Duration>,

    /// What to do with a row whose request may have taken effect: `repeat` sends the same again, which finds out;
    /// `hold` leaves it for somebody to look into
    #[arg(long, env = "WXMEMBER_ON_UNKNOWN", value_enum, default_value_t = Unknown::Repeat)]
    pub(crate) on_unknown: Unknown,

    /// Do not begin with one row alone when nothing was ever imported with this profile, and do not stop after 200 equal
    /// refusals in a row
    #[arg(short, long, env = "WXMEMBER_YES", value_parser = boolean)]
    pub(crate) yes: bool,
}

/// What to do with a row whose outcome is unknown.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Unknown {
    // Send the same again, which finds out.
    Repeat,
    // Leave it for somebody to look into.
    Hold,
}

impl From<Unknown> for OnUnknown {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Repeat => Self::Repeat,
            Unknown::Hold => Self::Hold,
        }
    }
}

/// Arguments of `worker`.
#[derive(Args)]
#[command(
    after_help = "The profile says which merchant id signs; every loaded job of that merchant id at the profile's \
                  address is worked on. Any number of workers share one ledger and its quota.\n\n\
                  Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with refused rows, 75 stopped with rows left."
)]
pub(crate) struct Worker {
    #[command(flatten)]
    pub(crate) chosen: Chosen,

    #[command(flatten)]
    pub(crate) ledger: LedgerAt,

    #[command(flatten)]
    pub(crate) running: Running,

    /// End when no job has rows left to send [default: wait for new jobs]
    #[arg(long, env = "WXMEMBER_UNTIL_DONE", value_parser = boolean)]
    pub(crate) until_done: bool,

    /// How to print the result
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

fn concurrency(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.trim().parse();
    number.map_err(|_| "a whole number from 1 is needed".to_owned())
}

/// `8h`, `90m`, `1h30m`, `45s`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time such as `8h`, `90m` or `1h30m` is needed".to_owned();
    let mut seconds: u64 = 0;
    let mut number = String::new();
    for character in text.trim().chars() {
        let unit = match character {
            '0'..='9' => {
                number.push(character);
                continue;
            }
            'd' => 86_400,
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return Err(wrong()),
        };
        let count: u64 = number.parse().map_err(|_| wrong())?;
        number.clear();
        seconds = count
            .checked_mul(unit)
            .and_then(|more| seconds.checked_add(more))
            .ok_or_else(wrong)?;
    }
    match (seconds, number.is_empty()) {
        (1.., true) => Ok(Duration::from_secs(seconds)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: Option<u64>) {
        assert_eq!(duration(text).ok(), seconds.map(Duration::from_secs), "{text}");
    }

    #[test]
    fn a_duration_has_units() {
        check("8h", Some(28_800));
        check("1h30m", Some(5400));
        check("2d", Some(172_800));
        check("45s", Some(45));
        for text in ["", "8", "h", "0h", "-1h", "1.5h", "8 h", "999999999999999999h"] {
            check(text, None);
        }
    }
}
