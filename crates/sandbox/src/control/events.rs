//! The journal as it is written, by server-sent events.
//!
//! A stream has no buffer of its own: it holds the number of the last request that it told of, and reads on in the
//! journal when its reader has taken what was sent. A slow reader costs nothing and misses what the journal has
//! forgotten meanwhile. Streams end when the sandbox stops, and there are only so many.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{
    Control, Shared,
    input::{Problem, Query},
};
use crate::{
    explanation::{Personal, written},
    gateway::Gateway,
    journal::News,
};

/// What the streams of one sandbox share.
#[derive(Debug)]
pub(crate) struct Live {
    /// Names this start, since the next one counts its requests from 1 again.
    instance: String,
    places: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
}

impl Live {
    pub(crate) fn new(gateway: &Gateway, stop: watch::Receiver<bool>) -> Self {
        Self {
            instance: gateway.tokens.token(),
            places: Arc::new(Semaphore::new(STREAMS)),
            stop,
        }
    }
}

pub(super) async fn events(
    State(control): Shared,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    let query = query.only(&["since"])?;
    let resumed = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let since = resumed.or(query.number("since")?).unwrap_or(0);
    let place = Arc::clone(&control.live.places)
        .try_acquire_owned()
        .map_err(|_| {
            let error = format!(
                "there are {STREAMS} streams already; close one, or ask /journal?since= again and again"
            );
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, error)
        })?;
    let reader = Reader::new(control, since, place);
    let texts = stream::unfold(reader, |mut reader| async move {
        let text = reader.next().await?;
        Some((Ok::<_, Infallible>(text), reader))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream")];
    Ok((headers, Body::from_stream(texts)).into_response())
}

/// One stream.
struct Reader {
    control: Control,
    stop: watch::Receiver<bool>,
    news: watch::Receiver<News>,
    /// The number of the last request that was told of.
    last: u64,
    clears: u64,
    has_greeted: bool,
    /// Given back when the connection is closed.
    _place: OwnedSemaphorePermit,
}

impl Reader {
    fn new(control: Control, since: u64, place: OwnedSemaphorePermit) -> Self {
        let news = control.gateway.journal.news();
        let News { written, clears } = *news.borrow();
        Self {
            stop: control.live.stop.clone(),
            control,
            news,
            // A number that was never given is one of an earlier start.
            last: if since > written { 0 } else { since },
            clears,
            has_greeted: false,
            _place: place,
        }
    }

    /// The next events as text, when there are some; `None` when the sandbox stops.
    async fn next(&mut self) -> Option<String> {
        if !self.has_greeted {
            self.has_greeted = true;
            let hello = json!({
                "instance": self.control.live.instance,
                "since": self.last,
                "clears": self.clears,
            });
            return Some(format!("retry: {RETRY_MILLIS}\n{}", event("hello", None, &hello)));
        }
        loop {
            if *self.stop.borrow() {
                return None;
            }
            // Seen before the journal is read, so that what comes meanwhile is news.
            let News { clears, .. } = *self.news.borrow_and_update();
            if clears != self.clears {
                self.clears = clears;
                return Some(event("reset", None, &json!({ "clears": clears })));
            }
            if let Some(text) = self.told() {
                return Some(text);
            }
            tokio::select! {
                // An error means that the sandbox was dropped without a shutdown.
                _ = self.stop.wait_for(|stop| *stop) => return None,
                changed = self.news.changed() => changed.ok()?,
                // Finds out that a reader has left, and keeps what stands between from closing the connection.
                () = tokio::time::sleep(KEEP_ALIVE) => return Some(": \n\n".to_owned()),
            }
        }
    }

    /// The next requests of the journal, if there are any.
    fn told(&mut self) -> Option<String> {
        let gateway = &self.control.gateway;
        let entries = gateway.journal.after(self.last, AT_ONCE);
        self.last = entries.last()?.number;
        let events = entries.iter().map(|entry| {
            let data = written(gateway, entry, Personal::Masked);
            event("request", Some(entry.number), &data)
        });
        Some(events.collect())
    }
}

/// JSON has no line break of its own, so that one line of data is enough.
fn event(name: &str, id: Option<u64>, data: &serde_json::Value) -> String {
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    format!("{id}event: {name}\ndata: {data}\n\n")
}

/// How many streams there may be: browsers open six connections to one address, and each tab takes one.
const STREAMS: usize = 16;
/// How many requests are told at once, some 40 KiB.
const AT_ONCE: usize = 64;
/// When a browser tries again.
const RETRY_MILLIS: u64 = 1000;
const KEEP_ALIVE: Duration = Duration::from_secs(15);
