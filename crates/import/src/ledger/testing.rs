//! Ledgers for the tests of this crate, by a clock that stops with tokio's.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::time::Instant;
use wxmember::{Clock, Sleep};

use super::Ledger;

#[expect(
    dead_code,
    unreachable_pub,
    reason = "the package of end-to-end tests has it as a part of its interface"
)]
#[path = "../../../../tests/src/postgres.rs"]
pub(crate) mod server;

/// A ledger in a file. Its time stands still where tokio's does.
pub(crate) fn open(path: &Path) -> Ledger {
    Ledger::open_with_clock(path, Arc::new(TokioClock(*STARTED))).unwrap()
}

/// One beginning for all clocks, as all processes of a host have one time.
static STARTED: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);

#[derive(Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn since_1970(&self) -> Duration {
        Duration::from_secs(1_700_000_000) + self.0.elapsed()
    }

    fn sleep(&self, time: Duration) -> Sleep<'_> {
        Box::pin(tokio::time::sleep(time))
    }
}
