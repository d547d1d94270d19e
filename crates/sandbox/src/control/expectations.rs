//! What a test expects to have arrived, held against what did.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Shared,
    input::{Input, Problem},
};
use crate::{lock::locked, operations::play_of};

/// Requests of an operation, or members; exactly, at least, at most.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectation {
    operation: Option<String>,
    /// Of the requests, those that were answered with this status.
    status: Option<u16>,
    count: Option<u64>,
    at_least: Option<u64>,
    at_most: Option<u64>,
    members: Option<u64>,
}

pub(super) async fn assert(
    State(control): Shared,
    Input(expected): Input<Expectation>,
) -> Result<Json<Value>, Problem> {
    let gateway = &control.gateway;
    if let Some(members) = expected.members {
        if expected.operation.is_some() {
            return Err(Problem::input("give `operation` or `members`, not both"));
        }
        let found = u64::try_from(locked(&gateway.state).members.len()).unwrap_or(u64::MAX);
        return held("members", found, Bounds::exactly(members), json!({}));
    }
    let Some(operation) = expected.operation.as_deref() else {
        return Err(Problem::input(
            "give `operation` with `count`, `at_least` or `at_most`, or `members`",
        ));
    };
    if play_of(operation).is_none() {
        let error = "no such operation; the API document has ids such as `import_by_phone`";
        return Err(Problem::input(error));
    }
    let bounds = match (expected.count, expected.at_least, expected.at_most) {
        (Some(count), None, None) => Bounds::exactly(count),
        (None, None, None) | (Some(_), _, _) => {
            return Err(Problem::input("give `count`, or `at_least` and `at_most`"));
        }
        (None, at_least, at_most) => Bounds {
            least: at_least.unwrap_or(0),
            most: at_most.unwrap_or(u64::MAX),
        },
    };
    let tally = gateway.journal.tally(operation);
    let counted = tally
        .iter()
        .filter(|(status, _)| expected.status.is_none() || **status == expected.status);
    let found = counted.map(|(_, count)| count).sum();
    let by_status: BTreeMap<_, _> = tally
        .iter()
        .map(|(status, count)| {
            let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
            (status, *count)
        })
        .collect();
    held("requests", found, bounds, json!({ "by_status": by_status }))
}

#[derive(Clone, Copy)]
struct Bounds {
    least: u64,
    most: u64,
}

impl Bounds {
    fn exactly(count: u64) -> Self {
        Self {
            least: count,
            most: count,
        }
    }
}

fn held(what: &str, found: u64, bounds: Bounds, details: Value) -> Result<Json<Value>, Problem> {
    let Bounds { least, most } = bounds;
    let (sentence, difference) = if found < least {
        (
            format!("{} {what} are missing", least - found),
            -signed(least - found),
        )
    } else if found > most {
        (
            format!("{} {what} are too many", found - most),
            signed(found - most),
        )
    } else {
        let mut held = json!({"holds": true, "found": found});
        if let (Value::Object(held), Value::Object(details)) = (&mut held, details) {
            held.extend(details);
        }
        return Ok(Json(held));
    };
    let mut problem = Problem::new(StatusCode::CONFLICT, sentence)
        .with("holds", false)
        .with("found", found)
        .with("difference", difference);
    if let Value::Object(details) = details {
        for (name, value) in details {
            problem = problem.with(&name, value);
        }
    }
    Err(problem)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
