//! Why a signature of the platform is accepted or not: each check by name, and what would have to be different.
//!
//! The judge is the verifier that every answer meets; this only asks it again under other assumptions.

use serde::Serialize;
use wxmember::{KeyId, PlatformKey, UnixSeconds, VerifyError};
use wxmember_signing::{Keyring, SignatureHeaders, TIME_WINDOW, verify};

mod guess;

/// The keys to verify with.
pub(crate) struct Known(pub(crate) Vec<(KeyId, PlatformKey)>);

impl Keyring for Known {
    fn key(&self, id: &KeyId) -> Option<&PlatformKey> {
        self.0
            .iter()
            .find_map(|(known, key)| (known == id).then_some(key))
    }
}

/// One check and how it ended.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Step {
    pub(crate) check: &'static str,
    pub(crate) ok: bool,
    pub(crate) note: String,
}

/// What came of all checks.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    /// Of its JSON; it grows when a field changes its meaning or goes.
    format_version: u32,
    pub(crate) verified: bool,
    pub(crate) steps: Vec<Step>,
    /// What would make it verify.
    pub(crate) hint: Option<String>,
}

/// Verifies a signature over `body` as it came, and goes on after a wrong time, since that says nothing of the rest.
pub(crate) fn judge(headers: &SignatureHeaders<'_>, body: &[u8], now: UnixSeconds, known: &Known) -> Verdict {
    let mut steps = Vec::new();
    let mut step = |check, ok, note: String| steps.push(Step { check, ok, note });
    let at_once = verify(headers, body, now, known);
    if let Err(error @ VerifyError::MissingHeader { .. }) = &at_once {
        step("headers", false, error.to_string());
        return Verdict::of(
            steps,
            Some("give all four headers, and the body as it came".to_owned()),
        );
    }
    step("headers", true, "all four are there".to_owned());
    if let Err(error @ VerifyError::MalformedTimestamp) = &at_once {
        step("timestamp", false, error.to_string());
        return Verdict::of(steps, None);
    }
    let signed_at = UnixSeconds(headers.timestamp.unwrap_or_default().parse().unwrap_or_default());
    let ahead = signed_at.ahead_of(now);
    let is_in_time = signed_at.is_within_window_of(now);
    step("timestamp", is_in_time, time_note(ahead));
    // Judged at the moment of the signature, when the time was wrong.
    let outcome = match is_in_time {
        true => at_once,
        false => verify(headers, body, signed_at, known),
    };
    let hint = match &outcome {
        Ok(verified) => {
            step("key", true, format!("{} is known", verified.key));
            step(
                "signature",
                true,
                format!("matches the body of {} bytes", body.len()),
            );
            (!is_in_time).then(|| {
                "set this machine's clock; for an answer that was kept, say when it came with `--received-at`"
                    .to_owned()
            })
        }
        Err(VerifyError::UnknownKey { key }) => {
            let ids: Vec<_> = known.0.iter().map(|(id, _)| id.as_str()).collect();
            step(
                "key",
                false,
                format!("{key} is not known here; known is {}", ids.join(", ")),
            );
            guess::explain(headers, body, signed_at, known)
        }
        Err(error) => {
            if let VerifyError::Probe { key }
            | VerifyError::NotBase64 { key }
            | VerifyError::Mismatch { key } = error
            {
                step("key", true, format!("{key} is known"));
            }
            step("signature", false, error.to_string());
            match error {
                VerifyError::Mismatch { .. } => guess::explain(headers, body, signed_at, known)
                    .or_else(|| Some(raw_bytes(body).to_owned())),
                VerifyError::Probe { .. } => {
                    Some("send the request again: probes are never repeated".to_owned())
                }
                _ => None,
            }
        }
    };
    Verdict::of(steps, hint)
}

impl Verdict {
    fn of(steps: Vec<Step>, hint: Option<String>) -> Self {
        Self {
            format_version: 1,
            verified: steps.iter().all(|step| step.ok),
            steps,
            hint,
        }
    }
}

/// What most often makes a body another one.
fn raw_bytes(body: &[u8]) -> &'static str {
    match body {
        [] => {
            "the body is empty; save the raw bytes, for example with `curl -o`, and name that file with `--body`"
        }
        _ => {
            "the body or a header is not what was signed; save the raw bytes, for example with `curl -o`; never \
             re-serialise"
        }
    }
}

fn time_note(ahead: i64) -> String {
    let limit = TIME_WINDOW.as_secs();
    match ahead {
        0 => format!("signed in the second it was received (limit {limit} s)"),
        1.. => format!("signed {ahead} s after it was received, by our clock (limit {limit} s)"),
        _ => format!(
            "signed {} s before it was received (limit {limit} s)",
            ahead.unsigned_abs()
        ),
    }
}

#[cfg(test)]
mod tests;
