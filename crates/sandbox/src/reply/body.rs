//! Bodies that do not come as they should. Their time is bounded whatever the client does.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// A body that promises its whole length, gives half and fails.
#[derive(Debug)]
pub(super) struct CutBody {
    promised: u64,
    half: Option<Bytes>,
    paused: bool,
}

impl CutBody {
    pub(super) fn new(mut body: Bytes) -> Self {
        let promised = length(&body);
        body.truncate(body.len() / 2);
        Self {
            promised,
            half: Some(body),
            paused: false,
        }
    }
}

impl Body for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !self.paused {
            // The server sends what it has while a body has nothing to give.
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(broken_off("the fault `cut-body`"))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

/// A body that promises its whole length and comes drop by drop.
#[derive(Debug)]
pub(super) struct SlowBody {
    left: Bytes,
    /// Bytes of one drop, and the time between two.
    drop: usize,
    pause: Duration,
    started_at: Instant,
    next: Pin<Box<Sleep>>,
}

impl SlowBody {
    pub(super) fn new(body: Bytes, bytes_per_second: u32) -> Self {
        let rate = bytes_per_second.max(1);
        let drop = (rate / DROPS_PER_SECOND).max(1);
        let started_at = Instant::now();
        let pause = Duration::from_secs_f64(f64::from(drop) / f64::from(rate));
        Self {
            left: body,
            drop: usize::try_from(drop).unwrap_or(usize::MAX),
            pause,
            started_at,
            next: Box::pin(sleep_until(started_at + pause)),
        }
    }
}

impl Body for SlowBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        if self.next.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let now = self.next.deadline();
        if now.duration_since(self.started_at) >= LONGEST_BODY {
            return Poll::Ready(Some(Err(broken_off("the fault `slow-body`"))));
        }
        let at = self.drop.min(self.left.len());
        let drop = self.left.split_to(at);
        // Counted from the last drop's time and not from now, so that the pace is kept on a busy machine.
        let next = now + self.pause;
        self.next.as_mut().reset(next);
        Poll::Ready(Some(Ok(Frame::data(drop))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(length(&self.left))
    }
}

fn length(body: &Bytes) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX)
}

fn broken_off(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, why)
}

const DROPS_PER_SECOND: u32 = 10;
const LONGEST_BODY: Duration = Duration::from_secs(60);
