//! Time as the protocol counts it: whole seconds since 1970, given as an argument and never read here.

use std::{fmt, time::Duration};

/// A difference of this much, or more, between the two clocks is refused.
///
/// The official Java and Go SDKs refuse at exactly 300 seconds, the PHP one just above; we follow the stricter.
pub const TIME_WINDOW: Duration = Duration::from_secs(300);

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnixSeconds(pub i64);

impl UnixSeconds {
    /// How far `self` is ahead of `other`, in seconds; negative when behind.
    #[must_use]
    pub fn ahead_of(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }

    /// Whether the two clocks are so near that a signature is accepted.
    #[must_use]
    pub fn is_within_window_of(self, other: Self) -> bool {
        self.ahead_of(other).unsigned_abs() < TIME_WINDOW.as_secs()
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
