//! The sandbox as a program holds it: how it is set up, started, looked into and stopped.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use thiserror::Error;
use tokio::{net::TcpListener, sync::watch, task::spawn_blocking};
use wxmember_crypto::SourceHasher;

use crate::{
    clock::Clock,
    control,
    fault::{Fault, Faults},
    folder::{self, FolderError},
    gateway::Gateway,
    identity::{Credentials, Identity, IdentityError},
    lock::locked,
    member::{Member, Members},
    nonce::Nonces,
    policy::Policies,
    quota::{Buckets, Quota},
    random::Tokens,
    registry::Registry,
    server::{Api, Listener, Service},
    spec::{Spec, SpecError},
};

/// A running sandbox. Dropping it stops it; [`shutdown`](Self::shutdown) waits for requests in flight.
#[derive(Debug)]
pub struct Sandbox {
    gateway: Arc<Gateway>,
    credentials: Credentials,
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
            quota: None,
            policies: Policies::default(),
            clock: Clock::system(),
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

    /// What a merchant holds to call it.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Every member, by card template and code.
    #[must_use]
    pub fn members(&self) -> Vec<Arc<Member>> {
        locked(&self.gateway.members).all()
    }

    /// One member.
    #[must_use]
    pub fn member(&self, card_id: &str, user_card_code: &str) -> Option<Arc<Member>> {
        locked(&self.gateway.members).find(card_id, user_card_code)
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
        self.gateway.faults.push(fault, answers);
    }

    /// Forgets the faults that are still waiting.
    pub fn clear_faults(&self) {
        self.gateway.faults.clear();
    }

    /// How many answers will still be spoilt.
    #[must_use]
    pub fn faults_waiting(&self) -> u64 {
        self.gateway.faults.waiting()
    }

    /// The platform's clock; move it with [`Clock::set_shift`].
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.gateway.clock
    }

    /// Stops listening, lets requests in flight finish for up to five seconds, and returns.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
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
    quota: Option<Quota>,
    policies: Policies,
    clock: Clock,
}

/// Where the keys come from.
enum Keys {
    Folder(PathBuf),
    Given(Box<Identity>),
    New,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "Folder({})", folder.display()),
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
            quota,
            policies,
            clock,
        } = self;
        let spec = Spec::embedded().map_err(StartError::Spec)?;
        let tokens = Tokens::from_system().map_err(StartError::Random)?;
        let keys_clock = clock.clone();
        // Making two RSA keys takes some 100 ms of a core.
        let (identity, folder) = spawn_blocking(move || identity_of(keys, &keys_clock))
            .await
            .map_err(|_| StartError::Stopped)??;
        let credentials = identity.credentials.clone();

        let api_listener = bind(listen).await?;
        let control_listener = bind(control).await?;
        let local = |listener: &TcpListener, address| {
            listener
                .local_addr()
                .map_err(|source| StartError::Bind { address, source })
        };
        let (api_address, control_address) =
            (local(&api_listener, listen)?, local(&control_listener, control)?);
        let identity = spawn_blocking(move || match folder {
            Some(folder) => folder::write(&folder, &identity, &url(api_address), &url(control_address))
                .map(|()| identity)
                .map_err(StartError::Folder),
            None => Ok(identity),
        })
        .await
        .map_err(|_| StartError::Stopped)??;

        let mut hasher = SourceHasher::new();
        hasher.update(credentials.apiv3_key.as_bytes());
        let gateway = Arc::new(Gateway {
            spec,
            registry: Registry::new(identity),
            buckets: quota.map(|quota| Buckets::new(quota, &clock)),
            clock,
            tokens,
            policies,
            faults: Faults::default(),
            members: Mutex::new(Members::new(*hasher.finish().as_bytes())),
            nonces: Mutex::new(Nonces::default()),
            requests: AtomicU64::new(0),
        });
        let (stop, stopped) = watch::channel(false);
        let api = Service::Api(Arc::new(Api::new(Arc::clone(&gateway))));
        let controls = Service::Control(control::router(Arc::clone(&gateway)));
        let spawned = |listener, service, address| {
            Listener::spawn(listener, service, stopped.clone())
                .map_err(|source| StartError::Bind { address, source })
        };
        Ok(Sandbox {
            api: spawned(api_listener, api, listen)?,
            control: spawned(control_listener, controls, control)?,
            gateway,
            credentials,
            stop,
        })
    }
}

fn identity_of(keys: Keys, clock: &Clock) -> Result<(Identity, Option<PathBuf>), StartError> {
    let generate = || Identity::generate(clock).map_err(StartError::Identity);
    match keys {
        Keys::Given(identity) => Ok((*identity, None)),
        Keys::New => Ok((generate()?, None)),
        Keys::Folder(folder) => {
            let identity = match folder::read(&folder).map_err(StartError::Folder)? {
                Some(identity) => identity,
                None => generate()?,
            };
            Ok((identity, Some(folder)))
        }
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Bind { address, source })
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
