//! Sockets: accepts connections, reads bodies within bounds, and closes connections when a fault says so.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinHandle, spawn_blocking},
    time::{Instant, timeout, timeout_at},
};
use tower::ServiceExt;

use crate::{
    gateway::{Gateway, Head},
    refusal::Refusal,
    reply::Reply,
    rule,
};

/// The connection is to be closed without an answer.
#[derive(Clone, Copy, Debug, Error)]
#[error("the connection is closed without an answer")]
struct Closed;

/// What listens at an address.
#[derive(Clone, Debug)]
pub(crate) enum Service {
    Api(Arc<Api>),
    Control(Router),
}

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

    async fn serve(&self, request: Request<Incoming>) -> Result<axum::http::Response<Body>, Closed> {
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
            return self.response(reply).await;
        }
        let deadline = Instant::now() + BODY_TIMEOUT;
        let length = body.size_hint();
        if length.lower() > LARGEST_BODY as u64 {
            let refusal = Refusal::from(&rule::BODY_TOO_LARGE);
            return self.response(self.gateway.refuse(&head, None, &refusal)).await;
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
                return self
                    .response(self.gateway.refuse(&head, None, &rule.into()))
                    .await;
            }
            Err(_) => return Err(Closed),
        };
        let core = self.cores.acquire().await.map_err(|_| Closed)?;
        let gateway = Arc::clone(&self.gateway);
        let reply = spawn_blocking(move || gateway.answer(&head, &body)).await;
        drop(core);
        self.response(reply.map_err(|_| Closed)?).await
    }

    async fn response(&self, reply: Reply) -> Result<axum::http::Response<Body>, Closed> {
        match reply {
            Reply::Answer(answer) => Ok(answer.into_response()),
            Reply::Closed => Err(Closed),
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

/// A listening address and the task that serves it.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listener {
    /// Serves at most as many connections at once; what comes beyond is closed at once.
    pub(crate) fn spawn(
        listener: TcpListener,
        service: Service,
        connections: usize,
        stop: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let task = tokio::spawn(serve(listener, service, connections, stop));
        Ok(Self { address, task })
    }

    /// Waits until the task has ended; the stop signal was given before.
    pub(crate) async fn ended(&mut self) {
        // A task that panicked has ended as well.
        let _ = (&mut self.task).await;
    }
}

/// Accepts until told to stop, then lets requests in flight finish.
async fn serve(listener: TcpListener, service: Service, connections: usize, mut stop: watch::Receiver<bool>) {
    let connections = Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS)));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // An error means that the handle was dropped without a shutdown.
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, _)) => match Arc::clone(&connections).try_acquire_owned() {
                Ok(place) => serve_connection(stream, service.clone(), &graceful, place),
                Err(_) => drop(stream),
            },
            // Out of file descriptors, most likely: wait for some to be closed.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    // What does not finish in time is cut off when the runtime ends.
    let _ = timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
}

fn serve_connection(
    stream: TcpStream,
    service: Service,
    graceful: &GracefulShutdown,
    place: OwnedSemaphorePermit,
) {
    // Without it, small answers wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(move |request: Request<Incoming>| {
                let service = service.clone();
                async move {
                    match service {
                        Service::Api(api) => api.serve(request).await,
                        Service::Control(router) => {
                            router.oneshot(request).await.map_err(|never| match never {})
                        }
                    }
                }
            }),
        );
    let connection = graceful.watch(connection);
    // What ends a connection early is the client's business, or a fault's purpose.
    tokio::spawn(async move {
        drop(connection.await);
        drop(place);
    });
}

/// 1 MiB; the largest real request has some tens of KiB.
const LARGEST_BODY: usize = 1 << 20;
/// Also how long an idle connection is kept; below the 90 s of common clients, so that it is the server that closes.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// A body of this size or less is read without waiting for others; the largest real one has some tens of KiB.
const SMALL_BODY: u64 = 64 << 10;
/// 64 MiB of large bodies at most.
const LARGE_BODIES: usize = 64;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
const LONGEST_STALL: Duration = Duration::from_secs(60);
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
