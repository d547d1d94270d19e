//! What is told about the rows of a job.

use super::{Failure, Postgres, Session, transaction};
use crate::ledger::{
    CodeCount, Counts, LedgerError, RowReport, RowState, Slot,
    ids::{ids_of, job_and_row, row_id},
    report::{slot_seconds, slots},
};

impl Postgres {
    pub(in crate::ledger) async fn counts(&self, job: i64) -> Result<Counts, LedgerError> {
        let (first, last) = ids_of(job);
        let sql = "SELECT state, count(*) FROM rows WHERE id BETWEEN $1 AND $2 GROUP BY state";
        transaction!(self, "count rows", |session| {
            async {
                let mut counts = Counts::default();
                for row in session.all(sql, &[&first, &last]).await? {
                    *counts.of(state(row.try_get(0)?)?) = number(row.try_get(1)?);
                }
                Ok::<_, Failure>(counts)
            }
            .await
        })
    }

    pub(in crate::ledger) async fn rows_in(
        &self,
        job: i64,
        state: RowState,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RowReport>, LedgerError> {
        transaction!(self, "read rows", |session| rows_in(
            session, job, state, after, limit
        )
        .await)
    }

    pub(in crate::ledger) async fn outcomes(&self, job: i64) -> Result<Vec<CodeCount>, LedgerError> {
        let (first, last) = ids_of(job);
        let sql = "SELECT state, coalesce(code, ''), coalesce(min(message), ''), count(*) FROM rows
                   WHERE id BETWEEN $1 AND $2 GROUP BY 1, 2 ORDER BY 1, 4 DESC, 2";
        transaction!(self, "count outcomes", |session| {
            async {
                let rows = session.all(sql, &[&first, &last]).await?;
                let counts = rows.iter().map(|row| {
                    Ok(CodeCount {
                        state: state(row.try_get(0)?)?,
                        code: row.try_get(1)?,
                        message: row.try_get(2)?,
                        rows: number(row.try_get(3)?),
                    })
                });
                counts.collect::<Result<_, Failure>>()
            }
            .await
        })
    }

    pub(in crate::ledger) async fn timeline(&self, job: i64) -> Result<Vec<Slot>, LedgerError> {
        transaction!(self, "read the timeline", |session| timeline(session, job).await)
    }
}

async fn rows_in(
    session: &mut Session,
    job: i64,
    state: RowState,
    after: u64,
    limit: u32,
) -> Result<Vec<RowReport>, Failure> {
    let sql =
        "SELECT id, line, user_card_code, coalesce(code, ''), coalesce(message, ''), request_id, updated_at
               FROM rows WHERE state = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4";
    let parameters: super::Parameters<'_> = &[
        &state.number(),
        &row_id(job, after),
        &ids_of(job).1,
        &i64::from(limit),
    ];
    let rows = session.all(sql, parameters).await?;
    let reports = rows.iter().map(|row| {
        Ok(RowReport {
            row: job_and_row(row.try_get(0)?).1,
            line: number(row.try_get(1)?),
            state,
            user_card_code: row.try_get(2)?,
            code: row.try_get(3)?,
            message: row.try_get(4)?,
            request_id: row.try_get(5)?,
            updated_at: row.try_get(6)?,
        })
    });
    reports.collect()
}

async fn timeline(session: &mut Session, job: i64) -> Result<Vec<Slot>, Failure> {
    let (first, last) = ids_of(job);
    let sql = "SELECT min(updated_at), max(updated_at) FROM rows
               WHERE id BETWEEN $1 AND $2 AND state >= 2 AND updated_at > 0";
    let row = session.one(sql, &[&first, &last]).await?;
    let (Some(begin), Some(end)) = (
        row.try_get::<_, Option<i64>>(0)?,
        row.try_get::<_, Option<i64>>(1)?,
    ) else {
        return Ok(Vec::new());
    };
    let seconds = slot_seconds(begin, end);
    let sql = "SELECT (updated_at - $3) / $4, state, count(*) FROM rows
               WHERE id BETWEEN $1 AND $2 AND state >= 2 AND updated_at > 0 GROUP BY 1, 2";
    let rows = session.all(sql, &[&first, &last, &begin, &seconds]).await?;
    let counted = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, state(row.try_get(1)?)?, number(row.try_get(2)?))));
    let counted: Vec<(i64, RowState, u64)> = counted.collect::<Result<_, Failure>>()?;
    Ok(slots(begin, seconds, &counted))
}

fn state(number: i16) -> Result<RowState, Failure> {
    RowState::numbered(number).ok_or_else(|| {
        Failure::Ledger(LedgerError::Database {
            action: "read rows",
            source: "a later version made a row with a state that is not known here".into(),
        })
    })
}

fn number(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
