//! Rows while they are sent: claimed, leased, written down.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use wxmember_crypto::KeyId;

use super::{Failure, Postgres, Session, lock, transaction};
use crate::{
    gateway::SealedRequest,
    ledger::{
        Change, Claim, ClaimedRow, Cursor, LedgerError, Skip, Work, Write,
        ids::{ids_of, job_and_row, row_id},
        row::Pass,
    },
};

/// What a claim was about to commit, for when nobody knows whether it was.
struct Pending {
    ids: Vec<i64>,
    until: i64,
    claim: Vec<ClaimedRow>,
    cursor: Cursor,
}

impl Postgres {
    pub(in crate::ledger) async fn claim_rows(
        &self,
        work: Work,
        cursor: Cursor,
        limit: u32,
        skip: &Skip,
    ) -> Result<(Claim, Cursor), LedgerError> {
        let pending = std::sync::Mutex::new(None::<Pending>);
        let claimed = transaction!(self, "claim rows", |session| {
            async {
                let before = lock(&pending).take();
                if let Some(before) = before
                    && is_committed(session, work, &before).await?
                {
                    return Ok::<_, Failure>((before.claim, before.cursor, None));
                }
                let now = self.now(session).await?;
                let (claim, cursor) = claim_rows(session, work, cursor, (limit, skip), now).await?;
                let Claim::Rows(rows) = claim else {
                    return Ok((Vec::new(), cursor, Some(claim)));
                };
                *lock(&pending) = Some(Pending {
                    ids: rows.iter().map(|row| row_id(work.job, row.row)).collect(),
                    until: until(work, now),
                    claim: rows,
                    cursor,
                });
                Ok((Vec::new(), cursor, None))
            }
            .await
        });
        let (rows, cursor, other) = claimed?;
        if let Some(claim) = other {
            return Ok((claim, cursor));
        }
        let committed = pending
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(match committed {
            Some(pending) => (Claim::Rows(pending.claim), pending.cursor),
            None => (Claim::Rows(rows), cursor),
        })
    }

    pub(super) async fn write_changes(&self, writes: &[&Write]) -> Result<Vec<bool>, LedgerError> {
        let is_repeat = AtomicBool::new(false);
        transaction!(self, "write down results", |session| {
            async {
                let is_repeat = is_repeat.swap(true, Ordering::Relaxed);
                let now = self.now(session).await?;
                write_changes(session, writes, now, is_repeat).await
            }
            .await
        })
    }

    pub(in crate::ledger) async fn abandon(&self, work: Work) -> Result<u64, LedgerError> {
        let (first, last) = ids_of(work.job);
        let sql = "UPDATE rows SET state = 2, is_maybe_sent = true, code = 'INTERRUPTED', message = $2, updated_at = $1
                   WHERE state = 1 AND id BETWEEN $3 AND $4 AND owner = $5";
        transaction!(self, "let go of leased rows", |session| {
            async {
                let now = self.now(session).await? / SECOND;
                session
                    .execute(sql, &[&now, &INTERRUPTED, &first, &last, &work.owner.number()])
                    .await
            }
            .await
        })
    }
}

async fn is_committed(session: &mut Session, work: Work, pending: &Pending) -> Result<bool, Failure> {
    let sql =
        "SELECT count(*) FROM rows WHERE id = ANY($1) AND state = 1 AND owner = $2 AND lease_until = $3";
    let parameters: super::Parameters<'_> = &[&pending.ids, &work.owner.number(), &pending.until];
    let leased: i64 = session.one(sql, parameters).await?.try_get(0)?;
    Ok(leased == pending.ids.len() as i64)
}

