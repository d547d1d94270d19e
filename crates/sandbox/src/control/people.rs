//! What people do on their phones, told by a test.

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Shared,
    input::{Input, Problem},
    look,
};
use crate::{explanation::Personal, lock::locked, operations::membercard_open};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Taken {
    card_id: String,
    phone_number: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    card_id: String,
    user_card_code: String,
    points: u64,
}

/// A card that is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Held {
    card_id: String,
    user_card_code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opened {
    token: String,
}

pub(super) async fn take_card(
    State(control): Shared,
    Input(taken): Input<Taken>,
) -> Result<Json<Value>, Problem> {
    let gateway = &control.gateway;
    let member = gateway
        .take_card(&taken.card_id, &taken.phone_number)
        .map_err(Problem::rule)?;
    Ok(Json(look::shown(
        &member,
        gateway.clock.date_time(),
        Personal::Masked,
    )))
}

pub(super) async fn ask_for_exchange(
    State(control): Shared,
    Input(Exchange {
        card_id,
        user_card_code,
        points,
    }): Input<Exchange>,
) -> Result<Json<Value>, Problem> {
    let asked = control
        .gateway
        .ask_for_exchange(&card_id, &user_card_code, points);
    asked.map(Json).map_err(Problem::rule)
}

pub(super) async fn delete_card(
    State(control): Shared,
    Input(held): Input<Held>,
) -> Result<Json<Value>, Problem> {
    let gateway = &control.gateway;
    let member = gateway
        .delete_card(&held.card_id, &held.user_card_code)
        .map_err(Problem::rule)?;
    Ok(Json(look::shown(
        &member,
        gateway.clock.date_time(),
        Personal::Masked,
    )))
}

pub(super) async fn look_at_points(
    State(control): Shared,
    Input(held): Input<Held>,
) -> Result<Json<Value>, Problem> {
    let asked = control
        .gateway
        .look_at_points(&held.card_id, &held.user_card_code);
    asked.map(Json).map_err(Problem::rule)
}

pub(super) async fn open_component(State(control): Shared, Input(opened): Input<Opened>) -> Json<Value> {
    let now = control.gateway.clock.date_time();
    let opens = locked(&control.gateway.state).tokens.open(&opened.token, now);
    Json(json!({ "opens": opens }))
}

pub(super) async fn take_membercard(
    State(control): Shared,
    Input(taken): Input<Taken>,
) -> Result<Json<Value>, Problem> {
    let taken = control
        .gateway
        .on_scene(|scene| Ok(membercard_open::take(scene, &taken.card_id, &taken.phone_number)));
    let taken = taken.map_err(Problem::rule)?;
    Ok(Json(json!({ "taken": taken })))
}
