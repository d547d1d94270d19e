//! The one place that reads the time and makes randomness; both can be replaced in tests.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use wxmember_signing::{Nonce, UnixSeconds};

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// Seconds since 1970.
    fn now(&self) -> UnixSeconds;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixSeconds {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the time"
        )]
        let now = SystemTime::now();
        // A machine whose clock stands before 1970 signs with 0 and is told so by the gateway.
        let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        UnixSeconds(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is set; for tests.
///
/// ```
/// use wxmember::{Clock, FixedClock, UnixSeconds};
/// let clock = FixedClock::at(1_796_000_000);
/// clock.set(1_796_000_600);
/// assert_eq!(clock.now(), UnixSeconds(1_796_000_600));
/// ```
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that shows this second.
    #[must_use]
    pub fn at(seconds: i64) -> Self {
        Self(AtomicI64::new(seconds))
    }

    /// Shows another second from now on.
    pub fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> UnixSeconds {
        UnixSeconds(self.0.load(Ordering::Relaxed))
    }
}

/// A new nonce from the operating system's randomness.
pub(crate) fn new_nonce() -> Result<Nonce, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(Nonce::from_random(bytes))
}
