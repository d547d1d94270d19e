//! What an answer does to a row. Pure: no clock, no ledger, no network.

use std::time::Duration;

use crate::{
    gateway::{Answer, Hint, Stop},
    job::Route,
    ledger::{Entry, RowState},
    outcome::{Meaning, meaning},
};

/// Where a row stands when an answer comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    /// Which attempt of this run, from 1; those that were rate limited are not counted.
    pub(crate) number: u32,
    /// How many attempts of this run were rate limited before.
    pub(crate) throttled: u32,
    /// How many attempts a run makes at most.
    pub(crate) limit: u32,
    /// An earlier attempt may have taken effect.
    pub(crate) is_maybe_sent: bool,
    /// A request without a known outcome is sent again; otherwise it is left for somebody to look into.
    pub(crate) is_repeated: bool,
}

/// What to write down, and what to do then.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Step {
    pub(crate) entry: Entry,
    pub(crate) next: Next,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Next {
    /// The row has come to an end in this run.
    Done,
    /// The same request again, after a while.
    Again,
    /// The same request again, and all requests slower.
    Slower { retry_after: Option<Duration> },
    /// No more rows.
    Stop(Stop),
}

/// The one place that decides what becomes of a row.
pub(crate) fn transition(route: Route, attempt: Attempt, answer: Answer) -> Step {
    // A row that was not done and may be repeated goes back to where it was.
    let waiting = if attempt.is_maybe_sent {
        RowState::Unknown
    } else {
        RowState::Queued
    };
    let is_last = attempt.number >= attempt.limit;
    match answer {
        Answer::Imported { request_id } => done(RowState::Imported, None, None, request_id),
        Answer::Refused {
            status,
            code,
            message,
            request_id,
        } => match meaning(route, status, &code, &message, attempt.is_maybe_sent) {
            Meaning::Present => done(RowState::Present, Some(code), Some(message), request_id),
            Meaning::Refused => done(RowState::Refused, Some(code), Some(message), request_id),
            Meaning::Stop(stop) => Step {
                entry: entry(waiting, Some(code), Some(message), request_id),
                next: Next::Stop(stop),
            },
        },
        Answer::RateLimited { retry_after } => {
            Step {
                entry: entry(waiting, Some("RATE_LIMITED".to_owned()), None, None),
                next: if attempt.throttled + 1 >= attempt.limit.saturating_mul(THROTTLED_FACTOR) {
                    Next::Stop(Stop {
                    code: "RATE_LIMITED".to_owned(),
                    message: "the platform keeps answering 429".to_owned(),
                    hint: Some(Hint::First("another program uses the quota of this merchant id: stop it, or set a lower quota".to_owned())),
                })
                } else {
                    Next::Slower { retry_after }
                },
            }
        }
        Answer::NotSent { reason } => Step {
            entry: entry(waiting, Some("NOT_SENT".to_owned()), Some(reason.clone()), None),
            next: if is_last {
                Next::Stop(Stop {
                    code: "UNREACHABLE".to_owned(),
                    message: reason,
                    hint: Some(Hint::Whole(
                        "check the network and `base_url`; the same command continues".to_owned(),
                    )),
                })
            } else {
                Next::Again
            },
        },
        Answer::Unknown { reason, request_id } => Step {
            entry: entry(
                RowState::Unknown,
                Some("UNKNOWN_OUTCOME".to_owned()),
                Some(reason),
                request_id,
            ),
            next: if is_last || !attempt.is_repeated {
                Next::Done
            } else {
                Next::Again
            },
        },
        Answer::StopRun(stop) => Step {
            entry: entry(waiting, Some(stop.code.clone()), Some(stop.message.clone()), None),
            next: Next::Stop(stop),
        },
    }
}

/// How long to wait before the next attempt: doubling, and spread by the row so that rows do not come back together.
pub(crate) fn backoff(row: u64, attempt: Attempt) -> Duration {
    let tries = (attempt.number + attempt.throttled).clamp(1, 7);
    let whole = BACKOFF_FIRST.saturating_mul(1 << (tries - 1)).min(BACKOFF_MOST);
    // SplitMix64: the same row and attempt wait the same time, others another.
    let mut mixed = row
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(u64::from(tries) << 32);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let share = (mixed >> 32) as u32;
    whole / 2 + whole.mul_f64(f64::from(share) / f64::from(u32::MAX) / 2.0)
}

fn entry(
    state: RowState,
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
) -> Entry {
    Entry {
        state,
        code,
        message,
        request_id,
    }
}

fn done(state: RowState, code: Option<String>, message: Option<String>, request_id: Option<String>) -> Step {
    Step {
        entry: entry(state, code, message, request_id),
        next: Next::Done,
    }
}

const BACKOFF_FIRST: Duration = Duration::from_millis(500);
const BACKOFF_MOST: Duration = Duration::from_secs(30);
/// A platform that limits is not a platform that fails, so it gets more patience.
const THROTTLED_FACTOR: u32 = 8;

#[cfg(test)]
mod tests;
