//! The ledger's state machine against a map, under random answers, interleavings and crashes.
//!
//! The map knows the rules of `docs/data-model.md` and nothing of SQL. Two processes do what they like with the jobs of
//! one ledger; after each call every row must stand where the map says, and what must hold whatever the map says is
//! checked by itself: see `World::look`.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fs, future,
};

use proptest::{prelude::*, test_runner::FileFailurePersistence};

use self::map::{Key, Model, Reply, Row};
use super::*;

mod map;

/// What is done to the ledger. `who` is a process, `row` is any row there is.
#[derive(Clone, Debug)]
enum Call {
    /// A new list; the process that loads it may die in the middle.
    Enqueue {
        who: usize,
        rows: u64,
        is_cut_off: bool,
    },
    /// Leases rows: each is marked before it is sent.
    Claim {
        who: usize,
        job: usize,
        limit: u32,
        skips_unknown: bool,
    },
    /// Marks a row again, before another attempt.
    Mark {
        who: usize,
        row: usize,
    },
    /// The outcome is unknown, and the row will be sent again by the same process.
    Keep {
        who: usize,
        row: usize,
        rest: u64,
    },
    /// Writes down what an answer came to. Nobody may be there to hear that it was written.
    Answer {
        who: usize,
        row: usize,
        state: RowState,
        is_heard: bool,
    },
    /// A run ends in good order; another one begins.
    Release {
        who: usize,
    },
    Advance {
        seconds: u64,
    },
    Retry {
        who: usize,
        job: usize,
        is_refused: bool,
        is_unknown: bool,
    },
    Pause {
        who: usize,
        job: usize,
        is_paused: bool,
    },
    Purge {
        who: usize,
        job: usize,
        is_forced: bool,
    },
    /// A process is gone without a word, and comes back knowing nothing.
    Crash {
        who: usize,
    },
    /// All are gone at once, one in the middle of an answer.
    Blackout {
        who: usize,
        row: usize,
        state: RowState,
    },
    /// Two processes at the same moment.
    Together(Box<(Self, Self)>),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let one = || {
        let (who, job, row) = (0_usize..2, any::<usize>(), any::<usize>());
        let state = prop::sample::select(vec![
            RowState::Queued,
            RowState::Imported,
            RowState::Present,
            RowState::Refused,
            RowState::Unknown,
        ]);
        prop_oneof![
            8 => (who.clone(), job, 1_u32..5, any::<bool>())
                .prop_map(|(who, job, limit, skips_unknown)| Call::Claim { who, job, limit, skips_unknown }),
            12 => (who.clone(), row, state.clone(), prop::bool::weighted(0.8))
                .prop_map(|(who, row, state, is_heard)| Call::Answer { who, row, state, is_heard }),
            3 => (who.clone(), row).prop_map(|(who, row)| Call::Mark { who, row }),
            3 => (who.clone(), row, 0_u64..90).prop_map(|(who, row, rest)| Call::Keep { who, row, rest }),
            2 => who.clone().prop_map(|who| Call::Release { who }),
            4 => prop::sample::select(vec![1_u64, 59, 60, 150]).prop_map(|seconds| Call::Advance { seconds }),
            2 => (who.clone(), job, any::<bool>(), any::<bool>())
                .prop_map(|(who, job, is_refused, is_unknown)| Call::Retry { who, job, is_refused, is_unknown }),
            1 => (who.clone(), job, prop::bool::weighted(0.3))
                .prop_map(|(who, job, is_paused)| Call::Pause { who, job, is_paused }),
            1 => (who.clone(), job, prop::bool::weighted(0.3))
                .prop_map(|(who, job, is_forced)| Call::Purge { who, job, is_forced }),
            1 => (who.clone(), 1_u64..6, any::<bool>())
                .prop_map(|(who, rows, is_cut_off)| Call::Enqueue { who, rows, is_cut_off }),
            2 => who.clone().prop_map(|who| Call::Crash { who }),
            2 => (who, row, state).prop_map(|(who, row, state)| Call::Blackout { who, row, state }),
        ]
    };
    // The two of a pair are two processes.
    let pair = (one(), one()).prop_map(|(first, second)| Call::Together(Box::new((first, second))));
    prop::collection::vec(prop_oneof![8 => one(), 1 => pair], 0..60)
}

