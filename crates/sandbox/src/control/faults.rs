//! Faults while the sandbox runs: listed, added, taken away.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Shared,
    input::{Input, Problem},
};
use crate::{
    fault::{Fault, FaultRate, Listed, When, kinds as every_kind, name_of, named, share_of},
    operations::play_of,
};

/// A fault for the next answers, or for a share of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFault {
    fault: String,
    seconds: Option<i64>,
    operation: Option<String>,
    answers: Option<u64>,
    share: Option<String>,
    seed: Option<u64>,
}

pub(super) async fn kinds() -> Json<Value> {
    let kinds = every_kind().map(|kind| {
        json!({
            "fault": kind.name,
            "commits": kind.fault.commits(),
            "takes_seconds": kind.takes_seconds(),
            "zh": kind.zh,
            "en": kind.en,
        })
    });
    Json(json!({ "kinds": kinds.collect::<Vec<_>>() }))
}

pub(super) async fn list(State(control): Shared) -> Json<Value> {
    let faults: Vec<_> = control.gateway.faults.list().iter().map(shown).collect();
    Json(json!({ "faults": faults }))
}

pub(super) async fn add(
    State(control): Shared,
    Input(new): Input<NewFault>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let fault = named(&new.fault, new.seconds).map_err(|error| Problem::input(error.to_string()))?;
    if new.operation.as_deref().is_some_and(|id| play_of(id).is_none()) {
        let error = "no such operation; the API document has ids such as `import_by_phone`";
        return Err(Problem::input(error));
    }
    let faults = &control.gateway.faults;
    let id = match (new.share, new.answers) {
        (Some(_), Some(_)) => {
            return Err(Problem::input("give `answers` or `share`, not both"));
        }
        (None, _) if new.seed.is_some() => return Err(Problem::input("`seed` belongs to `share`")),
        (Some(share), None) => {
            let share = share_of(&share).map_err(|error| Problem::input(error.to_string()))?;
            let mut rate = FaultRate::new(fault, share, new.seed.unwrap_or(0));
            if let Some(operation) = &new.operation {
                rate = rate.with_operation(operation);
            }
            faults.push_rate(rate)
        }
        (None, Some(0)) => return Err(Problem::input("`answers` must be at least 1")),
        (None, answers) => faults.push(fault, new.operation.as_deref(), answers.unwrap_or(1)),
    };
    let added = faults.list().into_iter().find(|listed| listed.id == id);
    // An answer may have used it up already.
    let added = added
        .as_ref()
        .map_or_else(|| json!({"id": id, "fault": name_of(fault)}), shown);
    Ok((StatusCode::CREATED, Json(added)))
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

fn shown(listed: &Listed) -> Value {
    let mut fault =
        json!({"id": listed.id, "fault": name_of(listed.fault), "commits": listed.fault.commits()});
    if let Some(operation) = &listed.operation {
        fault["operation"] = operation.as_str().into();
    }
    match listed.fault {
        Fault::RateLimitedFor { seconds } => fault["seconds"] = seconds.into(),
        Fault::ShiftedClock { seconds } | Fault::WrongDate { seconds } => fault["seconds"] = seconds.into(),
        _ => {}
    }
    match listed.when {
        When::Next { answers } => fault["answers"] = answers.into(),
        When::Share { per_million, seed } => {
            fault["share"] = format!("{}%", f64::from(per_million) / 10_000.0).into();
            fault["seed"] = seed.into();
        }
    }
    fault
}
