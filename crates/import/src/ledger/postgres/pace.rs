//! The buckets of those who send: loaded, asked and saved in one transaction, under a lock on the bucket's row.

use std::time::Duration;

use super::{Failure, Postgres, Session, transaction};
use crate::{
    ledger::LedgerError,
    pace::{Bucket, PaceKey, Reservation, Slowed},
};

impl Postgres {
    pub(in crate::ledger) async fn reserve(
        &self,
        key: &PaceKey,
        requests: u32,
        ceiling: Option<f64>,
    ) -> Result<Reservation, LedgerError> {
        transaction!(self, "reserve requests", |session| {
            async {
                if ceiling.is_none() {
                    // A look without a lock: nothing limits the rate as long as no 429 came.
                    let bucket = load(session, key, "").await?;
                    if bucket.is_none_or(|bucket| bucket.slowed.is_none()) {
                        return Ok(Reservation::UNLIMITED);
                    }
                }
                let mut bucket = lock(session, key).await?;
                // After the lock, so that times are in order.
                let now = self.now(session).await?;
                let reservation = bucket.reserve(now, requests, ceiling);
                save(session, key, &bucket).await?;
                Ok::<_, Failure>(reservation)
            }
            .await
        })
    }

    pub(in crate::ledger) async fn slow_down(
        &self,
        key: &PaceKey,
        ceiling: Option<f64>,
        retry_after: Option<Duration>,
        observed: f64,
    ) -> Result<f64, LedgerError> {
        transaction!(self, "slow down", |session| {
            async {
                let mut bucket = lock(session, key).await?;
                let now = self.now(session).await?;
                let rate = bucket.slow_down(now, ceiling, retry_after, observed);
                save(session, key, &bucket).await?;
                Ok::<_, Failure>(rate)
            }
            .await
        })
    }
}

async fn lock(session: &mut Session, key: &PaceKey) -> Result<Bucket, Failure> {
    if let Some(bucket) = load(session, key, "FOR UPDATE").await? {
        return Ok(bucket);
    }
    let sql = "INSERT INTO pace (mchid, base_url, operation, next_at, hold_until, seen_at)
               VALUES ($1, $2, $3, 0, 0, 0) ON CONFLICT DO NOTHING";
    session
        .execute(sql, &[&key.mchid, &key.base_url, &key.operation])
        .await?;
    let bucket = load(session, key, "FOR UPDATE").await?;
    Ok(bucket.unwrap_or_default())
}

async fn load(session: &mut Session, key: &PaceKey, how: &str) -> Result<Option<Bucket>, Failure> {
    let sql = format!(
        "SELECT next_at, hold_until, seen_at, rate, rate_at, rate_before FROM pace
         WHERE mchid = $1 AND base_url = $2 AND operation = $3 {how}"
    );
    let row = session
        .maybe(&sql, &[&key.mchid, &key.base_url, &key.operation])
        .await?;
    let Some(row) = row else { return Ok(None) };
    let slowed = match (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?) {
        (Some(rate), Some(at), Some(before)) => Some(Slowed { rate, at, before }),
        _ => None,
    };
    Ok(Some(Bucket {
        next: row.try_get(0)?,
        hold: row.try_get(1)?,
        seen_at: row.try_get(2)?,
        slowed,
    }))
}

async fn save(session: &mut Session, key: &PaceKey, bucket: &Bucket) -> Result<(), Failure> {
    let sql = "UPDATE pace SET next_at = $4, hold_until = $5, seen_at = $6, rate = $7, rate_at = $8, rate_before = $9
               WHERE mchid = $1 AND base_url = $2 AND operation = $3";
    let slowed = bucket.slowed;
    let parameters: super::Parameters<'_> = &[
        &key.mchid,
        &key.base_url,
        &key.operation,
        &bucket.next,
        &bucket.hold,
        &bucket.seen_at,
        &slowed.map(|slowed| slowed.rate),
        &slowed.map(|slowed| slowed.at),
        &slowed.map(|slowed| slowed.before),
    ];
    session.execute(sql, parameters).await.map(drop)
}
