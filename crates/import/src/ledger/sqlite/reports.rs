//! What is told about the rows of a job.

use rusqlite::{Connection, params};

use super::{LedgerError, Tables, failed, ids_of, job_and_row, row_id};
use crate::ledger::{
    CodeCount, Counts, RowReport, RowState, Slot,
    report::{slot_seconds, slots},
};

impl Tables {
    pub(in crate::ledger) fn counts(&mut self, job: i64) -> Result<Counts, LedgerError> {
        counts(&self.connection, job).map_err(failed("count rows"))
    }

    pub(in crate::ledger) fn rows_in(
        &mut self,
        job: i64,
        state: RowState,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RowReport>, LedgerError> {
        let failed = failed("read rows");
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT id, line, user_card_code, coalesce(code, ''), coalesce(message, ''), request_id, updated_at
                 FROM rows WHERE state = ?1 AND id > ?2 AND id <= ?3 ORDER BY id LIMIT ?4",
            )
            .map_err(failed)?;
        let parameters = params![state.number(), row_id(job, after), ids_of(job).1, limit];
        let rows = statement
            .query_map(parameters, |row| {
                Ok(RowReport {
                    row: job_and_row(row.get(0)?).1,
                    line: row.get(1)?,
                    state,
                    user_card_code: row.get(2)?,
                    code: row.get(3)?,
                    message: row.get(4)?,
                    request_id: row.get(5)?,
                    updated_at: row.get(6)?,
                })
            })
            .map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    pub(in crate::ledger) fn outcomes(&mut self, job: i64) -> Result<Vec<CodeCount>, LedgerError> {
        let failed = failed("count outcomes");
        let (first, last) = ids_of(job);
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT state, coalesce(code, ''), coalesce(min(message), ''), count(*) FROM rows
                 WHERE id BETWEEN ?1 AND ?2 GROUP BY 1, 2 ORDER BY 1, 4 DESC, 2",
            )
            .map_err(failed)?;
        let rows = statement
            .query_map([first, last], |row| {
                Ok(CodeCount {
                    state: state(row.get(0)?)?,
                    code: row.get(1)?,
                    message: row.get(2)?,
                    rows: row.get(3)?,
                })
            })
            .map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    pub(in crate::ledger) fn timeline(&mut self, job: i64) -> Result<Vec<Slot>, LedgerError> {
        let failed = failed("read the timeline");
        let (first, last) = ids_of(job);
        let transaction = self.connection.transaction().map_err(failed)?;
        let (begin, end): (Option<i64>, Option<i64>) = transaction
            .query_row(
                "SELECT min(updated_at), max(updated_at) FROM rows
                 WHERE id BETWEEN ?1 AND ?2 AND state >= 2 AND updated_at > 0",
                [first, last],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(failed)?;
        let (Some(begin), Some(end)) = (begin, end) else {
            return Ok(Vec::new());
        };
        let seconds = slot_seconds(begin, end);
        let counted: Vec<(i64, RowState, u64)> = transaction
            .prepare_cached(
                "SELECT (updated_at - ?3) / ?4, state, count(*) FROM rows
                 WHERE id BETWEEN ?1 AND ?2 AND state >= 2 AND updated_at > 0 GROUP BY 1, 2",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([first, last, begin, seconds], |row| {
                        Ok((row.get(0)?, state(row.get(1)?)?, row.get(2)?))
                    })?
                    .collect()
            })
            .map_err(failed)?;
        Ok(slots(begin, seconds, &counted))
    }
}

pub(super) fn counts(connection: &Connection, job: i64) -> Result<Counts, rusqlite::Error> {
    let (first, last) = ids_of(job);
    let mut counts = Counts::default();
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM rows WHERE state = ?1 AND id BETWEEN ?2 AND ?3")?;
    for state in RowState::ALL {
        *counts.of(state) = statement.query_row(params![state.number(), first, last], |row| row.get(0))?;
    }
    Ok(counts)
}

fn state(number: i16) -> Result<RowState, rusqlite::Error> {
    RowState::numbered(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, i64::from(number)))
}
