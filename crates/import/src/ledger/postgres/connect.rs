//! The address of a database and the way to it. TLS is a must unless the database is on this host or the address says
//! `sslmode=disable`, and the server's certificate is always verified.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    Config, NoTls,
    config::{Host, SslMode},
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_rustls::{
    TlsConnector, client,
    rustls::{ClientConfig, crypto::CryptoProvider, pki_types::ServerName},
};

use super::{Failure, Session};
use crate::ledger::LedgerError;

/// Whether and how connections are encrypted.
#[derive(Clone)]
pub(super) enum Tls {
    No,
    Yes(Arc<ClientConfig>),
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::No => "No",
            Self::Yes(_) => "Yes",
        })
    }
}

/// Reads the address. What is wrong with it is not told: it may hold a password.
pub(super) fn parse(url: &str) -> Result<(Config, Tls), LedgerError> {
    let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let mut config: Config = url.parse().map_err(|_| LedgerError::Url)?;
    if !is_url || config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(LedgerError::Url);
    }
    // The mode that is taken when nothing is said cannot be told apart from one that was written out.
    let is_said = url.contains("sslmode=");
    let wants_tls = match config.get_ssl_mode() {
        SslMode::Disable => false,
        SslMode::Prefer if !is_said => !config.get_hosts().iter().all(is_here),
        _ => true,
    };
    config.ssl_mode(if wants_tls {
        SslMode::Require
    } else {
        SslMode::Disable
    });
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    config.tcp_user_timeout(SILENCE);
    config.keepalives_idle(SILENCE);
    config.keepalives_interval(Duration::from_secs(10));
    config.keepalives_retries(3);
    if config.get_application_name().is_none() {
        config.application_name("wxmember");
    }
    let tls = if wants_tls {
        Tls::Yes(client_config()?)
    } else {
        Tls::No
    };
    Ok((config, tls))
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn client_config() -> Result<Arc<ClientConfig>, LedgerError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| LedgerError::Database {
        action: "set up TLS for the connection",
        source,
    };
    let provider = CryptoProvider::get_default().cloned();
    #[cfg(feature = "aws-lc-rs")]
    let provider = provider.or_else(|| Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider())));
    let provider = provider.ok_or_else(|| failed("no TLS provider is installed".into()))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.into()))?
        .with_platform_verifier()
        .map_err(|error| failed(error.into()))?;
    Ok(Arc::new(builder.with_no_client_auth()))
}

/// How long the server bears with a session. A host that loses its power or its network, or a process that is stopped,
/// would else keep its locks for hours, and everybody waits for them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Without a word in the middle of a transaction.
    pub(super) in_transaction: Duration,
    /// For a lock that another session has.
    pub(super) lock: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            in_transaction: IN_TRANSACTION,
            lock: LOCK,
        }
    }
}

/// A new connection, with the ledger's tables in its path.
pub(super) async fn session(config: &Config, tls: &Tls, patience: Patience) -> Result<Session, Failure> {
    let client = match tls {
        Tls::No => {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(connection);
            client
        }
        Tls::Yes(settings) => {
            let (client, connection) = config.connect(Encrypt(Arc::clone(settings))).await?;
            tokio::spawn(connection);
            client
        }
    };
    let settings = format!(
        "SET search_path = wxmember;
         SET idle_in_transaction_session_timeout = {};
         SET lock_timeout = {};
         SET tcp_keepalives_idle = 15;
         SET tcp_keepalives_interval = 5;
         SET tcp_keepalives_count = 3",
        patience.in_transaction.as_millis(),
        patience.lock.as_millis(),
    );
    client.batch_execute(&settings).await?;
    Ok(Session::new(client))
}

struct Encrypt(Arc<ClientConfig>);

impl<S> MakeTlsConnect<S> for Encrypt
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = EncryptFor;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> Result<EncryptFor, io::Error> {
        // A socket of this host has no name, and is not encrypted.
        let name = match domain {
            "" => ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST)),
            domain => ServerName::try_from(domain.to_owned())
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not the name of a host"))?,
        };
        Ok(EncryptFor(Arc::clone(&self.0), name))
    }
}

struct EncryptFor(Arc<ClientConfig>, ServerName<'static>);

impl<S> TlsConnect<S> for EncryptFor
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Encrypted<S>, io::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self(settings, name) = self;
        Box::pin(async move {
            let stream = TlsConnector::from(settings).connect(name, stream).await?;
            Ok(Encrypted(Box::new(stream)))
        })
    }
}

struct Encrypted<S>(Box<client::TlsStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        // The certificate is verified, which is what a binding would add.
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be silent before it is asked whether it lives.
const SILENCE: Duration = Duration::from_secs(30);

const IN_TRANSACTION: Duration = Duration::from_secs(15);
/// Longer than a session that is silent lives.
const LOCK: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expect: &str) {
        let found = match parse(url) {
            Ok((config, Tls::No)) => format!("{:?}", config.get_ssl_mode()),
            Ok((config, Tls::Yes(_))) => format!("{:?} with TLS", config.get_ssl_mode()),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expect, "{url}");
    }

    #[cfg(feature = "aws-lc-rs")]
    #[test]
    fn tls_is_left_out_on_this_host_or_by_request_only() {
        check("postgres://user@localhost/db", "Disable");
        check("postgresql://user:secret@127.0.0.1:5433/db", "Disable");
        check("postgres://user@%2Fvar%2Frun%2Fpostgresql/db", "Disable");
        check("postgres://user@db.example/db?sslmode=disable", "Disable");
        check("postgres://user@db.example/db", "Require with TLS");
        check("postgres://user@127.0.0.1,db.example/db", "Require with TLS");
        check("postgres://user@localhost/db?sslmode=require", "Require with TLS");
        check("postgres://user@localhost/db?sslmode=prefer", "Require with TLS");
    }

    #[test]
    fn a_wrong_address_is_told_without_its_password() {
        let told = "not the address of a PostgreSQL database; write it like `postgres://user@host/database`";
        for url in [
            "ledger.db",
            "host=localhost password=MARKER",
            "postgres://u:MARKER@",
            "postgres://u:MARKER@h:x/d",
        ] {
            check(url, told);
        }
    }
}
