//! What every call of one client shares: who calls, the platform keys, the clock, the connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use wxmember_client::{Unsigned, raw};
use wxmember_signing::{Authorization, Request};

use crate::{Clock, Merchant, clock::new_nonce, keys::KeyStore};

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) merchant: Arc<Merchant>,
    pub(crate) keys: KeyStore,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) http: reqwest::Client,
    pub(crate) hosts: Hosts,
    pub(crate) user_agent: String,
    pub(crate) body_limit: usize,
    pub(crate) timeout: Duration,
    pub(crate) offset: ClockOffset,
}

/// Where requests go: scheme, host and port, without a slash at the end.
#[derive(Debug)]
pub(crate) struct Hosts {
    pub(crate) main: String,
    pub(crate) backup: Option<String>,
}

impl Hosts {
    pub(crate) fn trimmed(self) -> Self {
        let trim = |url: String| url.trim_end_matches('/').to_owned();
        Self {
            main: trim(self.main),
            backup: self.backup.map(trim),
        }
    }

    /// The other host than the one at `index`, when there is one.
    pub(crate) fn other(&self, index: usize) -> usize {
        match &self.backup {
            Some(_) => 1 - index.min(1),
            None => 0,
        }
    }

    pub(crate) fn url(&self, index: usize) -> &str {
        match (&self.backup, index) {
            (Some(backup), 1) => backup,
            _ => &self.main,
        }
    }
}

/// How far the platform's clock was ahead of ours, as its last refusal said; unknown before.
#[derive(Debug)]
pub(crate) struct ClockOffset(AtomicI64);

impl ClockOffset {
    pub(crate) const fn unknown() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }

    pub(crate) fn learn(&self, seconds: i64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    pub(crate) fn seconds(&self) -> Option<i64> {
        let seconds = self.0.load(Ordering::Relaxed);
        (seconds != i64::MIN).then_some(seconds)
    }
}

impl Core {
    /// Signs one attempt, with a new time and a new nonce, within the time that the attempt has.
    pub(crate) async fn authorize(
        &self,
        request: Request<'_>,
        time: Duration,
    ) -> Result<Authorization, Unsigned> {
        let nonce = new_nonce().map_err(Unsigned::new)?;
        let now = self.clock.now();
        let message = request.message(now, &nonce);
        // A signer may be another machine; its silence must not hold a call for ever.
        let signing = tokio::time::timeout(time, self.merchant.signer().sign(&message));
        let signature = signing.await.map_err(Unsigned::new)?.map_err(Unsigned::new)?;
        Ok(Authorization::from_signature(
            self.merchant.identity(),
            now,
            &nonce,
            &signature,
        ))
    }

    /// The raw client of one attempt.
    pub(crate) fn raw(&self, host: usize, pipeline: Arc<dyn wxmember_client::Pipeline>) -> raw::Client {
        raw::Client::new_with_client(self.hosts.url(host), self.http.clone(), pipeline)
    }
}
