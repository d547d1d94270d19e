//! What is asked of whole jobs: the list, pause, retry, purge.

use std::collections::HashMap;

use super::{Failure, Postgres, Session, load::lock_card, transaction};
use crate::{
    job::{JobId, Route},
    ledger::{
        Counts, JobReport, LedgerError, Purged, Retry, RowState,
        ids::{ids_of, job_and_row, row_id},
    },
};

impl Postgres {
    /// Every job, or the one with this key.
    pub(in crate::ledger) async fn jobs(&self, only: Option<i64>) -> Result<Vec<JobReport>, LedgerError> {
        transaction!(self, "list the jobs", |session| jobs(session, only).await)
    }

    /// The jobs whose names begin like that.
    pub(in crate::ledger) async fn keys_of(&self, id: &str) -> Result<Vec<i64>, LedgerError> {
        let sql = "SELECT id FROM jobs WHERE starts_with(encode(substr(identity, 1, 6), 'hex'), $1)";
        transaction!(self, "find the job", |session| {
            async {
                let rows = session.all(sql, &[&id]).await?;
                let keys = rows.iter().map(|row| Ok(row.try_get(0)?));
                keys.collect::<Result<_, Failure>>()
            }
            .await
        })
    }

    pub(in crate::ledger) async fn set_paused(&self, job: i64, is_paused: bool) -> Result<(), LedgerError> {
        let sql = "UPDATE jobs SET is_paused = $2, updated_at = $3 WHERE id = $1 AND is_paused <> $2";
        transaction!(self, "pause or resume the job", |session| {
            async {
                let now = self.now(session).await? / SECOND;
                session.execute(sql, &[&job, &is_paused, &now]).await.map(drop)
            }
            .await
        })
    }

    /// Puts back rows among the next ones behind row `after`; returns how many, and the last row that was looked at, or
    /// nothing when there are no more.
    pub(in crate::ledger) async fn retry(
        &self,
        job: i64,
        retry: &Retry,
        after: u64,
        limit: u32,
    ) -> Result<(u64, Option<u64>), LedgerError> {
        transaction!(self, "put rows back into the queue", |session| {
            async {
                let now = self.now(session).await? / SECOND;
                let Some(end) = part_end(session, job, after, limit).await? else {
                    return Ok((0, None));
                };
                let changed = put_back(session, job, retry, (row_id(job, after), end), now).await?;
                Ok::<_, Failure>((changed, Some(job_and_row(end).1)))
            }
            .await
        })
    }

    pub(in crate::ledger) async fn purge(
        &self,
        job: i64,
        after: u64,
        limit: u32,
    ) -> Result<(Purged, Option<u64>), LedgerError> {
        transaction!(self, "purge the job", |session| {
            async {
                let now = self.now(session).await? / SECOND;
                purge(session, job, after, limit, now).await
            }
            .await
        })
    }

    /// After a purge: the space of what was deleted is free to be written over.
    pub(in crate::ledger) async fn forget_log(&self) -> Result<(), LedgerError> {
        let mut tries = super::Tries::new("purge the job", self.patience);
        loop {
            let attempt = async {
                let lease = self.session().await?;
                for table in ["VACUUM requests", "VACUUM rows"] {
                    lease.session.client.batch_execute(table).await?;
                }
                self.give_back(lease);
                Ok::<_, Failure>(())
            };
            match attempt.await {
                Ok(()) => return Ok(()),
                Err(failure) => tries.after(failure).await?,
            }
        }
    }
}

async fn jobs(session: &mut Session, only: Option<i64>) -> Result<Vec<JobReport>, Failure> {
    let mut counts: HashMap<i64, Counts> = HashMap::new();
    let (first, last) = only.map_or((0, i64::MAX), ids_of);
    let sql = "SELECT id >> 32, state, count(*) FROM rows WHERE id BETWEEN $1 AND $2 GROUP BY 1, 2";
    for row in session.all(sql, &[&first, &last]).await? {
        if let Some(state) = RowState::numbered(row.try_get(1)?) {
            let rows = u64::try_from(row.try_get::<_, i64>(2)?).unwrap_or(0);
            *counts.entry(row.try_get(0)?).or_default().of(state) = rows;
        }
    }
    let sql =
        "SELECT jobs.id, identity, source_name, mchid, brand_id, card_id, base_url, route, rows, is_loaded,
                   is_paused, is_purged, created_at, updated_at
               FROM jobs JOIN cards ON cards.id = jobs.card WHERE $1::bigint IS NULL OR jobs.id = $1
               ORDER BY updated_at DESC, jobs.id DESC";
    let rows = session.all(sql, &[&only]).await?;
    let jobs = rows.iter().map(|row| {
        let key: i64 = row.try_get(0)?;
        let route = Route::named(row.try_get(7)?).ok_or_else(|| LedgerError::Database {
            action: "list the jobs",
            source: "a later version made a job with a route that is not known here".into(),
        })?;
        Ok(JobReport {
            key,
            id: JobId::of(row.try_get(1)?),
            source_name: row.try_get(2)?,
            mchid: row.try_get(3)?,
            brand_id: row.try_get(4)?,
            card_id: row.try_get(5)?,
            base_url: row.try_get(6)?,
            route,
            rows: u64::try_from(row.try_get::<_, i64>(8)?).unwrap_or(0),
            is_loaded: row.try_get(9)?,
            is_paused: row.try_get(10)?,
            is_purged: row.try_get(11)?,
            counts: counts.get(&key).copied().unwrap_or_default(),
            created_at: row.try_get(12)?,
            updated_at: row.try_get(13)?,
        })
    });
    jobs.collect()
}

