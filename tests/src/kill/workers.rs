//! The kill test with several processes on one PostgreSQL ledger: three workers are killed in turn, and the server
//! crashes once.
//!
//! What a killed process had under way waits for the end of its leases, which is why a round takes minutes while it
//! costs seconds of work.

use std::{fmt, path::PathBuf, process::Child, time::Duration};

use tokio::task::spawn_blocking;
use wxmember_sandbox::{Fault, FaultRule, Policies, Sandbox, SecondCard};

use super::{DONE, Figures, REFUSED_ROWS, RESUMABLE, kill};
use crate::{
    Postgres,
    markers::Markers,
    members::MemberList,
    random::Random,
    stage::{Stage, check_members, check_refused_file, check_report},
};

/// One round with three workers.
pub struct WorkersRound {
    seed: u64,
    random: Random,
    stage: Stage,
    server: Option<Postgres>,
    workers: Vec<Worker>,
    figures: Figures,
}

/// A process that is there, or has ended.
struct Worker {
    name: String,
    child: Option<Child>,
}

/// What is done when so many requests have come.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A worker is killed, and another one takes its place.
    Kill(usize),
    /// The server crashes and comes back.
    Crash,
}

impl WorkersRound {
    /// Does the whole round of a seed.
    ///
    /// # Errors
    ///
    /// What is wrong, with the seed in front.
    ///
    /// # Panics
    ///
    /// When the round cannot be set up.
    pub async fn run(seed: u64) -> Result<Figures, String> {
        let mut round = Self::set_up(seed).await;
        let done = round.play().await;
        for worker in &mut round.workers {
            if let Some(mut child) = worker.child.take() {
                kill(&mut child);
            }
        }
        round.stage.sandbox.shutdown().await;
        match done {
            Ok(()) => Ok(round.figures),
            Err(wrong) => Err(format!("seed {seed}: {wrong}")),
        }
    }

    async fn set_up(seed: u64) -> Self {
        let mut random = Random::from_seed(seed);
        let mut policies = Policies::default();
        policies.second_card = SecondCard::Allow;
        let list = MemberList::new(60 + random.below(31), seed).with_mistakes(100);
        let stage = Stage::set_up(Sandbox::builder().with_policies(policies), list).await;
        stage
            .sandbox
            .fault_rule(FaultRule::share(Fault::LostAnswer, 30_000, seed));
        let (server, url) = spawn_blocking(|| {
            let server = Postgres::start();
            let url = server.create_database(DATABASE);
            (server, url)
        })
        .await
        .expect("a server");
        let key = stage.path("ledger.key").display().to_string();
        Self {
            seed,
            random,
            stage: stage.with_ledger(&["--ledger", &url, "--ledger-key", &key]),
            server: Some(server),
            workers: Vec::new(),
            figures: Figures {
                rounds: 1,
                ..Figures::default()
            },
        }
    }

