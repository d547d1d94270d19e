//! Jobs and their rows on the way in.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Failure, Postgres, Session, transaction};
use crate::{
    job::{Identity, JobId},
    ledger::{
        KeyColumns, LOAD_LEASE, LedgerError, NewContent, NewRow, OpenedJob, Owner, PART_ROWS, RowState,
        duplicates::{Holder, SUPERSEDED, may_take_over, superseded, verdict},
        ids::{ids_of, job_and_row, row_id},
    },
};

impl Postgres {
    /// Nothing when a part of what is begun anew was deleted: the same again goes on.
    pub(in crate::ledger) async fn open_job(
        &self,
        identity: &Identity,
        owner: Owner,
    ) -> Result<Option<OpenedJob>, LedgerError> {
        transaction!(self, "open the job", |session| {
            let now = self.now(session).await?;
            open_job(session, identity, owner, now).await
        })
    }

    pub(in crate::ledger) async fn store_rows(
        &self,
        job: i64,
        owner: Owner,
        rows: &[NewRow],
        columns: &KeyColumns,
    ) -> Result<(), LedgerError> {
        transaction!(self, "store rows", |session| {
            let now = self.now(session).await?;
            store_rows(session, job, owner, rows, columns, now).await
        })
    }

    pub(in crate::ledger) async fn finish_loading(&self, job: i64, rows: u64) -> Result<(), LedgerError> {
        let sql = "UPDATE jobs SET is_loaded = true, load_owner = 0, load_until = 0
                   WHERE id = $1 AND rows >= $2 AND NOT is_purged";
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let changed = transaction!(self, "finish loading", |session| {
            session.execute(sql, &[&job, &rows]).await
        });
        match changed? {
            0 => Err(LedgerError::LoadLost),
            _ => Ok(()),
        }
    }

    pub(in crate::ledger) async fn release_loading(&self, job: i64, owner: Owner) -> Result<(), LedgerError> {
        let sql = "UPDATE jobs SET load_owner = 0, load_until = 0 WHERE id = $1 AND load_owner = $2";
        transaction!(self, "release the load", |session| {
            session.execute(sql, &[&job, &owner.number()]).await.map(drop)
        })
    }

    /// Deletes the next part of a job that this owner loads; returns whether there is more.
    pub(in crate::ledger) async fn discard_job(&self, job: i64, owner: Owner) -> Result<bool, LedgerError> {
        transaction!(self, "discard the job", |session| {
            async {
                let sql =
                    "SELECT id FROM jobs WHERE id = $1 AND NOT is_loaded AND load_owner = $2 FOR UPDATE";
                let is_ours = session.maybe(sql, &[&job, &owner.number()]).await?.is_some();
                let is_more = is_ours && delete_part(session, job).await?;
                if is_more {
                    let now = self.now(session).await?;
                    renew_load(session, job, owner, now).await?;
                }
                Ok::<_, Failure>(is_more)
            }
            .await
        })
    }
}

async fn open_job(
    session: &mut Session,
    identity: &Identity,
    owner: Owner,
    now: i64,
) -> Result<Option<OpenedJob>, Failure> {
    let fingerprint = identity.fingerprint();
    let fingerprint = fingerprint.as_bytes().as_slice();
    // What is left of a purged job is kept for its counts; the same source begins anew.
    let sql = "SELECT id FROM jobs WHERE identity = $1 AND is_purged FOR UPDATE";
    if let Some(row) = session.maybe(sql, &[&fingerprint]).await? {
        let job: i64 = row.try_get(0)?;
        let other = identity.of_purged(job);
        let sql = "UPDATE jobs SET identity = $2 WHERE id = $1";
        session
            .execute(sql, &[&job, &other.as_bytes().as_slice()])
            .await?;
    }
    let sql = "SELECT id, rows, is_loaded, defaults, load_owner, load_until FROM jobs WHERE identity = $1 FOR UPDATE";
    let found = match session.maybe(sql, &[&fingerprint]).await? {
        Some(row) => {
            let is_loaded: bool = row.try_get(2)?;
            let is_free = row.try_get::<_, i64>(4)? == owner.number() || row.try_get::<_, i64>(5)? <= now;
            Some(OpenedJob {
                key: row.try_get(0)?,
                rows: u64::try_from(row.try_get::<_, i64>(1)?).unwrap_or(0),
                is_loaded,
                is_new: false,
                are_defaults_changed: row.try_get::<_, &[u8]>(3)? != identity.defaults.as_bytes().as_slice(),
                may_load: !is_loaded && is_free,
            })
        }
        None => None,
    };
    let job = match found {
        // Half of a job under other defaults is begun anew.
        Some(job) if job.are_defaults_changed && job.may_load => {
            if delete_part(session, job.key).await? {
                renew_load(session, job.key, owner, now).await?;
                return Ok(None);
            }
            insert_job(session, identity, now).await?
        }
        Some(job) => Some(job),
        None => insert_job(session, identity, now).await?,
    };
    // Another process has just begun it: it is seen as soon as that is committed.
    let job = job.unwrap_or(OpenedJob {
        key: 0,
        rows: 0,
        is_loaded: false,
        is_new: false,
        are_defaults_changed: false,
        may_load: false,
    });
    if job.may_load {
        renew_load(session, job.key, owner, now).await?;
    }
    Ok(Some(job))
}

