//! Notifications that come more than once, also while the first is still being handled.
//!
//! An id that came counts as a duplicate only once its notification is dealt with: whoever marks it before loses it when
//! the work fails, since the platform hears success for the next one.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Debug,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{Clock, SystemClock};

/// How an id stands when its notification comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Begin {
    /// It is new, and from now on it runs.
    New,
    /// It came before, and whoever began with it has not ended yet.
    Running,
    /// It came before and is dealt with.
    Done,
}

/// Remembers which notifications came. Implement it over a database to remember beyond a restart and over several hosts.
///
/// An id is new, then it runs, then it is done; [`forget`](Self::forget) makes it new again. Keep the time of `begin` beside
/// it: an id that began and neither got done nor was forgotten within some 60 seconds has to count as new, because its
/// process may have died, or its future may have been dropped half-way. If it ran for ever, its notification would be lost.
pub trait Deduplication: Debug + Send + Sync {
    /// Says how an id stands, and lets it run when it is new. Two calls at the same time must not both hear [`Begin::New`].
    fn begin<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = Begin> + Send + 'a>>;

    /// Notes that an id is dealt with, also when it is not known any more.
    fn done<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    /// Forgets an id, because its notification could not be dealt with.
    fn forget<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// Remembers the last ids in this process.
///
/// An id that began counts as new again after [`RUNS_AT_MOST`](Self::RUNS_AT_MOST).
///
/// ```
/// use wxmember::notification::{Begin, Deduplication, RecentIds};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let recent = RecentIds::new(10_000);
/// assert_eq!(recent.begin("a").await, Begin::New);
/// assert_eq!(recent.begin("a").await, Begin::Running);
/// recent.forget("a").await;
/// assert_eq!(recent.begin("a").await, Begin::New);
/// recent.done("a").await;
/// assert_eq!(recent.begin("a").await, Begin::Done);
/// # });
/// ```
#[derive(Debug)]
pub struct RecentIds {
    most: usize,
    clock: Arc<dyn Clock>,
    ids: Mutex<Ids>,
}

impl RecentIds {
    /// How long an id may run before it counts as new: 60 seconds, of which the platform waits for the first 5.
    pub const RUNS_AT_MOST: Duration = Duration::from_secs(60);

    /// Remembers so many ids, at least one; of an id it keeps what it needs, some 200 bytes.
    ///
    /// When there are more, the oldest that is done gives way, and when none is done the oldest that runs.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            clock: Arc::new(SystemClock::default()),
            ids: Mutex::default(),
        }
    }

    /// Measures with another clock how long an id runs; by default with [`SystemClock`].
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    fn ids(&self) -> MutexGuard<'_, Ids> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deduplication for RecentIds {
    fn begin<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = Begin> + Send + 'a>> {
        Box::pin(async move {
            let now = self.clock.steady();
            let mut ids = self.ids();
            match ids.known.get(id) {
                Some(Known { began: None, .. }) => Begin::Done,
                Some(Known {
                    began: Some(began), ..
                }) if now.saturating_sub(*began) < Self::RUNS_AT_MOST => Begin::Running,
                _ => {
                    ids.put(id, Some(now), self.most);
                    Begin::New
                }
            }
        })
    }

    fn done<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move { self.ids().put(id, None, self.most) })
    }

    fn forget<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move { self.ids().remove(id) })
    }
}

/// Every id stands in `known` and in one of the two others, which are in the order of arrival.
#[derive(Debug, Default)]
struct Ids {
    next: u64,
    known: HashMap<Arc<str>, Known>,
    running: BTreeMap<u64, Arc<str>>,
    done: BTreeMap<u64, Arc<str>>,
}

#[derive(Debug)]
struct Known {
    number: u64,
    /// `None` once it is done.
    began: Option<Duration>,
}

impl Ids {
    fn put(&mut self, id: &str, began: Option<Duration>, most: usize) {
        self.remove(id);
        while self.known.len() >= most {
            let Some((_, oldest)) = self.done.pop_first().or_else(|| self.running.pop_first()) else {
                break;
            };
            self.known.remove(&oldest);
        }
        let (number, id) = (self.next, Arc::<str>::from(id));
        self.next += 1;
        let in_order = if began.is_some() {
            &mut self.running
        } else {
            &mut self.done
        };
        in_order.insert(number, id.clone());
        self.known.insert(id, Known { number, began });
    }

    fn remove(&mut self, id: &str) {
        if let Some(Known { number, .. }) = self.known.remove(id) {
            self.running.remove(&number);
            self.done.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FixedClock;

    #[track_caller]
    fn check(recent: &RecentIds, running: &[&str], done: &[&str]) {
        let ids = recent.ids();
        let listed =
            |ids: &BTreeMap<u64, Arc<str>>| ids.values().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(listed(&ids.running), running);
        assert_eq!(listed(&ids.done), done);
        assert_eq!(ids.known.len(), running.len() + done.len());
    }

    #[tokio::test]
    async fn only_so_many_ids_are_kept_and_those_that_run_longest() {
        let recent = RecentIds::new(3);
        for id in ["a", "b", "c"] {
            assert_eq!(recent.begin(id).await, Begin::New);
        }
        recent.done("c").await;
        recent.done("b").await;
        check(&recent, &["a"], &["c", "b"]);
        // What is done gives way, in the order in which it got done.
        assert_eq!(recent.begin("d").await, Begin::New);
        check(&recent, &["a", "d"], &["b"]);
        assert_eq!(recent.begin("e").await, Begin::New);
        check(&recent, &["a", "d", "e"], &[]);
        // When everything runs, the memory is still bounded.
        assert_eq!(recent.begin("f").await, Begin::New);
        check(&recent, &["d", "e", "f"], &[]);
        // What gave way while it ran is remembered when it is done.
        recent.done("a").await;
        check(&recent, &["e", "f"], &["a"]);
        recent.forget("a").await;
        recent.forget("e").await;
        recent.forget("unknown").await;
        check(&recent, &["f"], &[]);
    }

    /// Whoever began may never end: its future was dropped.
    #[tokio::test]
    async fn an_id_that_began_and_never_ended_is_new_after_a_while() {
        let clock = Arc::new(FixedClock::at(1_796_000_000));
        let recent = RecentIds::new(3).with_clock(clock.clone());
        assert_eq!(recent.begin("a").await, Begin::New);
        clock.advance(RecentIds::RUNS_AT_MOST - Duration::from_millis(1));
        assert_eq!(recent.begin("a").await, Begin::Running);
        clock.advance(Duration::from_millis(1));
        assert_eq!(recent.begin("a").await, Begin::New);
        assert_eq!(recent.begin("a").await, Begin::Running);
        recent.done("a").await;
        clock.advance(RecentIds::RUNS_AT_MOST);
        assert_eq!(recent.begin("a").await, Begin::Done);
    }
}
