//! The sandbox as a program holds it: how it is set up, started, looked into and stopped.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use thiserror::Error;
use tokio::{net::TcpListener, sync::watch, task::spawn_blocking};
use wxmember_crypto::{KeyId, SourceHasher};

use crate::{
    clock::Clock,
    control,
    fault::{Fault, FaultRate, Faults},
    folder::{self, FolderError},
    gateway::Gateway,
    identities::{self, IdentitiesError},
    identity::{Credentials, Identity, IdentityError, PublicKeyMode},
    journal::{Journal, JournalEntry},
    lock::locked,
    member::Member,
    nonce::Nonces,
    notification::{self, NotificationError, NotificationOptions, SignedNotification},
    operations::{Start, State},
    outbox::{Delivery, Outbox, Sending, Which},
    platform::{self, PlatformCertificate},
    policy::Policies,
    quota::{Buckets, Quota},
    random::Tokens,
    registry::Registry,
    server::{Api, Listener, Service},
    spec::{Spec, SpecError},
};

mod people;

/// A running sandbox. Dropping it stops it; [`shutdown`](Self::shutdown) waits for requests in flight.
#[derive(Debug)]
pub struct Sandbox {
    gateway: Arc<Gateway>,
    /// At least one.
    merchants: Vec<Credentials>,
    folder: Option<PathBuf>,
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
        SandboxBuilder {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            keys: Keys::New,
            platform_certificates: 0,
            public_key_mode: PublicKeyMode::On,
            quota: None,
            policies: Policies::default(),
            clock: Clock::system(),
            connections: CONNECTIONS,
        }
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

    /// Every member, by card template and code.
    #[must_use]
    pub fn members(&self) -> Vec<Arc<Member>> {
        locked(&self.gateway.state).members.all()
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
    /// One that [commits](Fault::commits) waits for a request that is not refused.
    pub fn fault(&self, fault: Fault, answers: u64) {
        self.gateway.faults.push(fault, None, answers);
    }

    /// Spoils as many of the next answers of one operation, by its id in the API document, such as `list_certificates`.
    ///
    /// It stands in the same queue as [`fault`](Self::fault); other operations pass it by.
    pub fn fault_on(&self, operation: &str, fault: Fault, answers: u64) {
        self.gateway.faults.push(fault, Some(operation), answers);
    }

    /// Spoils a share of the answers from now on, behind the faults that are waiting.
    pub fn fault_rate(&self, rate: FaultRate) {
        self.gateway.faults.push_rate(rate);
    }

    /// Forgets the faults that are still waiting, and those by chance.
    pub fn clear_faults(&self) {
        self.gateway.faults.clear();
    }

    /// How many answers will still be spoilt, without those by chance.
    #[must_use]
    pub fn faults_waiting(&self) -> u64 {
        self.gateway.faults.waiting()
    }

    /// The platform's certificates, from the one that starts first to the one that starts last, which signs.
    ///
    /// A merchant gets them with `GET /v3/certificates`; the first one by other means, or unverified.
    #[must_use]
    pub fn platform_certificates(&self) -> Vec<PlatformCertificate> {
        self.gateway.registry.platform.certificates()
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

    /// Sends every notification that is due by the [clock](Self::clock), and returns when nothing is due any more.
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

/// How a sandbox is set up. Every setting has a default.
#[derive(Debug)]
pub struct SandboxBuilder {
    listen: SocketAddr,
    control: SocketAddr,
    keys: Keys,
    platform_certificates: usize,
    public_key_mode: PublicKeyMode,
    quota: Option<Quota>,
    policies: Policies,
    clock: Clock,
    connections: usize,
}

/// Where the keys come from.
enum Keys {
    Folder(PathBuf),
    File(PathBuf),
    Given(Box<Identity>),
    New,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "Folder({})", folder.display()),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Given(_) => f.write_str("Given(…)"),
            Self::New => f.write_str("New"),
        }
    }
}