async fn insert_job(
    session: &mut Session,
    identity: &Identity,
    now: i64,
) -> Result<Option<OpenedJob>, Failure> {
    let profile = &identity.profile;
    let base_url = profile.base_url.trim_end_matches('/');
    let sql = "INSERT INTO cards (mchid, brand_id, card_id, base_url) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let card = [
        &profile.mchid as &(dyn tokio_postgres::types::ToSql + Sync),
        &profile.brand_id,
        &profile.card_id,
        &base_url,
    ];
    session.execute(sql, &card).await?;
    let sql = "SELECT id FROM cards WHERE mchid = $1 AND brand_id = $2 AND card_id = $3 AND base_url = $4";
    let card: i64 = session.one(sql, &card).await?.try_get(0)?;
    let sql = "INSERT INTO jobs (identity, card, source_name, source_digest, route, defaults, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT DO NOTHING RETURNING id";
    let row = session
        .maybe(
            sql,
            &[
                &identity.fingerprint().as_bytes().as_slice(),
                &card,
                &identity.source_name,
                &identity.source_digest.as_bytes().as_slice(),
                &identity.route.name(),
                &identity.defaults.as_bytes().as_slice(),
                &(now / SECOND),
            ],
        )
        .await?;
    let key: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(key.map(|key| OpenedJob {
        key,
        rows: 0,
        is_loaded: false,
        is_new: true,
        are_defaults_changed: false,
        may_load: true,
    }))
}

/// Deletes the next rows of a job, or the job when it has none; returns whether there is more. It counts as empty
/// meanwhile, so that whoever comes after a crash begins at the first row. A row that was ever attempted stays.
async fn delete_part(session: &mut Session, job: i64) -> Result<bool, Failure> {
    let (first, last) = ids_of(job);
    let sql = "SELECT max(id), max(attempts)
               FROM (SELECT id, attempts FROM rows WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3) AS part";
    let part = session.one(sql, &[&first, &last, &i64::from(PART_ROWS)]).await?;
    let Some(end) = part.try_get::<_, Option<i64>>(0)? else {
        session.execute("DELETE FROM jobs WHERE id = $1", &[&job]).await?;
        return Ok(false);
    };
    if part.try_get::<_, Option<i32>>(1)? > Some(0) {
        return Ok(false);
    }
    session
        .execute("UPDATE jobs SET rows = 0 WHERE id = $1", &[&job])
        .await?;
    for sql in [
        "DELETE FROM requests WHERE id BETWEEN $1 AND $2",
        "DELETE FROM rows WHERE id BETWEEN $1 AND $2",
    ] {
        session.execute(sql, &[&first, &end]).await?;
    }
    Ok(true)
}

async fn renew_load(session: &mut Session, job: i64, owner: Owner, now: i64) -> Result<(), Failure> {
    let sql = "UPDATE jobs SET load_owner = $2, load_until = $3 WHERE id = $1 AND (load_owner = $2 OR load_until <= $4)";
    let until = now + LOAD_LEASE.as_micros() as i64;
    session
        .execute(sql, &[&job, &owner.number(), &until, &now])
        .await
        .map(drop)
}

/// The card's row is locked, so that two loads for one card do not look for duplicates at the same time.
pub(super) async fn lock_card(session: &mut Session, card: i64) -> Result<(), Failure> {
    session
        .one("SELECT id FROM cards WHERE id = $1 FOR UPDATE", &[&card])
        .await
        .map(drop)
}

