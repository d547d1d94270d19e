//! The kill test: a program that is ended by SIGKILL again and again must lose no member and import none twice.
//!
//! A [`Round`] follows from its seed: the list with its mistakes, the answers that the sandbox loses, and the moments
//! of the kills. A moment is something that has come about, never a time: so many requests have reached the sandbox,
//! or the ledger has grown to so many bytes. The round ends when the program says that it is done; then the members of
//! the sandbox are held against the file, one to one.

use std::{fmt, fs, process::Child, time::Duration};

use wxmember_sandbox::{Fault, FaultRule, Policies, RepeatedMember, Sandbox, SecondCard};

mod workers;

pub use self::workers::WorkersRound;
use crate::{
    members::MemberList,
    random::Random,
    stage::{Stage, check_members, check_refused_file, check_report},
};

/// What the rounds came to, for people and for programs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// Rounds that were done.
    pub rounds: u64,
    /// Rows of all files.
    pub rows: u64,
    /// Members that were to be imported, and were.
    pub members: u64,
    /// Processes started, the killed ones among them.
    pub starts: u64,
    /// Kills while no request had reached the sandbox.
    pub kills_before: u64,
    /// Kills after the first request.
    pub kills_among: u64,
    /// Requests that reached the sandbox.
    pub requests: u64,
    /// Requests for a member who was there already.
    pub repeats: u64,
    /// Answers that the sandbox lost.
    pub lost_answers: u64,
    /// Crashes of the ledger's server.
    pub crashes: u64,
}

impl Figures {
    /// Adds those of other rounds.
    pub fn add(&mut self, other: Self) {
        self.rounds += other.rounds;
        self.rows += other.rows;
        self.members += other.members;
        self.starts += other.starts;
        self.kills_before += other.kills_before;
        self.kills_among += other.kills_among;
        self.requests += other.requests;
        self.repeats += other.repeats;
        self.lost_answers += other.lost_answers;
        self.crashes += other.crashes;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rounds,
            rows,
            members,
            starts,
            kills_before,
            kills_among,
            requests,
            repeats,
            lost_answers,
            crashes,
        } = self;
        write!(
            f,
            "{rounds} rounds: {rows} rows, {members} members, {starts} processes, {kills_before} killed before the \
             first request and {kills_among} after it, {requests} requests, {lost_answers} answers lost, {repeats} \
             members sent again, {crashes} crashes of the server"
        )
    }
}

/// One round, and everything it needs.
pub struct Round {
    seed: u64,
    random: Random,
    stage: Stage,
    figures: Figures,
}

/// What must come about before the program is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// The ledger's files have so many bytes.
    Bytes(u64),
    /// So many requests have reached the sandbox in all.
    Requests(u64),
}

/// How a process ended.
#[derive(Debug)]
enum End {
    Exited(Option<i32>),
    Killed,
}

