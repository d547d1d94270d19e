//! What an answer does to a row. Pure: no clock, no ledger, no network.

use std::time::Duration;

use crate::{
    gateway::{Answer, Stop},
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
                    hint: Some("another program uses the quota of this merchant id: stop it, or set a lower quota".to_owned()),
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
                    hint: Some("check the network and `base_url`; the same command continues".to_owned()),
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
mod tests {
    use super::*;

    fn refused(code: &str) -> Answer {
        Answer::Refused {
            status: 400,
            code: code.into(),
            message: String::new(),
            request_id: None,
        }
    }

    fn unknown() -> Answer {
        Answer::Unknown {
            reason: "lost".into(),
            request_id: None,
        }
    }

    #[test]
    fn every_answer_moves_a_row_as_the_table_says() {
        let imported = || Answer::Imported { request_id: None };
        let not_sent = || Answer::NotSent {
            reason: "refused".into(),
        };
        let limited = || Answer::RateLimited { retry_after: None };
        let stop = || {
            Answer::StopRun(Stop {
                code: "NO_AUTH".into(),
                message: String::new(),
                hint: None,
            })
        };
        use RowState::{Imported, Present, Queued, Refused, Unknown};
        // Answer, attempt of 3, whether maybe sent before, state after, what next.
        let table: Vec<(Answer, u32, bool, RowState, &str)> = vec![
            (imported(), 1, false, Imported, "done"),
            (imported(), 3, true, Imported, "done"),
            (refused("PARAM_ERROR"), 1, false, Refused, "done"),
            (refused("PARAM_ERROR"), 2, true, Refused, "done"),
            (refused("ALREADY_EXISTS"), 1, false, Refused, "done"),
            (refused("ALREADY_EXISTS"), 1, true, Present, "done"),
            (refused("NO_AUTH"), 1, false, Queued, "stop"),
            (refused("NO_AUTH"), 1, true, Unknown, "stop"),
            (limited(), 3, false, Queued, "slower"),
            (limited(), 3, true, Unknown, "slower"),
            (not_sent(), 2, false, Queued, "again"),
            (not_sent(), 2, true, Unknown, "again"),
            (not_sent(), 3, false, Queued, "stop"),
            (unknown(), 2, false, Unknown, "again"),
            (unknown(), 3, false, Unknown, "done"),
            (stop(), 1, false, Queued, "stop"),
            (stop(), 1, true, Unknown, "stop"),
        ];
        for (answer, number, is_maybe_sent, state, next) in table {
            let attempt = Attempt {
                number,
                throttled: 0,
                limit: 3,
                is_maybe_sent,
                is_repeated: true,
            };
            let step = transition(Route::default(), attempt, answer.clone());
            let found = match step.next {
                Next::Done => "done",
                Next::Again => "again",
                Next::Slower { .. } => "slower",
                Next::Stop(_) => "stop",
            };
            assert_eq!(
                (step.entry.state, found),
                (state, next),
                "{answer:?} at attempt {number}, {is_maybe_sent}"
            );
        }
    }

    #[test]
    fn a_refusal_moves_a_row_as_its_route_says() {
        use RowState::{Present, Queued, Refused, Unknown};
        let refused = |status, code: &str, message: &str| Answer::Refused {
            status,
            code: code.into(),
            message: message.into(),
            request_id: None,
        };
        // Answer, and by each route the state after a first attempt and after one without a known outcome.
        let table = [
            (
                refused(400, "ALREADY_EXISTS", "用户会员卡code已存在"),
                [(Refused, Present); 3],
            ),
            (
                refused(400, "ALREADY_EXISTS", "商户请求单号已被使用"),
                [(Refused, Present), (Refused, Present), (Refused, Refused)],
            ),
            (
                refused(400, "INVALID_REQUEST", "会员已经领取过该卡"),
                [(Present, Present); 3],
            ),
            (
                refused(
                    400,
                    "INVALID_REQUEST",
                    "该会员1年内未在本商家有微信支付交易，无法导入",
                ),
                [(Refused, Refused); 3],
            ),
            (
                refused(403, "NO_AUTH", "商户暂无权限使用此功能"),
                [(Queued, Unknown); 3],
            ),
            (
                refused(400, "INVALID_REQUEST", "会员卡ID无效"),
                [(Queued, Unknown); 3],
            ),
            (refused(401, "SIGN_ERROR", ""), [(Queued, Unknown); 3]),
        ];
        for (answer, states) in table {
            for (route, (first, later)) in Route::ALL.into_iter().zip(states) {
                for (is_maybe_sent, state) in [(false, first), (true, later)] {
                    let attempt = Attempt {
                        number: 1,
                        throttled: 0,
                        limit: 3,
                        is_maybe_sent,
                        is_repeated: true,
                    };
                    let step = transition(route, attempt, answer.clone());
                    assert_eq!(step.entry.state, state, "{answer:?} by {route}, {is_maybe_sent}");
                    let stops = matches!(step.next, Next::Stop(_));
                    assert_eq!(stops, matches!(state, Queued | Unknown), "{answer:?} by {route}");
                }
            }
        }
    }

    #[test]
    fn what_is_unknown_is_left_alone_if_it_shall_be() {
        let attempt = Attempt {
            number: 1,
            throttled: 0,
            limit: 3,
            is_maybe_sent: false,
            is_repeated: false,
        };
        let step = transition(Route::default(), attempt, unknown());
        assert_eq!((step.entry.state, step.next), (RowState::Unknown, Next::Done));
        // What did not leave is no unknown outcome.
        let not_sent = Answer::NotSent {
            reason: String::new(),
        };
        let step = transition(Route::default(), attempt, not_sent);
        assert_eq!((step.entry.state, step.next), (RowState::Queued, Next::Again));
    }

    #[test]
    fn endless_rate_limiting_stops_the_run() {
        let attempt = Attempt {
            number: 1,
            throttled: 23,
            limit: 3,
            is_maybe_sent: false,
            is_repeated: true,
        };
        let step = transition(
            Route::default(),
            attempt,
            Answer::RateLimited { retry_after: None },
        );
        assert!(matches!(step.next, Next::Stop(stop) if stop.code == "RATE_LIMITED"));
    }

    #[test]
    fn backoff_doubles_within_bounds_and_differs_by_row() {
        let at = |row, number| {
            backoff(
                row,
                Attempt {
                    number,
                    throttled: 0,
                    limit: 9,
                    is_maybe_sent: false,
                    is_repeated: true,
                },
            )
        };
        for row in 1..200 {
            for number in 1..12 {
                let whole = Duration::from_millis(500 << (number - 1).min(6)).min(Duration::from_secs(30));
                assert!((whole / 2..=whole).contains(&at(row, number)));
            }
        }
        assert_ne!(at(1, 1), at(2, 1));
    }
}
