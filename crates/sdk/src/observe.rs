//! What calls, downloads and notifications leave for people who watch: spans, a line when something ends, and counters.
//!
//! Names of operations, numbers, ids that the platform gave and the kind of a failure; never a path with its parameters, a
//! header, a body or a value. The README lists every name, label and unit: they are part of the interface.

use std::time::Duration;

use tracing::{Span, field::Empty, info_span};

use crate::{
    Error, Operation,
    notification::{Notification, NotificationError},
    pipeline::Seen,
};

/// The span of one call, around its attempts and the waits between them.
pub(crate) fn call(operation: &Operation) -> Span {
    info_span!(
        "wxmember.call",
        operation = operation.id(),
        attempts = Empty,
        outcome = Empty,
    )
}

/// Writes how a call ended into its span.
pub(crate) fn called(span: &Span, attempts: u32, error: Option<&Error>) {
    span.record("attempts", attempts);
    span.record("outcome", outcome(error));
}

/// The span of one attempt; the download of certificates has attempts as well.
pub(crate) fn attempt(operation: &Operation, attempt: u32, host: usize) -> Span {
    info_span!(
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
pub(crate) fn attempted(
    span: &Span,
    operation: &Operation,
    seen: &Seen,
    error: Option<&Error>,
    took: Duration,
) {
    let outcome = outcome(error);
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
            _ => match error.verify_error() {
                Some(reason) => tracing::info!(%reason, "failed"),
                None => tracing::info!("failed"),
            },
        },
    });
    let labels = [("operation", operation.id()), ("outcome", outcome)];
    count(ATTEMPTS, &labels);
    #[cfg(feature = "metrics")]
    metrics::histogram!(ATTEMPT_SECONDS, &labels).record(took);
}

/// Tells how a download of platform certificates ended; `found` is how many it brought.
pub(crate) fn downloaded(found: Result<usize, &Error>) {
    match found {
        Ok(certificates) => tracing::info!(certificates, "platform certificates downloaded"),
        Err(error) => {
            let reason = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(%error, reason, "platform certificates not downloaded; the keys stay as they are");
        }
    }
    count(DOWNLOADS, &[("outcome", outcome(found.err()))]);
}

/// The span of one notification.
pub(crate) fn notification() -> Span {
    info_span!(
        "wxmember.notification",
        id = Empty,
        event_type = Empty,
        outcome = Empty
    )
}

/// Writes what became of a notification into its span and into the counter.
pub(crate) fn notified(span: &Span, received: &Result<Notification, NotificationError>) {
    let outcome = match received {
        Ok(notification) => {
            // Verified before, so these are the platform's own words.
            span.record("id", notification.id());
            span.record("event_type", notification.event_type());
            if notification.is_duplicate() {
                "duplicate"
            } else {
                "new"
            }
        }
        Err(error) => error.name(),
    };
    span.record("outcome", outcome);
    span.in_scope(|| match received {
        Ok(_) => tracing::debug!("notification received"),
        Err(error) if error.is_probe() => tracing::info!("signature probe refused"),
        Err(error) => {
            let reason = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(%error, reason, "notification refused");
        }
    });
    count(NOTIFICATIONS, &[("outcome", outcome)]);
}

fn outcome(error: Option<&Error>) -> &'static str {
    error.map_or("done", |error| error.kind().name())
}

/// Tells the recorder what the names mean, as often as a client is built.
pub(crate) fn describe() {
    #[cfg(feature = "metrics")]
    {
        use metrics::{Unit, describe_counter, describe_histogram};
        describe_counter!(
            ATTEMPTS,
            Unit::Count,
            "requests to the platform, by operation and outcome"
        );
        describe_histogram!(
            ATTEMPT_SECONDS,
            Unit::Seconds,
            "time from a request to its verified answer or failure, by operation and outcome"
        );
        describe_counter!(
            DOWNLOADS,
            Unit::Count,
            "downloads of platform certificates, by outcome"
        );
        describe_counter!(
            NOTIFICATIONS,
            Unit::Count,
            "notifications that arrived, by outcome"
        );
    }
}

/// Counts one; without the feature nobody counts.
fn count<const N: usize>(name: &'static str, labels: &[(&'static str, &'static str); N]) {
    #[cfg(feature = "metrics")]
    metrics::counter!(name, labels).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (name, labels);
}

const ATTEMPTS: &str = "wxmember_attempts_total";
#[cfg(feature = "metrics")]
const ATTEMPT_SECONDS: &str = "wxmember_attempt_seconds";
const DOWNLOADS: &str = "wxmember_certificate_downloads_total";
const NOTIFICATIONS: &str = "wxmember_notifications_total";
