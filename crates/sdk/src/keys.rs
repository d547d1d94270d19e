//! The platform keys over time: a snapshot that calls read, and the downloads that replace it.
//!
//! One download at a time; who comes meanwhile waits for it and looks again. A download that fails keeps the old keys and
//! never decides what becomes of the call that wanted it, unless there is no key at all.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Mutex;
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
    flight: Mutex<Flight>,
}

/// What the one who downloads knows of earlier downloads.
#[derive(Debug, Default)]
struct Flight {
    /// When an unknown key last led to a download.
    unknown_at: Option<Duration>,
    failure: Option<Arc<Error>>,
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

    /// Makes sure that there is a key to seal and verify with; downloads when one is due.
    ///
    /// # Errors
    ///
    /// Why there is no key at all, as far as a download can tell.
    pub(crate) async fn keys_ready(self: &Arc<Self>) -> Result<(), Option<Arc<Error>>> {
        let is_usable = || self.sealing_key_id().is_some();
        let Some(downloads) = &self.keys.downloads else {
            return if is_usable() { Ok(()) } else { Err(None) };
        };
        if is_usable() {
            let due = Duration::from_millis(downloads.due.load(Ordering::Acquire));
            if self.clock.steady() < due {
                return Ok(());
            }
            // One call renews; the others go on with the keys that are there.
            if let Ok(mut flight) = downloads.flight.try_lock() {
                self.download(downloads, &mut flight).await;
            }
            return Ok(());
        }
        let before = downloads.tries.load(Ordering::Acquire);
        let mut flight = downloads.flight.lock().await;
        // Whoever had the lock before has tried already, and may have failed for us as well.
        let tried_meanwhile = downloads.tries.load(Ordering::Acquire) != before;
        if !is_usable() && !tried_meanwhile {
            self.download(downloads, &mut flight).await;
        }
        if is_usable() {
            Ok(())
        } else {
            Err(flight.failure.clone())
        }
    }

    /// An answer names a key that is not known. Downloads, at most once a minute; says whether the key is known now.
    pub(crate) async fn learn_key(self: &Arc<Self>, id: &KeyId) -> bool {
        let Some(downloads) = &self.keys.downloads else {
            return false;
        };
        let mut flight = downloads.flight.lock().await;
        if self.keys.snapshot().has(id) {
            return true;
        }
        let now = self.clock.steady();
        if flight
            .unknown_at
            .is_some_and(|last| now.saturating_sub(last) < BETWEEN_UNKNOWN_KEYS)
        {
            return false;
        }
        flight.unknown_at = Some(now);
        self.download(downloads, &mut flight).await;
        self.keys.snapshot().has(id)
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
        let mut flight = downloads.flight.lock().await;
        self.download(downloads, &mut flight).await;
        match &flight.failure {
            Some(failure) => Err(Error::no_keys(&download::OPERATION, Some(failure.clone()))),
            None => Ok(()),
        }
    }

    async fn download(self: &Arc<Self>, downloads: &Downloads, flight: &mut Flight) {
        let fetched = download::certificates(self, &downloads.key).await;
        observe::downloaded(fetched.as_ref().map(Vec::len));
        let now = self.clock.since_1970();
        let wait = match fetched {
            Ok(certificates) => {
                let mut keys = self.keys.fixed.clone();
                for certificate in &certificates {
                    keys.insert_certificate(certificate);
                }
                let left = keys.first_end(now).map(|end| end.saturating_sub(now) / 2);
                self.keys.replace(keys);
                flight.failure = None;
                left.map_or(downloads.interval, |left| left.min(downloads.interval))
                    .max(AFTER_FAILURE)
            }
            Err(error) => {
                flight.failure = Some(Arc::new(error));
                AFTER_FAILURE
            }
        };
        let due = self.clock.steady().saturating_add(wait).as_millis();
        downloads
            .due
            .store(u64::try_from(due).unwrap_or(u64::MAX), Ordering::Release);
        downloads.tries.fetch_add(1, Ordering::Release);
    }
}

/// Nothing to refresh.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the client was made without `Trust::downloaded_certificates`, so there is nothing to download")]
struct NotDownloaded;

/// An attacker who invents key ids must not make us call the platform all the time.
const BETWEEN_UNKNOWN_KEYS: Duration = Duration::from_secs(60);

/// The wait after a failed download, and the shortest between two.
const AFTER_FAILURE: Duration = Duration::from_secs(60);
