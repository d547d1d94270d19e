//! The platform keys over time: a snapshot that calls read, and the downloads that replace it.
//!
//! Downloads run one at a time, each in a task of its own: whoever asked for one may go away without cancelling it, and a
//! call that has a key does not wait for a newer one. A download that fails keeps the old keys and never decides what
//! becomes of a call, unless there is no key at all.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Mutex, task::JoinHandle};
use tracing::Instrument;
use wxmember_crypto::{ApiV3Key, KeyId, PlatformKey};

use crate::{Delivery, Error, ErrorKind, Operation, Trust, core::Core, download, keyset::Keyset, observe};

/// The keys of one client.
#[derive(Debug)]
pub(crate) struct KeyStore {
    fixed: Keyset,
    current: RwLock<Arc<Keyset>>,
    downloads: Option<Downloads>,
}

#[derive(Debug)]
struct Downloads {
    key: ApiV3Key,
    interval: Duration,
    /// When the next one is due, in milliseconds of the steady clock.
    due: AtomicU64,
    /// How many were tried; who waited for one sees that somebody did.
    tries: AtomicU64,
    /// When the last one failed, and why; `None` after one that did not.
    failure: RwLock<Option<(Duration, Arc<Error>)>>,
    flight: Mutex<Flight>,
}

/// What the one who downloads knows of earlier downloads.
#[derive(Debug, Default)]
struct Flight {
    /// When an unknown key of an answer last led to a download.
    answer_at: Option<Duration>,
    /// The same for notifications, which anybody can post: they must not use up what answers need.
    notification_at: Option<Duration>,
}

/// Why a download is asked for.
#[derive(Debug)]
enum Why {
    /// There is no key, or the user wants newer ones; not when somebody tried since `tries` was this.
    Asked { tries: u64 },
    /// By age; who asks has moved the time on.
    Due,
    /// An answer, or else a notification, names a key that is not known.
    Unknown { id: KeyId, is_answer: bool },
}

impl KeyStore {
    pub(crate) fn new(trust: Trust, interval: Duration) -> Self {
        Self {
            current: RwLock::new(Arc::new(trust.keys.clone())),
            fixed: trust.keys,
            downloads: trust.download.map(|key| Downloads {
                key,
                interval,
                due: AtomicU64::new(0),
                tries: AtomicU64::new(0),
                failure: RwLock::default(),
                flight: Mutex::default(),
            }),
        }
    }

    /// The keys as they are now. They do not change under the hand of who holds them.
    pub(crate) fn snapshot(&self) -> Arc<Keyset> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    fn replace(&self, keys: Keyset) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

impl Core {
    /// The id and the key that seal now, from one snapshot.
    pub(crate) fn sealing_key(&self) -> Option<(KeyId, PlatformKey)> {
        let keys = self.keys.snapshot();
        let (id, key) = keys.sealing(self.clock.since_1970())?;
        Some((id.clone(), key.clone()))
    }

    pub(crate) fn sealing_key_id(&self) -> Option<KeyId> {
        let keys = self.keys.snapshot();
        keys.sealing(self.clock.since_1970()).map(|(id, _)| id.clone())
    }

    /// Makes sure that there is a key to seal and verify with.
    ///
    /// # Errors
    ///
    /// Why there is no key at all, as far as a download can tell.
    pub(crate) async fn keys_ready(self: &Arc<Self>) -> Result<(), Option<Arc<Error>>> {
        if self.sealing_key_id().is_some() {
            self.renew_when_due();
            return Ok(());
        }
        let downloads = self.keys.downloads.as_ref().ok_or(None)?;
        let failure = downloads.failure();
        if let Some((at, error)) = failure
            && self.clock.steady().saturating_sub(at) < BETWEEN_DOWNLOADS_IN_VAIN
        {
            return Err(Some(error));
        }
        let tries = downloads.tries.load(Ordering::Acquire);
        self.ended(Why::Asked { tries }).await;
        if self.sealing_key_id().is_some() {
            Ok(())
        } else {
            Err(downloads.failure().map(|(_, error)| error))
        }
    }

    /// Starts a download when the certificates have come of age, and does not wait for it.
    pub(crate) fn renew_when_due(self: &Arc<Self>) {
        let Some(downloads) = &self.keys.downloads else {
            return;
        };
        let (now, due) = (self.clock.steady(), downloads.due.load(Ordering::Acquire));
        let next = milliseconds(now.saturating_add(AFTER_FAILURE));
        let is_ours = milliseconds(now) >= due
            && downloads
                .due
                .compare_exchange(due, next, Ordering::AcqRel, Ordering::Acquire)
                .is_ok();
        if is_ours {
            drop(self.download(Why::Due));
        }
    }

    /// A notification names a key that is not known. Downloads, at most once a minute; says whether the key is known now.
    pub(crate) async fn learn_key(self: &Arc<Self>, id: &KeyId) -> bool {
        self.learn(id, false).await
    }