    async fn play(&mut self) -> Result<(), String> {
        self.load().await?;
        for worker in 0..WORKERS {
            let started = self.start_worker(worker, 0);
            self.workers.push(started);
        }
        let mut events = self.events();
        for look in 0.. {
            if look == MOST_LOOKS {
                let hanging = self.workers.iter().find(|worker| worker.child.is_some());
                let name = hanging.map_or("", |worker| &worker.name);
                return Err(format!("{name} hangs\n{}", self.stage.said(name)));
            }
            while let Some(&(requests, event)) = events.first()
                && self.stage.sandbox.requests() >= requests
            {
                events.remove(0);
                self.make_happen(event).await?;
            }
            if self.are_all_done()? {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        if let Some((requests, event)) = events.first() {
            return Err(format!(
                "{event:?} was meant for request {requests}, and there were no more"
            ));
        }
        self.check().await
    }

    /// Starts an import that is killed in its first requests: what is loaded is left to the workers.
    async fn load(&mut self) -> Result<(), String> {
        self.figures.starts += 1;
        let requests = 1 + self.random.below(6);
        let mut command = self.stage.import();
        command.args(["--quota", QUOTA, "--concurrency", "4"]);
        let mut child = self.stage.start(IMPORT, command);
        for _ in 0..MOST_LOOKS {
            if self.stage.sandbox.requests() >= requests {
                kill(&mut child);
                self.figures.kills_among += 1;
                return Ok(());
            }
            if let Some(status) = child.try_wait().expect("the program's end") {
                return Err(format!("ended early ({status})\n{}", self.stage.said(IMPORT)));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        kill(&mut child);
        Err(format!("nothing is sent\n{}", self.stage.said(IMPORT)))
    }

    /// Each worker is killed once and the server crashes once, in an order and at moments of the seed.
    fn events(&mut self) -> Vec<(u64, Event)> {
        let mut events = vec![Event::Crash];
        events.extend((0..WORKERS).map(Event::Kill));
        // Some rows are refused, and the last requests are for who was killed.
        let step = (self.stage.list.good_rows().count() as u64 - 20) / (events.len() as u64 + 1);
        let first = self.stage.sandbox.requests();
        let mut at = Vec::new();
        for number in 0..events.len() as u64 {
            let event = events.swap_remove(self.random.below(events.len() as u64) as usize);
            at.push((first + 1 + number * step + self.random.below(step), event));
        }
        at
    }

    async fn make_happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Kill(index) => {
                let Some(mut child) = self.workers[index].child.take() else {
                    let name = &self.workers[index].name;
                    return Err(format!(
                        "{name} ended before it was killed\n{}",
                        self.stage.said(name)
                    ));
                };
                kill(&mut child);
                self.figures.kills_among += 1;
                self.workers[index] = self.start_worker(index, 1);
            }
            Event::Crash => {
                let server = self.server.take().expect("a server");
                let restarted = spawn_blocking(|| {
                    server.crash();
                    server.start_again();
                    server
                });
                self.server = Some(restarted.await.expect("a server that starts again"));
                self.figures.crashes += 1;
            }
        }
        Ok(())
    }

    fn start_worker(&mut self, index: usize, life: u32) -> Worker {
        self.figures.starts += 1;
        let name = format!("worker-{index}-{life}");
        let concurrency = (1 + self.random.below(4)).to_string();
        let mut command = self.stage.command("worker");
        command.args(["--until-done", "--quota", QUOTA, "--concurrency", &concurrency]);
        let child = Some(self.stage.start(&name, command));
        Worker { name, child }
    }

    fn are_all_done(&mut self) -> Result<bool, String> {
        let mut are_all_done = true;
        for worker in &mut self.workers {
            let Some(child) = &mut worker.child else { continue };
            match child.try_wait().expect("the worker's end") {
                None => are_all_done = false,
                Some(status) => {
                    worker.child = None;
                    match status.code() {
                        Some(DONE | REFUSED_ROWS | RESUMABLE) => {}
                        code => {
                            let said = self.stage.said(&worker.name);
                            return Err(format!("{}: exit code {code:?}\n{said}", worker.name));
                        }
                    }
                }
            }
        }
        Ok(are_all_done)
    }

    async fn check(&mut self) -> Result<(), String> {
        let sandbox_after_workers = self.stage.sandbox.members().len();
        let good = self.stage.list.good_rows().count();
        if sandbox_after_workers != good {
            return Err(format!(
                "the workers left {sandbox_after_workers} of {good} members"
            ));
        }
        // The import itself tells what became of its job, once nothing is unknown any more.
        for _ in 0..MOST_RUNS {
            self.figures.starts += 1;
            let mut command = self.stage.import();
            command.args(["--quota", QUOTA]);
            let mut child = self.stage.start(IMPORT, command);
            let mut status = None;
            for _ in 0..MOST_LOOKS {
                status = child.try_wait().expect("the program's end");
                if status.is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            match status.and_then(|status| status.code()) {
                Some(RESUMABLE) => {}
                Some(DONE | REFUSED_ROWS) => return self.check_end().await,
                code => {
                    kill(&mut child);
                    return Err(format!("exit code {code:?}\n{}", self.stage.said(IMPORT)));
                }
            }
        }
        Err(format!(
            "not done after {MOST_RUNS} more runs\n{}",
            self.stage.said(IMPORT)
        ))
    }

    async fn check_end(&mut self) -> Result<(), String> {
        let Stage { sandbox, list, .. } = &self.stage;
        check_members(sandbox, &[*list])?;
        let report = self.stage.report(IMPORT)?;
        check_report(&report, *list).map_err(|wrong| format!("{wrong}: {report}"))?;
        check_refused_file(&self.stage.list_path(), *list)?;
        let server = self.server.take().expect("a server");
        let dumped = spawn_blocking(move || server.dump(DATABASE))
            .await
            .expect("a dump");
        if !dumped.contains("COPY ") {
            return Err("the dump holds nothing".to_owned());
        }
        let files = [(PathBuf::from("the dump"), dumped.into_bytes())];
        let found = Markers::of_list(*list).with_keys().found_in(&files);
        if !found.is_empty() {
            return Err(found.join("\n"));
        }
        let members = sandbox.members();
        self.figures.rows += list.rows().count() as u64;
        self.figures.members += members.len() as u64;
        self.figures.requests += sandbox.requests();
        self.figures.repeats += members.iter().map(|member| member.repeats()).sum::<u64>();
        let journal = sandbox.journal();
        let lost = journal.iter().filter(|entry| entry.fault.is_some());
        self.figures.lost_answers += lost.count() as u64;
        Ok(())
    }
}

impl fmt::Debug for WorkersRound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkersRound")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

const WORKERS: usize = 3;
const DATABASE: &str = "ledger";
const IMPORT: &str = "import";
/// Slow enough that every event finds all three at work.
const QUOTA: &str = "25/s";
const MOST_RUNS: u32 = 5;
/// Ten minutes at the very least.
const MOST_LOOKS: u32 = 300_000;
