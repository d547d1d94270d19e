//! Notifications that come more than once.

use std::{
    collections::{HashSet, VecDeque},
    fmt::Debug,
    pin::Pin,
    sync::{Mutex, PoisonError},
};

/// Whether an id was seen for the first time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum First {
    /// It came before.
    No,
    /// It is new.
    Yes,
}

/// Remembers which notifications came. Implement it over a database to remember beyond a restart and over several hosts.
pub trait Deduplication: Debug + Send + Sync {
    /// Notes an id, and says whether it is new. Two calls at the same time must not both hear [`First::Yes`].
    fn first<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = First> + Send + 'a>>;

    /// Forgets an id, because its notification could not be dealt with.
    fn forget<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// Remembers the last ids in this process.
///
/// ```
/// use wxmember::notification::{Deduplication, First, RecentIds};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let recent = RecentIds::new(2);
/// assert_eq!(recent.first("a").await, First::Yes);
/// assert_eq!(recent.first("a").await, First::No);
/// recent.forget("a").await;
/// assert_eq!(recent.first("a").await, First::Yes);
/// # });
/// ```
#[derive(Debug)]
pub struct RecentIds {
    most: usize,
    ids: Mutex<Ids>,
}

#[derive(Debug, Default)]
struct Ids {
    known: HashSet<Box<str>>,
    in_order: VecDeque<Box<str>>,
}

impl RecentIds {
    /// Remembers so many ids, at least one; of an id it keeps what it needs, some 100 bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            ids: Mutex::default(),
        }
    }
}

impl Deduplication for RecentIds {
    fn first<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = First> + Send + 'a>> {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let first = if ids.known.insert(id.into()) {
            ids.in_order.push_back(id.into());
            if ids.in_order.len() > self.most
                && let Some(oldest) = ids.in_order.pop_front()
            {
                ids.known.remove(&oldest);
            }
            First::Yes
        } else {
            First::No
        };
        Box::pin(std::future::ready(first))
    }

    fn forget<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.known.remove(id) {
            ids.in_order.retain(|known| &**known != id);
        }
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_so_many_ids_are_kept() {
        let recent = RecentIds::new(3);
        for id in ["a", "b", "c", "d"] {
            assert_eq!(recent.first(id).await, First::Yes);
        }
        assert_eq!(recent.first("d").await, First::No);
        // The oldest gave way.
        assert_eq!(recent.first("a").await, First::Yes);
        let ids = recent.ids.lock().unwrap();
        assert_eq!((ids.known.len(), ids.in_order.len()), (3, 3));
    }
}