    /// The same for an answer, whose sender TLS has proved.
    pub(crate) async fn learn_key_of_answer(self: &Arc<Self>, id: &KeyId) -> bool {
        self.learn(id, true).await
    }

    async fn learn(self: &Arc<Self>, id: &KeyId, is_answer: bool) -> bool {
        // A public key is never among the certificates.
        if self.keys.downloads.is_none() || id.is_public_key_id() {
            return false;
        }
        let id = id.clone();
        self.ended(Why::Unknown {
            id: id.clone(),
            is_answer,
        })
        .await;
        self.keys.snapshot().has(&id)
    }

    /// The key to seal a call with.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Keys`] when there is none.
    pub(crate) async fn key_for(
        self: &Arc<Self>,
        operation: &Operation,
    ) -> Result<(KeyId, PlatformKey), Error> {
        let missing = self.keys_ready().await.err();
        self.sealing_key()
            .ok_or_else(|| Error::no_keys(operation, missing.flatten()))
    }

    /// Downloads now, whatever is due.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Keys`]: the keys are still the old ones.
    pub(crate) async fn refresh_keys(self: &Arc<Self>) -> Result<(), Error> {
        let Some(downloads) = &self.keys.downloads else {
            return Err(
                Error::new(&download::OPERATION, ErrorKind::Keys, Delivery::NotSent).caused_by(NotDownloaded),
            );
        };
        let tries = downloads.tries.load(Ordering::Acquire);
        self.ended(Why::Asked { tries }).await;
        match downloads.failure() {
            Some((_, failure)) => Err(Error::no_keys(&download::OPERATION, Some(failure))),
            None => Ok(()),
        }
    }

    /// Waits for a download. One whose task panicked has ended as well; the keys are then what they were.
    async fn ended(self: &Arc<Self>, why: Why) {
        let _ = self.download(why).await;
    }

    /// Downloads in a task of its own, when it is still wanted once earlier downloads have ended.
    fn download(self: &Arc<Self>, why: Why) -> JoinHandle<()> {
        let core = Arc::clone(self);
        let download = async move {
            let Some(downloads) = &core.keys.downloads else {
                return;
            };
            let mut flight = downloads.flight.lock().await;
            if core.is_wanted(downloads, &mut flight, &why) {
                core.download_now(downloads).await;
            }
        };
        tokio::spawn(download.in_current_span())
    }

    fn is_wanted(&self, downloads: &Downloads, flight: &mut Flight, why: &Why) -> bool {
        match why {
            Why::Asked { tries } => downloads.tries.load(Ordering::Acquire) == *tries,
            Why::Due => true,
            Why::Unknown { id, .. } if self.keys.snapshot().has(id) => false,
            Why::Unknown { is_answer, .. } => {
                let now = self.clock.steady();
                let last = if *is_answer {
                    &mut flight.answer_at
                } else {
                    &mut flight.notification_at
                };
                let is_soon = last.is_some_and(|last| now.saturating_sub(last) < BETWEEN_UNKNOWN_KEYS);
                if !is_soon {
                    *last = Some(now);
                }
                !is_soon
            }
        }
    }

    async fn download_now(self: &Arc<Self>, downloads: &Downloads) {
        let fetched = download::certificates(self, &downloads.key).await;
        observe::downloaded(fetched.as_ref().map(Vec::len));
        let now = self.clock.since_1970();
        let (wait, failure) = match fetched {
            Ok(certificates) => {
                let mut keys = self.keys.fixed.clone();
                for certificate in &certificates {
                    keys.insert_certificate(certificate);
                }
                let left = keys.first_end(now).map(|end| end.saturating_sub(now) / 2);
                self.keys.replace(keys);
                let wait = left.map_or(downloads.interval, |left| left.min(downloads.interval));
                (wait.max(AFTER_FAILURE), None)
            }
            Err(error) => (AFTER_FAILURE, Some((self.clock.steady(), Arc::new(error)))),
        };
        *downloads.failure.write().unwrap_or_else(PoisonError::into_inner) = failure;
        let due = milliseconds(self.clock.steady().saturating_add(wait));
        downloads.due.store(due, Ordering::Release);
        downloads.tries.fetch_add(1, Ordering::Release);
    }
}

impl Downloads {
    fn failure(&self) -> Option<(Duration, Arc<Error>)> {
        self.failure
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Nothing to refresh.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the client was made without `Trust::downloaded_certificates`, so there is nothing to download")]
struct NotDownloaded;

/// An attacker who invents key ids must not make us call the platform all the time.
const BETWEEN_UNKNOWN_KEYS: Duration = Duration::from_secs(60);

/// The wait after a failed download, and the shortest between two.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// While there is no key, every call would download; this many make it once.
const BETWEEN_DOWNLOADS_IN_VAIN: Duration = Duration::from_secs(5);
