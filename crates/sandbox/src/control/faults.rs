//! Faults while the sandbox runs: listed, added, taken away.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};

use super::{
    Shared,
    input::{Input, Problem},
};
use crate::{
    fault::{FaultRule, Listed, When, Written, kinds_as_json},
    gateway::NegativeTest,
};

/// What there is to be added.
pub(super) async fn kinds(State(control): Shared) -> Json<Value> {
    let header = match control.gateway.negative_test {
        NegativeTest::Ignored => Value::Null,
        // Header names are ASCII in any case; this is how documents write it.
        NegativeTest::Obeyed => "Wechatpay-Negative-Test".into(),
    };
    Json(json!({"header": header, "fault_kinds": kinds_as_json()}))
}

pub(super) async fn list(State(control): Shared) -> Json<Value> {
    let gateway = &control.gateway;
    let faults = gateway.faults.list(gateway.clock.elapsed());
    Json(json!({ "faults": faults.iter().map(shown).collect::<Vec<_>>() }))
}

pub(super) async fn add(
    State(control): Shared,
    Input(written): Input<Written>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let rule = FaultRule::try_from(written).map_err(|error| Problem::input(error.to_string()))?;
    let gateway = &control.gateway;
    let id = gateway.faults.push(rule.clone(), gateway.clock.elapsed());
    Ok((StatusCode::CREATED, Json(shown(&Listed { id, rule }))))
}

pub(super) async fn clear(State(control): Shared) -> StatusCode {
    control.gateway.faults.clear();
    StatusCode::NO_CONTENT
}

pub(super) async fn remove(State(control): Shared, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let was_there = id.parse().is_ok_and(|id| control.gateway.faults.remove(id));
    match was_there {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no such fault, or it is used up; GET /faults lists them",
        )),
    }
}

fn shown(Listed { id, rule }: &Listed) -> Value {
    let mut shown = json!({"id": id, "fault": rule.fault.name(), "commits": rule.fault.commits()});
    if let Some(operation) = &rule.operation {
        shown["operation"] = operation.as_str().into();
    }
    if let Some((name, value)) = rule.fault.parameter() {
        shown[name] = value.into();
    }
    match rule.when {
        When::For { seconds } => shown["for_seconds"] = seconds.into(),
        When::Next { answers } => shown["answers"] = answers.into(),
        When::Share {
            per_million,
            seed,
            burst,
        } => {
            shown["share"] = format!("{}%", f64::from(per_million) / 10_000.0).into();
            shown["seed"] = seed.into();
            shown["burst"] = burst.into();
        }
    }
    shown
}
