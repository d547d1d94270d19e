//! Jobs and their rows on the way in.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{LedgerError, SECOND, Tables, failed, ids_of, micros, row_id, seen::Seen};
use crate::{
    gateway::SealedRequest,
    job::{Identity, JobId},
    ledger::{
        KeyColumns, LOAD_LEASE, NewContent, NewRow, OpenedJob, Owner, PART_ROWS, RowState,
        duplicates::{Holder, SUPERSEDED, may_take_over, superseded, verdict},
    },
};

impl Tables {
    /// Nothing when a part of what is begun anew was deleted: the same again goes on.
    pub(in crate::ledger) fn open_job(
        &mut self,
        identity: &Identity,
        owner: Owner,
    ) -> Result<Option<OpenedJob>, LedgerError> {
        let failed = failed("open the job");
        let fingerprint = identity.fingerprint();
        let clock = self.clock.clone();
        let transaction = self.begin().map_err(failed)?;
        let now = micros(clock.since_1970());
        // What is left of a purged job is kept for its counts; the same source begins anew.
        let purged: Option<i64> = transaction
            .query_row(
                "SELECT id FROM jobs WHERE identity = ?1 AND is_purged = 1",
                [fingerprint.as_bytes()],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed)?;
        if let Some(job) = purged {
            transaction
                .execute(
                    "UPDATE jobs SET identity = ?2 WHERE id = ?1",
                    params![job, identity.of_purged(job).as_bytes()],
                )
                .map_err(failed)?;
        }
        let found = transaction
            .query_row(
                "SELECT id, rows, is_loaded, defaults, load_owner, load_until FROM jobs WHERE identity = ?1",
                [fingerprint.as_bytes()],
                |row| {
                    let is_loaded: bool = row.get(2)?;
                    let is_free = row.get::<_, i64>(4)? == owner.number() || row.get::<_, i64>(5)? <= now;
                    Ok(OpenedJob {
                        key: row.get(0)?,
                        rows: row.get(1)?,
                        is_loaded,
                        is_new: false,
                        are_defaults_changed: row.get::<_, Vec<u8>>(3)? != identity.defaults.as_bytes(),
                        may_load: !is_loaded && is_free,
                    })
                },
            )
            .optional()
            .map_err(failed)?;
        let job = match found {
            // Half of a job under other defaults is begun anew.
            Some(job) if job.are_defaults_changed && job.may_load => {
                if delete_part(&transaction, job.key).map_err(failed)? {
                    renew_load(&transaction, job.key, owner, now).map_err(failed)?;
                    transaction.commit().map_err(failed)?;
                    return Ok(None);
                }
                insert_job(&transaction, identity, now).map_err(failed)?
            }
            Some(job) => job,
            None => insert_job(&transaction, identity, now).map_err(failed)?,
        };
        if job.may_load {
            renew_load(&transaction, job.key, owner, now).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok(Some(job))
    }

    pub(in crate::ledger) fn store_rows(
        &mut self,
        job: i64,
        owner: Owner,
        rows: &[NewRow],
        columns: &KeyColumns,
    ) -> Result<(), LedgerError> {
        let failed = failed("store rows");
        let clock = self.clock.clone();
        let Self { connection, seen, .. } = self;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let now = micros(clock.since_1970());
        let card: i64 = transaction
            .query_row(
                "SELECT card FROM jobs WHERE id = ?1 AND is_loaded = 0 AND is_purged = 0",
                [job],
                |row| row.get(0),
            )
            .map_err(failed)?;
        tidy_members(&transaction).map_err(failed)?;
        seen.prepare(&transaction, rows.len()).map_err(failed)?;
        {
            let times = now / SECOND;
            let mut insert = Insert::new(&transaction, seen, job, card, times, columns).map_err(failed)?;
            for row in rows {
                insert.row(row).map_err(failed)?;
            }
        }
        let last = rows.last().map_or(0, |row| row.row);
        transaction
            .execute(
                "UPDATE jobs SET rows = max(rows, ?2), updated_at = ?3 WHERE id = ?1",
                params![job, last, now / SECOND],
            )
            .map_err(failed)?;
        renew_load(&transaction, job, owner, now).map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    pub(in crate::ledger) fn finish_loading(&mut self, job: i64, rows: u64) -> Result<(), LedgerError> {
        let changed = self.connection.execute(
            "UPDATE jobs SET is_loaded = 1, load_owner = 0, load_until = 0
             WHERE id = ?1 AND rows >= ?2 AND is_purged = 0",
            params![job, rows],
        );
        match changed.map_err(failed("finish loading"))? {
            0 => Err(LedgerError::LoadLost),
            _ => Ok(()),
        }
    }

    pub(in crate::ledger) fn release_loading(&mut self, job: i64, owner: Owner) -> Result<(), LedgerError> {
        let changed = self.connection.execute(
            "UPDATE jobs SET load_owner = 0, load_until = 0 WHERE id = ?1 AND load_owner = ?2",
            params![job, owner.number()],
        );
        changed.map(drop).map_err(failed("release the load"))
    }

    /// Deletes the next part of a job that this owner loads; returns whether there is more.
    pub(in crate::ledger) fn discard_job(&mut self, job: i64, owner: Owner) -> Result<bool, LedgerError> {
        let failed = failed("discard the job");
        let clock = self.clock.clone();
        let transaction = self.begin().map_err(failed)?;
        let is_ours = transaction
            .prepare_cached("SELECT 1 FROM jobs WHERE id = ?1 AND is_loaded = 0 AND load_owner = ?2")
            .and_then(|mut statement| statement.exists([job, owner.number()]))
            .map_err(failed)?;
        let is_more = is_ours && delete_part(&transaction, job).map_err(failed)?;
        if is_more {
            renew_load(&transaction, job, owner, micros(clock.since_1970())).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok(is_more)
    }
}

fn insert_job(
    transaction: &Transaction<'_>,
    identity: &Identity,
    now: i64,
) -> Result<OpenedJob, rusqlite::Error> {
    let profile = &identity.profile;
    let card = params![
        profile.mchid,
        profile.brand_id,
        profile.card_id,
        profile.base_url.trim_end_matches('/')
    ];
    transaction.execute(
        "INSERT INTO cards (mchid, brand_id, card_id, base_url) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        card,
    )?;
    let card: i64 = transaction.query_row(
        "SELECT id FROM cards WHERE mchid = ?1 AND brand_id = ?2 AND card_id = ?3 AND base_url = ?4",
        card,
        |row| row.get(0),
    )?;
    transaction.execute(
        "INSERT INTO jobs (identity, card, source_name, source_digest, route, defaults, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        params![
            identity.fingerprint().as_bytes(),
            card,
            identity.source_name,
            identity.source_digest.as_bytes(),
            identity.route.name(),
            identity.defaults.as_bytes(),
            now / SECOND,
        ],
    )?;
    Ok(OpenedJob {
        key: transaction.last_insert_rowid(),
        rows: 0,
        is_loaded: false,
        is_new: true,
        are_defaults_changed: false,
        may_load: true,
    })
}

/// Deletes the next rows of a job, or the job when it has none; returns whether there is more. It counts as empty
/// meanwhile, so that whoever comes after a crash begins at the first row. A row that was ever attempted stays.
fn delete_part(transaction: &Transaction<'_>, job: i64) -> Result<bool, rusqlite::Error> {
    let (first, last) = ids_of(job);
    let (end, attempts): (Option<i64>, Option<i64>) = transaction.query_row(
        "SELECT max(id), max(attempts)
         FROM (SELECT id, attempts FROM rows WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3)",
        params![first, last, PART_ROWS],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some(end) = end else {
        transaction.execute("DELETE FROM jobs WHERE id = ?1", [job])?;
        return Ok(false);
    };
    if attempts > Some(0) {
        return Ok(false);
    }
    transaction.execute("UPDATE jobs SET rows = 0 WHERE id = ?1", [job])?;
    delete_members(transaction, first, end)?;
    transaction.execute("DELETE FROM requests WHERE id BETWEEN ?1 AND ?2", [first, end])?;
    transaction.execute("DELETE FROM rows WHERE id BETWEEN ?1 AND ?2", [first, end])?;
    Ok(true)
}

fn renew_load(
    transaction: &Transaction<'_>,
    job: i64,
    owner: Owner,
    now: i64,
) -> Result<(), rusqlite::Error> {
    transaction
        .execute(
            "UPDATE jobs SET load_owner = ?2, load_until = ?3
             WHERE id = ?1 AND (load_owner = ?2 OR load_until <= ?4)",
            params![job, owner.number(), now + micros(LOAD_LEASE), now],
        )
        .map(drop)
}

/// Puts the members of late into those of old when they have become many.
///
/// Hashes come in no order, so each new one changes another page of a large table, and the pages are what a load
/// writes most. A small table has few pages, and in the order of the hashes many rows share a page of the large one.
fn tidy_members(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    let new: i64 = transaction
        .prepare_cached("SELECT count(*) FROM members_new")?
        .query_row([], |row| row.get(0))?;
    if new < MEMBERS_NEW {
        return Ok(());
    }
    // Nothing is ignored. A statement that might stop half way would keep a copy of each page that it changes.
    transaction.execute(
        "INSERT OR IGNORE INTO members (prefix, id) SELECT prefix, id FROM members_new ORDER BY prefix, id",
        [],
    )?;
    transaction.execute("DELETE FROM members_new", []).map(drop)
}

/// Forgets the members of rows, as long as the rows still have their hashes.
pub(super) fn delete_members(
    transaction: &Transaction<'_>,
    first: i64,
    last: i64,
) -> Result<(), rusqlite::Error> {
    for table in ["members", "members_new"] {
        transaction.execute(
            &format!(
                "DELETE FROM {table} WHERE (prefix, id) IN (
                     SELECT substr(member_hash, 1, 8), id FROM rows
                     WHERE id BETWEEN ?1 AND ?2 AND member_hash IS NOT NULL)"
            ),
            [first, last],
        )?;
    }
    Ok(())
}

/// Rows of one job on their way in, with the statements they need.
struct Insert<'a> {
    connection: &'a Connection,
    seen: &'a mut Seen,
    job: i64,
    card: i64,
    now: i64,
    columns: &'a KeyColumns,
    by_member: CachedStatement<'a>,
    row: CachedStatement<'a>,
    member: CachedStatement<'a>,
    request: CachedStatement<'a>,
}

impl<'a> Insert<'a> {
    fn new(
        connection: &'a Connection,
        seen: &'a mut Seen,
        job: i64,
        card: i64,
        now: i64,
        columns: &'a KeyColumns,
    ) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            connection,
            seen,
            job,
            card,
            now,
            columns,
            by_member: connection.prepare_cached(FIND_MEMBER)?,
            member: connection.prepare_cached("INSERT INTO members_new (prefix, id) VALUES (?1, ?2)")?,
            row: connection.prepare_cached(
                "INSERT INTO rows (id, line, state, card, has_claim, updated_at, user_card_code, member_hash, code,
                     message)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
            )?,
            request: connection
                .prepare_cached("INSERT INTO requests (id, platform_key_id, body) VALUES (?1, ?2, ?3)")?,
        })
    }

    fn row(&mut self, new: &NewRow) -> Result<(), rusqlite::Error> {
        let id = row_id(self.job, new.row);
        let (user_card_code, member_hash, request) = match &new.content {
            NewContent::Refused { code, message } => {
                return self.ended(id, new.line, RowState::Refused, None, code, message);
            }
            NewContent::Queued {
                user_card_code,
                member_hash,
                request,
            } => (user_card_code, member_hash, request),
        };
        let by_member = match self.seen.is_new(&member_hash[..8]) {
            true => None,
            false => self
                .by_member
                .query_row(params![&member_hash[..8], member_hash, self.card], holder)
                .optional()?,
        };
        let queued = Queued {
            id,
            line: new.line,
            user_card_code,
            member_hash,
            request,
        };
        if by_member.is_none() && self.queued(&queued)? {
            return Ok(());
        }
        self.duplicate(&queued, by_member)
    }

    /// Whether the row is stored: it is not if it is there already, or another row has its code.
    fn queued(&mut self, new: &Queued<'_>) -> Result<bool, rusqlite::Error> {
        let inserted = self.row.execute(params![
            new.id,
            new.line,
            RowState::Queued.number(),
            self.card,
            true,
            self.now,
            new.user_card_code,
            new.member_hash,
            None::<&str>,
            None::<&str>,
        ])?;
        if inserted == 1 {
            self.member.execute(params![&new.member_hash[..8], new.id])?;
            self.seen.add(&new.member_hash[..8]);
            self.request.execute(params![
                new.id,
                new.request.platform_key_id().as_str(),
                new.request.body()
            ])?;
        }
        Ok(inserted == 1)
    }

    /// A row that is there already, or whose code or member another row has.
    fn duplicate(&mut self, new: &Queued<'_>, by_member: Option<(i64, i16)>) -> Result<(), rusqlite::Error> {
        let (id, user_card_code) = (new.id, new.user_card_code);
        let is_there = self
            .connection
            .prepare_cached("SELECT 1 FROM rows WHERE id = ?1")?
            .exists([id])?;
        if is_there {
            return Ok(());
        }
        let by_code = self
            .connection
            .prepare_cached(
                "SELECT id, iif(state = 0 AND is_maybe_sent, 2, state) FROM rows
                 WHERE card = ?1 AND user_card_code = ?2 AND has_claim = 1",
            )?
            .query_row(params![self.card, user_card_code], holder)
            .optional()?;
        let holders = [by_code, by_member];
        let by_code = by_code.map(|found| self.named(found)).transpose()?;
        let by_member = by_member.map(|found| self.named(found)).transpose()?;
        if may_take_over(by_code.as_ref(), by_member.as_ref()) {
            for (holder, _) in holders.into_iter().flatten() {
                self.supersede(holder, id)?;
            }
            return self.queued(new).map(drop);
        }
        let (state, code, message) = verdict(by_code.as_ref(), by_member.as_ref(), self.columns);
        // Refused rows keep no code; one that is present may be exported with it.
        let kept = (state == RowState::Present).then_some(user_card_code);
        self.ended(id, new.line, state, kept, code, &message)
    }

    /// A row that was never sent leaves its code and its member to the row `by` of this job.
    fn supersede(&self, holder: i64, by: i64) -> Result<(), rusqlite::Error> {
        let message = superseded(super::job_and_row(by).1, &self.name_of(self.job)?);
        self.connection
            .prepare_cached(
                "UPDATE rows SET state = 5, has_claim = 0, code = ?2, message = ?3, updated_at = ?4 WHERE id = ?1",
            )?
            .execute(params![holder, SUPERSEDED, message, self.now])
            .map(drop)
    }

    fn ended(
        &mut self,
        id: i64,
        line: u64,
        state: RowState,
        user_card_code: Option<&str>,
        code: &str,
        message: &str,
    ) -> Result<(), rusqlite::Error> {
        self.row
            .execute(params![
                id,
                line,
                state.number(),
                self.card,
                false,
                self.now,
                user_card_code,
                None::<&[u8]>,
                code,
                message
            ])
            .map(drop)
    }

    fn named(&self, (id, state): (i64, i16)) -> Result<Holder, rusqlite::Error> {
        let (job, row) = super::job_and_row(id);
        let other_job = (job != self.job).then(|| self.name_of(job));
        Ok(Holder {
            row,
            state: RowState::numbered(state).unwrap_or(RowState::Unknown),
            other_job: other_job.transpose()?,
        })
    }

    fn name_of(&self, job: i64) -> Result<JobId, rusqlite::Error> {
        self.connection
            .prepare_cached("SELECT identity FROM jobs WHERE id = ?1")?
            .query_row([job], |row| Ok(JobId::of(&row.get::<_, Vec<u8>>(0)?)))
    }
}

/// A good row on its way in.
struct Queued<'a> {
    id: i64,
    line: u64,
    user_card_code: &'a str,
    member_hash: &'a [u8; 32],
    request: &'a SealedRequest,
}

fn holder(row: &rusqlite::Row<'_>) -> Result<(i64, i16), rusqlite::Error> {
    Ok((row.get(0)?, row.get(1)?))
}

/// Some 250 pages.
const MEMBERS_NEW: i64 = 50_000;

/// The order of the joins is given: SQLite would rather go through all rows of a card.
pub(super) const FIND_MEMBER: &str = "
    SELECT rows.id, iif(state = 0 AND is_maybe_sent, 2, state) FROM (
        SELECT id FROM members WHERE prefix = ?1 UNION ALL SELECT id FROM members_new WHERE prefix = ?1
    ) AS found CROSS JOIN rows ON rows.id = found.id
    WHERE has_claim = 1 AND member_hash = ?2 AND +card = ?3";