/// A process at the ledger, and its run.
struct Process {
    ledger: Ledger,
    owner: Owner,
    cursors: [Cell<Cursor>; JOBS],
}

impl Process {
    async fn start(place: &Place) -> Self {
        Self {
            ledger: place.open().await,
            owner: Owner::random().unwrap(),
            cursors: Default::default(),
        }
    }
}

/// One case: the ledger, who works on it, the map, and what was seen.
struct World {
    place: Place,
    processes: Vec<Process>,
    /// The keys of the jobs.
    jobs: Vec<i64>,
    model: Model,
    /// Who may be sending a row at the moment, and until when.
    senders: BTreeMap<Key, (Owner, u64)>,
    seen: BTreeMap<Key, RowState>,
    /// Rows that were once in doubt.
    doubted: BTreeSet<Key>,
}

impl World {
    async fn check(place: Place, calls: &[Call]) {
        let processes = vec![Process::start(&place).await, Process::start(&place).await];
        let mut world = Self {
            place,
            processes,
            jobs: Vec::new(),
            model: Model::default(),
            senders: BTreeMap::new(),
            seen: BTreeMap::new(),
            doubted: BTreeSet::new(),
        };
        world.enqueue(0, 4, false).await;
        for call in calls {
            world.perform(call).await;
        }
    }

    async fn perform(&mut self, call: &Call) {
        let mut possible = Vec::new();
        match call {
            Call::Enqueue {
                who,
                rows,
                is_cut_off,
            } => return self.enqueue(*who, *rows, *is_cut_off).await,
            Call::Advance { seconds } => return self.advance(*seconds),
            Call::Crash { who } => {
                self.crash(*who).await;
                possible.push(self.model.clone());
            }
            Call::Blackout { who, row, state } => possible = self.blackout(*who, *row, *state).await,
            Call::Together(pair) => {
                let is_in_file = matches!(self.place, Place::File { .. });
                let (first, second) = (pair.0.by(0, is_in_file), pair.1.by(1, is_in_file));
                let (Some(first), Some(second)) = (first, second) else {
                    Box::pin(self.perform(&pair.0)).await;
                    return Box::pin(self.perform(&pair.1)).await;
                };
                let (one, two) = tokio::join!(self.say(&first), self.say(&second));
                let (one, two) = ((&first, &one), (&second, &two));
                // Whichever came first.
                let orders = [[one, two], [two, one]];
                let order = orders.into_iter().find(|order| {
                    let mut model = self.model.clone();
                    let follows = order
                        .iter()
                        .all(|(call, reply)| model.follows(call, self.processes[call.who()].owner, reply));
                    follows.then(|| possible.push(model)).is_some()
                });
                let order = order.unwrap_or_else(|| panic!("in no order: {orders:?} after {:?}", self.model));
                order.iter().for_each(|(call, reply)| self.sends(call, reply));
            }
            _ => {
                let reply = self.say(call).await;
                let mut model = self.model.clone();
                let follows = model.follows(call, self.processes[call.who()].owner, &reply);
                assert!(follows, "{call:?} came to {reply:?} after {:?}", self.model);
                possible.push(model);
                self.sends(call, &reply);
            }
        }
        if let Call::Release { who } = call {
            self.processes[*who].owner = Owner::random().unwrap();
            self.processes[*who].cursors = Default::default();
        }
        self.look(call, possible).await;
    }

