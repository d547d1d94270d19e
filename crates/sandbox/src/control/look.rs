//! What can be looked at: health, state, members, the journal, and one request explained.

use std::{collections::BTreeMap, convert::Infallible, sync::atomic::Ordering};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use wxmember_crypto::{FormValue, Plaintext};

use super::{
    Shared,
    input::{Problem, Query},
    platform,
};
use crate::{
    explanation::{MASK, Personal, explain, written},
    lock::locked,
    member::{Card, Member, store::Listing},
    quota::Buckets,
};

pub(super) async fn health(State(control): Shared) -> Json<Value> {
    let gateway = &control.gateway;
    let members = locked(&gateway.state).members.len();
    Json(json!({
        "status": "ok",
        "requests": gateway.requests.load(Ordering::Relaxed),
        "members": members,
        "faults": gateway.faults.waiting(),
    }))
}

pub(super) async fn credentials(State(control): Shared, query: Query) -> Result<Json<Value>, Problem> {
    let personal = query.only(&["reveal"])?.personal()?;
    // A fault may have rotated the key since the start.
    let public_key = control.gateway.registry.platform.public_key();
    let merchants = control.merchants.iter().map(|held| {
        let public_key = public_key.as_ref();
        json!({
            "mchid": held.mchid,
            "merchant_serial": held.merchant_serial,
            "merchant_certificate_pem": held.merchant_certificate_pem,
            "merchant_key_pem": personal.shown(&held.merchant_key_pem),
            "apiv3_key": personal.shown(&held.apiv3_key),
            "platform_key_id": public_key.map_or(&held.platform_key_id, |key| &key.id),
            "platform_key_pem": public_key.map_or(&held.platform_key_pem, |key| &key.pem),
            "brand_id": held.brand_id,
            "card_id": held.card_id,
        })
    });
    Ok(Json(json!({ "merchants": merchants.collect::<Vec<_>>() })))
}

pub(super) async fn state(State(control): Shared) -> Json<Value> {
    let gateway = &control.gateway;
    let (now, date) = (gateway.clock.unix_seconds(), gateway.clock.date_time());
    let mut merchants: Vec<_> = gateway.registry.merchants().collect();
    merchants.sort_by_key(|caller| &caller.mchid);
    let merchants = merchants.into_iter().map(|caller| {
        json!({
            "mchid": caller.mchid,
            "serials": caller.serials().collect::<Vec<_>>(),
            "brand_ids": caller.brands(),
        })
    });
    let merchants: Vec<_> = merchants.collect();
    let state = locked(&gateway.state);
    let mut by_state = BTreeMap::<_, u64>::new();
    for of_member in state.members.states(date) {
        *by_state.entry(of_member).or_default() += 1;
    }
    Json(json!({
        "merchants": merchants,
        "platform": {
            "public_key_id": gateway.registry.platform.public_key().map(|key| key.id),
            "usable_key_ids": gateway.registry.platform.usable(now),
        },
        "templates": state.templates.documents().collect::<Vec<_>>(),
        "members": {"count": state.members.len(), "by_state": by_state},
        "clock": platform::shown(&gateway.clock),
        "has_quota": gateway.buckets.is_some(),
    }))
}

pub(super) async fn quota(State(control): Shared) -> Json<Value> {
    let buckets = control.gateway.buckets.as_ref();
    Json(buckets.map_or_else(|| json!({"quota": null, "buckets": []}), Buckets::as_json))
}

pub(super) async fn members(State(control): Shared, query: Query) -> Result<Json<Value>, Problem> {
    let query = query.only(&["card_id", "limit", "offset", "reveal"])?;
    let personal = query.personal()?;
    let gateway = &control.gateway;
    let now = gateway.clock.date_time();
    let offset = size(query.number("offset")?.unwrap_or(0));
    let limit = size(query.number("limit")?.unwrap_or(u64::MAX));
    let mut listing = Listing::new(query.text("card_id"), offset);
    let total = locked(&gateway.state).members.count(&listing);
    let mut members = Vec::new();
    while members.len() < limit {
        let batch = locked(&gateway.state)
            .members
            .batch(&mut listing, limit - members.len());
        if batch.is_empty() {
            break;
        }
        members.extend(batch.into_iter().map(|member| into_shown(member, now, personal)));
        // Others have their turn, also on a runtime of one thread.
        tokio::task::yield_now().await;
    }
    Ok(Json(
        json!({"count": members.len(), "total": total, "members": members}),
    ))
}

pub(super) async fn journal(State(control): Shared, query: Query) -> Result<Json<Value>, Problem> {
    let query = query.only(&["limit", "reveal", "since"])?;
    let personal = query.personal()?;
    let since = query.number("since")?.unwrap_or(0);
    let limit = size(query.number("limit")?.unwrap_or(u64::MAX));
    let entries = control.gateway.journal.entries();
    let last = entries.last().map_or(0, |entry| entry.number);
    let entries = entries.iter().filter(|entry| entry.number > since).take(limit);
    let requests = entries.map(|entry| written(&control.gateway, entry, personal));
    Ok(Json(
        json!({"last": last, "requests": requests.collect::<Vec<_>>()}),
    ))
}

pub(super) async fn request(
    State(control): Shared,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<Value>, Problem> {
    let personal = query.only(&["reveal"])?.personal()?;
    let gateway = &control.gateway;
    match gateway.journal.find(&id) {
        Some((entry, Some(kept))) => Ok(Json(explain(gateway, &entry, &kept, personal))),
        Some((_, None)) => Err(Problem::new(
            StatusCode::GONE,
            "the request is too long ago; the last 256 can be explained",
        )),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no such request; see /journal for the ids of the last 1,024",
        )),
    }
}

pub(super) fn shown(member: &Member, now: OffsetDateTime, personal: Personal) -> Value {
    card(member.shown(now), member.repeats, personal)
}

/// The same, of a member that is not needed any more.
fn into_shown(member: Member, now: OffsetDateTime, personal: Personal) -> Value {
    let repeats = member.repeats;
    card(member.into_shown(now), repeats, personal)
}

fn card(card: Card, repeats: u64, personal: Personal) -> Value {
    let write = |value: &FormValue| {
        let text = match personal {
            Personal::Masked => MASK,
            Personal::Revealed => value.expose(),
        };
        Ok::<_, Infallible>(text.to_owned())
    };
    let mut card = card.filled(write).unwrap_or_else(|never| match never {});
    card["repeats"] = repeats.into();
    card
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