async fn store_rows(
    session: &mut Session,
    job: i64,
    owner: Owner,
    rows: &[NewRow],
    columns: &KeyColumns,
    now: i64,
) -> Result<(), Failure> {
    let last = i64::try_from(rows.last().map_or(0, |row| row.row)).unwrap_or(i64::MAX);
    let sql = "UPDATE jobs SET rows = greatest(rows, $2), updated_at = $3 WHERE id = $1 AND NOT is_loaded AND NOT is_purged
               RETURNING card";
    let card: i64 = session
        .one(sql, &[&job, &last, &(now / SECOND)])
        .await?
        .try_get(0)?;
    renew_load(session, job, owner, now).await?;
    lock_card(session, card).await?;

    let mut claims = Claims::read(session, job, card, rows).await?;
    let mut table = Table::default();
    let mut taken = BTreeMap::new();
    for row in rows {
        let id = row_id(job, row.row);
        if !claims.are_there.insert(id) {
            continue;
        }
        match &row.content {
            NewContent::Refused { code, message } => {
                table.add(id, row.line, RowState::Refused, None, code, message)
            }
            NewContent::Queued {
                user_card_code,
                member_hash,
                request,
            } => {
                let held = [
                    claims.by_code.get(user_card_code),
                    claims.by_member.get(member_hash),
                ];
                let [by_code, by_member] = held.map(|held| held.map(|(_, holder)| holder));
                if may_take_over(by_code, by_member) {
                    for (holder, _) in held.into_iter().flatten() {
                        taken.entry(*holder).or_insert(row.row);
                    }
                } else {
                    let (state, code, message) = verdict(by_code, by_member, columns);
                    // Refused rows keep no code; one that is present may be exported with it.
                    let kept = (state == RowState::Present).then_some(user_card_code.as_str());
                    table.add(id, row.line, state, kept, code, &message);
                    continue;
                }
                let holder = Holder {
                    row: row.row,
                    state: RowState::Queued,
                    other_job: None,
                };
                claims
                    .by_code
                    .insert(user_card_code.clone(), (id, holder.clone()));
                claims.by_member.insert(*member_hash, (id, holder));
                table.add_queued(id, row.line, user_card_code, member_hash);
                table
                    .requests
                    .push((id, request.platform_key_id().as_str(), request.body()));
            }
        }
    }
    supersede(session, job, &taken, now / SECOND).await?;
    table.insert(session, card, now / SECOND).await
}

/// Rows that were never sent, and are locked, leave their codes and members to rows of this job.
async fn supersede(
    session: &mut Session,
    job: i64,
    taken: &BTreeMap<i64, u64>,
    now: i64,
) -> Result<(), Failure> {
    if taken.is_empty() {
        return Ok(());
    }
    let name = name_of(session, job).await?;
    let ids: Vec<i64> = taken.keys().copied().collect();
    let messages: Vec<String> = taken.values().map(|row| superseded(*row, &name)).collect();
    let sql =
        "UPDATE rows SET state = 5, has_claim = false, code = $3, message = new.message, updated_at = $4
               FROM unnest($1::bigint[], $2::text[]) AS new (id, message) WHERE rows.id = new.id";
    let parameters: super::Parameters<'_> = &[&ids, &messages, &SUPERSEDED, &now];
    session.execute(sql, parameters).await.map(drop)
}

async fn name_of(session: &mut Session, job: i64) -> Result<JobId, Failure> {
    let row = session
        .one("SELECT identity FROM jobs WHERE id = $1", &[&job])
        .await?;
    Ok(JobId::of(row.try_get(0)?))
}

/// What rows that are stored hold of that which new rows want.
struct Claims {
    are_there: HashSet<i64>,
    /// With the id of the row that has it.
    by_code: HashMap<String, (i64, Holder)>,
    by_member: HashMap<[u8; 32], (i64, Holder)>,
}

impl Claims {
    async fn read(session: &mut Session, job: i64, card: i64, rows: &[NewRow]) -> Result<Self, Failure> {
        let ids: Vec<i64> = rows.iter().map(|row| row_id(job, row.row)).collect();
        let wanted = rows.iter().filter_map(|row| match &row.content {
            NewContent::Queued {
                user_card_code,
                member_hash,
                ..
            } => Some((user_card_code.as_str(), member_hash.as_slice())),
            NewContent::Refused { .. } => None,
        });
        let (codes, hashes): (Vec<&str>, Vec<&[u8]>) = wanted.unzip();
        let are_there = session
            .all("SELECT id FROM rows WHERE id = ANY($1)", &[&ids])
            .await?;
        let are_there = are_there
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?;
        let sql = "SELECT id, state, user_card_code FROM rows WHERE card = $1 AND user_card_code = ANY($2) AND has_claim";
        let by_code = session.all(sql, &[&card, &codes]).await?;
        let sql =
            "SELECT id, state, member_hash FROM rows WHERE card = $1 AND member_hash = ANY($2) AND has_claim";
        let by_member = session.all(sql, &[&card, &hashes]).await?;

        let mut jobs = HashMap::new();
        for row in by_code.iter().chain(&by_member) {
            let (of, _) = job_and_row(row.try_get(0)?);
            if of != job && !jobs.contains_key(&of) {
                jobs.insert(of, name_of(session, of).await?);
            }
        }
        let unsent = lock_unsent(session, by_code.iter().chain(&by_member)).await?;
        let holder = |row: &tokio_postgres::Row| -> Result<(i64, Holder), tokio_postgres::Error> {
            let id = row.try_get(0)?;
            let (of, number) = job_and_row(id);
            let state = match RowState::numbered(row.try_get(1)?) {
                Some(RowState::Queued) if !unsent.contains(&id) => RowState::Leased,
                state => state.unwrap_or(RowState::Unknown),
            };
            let holder = Holder {
                row: number,
                state,
                other_job: jobs.get(&of).cloned(),
            };
            Ok((id, holder))
        };
        let mut claims = Self {
            are_there,
            by_code: HashMap::new(),
            by_member: HashMap::new(),
        };
        for row in &by_code {
            claims.by_code.insert(row.try_get(2)?, holder(row)?);
        }
        for row in &by_member {
            if let Ok(hash) = <[u8; 32]>::try_from(row.try_get::<_, &[u8]>(2)?) {
                claims.by_member.insert(hash, holder(row)?);
            }
        }
        Ok(claims)
    }
}

