//! What is asked of whole jobs: the list, pause, retry, purge, and whether the key fits.

use rusqlite::{OptionalExtension, params};
use wxmember_crypto::KeyedHash;

use super::{LedgerError, SECOND, Tables, checkpoint::Checkpoints, failed, ids_of, job_and_row};
use crate::{
    job::{JobId, Route},
    ledger::{Counts, JobReport, Purged, Retry, key},
};

impl Tables {
    /// A ledger remembers its key by a value that says nothing about it.
    pub(super) fn check_key(
        &mut self,
        hash: &KeyedHash,
        presence: &key::Presence,
    ) -> Result<(), LedgerError> {
        let failed = failed("check the key");
        let value = key::check_value(hash);
        let transaction = self.begin().map_err(failed)?;
        let known: Option<Vec<u8>> = transaction
            .query_row("SELECT value FROM meta WHERE name = 'key'", [], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        match known {
            Some(known) if known != value => {
                return Err(LedgerError::WrongKey {
                    path: presence.path().to_owned(),
                });
            }
            Some(_) => {}
            None => {
                transaction
                    .execute("INSERT INTO meta (name, value) VALUES ('key', ?1)", [value])
                    .map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)
    }

    /// Every job, or the one with this key.
    pub(in crate::ledger) fn jobs(&mut self, only: Option<i64>) -> Result<Vec<JobReport>, LedgerError> {
        let failed = failed("list the jobs");
        // One moment for the list and the counts.
        let transaction = self.connection.transaction().map_err(failed)?;
        let mut jobs: Vec<JobReport> = transaction
            .prepare_cached(
                "SELECT jobs.id, identity, source_name, mchid, brand_id, card_id, base_url, route, rows, is_loaded,
                     is_paused, is_purged, created_at, updated_at
                 FROM jobs JOIN cards ON cards.id = jobs.card WHERE ?1 IS NULL OR jobs.id = ?1
                 ORDER BY updated_at DESC, jobs.id DESC",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([only], |row| {
                        let route: String = row.get(7)?;
                        Ok(JobReport {
                            key: row.get(0)?,
                            id: JobId::of(&row.get::<_, Vec<u8>>(1)?),
                            source_name: row.get(2)?,
                            mchid: row.get(3)?,
                            brand_id: row.get(4)?,
                            card_id: row.get(5)?,
                            base_url: row.get(6)?,
                            route: Route::named(&route)
                                .ok_or(rusqlite::Error::InvalidColumnName(route))?,
                            rows: row.get(8)?,
                            is_loaded: row.get(9)?,
                            is_paused: row.get(10)?,
                            is_purged: row.get(11)?,
                            counts: Counts::default(),
                            created_at: row.get(12)?,
                            updated_at: row.get(13)?,
                        })
                    })?
                    .collect()
            })
            .map_err(failed)?;
        for job in &mut jobs {
            job.counts = super::reports::counts(&transaction, job.key).map_err(failed)?;
        }
        Ok(jobs)
    }

    /// The jobs whose names begin like that.
    pub(in crate::ledger) fn keys_of(&mut self, id: &str) -> Result<Vec<i64>, LedgerError> {
        self.connection
            .prepare_cached(
                "SELECT id FROM jobs WHERE substr(lower(hex(substr(identity, 1, 6))), 1, length(?1)) = ?1",
            )
            .and_then(|mut statement| statement.query_map([id], |row| row.get(0))?.collect())
            .map_err(failed("find the job"))
    }

    pub(in crate::ledger) fn set_paused(&mut self, job: i64, is_paused: bool) -> Result<(), LedgerError> {
        let now = self.now();
        let changed = self.connection.execute(
            "UPDATE jobs SET is_paused = ?2, updated_at = ?3 WHERE id = ?1 AND is_paused <> ?2",
            params![job, is_paused, now / SECOND],
        );
        changed.map(drop).map_err(failed("pause or resume the job"))
    }

    /// Puts back rows among the next ones behind row `after`; returns how many, and the last row that was looked at, or
    /// nothing when there are no more.
    pub(in crate::ledger) fn retry(
        &mut self,
        job: i64,
        retry: &Retry,
        after: u64,
        limit: u32,
    ) -> Result<(u64, Option<u64>), LedgerError> {
        let failed = failed("put rows back into the queue");
        let now = self.now() / SECOND;
        let first = super::row_id(job, after);
        let transaction = self.begin().map_err(failed)?;
        let end: Option<i64> = transaction
            .query_row(
                "SELECT max(id) FROM (SELECT id FROM rows WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3)",
                params![first, ids_of(job).1, limit],
                |row| row.get(0),
            )
            .map_err(failed)?;
        let Some(end) = end else { return Ok((0, None)) };
        let mut changed = 0;
        if retry.is_unknown {
            changed += transaction
                .execute(
                    "UPDATE rows SET owner = 0, updated_at = ?1
                     WHERE +state = 2 AND id > ?2 AND id <= ?3 AND (?4 IS NULL OR code = ?4)
                         AND EXISTS (SELECT 1 FROM requests WHERE requests.id = rows.id)",
                    params![now, first, end, retry.code],
                )
                .map_err(failed)?;
        }
        if retry.is_refused {
            // Row by row: of two that had the same code the first gets it back. A row that may have been sent is
            // unknown again.
            let refused: Vec<i64> = transaction
                .prepare_cached(
                    "SELECT rows.id FROM rows JOIN requests ON requests.id = rows.id
                     WHERE +state = 5 AND rows.id > ?1 AND rows.id <= ?2 AND (?3 IS NULL OR code = ?3)
                         AND member_hash IS NOT NULL ORDER BY rows.id",
                )
                .and_then(|mut statement| {
                    statement
                        .query_map(params![first, end, retry.code], |row| row.get(0))?
                        .collect()
                })
                .map_err(failed)?;
            let mut update = transaction
                .prepare_cached(
                    "UPDATE OR IGNORE rows SET state = iif(is_maybe_sent, 2, 0), has_claim = 1, owner = 0, updated_at = ?2
                     WHERE id = ?1 AND NOT EXISTS (
                         SELECT 1 FROM members CROSS JOIN rows AS other ON other.id = members.id
                         WHERE members.prefix = substr(rows.member_hash, 1, 8) AND other.has_claim = 1
                             AND other.member_hash = rows.member_hash AND +other.card = rows.card)
                     AND NOT EXISTS (
                         SELECT 1 FROM members_new CROSS JOIN rows AS other ON other.id = members_new.id
                         WHERE members_new.prefix = substr(rows.member_hash, 1, 8) AND other.has_claim = 1
                             AND other.member_hash = rows.member_hash AND +other.card = rows.card)",
                )
                .map_err(failed)?;
            for id in refused {
                changed += update.execute([id, now]).map_err(failed)?;
            }
        }
        if changed > 0 {
            transaction
                .execute("UPDATE jobs SET updated_at = ?2 WHERE id = ?1", [job, now])
                .map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok((changed as u64, Some(job_and_row(end).1)))
    }

    /// Purges the next rows behind row `after`; returns the last of them, or nothing when there are no more.
    pub(in crate::ledger) fn purge(
        &mut self,
        job: i64,
        after: u64,
        limit: u32,
    ) -> Result<(Purged, Option<u64>), LedgerError> {
        let failed = failed("purge the job");
        let now = self.now() / SECOND;
        let (_, last) = ids_of(job);
        let first = super::row_id(job, after);
        // Deleted pages are overwritten.
        self.connection
            .execute_batch("PRAGMA secure_delete = ON")
            .map_err(failed)?;
        let transaction = self.begin().map_err(failed)?;
        transaction
            .execute(
                "UPDATE jobs SET is_purged = 1, updated_at = ?2 WHERE id = ?1",
                [job, now],
            )
            .map_err(failed)?;
        let end: Option<i64> = transaction
            .query_row(
                "SELECT max(id) FROM (SELECT id FROM rows WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3)",
                params![first, last, limit],
                |row| row.get(0),
            )
            .map_err(failed)?;
        let mut purged = Purged::default();
        if let Some(end) = end {
            let requests = transaction
                .execute("DELETE FROM requests WHERE id > ?1 AND id <= ?2", [first, end])
                .map_err(failed)?;
            super::load::delete_members(&transaction, first + 1, end).map_err(failed)?;
            let rows = transaction
                .execute(
                    "UPDATE rows SET user_card_code = NULL, member_hash = NULL, has_claim = 0
                     WHERE id > ?1 AND id <= ?2 AND (user_card_code IS NOT NULL OR member_hash IS NOT NULL)",
                    [first, end],
                )
                .map_err(failed)?;
            purged = Purged {
                requests: requests as u64,
                rows: rows as u64,
            };
        }
        transaction.commit().map_err(failed)?;
        self.connection
            .execute_batch("PRAGMA secure_delete = FAST")
            .map_err(failed)?;
        Ok((purged, end.map(|id| job_and_row(id).1)))
    }

    /// After a purge: the log still holds what was deleted.
    pub(in crate::ledger) fn forget_log(&mut self) -> Result<(), LedgerError> {
        let _held = self.checkpoints.as_ref().map(Checkpoints::hold);
        // Another process that reads at this moment keeps the log; it is overwritten in time.
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(failed("purge the job"))
    }
}
