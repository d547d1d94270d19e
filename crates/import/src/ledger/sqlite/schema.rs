//! The tables in SQLite, version by version.

use rusqlite::Connection;

use super::{LedgerError, failed};

/// Brings the tables up to the version known here; refuses a later one.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
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
    if !missing.is_empty() {
        transaction
            .pragma_update(None, "user_version", known)
            .map_err(failed)?;
        transaction
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// `WXMB`.
pub(super) const APPLICATION_ID: i64 = 0x5758_4D42;

/// Each entry takes a ledger from the version that is its index to the next one. An entry is never changed once it
/// was released.
///
/// Sealed requests, some 700 bytes each, have a table of their own: a change of state then rewrites a small page.
pub(super) const MIGRATIONS: &[&str] = &[
    "
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
",
    // Several processes, uniqueness by card and not by job, and rows that are found by a number alone.
    "
    ALTER TABLE requests RENAME TO requests_1;
    ALTER TABLE rows RENAME TO rows_1;
    ALTER TABLE jobs RENAME TO jobs_1;
    DROP INDEX requests_by_row;
    DROP INDEX rows_by_code;
    DROP INDEX rows_by_phone;
    DROP INDEX rows_by_state;

    CREATE TABLE meta (
        name  TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE cards (
        id       INTEGER PRIMARY KEY,
        mchid    TEXT NOT NULL,
        brand_id TEXT NOT NULL,
        card_id  TEXT NOT NULL,
        base_url TEXT NOT NULL,
        UNIQUE (mchid, brand_id, card_id, base_url)
    ) STRICT;

    CREATE TABLE jobs (
        id            INTEGER PRIMARY KEY AUTOINCREMENT,
        identity      BLOB    NOT NULL UNIQUE,
        card          INTEGER NOT NULL REFERENCES cards (id),
        source_name   TEXT    NOT NULL,
        source_digest BLOB    NOT NULL,
        route         TEXT    NOT NULL,
        defaults      BLOB    NOT NULL,
        rows          INTEGER NOT NULL DEFAULT 0,
        is_loaded     INTEGER NOT NULL DEFAULT 0,
        is_paused     INTEGER NOT NULL DEFAULT 0,
        is_purged     INTEGER NOT NULL DEFAULT 0,
        load_owner    INTEGER NOT NULL DEFAULT 0,
        load_until    INTEGER NOT NULL DEFAULT 0,
        created_at    INTEGER NOT NULL DEFAULT 0,
        updated_at    INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    CREATE TABLE rows (
        id             INTEGER PRIMARY KEY,
        line           INTEGER NOT NULL,
        state          INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5),
        card           INTEGER NOT NULL,
        attempts       INTEGER NOT NULL DEFAULT 0,
        is_maybe_sent  INTEGER NOT NULL DEFAULT 0,
        has_claim      INTEGER NOT NULL DEFAULT 0,
        owner          INTEGER NOT NULL DEFAULT 0,
        lease_until    INTEGER NOT NULL DEFAULT 0,
        updated_at     INTEGER NOT NULL DEFAULT 0,
        user_card_code TEXT,
        member_hash    BLOB,
        code           TEXT,
        message        TEXT,
        request_id     TEXT
    ) STRICT;

    CREATE TABLE members (
        prefix BLOB    NOT NULL,
        id     INTEGER NOT NULL,
        PRIMARY KEY (prefix, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE members_new (
        prefix BLOB    NOT NULL,
        id     INTEGER NOT NULL,
        PRIMARY KEY (prefix, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE requests (
        id              INTEGER PRIMARY KEY,
        platform_key_id TEXT NOT NULL,
        body            BLOB NOT NULL
    ) STRICT;

    CREATE TABLE pace (
        mchid       TEXT    NOT NULL,
        base_url    TEXT    NOT NULL,
        operation   TEXT    NOT NULL,
        next_at     INTEGER NOT NULL,
        hold_until  INTEGER NOT NULL,
        seen_at     INTEGER NOT NULL,
        rate        REAL,
        rate_at     INTEGER,
        rate_before REAL,
        PRIMARY KEY (mchid, base_url, operation)
    ) STRICT, WITHOUT ROWID;

    INSERT INTO cards (mchid, brand_id, card_id, base_url)
        SELECT DISTINCT mchid, brand_id, card_id, rtrim(base_url, '/') FROM jobs_1;
    INSERT INTO jobs (id, identity, card, source_name, source_digest, route, defaults, rows, is_loaded)
        SELECT jobs_1.id, identity, cards.id, source_name, source_digest, route, defaults, rows, is_loaded
        FROM jobs_1 JOIN cards ON cards.mchid = jobs_1.mchid AND cards.brand_id = jobs_1.brand_id
            AND cards.card_id = jobs_1.card_id AND cards.base_url = rtrim(jobs_1.base_url, '/');
    INSERT INTO rows (id, line, state, card, attempts, is_maybe_sent, has_claim, user_card_code, member_hash, code,
            message, request_id)
        SELECT (job << 32) | row, line,
            CASE state WHEN 'queued' THEN 0 WHEN 'leased' THEN 1 WHEN 'unknown' THEN 2 WHEN 'imported' THEN 3
                WHEN 'present' THEN 4 ELSE 5 END,
            card, attempts, is_maybe_sent,
            state <> 'refused' AND user_card_code IS NOT NULL
                AND row_number() OVER (PARTITION BY card, user_card_code, state = 'refused'
                    ORDER BY state NOT IN ('imported', 'present'), job, row) = 1
                AND row_number() OVER (PARTITION BY card, phone_hash, state = 'refused'
                    ORDER BY state NOT IN ('imported', 'present'), job, row) = 1,
            user_card_code, phone_hash, code, message, request_id
        FROM rows_1 JOIN jobs ON jobs.id = rows_1.job;
    INSERT INTO requests (id, platform_key_id, body)
        SELECT (job << 32) | row, platform_key_id, body FROM requests_1;
    DROP TABLE requests_1;
    DROP TABLE rows_1;
    DROP TABLE jobs_1;

    CREATE UNIQUE INDEX rows_by_code ON rows (card, user_card_code) WHERE has_claim = 1;
    INSERT INTO members (prefix, id)
        SELECT substr(member_hash, 1, 8), id FROM rows WHERE member_hash IS NOT NULL ORDER BY 1, 2;
    CREATE INDEX rows_by_state ON rows (state);
",
    // A stored request may be packed, which earlier software cannot read.
    "",
];