    /// One call of a process, and what the ledger says.
    async fn say(&self, call: &Call) -> Reply {
        let process = &self.processes[call.who()];
        let ledger = &process.ledger;
        let work = |job: usize| Work {
            job: self.jobs[job],
            owner: process.owner,
            lease: Duration::from_secs(LEASE),
        };
        let id = async |job: usize| id_of(ledger, self.jobs[job % self.jobs.len()]).await;
        match call {
            Call::Claim {
                job,
                limit,
                skips_unknown,
                ..
            } => {
                let job = job % self.jobs.len();
                let skip = Skip {
                    is_unknown: *skips_unknown,
                    ..Skip::default()
                };
                let cursor = &process.cursors[job];
                let claimed = ledger.claim_rows(work(job), cursor.get(), *limit, skip).await;
                let (claim, behind) = claimed.unwrap();
                cursor.set(behind);
                match claim {
                    Claim::Rows(rows) => {
                        Reply::Rows(rows.iter().map(|row| (row.row, row.is_maybe_sent)).collect())
                    }
                    Claim::Wait(wait) => Reply::Wait(wait),
                    Claim::Nothing => Reply::Nothing,
                    Claim::Paused => Reply::Paused,
                }
            }
            Call::Mark { row, .. } => {
                let (job, row) = self.model.key(*row);
                Reply::Wrote(ledger.lease_again(work(job), row).await.unwrap())
            }
            Call::Keep { row, rest, .. } => {
                let (job, row) = self.model.key(*row);
                let rest = Duration::from_secs(*rest);
                let kept = ledger.keep(work(job), row, entry(RowState::Unknown), rest);
                Reply::Wrote(kept.await.unwrap())
            }
            Call::Answer {
                row, state, is_heard, ..
            } => {
                let (job, row) = self.model.key(*row);
                let mut write = Box::pin(ledger.record(work(job), row, entry(*state)));
                if *is_heard {
                    return Reply::Wrote(write.await.unwrap());
                }
                begin(&mut write).await;
                drop(write);
                // What waits is written in order: when this one is, the other was.
                assert!(!ledger.lease_again(work(job), NO_ROW).await.unwrap());
                Reply::Unheard
            }
            Call::Release { .. } => {
                let mut changed = 0;
                for job in 0..self.jobs.len() {
                    changed += ledger.abandon(work(job)).await.unwrap();
                }
                Reply::Changed(changed)
            }
            Call::Retry {
                job,
                is_refused,
                is_unknown,
                ..
            } => {
                let retry = Retry {
                    is_refused: *is_refused,
                    is_unknown: *is_unknown,
                    code: None,
                };
                match ledger.retry(&id(*job).await, &retry).await {
                    Ok(changed) => Reply::Changed(changed),
                    Err(LedgerError::Purged { .. }) => Reply::Refused,
                    Err(error) => panic!("{error}"),
                }
            }
            Call::Pause { job, is_paused, .. } => {
                ledger.set_paused(&id(*job).await, *is_paused).await.unwrap();
                Reply::Nothing
            }
            Call::Purge { job, is_forced, .. } => match ledger.purge(&id(*job).await, *is_forced).await {
                Ok(purged) => Reply::Changed(purged.requests),
                Err(LedgerError::Unfinished { .. }) => Reply::Refused,
                Err(error) => panic!("{error}"),
            },
            other => panic!("not one call: {other:?}"),
        }
    }

    /// **No row is sent by two at once**: nobody may begin while another one's lease lives.
    fn sends(&mut self, call: &Call, reply: &Reply) {
        let owner = self.processes[call.who()].owner;
        let mut begins = Vec::new();
        match (call, reply) {
            (Call::Claim { job, .. }, Reply::Rows(rows)) => {
                begins.extend(rows.iter().map(|(row, _)| ((job % self.jobs.len(), *row), 0)));
            }
            (Call::Mark { row, .. }, Reply::Wrote(true)) => begins.push((self.model.key(*row), 0)),
            (Call::Keep { row, rest, .. }, Reply::Wrote(true)) => begins.push((self.model.key(*row), *rest)),
            (Call::Answer { row, state, .. }, Reply::Wrote(true) | Reply::Unheard) => {
                let key = self.model.key(*row);
                if state.is_success() || self.senders.get(&key).is_some_and(|sender| sender.0 == owner) {
                    self.senders.remove(&key);
                }
            }
            (Call::Release { .. }, _) => self.senders.retain(|_, sender| sender.0 != owner),
            _ => {}
        }
        for (key, rest) in begins {
            let until = self.model.now + LEASE + rest;
            let before = self.senders.insert(key, (owner, until));
            let is_over = before.is_none_or(|(sender, until)| sender == owner || until <= self.model.now);
            assert!(is_over, "row {key:?} is sent twice: {call:?}");
        }
    }

