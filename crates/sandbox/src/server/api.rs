//! The API address: reads bodies within bounds, and answers on as many threads as there are cores.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, Response},
};
use hyper::body::{Body as _, Incoming};
use tokio::{
    sync::{Semaphore, watch},
    task::spawn_blocking,
    time::{Instant, timeout, timeout_at},
};

use super::{Closed, Connection};
use crate::{
    gateway::{Gateway, Head},
    refusal::Refusal,
    reply::Reply,
    rule,
};

/// The API, and how much of it runs at once.
#[derive(Debug)]
pub(crate) struct Api {
    gateway: Arc<Gateway>,
    /// An answer is some milliseconds of RSA: it runs off the runtime's threads, on as many as there are cores.
    cores: Semaphore,
    /// Large bodies that are held at once.
    bodies: Semaphore,
    stop: watch::Receiver<bool>,
}

impl Api {
    pub(crate) fn new(gateway: Arc<Gateway>, stop: watch::Receiver<bool>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            gateway,
            cores: Semaphore::new(cores),
            bodies: Semaphore::new(LARGE_BODIES),
            stop,
        }
    }

    pub(super) async fn serve(
        &self,
        request: Request<Incoming>,
        connection: &Connection,
    ) -> Result<Response<Body>, Closed> {
        let (parts, body) = request.into_parts();
        let target = parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str())
            .to_owned();
        let head = Head {
            method: parts.method,
            target,
            headers: parts.headers,
        };
        if let Some(reply) = self.gateway.greet(&head) {
            return self.response(reply, connection).await;
        }
        let deadline = Instant::now() + BODY_TIMEOUT;
        let length = body.size_hint();
        if length.lower() > LARGEST_BODY as u64 {
            let refusal = Refusal::from(&rule::BODY_TOO_LARGE);
            let reply = self.gateway.refuse(&head, None, &refusal);
            return self.response(reply, connection).await;
        }
        // Held until the answer is made, so that memory is bounded whatever comes at once.
        let _large = match length.upper() {
            Some(length) if length <= SMALL_BODY => None,
            _ => Some(
                timeout_at(deadline, self.bodies.acquire())
                    .await
                    .map_err(|_| Closed)?,
            ),
        };
        let body = match timeout_at(deadline, axum::body::to_bytes(Body::new(body), LARGEST_BODY)).await {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => {
                let is_too_large = is_length_limit(&error);
                let rule = if is_too_large {
                    &rule::BODY_TOO_LARGE
                } else {
                    &rule::BODY_INCOMPLETE
                };
                let reply = self.gateway.refuse(&head, None, &rule.into());
                return self.response(reply, connection).await;
            }
            Err(_) => return Err(Closed),
        };
        let at_work = connection.place.at_work();
        let core = self.cores.acquire().await.map_err(|_| Closed)?;
        let gateway = Arc::clone(&self.gateway);
        let reply = spawn_blocking(move || gateway.answer(&head, &body)).await;
        drop((core, at_work));
        self.response(reply.map_err(|_| Closed)?, connection).await
    }

    async fn response(&self, reply: Reply, connection: &Connection) -> Result<Response<Body>, Closed> {
        match reply {
            Reply::Answer(answer) => Ok(answer.into_response()),
            Reply::Closed => Err(Closed),
            Reply::Reset => {
                connection.reset();
                Err(Closed)
            }
            Reply::Stalled => {
                let mut stop = self.stop.clone();
                // Either way of ending is an end.
                let _ = timeout(LONGEST_STALL, stop.wait_for(|stop| *stop)).await;
                Err(Closed)
            }
        }
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// 1 MiB; the largest real request has some tens of KiB.
const LARGEST_BODY: usize = 1 << 20;
/// A body of this size or less is read without waiting for others; the largest real one has some tens of KiB.
const SMALL_BODY: u64 = 64 << 10;
/// 64 MiB of large bodies at most.
const LARGE_BODIES: usize = 64;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
const LONGEST_STALL: Duration = Duration::from_secs(60);
