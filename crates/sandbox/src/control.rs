//! The control address: what a test in any language asks the sandbox. Personal fields are masked unless asked for.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
};

use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    routing::get,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use wxmember_crypto::{FormValue, Plaintext};

use crate::{
    explanation::{MASK, Personal, explain, written},
    gateway::Gateway,
    lock::locked,
    member::Member,
};

pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/journal", get(journal))
        .route("/members", get(members))
        .route("/requests/{id}", get(request))
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
    let personal = personal(query.as_deref());
    let members = locked(&gateway.state).members.all();
    let now = gateway.clock.date_time();
    let shown: Vec<_> = members
        .iter()
        .map(|member| shown(member, now, personal))
        .collect();
    Json(json!({"count": shown.len(), "members": shown}))
}

async fn journal(State(gateway): State<Arc<Gateway>>, RawQuery(query): RawQuery) -> Json<Value> {
    let entries = gateway.journal.entries();
    let personal = personal(query.as_deref());
    let requests: Vec<_> = entries
        .iter()
        .map(|entry| written(&gateway, entry, personal))
        .collect();
    Json(json!({ "requests": requests }))
}

async fn request(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> (StatusCode, Json<Value>) {
    let personal = personal(query.as_deref());
    match gateway.journal.find(&id) {
        Some((entry, Some(kept))) => (StatusCode::OK, Json(explain(&gateway, &entry, &kept, personal))),
        Some((_, None)) => error(
            StatusCode::GONE,
            "the request is too long ago; the last 256 can be explained",
        ),
        None => error(
            StatusCode::NOT_FOUND,
            "no such request; see /journal for the ids of the last 1,024",
        ),
    }
}

fn personal(query: Option<&str>) -> Personal {
    match query.is_some_and(|query| query.split('&').any(|pair| pair == "reveal=true")) {
        true => Personal::Revealed,
        false => Personal::Masked,
    }
}

fn shown(member: &Member, now: OffsetDateTime, personal: Personal) -> Value {
    let write = |value: &FormValue| {
        let text = match personal {
            Personal::Masked => MASK,
            Personal::Revealed => value.expose(),
        };
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
