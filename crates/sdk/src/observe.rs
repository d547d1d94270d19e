//! What a call leaves for people who watch: a span an attempt, and counters.
//!
//! Names of operations, numbers, the request id and the kind of a failure; never a path with its parameters, a header, a body
//! or a value.

use std::time::Duration;

use tracing::{Span, field::Empty};

use crate::{Error, Operation, pipeline::Seen};

/// The span of one attempt.
pub(crate) fn span(operation: &Operation, attempt: u32, host: usize) -> Span {
    tracing::info_span!(
        "wxmember.attempt",
        operation = operation.id(),
        attempt,
        host = if host == 0 { "main" } else { "backup" },
        status = Empty,
        request_id = Empty,
        outcome = Empty,
        duration_ms = Empty,
    )
}

/// Writes how an attempt ended into its span and into the counters.
pub(crate) fn outcome(
    span: &Span,
    operation: &Operation,
    seen: &Seen,
    error: Option<&Error>,
    took: Duration,
) {
    let outcome = error.map_or("done", |error| error.kind().name());
    if let Some(status) = seen.status {
        span.record("status", status);
    }
    if let Some(id) = &seen.request_id {
        span.record("request_id", id);
    }
    span.record("outcome", outcome);
    span.record("duration_ms", u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    span.in_scope(|| match error {
        None => tracing::debug!("answered"),
        Some(error) => match error.clock_offset() {
            Some(offset) if error.status() == Some(401) => {
                tracing::warn!(clock_offset_seconds = offset, "refused by the platform");
            }
            _ => tracing::info!("failed"),
        },
    });
    #[cfg(feature = "metrics")]
    {
        let labels = [("operation", operation.id()), ("outcome", outcome)];
        metrics::counter!("wxmember_attempts_total", &labels).increment(1);
        metrics::histogram!("wxmember_attempt_seconds", &labels).record(took);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = operation;
}
