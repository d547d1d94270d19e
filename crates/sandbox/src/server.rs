//! Sockets: accepts connections up to a number, serves them, and makes room for new ones.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

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
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tower::ServiceExt;

mod api;
mod places;
mod stream;

pub(crate) use self::api::Api;
use self::{
    places::{Place, Places},
    stream::Stream,
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

/// What a request knows of its connection.
#[derive(Clone, Debug)]
struct Connection {
    place: Arc<Place>,
    /// Whether it ends with a reset.
    reset: Arc<AtomicBool>,
}

impl Connection {
    fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }
}

impl Service {
    async fn serve(
        self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> Result<axum::http::Response<Body>, Closed> {
        connection.place.renew();
        match self {
            Self::Api(api) => api.serve(request, &connection).await,
            Self::Control(router) => {
                // What is still to come from the client is waited for, and does not keep the place.
                let is_whole = request.body().is_end_stream();
                let _at_work = is_whole.then(|| connection.place.at_work());
                router.oneshot(request).await.map_err(|never| match never {})
            }
        }
    }
}

/// A listening address and the task that serves it.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listener {
    /// Serves at most as many connections at once. One that comes beyond takes the place of the one that has waited
    /// longest for its client, and is closed at once when all are at work.
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
    let places = Arc::new(Places::new(connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // An error means that the handle was dropped without a shutdown.
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, _)) => match places.take() {
                Some(place) => serve_connection(stream, service.clone(), &graceful, place),
                None => drop(stream),
            },
            // Out of file descriptors, most likely: wait for some to be closed.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    // What does not finish in time is cut off when the runtime ends.
    let _ = timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
}

fn serve_connection(stream: TcpStream, service: Service, graceful: &GracefulShutdown, place: Place) {
    // Without it, small answers wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let place = Arc::new(place);
    let reset = Arc::new(AtomicBool::new(false));
    let stream = Stream::new(stream, Arc::clone(&reset));
    let of_request = Connection {
        place: Arc::clone(&place),
        reset,
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(move |request: Request<Incoming>| service.clone().serve(request, of_request.clone())),
        );
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // What ends a connection early is the client's business, or a fault's purpose.
        tokio::select! {
            _ = connection => {}
            () = place.lost() => {}
        }
    });
}

/// Also how long an idle connection is kept; below the 90 s of common clients, so that it is the server that closes.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// 64 KiB, so that as many heads as there are places stay below 64 MiB; the largest real one has some hundred bytes.
const LARGEST_HEAD: usize = 64 << 10;
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