    /// The ledger stands where one of the possible maps says, as another process sees it.
    async fn look(&mut self, call: &Call, possible: Vec<Model>) {
        let mut seen = BTreeMap::new();
        for (job, key) in self.jobs.iter().enumerate() {
            // Every process sees the same.
            let ledger = &self.processes[job % 2].ledger;
            let states = states(ledger, *key).await;
            let mut counts = Counts::default();
            states.values().for_each(|state| *counts.of(*state) += 1);
            // **Sums are the rows'.**
            assert_eq!(ledger.counts(*key).await.unwrap(), counts, "{call:?}");
            seen.extend(states.into_iter().map(|(row, state)| ((job, row), state)));
        }
        // **No row is lost, none comes from nowhere.**
        assert!(seen.keys().eq(self.model.rows.keys()), "{call:?}: {seen:?}");
        for (key, state) in &seen {
            let before = self.seen.get(key).copied();
            let is_retry = matches!(call, Call::Retry { is_refused: true, .. });
            // **What has come to an end stays there**, a refusal until it is retried.
            let is_final =
                before.is_some_and(|before| before.is_success() || before == RowState::Refused && !is_retry);
            assert!(
                !is_final || before == Some(*state),
                "{key:?} left {before:?}: {call:?}"
            );
            // **What may have been sent is never taken for unsent.**
            if *state == RowState::Unknown {
                self.doubted.insert(*key);
            }
            assert!(
                *state != RowState::Queued || !self.doubted.contains(key),
                "{key:?}: {call:?}"
            );
        }
        let said = possible.iter().find(|model| {
            model
                .rows
                .values()
                .map(|row| row.state)
                .eq(seen.values().copied())
        });
        let said = said.unwrap_or_else(|| panic!("{call:?} came to {seen:?}, possible are {possible:?}"));
        self.model = said.clone();
        self.seen = seen;
    }

    fn advance(&mut self, seconds: u64) {
        self.place.advance(seconds);
        self.model.now += seconds;
    }

    async fn enqueue(&mut self, who: usize, rows: u64, is_cut_off: bool) {
        let job = self.jobs.len();
        if job == JOBS {
            return;
        }
        let identity = identity(&format!("list {job}"));
        let first = job as u64 * 100;
        let mut list: Vec<NewRow> = (1..=rows)
            .map(|row| member(row, first + row, first + row))
            .collect();
        let mut loader = who;
        let mut owner = Owner::random().unwrap();
        let ledger = &self.processes[who].ledger;
        let opened = ledger.open_job(identity.clone(), owner).await.unwrap();
        assert!(opened.is_new && opened.may_load);
        if is_cut_off {
            let rest = list.split_off(list.len() / 2);
            let stored = list.len() as u64;
            let half = std::mem::replace(&mut list, rest);
            ledger
                .store_rows(opened.key, owner, half, columns())
                .await
                .unwrap();
            self.crash(who).await;
            self.advance(LOAD_LEASE.as_secs() + 1);
            (loader, owner) = (1 - who, Owner::random().unwrap());
            let ledger = &self.processes[loader].ledger;
            let again = ledger.open_job(identity, owner).await.unwrap();
            assert_eq!(
                (again.key, again.may_load, again.rows),
                (opened.key, true, stored)
            );
        }
        let ledger = &self.processes[loader].ledger;
        ledger
            .store_rows(opened.key, owner, list, columns())
            .await
            .unwrap();
        ledger.finish_loading(opened.key, rows).await.unwrap();
        self.jobs.push(opened.key);
        self.model.jobs += 1;
        self.model
            .rows
            .extend((1..=rows).map(|row| ((job, row), Row::NEW)));
    }

