//! The policy behind the raw client's hooks, for one attempt of one call: which key signs, which keys are believed, by
//! which clock.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use http::HeaderMap;
use wxmember_client::{Pipeline, Step, Unsigned};
use wxmember_crypto::KeyId;
use wxmember_signing::{Authorization, Request, SignatureHeaders, Verified, VerifyError, verify};

use crate::{Operation, core::Core};

/// One attempt of one call.
#[derive(Debug)]
pub(crate) struct Attempt {
    core: Arc<Core>,
    operation: Operation,
    timeout: Duration,
    seen: Mutex<Seen>,
}

/// What is known of an exchange however it ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) status: Option<u16>,
    pub(crate) request_id: Option<String>,
    /// How long the platform asks to wait.
    pub(crate) retry_after: Option<Duration>,
    /// Seconds that the platform's clock was ahead, by the `Date` of a refusal.
    pub(crate) clock_offset: Option<i64>,
}

impl Attempt {
    pub(crate) fn new(core: Arc<Core>, operation: Operation, timeout: Duration) -> Self {
        Self {
            core,
            operation,
            timeout,
            seen: Mutex::default(),
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Pipeline for Attempt {
    fn authorize<'a>(&'a self, request: Request<'a>) -> Step<'a, Result<Authorization, Unsigned>> {
        Box::pin(async move {
            // A URL can lead elsewhere than it was built for, by dots or backslashes in a parameter. Each kind that is known
            // is refused or encoded before; whatever is not known ends here, before it is signed.
            let path = request.target.split('?').next().unwrap_or_default();
            if self.operation.is_documented() && !self.operation.has_path(path) {
                return Err(Unsigned::new(AnotherPath));
            }
            self.core.authorize(request, self.timeout).await
        })
    }

    fn verify<'a>(
        &'a self,
        headers: SignatureHeaders<'a>,
        body: &'a [u8],
    ) -> Step<'a, Result<Verified, VerifyError>> {
        Box::pin(async move {
            let now = self.core.clock.now();
            let verified = verify(&headers, body, now, &*self.core.keys.snapshot());
            match verified {
                Err(VerifyError::UnknownKey { key }) if self.core.learn_key_of_answer(&key).await => {
                    verify(&headers, body, now, &*self.core.keys.snapshot())
                }
                other => other,
            }
        })
    }

    fn note(&self, status: u16, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let now = self.core.clock.now().0;
        let date = text("date").and_then(unix_seconds);
        let offset = date
            .filter(|_| status >= 400)
            .map(|date| date.saturating_sub(now));
        if let Some(offset) = offset {
            self.core.offset.learn(offset);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Seen {
            status: Some(status),
            request_id: text("request-id").map(|id| id.chars().take(128).collect()),
            retry_after: text("retry-after").and_then(|wait| retry_after(wait, date.unwrap_or(now))),
            clock_offset: offset,
        };
    }

    fn answer_key(&self) -> Option<KeyId> {
        self.core.sealing_key_id()
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn user_agent(&self) -> &str {
        &self.core.user_agent
    }

    fn body_limit(&self) -> usize {
        self.core.body_limit
    }
}

/// The Unix time of a date as HTTP writes it.
fn unix_seconds(date: &str) -> Option<i64> {
    let date = httpdate::parse_http_date(date.trim()).ok()?;
    i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date, of which `now` is subtracted. A date that has passed asks for
/// no wait.
fn retry_after(text: &str, now: i64) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = unix_seconds(text)?.saturating_sub(now);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// The URL would lead to another operation than the one that is called.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a path parameter would lead to another operation")]
pub(crate) struct AnotherPath;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: Option<u64>) {
        // Sun, 06 Nov 1994 08:49:37 GMT.
        let now = 784_111_777;
        assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_as_a_date() {
        check("7", Some(7));
        check(" 0 ", Some(0));
        check("Sun, 06 Nov 1994 08:50:07 GMT", Some(30));
        // The two older forms that a reader has to know.
        check("Sunday, 06-Nov-94 08:50:07 GMT", Some(30));
        check("Sun Nov  6 08:50:07 1994", Some(30));
        check("Sun, 06 Nov 1994 08:49:07 GMT", Some(0));
        for text in ["", "-1", "1.5", "soon", "Sun, 06 Nov 1994"] {
            check(text, None);
        }
    }
}
