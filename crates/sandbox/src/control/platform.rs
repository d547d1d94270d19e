//! The platform's own side: its clock and its keys.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use wxmember_crypto::KeyId;

use super::{
    Shared,
    input::{Input, Problem},
};
use crate::{
    clock::Clock,
    platform::{PlatformCertificate, PlatformPublicKey, PublicKeyError},
    sandbox::{
        StartError, retire as retire_certificate, rotate as rotate_certificate,
        rotate_public_key as rotate_key,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shift {
    shift_seconds: i64,
}

pub(super) async fn clock(State(control): Shared) -> Json<Value> {
    Json(shown(&control.gateway.clock))
}

pub(super) async fn set_clock(
    State(control): Shared,
    Input(shift): Input<Shift>,
) -> Result<Json<Value>, Problem> {
    let clock = &control.gateway.clock;
    clock
        .set_shift(shift.shift_seconds)
        .map_err(|error| Problem::input(format!("`shift_seconds`: {error}")))?;
    Ok(Json(shown(&control.gateway.clock)))
}

pub(super) fn shown(clock: &Clock) -> Value {
    json!({
        "unix_seconds": clock.unix_seconds(),
        "time": clock.rfc_3339(),
        "shift_seconds": clock.shift_seconds(),
    })
}

pub(super) async fn certificates(State(control): Shared) -> Json<Value> {
    let platform = &control.gateway.registry.platform;
    let now = control.gateway.clock.unix_seconds();
    let certificates = platform.certificates();
    let certificates: Vec<_> = certificates
        .iter()
        .map(|certificate| written(certificate, now))
        .collect();
    let public_key_id = platform.public_key().map(|key| key.id);
    Json(json!({"public_key_id": public_key_id, "certificates": certificates}))
}

pub(super) async fn rotate(State(control): Shared) -> Result<(StatusCode, Json<Value>), Problem> {
    let now = control.gateway.clock.unix_seconds();
    // Making an RSA key takes some 50 ms of a core.
    let rotated = spawn_blocking(move || rotate_certificate(&control.gateway, control.folder.as_deref()));
    let rotated = rotated
        .await
        .unwrap_or(Err(StartError::Stopped))
        .map_err(|error| failed(&error))?;
    Ok((StatusCode::CREATED, Json(written(&rotated, now))))
}

pub(super) async fn retire(
    State(control): Shared,
    Path(serial): Path<String>,
) -> Result<StatusCode, Problem> {
    match retire_certificate(&control.gateway, control.folder.as_deref(), &serial) {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no such certificate; GET /platform-certificates lists them",
        )),
        Err(error) => Err(failed(&error)),
    }
}

pub(super) async fn rotate_public_key(State(control): Shared) -> Result<(StatusCode, Json<Value>), Problem> {
    let rotated = spawn_blocking(move || rotate_key(&control.gateway));
    let rotated = rotated.await.unwrap_or(Err(PublicKeyError::Stopped));
    let PlatformPublicKey { id, pem } = rotated.map_err(|error| not_done(&error))?;
    Ok((StatusCode::CREATED, Json(json!({"id": id, "pem": pem}))))
}

pub(super) async fn retire_public_key(
    State(control): Shared,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let retired = control
        .gateway
        .registry
        .platform
        .retire_public_key(&KeyId::new(&id));
    retired.map_err(|error| not_done(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn not_done(error: &PublicKeyError) -> Problem {
    let status = match error {
        PublicKeyError::Current | PublicKeyError::NoPublicKey => StatusCode::CONFLICT,
        PublicKeyError::Unknown => {
            let error = format!("{error}; GET /state lists the ids of all keys");
            return Problem::new(StatusCode::NOT_FOUND, error);
        }
        PublicKeyError::NewKey(_) | PublicKeyError::Stopped => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Problem::new(status, error.to_string())
}

fn written(certificate: &PlatformCertificate, now: i64) -> Value {
    let (first, last) = (seconds(certificate.not_before), seconds(certificate.not_after));
    json!({
        "serial": certificate.serial,
        "pem": certificate.pem,
        "not_before": first,
        "not_after": last,
        "is_valid": (first..=last).contains(&now),
    })
}

fn seconds(time: SystemTime) -> i64 {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

fn failed(error: &StartError) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
