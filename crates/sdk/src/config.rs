//! Configuration: who calls, whom to believe, then everything that has a default. Building needs no network.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::Url;
use thiserror::Error;
use wxmember_crypto::KeyId;

use crate::{
    Client, Clock, Merchant, RetryPolicy, SystemClock, Trust,
    core::{ClockOffset, Core, Hosts},
    keys::KeyStore,
    observe,
};

/// Makes a [`Client`]. The two choices that must be made are made in order; the rest has defaults.
///
/// ```
/// # use wxmember::{Client, Merchant, MerchantKey, PlatformKey, Trust};
/// # fn demo(key: MerchantKey, platform: PlatformKey) -> Result<(), wxmember::ConfigError> {
/// let client = Client::builder()
///     .merchant(Merchant::new("1900000109", "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6", key)?)
///     .trust(Trust::public_key("PUB_KEY_ID_0119000001092026113000000000000001", platform)?)
///     .build()?;
/// # Ok(()) }
/// ```
///
/// What has a default is set before `build`:
///
/// ```
/// # use wxmember::{Builder, ConfigError, Client, Ready, RetryPolicy};
/// use std::time::Duration;
/// # fn demo(builder: Builder<Ready>) -> Result<Client, ConfigError> {
/// builder
///     .with_timeout(Duration::from_secs(10))
///     .with_retry(RetryPolicy::default().with_deadline(Duration::from_secs(30)))
///     .with_user_agent("till/2.1")
///     .build()
/// # }
/// ```
///
/// Without a key to verify answers with there is no client:
///
/// ```compile_fail
/// # fn demo(merchant: wxmember::Merchant) {
/// let client = wxmember::Client::builder().merchant(merchant).build();
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Builder<State> {
    state: State,
    options: Options,
}

/// The builder does not know who calls yet.
#[derive(Clone, Debug)]
pub struct WantsMerchant(());

/// The builder does not know whom to believe yet.
#[derive(Clone, Debug)]
pub struct WantsTrust(Merchant);

/// The builder can build.
#[derive(Clone, Debug)]
pub struct Ready(Merchant, Trust);

#[derive(Clone)]
struct Options {
    base_url: Option<String>,
    backup_url: Option<String>,
    retry: RetryPolicy,
    certificate_interval: Duration,
    connect_timeout: Duration,
    timeout: Duration,
    user_agent: String,
    body_limit: usize,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl Builder<WantsMerchant> {
    pub(crate) fn new() -> Self {
        let options = Options {
            base_url: None,
            backup_url: None,
            retry: RetryPolicy::default(),
            certificate_interval: Duration::from_secs(6 * 3600),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            user_agent: concat!("wxmember/", env!("CARGO_PKG_VERSION")).to_owned(),
            body_limit: 1024 * 1024,
            clock: Arc::new(SystemClock::new()),
        };
        Self {
            state: WantsMerchant(()),
            options,
        }
    }

    /// Says who calls.
    #[must_use]
    pub fn merchant(self, merchant: Merchant) -> Builder<WantsTrust> {
        Builder {
            state: WantsTrust(merchant),
            options: self.options,
        }
    }
}

impl Builder<WantsTrust> {
    /// Says whose answers to believe.
    #[must_use]
    pub fn trust(self, trust: Trust) -> Builder<Ready> {
        Builder {
            state: Ready(self.state.0, trust),
            options: self.options,
        }
    }
}

impl<State> Builder<State> {
    /// Where to send requests: scheme, host and port. Default: `https://api.mch.weixin.qq.com`, with
    /// `https://api2.mch.weixin.qq.com` as the backup host; a base URL of your own has none.
    ///
    /// [`build`](Builder::build) refuses what is not `https://` (plain HTTP only for this machine) or goes on after host and
    /// port.
    #[must_use]
    pub fn with_base_url(mut self, url: impl Into<String>) -> Self {
        self.options.base_url = Some(url.into());
        self
    }

    /// Where to send a request again that did not reach the base URL, or that may be repeated. The same rules hold.
    #[must_use]
    pub fn with_backup_url(mut self, url: impl Into<String>) -> Self {
        self.options.backup_url = Some(url.into());
        self
    }

    /// When calls are repeated. Default: [`RetryPolicy::default`], three attempts in at most 60 seconds.
    #[must_use]
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = policy;
        self
    }

    /// How old downloaded platform certificates may get before they are downloaded again. Default: 6 hours; WeChat Pay
    /// advises less than 12. Certificates that end earlier are renewed earlier.
    #[must_use]
    pub fn with_certificate_interval(mut self, interval: Duration) -> Self {
        self.options.certificate_interval = interval;
        self
    }

    /// How long a connection may take to be made. Default: 10 seconds. Then it is
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect), and nothing was sent.
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// How long one attempt may take, from the first byte sent to the last byte read. Default: 30 seconds.
    ///
    /// Then it is [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted): nobody knows whether the platform acted. A signer
    /// that takes longer is [`ErrorKind::Sign`](crate::ErrorKind::Sign).
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// The value of `User-Agent`: printable ASCII and not empty, or [`ConfigError::UserAgent`]. Default: `wxmember/` and the
    /// version.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.options.user_agent = user_agent.into();
        self
    }

    /// The most bytes of an answer that are read. Default: 1 MiB. A larger answer is [`ErrorKind::Undecodable`](crate::ErrorKind::Undecodable).
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.options.body_limit = bytes;
        self
    }

    /// The clock that signatures are made and checked by. Default: this machine's.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.options.clock = clock;
        self
    }
}

