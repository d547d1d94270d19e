//! The sandbox as a program holds it: how it is looked into, told to misbehave, and stopped. `sandbox/builder.rs` sets it
//! up.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use serde_json::Value;
use thiserror::Error;
use tokio::{sync::watch, task::spawn_blocking};
use wxmember_crypto::KeyId;

use crate::{
    clock::Clock,
    fault::{Fault, FaultRule, FaultRuleError, FaultsFileError},
    folder::{self, FolderError},
    gateway::Gateway,
    identities::IdentitiesError,
    identity::{Credentials, IdentityError},
    journal::JournalEntry,
    lock::locked,
    member::{
        Member,
        store::{BATCH, Listing},
    },
    notification::{self, NotificationError, NotificationOptions, SignedNotification},
    outbox::{Delivery, Sending, Which},
    platform::{Maker, PlatformCertificate, PlatformPublicKey, PublicKeyError},
    server::Listener,
    spec::SpecError,
};

mod builder;
mod people;

pub use self::builder::SandboxBuilder;

/// A running sandbox. Dropping it stops it; [`shutdown`](Self::shutdown) waits for requests in flight.
#[derive(Debug)]
pub struct Sandbox {
    gateway: Arc<Gateway>,
    /// At least one.
    merchants: Vec<Credentials>,
    folder: Option<PathBuf>,
    profile: Option<PathBuf>,
    api: Listener,
    control: Listener,
    stop: watch::Sender<bool>,
}

/// Why a sandbox does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The file of faults cannot be used.
    #[error(transparent)]
    Faults(FaultsFileError),
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(FolderError),
    /// The identities file cannot be used.
    #[error(transparent)]
    Identities(IdentitiesError),
    /// The identity cannot be made.
    #[error("no identity could be made")]
    Identity(#[source] IdentityError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// The API document that this crate was built with cannot be played.
    #[error(transparent)]
    Spec(SpecError),
    /// The runtime was shut down meanwhile.
    #[error("the runtime was shut down while the sandbox started")]
    Stopped,
}

