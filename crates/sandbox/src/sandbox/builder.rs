//! How a sandbox is set up and started: every setting with its default, and the order in which a start takes its
//! steps. Must never hold anything after the start; `sandbox.rs` does.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use tokio::{net::TcpListener, sync::watch, task::spawn_blocking};
use wxmember_crypto::SourceHasher;

use super::{Sandbox, StartError, url};
use crate::{
    clock::Clock,
    control,
    fault::{self, Faults},
    folder::{self, Home, kept::Kept},
    gateway::{Gateway, NegativeTest},
    identities,
    identity::{Identity, PublicKeyMode},
    journal::Journal,
    nonce::Nonces,
    operations::{Start, State},
    outbox::{Outbox, Which},
    platform,
    policy::{Policies, PolicyChoice},
    quota::{Buckets, Quota},
    random::Tokens,
    registry::Registry,
    server::{Api, Listener, Service},
    spec::Spec,
};

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
    choices: Vec<PolicyChoice>,
    notify_url: Option<String>,
    clock: Clock,
    connections: usize,
    negative_test: NegativeTest,
    faults: Option<PathBuf>,
}

/// Where the keys come from.
enum Keys {
    Folder(PathBuf),
    /// An identities file, and the folder that keeps what the file leaves out.
    File(PathBuf, Option<PathBuf>),
    Given(Box<Identity>),
    New,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "Folder({})", folder.display()),
            Self::File(path, _) => write!(f, "File({})", path.display()),
            Self::Given(_) => f.write_str("Given(…)"),
            Self::New => f.write_str("New"),
        }
    }
}

