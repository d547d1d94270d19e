//! The tables in SQLite, version by version.

use rusqlite::Connection;

use super::{LedgerError, failed};

/// Brings the tables up to the version known here; refuses a later one.
///
/// Returns whether the ledger was empty.
pub(super) fn migrate(connection: &mut Connection) -> Result<bool, LedgerError> {
    let failed = failed("set up the tables");
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(failed)?;
    let found: i64 = transaction
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failed)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(LedgerError::Newer { found, known });
    }
    let missing = usize::try_from(found).map_or(MIGRATIONS, |found| &MIGRATIONS[found..]);
    for migration in missing {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction
        .pragma_update(None, "user_version", known)
        .map_err(failed)?;
    transaction
        .pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(found == 0)
}

/// `WXMB`.
pub(super) const APPLICATION_ID: i64 = 0x5758_4D42;

/// Each entry takes a ledger from the version that is its index to the next one. An entry is never changed once it
/// was released.
///
/// Sealed requests, some 1.5 kB each, have a table of their own: a change of state then rewrites a small page.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE jobs (
        id            INTEGER PRIMARY KEY,
        identity      BLOB    NOT NULL UNIQUE,
        source_name   TEXT    NOT NULL,
        source_digest BLOB    NOT NULL,
        mchid         TEXT    NOT NULL,
        brand_id      TEXT    NOT NULL,
        card_id       TEXT    NOT NULL,
        base_url      TEXT    NOT NULL,
        route         TEXT    NOT NULL,
        defaults      BLOB    NOT NULL,
        rows          INTEGER NOT NULL DEFAULT 0,
        is_loaded     INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    CREATE TABLE rows (
        job            INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        row            INTEGER NOT NULL,
        line           INTEGER NOT NULL,
        state          TEXT    NOT NULL
            CHECK (state IN ('queued', 'leased', 'imported', 'present', 'refused', 'unknown')),
        attempts       INTEGER NOT NULL DEFAULT 0,
        is_maybe_sent  INTEGER NOT NULL DEFAULT 0,
        user_card_code TEXT,
        phone_hash     BLOB,
        code           TEXT,
        message        TEXT,
        request_id     TEXT,
        PRIMARY KEY (job, row)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX rows_by_code  ON rows (job, user_card_code) WHERE user_card_code IS NOT NULL;
    CREATE UNIQUE INDEX rows_by_phone ON rows (job, phone_hash) WHERE phone_hash IS NOT NULL;
    CREATE INDEX rows_by_state ON rows (job, state, row);

    CREATE TABLE requests (
        job             INTEGER NOT NULL,
        row             INTEGER NOT NULL,
        platform_key_id TEXT    NOT NULL,
        body            BLOB    NOT NULL,
        FOREIGN KEY (job, row) REFERENCES rows (job, row) ON DELETE CASCADE
    ) STRICT;
    CREATE UNIQUE INDEX requests_by_row ON requests (job, row);
"];
