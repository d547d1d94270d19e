//! What each fault does to a caller, one row a fault. `matrix.rs` holds it against what is measured.

use std::fmt;

use wxmember::{
    Delivery::{self, Answered, MaybeSent},
    ErrorKind::{self, *},
};

/// What a call comes to when a fault spoils one answer, with the default repeats.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum After {
    /// The first answer is verified and read, and about another card than the one asked for.
    Anothers,
    /// One attempt, and an error.
    Fails,
    /// The second attempt succeeds.
    Succeeds,
    /// The first answer is good all the same.
    Unharmed,
}
use After::{Anothers, Fails, Succeeds, Unharmed};

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Anothers => "another's",
            Fails => "error",
            Succeeds => "2nd attempt",
            Unharmed => "no harm",
        })
    }
}

/// What becomes of a row of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    Imported,
    Present,
    Queued,
    Refused,
    /// The run stops with a code, and the row stays as it is.
    Stops(&'static str),
    Unknown,
}
use Outcome::{Imported, Refused, Stops, Unknown};

impl Outcome {
    /// A stop with a code that a row has.
    pub(super) fn stops(code: &str) -> Self {
        let codes = ROWS.iter().flat_map(|row| [row.once, row.always]);
        let mut known = codes.filter_map(|outcome| match outcome {
            Stops(known) => Some(known),
            _ => None,
        });
        Stops(
            known
                .find(|known| *known == code)
                .unwrap_or("a code that no row has"),
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Imported => f.write_str("imported"),
            Self::Present => f.write_str("present"),
            Self::Queued => f.write_str("queued"),
            Refused => f.write_str("refused"),
            Stops(code) => write!(f, "stops, `{code}`"),
            Unknown => f.write_str("unknown"),
        }
    }
}

/// One fault.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) fault: &'static str,
    /// Of one attempt, the same for all calls that fail; `None` when none does.
    pub(super) error: Option<Failure>,
    /// Import, read, by path, 204.
    pub(super) calls: [After; 4],
    /// The importer, when the fault comes once, and when it stays.
    pub(super) once: Outcome,
    pub(super) always: Outcome,
}

/// What an error says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    pub(super) delivery: Delivery,
    /// Whether nobody can say if the platform acted.
    pub(super) unknown: bool,
    /// Whether the error has a request id.
    pub(super) request_id: bool,
}

const fn row(
    fault: &'static str,
    (kind, delivery, unknown, request_id): (ErrorKind, Delivery, bool, bool),
    calls: [After; 4],
    [once, always]: [Outcome; 2],
) -> Row {
    let error = Some(Failure {
        kind,
        delivery,
        unknown,
        request_id,
    });
    Row {
        fault,
        error,
        calls,
        once,
        always,
    }
}

/// A fault that no call notices by itself.
const fn unnoticed(fault: &'static str, calls: [After; 4], [once, always]: [Outcome; 2]) -> Row {
    Row {
        fault,
        error: None,
        calls,
        once,
        always,
    }
}

/// Repeated where the call may be.
const WHERE_REPEATABLE: [After; 4] = [Succeeds, Succeeds, Succeeds, Fails];
/// The same of a fault that an answer without a body cannot have.
const OF_A_BODY: [After; 4] = [Succeeds, Succeeds, Succeeds, Unharmed];
const NEVER: [After; 4] = [Fails, Fails, Fails, Fails];
const ANYWHERE: [After; 4] = [Succeeds, Succeeds, Succeeds, Succeeds];
const ENDS_WELL: [Outcome; 2] = [Imported, Unknown];

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row("accepted", (NotProcessed, Answered, true, true), WHERE_REPEATABLE, ENDS_WELL),
    row("bad-gateway", (Platform, Answered, true, true), WHERE_REPEATABLE, ENDS_WELL),
    row("cut-body", (Interrupted, MaybeSent, true, true), OF_A_BODY, ENDS_WELL),
    row("empty-error", (Platform, Answered, true, true), WHERE_REPEATABLE, ENDS_WELL),
    row("empty-not-found", (NotFound, Answered, false, true), NEVER, [Stops("NOT_FOUND"), Stops("NOT_FOUND")]),
    row("error-not-utf8", (BadRequest, Answered, false, true), NEVER, [Refused, Refused]),
    row("huge-answer", (Undecodable, MaybeSent, true, true), [Fails, Fails, Fails, Unharmed], ENDS_WELL),
    row("huge-error", (Platform, Answered, true, true), WHERE_REPEATABLE, ENDS_WELL),
    row("lost-answer", (Interrupted, MaybeSent, true, false), WHERE_REPEATABLE, ENDS_WELL),
    row("lost-request", (Interrupted, MaybeSent, true, false), WHERE_REPEATABLE, ENDS_WELL),
    row("no-nonce", (Unverified, MaybeSent, true, true), WHERE_REPEATABLE, ENDS_WELL),
    row("rate-limited", (RateLimited, Answered, false, true), ANYWHERE, [Imported, Stops("RATE_LIMITED")]),
    row("rate-limited-for", (RateLimited, Answered, false, true), ANYWHERE, [Imported, Stops("RATE_LIMITED")]),
    unnoticed("replayed-answer", [Anothers, Unharmed, Anothers, Unharmed], ENDS_WELL),
    row("reset-answer", (Interrupted, MaybeSent, true, false), WHERE_REPEATABLE, ENDS_WELL),
    row("reset-request", (Interrupted, MaybeSent, true, false), WHERE_REPEATABLE, ENDS_WELL),
    row("rotated-key", (Unverified, MaybeSent, true, true), NEVER, [Unknown, Unknown]),
    row("service-unavailable", (Platform, Answered, true, true), WHERE_REPEATABLE, ENDS_WELL),
    row("shifted-clock", (Unverified, MaybeSent, true, true), NEVER, ENDS_WELL),
    row("signature-probe", (Unverified, MaybeSent, true, true), WHERE_REPEATABLE, ENDS_WELL),
    row("signature-probe-not-base64", (Unverified, MaybeSent, true, true), WHERE_REPEATABLE, ENDS_WELL),
    row("slow-body", (Interrupted, MaybeSent, true, true), OF_A_BODY, ENDS_WELL),
    row("stalled", (Interrupted, MaybeSent, true, false), WHERE_REPEATABLE, ENDS_WELL),
    row("system-error", (Platform, Answered, true, true), WHERE_REPEATABLE, ENDS_WELL),
    row("truncated-error", (Platform, Answered, true, true), WHERE_REPEATABLE, ENDS_WELL),
    row("truncated-json", (Undecodable, MaybeSent, true, true), [Fails, Fails, Unharmed, Unharmed], ENDS_WELL),
    row("unknown-serial", (Unverified, MaybeSent, true, true), NEVER, ENDS_WELL),
    row("unsigned", (Unverified, MaybeSent, true, true), WHERE_REPEATABLE, ENDS_WELL),
    row("wrong-date", (Unauthorized, Answered, false, true), NEVER, [Stops("SIGN_ERROR"), Stops("SIGN_ERROR")]),
    row("wrong-document", (Undecodable, MaybeSent, true, true), [Fails, Fails, Unharmed, Unharmed], ENDS_WELL),
    row("wrong-signature", (Unverified, MaybeSent, true, true), WHERE_REPEATABLE, ENDS_WELL),
];