impl SandboxBuilder {
    pub(super) fn new() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            keys: Keys::New,
            platform_certificates: 0,
            public_key_mode: PublicKeyMode::On,
            quota: None,
            policies: Policies::default(),
            choices: Vec::new(),
            notify_url: None,
            clock: Clock::system(),
            connections: CONNECTIONS,
            negative_test: NegativeTest::Obeyed,
            faults: None,
        }
    }

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
    /// It replaces [`with_identity`](Self::with_identity). Beside an [identities file](Self::with_identities) it keeps
    /// the keys that the file leaves out, in one folder a merchant, so that the next start plays with the same ones.
    #[must_use]
    pub fn with_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.keys = match self.keys {
            Keys::File(path, _) => Keys::File(path, Some(folder.into())),
            Keys::Folder(_) | Keys::Given(_) | Keys::New => Keys::Folder(folder.into()),
        };
        self
    }

    /// Takes merchants, brands, templates and keys from a TOML file; `identities.toml` beside this crate's source shows
    /// all that can stand there.
    ///
    /// It replaces [`with_identity`](Self::with_identity). Keys that the file leaves out are made anew at each start,
    /// unless there is a [folder](Self::with_folder) to keep them.
    #[must_use]
    pub fn with_identities(mut self, file: impl Into<PathBuf>) -> Self {
        let folder = match self.keys {
            Keys::Folder(folder) | Keys::File(_, Some(folder)) => Some(folder),
            Keys::File(_, None) | Keys::Given(_) | Keys::New => None,
        };
        self.keys = Keys::File(file.into(), folder);
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

    /// Sets what happens where the protocol is silent. What an identities file says of a policy comes after it.
    #[must_use]
    pub fn with_policies(mut self, policies: Policies) -> Self {
        self.policies = policies;
        self
    }

    /// Sets one policy, whatever else was said of it.
    #[must_use]
    pub fn with_policy(mut self, chosen: PolicyChoice) -> Self {
        self.choices.push(chosen);
        self
    }

    /// Sends the notifications of events to this address, such as `http://127.0.0.1:9000/notify`, whatever `notify_url`
    /// a template has. Default: to the template's, if that is an `http` one.
    ///
    /// The platform takes `https` addresses alone, and the sandbox speaks no TLS: with this a test can create templates
    /// as in earnest and still be notified.
    #[must_use]
    pub fn with_notify_url(mut self, url: impl Into<String>) -> Self {
        self.notify_url = Some(url.into());
        self
    }

    /// Sets the clock. Default: the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how many connections each of the two addresses holds at once. Default: 1,024.
    ///
    /// One that comes beyond takes the place of the one that has waited longest for its client, be it that this one is
    /// idle, sends slowly, or has not read its answer to the end; it is closed without an answer only when all are at
    /// work, which is while an answer is made. An idle one is closed after 75 seconds.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Begins with the faults of a TOML file; `faults.toml` beside this crate's source shows all that can stand there.
    /// Default: none.
    #[must_use]
    pub fn with_faults(mut self, file: impl Into<PathBuf>) -> Self {
        self.faults = Some(file.into());
        self
    }

    /// Takes no notice of the header `Wechatpay-Negative-Test`, as the platform. Default: a request may name a
    /// [fault](crate::fault_kinds) for its own answer there, such as `lost-answer` or `shifted-clock,seconds=600`.
    #[must_use]
    pub fn without_negative_test_header(mut self) -> Self {
        self.negative_test = NegativeTest::Ignored;
        self
    }

    /// Starts it on the current tokio runtime, which needs its I/O and its timer.
    ///
    /// # Errors
    ///
    /// [`StartError`]: an address cannot be listened on; the file of faults, the identities file or the folder cannot be
    /// used; keys cannot be made, or there is no randomness; the runtime is shutting down.
    pub async fn start(self) -> Result<Sandbox, StartError> {
        let Self {
            listen,
            control,
            keys,
            platform_certificates,
            public_key_mode,
            quota,
            mut policies,
            choices,
            notify_url,
            clock,
            connections,
            negative_test,
            faults: faults_file,
        } = self;
        let spec = Spec::embedded().map_err(StartError::Spec)?;
        let faults = Faults::default();
        if let Some(file) = faults_file {
            let rules = fault::read_file(&file).map_err(StartError::Faults)?;
            for rule in rules {
                faults.push(rule, clock.elapsed());
            }
        }
        let tokens = Tokens::from_system().map_err(StartError::Random)?;
        let keys_clock = clock.clone();
        // Making two RSA keys takes some 100 ms of a core.
        let (mut identity, home) = spawn_blocking(move || {
            let (mut identity, home) = identity_of(keys, &keys_clock)?;
            platform::fill_up(&mut identity.certified, platform_certificates, &keys_clock)
                .map_err(StartError::Identity)?;
            Ok((identity, home))
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
        let (identity, folder, profile) = spawn_blocking(move || {
            let urls = (url(api_address), url(control_address));
            let profile = match &home {
                Some(home) => home
                    .write(&identity, &urls.0, &urls.1)
                    .map_err(StartError::Folder)?,
                None => None,
            };
            Ok((identity, home.map(|home| home.folder), profile))
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
        let choices = identity.policies.iter().copied().chain(choices);
        choices.for_each(|chosen| policies.choose(chosen));
        let gateway = Arc::new(Gateway {
            spec,
            registry: Registry::new(identity),
            buckets: quota.map(|quota| Buckets::new(quota, &clock)),
            clock,
            tokens,
            policies: Mutex::new(policies),
            notify_url,
            faults,
            negative_test,
            journal: Journal::default(),
            outbox: Outbox::default(),
            start,
            state: Mutex::new(state),
            nonces: Mutex::new(Nonces::default()),
            given: Mutex::default(),
            requests: AtomicU64::new(0),
            certificate_downloads: AtomicU64::new(0),
        });
        let (stop, stopped) = watch::channel(false);
        let api = Service::Api(Arc::new(Api::new(Arc::clone(&gateway), stopped.clone())));
        let controls = Service::Control(control::router(control::Control {
            gateway: Arc::clone(&gateway),
            folder: folder.clone(),
            merchants: merchants.clone().into(),
            live: Arc::new(control::Live::new(&gateway, stopped.clone())),
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
            profile,
            stop,
        })
    }
}

fn identity_of(keys: Keys, clock: &Clock) -> Result<(Identity, Option<Home>), StartError> {
    let generate = || Identity::generate(clock).map_err(StartError::Identity);
    match keys {
        Keys::Given(identity) => Ok((*identity, None)),
        Keys::New => Ok((generate()?, None)),
        Keys::File(path, folder) => {
            let kept = folder.map(Kept::open).transpose().map_err(StartError::Folder)?;
            let mut identity =
                identities::read(&path, clock, kept.as_ref()).map_err(StartError::Identities)?;
            let Some(kept) = kept else {
                return Ok((identity, None));
            };
            let of_file = identity.certified.len();
            identity
                .certified
                .extend(kept.rotated().map_err(StartError::Folder)?);
            Ok((identity, Some(kept.into_home(of_file))))
        }
        Keys::Folder(folder) => {
            let identity = match folder::read(&folder).map_err(StartError::Folder)? {
                Some(identity) => identity,
                None => generate()?,
            };
            Ok((identity, Some(Home::of_one(folder))))
        }
    }
}

/// Sends what is due until the sandbox stops.
async fn send_notifications(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = gateway.outbox.deliver(&gateway, Which::Due) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
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

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Bind { address, source })
}

/// Common limits of open files leave room for these.
const CONNECTIONS: usize = 1024;
/// How long the sender waits when nothing is to come; it is woken by what is new.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