impl Round {
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
        let figures = round.figures;
        round.stage.sandbox.shutdown().await;
        match done {
            Ok(()) => Ok(figures),
            Err(wrong) => Err(format!("seed {seed}: {wrong}")),
        }
    }

    async fn set_up(seed: u64) -> Self {
        let mut random = Random::from_seed(seed);
        let mut policies = Policies::default();
        // A member who is imported twice under two codes must be seen, not refused.
        policies.second_card = SecondCard::Allow;
        if random.below(2) == 0 {
            // Whoever forgets that a row may have been sent takes its own member for somebody else's.
            policies.repeated_member = RepeatedMember::AlreadyExists;
        }
        let list = MemberList::new(30 + random.below(31), seed).with_mistakes(120);
        let stage = Stage::set_up(Sandbox::builder().with_policies(policies), list).await;
        stage
            .sandbox
            .fault_rule(FaultRule::share(Fault::LostAnswer, 40_000, seed));
        Self {
            seed,
            random,
            stage,
            figures: Figures {
                rounds: 1,
                ..Figures::default()
            },
        }
    }

    async fn play(&mut self) -> Result<(), String> {
        for _ in 0..=self.random.below(4) {
            let moment = self.moment();
            match self.start(Some(moment)).await? {
                End::Killed if self.stage.sandbox.requests() == 0 => self.figures.kills_before += 1,
                End::Killed => self.figures.kills_among += 1,
                End::Exited(code) => self.check_exit(code)?,
            }
        }
        for _ in 0..MOST_RUNS {
            let End::Exited(code) = self.start(None).await? else {
                return Err("killed by somebody else".to_owned());
            };
            self.check_exit(code)?;
            if code != Some(RESUMABLE) {
                return self.check().await;
            }
        }
        Err(format!(
            "not done after {MOST_RUNS} more runs\n{}",
            self.stage.said(NAME)
        ))
    }

    /// Of three kills one is meant for what comes before the first request.
    fn moment(&mut self) -> Moment {
        let there = self.stage.sandbox.members().len() as u64;
        let rest = self.stage.list.good_rows().count() as u64 - there;
        match self.random.below(3) {
            0 if self.stage.sandbox.requests() == 0 => Moment::Bytes(self.random.below(LEDGER_BYTES)),
            _ => Moment::Requests(self.stage.sandbox.requests() + 1 + self.random.below(rest + 3)),
        }
    }

    /// Runs the command until it ends, or the moment has come.
    async fn start(&mut self, moment: Option<Moment>) -> Result<End, String> {
        self.figures.starts += 1;
        let quota = self.random.one_of(&["500/s", "20000/s"]);
        let concurrency = (1 + self.random.below(16)).to_string();
        let mut command = self.stage.import();
        command.args(["--quota", quota, "--concurrency", &concurrency]);
        let mut child = self.stage.start(NAME, command);
        for _ in 0..MOST_LOOKS {
            if let Some(status) = child.try_wait().expect("the program's end") {
                return Ok(End::Exited(status.code()));
            }
            if moment.is_some_and(|moment| self.has_come(moment)) {
                kill(&mut child);
                return Ok(End::Killed);
            }
            // Looks again; nothing depends on how long this takes.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        kill(&mut child);
        Err(format!("the program hangs\n{}", self.stage.said(NAME)))
    }

    fn has_come(&self, moment: Moment) -> bool {
        match moment {
            Moment::Requests(requests) => self.stage.sandbox.requests() >= requests,
            Moment::Bytes(bytes) => {
                let mut wal = self.stage.ledger_path().into_os_string();
                wal.push("-wal");
                let files = [self.stage.ledger_path(), wal.into()];
                let there: Vec<_> = files
                    .iter()
                    .filter_map(|file| fs::metadata(file).ok())
                    .map(|file| file.len())
                    .collect();
                !there.is_empty() && there.iter().sum::<u64>() >= bytes
            }
        }
    }

    fn check_exit(&self, code: Option<i32>) -> Result<(), String> {
        match code {
            Some(DONE | REFUSED_ROWS | RESUMABLE) => Ok(()),
            _ => Err(format!("exit code {code:?}\n{}", self.stage.said(NAME))),
        }
    }

    /// The file, the sandbox and the report must tell the same story.
    async fn check(&mut self) -> Result<(), String> {
        check_members(&self.stage.sandbox, &[self.stage.list])?;
        let report = self.stage.report(NAME)?;
        check_report(&report, self.stage.list).map_err(|wrong| format!("{wrong}: {report}"))?;
        check_refused_file(&self.stage.list_path(), self.stage.list)?;
        let requests = self.stage.sandbox.requests();
        let members = self.stage.sandbox.members();
        let End::Exited(code) = self.start(None).await? else {
            return Err("killed by somebody else".to_owned());
        };
        self.check_exit(code)?;
        if self.stage.sandbox.requests() != requests {
            return Err("a finished job sent something".to_owned());
        }
        check_report(&self.stage.report(NAME)?, self.stage.list)?;
        self.figures.rows += self.stage.list.rows().count() as u64;
        self.figures.members += members.len() as u64;
        self.figures.requests += requests;
        self.figures.repeats += members.iter().map(|member| member.repeats()).sum::<u64>();
        let journal = self.stage.sandbox.journal();
        let lost = journal.iter().filter(|entry| entry.fault.is_some());
        self.figures.lost_answers += lost.count() as u64;
        Ok(())
    }
}

impl fmt::Debug for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Round")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

fn kill(child: &mut Child) {
    // One that has just ended by itself cannot be killed, which is as well.
    drop(child.kill());
    drop(child.wait());
}

const NAME: &str = "import";
/// A little more than a ledger grows to before the first request.
const LEDGER_BYTES: u64 = 300_000;
const MOST_RUNS: u32 = 10;
/// A minute at the very least.
const MOST_LOOKS: u32 = 60_000;
const DONE: i32 = 0;
const REFUSED_ROWS: i32 = 3;
const RESUMABLE: i32 = 75;