impl Sandbox {
    /// Starts one with new keys on free ports of the loopback address.
    ///
    /// # Errors
    ///
    /// [`StartError`], as [`SandboxBuilder::start`].
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Sets one up.
    #[must_use]
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::new()
    }

    /// What answers, for a replay, which needs no sockets.
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Where the API is, such as `http://127.0.0.1:8765`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        url(self.api.address)
    }

    /// Where the control address is.
    #[must_use]
    pub fn control_url(&self) -> String {
        url(self.control.address)
    }

    /// What the first merchant holds to call it.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.merchants[0]
    }

    /// What every merchant holds, as the identities file lists them; without such a file there is one.
    #[must_use]
    pub fn merchants(&self) -> &[Credentials] {
        &self.merchants
    }

    /// Every member, by card template and code. Requests go on meanwhile: who comes or goes during the call may be in it
    /// or not.
    #[must_use]
    pub fn members(&self) -> Vec<Arc<Member>> {
        let (mut listing, mut members) = (Listing::new(None, 0), Vec::new());
        loop {
            let batch = locked(&self.gateway.state).members.batch(&mut listing, BATCH);
            if batch.is_empty() {
                return members;
            }
            members.extend(batch.into_iter().map(Arc::new));
        }
    }

    /// One member.
    #[must_use]
    pub fn member(&self, card_id: &str, user_card_code: &str) -> Option<Arc<Member>> {
        locked(&self.gateway.state).members.find(card_id, user_card_code)
    }

    /// How many requests came to the API address, refused ones included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.gateway.requests.load(Ordering::Relaxed)
    }

    /// Spoils as many of the next answers. Faults queue up, first in, first out.
    ///
    /// One that [commits](Fault::commits) waits for a request that is not refused. One that spoils a body lets an answer
    /// without one pass, and the next one in the queue has it; [`Fault::ReplayedAnswer`] does so with an answer that names
    /// no one user card.
    pub fn fault(&self, fault: Fault, answers: u64) {
        self.fault_rule(FaultRule::next(fault, answers));
    }

    /// Spoils as many of the next answers of one operation, by its id in the API document, such as `list_certificates`.
    ///
    /// It stands in the same queue as [`fault`](Self::fault); other operations pass it by.
    ///
    /// # Errors
    ///
    /// [`FaultRuleError::UnknownOperation`], no operation has this id; [`FaultRuleError::NoBody`] or
    /// [`FaultRuleError::NoCard`], its answers have no body, or name no user card, that the fault could spoil. No fault is
    /// added.
    pub fn fault_on(&self, operation: &str, fault: Fault, answers: u64) -> Result<(), FaultRuleError> {
        self.fault_rule(FaultRule::next(fault, answers).with_operation(operation)?);
        Ok(())
    }

    /// Spoils the answers that a rule names: the next ones, a share that a seed chooses, or those of a time. The latter
    /// two come behind the faults that wait for the next answers.
    pub fn fault_rule(&self, rule: FaultRule) {
        self.gateway.faults.push(rule, self.gateway.clock.elapsed());
    }

    /// Forgets the faults that are still waiting, and those by chance and for a time.
    pub fn clear_faults(&self) {
        self.gateway.faults.clear();
    }

    /// How many answers will still be spoilt, without those by chance and for a time.
    #[must_use]
    pub fn faults_waiting(&self) -> u64 {
        self.gateway.faults.waiting()
    }

    /// The platform's public key that signs now; [`credentials`](Self::credentials) have the one of the start. They
    /// differ after it was [rotated](Self::rotate_platform_public_key), or after [`Fault::RotatedKey`]. `None` in
    /// platform-certificate mode alone.
    #[must_use]
    pub fn platform_public_key(&self) -> Option<PlatformPublicKey> {
        self.gateway.registry.platform.public_key()
    }

    /// Makes a new public key of the platform, which signs from now on in public-key mode.
    ///
    /// The older ones still open what was sealed for them until they are
    /// [retired](Self::retire_platform_public_key). Nobody can download a public key: a merchant gets it by hand, here by
    /// what this returns. A folder and the profile in it are not written, so the next start has the key that is there.
    ///
    /// # Errors
    ///
    /// [`PublicKeyError`]: there is no public key to be rotated, or no randomness.
    pub async fn rotate_platform_public_key(&self) -> Result<PlatformPublicKey, PublicKeyError> {
        let gateway = Arc::clone(&self.gateway);
        // Making an RSA key takes some 50 ms of a core.
        spawn_blocking(move || rotate_public_key(&gateway))
            .await
            .map_err(|_| PublicKeyError::Stopped)?
    }

    /// Takes an older public key of the platform away: requests that name it are refused.
    ///
    /// # Errors
    ///
    /// [`PublicKeyError`]: the key is the one that signs, or there is none with this id.
    pub fn retire_platform_public_key(&self, id: &str) -> Result<(), PublicKeyError> {
        self.gateway.registry.platform.retire_public_key(&KeyId::new(id))
    }

    /// The platform's certificates, from the one that starts first to the one that starts last, which signs.
    ///
    /// A merchant gets them with `GET /v3/certificates`; the first one by other means, or unverified.
    #[must_use]
    pub fn platform_certificates(&self) -> Vec<PlatformCertificate> {
        self.gateway.registry.platform.certificates()
    }

    /// The first profile for the command line that was written and can import. `None` without a folder; and beside an
    /// identities file where it says itself where the keys of every merchant with a card template are.
    #[must_use]
    pub fn profile(&self) -> Option<&Path> {
        self.profile.as_deref()
    }

    /// Makes a new platform certificate, which signs from now on in platform-certificate mode.
    ///
    /// The older ones stay valid: they open what was sealed for them until they are
    /// [retired](Self::retire_platform_certificate). A sandbox with a folder writes the new one there.
    ///
    /// # Errors
    ///
    /// [`StartError`]: there is no randomness, or the folder cannot be written.
    pub async fn rotate_platform_certificate(&self) -> Result<PlatformCertificate, StartError> {
        let (gateway, folder) = (Arc::clone(&self.gateway), self.folder.clone());
        // Making an RSA key takes some 50 ms of a core.
        spawn_blocking(move || rotate(&gateway, folder.as_deref()))
            .await
            .map_err(|_| StartError::Stopped)?
    }

    /// Takes a platform certificate away: requests that name it are refused. `false` when there is no such certificate.
    ///
    /// # Errors
    ///
    /// [`StartError::Folder`] when a sandbox with a folder cannot write it.
    pub fn retire_platform_certificate(&self, serial: &str) -> Result<bool, StartError> {
        retire(&self.gateway, self.folder.as_deref(), serial)
    }

    /// Forgets members, templates, the journal, used nonces and waiting faults, as if it had just started. Keys, clock
    /// and quota stay as they are.
    pub fn reset(&self) {
        self.gateway.reset();
    }

    /// How many requests came for `GET /v3/certificates`, refused and spoilt ones included.
    #[must_use]
    pub fn certificate_downloads(&self) -> u64 {
        self.gateway.certificate_downloads.load(Ordering::Relaxed)
    }

    /// The last 1,024 requests to the API address that reached a decision, oldest first.
    #[must_use]
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.gateway.journal.entries()
    }

    /// Makes a notification as the platform would post it, with a new id and a right signature. It is not sent.
    ///
    /// `resource` is what the merchant finds after decryption; personal fields stay as they are.
    ///
    /// # Errors
    ///
    /// [`NotificationError`] when there is no valid platform key.
    pub fn notification(
        &self,
        event_type: &str,
        resource: &Value,
    ) -> Result<SignedNotification, NotificationError> {
        self.notification_with(event_type, resource, &NotificationOptions::default())
    }

    /// Makes a notification with a chosen key, signature, id or sealed personal fields.
    ///
    /// # Errors
    ///
    /// [`NotificationError`] when the key is unknown, or a personal field is too long to be sealed.
    pub fn notification_with(
        &self,
        event_type: &str,
        resource: &Value,
        options: &NotificationOptions,
    ) -> Result<SignedNotification, NotificationError> {
        notification::make(&self.gateway, event_type, resource, options)
    }

    /// Sends a notification by command, at once and then as `sending` says. [`deliveries`](Self::deliveries) shows what
    /// became of it.
    pub fn send_notification(&self, event_type: &str, resource: &Value, sending: &Sending) -> Delivery {
        let gateway = &self.gateway;
        gateway
            .outbox
            .push(gateway, event_type, resource.clone(), sending)
    }

    /// The last 256 notifications that were sent or wait, oldest first.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.gateway.outbox.deliveries()
    }

    /// Sends every notification that is due by the [clock](Self::clock) as this is called, with its probes and
    /// duplicates, and returns. What becomes due while it sends is for the next call, so that it ends under a clock that
    /// runs: after 5 seconds for each attempt that nobody answers.
    ///
    /// A task does so by itself for what is new, and with the system's clock also for retries; under a clock that stands
    /// still a test calls it after it has moved the time.
    pub async fn deliver_notifications(&self) {
        self.gateway.outbox.deliver(&self.gateway, Which::Due).await;
    }

    /// The platform's clock; move it with [`Clock::set_shift`].
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.gateway.clock
    }

    /// Tells it to stop, and returns at once; [`shutdown`](Self::shutdown) also waits.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops listening, lets requests in flight finish for up to five seconds, and returns.
    pub async fn shutdown(mut self) {
        self.stop();
        self.api.ended().await;
        self.control.ended().await;
    }
}

