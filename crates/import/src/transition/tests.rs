//! What becomes of a row after each answer, as tables.

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
