//! One download of the platform certificates, `GET /v3/certificates`.
//!
//! The first answer cannot be verified with keys from before. Its certificates are sealed with the APIv3 key, which only the
//! platform and the merchant have, and the signature over the answer must verify with one of them: so nothing unverified is
//! ever taken, the first time included.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::HeaderMap;
use serde::Deserialize;
use tracing::Instrument;
use wxmember_client::{Pipeline, Step, Unsigned};
use wxmember_crypto::{ApiV3Key, Certificate, KeyId, party::Platform};
use wxmember_signing::{Authorization, Request, SignatureHeaders, Verified, VerifyError, verify};

use crate::{
    Delivery, Error, ErrorKind, Operation,
    core::Core,
    keyset::Keyset,
    observe,
    pipeline::{Attempt, Seen},
    resource::Resource,
};

/// Downloads what is valid now and opens it.
pub(crate) async fn certificates(
    core: &Arc<Core>,
    key: &ApiV3Key,
) -> Result<Vec<Certificate<Platform>>, Error> {
    let (mut host, mut attempts) = (0, 0);
    loop {
        let attempt = Arc::new(Download {
            attempt: Attempt::new(core.clone(), OPERATION, core.timeout.min(LONGEST)),
            core: core.clone(),
            key: key.clone(),
            opened: Mutex::default(),
        });
        attempts += 1;
        let span = observe::attempt(&OPERATION, attempts, host);
        let started = core.clock.steady();
        let outcome = exchange(core, host, &attempt).instrument(span.clone()).await;
        let took = core.clock.steady().saturating_sub(started);
        observe::attempted(&span, &OPERATION, &attempt.seen(), outcome.as_ref().err(), took);
        let other = core.hosts.other(0);
        match outcome {
            Err(error) if error.kind() == ErrorKind::Connect && host != other => host = other,
            done => return done,
        }
    }
}

async fn exchange(
    core: &Core,
    host: usize,
    attempt: &Arc<Download>,
) -> Result<Vec<Certificate<Platform>>, Error> {
    let raw = core.raw(host, attempt.clone());
    raw.exchange(http::Method::GET, OPERATION.path(), None, None)
        .await
        .map_err(|error| Error::from_raw(&OPERATION, error).seen(attempt.seen()))?;
    let mut opened = attempt.opened.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *opened).ok_or_else(|| {
        Error::new(&OPERATION, ErrorKind::Undecodable, Delivery::Answered)
            .seen(attempt.seen())
            .caused_by(NoCertificates)
    })
}

/// The body of the answer, as far as it is needed.
#[derive(Deserialize)]
struct Listed {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    encrypt_certificate: Resource,
}

/// The pipeline of a download: it verifies with what the answer itself brings, besides the keys that are known.
#[derive(Debug)]
struct Download {
    attempt: Attempt,
    core: Arc<Core>,
    key: ApiV3Key,
    opened: Mutex<Option<Vec<Certificate<Platform>>>>,
}

impl Download {
    fn seen(&self) -> Seen {
        self.attempt.seen()
    }

    /// The certificates inside an answer; one that does not open or parse is left out, others may be good.
    fn open(&self, body: &[u8]) -> Vec<Certificate<Platform>> {
        let Ok(listed) = serde_json::from_slice::<Listed>(body) else {
            return Vec::new();
        };
        let certificates = listed.data.iter().filter_map(|item| {
            let pem = item.encrypt_certificate.open(&self.key).ok()?;
            Certificate::from_pem(str::from_utf8(&pem).ok()?).ok()
        });
        certificates.take(MOST_CERTIFICATES).collect()
    }
}

impl Pipeline for Download {
    fn authorize<'a>(&'a self, request: Request<'a>) -> Step<'a, Result<Authorization, Unsigned>> {
        self.attempt.authorize(request)
    }

    fn verify<'a>(
        &'a self,
        headers: SignatureHeaders<'a>,
        body: &'a [u8],
    ) -> Step<'a, Result<Verified, VerifyError>> {
        let certificates = self.open(body);
        let mut keys = Keyset::clone(&self.core.keys.snapshot());
        for certificate in &certificates {
            keys.insert_certificate(certificate);
        }
        let verified = verify(&headers, body, self.core.clock.now(), &keys);
        if verified.is_ok() && !certificates.is_empty() {
            *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificates);
        }
        Box::pin(std::future::ready(verified))
    }

    fn note(&self, status: u16, headers: &HeaderMap) {
        self.attempt.note(status, headers);
    }

    fn answer_key(&self) -> Option<KeyId> {
        self.attempt.answer_key()
    }

    fn timeout(&self) -> Duration {
        self.attempt.timeout()
    }

    fn user_agent(&self) -> &str {
        self.attempt.user_agent()
    }

    fn body_limit(&self) -> usize {
        self.attempt.body_limit()
    }
}

/// An answer without a certificate that opens.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer holds no certificate that opens; is the APIv3 key the one set in the merchant platform")]
struct NoCertificates;

pub(crate) const OPERATION: Operation =
    Operation::new("list_certificates", "GET", "/v3/certificates", 5, true);

/// During a replacement there are two; far more would be an attempt to exhaust us.
const MOST_CERTIFICATES: usize = 32;

/// A call may wait for a download, and others for it; the platform's silence must not hold them long.
const LONGEST: Duration = Duration::from_secs(10);