/// The last of the next rows behind row `after`.
async fn part_end(session: &mut Session, job: i64, after: u64, limit: u32) -> Result<Option<i64>, Failure> {
    let sql =
        "SELECT max(id) FROM (SELECT id FROM rows WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3) AS part";
    let (first, last) = (row_id(job, after), ids_of(job).1);
    let row = session.one(sql, &[&first, &last, &i64::from(limit)]).await?;
    Ok(row.try_get(0)?)
}

/// Those with an id above `first` and up to `last`.
async fn put_back(
    session: &mut Session,
    job: i64,
    retry: &Retry,
    (first, last): (i64, i64),
    now: i64,
) -> Result<u64, Failure> {
    let mut changed = 0;
    if retry.is_unknown {
        let sql = "UPDATE rows SET owner = 0, updated_at = $1
                   WHERE state = 2 AND id > $2 AND id <= $3 AND ($4::text IS NULL OR code = $4)
                       AND EXISTS (SELECT 1 FROM requests WHERE requests.id = rows.id)";
        changed += session.execute(sql, &[&now, &first, &last, &retry.code]).await?;
    }
    if retry.is_refused {
        let card: i64 = session
            .one("SELECT card FROM jobs WHERE id = $1", &[&job])
            .await?
            .try_get(0)?;
        lock_card(session, card).await?;
        // Of two that had the same code or member the first gets it back. A row that may have been sent is unknown again.
        let sql = "WITH wanted AS (
                       SELECT rows.id, user_card_code, member_hash FROM rows JOIN requests ON requests.id = rows.id
                       WHERE state = 5 AND rows.id > $2 AND rows.id <= $3 AND ($4::text IS NULL OR code = $4)
                           AND member_hash IS NOT NULL
                   ), free AS (
                       SELECT id, row_number() OVER (PARTITION BY user_card_code ORDER BY id) AS by_code,
                           row_number() OVER (PARTITION BY member_hash ORDER BY id) AS by_member
                       FROM wanted WHERE NOT EXISTS (
                           SELECT 1 FROM rows AS other WHERE other.card = $5 AND other.has_claim
                               AND other.user_card_code = wanted.user_card_code)
                       AND NOT EXISTS (
                           SELECT 1 FROM rows AS other WHERE other.card = $5 AND other.has_claim
                               AND other.member_hash = wanted.member_hash)
                   )
                   UPDATE rows SET state = CASE WHEN is_maybe_sent THEN 2 ELSE 0 END, has_claim = true, owner = 0,
                       updated_at = $1
                   FROM free WHERE rows.id = free.id AND by_code = 1 AND by_member = 1";
        changed += session
            .execute(sql, &[&now, &first, &last, &retry.code, &card])
            .await?;
    }
    if changed > 0 {
        session
            .execute("UPDATE jobs SET updated_at = $2 WHERE id = $1", &[&job, &now])
            .await?;
    }
    Ok(changed)
}

async fn purge(
    session: &mut Session,
    job: i64,
    after: u64,
    limit: u32,
    now: i64,
) -> Result<(Purged, Option<u64>), Failure> {
    let sql = "UPDATE jobs SET is_purged = true, updated_at = $2 WHERE id = $1";
    session.execute(sql, &[&job, &now]).await?;
    let first = row_id(job, after);
    let Some(end) = part_end(session, job, after, limit).await? else {
        return Ok((Purged::default(), None));
    };
    let requests = session
        .execute("DELETE FROM requests WHERE id > $1 AND id <= $2", &[&first, &end])
        .await?;
    let sql = "UPDATE rows SET user_card_code = NULL, member_hash = NULL, has_claim = false
               WHERE id > $1 AND id <= $2 AND (user_card_code IS NOT NULL OR member_hash IS NOT NULL)";
    let rows = session.execute(sql, &[&first, &end]).await?;
    Ok((Purged { requests, rows }, Some(job_and_row(end).1)))
}

const SECOND: i64 = 1_000_000;