/// Makes a new platform certificate; it takes some 50 ms of a core.
pub(crate) fn rotate(gateway: &Gateway, folder: Option<&Path>) -> Result<PlatformCertificate, StartError> {
    let pair = gateway.registry.platform.rotate(&gateway.clock, Maker::Command);
    let pair = pair.map_err(StartError::Identity)?;
    if let Some(folder) = folder {
        folder::certificates::add(folder, &pair).map_err(StartError::Folder)?;
    }
    pair.certificate.clone().ok_or(StartError::Stopped)
}

/// Makes a new public key; it takes some 50 ms of a core.
pub(crate) fn rotate_public_key(gateway: &Gateway) -> Result<PlatformPublicKey, PublicKeyError> {
    let registry = &gateway.registry;
    if registry.platform.public_key().is_none() {
        return Err(PublicKeyError::NoPublicKey);
    }
    let pair = registry
        .platform
        .rotate_public_key(registry.first_mchid(), Maker::Command);
    let pair = pair.map_err(PublicKeyError::NewKey)?;
    Ok(pair.as_public_key())
}

/// Takes a platform certificate away; `false` when it is not there.
pub(crate) fn retire(gateway: &Gateway, folder: Option<&Path>, serial: &str) -> Result<bool, StartError> {
    let serial = KeyId::new(serial);
    let was_there = gateway.registry.platform.retire(&serial);
    if let (true, Some(folder)) = (was_there, folder) {
        folder::certificates::forget(folder, serial.as_str()).map_err(StartError::Folder)?;
    }
    Ok(was_there)
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
