//! Rows while they are sent: claimed, leased, written down.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction, params};
use wxmember_crypto::KeyId;

use super::{LedgerError, SECOND, Tables, failed, ids_of, micros, row_id};
use crate::{
    gateway::SealedRequest,
    ledger::{Change, Claim, ClaimedRow, Cursor, Entry, Skip, Work, Write, row::Pass},
};

impl Tables {
    /// Rows and loads of processes that are gone; called by a process that is alone.
    pub(super) fn recover_all(&mut self) -> Result<(), LedgerError> {
        let failed = failed("recover leased rows");
        let now = self.now();
        let transaction = self.begin().map_err(failed)?;
        // Where nothing is to be done nothing is written.
        end_leases(&transaction, "1 = 1", params![now / SECOND, INTERRUPTED]).map_err(failed)?;
        transaction
            .execute(
                "UPDATE jobs SET load_owner = 0, load_until = 0 WHERE load_owner <> 0",
                [],
            )
            .map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    pub(in crate::ledger) fn claim_rows(
        &mut self,
        work: Work,
        mut cursor: Cursor,
        limit: u32,
        skip: &Skip,
    ) -> Result<(Claim, Cursor), LedgerError> {
        let failed = failed("claim rows");
        let clock = self.clock.clone();
        let transaction = self.begin().map_err(failed)?;
        let now = micros(clock.since_1970());
        let is_open: Option<(bool, bool)> = transaction
            .prepare_cached("SELECT is_paused, is_purged OR NOT is_loaded FROM jobs WHERE id = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([work.job], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .map_err(failed)?;
        match is_open {
            Some((true, _)) => return Ok((Claim::Paused, cursor)),
            Some((false, false)) => {}
            Some((false, true)) | None => return Ok((Claim::Nothing, cursor)),
        }
        let (first, last) = ids_of(work.job);
        end_leases(
            &transaction,
            "id BETWEEN ?3 AND ?4 AND lease_until <= ?5",
            params![now / SECOND, INTERRUPTED, first, last, now],
        )
        .map_err(failed)?;
        let rows = loop {
            let rows = select_rows(&transaction, work, cursor, limit, skip).map_err(failed)?;
            let pass = match cursor.pass {
                _ if !rows.is_empty() => break rows,
                Pass::Unknown => Pass::Queued,
                Pass::Queued => Pass::Rest,
                Pass::Rest => break rows,
            };
            cursor = Cursor { pass, row: 0 };
        };
        for row in &rows {
            lease(&transaction, work, row.row, now).map_err(failed)?;
            cursor.row = row.row;
        }
        let claim = if rows.is_empty() {
            let next = next_end(&transaction, work, skip).map_err(failed)?;
            next.map_or(Claim::Nothing, |until| {
                let micros = u64::try_from(until.saturating_sub(now)).unwrap_or(0);
                Claim::Wait(Duration::from_micros(micros))
            })
        } else {
            Claim::Rows(rows)
        };
        transaction.commit().map_err(failed)?;
        Ok((claim, cursor))
    }

    pub(super) fn write_changes(&mut self, writes: &[&Write]) -> Result<Vec<bool>, LedgerError> {
        let failed = failed("write down results");
        let clock = self.clock.clone();
        let transaction = self.begin().map_err(failed)?;
        let now = micros(clock.since_1970());
        let mut changed = Vec::with_capacity(writes.len());
        for Write { work, row, change } in writes {
            let is_changed = match change {
                Change::Keep(entry, rest) => keep(&transaction, *work, *row, (entry, *rest), now),
                Change::Lease => lease_again(&transaction, *work, *row, now),
                Change::Record(entry) => record(&transaction, *work, *row, entry, now),
            };
            changed.push(is_changed.map_err(failed)?);
        }
        let mut jobs: Vec<i64> = writes.iter().map(|write| write.work.job).collect();
        jobs.dedup();
        for job in jobs {
            transaction
                .prepare_cached("UPDATE jobs SET updated_at = ?2 WHERE id = ?1 AND updated_at < ?2")
                .and_then(|mut statement| statement.execute([job, now / SECOND]))
                .map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok(changed)
    }

    pub(in crate::ledger) fn abandon(&mut self, work: Work) -> Result<u64, LedgerError> {
        let failed = failed("let go of leased rows");
        let now = self.now();
        let (first, last) = ids_of(work.job);
        let transaction = self.begin().map_err(failed)?;
        let changed = end_leases(
            &transaction,
            "id BETWEEN ?3 AND ?4 AND owner = ?5",
            params![now / SECOND, INTERRUPTED, first, last, work.owner.number()],
        )
        .map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(changed as u64)
    }
}

/// Leases become unknown. Parameters 1 and 2 are the second and the message.
fn end_leases(
    transaction: &Transaction<'_>,
    which: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> Result<usize, rusqlite::Error> {
    transaction
        .prepare_cached(&format!(
            "UPDATE rows SET state = 2, is_maybe_sent = 1, code = 'INTERRUPTED', message = ?2, updated_at = ?1
             WHERE state = 1 AND {which}"
        ))?
        .execute(parameters)
}

fn select_rows(
    transaction: &Transaction<'_>,
    work: Work,
    cursor: Cursor,
    limit: u32,
    skip: &Skip,
) -> Result<Vec<ClaimedRow>, rusqlite::Error> {
    let after = if cursor.pass == Pass::Rest { 0 } else { cursor.row };
    let mut statement = transaction.prepare_cached(
        "SELECT rows.id, body, platform_key_id, is_maybe_sent FROM rows
         JOIN requests ON requests.id = rows.id
         WHERE state = ?1 AND rows.id > ?2 AND rows.id <= ?3 AND owner <> ?4 ORDER BY rows.id",
    )?;
    for state in skip.states(cursor.pass) {
        let parameters = params![
            state.number(),
            row_id(work.job, after),
            ids_of(work.job).1,
            work.owner.number(),
        ];
        let mut found = statement.query(parameters)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let (_, number) = super::job_and_row(row.get(0)?);
            if skip.rows.contains(&number) {
                continue;
            }
            rows.push(ClaimedRow {
                row: number,
                request: SealedRequest::new(row.get(1)?, KeyId::new(&row.get::<_, String>(2)?)),
                is_maybe_sent: row.get(3)?,
            });
            if rows.len() >= limit as usize {
                break;
            }
        }
        if !rows.is_empty() {
            return Ok(rows);
        }
    }
    Ok(Vec::new())
}

/// When the first lease of another owner ends that may give this one a row.
fn next_end(transaction: &Transaction<'_>, work: Work, skip: &Skip) -> Result<Option<i64>, rusqlite::Error> {
    let (first, last) = ids_of(work.job);
    let mut statement = transaction.prepare_cached(
        "SELECT id, lease_until FROM rows WHERE state = 1 AND id BETWEEN ?1 AND ?2 AND owner <> ?3",
    )?;
    let mut leased = statement.query(params![first, last, work.owner.number()])?;
    let mut next = None;
    while let Some(row) = leased.next()? {
        if !skip.rows.contains(&super::job_and_row(row.get(0)?).1) {
            let until: i64 = row.get(1)?;
            next = Some(next.map_or(until, |next: i64| next.min(until)));
        }
    }
    Ok(next)
}

/// A row that waits, for whoever claims it.
fn lease(transaction: &Transaction<'_>, work: Work, row: u64, now: i64) -> Result<bool, rusqlite::Error> {
    lease_where(transaction, "state IN (0, 2)", work, row, now)
}

/// A row that is this owner's, before it is sent again.
fn lease_again(
    transaction: &Transaction<'_>,
    work: Work,
    row: u64,
    now: i64,
) -> Result<bool, rusqlite::Error> {
    let which = "state IN (0, 1, 2) AND owner = ?2
                 AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = rows.id >> 32 AND is_purged = 1)";
    lease_where(transaction, which, work, row, now)
}

fn lease_where(
    transaction: &Transaction<'_>,
    which: &str,
    work: Work,
    row: u64,
    now: i64,
) -> Result<bool, rusqlite::Error> {
    transaction
        .prepare_cached(&format!(
            "UPDATE rows SET state = 1, attempts = attempts + 1, owner = ?2, lease_until = ?3, updated_at = ?4
             WHERE id = ?1 AND {which}"
        ))?
        .execute(params![
            row_id(work.job, row),
            work.owner.number(),
            now.saturating_add(micros(work.lease)),
            now / SECOND
        ])
        .map(|rows| rows > 0)
}

/// What this owner says of a row that it has, and a success whoever has it. A row that may have been sent is never
/// queued.
fn record(
    transaction: &Transaction<'_>,
    work: Work,
    row: u64,
    entry: &Entry,
    now: i64,
) -> Result<bool, rusqlite::Error> {
    transaction
        .prepare_cached(
            "UPDATE rows SET state = iif(?3 = 0 AND is_maybe_sent, 2, ?3), code = ?4, message = ?5, request_id = ?6,
                 is_maybe_sent = is_maybe_sent OR ?3 = 2, has_claim = has_claim AND ?3 <> 5, updated_at = ?7
             WHERE id = ?1 AND state IN (0, 1, 2) AND (owner = ?2 OR ?3 IN (3, 4))",
        )?
        .execute(params![
            row_id(work.job, row),
            work.owner.number(),
            entry.state.number(),
            entry.code,
            entry.message,
            entry.request_id,
            now / SECOND
        ])
        .map(|rows| rows > 0)
}

/// What an owner does not know of a row that it goes on with.
fn keep(
    transaction: &Transaction<'_>,
    work: Work,
    row: u64,
    (entry, rest): (&Entry, Duration),
    now: i64,
) -> Result<bool, rusqlite::Error> {
    let lease = work.lease.saturating_add(rest);
    transaction
        .prepare_cached(
            "UPDATE rows SET state = 1, is_maybe_sent = 1, code = ?3, message = ?4, request_id = ?5, lease_until = ?6,
                 updated_at = ?7
             WHERE id = ?1 AND state IN (0, 1, 2) AND owner = ?2",
        )?
        .execute(params![
            row_id(work.job, row),
            work.owner.number(),
            entry.code,
            entry.message,
            entry.request_id,
            now.saturating_add(micros(lease)),
            now / SECOND
        ])
        .map(|rows| rows > 0)
}

const INTERRUPTED: &str = "the process ended while the row was being sent";
