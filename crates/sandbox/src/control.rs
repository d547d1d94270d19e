//! The control address: what a test in any language asks the sandbox and tells it to do, as `control/openapi.json` says.
//!
//! Personal fields are masked unless asked for. It must never panic, and whatever is wrong is said in one sentence.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post, put},
};
use serde_json::{Value, json};

use crate::{control::input::Problem, gateway::Gateway, identity::Credentials, rule::rules_as_json, spec};

mod events;
mod expectations;
mod faults;
mod input;
mod look;
mod notifications;
mod page;
mod people;
mod platform;
mod policies;

pub(crate) use self::events::Live;

/// What the control address works on.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) merchants: Arc<[Credentials]>,
    pub(crate) live: Arc<Live>,
}

type Shared = State<Control>;

pub(crate) fn router(control: Control) -> Router {
    let routes = routes().into_iter();
    let router = routes.fold(Router::new(), |router, (_, path, route)| {
        router.route(path, route)
    });
    router
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path has no such method; GET /openapi.json lists them",
            )
        })
        .fallback(|| async {
            Problem::new(
                StatusCode::NOT_FOUND,
                "unknown path; GET /openapi.json lists them",
            )
        })
        .layer(from_fn(refuse_other_pages))
        .layer(from_fn(for_browsers))
        .with_state(control)
}

/// Every route by its method and path, as the document has them.
fn routes() -> Vec<(&'static str, &'static str, MethodRouter<Control>)> {
    vec![
        ("get", "/", get(page::page)),
        ("get", "/api.json", get(api)),
        ("get", "/clock", get(platform::clock)),
        ("put", "/clock", put(platform::set_clock)),
        ("get", "/credentials", get(look::credentials)),
        ("get", "/events", get(events::events)),
        ("post", "/expectations/assert", post(expectations::assert)),
        ("get", "/fault-kinds", get(faults::kinds)),
        ("get", "/faults", get(faults::list)),
        ("post", "/faults", post(faults::add)),
        ("delete", "/faults", delete(faults::clear)),
        ("delete", "/faults/{id}", delete(faults::remove)),
        ("get", "/health", get(look::health)),
        ("get", "/journal", get(look::journal)),
        ("get", "/members", get(look::members)),
        ("get", "/notifications", get(notifications::list)),
        ("post", "/notifications", post(notifications::send)),
        ("post", "/notifications/deliver", post(notifications::deliver)),
        ("get", "/openapi.json", get(document)),
        ("get", "/page/{file}", get(page::file)),
        ("post", "/people/ask-for-exchange", post(people::ask_for_exchange)),
        ("post", "/people/delete-card", post(people::delete_card)),
        ("post", "/people/look-at-points", post(people::look_at_points)),
        ("post", "/people/open-component", post(people::open_component)),
        ("post", "/people/take-card", post(people::take_card)),
        ("post", "/people/take-membercard", post(people::take_membercard)),
        ("get", "/platform-certificates", get(platform::certificates)),
        ("post", "/platform-certificates", post(platform::rotate)),
        (
            "delete",
            "/platform-certificates/{serial}",
            delete(platform::retire),
        ),
        ("post", "/platform-public-key", post(platform::rotate_public_key)),
        (
            "delete",
            "/platform-public-key/{id}",
            delete(platform::retire_public_key),
        ),
        ("get", "/policies", get(policies::list)),
        ("put", "/policies", put(policies::choose)),
        ("get", "/quota", get(look::quota)),
        ("get", "/requests/{id}", get(look::request)),
        ("post", "/reset", post(reset)),
        ("get", "/rules", get(rules)),
        ("get", "/state", get(look::state)),
    ]
}

/// A page of another origin, open in some browser on this machine, may not change anything here; one that has its own
/// name lead here (DNS rebinding) may not even look, since to the browser this is its own origin.
async fn refuse_other_pages(request: Request, next: Next) -> Response {
    if !is_named_as_own(&request) {
        let error = "`Host` must be an IP address, `localhost` or a name without a dot here";
        Problem::new(StatusCode::FORBIDDEN, error).into_response()
    } else if may_come(&request) {
        next.run(request).await
    } else {
        Problem::new(StatusCode::FORBIDDEN, "a page of another origin may only look").into_response()
    }
}

/// Whether `Host` is one that nobody else can have lead here: no name in the public DNS that a stranger registers is
/// without a dot. Whoever sends no `Host` is no browser.
fn is_named_as_own(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    hosts.all(|host| host.to_str().is_ok_and(is_own_name))
}

/// Of a host with or without a port. `localhost` has no dot either.
fn is_own_name(host: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((address, rest)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_end = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
        return is_end && address.parse::<Ipv6Addr>().is_ok();
    }
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let is_name = !name.is_empty() && !name.contains('.');
    is_port(port) && (is_name || name.parse::<Ipv4Addr>().is_ok())
}

fn may_come(request: &Request) -> bool {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let is_own = match header(header::ORIGIN) {
        None => true,
        Some(origin) => origin.split_once("://").map(|(_, host)| host) == header(header::HOST),
    };
    // A stream that nobody may read would only take the place of one that is read.
    let may_look = request.uri().path() != "/events";
    is_own || may_look && matches!(*request.method(), Method::GET | Method::HEAD)
}

/// What a browser must not do with any answer: guess its type, or keep it.
async fn for_browsers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn api() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], spec::DOCUMENT).into_response()
}

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

async fn rules() -> Json<Value> {
    Json(rules_as_json())
}

async fn reset(State(control): Shared) -> Json<Value> {
    control.gateway.reset();
    Json(json!({"status": "ok"}))
}

const DOCUMENT: &str = include_str!("control/openapi.json");

#[cfg(test)]
mod tests;