impl SandboxBuilder {
    /// Sets the API's address; port 0 takes a free one. Default: loopback, port 0.
    #[must_use]
    pub fn with_address(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Sets the control address; port 0 takes a free one. Default: loopback, port 0.
    #[must_use]
    pub fn with_control_address(mut self, address: SocketAddr) -> Self {
        self.control = address;
        self
    }

    /// Takes these keys. Default: new ones. It replaces [`with_folder`](Self::with_folder).
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.keys = Keys::Given(Box::new(identity));
        self
    }

    /// Takes the keys of this folder, or makes new ones, and writes there what a merchant would hold.
    ///
    /// It replaces [`with_identity`](Self::with_identity).
    #[must_use]
    pub fn with_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.keys = Keys::Folder(folder.into());
        self
    }

    /// Takes merchants, brands, templates and keys from a TOML file; `identities.toml` beside this crate's source shows
    /// all that can stand there.
    ///
    /// It replaces [`with_identity`](Self::with_identity) and [`with_folder`](Self::with_folder).
    #[must_use]
    pub fn with_identities(mut self, file: impl Into<PathBuf>) -> Self {
        self.keys = Keys::File(file.into());
        self
    }

    /// Gives the platform at least as many certificates (平台证书) beside its public key. Default: none.
    ///
    /// Certificates of the identity or the folder count. Each new one takes some 50 ms of a core.
    #[must_use]
    pub fn with_platform_certificates(mut self, count: usize) -> Self {
        self.platform_certificates = count;
        self
    }

    /// Takes the platform's public key (微信支付公钥) away, for a merchant who has not changed over: platform-certificate
    /// mode alone, with at least one certificate. Default: there is a public key.
    #[must_use]
    pub fn without_platform_public_key(mut self) -> Self {
        self.public_key_mode = PublicKeyMode::Off;
        self.platform_certificates = self.platform_certificates.max(1);
        self
    }

    /// Sets how many requests a merchant may make of one operation. Default: any number.
    #[must_use]
    pub fn with_quota(mut self, quota: Quota) -> Self {
        self.quota = Some(quota);
        self
    }

    /// Sets what happens where the protocol is silent.
    #[must_use]
    pub fn with_policies(mut self, policies: Policies) -> Self {
        self.policies = policies;
        self
    }

    /// Sets the clock. Default: the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how many connections each of the two addresses holds at once; what comes beyond is closed without an answer.
    /// Default: 1,024. An idle one is closed after 75 seconds.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Starts it on the current tokio runtime, which needs its I/O and its timer.
    ///
    /// # Errors
    ///
    /// [`StartError`]: an address is taken, the folder is unusable, or there is no randomness.
    pub async fn start(self) -> Result<Sandbox, StartError> {
        let Self {
            listen,
            control,
            keys,
            platform_certificates,
            public_key_mode,
            quota,
            policies,
            clock,
            connections,
        } = self;
        let spec = Spec::embedded().map_err(StartError::Spec)?;
        let tokens = Tokens::from_system().map_err(StartError::Random)?;
        let keys_clock = clock.clone();
        // Making two RSA keys takes some 100 ms of a core.
        let (mut identity, folder) = spawn_blocking(move || {
            let (mut identity, folder) = identity_of(keys, &keys_clock)?;
            platform::fill_up(&mut identity.certified, platform_certificates, &keys_clock)
                .map_err(StartError::Identity)?;
            Ok((identity, folder))
        })
        .await
        .map_err(|_| StartError::Stopped)??;
        if public_key_mode == PublicKeyMode::Off {
            identity.public_key_mode = public_key_mode;
        }
        let merchants: Vec<_> = identity.merchants().cloned().collect();

        let api_listener = bind(listen).await?;
        let control_listener = bind(control).await?;
        let local = |listener: &TcpListener, address| {
            listener
                .local_addr()
                .map_err(|source| StartError::Bind { address, source })
        };
        let (api_address, control_address) =
            (local(&api_listener, listen)?, local(&control_listener, control)?);
        let (identity, folder) = spawn_blocking(move || {
            if let Some(folder) = &folder {
                folder::write(folder, &identity, &url(api_address), &url(control_address))
                    .map_err(StartError::Folder)?;
            }
            Ok((identity, folder))
        })
        .await
        .map_err(|_| StartError::Stopped)??;

        let mut hasher = SourceHasher::new();
        hasher.update(identity.credentials().apiv3_key.as_bytes());
        let start = Start {
            hash_key: *hasher.finish().as_bytes(),
            templates: identity.templates.clone(),
        };
        let state = State::new(&start, &clock);
        let gateway = Arc::new(Gateway {
            spec,
            registry: Registry::new(identity),
            buckets: quota.map(|quota| Buckets::new(quota, &clock)),
            clock,
            tokens,
            policies,
            faults: Faults::default(),
            journal: Journal::default(),
            outbox: Outbox::default(),
            start,
            state: Mutex::new(state),
            nonces: Mutex::new(Nonces::default()),
            requests: AtomicU64::new(0),
            certificate_downloads: AtomicU64::new(0),
        });
        let (stop, stopped) = watch::channel(false);
        let api = Service::Api(Arc::new(Api::new(Arc::clone(&gateway), stopped.clone())));
        let controls = Service::Control(control::router(control::Control {
            gateway: Arc::clone(&gateway),
            folder: folder.clone(),
            merchants: merchants.clone().into(),
        }));
        tokio::spawn(send_notifications(Arc::clone(&gateway), stopped.clone()));
        let spawned = |listener, service, address| {
            Listener::spawn(listener, service, connections, stopped.clone())
                .map_err(|source| StartError::Bind { address, source })
        };
        Ok(Sandbox {
            api: spawned(api_listener, api, listen)?,
            control: spawned(control_listener, controls, control)?,
            gateway,
            merchants,
            folder,
            stop,
        })
    }
}

