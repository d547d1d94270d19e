//! The one place that reads the time, waits and makes randomness; all of it can be replaced in tests.

use std::{
    fmt::Debug,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use wxmember_signing::{Nonce, UnixSeconds};

/// Ends when a time is over.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Tells the time and waits.
pub trait Clock: Debug + Send + Sync {
    /// The time since 1970, which signatures are made and checked by.
    fn since_1970(&self) -> Duration;

    /// Waits.
    fn sleep(&self, time: Duration) -> Sleep<'_>;

    /// A time that never goes back, whatever happens to the clock; only differences mean something.
    ///
    /// Deadlines and the age of downloaded certificates are measured with it.
    fn steady(&self) -> Duration {
        self.since_1970()
    }

    /// Seconds since 1970, as signatures carry them.
    fn now(&self) -> UnixSeconds {
        UnixSeconds(i64::try_from(self.since_1970().as_secs()).unwrap_or(i64::MAX))
    }
}

/// The clock of this machine. Waiting needs tokio's timer.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: tokio::time::Instant,
}

impl SystemClock {
    /// A clock whose steady time begins now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            started: tokio::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn since_1970(&self) -> Duration {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the time"
        )]
        let now = SystemTime::now();
        // A machine whose clock stands before 1970 signs with 0 and is told so by the gateway.
        now.duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn steady(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, time: Duration) -> Sleep<'_> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// A clock that stands still until it is set, and that a wait moves on at once; for tests.
///
/// ```
/// use wxmember::{Clock, FixedClock, UnixSeconds};
/// let clock = FixedClock::at(1_796_000_000);
/// clock.set(1_796_000_600);
/// assert_eq!(clock.now(), UnixSeconds(1_796_000_600));
/// ```
#[derive(Debug)]
pub struct FixedClock(AtomicU64);

impl FixedClock {
    /// A clock that shows this second; 0 for seconds before 1970.
    #[must_use]
    pub fn at(seconds: i64) -> Self {
        let clock = Self(AtomicU64::new(0));
        clock.set(seconds);
        clock
    }

    /// Shows another second from now on.
    pub fn set(&self, seconds: i64) {
        let milliseconds = u64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
        self.0.store(milliseconds, Ordering::Relaxed);
    }

    /// Moves on, in milliseconds.
    pub fn advance(&self, time: Duration) {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

impl Clock for FixedClock {
    fn since_1970(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// Ends at once, and the clock shows the time after the wait.
    fn sleep(&self, time: Duration) -> Sleep<'_> {
        self.advance(time);
        Box::pin(std::future::ready(()))
    }
}

/// A new nonce from the operating system's randomness.
pub(crate) fn new_nonce() -> Result<Nonce, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(Nonce::from_random(bytes))
}
