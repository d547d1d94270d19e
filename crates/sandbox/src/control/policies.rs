//! What the sandbox does where the public documents are silent: looked at, and chosen while it runs.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    Shared,
    input::{Input, Problem},
};
use crate::{
    lock::locked,
    policy::{Policies, Policy, PolicyChoice, policies},
};

pub(super) async fn list(State(control): Shared) -> Json<Value> {
    Json(shown(&control.gateway.policies()))
}

/// Either every choice that is named is made, or none.
pub(super) async fn choose(
    State(control): Shared,
    Input(named): Input<BTreeMap<String, String>>,
) -> Result<Json<Value>, Problem> {
    let chosen = named
        .iter()
        .map(|(name, choice)| PolicyChoice::named(name, choice));
    let chosen = chosen
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Problem::input(error.to_string()))?;
    let mut now = locked(&control.gateway.policies);
    chosen.into_iter().for_each(|chosen| now.choose(chosen));
    Ok(Json(shown(&now)))
}

fn shown(now: &Policies) -> Value {
    let table: Vec<_> = policies().iter().map(Policy::as_json).collect();
    json!({"policies": now.as_json(), "table": table})
}
