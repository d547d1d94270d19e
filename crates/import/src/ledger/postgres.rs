//! The ledger in a PostgreSQL database, which the processes of several hosts share.
//!
//! Times are the database's. A transaction that fails because the connection broke or the server went away is begun
//! anew, for some minutes; each is written so that it does no harm when it took effect the first time. A connection
//! goes back to the pool only after a commit: whatever else happens to it, it is dropped, and the server rolls back.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use backon::BackoffBuilder;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::Instant,
};
use tokio_postgres::{Client, Config, Row, Statement, types::ToSql};
use wxmember::Clock;
use wxmember_crypto::KeyedHash;

use super::{LedgerError, Write};

mod connect;
mod failure;
mod jobs;
mod load;
mod open_jobs;
mod pace;
mod reports;
mod schema;
mod work;

use self::failure::Failure;

/// The store: connections, and the writes that wait for one.
#[derive(Debug)]
pub(super) struct Postgres {
    config: Config,
    tls: connect::Tls,
    session_patience: connect::Patience,
    idle: Mutex<Vec<Session>>,
    places: Arc<Semaphore>,
    waiting: Mutex<Vec<Waiting>>,
    /// Who writes, so that what waits meanwhile is written together.
    writing: tokio::sync::Mutex<()>,
    /// For tests; otherwise times are the database's.
    clock: Option<Arc<dyn Clock>>,
    patience: Duration,
}

#[derive(Debug)]
struct Waiting {
    write: Write,
    done: oneshot::Sender<Result<bool, LedgerError>>,
}

/// Runs statements in a transaction until it is committed.
macro_rules! transaction {
    ($store:expr, $action:literal, |$session:ident| $work:expr) => {{
        let store = $store;
        let mut tries = $crate::ledger::postgres::Tries::new($action, store.patience);
        loop {
            let attempt = async {
                let mut lease = store.session().await?;
                let $session = &mut lease.session;
                $session.execute("BEGIN", &[]).await?;
                let done = $work?;
                $session.execute("COMMIT", &[]).await?;
                store.give_back(lease);
                Ok::<_, $crate::ledger::postgres::Failure>(done)
            };
            match attempt.await {
                Ok(done) => break Ok(done),
                Err(failure) => {
                    if let Err(error) = tries.after(failure).await {
                        break Err(error);
                    }
                }
            }
        }
    }};
}
use transaction;