impl Builder<Ready> {
    /// Makes the client. Nothing is sent and nothing is read.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the base URL, the user agent or the keys cannot be used.
    pub fn build(self) -> Result<Client, ConfigError> {
        let Ready(merchant, trust) = self.state;
        let Options {
            base_url,
            backup_url,
            retry,
            certificate_interval,
            connect_timeout,
            timeout,
            user_agent,
            body_limit,
            clock,
        } = self.options;
        if let Some((id, _)) = trust.keys.iter().find(|(_, key)| merchant.owns(key.pkcs1_der())) {
            return Err(ConfigError::PlatformKeyIsMerchants { id: id.clone() });
        }
        let hosts = match (base_url, backup_url) {
            (None, backup) => Hosts {
                main: MAIN_HOST.to_owned(),
                backup: Some(backup.unwrap_or_else(|| BACKUP_HOST.to_owned())),
            },
            (Some(main), backup) => Hosts { main, backup },
        };
        let urls = [Some(&hosts.main), hosts.backup.as_ref()];
        let urls = urls.into_iter().flatten().map(|url| parse_base_url(url));
        let urls = urls.collect::<Result<Vec<_>, _>>()?;
        if user_agent.is_empty() || http::HeaderValue::from_str(&user_agent).is_err() {
            return Err(ConfigError::UserAgent);
        }
        // The HTTP library would panic without one.
        #[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(ConfigError::Http {
                reason: "no TLS provider is installed; call `rustls::crypto::CryptoProvider::install_default` first, or use \
                         the feature `aws-lc-rs`"
                    .to_owned(),
            });
        }
        // No redirects and no silent second attempts: what is sent is what was signed, once.
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(connect_timeout);
        if urls.iter().all(is_loopback) {
            http = http.no_proxy();
        }
        // Reading the certificates of the system takes some milliseconds, and plain HTTP has no use for any.
        #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
        if urls.iter().all(|url| url.scheme() == "http") {
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(|error| ConfigError::Http {
            reason: error.to_string(),
        })?;
        let core = Core {
            merchant: Arc::new(merchant),
            keys: KeyStore::new(trust, certificate_interval),
            clock,
            http,
            hosts: hosts.trimmed(),
            user_agent,
            body_limit,
            timeout,
            offset: ClockOffset::unknown(),
        };
        observe::describe();
        Ok(Client::assemble(Arc::new(core), retry))
    }
}

fn parse_base_url(text: &str) -> Result<Url, ConfigError> {
    let refuse = |reason| ConfigError::BaseUrl { reason };
    let url = Url::parse(text).map_err(|_| refuse("it is not a URL"))?;
    let plain = url.query().is_none() && url.fragment().is_none() && matches!(url.path(), "" | "/");
    if !plain {
        return Err(refuse("it must end after host and port"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it must not hold a user name or password"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(refuse(
            "plain HTTP is accepted for this machine only (127.0.0.1, localhost), where a sandbox may run",
        )),
        _ => Err(refuse("it must begin with https://")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback()),
        None => false,
    }
}

/// Why a client cannot be made. Found before any request.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The merchant id is not 1 to 32 digits.
    #[error("the merchant id (mchid) must be 1 to 32 digits")]
    Mchid,
    /// The serial number is not hexadecimal.
    #[error(
        "the merchant's certificate serial must be up to 40 hexadecimal digits; \
         `openssl x509 -in apiclient_cert.pem -noout -serial` prints it"
    )]
    MerchantSerial,
    /// The private key is not the certificate's.
    #[error(
        "the merchant's private key does not belong to the certificate {serial}; take both files from one download"
    )]
    CertificateMismatch {
        /// The serial number of the certificate.
        serial: KeyId,
    },
    /// The id of a public key has the wrong form.
    #[error(
        "a WeChat Pay public key id begins with `PUB_KEY_ID_`; the merchant platform shows it beside the key"
    )]
    PublicKeyId,
    /// The key given as the platform's is the merchant's own.
    #[error(
        "the key given as the platform's ({id}) is the merchant's own public key; \
         download WeChat Pay's public key (pub_key.pem) in the merchant platform"
    )]
    PlatformKeyIsMerchants {
        /// The id it was given under.
        id: KeyId,
    },
    /// The base URL cannot be used.
    #[error("the base URL cannot be used: {reason}")]
    BaseUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The user agent is empty or cannot stand in a header.
    #[error("the user agent must be printable ASCII and not empty: the gateway refuses requests without one")]
    UserAgent,
    /// The HTTP client cannot be made, for example for lack of a TLS provider.
    #[error("the HTTP client cannot be made: {reason}")]
    Http {
        /// What the HTTP library says.
        reason: String,
    },
}

/// The main host (主域名), nearest access point.
const MAIN_HOST: &str = "https://api.mch.weixin.qq.com";

/// The backup host in another place (备域名).
const BACKUP_HOST: &str = "https://api2.mch.weixin.qq.com";
