//! Which jobs have rows that are not done, in a database.

use super::{Failure, Postgres, Session, transaction};
use crate::{
    job::{JobId, Profile, Route},
    ledger::{LedgerError, OpenJob},
};

impl Postgres {
    pub(in crate::ledger) async fn open_jobs(&self) -> Result<Vec<OpenJob>, LedgerError> {
        transaction!(self, "look for jobs", |session| open_jobs(session).await)
    }
}

async fn open_jobs(session: &mut Session) -> Result<Vec<OpenJob>, Failure> {
    let sql = "SELECT jobs.id, identity, mchid, brand_id, card_id, base_url, route,
                   EXISTS (SELECT 1 FROM rows
                       WHERE state = 0 AND rows.id BETWEEN jobs.id << 32 AND (jobs.id << 32) + 4294967295),
                   EXISTS (SELECT 1 FROM rows
                       WHERE state = 1 AND rows.id BETWEEN jobs.id << 32 AND (jobs.id << 32) + 4294967295),
                   EXISTS (SELECT 1 FROM rows
                       WHERE state = 2 AND rows.id BETWEEN jobs.id << 32 AND (jobs.id << 32) + 4294967295)
               FROM jobs JOIN cards ON cards.id = jobs.card
               WHERE is_loaded AND NOT is_paused AND NOT is_purged ORDER BY jobs.id";
    let mut jobs = Vec::new();
    for row in session.all(sql, &[]).await? {
        let (has_queued, has_leased, has_unknown) = (row.try_get(7)?, row.try_get(8)?, row.try_get(9)?);
        if !(has_queued || has_leased || has_unknown) {
            continue;
        }
        jobs.push(OpenJob {
            key: row.try_get(0)?,
            id: JobId::of(row.try_get(1)?),
            profile: Profile::new(
                row.try_get::<_, String>(2)?,
                row.try_get::<_, String>(3)?,
                row.try_get::<_, String>(4)?,
                row.try_get::<_, String>(5)?,
            ),
            route: Route::named(row.try_get(6)?).ok_or_else(|| LedgerError::Database {
                action: "look for jobs",
                source: "a later version made a job with a route that is not known here".into(),
            })?,
            has_queued,
            has_leased,
            has_unknown,
        });
    }
    Ok(jobs)
}
