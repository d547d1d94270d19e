//! Notifications by command, and what came of those that were sent.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Shared,
    input::{Input, Problem},
};
use crate::{
    notification::{NotificationOptions, NotificationSignature, PersonalFields},
    outbox::{AttemptOutcome, Delivery, DeliveryState, Sending, Which},
};

/// A notification to send.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNotification {
    url: String,
    event_type: String,
    resource: Value,
    id: Option<String>,
    signature: Option<Signature>,
    seconds: Option<i64>,
    signed_by: Option<String>,
    personal_fields: Option<Fields>,
    #[serde(default)]
    probes: u32,
    #[serde(default)]
    duplicates: u32,
    retries: Option<u32>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Signature {
    Missing,
    Probe,
    ProbeNotBase64,
    Right,
    ShiftedClock,
    UnknownSerial,
    Wrong,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fields {
    Plain,
    Sealed,
}

pub(super) async fn list(State(control): Shared) -> Json<Value> {
    let deliveries = control.gateway.outbox.deliveries();
    let notifications: Vec<_> = deliveries.iter().map(shown).collect();
    Json(json!({ "notifications": notifications }))
}

pub(super) async fn send(
    State(control): Shared,
    Input(new): Input<NewNotification>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if !new.url.starts_with("http://") {
        return Err(Problem::input(
            "`url` must begin with `http://`; the sandbox speaks no TLS, so send to the server behind it",
        ));
    }
    let signature = match (new.signature.unwrap_or(Signature::Right), new.seconds) {
        (Signature::ShiftedClock, Some(seconds)) => NotificationSignature::ShiftedClock { seconds },
        (Signature::ShiftedClock, None) => {
            return Err(Problem::input("the signature `shifted_clock` needs `seconds`"));
        }
        (_, Some(_)) => {
            return Err(Problem::input(
                "`seconds` belongs to the signature `shifted_clock`",
            ));
        }
        (Signature::Missing, None) => NotificationSignature::Missing,
        (Signature::Probe, None) => NotificationSignature::Probe,
        (Signature::ProbeNotBase64, None) => NotificationSignature::ProbeNotBase64,
        (Signature::Right, None) => NotificationSignature::Right,
        (Signature::UnknownSerial, None) => NotificationSignature::UnknownSerial,
        (Signature::Wrong, None) => NotificationSignature::Wrong,
    };
    let mut options = NotificationOptions::default().with_signature(signature);
    if let Some(id) = new.id {
        options = options.with_id(id);
    }
    if let Some(key_id) = new.signed_by {
        options = options.signed_by(&key_id);
    }
    if let Some(fields) = new.personal_fields {
        options = options.with_personal_fields(match fields {
            Fields::Plain => PersonalFields::Plain,
            Fields::Sealed => PersonalFields::Sealed,
        });
    }
    let mut sending = Sending::to(new.url)
        .with_probes(new.probes)
        .with_duplicates(new.duplicates)
        .with_options(options);
    if let Some(retries) = new.retries {
        sending = sending.with_retries(retries);
    }
    let gateway = &control.gateway;
    let delivery = gateway
        .outbox
        .push(gateway, &new.event_type, new.resource, &sending);
    Ok((StatusCode::ACCEPTED, Json(shown(&delivery))))
}

pub(super) async fn deliver(State(control): Shared) -> Json<Value> {
    let gateway = &control.gateway;
    gateway.outbox.deliver(gateway, Which::Waiting).await;
    list(State(control)).await
}

fn shown(delivery: &Delivery) -> Value {
    let attempts = delivery.attempts.iter().map(|attempt| {
        let (outcome, status) = match attempt.outcome {
            AttemptOutcome::Answered { status } => ("answered", Some(status)),
            AttemptOutcome::NoAnswer => ("no_answer", None),
            AttemptOutcome::NoConnection => ("no_connection", None),
            AttemptOutcome::NoTls => ("no_tls", None),
            AttemptOutcome::NotMade => ("not_made", None),
            AttemptOutcome::WrongUrl => ("wrong_url", None),
        };
        json!({
            "unix_seconds": attempt.unix_seconds,
            "signature": match attempt.signature {
                NotificationSignature::Missing => "missing",
                NotificationSignature::Probe => "probe",
                NotificationSignature::ProbeNotBase64 => "probe_not_base64",
                NotificationSignature::Right => "right",
                NotificationSignature::ShiftedClock { .. } => "shifted_clock",
                NotificationSignature::UnknownSerial => "unknown_serial",
                NotificationSignature::Wrong => "wrong",
            },
            "outcome": outcome,
            "status": status,
            "is_taken": attempt.outcome.is_taken(),
        })
    });
    json!({
        "number": delivery.number,
        "id": delivery.id,
        "event_type": delivery.event_type,
        "url": delivery.url,
        "state": match delivery.state {
            DeliveryState::GivenUp => "given_up",
            DeliveryState::Taken => "taken",
            DeliveryState::Waiting => "waiting",
        },
        "attempts": attempts.collect::<Vec<_>>(),
    })
}