/// Of these rows those that wait and were never sent. They are locked, so that nobody claims them meanwhile.
async fn lock_unsent(
    session: &mut Session,
    holders: impl Iterator<Item = &tokio_postgres::Row>,
) -> Result<HashSet<i64>, Failure> {
    let mut waiting = Vec::new();
    for row in holders {
        if row.try_get::<_, i16>(1)? == RowState::Queued.number() {
            waiting.push(row.try_get::<_, i64>(0)?);
        }
    }
    if waiting.is_empty() {
        return Ok(HashSet::new());
    }
    let sql =
        "SELECT id FROM rows WHERE id = ANY($1) AND state = 0 AND NOT is_maybe_sent ORDER BY id FOR UPDATE";
    let rows = session.all(sql, &[&waiting]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// New rows, column by column, as one statement takes them.
#[derive(Default)]
struct Table<'a> {
    ids: Vec<i64>,
    lines: Vec<i64>,
    states: Vec<i16>,
    user_card_codes: Vec<Option<&'a str>>,
    hashes: Vec<Option<&'a [u8]>>,
    codes: Vec<Option<String>>,
    messages: Vec<Option<String>>,
    requests: Vec<(i64, &'a str, &'a [u8])>,
}

impl<'a> Table<'a> {
    fn add_queued(&mut self, id: i64, line: u64, user_card_code: &'a str, hash: &'a [u8; 32]) {
        self.begin(id, line, RowState::Queued, Some(user_card_code));
        self.hashes.push(Some(hash));
        self.codes.push(None);
        self.messages.push(None);
    }

    fn add(
        &mut self,
        id: i64,
        line: u64,
        state: RowState,
        user_card_code: Option<&'a str>,
        code: &str,
        message: &str,
    ) {
        self.begin(id, line, state, user_card_code);
        self.hashes.push(None);
        self.codes.push(Some(code.to_owned()));
        self.messages.push(Some(message.to_owned()));
    }

    fn begin(&mut self, id: i64, line: u64, state: RowState, user_card_code: Option<&'a str>) {
        self.ids.push(id);
        self.lines.push(i64::try_from(line).unwrap_or(i64::MAX));
        self.states.push(state.number());
        self.user_card_codes.push(user_card_code);
    }

    async fn insert(self, session: &mut Session, card: i64, now: i64) -> Result<(), Failure> {
        let sql = "INSERT INTO rows (id, line, state, card, has_claim, updated_at, user_card_code, member_hash, code, message)
                   SELECT id, line, state, $1, state = 0, $2, user_card_code, member_hash, code, message
                   FROM unnest($3::bigint[], $4::bigint[], $5::smallint[], $6::text[], $7::bytea[], $8::text[], $9::text[])
                       AS new (id, line, state, user_card_code, member_hash, code, message)";
        session
            .execute(
                sql,
                &[
                    &card,
                    &now,
                    &self.ids,
                    &self.lines,
                    &self.states,
                    &self.user_card_codes,
                    &self.hashes,
                    &self.codes,
                    &self.messages,
                ],
            )
            .await?;
        let ids: Vec<i64> = self.requests.iter().map(|(id, ..)| *id).collect();
        let keys: Vec<&str> = self.requests.iter().map(|(_, key, _)| *key).collect();
        let bodies: Vec<&[u8]> = self.requests.iter().map(|(.., body)| *body).collect();
        let sql = "INSERT INTO requests (id, platform_key_id, body)
                   SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[])";
        session.execute(sql, &[&ids, &keys, &bodies]).await.map(drop)
    }
}

const SECOND: i64 = 1_000_000;