fn identity_of(keys: Keys, clock: &Clock) -> Result<(Identity, Option<PathBuf>), StartError> {
    let generate = || Identity::generate(clock).map_err(StartError::Identity);
    match keys {
        Keys::Given(identity) => Ok((*identity, None)),
        Keys::New => Ok((generate()?, None)),
        Keys::File(path) => {
            let identity = identities::read(&path, clock).map_err(StartError::Identities)?;
            Ok((identity, None))
        }
        Keys::Folder(folder) => {
            let identity = match folder::read(&folder).map_err(StartError::Folder)? {
                Some(identity) => identity,
                None => generate()?,
            };
            Ok((identity, Some(folder)))
        }
    }
}

/// Sends what is due until the sandbox stops.
async fn send_notifications(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    loop {
        gateway.outbox.deliver(&gateway, Which::Due).await;
        let next = gateway.outbox.next_due().filter(|_| gateway.clock.runs());
        let wait = next.map_or(LONGEST_WAIT, |due| due.saturating_sub(gateway.clock.elapsed()));
        tokio::select! {
            () = gateway.outbox.wake.notified() => {}
            () = tokio::time::sleep(wait) => {}
            // An error means that the handle was dropped without a shutdown.
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Makes a new platform certificate; it takes some 50 ms of a core.
pub(crate) fn rotate(gateway: &Gateway, folder: Option<&Path>) -> Result<PlatformCertificate, StartError> {
    let pair = gateway.registry.platform.rotate(&gateway.clock);
    let pair = pair.map_err(StartError::Identity)?;
    if let Some(folder) = folder {
        folder::certificates::add(folder, &pair).map_err(StartError::Folder)?;
    }
    pair.certificate.clone().ok_or(StartError::Stopped)
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

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Bind { address, source })
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// Common limits of open files leave room for these.
const CONNECTIONS: usize = 1024;
/// How long the sender waits when nothing is to come; it is woken by what is new.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