async fn claim_rows(
    session: &mut Session,
    work: Work,
    mut cursor: Cursor,
    (limit, skip): (u32, &Skip),
    now: i64,
) -> Result<(Claim, Cursor), Failure> {
    let job = session
        .maybe(
            "SELECT is_paused, is_purged OR NOT is_loaded FROM jobs WHERE id = $1",
            &[&work.job],
        )
        .await?;
    let Some(job) = job else {
        return Ok((Claim::Nothing, cursor));
    };
    if job.try_get(0)? {
        return Ok((Claim::Paused, cursor));
    }
    if job.try_get(1)? {
        return Ok((Claim::Nothing, cursor));
    }
    let (first, last) = ids_of(work.job);
    // A row that somebody writes at this moment is not over.
    let sql =
        "UPDATE rows SET state = 2, is_maybe_sent = true, code = 'INTERRUPTED', message = $2, updated_at = $1
               WHERE id IN (SELECT id FROM rows WHERE state = 1 AND id BETWEEN $3 AND $4 AND lease_until <= $5
                   ORDER BY id FOR UPDATE SKIP LOCKED)";
    session
        .execute(sql, &[&(now / SECOND), &INTERRUPTED, &first, &last, &now])
        .await?;
    let skipped: Vec<i64> = skip.rows.iter().map(|row| row_id(work.job, *row)).collect();
    let rows = loop {
        let rows = lease_next(session, work, cursor, limit, (skip, &skipped), now).await?;
        let pass = match cursor.pass {
            _ if !rows.is_empty() => break rows,
            Pass::Unknown => Pass::Queued,
            Pass::Queued => Pass::Rest,
            Pass::Rest => break rows,
        };
        cursor = Cursor { pass, row: 0 };
    };
    if let Some(last) = rows.last() {
        cursor.row = last.row;
        return Ok((Claim::Rows(rows), cursor));
    }
    // Rows that another process claims at this moment still look as if they waited.
    let sql = "SELECT min(CASE state WHEN 1 THEN lease_until ELSE $4 END) FROM rows
               WHERE (state IN (0, 1) OR state = 2 AND NOT $5) AND id BETWEEN $1 AND $2 AND owner <> $3
                   AND id <> ALL($6)";
    let parameters: super::Parameters<'_> = &[
        &first,
        &last,
        &work.owner.number(),
        &(now + CLAIMED_ELSEWHERE),
        &skip.is_unknown,
        &skipped,
    ];
    let next: Option<i64> = session.one(sql, parameters).await?.try_get(0)?;
    let claim = next.map_or(Claim::Nothing, |until| {
        Claim::Wait(Duration::from_micros(u64::try_from(until - now).unwrap_or(0)))
    });
    Ok((claim, cursor))
}

async fn lease_next(
    session: &mut Session,
    work: Work,
    cursor: Cursor,
    limit: u32,
    skipped: (&Skip, &[i64]),
    now: i64,
) -> Result<Vec<ClaimedRow>, Failure> {
    let after = if cursor.pass == Pass::Rest { 0 } else { cursor.row };
    let sql = "WITH next AS (
                   SELECT id FROM rows WHERE state = $1 AND id > $2 AND id <= $3 AND owner <> $4 AND id <> ALL($8)
                   ORDER BY id LIMIT $5 FOR UPDATE SKIP LOCKED
               ), leased AS (
                   UPDATE rows SET state = 1, attempts = attempts + 1, owner = $4, lease_until = $6, updated_at = $7
                   FROM next WHERE rows.id = next.id RETURNING rows.id, is_maybe_sent
               )
               SELECT leased.id, body, platform_key_id, is_maybe_sent
               FROM leased JOIN requests ON requests.id = leased.id ORDER BY leased.id";
    let (skip, skipped) = skipped;
    for state in skip.states(cursor.pass) {
        let parameters: super::Parameters<'_> = &[
            &state.number(),
            &row_id(work.job, after),
            &ids_of(work.job).1,
            &work.owner.number(),
            &i64::from(limit),
            &until(work, now),
            &(now / SECOND),
            &skipped,
        ];
        let rows = session.all(sql, parameters).await?;
        if rows.is_empty() {
            continue;
        }
        let claimed = rows.iter().map(|row| {
            Ok(ClaimedRow {
                row: job_and_row(row.try_get(0)?).1,
                request: SealedRequest::new(row.try_get(1)?, KeyId::new(row.try_get(2)?)),
                is_maybe_sent: row.try_get(3)?,
            })
        });
        return claimed.collect();
    }
    Ok(Vec::new())
}

pub(super) async fn write_changes(
    session: &mut Session,
    writes: &[&Write],
    now: i64,
    is_repeat: bool,
) -> Result<Vec<bool>, Failure> {
    let mut changed = vec![false; writes.len()];
    // Two changes of one row are two statements, in the order they came.
    let mut left: Vec<usize> = (0..writes.len()).collect();
    while !left.is_empty() {
        let mut rows = HashSet::new();
        let (round, later): (Vec<usize>, Vec<usize>) = left
            .into_iter()
            .partition(|index| rows.insert((writes[*index].work.job, writes[*index].row)));
        left = later;
        let mut ids = lease_again(session, writes, &round, now).await?;
        ids.extend(record(session, writes, &round, now, is_repeat).await?);
        for index in round {
            let write = writes[index];
            changed[index] = ids.contains(&row_id(write.work.job, write.row));
        }
    }
    let jobs: HashSet<i64> = writes.iter().map(|write| write.work.job).collect();
    let jobs: Vec<i64> = jobs.into_iter().collect();
    // Once a second at most, and not behind another process that does the same.
    let sql = "UPDATE jobs SET updated_at = $2 WHERE id IN (
                   SELECT id FROM jobs WHERE id = ANY($1) AND updated_at < $2 FOR UPDATE SKIP LOCKED)";
    session.execute(sql, &[&jobs, &(now / SECOND)]).await?;
    Ok(changed)
}

