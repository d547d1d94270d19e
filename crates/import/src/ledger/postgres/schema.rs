//! The tables in PostgreSQL, version by version, in a schema of their own.

use std::path::Path;

use wxmember_crypto::KeyedHash;

use super::{Failure, Session};
use crate::ledger::{LedgerError, key};

/// Brings the tables up to the version known here, refuses a later one, and checks or makes the key. Without
/// one it makes none: whoever loads the first rows does.
pub(super) async fn open(session: &mut Session, key: Option<&Path>) -> Result<Option<KeyedHash>, Failure> {
    // One process at a time, whichever host it is on.
    session
        .one("SELECT pg_advisory_xact_lock($1)::text", &[&LOCK])
        .await?;
    let (is_there, has_meta): (bool, bool) = {
        let sql = "SELECT to_regnamespace('wxmember') IS NOT NULL, to_regclass('wxmember.meta') IS NOT NULL";
        let row = session.one(sql, &[]).await?;
        (row.try_get(0)?, row.try_get(1)?)
    };
    if is_there && !has_meta {
        // Somebody else's schema, unless it is empty: an administrator may make it.
        let sql = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('wxmember')";
        let tables: i64 = session.one(sql, &[]).await?.try_get(0)?;
        if tables > 0 {
            return Err(LedgerError::Foreign {
                name: "schema wxmember".to_owned(),
            }
            .into());
        }
    }
    let found = if has_meta {
        let row = session
            .maybe("SELECT number FROM wxmember.meta WHERE name = 'version'", &[])
            .await?;
        row.map_or(Ok(0), |row| row.try_get::<_, i64>(0))?
    } else {
        0
    };
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(LedgerError::Newer { found, known }.into());
    }
    if !is_there {
        session.client.batch_execute("CREATE SCHEMA wxmember").await?;
    }
    let missing = usize::try_from(found).map_or(MIGRATIONS, |found| &MIGRATIONS[found..]);
    for migration in missing {
        session.client.batch_execute(migration).await?;
    }
    let sql = "INSERT INTO wxmember.meta (name, number) VALUES ('version', $1)
               ON CONFLICT (name) DO UPDATE SET number = $1";
    session.execute(sql, &[&known]).await?;
    match key {
        Some(key) => Ok(Some(check_key(session, key).await?)),
        None => Ok(None),
    }
}

/// The key itself is never in the database, only what tells it from another one.
async fn check_key(session: &mut Session, path: &Path) -> Result<KeyedHash, Failure> {
    let row = session
        .maybe("SELECT value FROM wxmember.meta WHERE name = 'key'", &[])
        .await?;
    let known: Option<Vec<u8>> = row.map(|row| row.try_get(0)).transpose()?;
    let hash = key::open(path, known.is_none())?;
    let value = key::check_value(&hash);
    match known {
        Some(known) if known != value => Err(LedgerError::WrongKey {
            path: path.to_owned(),
        }
        .into()),
        Some(_) => Ok(hash),
        None => {
            let sql = "INSERT INTO wxmember.meta (name, value) VALUES ('key', $1)";
            session.execute(sql, &[&value.as_slice()]).await?;
            Ok(hash)
        }
    }
}

/// Each entry takes a ledger from the version that is its index to the next one. An entry is never changed once it
/// was released. The columns are those of the ledger in a file, at its version 2.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE wxmember.meta (
        name   text PRIMARY KEY,
        number bigint,
        value  bytea
    );

    CREATE TABLE wxmember.cards (
        id       bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        mchid    text NOT NULL,
        brand_id text NOT NULL,
        card_id  text NOT NULL,
        base_url text NOT NULL,
        UNIQUE (mchid, brand_id, card_id, base_url)
    );

    CREATE TABLE wxmember.jobs (
        id            bigint  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        identity      bytea   NOT NULL UNIQUE,
        card          bigint  NOT NULL REFERENCES wxmember.cards (id),
        source_name   text    NOT NULL,
        source_digest bytea   NOT NULL,
        route         text    NOT NULL,
        defaults      bytea   NOT NULL,
        rows          bigint  NOT NULL DEFAULT 0,
        is_loaded     boolean NOT NULL DEFAULT false,
        is_paused     boolean NOT NULL DEFAULT false,
        is_purged     boolean NOT NULL DEFAULT false,
        load_owner    bigint  NOT NULL DEFAULT 0,
        load_until    bigint  NOT NULL DEFAULT 0,
        created_at    bigint  NOT NULL DEFAULT 0,
        updated_at    bigint  NOT NULL DEFAULT 0
    );

    CREATE TABLE wxmember.rows (
        id             bigint   PRIMARY KEY,
        line           bigint   NOT NULL,
        state          smallint NOT NULL CHECK (state BETWEEN 0 AND 5),
        card           bigint   NOT NULL,
        attempts       integer  NOT NULL DEFAULT 0,
        is_maybe_sent  boolean  NOT NULL DEFAULT false,
        has_claim      boolean  NOT NULL DEFAULT false,
        owner          bigint   NOT NULL DEFAULT 0,
        lease_until    bigint   NOT NULL DEFAULT 0,
        updated_at     bigint   NOT NULL DEFAULT 0,
        user_card_code text,
        member_hash    bytea,
        code           text,
        message        text,
        request_id     text
    );
    CREATE UNIQUE INDEX rows_by_code   ON wxmember.rows (card, user_card_code) WHERE has_claim;
    CREATE UNIQUE INDEX rows_by_member ON wxmember.rows (member_hash, card) WHERE has_claim;
    CREATE INDEX rows_by_state ON wxmember.rows (state, id);

    CREATE TABLE wxmember.requests (
        id              bigint PRIMARY KEY,
        platform_key_id text   NOT NULL,
        body            bytea  NOT NULL
    );
    -- A ciphertext does not get smaller.
    ALTER TABLE wxmember.requests ALTER COLUMN body SET STORAGE EXTERNAL;

    CREATE TABLE wxmember.pace (
        mchid       text   NOT NULL,
        base_url    text   NOT NULL,
        operation   text   NOT NULL,
        next_at     bigint NOT NULL,
        hold_until  bigint NOT NULL,
        seen_at     bigint NOT NULL,
        rate        double precision,
        rate_at     bigint,
        rate_before double precision,
        PRIMARY KEY (mchid, base_url, operation)
    );
",
    // A stored request may be packed, which earlier software cannot read.
    "",
];

/// `WXMB`.
const LOCK: i64 = 0x5758_4D42;
