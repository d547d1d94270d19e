//! The buckets of those who send: loaded, asked and saved in one transaction.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::{LedgerError, Tables, failed, micros};
use crate::pace::{Bucket, PaceKey, Reservation, Slowed};

impl Tables {
    pub(in crate::ledger) fn reserve(
        &mut self,
        key: &PaceKey,
        requests: u32,
        ceiling: Option<f64>,
    ) -> Result<Reservation, LedgerError> {
        let failed = failed("reserve requests");
        if ceiling.is_none() {
            // A look without a lock: nothing limits the rate as long as no 429 came.
            let bucket = load(&self.connection, key).map_err(failed)?;
            if bucket.is_none_or(|bucket| bucket.slowed.is_none()) {
                return Ok(Reservation::UNLIMITED);
            }
        }
        self.with_bucket(key, |bucket, now| bucket.reserve(now, requests, ceiling))
            .map_err(failed)
    }

    pub(in crate::ledger) fn slow_down(
        &mut self,
        key: &PaceKey,
        ceiling: Option<f64>,
        retry_after: Option<Duration>,
        observed: f64,
    ) -> Result<f64, LedgerError> {
        self.with_bucket(key, |bucket, now| {
            bucket.slow_down(now, ceiling, retry_after, observed)
        })
        .map_err(failed("slow down"))
    }

    fn with_bucket<T>(
        &mut self,
        key: &PaceKey,
        ask: impl FnOnce(&mut Bucket, i64) -> T,
    ) -> Result<T, rusqlite::Error> {
        let clock = self.clock.clone();
        let transaction = self.begin()?;
        let mut bucket = load(&transaction, key)?.unwrap_or_default();
        let answer = ask(&mut bucket, micros(clock.since_1970()));
        save(&transaction, key, &bucket)?;
        transaction.commit()?;
        Ok(answer)
    }
}

fn load(connection: &Connection, key: &PaceKey) -> Result<Option<Bucket>, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT next_at, hold_until, seen_at, rate, rate_at, rate_before FROM pace
             WHERE mchid = ?1 AND base_url = ?2 AND operation = ?3",
        )?
        .query_row(params![key.mchid, key.base_url, key.operation], |row| {
            let slowed = match (row.get(3)?, row.get(4)?, row.get(5)?) {
                (Some(rate), Some(at), Some(before)) => Some(Slowed { rate, at, before }),
                _ => None,
            };
            Ok(Bucket {
                next: row.get(0)?,
                hold: row.get(1)?,
                seen_at: row.get(2)?,
                slowed,
            })
        })
        .optional()
}

fn save(connection: &Connection, key: &PaceKey, bucket: &Bucket) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "INSERT INTO pace (mchid, base_url, operation, next_at, hold_until, seen_at, rate, rate_at, rate_before)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT DO UPDATE SET next_at = ?4, hold_until = ?5, seen_at = ?6, rate = ?7, rate_at = ?8,
                 rate_before = ?9",
        )?
        .execute(params![
            key.mchid,
            key.base_url,
            key.operation,
            bucket.next,
            bucket.hold,
            bucket.seen_at,
            bucket.slowed.map(|slowed| slowed.rate),
            bucket.slowed.map(|slowed| slowed.at),
            bucket.slowed.map(|slowed| slowed.before),
        ])
        .map(drop)
}
