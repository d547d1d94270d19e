//! Which jobs have rows that are not done, in a file.

use super::{LedgerError, Tables, failed};
use crate::{
    job::{JobId, Profile, Route},
    ledger::OpenJob,
};

impl Tables {
    pub(in crate::ledger) fn open_jobs(&mut self) -> Result<Vec<OpenJob>, LedgerError> {
        let mut statement = self
            .connection
            .prepare_cached(OPEN_JOBS)
            .map_err(failed("look for jobs"))?;
        let jobs = statement.query_map([], |row| {
            let route: String = row.get(6)?;
            Ok(OpenJob {
                key: row.get(0)?,
                id: JobId::of(&row.get::<_, Vec<u8>>(1)?),
                profile: Profile::new(
                    row.get::<_, String>(2)?,
                    row.get::<_, String>(3)?,
                    row.get::<_, String>(4)?,
                    row.get::<_, String>(5)?,
                ),
                route: Route::named(&route).ok_or(rusqlite::Error::InvalidColumnName(route))?,
                has_queued: row.get(7)?,
                has_leased: row.get(8)?,
                has_unknown: row.get(9)?,
            })
        });
        let jobs: Result<Vec<OpenJob>, _> = jobs.and_then(Iterator::collect);
        let mut jobs = jobs.map_err(failed("look for jobs"))?;
        jobs.retain(|job| job.has_queued || job.has_leased || job.has_unknown);
        Ok(jobs)
    }
}

pub(super) const OPEN_JOBS: &str = "SELECT jobs.id, identity, mchid, brand_id, card_id, base_url, route,
         EXISTS (SELECT 1 FROM rows INDEXED BY rows_by_state
             WHERE state = 0 AND rows.id BETWEEN jobs.id << 32 AND (jobs.id << 32) + 4294967295),
         EXISTS (SELECT 1 FROM rows INDEXED BY rows_by_state
             WHERE state = 1 AND rows.id BETWEEN jobs.id << 32 AND (jobs.id << 32) + 4294967295),
         EXISTS (SELECT 1 FROM rows INDEXED BY rows_by_state
             WHERE state = 2 AND rows.id BETWEEN jobs.id << 32 AND (jobs.id << 32) + 4294967295)
     FROM jobs JOIN cards ON cards.id = jobs.card
     WHERE is_loaded AND NOT is_paused AND NOT is_purged ORDER BY jobs.id";
