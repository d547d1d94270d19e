//! What comes to the control address: bounded bodies, query parameters by name, and problems in one shape.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json,
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    explanation::Personal,
    rule::Rule,
    spec::parameters::{Plus, decoded},
};

/// What is wrong, in one sentence.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    body: Value,
}

impl Problem {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            body: json!({"error": error.into()}),
        }
    }

    /// What was asked for is wrong.
    pub(super) fn input(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// A rule of the platform is against it.
    pub(super) fn rule(rule: &Rule) -> Self {
        let problem = Self::new(StatusCode::CONFLICT, rule.en);
        problem.with("rule", rule.id)
    }

    /// Adds a member for programs.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body[name] = value.into();
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

/// A JSON body that fits its type, whatever `Content-Type` says.
pub(super) struct Input<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = match timeout(BODY_TIMEOUT, to_bytes(request.into_body(), LARGEST_BODY)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => {
                let error = "the body ended early, or has more than 64 KiB";
                return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, error));
            }
            Err(_) => {
                let error = "the body did not come within 10 seconds";
                return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, error));
            }
        };
        let input = serde_json::from_slice(&body);
        input.map(Self).map_err(|error| {
            // The parser's words may repeat a value, so that only names pass.
            let what = match error.classify() {
                serde_json::error::Category::Data => named(&error.to_string()),
                _ => "the body is not JSON".to_owned(),
            };
            let (line, column) = (error.line(), error.column());
            Problem::input(format!(
                "{what} (line {line}, column {column}); GET /openapi.json says what this path takes"
            ))
        })
    }
}

/// What a type error says of names; the parser puts them between backticks, and values elsewhere.
fn named(error: &str) -> String {
    let mut parts = error.split('`');
    match (parts.next(), parts.next()) {
        (Some("unknown field "), Some(name)) if crate::body::is_name(name) => {
            format!("`{name}` is not known here")
        }
        (Some("missing field "), Some(name)) => format!("`{name}` is missing"),
        _ => "a member is unknown or has the wrong type".to_owned(),
    }
}

/// The parameters of a query, percent-decoded.
pub(super) struct Query(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let mut parameters = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value, Plus::Blank)
                .ok_or_else(|| Problem::input("the query is not percent-encoded UTF-8"))?;
            parameters.insert(name.to_owned(), value);
        }
        Ok(Self(parameters))
    }
}

impl Query {
    /// Refuses names other than these.
    pub(super) fn only(self, names: &[&str]) -> Result<Self, Problem> {
        match self.0.keys().all(|name| names.contains(&name.as_str())) {
            true => Ok(self),
            false => Err(Problem::input(format!(
                "unknown parameter; this path takes {}",
                names.join(", ")
            ))),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let number = self.text(name).map(str::parse).transpose();
        number.map_err(|_| Problem::input(format!("`{name}` must be a whole number")))
    }

    /// `reveal`, which shows personal fields.
    pub(super) fn personal(&self) -> Result<Personal, Problem> {
        match self.text("reveal") {
            None | Some("false") => Ok(Personal::Masked),
            Some("true") => Ok(Personal::Revealed),
            Some(_) => Err(Problem::input("`reveal` must be `true` or `false`")),
        }
    }
}

const LARGEST_BODY: usize = 64 << 10;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
