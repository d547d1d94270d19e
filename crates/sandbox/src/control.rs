//! The control address: what a test in any language asks the sandbox. Personal fields are masked unless asked for.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
};

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::StatusCode,
    routing::get,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use wxmember_crypto::{FormValue, Plaintext};

use crate::{gateway::Gateway, journal::JournalEntry, lock::locked, member::Member};

pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/journal", get(journal))
        .route("/members", get(members))
        .method_not_allowed_fallback(|| async {
            error(StatusCode::METHOD_NOT_ALLOWED, "only GET is allowed here")
        })
        .fallback(|| async {
            error(
                StatusCode::NOT_FOUND,
                "unknown path; try /health, /members or /journal",
            )
        })
        .with_state(gateway)
}

async fn health(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    let members = locked(&gateway.state).members.len();
    Json(json!({
        "status": "ok",
        "requests": gateway.requests.load(Ordering::Relaxed),
        "members": members,
        "faults": gateway.faults.waiting(),
    }))
}

async fn members(State(gateway): State<Arc<Gateway>>, RawQuery(query): RawQuery) -> Json<Value> {
    let reveal = query.is_some_and(|query| query.split('&').any(|pair| pair == "reveal=true"));
    let members = locked(&gateway.state).members.all();
    let now = gateway.clock.date_time();
    let shown: Vec<_> = members.iter().map(|member| shown(member, now, reveal)).collect();
    Json(json!({"count": shown.len(), "members": shown}))
}

async fn journal(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    let entries = gateway.journal.entries();
    let requests: Vec<_> = entries.iter().map(written).collect();
    Json(json!({ "requests": requests }))
}

fn written(entry: &JournalEntry) -> Value {
    json!({
        "number": entry.number,
        "operation": entry.operation,
        "method": entry.method,
        "target": entry.target,
        "status": entry.status,
        "request_id": entry.request_id,
        "nonce": entry.nonce,
        "timestamp": entry.timestamp,
        "platform_serial": entry.platform_serial,
        "rule": entry.rule,
        "fault": entry.fault.map(|fault| format!("{fault:?}")),
    })
}

fn shown(member: &Member, now: OffsetDateTime, reveal: bool) -> Value {
    let write = |value: &FormValue| {
        let text = if reveal { value.expose() } else { MASK };
        Ok::<_, Infallible>(text.to_owned())
    };
    let mut card = member
        .shown(now)
        .filled(write)
        .unwrap_or_else(|never| match never {});
    card["repeats"] = member.repeats.into();
    card
}

fn error(status: StatusCode, message: &'static str) -> (StatusCode, Json<Value>) {
    (status, Json(json!({"error": message})))
}

const MASK: &str = "***";
