//! Why a transaction did not come to its end, and whether it passes.

use std::{error::Error, fmt, io};

use tokio_postgres::error::SqlState;

use crate::ledger::LedgerError;

#[derive(Debug)]
pub(super) enum Failure {
    Server(ServerError),
    Ledger(LedgerError),
}

impl Failure {
    /// Whether the same transaction may succeed a moment later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Server(error) => error.is_passing,
            Self::Ledger(_) => false,
        }
    }

    pub(super) fn into_ledger_error(self, action: &'static str) -> LedgerError {
        match self {
            Self::Server(error) => LedgerError::Database {
                action,
                source: error.into(),
            },
            Self::Ledger(error) => error,
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(ServerError::new(&error))
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// What the server or the way to it said. The server's detail is left out: it may quote values.
#[derive(Debug)]
pub(super) struct ServerError {
    text: String,
    is_passing: bool,
}

impl ServerError {
    fn new(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(told) => Self {
                text: format!("{} (SQLSTATE {})", told.message(), told.code().code()),
                is_passing: is_passing(told.code()),
            },
            None => {
                let cause = error.source();
                let io = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
                // A certificate that is not trusted comes as invalid data, and stays so.
                let is_io = io.is_some_and(|io| io.kind() != io::ErrorKind::InvalidData);
                let text = match cause {
                    Some(cause) => format!("{error}: {cause}"),
                    None => error.to_string(),
                };
                Self {
                    // `tokio-postgres` tells a time-out by its text alone.
                    is_passing: error.is_closed() || is_io || text.starts_with("timeout"),
                    text,
                }
            }
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for ServerError {}

/// The server goes away or comes back, or two transactions got into each other's way.
fn is_passing(state: &SqlState) -> bool {
    state.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::IDLE_SESSION_TIMEOUT,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::QUERY_CANCELED,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::TOO_MANY_CONNECTIONS,
        ]
        .contains(state)
}