    /// What it had leased stays leased: the other process has the ledger open, and cannot know.
    async fn crash(&mut self, who: usize) {
        let gone = self.processes.remove(who);
        self.senders.retain(|_, sender| sender.0 != gone.owner);
        drop(gone);
        self.processes.insert(who, Process::start(&self.place).await);
    }

    /// Every process is gone, without closing the file: what is there at that moment is what the next one finds.
    async fn blackout(&mut self, who: usize, row: usize, state: RowState) -> Vec<Model> {
        let mut lost = self.model.clone();
        let mut possible = Vec::new();
        if let Place::File { folder, clock } = &self.place {
            let process = &self.processes[who];
            let (job, number) = self.model.key(row);
            let work = Work {
                job: self.jobs[job],
                owner: process.owner,
                lease: Duration::from_secs(LEASE),
            };
            let mut write = Box::pin(process.ledger.record(work, number, entry(state)));
            begin(&mut write).await;
            tokio::task::yield_now().await;
            let copy = tempfile::tempdir().unwrap();
            // The file before its log, as it is there for whoever reads it.
            for name in ["ledger.db", "ledger.db-wal", "ledger.db.key"] {
                fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
            }
            let answer = Call::Answer {
                who,
                row,
                state,
                is_heard: false,
            };
            let mut written = self.model.clone();
            assert!(written.follows(&answer, process.owner, &Reply::Unheard));
            // Whoever opens the file alone knows that nobody sends any more.
            for model in [&mut written, &mut lost] {
                model.rows.values_mut().for_each(Row::lose);
            }
            possible.push(written);
            let next = Place::File {
                folder: copy,
                clock: Arc::clone(clock),
            };
            drop(write);
            self.processes.clear();
            self.place = next;
        }
        possible.push(lost);
        self.processes.clear();
        for _ in 0..2 {
            self.processes.push(Process::start(&self.place).await);
        }
        self.senders.clear();
        possible
    }
}

impl Call {
    /// Who makes a call that is one transaction or a few.
    fn who(&self) -> usize {
        match self {
            Self::Claim { who, .. }
            | Self::Mark { who, .. }
            | Self::Keep { who, .. }
            | Self::Answer { who, .. }
            | Self::Release { who }
            | Self::Retry { who, .. }
            | Self::Pause { who, .. }
            | Self::Purge { who, .. } => *who,
            other => panic!("not one call: {other:?}"),
        }
    }

    /// The same by another process, if it is one transaction: only then there is an order of two. In a database a
    /// claim leaves out what others write at the moment, and is in no order with them.
    fn by(&self, process: usize, is_in_file: bool) -> Option<Self> {
        let mut call = self.clone();
        match &mut call {
            Self::Mark { who, .. } | Self::Keep { who, .. } | Self::Answer { who, .. } => *who = process,
            Self::Pause { who, .. } => *who = process,
            Self::Claim { who, .. } if is_in_file => *who = process,
            _ => return None,
        }
        Some(call)
    }
}

/// Polls once, and no more.
async fn begin<T>(future: &mut (impl Future<Output = T> + Unpin)) {
    tokio::select! {
        biased;
        _ = future => {}
        () = future::ready(()) => {}
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(SEEDS))),
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn a_file_does_what_a_map_does(calls in calls()) {
        // Time stands still, but where everybody waits for it.
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(World::check(Place::file(), &calls));
    }
}

/// One server for all cases, a database for each.
#[test]
fn a_database_does_what_a_map_does() {
    let server = Postgres::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let case = Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(config(8));
    let done = runner.run(&calls(), |calls| {
        case.set(case.get() + 1);
        let place = Place::database(&server, &format!("case {}", case.get()));
        runtime.block_on(World::check(place, &calls));
        Ok(())
    });
    done.unwrap();
}

/// Seconds that a row is leased.
const LEASE: u64 = 60;
/// The most jobs of a case.
const JOBS: usize = 3;
const NO_ROW: u64 = u32::MAX as u64;
/// What once failed is tried first.
const SEEDS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/proptest-regressions/ledger/model.txt"
);