impl Postgres {
    pub(super) async fn connect(
        url: &str,
        key: Option<&Path>,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<(Self, Option<KeyedHash>), LedgerError> {
        let (config, tls) = connect::parse(url)?;
        Self::open(config, tls, key, clock).await
    }

    async fn open(
        config: Config,
        tls: connect::Tls,
        key: Option<&Path>,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<(Self, Option<KeyedHash>), LedgerError> {
        let mut store = Self {
            config,
            tls,
            session_patience: connect::Patience::default(),
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(CONNECTIONS)),
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            clock,
            // Somebody waits to hear that the address is wrong.
            patience: FIRST_PATIENCE,
        };
        let hash = transaction!(&store, "open the database", |session| schema::open(session, key)
            .await)?;
        store.patience = PATIENCE;
        Ok((store, hash))
    }

    /// Microseconds since 1970.
    async fn now(&self, session: &mut Session) -> Result<i64, Failure> {
        match &self.clock {
            Some(clock) => Ok(i64::try_from(clock.since_1970().as_micros()).unwrap_or(i64::MAX)),
            None => {
                let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
                Ok(session.one(sql, &[]).await?.try_get(0)?)
            }
        }
    }

    /// Writes one change, together with those that wait at the same time. Whether it changed anything.
    pub(super) async fn write(self: &Arc<Self>, write: Write) -> Result<bool, LedgerError> {
        let (done, written) = oneshot::channel();
        lock(&self.waiting).push(Waiting { write, done });
        let store = Arc::clone(self);
        // A task of its own: who asked may be dropped, and what waits is not only its own.
        let task = tokio::spawn(async move { store.flush().await });
        task.await.map_err(|_| LedgerError::Closed)?;
        written.await.map_err(|_| LedgerError::Closed)?
    }

    async fn flush(&self) {
        let _turn = self.writing.lock().await;
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        if waiting.is_empty() {
            return;
        }
        let writes: Vec<&Write> = waiting.iter().map(|waiting| &waiting.write).collect();
        let result = self.write_changes(&writes).await;
        let (changed, error) = match result {
            Ok(changed) => (changed, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let text = error.as_ref().map(ToString::to_string);
        let mut error = error;
        let mut changed = changed.into_iter();
        for waiting in waiting {
            let result = match (&text, changed.next()) {
                (None, Some(changed)) => Ok(changed),
                (None, None) => Err(LedgerError::Closed),
                // The first hears the error itself, the others its text.
                (Some(text), _) => Err(error.take().unwrap_or_else(|| LedgerError::Database {
                    action: "write down results",
                    source: text.clone().into(),
                })),
            };
            let _ = waiting.done.send(result);
        }
    }

    async fn session(&self) -> Result<Lease, Failure> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| Failure::Ledger(LedgerError::Closed))?;
        let idle = {
            let mut idle = lock(&self.idle);
            idle.retain(|session| !session.client.is_closed());
            idle.pop()
        };
        let session = match idle {
            Some(session) => session,
            None => connect::session(&self.config, &self.tls, self.session_patience).await?,
        };
        Ok(Lease { session, place })
    }

    fn give_back(&self, lease: Lease) {
        lock(&self.idle).push(lease.session);
        drop(lease.place);
    }
}

/// A connection in use.
struct Lease {
    session: Session,
    place: OwnedSemaphorePermit,
}

/// A connection and the statements that it knows.
struct Session {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Session {
    fn new(client: Client) -> Self {
        Self {
            client,
            statements: HashMap::new(),
        }
    }

    async fn statement(&mut self, sql: &str) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    async fn execute(&mut self, sql: &str, parameters: Parameters<'_>) -> Result<u64, Failure> {
        let statement = self.statement(sql).await?;
        Ok(self.client.execute(&statement, parameters).await?)
    }

    async fn all(&mut self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, Failure> {
        let statement = self.statement(sql).await?;
        Ok(self.client.query(&statement, parameters).await?)
    }

    async fn one(&mut self, sql: &str, parameters: Parameters<'_>) -> Result<Row, Failure> {
        let statement = self.statement(sql).await?;
        Ok(self.client.query_one(&statement, parameters).await?)
    }

    async fn maybe(&mut self, sql: &str, parameters: Parameters<'_>) -> Result<Option<Row>, Failure> {
        let statement = self.statement(sql).await?;
        Ok(self.client.query_opt(&statement, parameters).await?)
    }
}

/// How often and how long a transaction is tried.
struct Tries {
    action: &'static str,
    until: Instant,
    pauses: backon::ExponentialBackoff,
}

impl Tries {
    fn new(action: &'static str, patience: Duration) -> Self {
        let pauses = backon::ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(50))
            .with_max_delay(Duration::from_secs(5))
            .without_max_times()
            .build();
        Self {
            action,
            until: Instant::now() + patience,
            pauses,
        }
    }

    /// Waits before the next try; the error when there is none.
    async fn after(&mut self, failure: Failure) -> Result<(), LedgerError> {
        let pause = self.pauses.next().unwrap_or(Duration::from_secs(5));
        if !failure.is_passing() || Instant::now() + pause > self.until {
            return Err(failure.into_ledger_error(self.action));
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connections of one process. Writes are grouped, so more would not make it faster.
const CONNECTIONS: usize = 4;
/// How long a server may be away.
const PATIENCE: Duration = Duration::from_secs(180);
const FIRST_PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