async fn lease_again(
    session: &mut Session,
    writes: &[&Write],
    round: &[usize],
    now: i64,
) -> Result<HashSet<i64>, Failure> {
    let (mut ids, mut owners, mut untils) = (Vec::new(), Vec::new(), Vec::new());
    for Write { work, row, change } in round.iter().map(|index| writes[*index]) {
        if matches!(change, Change::Lease) {
            ids.push(row_id(work.job, *row));
            owners.push(work.owner.number());
            untils.push(until(*work, now));
        }
    }
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = "UPDATE rows SET state = 1, attempts = attempts + 1, lease_until = new.until, updated_at = $4
               FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS new (id, owner, until)
               WHERE rows.id = new.id AND state IN (0, 1, 2) AND rows.owner = new.owner
                   AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = rows.id >> 32 AND is_purged) RETURNING rows.id";
    let rows = session
        .all(sql, &[&ids, &owners, &untils, &(now / SECOND)])
        .await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// What an owner says of a row that it has, and a success whoever has it. A row that may have been sent is never
/// queued; one that its owner keeps stays leased. A repeat also finds what it has written itself.
async fn record(
    session: &mut Session,
    writes: &[&Write],
    round: &[usize],
    now: i64,
    is_repeat: bool,
) -> Result<Vec<i64>, Failure> {
    let (mut ids, mut owners, mut states) = (Vec::new(), Vec::new(), Vec::new());
    let (mut codes, mut messages, mut request_ids) = (Vec::new(), Vec::new(), Vec::new());
    let mut kept_until: Vec<Option<i64>> = Vec::new();
    for Write { work, row, change } in round.iter().map(|index| writes[*index]) {
        let (entry, rest) = match change {
            Change::Record(entry) => (entry, None),
            Change::Keep(entry, rest) => (entry, Some(*rest)),
            Change::Lease => continue,
        };
        kept_until.push(rest.map(|rest| {
            let lease = work.lease.saturating_add(rest);
            until(Work { lease, ..*work }, now)
        }));
        ids.push(row_id(work.job, *row));
        owners.push(work.owner.number());
        states.push(entry.state.number());
        codes.push(entry.code.as_deref());
        messages.push(entry.message.as_deref());
        request_ids.push(entry.request_id.as_deref());
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "UPDATE rows SET
                   state = CASE WHEN new.kept_until IS NOT NULL THEN 1 WHEN new.state = 0 AND is_maybe_sent THEN 2 ELSE new.state END,
                   code = new.code, message = new.message, request_id = new.request_id,
                   is_maybe_sent = is_maybe_sent OR new.state = 2, has_claim = has_claim AND new.state <> 5,
                   lease_until = coalesce(new.kept_until, lease_until), updated_at = $7
               FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::text[], $5::text[], $6::text[], $9::bigint[])
                   AS new (id, owner, state, code, message, request_id, kept_until)
               WHERE rows.id = new.id
                   AND (rows.state IN (0, 1, 2) AND (rows.owner = new.owner OR new.state IN (3, 4))
                       OR $8 AND rows.owner = new.owner AND rows.state = new.state
                           AND rows.request_id IS NOT DISTINCT FROM new.request_id)
               RETURNING rows.id";
    let parameters: super::Parameters<'_> = &[
        &ids,
        &owners,
        &states,
        &codes,
        &messages,
        &request_ids,
        &(now / SECOND),
        &is_repeat,
        &kept_until,
    ];
    let rows = session.all(sql, parameters).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

fn until(work: Work, now: i64) -> i64 {
    now.saturating_add(i64::try_from(work.lease.as_micros()).unwrap_or(i64::MAX))
}

const SECOND: i64 = 1_000_000;
/// When to look again for rows that another process has locked.
const CLAIMED_ELSEWHERE: i64 = 100_000;
const INTERRUPTED: &str = "the process ended while the row was being sent";
