//! The places of an address: how many connections it holds, and which one goes when a new one comes.
//!
//! A connection waits for its client until a whole request is there, and again once the answer is made; in between it is
//! at work. Whoever opens connections and leaves them idle, or dribbles bytes into them, loses the oldest of them to the
//! next one that comes, and so cannot keep others out. A connection at work keeps its place. One whose answer is still on
//! its way does not: a slow reader, a stalled answer or a stream of events goes like an idle one when places run out. At
//! the control address a request with a body is not known to be whole until it is answered, and keeps no place.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

use crate::lock::locked;

#[derive(Debug)]
pub(super) struct Places {
    capacity: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// Those that wait for their client, by the turn at which they began to.
    waiting: BTreeMap<u64, Arc<Notify>>,
    at_work: usize,
    turns: u64,
}

impl Taken {
    fn wait(&mut self, lost: Arc<Notify>) -> u64 {
        self.turns += 1;
        self.waiting.insert(self.turns, lost);
        self.turns
    }
}

impl Places {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            taken: Mutex::default(),
        }
    }

    /// A place for a new connection. When there is none, the one that has waited longest loses its own; `None` when all
    /// are at work.
    pub(super) fn take(self: &Arc<Self>) -> Option<Place> {
        let mut taken = locked(&self.taken);
        if taken.waiting.len() + taken.at_work >= self.capacity {
            let (_, lost) = taken.waiting.pop_first()?;
            lost.notify_one();
        }
        let lost = Arc::new(Notify::new());
        let turn = AtomicU64::new(taken.wait(Arc::clone(&lost)));
        Some(Place {
            places: Arc::clone(self),
            lost,
            turn,
        })
    }
}

/// The place of one connection; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    lost: Arc<Notify>,
    /// Where it stands among those that wait. It is not there while it is at work, or when it is lost.
    turn: AtomicU64,
}

impl Place {
    /// Returns when the place has gone to another connection.
    pub(super) async fn lost(&self) {
        self.lost.notified().await;
    }

    /// Something came from the client: it goes behind all others that wait.
    pub(super) fn renew(&self) {
        let mut taken = locked(&self.places.taken);
        if taken.waiting.remove(&self.turn()).is_some() {
            let turn = taken.wait(Arc::clone(&self.lost));
            self.turn.store(turn, Ordering::Relaxed);
        }
    }

    /// Keeps the place until the guard is dropped.
    pub(super) fn at_work(&self) -> AtWork<'_> {
        let mut taken = locked(&self.places.taken);
        let has_place = taken.waiting.remove(&self.turn()).is_some();
        if has_place {
            taken.at_work += 1;
        }
        AtWork {
            place: self,
            has_place,
        }
    }

    fn turn(&self) -> u64 {
        self.turn.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.places.taken).waiting.remove(&self.turn());
    }
}

/// A connection at work.
#[derive(Debug)]
pub(super) struct AtWork<'a> {
    place: &'a Place,
    /// It may have lost its place just before.
    has_place: bool,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        if self.has_place {
            let mut taken = locked(&self.place.places.taken);
            taken.at_work -= 1;
            let turn = taken.wait(Arc::clone(&self.place.lost));
            self.place.turn.store(turn, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_lost(place: &Place) -> bool {
        tokio::select! {
            biased;
            () = place.lost() => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn the_one_that_has_waited_longest_goes() {
        let places = Arc::new(Places::new(2));
        let (first, second) = (places.take().unwrap(), places.take().unwrap());
        first.renew();
        let third = places.take().unwrap();
        assert!(is_lost(&second).await);
        assert!(!is_lost(&first).await && !is_lost(&third).await);
        // A place that is lost is not given back a second time.
        drop(second);
        let fourth = places.take().unwrap();
        assert!(is_lost(&first).await && !is_lost(&third).await);
        drop((third, fourth));
        assert!(locked(&places.taken).waiting.is_empty());
    }

    #[tokio::test]
    async fn a_connection_at_work_keeps_its_place() {
        let places = Arc::new(Places::new(2));
        let (first, second) = (places.take().unwrap(), places.take().unwrap());
        let (at_work, also) = (first.at_work(), second.at_work());
        assert!(places.take().is_none());
        drop(also);
        let third = places.take().unwrap();
        assert!(is_lost(&second).await);
        drop((at_work, third));
        let _fourth = places.take().unwrap();
        assert!(!is_lost(&first).await);
        drop(second.at_work());
        drop((second, first));
        let taken = locked(&places.taken);
        assert_eq!((taken.waiting.len(), taken.at_work), (1, 0));
    }
}
