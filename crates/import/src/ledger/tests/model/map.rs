//! The map: what must become of rows and jobs, by the rules of `docs/data-model.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Call, LEASE, Owner, RowState};

/// What the ledger said.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    Rows(Vec<(u64, bool)>),
    Wait(Duration),
    Nothing,
    Paused,
    Wrote(bool),
    /// Nobody was there to hear it.
    Unheard,
    Changed(u64),
    Refused,
}

/// A job, by its place among the jobs of the case, and a row of it.
pub(super) type Key = (usize, u64);

/// A row in the map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) state: RowState,
    is_maybe_sent: bool,
    owner: Option<Owner>,
    until: u64,
}

impl Row {
    pub(super) const NEW: Self = Self {
        state: RowState::Queued,
        is_maybe_sent: false,
        owner: None,
        until: 0,
    };

    fn is_open(&self) -> bool {
        matches!(
            self.state,
            RowState::Queued | RowState::Leased | RowState::Unknown
        )
    }

    /// Whoever had it is gone.
    pub(super) fn lose(&mut self) {
        if self.state == RowState::Leased {
            (self.state, self.is_maybe_sent) = (RowState::Unknown, true);
        }
    }
}

/// The map, the time in seconds, and what was said of whole jobs.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) rows: BTreeMap<Key, Row>,
    pub(super) now: u64,
    pub(super) jobs: usize,
    paused: BTreeSet<usize>,
    purged: BTreeSet<usize>,
}

impl Model {
    /// Which row a number means.
    pub(super) fn key(&self, row: usize) -> Key {
        *self.rows.keys().nth(row % self.rows.len()).unwrap()
    }

    fn rows_of(&mut self, job: usize) -> impl Iterator<Item = (u64, &mut Row)> {
        self.rows
            .range_mut((job, 0)..(job + 1, 0))
            .map(|((_, number), row)| (*number, row))
    }

    /// Does what a call does. `false` when the ledger should have said something else.
    pub(super) fn follows(&mut self, call: &Call, owner: Owner, reply: &Reply) -> bool {
        match call {
            Call::Claim {
                job,
                limit,
                skips_unknown,
                ..
            } => self.claimed(job % self.jobs, *limit as usize, *skips_unknown, owner, reply),
            Call::Mark { row, .. } => {
                let until = self.now + LEASE;
                let is_purged = self.purged.contains(&self.key(*row).0);
                let row = self.at(*row);
                let may = !is_purged && row.is_open() && row.owner == Some(owner);
                if may {
                    (row.state, row.until) = (RowState::Leased, until);
                }
                *reply == Reply::Wrote(may)
            }
            Call::Keep { row, rest, .. } => {
                let until = self.now + LEASE + rest;
                let row = self.at(*row);
                let may = row.is_open() && row.owner == Some(owner);
                if may {
                    (row.state, row.is_maybe_sent, row.until) = (RowState::Leased, true, until);
                }
                *reply == Reply::Wrote(may)
            }
            Call::Answer { row, state, .. } => {
                let row = self.at(*row);
                let may = row.is_open() && (row.owner == Some(owner) || state.is_success());
                if may {
                    row.state = match state {
                        RowState::Queued if row.is_maybe_sent => RowState::Unknown,
                        state => *state,
                    };
                    row.is_maybe_sent |= *state == RowState::Unknown;
                }
                matches!(reply, Reply::Unheard) || *reply == Reply::Wrote(may)
            }
            Call::Release { .. } => {
                let rows = self.rows.values_mut();
                let held = rows.filter(|row| row.owner == Some(owner) && row.state == RowState::Leased);
                *reply == Reply::Changed(held.map(Row::lose).count() as u64)
            }
            Call::Retry {
                job,
                is_refused,
                is_unknown,
                ..
            } => self.retried(job % self.jobs, *is_refused, *is_unknown, reply),
            Call::Pause { job, is_paused, .. } => {
                let job = job % self.jobs;
                if *is_paused {
                    self.paused.insert(job);
                } else {
                    self.paused.remove(&job);
                }
                *reply == Reply::Nothing
            }
            Call::Purge { job, is_forced, .. } => {
                let job = job % self.jobs;
                if !is_forced && self.rows_of(job).any(|(_, row)| row.is_open()) {
                    return *reply == Reply::Refused;
                }
                let requests = if self.purged.insert(job) {
                    self.rows_of(job).count() as u64
                } else {
                    0
                };
                *reply == Reply::Changed(requests)
            }
            other => panic!("not one call: {other:?}"),
        }
    }

    fn at(&mut self, row: usize) -> &mut Row {
        let key = self.key(row);
        self.rows.get_mut(&key).unwrap()
    }

    fn claimed(&mut self, job: usize, limit: usize, skips: bool, owner: Owner, reply: &Reply) -> bool {
        if self.paused.contains(&job) {
            return *reply == Reply::Paused;
        }
        if self.purged.contains(&job) {
            return *reply == Reply::Nothing;
        }
        let now = self.now;
        self.rows_of(job)
            .filter(|(_, row)| row.until <= now)
            .for_each(|(_, row)| row.lose());
        let is_free = |row: &Row| {
            let waits = row.state == RowState::Queued || row.state == RowState::Unknown && !skips;
            waits && row.owner != Some(owner)
        };
        let others = self
            .rows_of(job)
            .filter(|(_, row)| row.state == RowState::Leased && row.owner != Some(owner))
            .map(|(_, row)| row.until)
            .min();
        let Reply::Rows(found) = reply else {
            let is_none_free = !self.rows_of(job).any(|(_, row)| is_free(row));
            let wait = others.map_or(Reply::Nothing, |until| {
                Reply::Wait(Duration::from_secs(until - now))
            });
            return is_none_free && *reply == wait;
        };
        // Which of the free rows is not the map's business, but that they come in order and each once.
        let mut last = 0;
        let are_good = found.iter().all(|(number, is_maybe_sent)| {
            let is_next = *number > last;
            last = *number;
            let row = self.rows.get_mut(&(job, *number)).unwrap();
            let was_free = is_free(row) && row.is_maybe_sent == *is_maybe_sent;
            *row = Row {
                state: RowState::Leased,
                owner: Some(owner),
                until: now + LEASE,
                ..*row
            };
            is_next && was_free
        });
        are_good && (1..=limit).contains(&found.len())
    }

    fn retried(&mut self, job: usize, is_refused: bool, is_unknown: bool, reply: &Reply) -> bool {
        if self.purged.contains(&job) {
            return *reply == Reply::Refused;
        }
        let mut changed = 0;
        for (_, row) in self.rows_of(job) {
            match row.state {
                RowState::Unknown if is_unknown => {}
                RowState::Refused if is_refused && row.is_maybe_sent => row.state = RowState::Unknown,
                RowState::Refused if is_refused => row.state = RowState::Queued,
                _ => continue,
            }
            row.owner = None;
            changed += 1;
        }
        *reply == Reply::Changed(changed)
    }
}
