//! Numbers of rows in a store.

/// Ids of rows: the job above, the row below, so that a job is a range and no index is needed to find a row.
pub(super) fn row_id(job: i64, row: u64) -> i64 {
    (job << ROW_BITS) | i64::try_from(row.min(MOST_ROWS)).unwrap_or(i64::MAX)
}

/// The first and the last id that a job can have.
pub(super) fn ids_of(job: i64) -> (i64, i64) {
    (row_id(job, 0), row_id(job, MOST_ROWS))
}

pub(super) fn job_and_row(id: i64) -> (i64, u64) {
    (id >> ROW_BITS, id.unsigned_abs() & MOST_ROWS)
}

const ROW_BITS: u32 = 32;
const MOST_ROWS: u64 = (1 << ROW_BITS) - 1;
