//! How an importer or a worker works; everything but the profile has a default.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use wxmember::{Clock, SystemClock};

use crate::{
    defaults::Defaults,
    job::{Profile, Route},
    pace::Quota,
    window::Window,
};

/// How an importer or a worker works. Everything but the profile has a default.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) profile: Profile,
    pub(crate) route: Route,
    pub(crate) defaults: Defaults,
    quota: Option<Quota>,
    has_api_quota: bool,
    pub(crate) concurrency: Option<NonZeroUsize>,
    pub(crate) attempts: NonZeroU32,
    pub(crate) attempt_timeout: Duration,
    pub(crate) unknown_limit: NonZeroU32,
    pub(crate) refusal_limit: Option<NonZeroU32>,
    pub(crate) load_threads: NonZeroUsize,
    pub(crate) probe: bool,
    pub(crate) window: Option<Window>,
    pub(crate) max_duration: Option<Duration>,
    pub(crate) on_unknown: OnUnknown,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Settings {
    /// For this profile, by the default route, without a quota.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            route: Route::default(),
            defaults: Defaults::default(),
            quota: None,
            has_api_quota: false,
            concurrency: None,
            attempts: ATTEMPTS,
            attempt_timeout: Duration::from_secs(60),
            unknown_limit: UNKNOWN_LIMIT,
            refusal_limit: Some(REFUSAL_LIMIT),
            load_threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            probe: true,
            window: None,
            max_duration: None,
            on_unknown: OnUnknown::default(),
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Sets the operation that brings the members in. Default: [`Route::ImportByPhone`]. A worker takes each job's own.
    #[must_use]
    pub fn with_route(mut self, route: Route) -> Self {
        self.route = route;
        self
    }

    /// Sets what holds for rows that do not say otherwise.
    #[must_use]
    pub fn with_defaults(mut self, defaults: Defaults) -> Self {
        self.defaults = defaults;
        self
    }

    /// Limits the requests per time, by all processes on the ledger together: each operation of a merchant id has so
    /// much. Default: no limit but the platform's 429.
    #[must_use]
    pub fn with_quota(mut self, quota: Quota) -> Self {
        self.quota = Some(quota);
        self
    }

    /// Limits each operation to what the API documents for it ([`Route::rate_limit`]), unless there is a
    /// [quota](Self::with_quota), which counts for all of them. Default: no limit but the platform's 429.
    #[must_use]
    pub fn with_api_quota(mut self) -> Self {
        self.has_api_quota = true;
        self
    }

    /// Sets how many requests are under way at once. Default: 32, or with a quota what four seconds
    /// of it allow, from 8 to 256, so that answers that take long leave no quota unused.
    #[must_use]
    pub fn with_concurrency(mut self, requests: NonZeroUsize) -> Self {
        self.concurrency = Some(requests);
        self
    }

    /// Sets how often one run tries a row at most. Default: 5.
    #[must_use]
    pub fn with_attempts(mut self, attempts: NonZeroU32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets after how long an attempt counts as lost, whatever the gateway does. Default: 60 s.
    #[must_use]
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets after how many rows in a row without a known outcome a run stops. Default: 50.
    #[must_use]
    pub fn with_unknown_limit(mut self, rows: NonZeroU32) -> Self {
        self.unknown_limit = rows;
        self
    }

    /// Sets after how many equal refusals, with no success in between, a run stops with `SAME_REFUSAL`: then it is
    /// hardly the rows' fault. `None` never stops. Default: 200.
    #[must_use]
    pub fn with_refusal_limit(mut self, rows: Option<NonZeroU32>) -> Self {
        self.refusal_limit = rows;
        self
    }

    /// Sets how many threads validate and seal while a source is loaded. Default: as many as the host has cores.
    #[must_use]
    pub fn with_load_threads(mut self, threads: NonZeroUsize) -> Self {
        self.load_threads = threads;
        self
    }

    /// Sets whether the first request for a card is one row alone, as long as the ledger has no success for that card
    /// by that route. A success goes on by itself; anything else stops the run with `PROBE_REFUSED` or `PROBE_UNKNOWN`,
    /// so that one row, and not a million, finds out about a wrong setting. Default: `true`.
    #[must_use]
    pub fn with_probe(mut self, probe: bool) -> Self {
        self.probe = probe;
        self
    }

    /// Sets the hours of the day in which requests may leave; outside them a run waits, which its progress says.
    /// Loading is done at all hours. Default: all hours.
    #[must_use]
    pub fn with_window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// Sets after how long a run starts no new attempt and ends with `MAX_DURATION`; waiting for a window counts.
    /// Default: never.
    #[must_use]
    pub fn with_max_duration(mut self, duration: Duration) -> Self {
        self.max_duration = Some(duration);
        self
    }

    /// Sets what becomes of rows without a known outcome. Default: [`OnUnknown::Repeat`].
    #[must_use]
    pub fn with_on_unknown(mut self, on_unknown: OnUnknown) -> Self {
        self.on_unknown = on_unknown;
        self
    }

    /// Sets the clock that the window is compared with. Default: this machine's.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What limits an operation.
    pub(crate) fn quota_of(&self, route: Route) -> Option<Quota> {
        let documented = || NonZeroU32::new(route.rate_limit()).map(Quota::each_second);
        self.quota
            .or_else(|| self.has_api_quota.then(documented).flatten())
    }

    pub(crate) fn concurrency(&self) -> usize {
        match (self.concurrency, self.quota_of(self.route)) {
            (Some(requests), _) => requests.get(),
            (None, Some(quota)) => {
                ((quota.per_second() * 4.0).ceil() as usize).clamp(CONCURRENCY_LEAST, CONCURRENCY_MOST)
            }
            (None, None) => CONCURRENCY,
        }
    }
}

/// What becomes of a row that may or may not have taken effect.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnUnknown {
    /// The identical request is sent again, a bounded number of times in a run and again in the next one: the
    /// platform's answer tells what became of the first.
    #[default]
    Repeat,
    /// The row stays as it is, for somebody to look into.
    Hold,
}

const ATTEMPTS: NonZeroU32 = NonZeroU32::new(5).unwrap();
const UNKNOWN_LIMIT: NonZeroU32 = NonZeroU32::new(50).unwrap();
const REFUSAL_LIMIT: NonZeroU32 = NonZeroU32::new(200).unwrap();
const CONCURRENCY: usize = 32;
const CONCURRENCY_LEAST: usize = 8;
const CONCURRENCY_MOST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_counts_for_all_operations_and_without_one_each_has_its_own() {
        let settings = || Settings::new(Profile::new("1", "2", "3", "http://h"));
        let rates = |settings: &Settings| {
            Route::ALL.map(|route| settings.quota_of(route).map(|quota| quota.per_second() as u32))
        };
        assert_eq!(rates(&settings()), [None; 3]);
        let documented = Route::ALL.map(|route| Some(route.rate_limit()));
        assert_eq!(rates(&settings().with_api_quota()), documented);
        let given = settings().with_api_quota().with_quota("7/s".parse().unwrap());
        assert_eq!(rates(&given), [Some(7); 3]);
    }
}
