//! The kill test: a program that is ended by SIGKILL again and again must lose no member and import none twice.
//!
//! A [`Round`] follows from its seed: the list with its mistakes, the answers that the sandbox loses, and the moments
//! of the kills. A moment is something that has come about, never a time: so many requests have reached the sandbox,
//! or the ledger has grown to so many bytes. The round ends when the program says that it is done; then the members of
//! the sandbox are held against the file, one to one.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

use serde_json::Value;
use wxmember::Plaintext;
use wxmember_sandbox::{Fault, FaultRate, Policies, RepeatedMember, Sandbox, SecondCard};

use crate::{
    folder::Folder,
    identity,
    members::{MemberList, MemberRow},
    random::Random,
    wxmember,
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
        } = self;
        write!(
            f,
            "{rounds} rounds: {rows} rows, {members} members, {starts} processes, {kills_before} killed before the \
             first request and {kills_among} after it, {requests} requests, {lost_answers} answers lost, {repeats} \
             members sent again"
        )
    }
}

/// One round, and everything it needs.
pub struct Round {
    seed: u64,
    random: Random,
    list: MemberList,
    folder: Folder,
    sandbox: Sandbox,
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
        round.sandbox.shutdown().await;
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
        let sandbox = Sandbox::builder()
            .with_identity(identity().expect("the test keys"))
            .with_policies(policies)
            .start()
            .await
            .expect("a sandbox");
        sandbox.fault_rate(FaultRate::new(Fault::LostAnswer, 40_000, seed));
        let folder = Folder::write(&sandbox.base_url());
        let profile = fs::read_to_string(folder.path.join("wxmember.toml")).expect("the profile");
        folder.put("wxmember.toml", &format!("{profile}validity = \"permanent\"\n"));
        let list = MemberList::new(30 + random.below(31), seed).with_mistakes(120);
        let mut text = Vec::new();
        list.write(&mut text).expect("memory");
        fs::write(folder.path.join(LIST), text).expect("a folder that can be written");
        Self {
            seed,
            random,
            list,
            folder,
            sandbox,
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
                End::Killed if self.sandbox.requests() == 0 => self.figures.kills_before += 1,
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
        Err(format!("not done after {MOST_RUNS} more runs\n{}", self.said()))
    }

    /// Of three kills one is meant for what comes before the first request.
    fn moment(&mut self) -> Moment {
        let there = self.sandbox.members().len() as u64;
        let rest = self.list.good_rows().count() as u64 - there;
        match self.random.below(3) {
            0 if self.sandbox.requests() == 0 => Moment::Bytes(self.random.below(LEDGER_BYTES)),
            _ => Moment::Requests(self.sandbox.requests() + 1 + self.random.below(rest + 3)),
        }
    }

    /// Runs the command until it ends, or the moment has come.
    async fn start(&mut self, moment: Option<Moment>) -> Result<End, String> {
        self.figures.starts += 1;
        let file =
            |name: &str| fs::File::create(self.folder.path.join(name)).expect("a file for what is said");
        let quota = self.random.one_of(&["500/s", "20000/s"]);
        let concurrency = (1 + self.random.below(16)).to_string();
        let mut child = wxmember(self.folder.home())
            .arg("import")
            .arg(self.folder.path.join(LIST))
            .arg("--config")
            .arg(self.folder.path.join("wxmember.toml"))
            .arg("--ledger")
            .arg(self.ledger())
            .args([
                "--format",
                "json",
                "--quota",
                quota,
                "--concurrency",
                &concurrency,
            ])
            .stdin(Stdio::null())
            .stdout(file(STDOUT))
            .stderr(file(STDERR))
            .spawn()
            .expect("the program");
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
        Err(format!("the program hangs\n{}", self.said()))
    }

    fn has_come(&self, moment: Moment) -> bool {
        match moment {
            Moment::Requests(requests) => self.sandbox.requests() >= requests,
            Moment::Bytes(bytes) => {
                let mut wal = self.ledger().into_os_string();
                wal.push("-wal");
                let files = [self.ledger(), wal.into()];
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
            _ => Err(format!("exit code {code:?}\n{}", self.said())),
        }
    }

    /// The file, the sandbox and the report must tell the same story.
    async fn check(&mut self) -> Result<(), String> {
        check_members(&self.sandbox, self.list)?;
        let report = self.report()?;
        check_report(&report, self.list).map_err(|wrong| format!("{wrong}: {report}"))?;
        check_refused_file(&self.folder.path.join(LIST), self.list)?;
        let requests = self.sandbox.requests();
        let members = self.sandbox.members();
        let End::Exited(code) = self.start(None).await? else {
            return Err("killed by somebody else".to_owned());
        };
        self.check_exit(code)?;
        if self.sandbox.requests() != requests {
            return Err("a finished job sent something".to_owned());
        }
        check_report(&self.report()?, self.list)?;
        self.figures.rows += self.list.rows().count() as u64;
        self.figures.members += members.len() as u64;
        self.figures.requests += requests;
        self.figures.repeats += members.iter().map(|member| member.repeats()).sum::<u64>();
        let journal = self.sandbox.journal();
        let lost = journal.iter().filter(|entry| entry.fault.is_some());
        self.figures.lost_answers += lost.count() as u64;
        Ok(())
    }

    fn report(&self) -> Result<Value, String> {
        let text = self.read(STDOUT);
        serde_json::from_str(&text).map_err(|error| format!("the report is no JSON: {error}: {text}"))
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path.join("ledger.db")
    }

    fn said(&self) -> String {
        let list = self.folder.path.join(LIST);
        format!(
            "stdout: {}\nstderr: {}\nlist: {}",
            self.read(STDOUT),
            self.read(STDERR),
            fs::read_to_string(list).unwrap_or_default()
        )
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path.join(name)).unwrap_or_default()
    }
}

impl fmt::Debug for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Round")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// The sandbox's members and the good rows of the list are the same, one to one.
///
/// # Errors
///
/// The first difference.
pub fn check_members(sandbox: &Sandbox, list: MemberList) -> Result<(), String> {
    let mut expected: BTreeMap<String, MemberRow> = list
        .good_rows()
        .map(|row| (row.user_card_code.clone(), row))
        .collect();
    for member in sandbox.members() {
        let code = member.user_card_code();
        let Some(row) = expected.remove(code) else {
            return Err(format!(
                "code {code} was imported and is no good row's, or is there twice"
            ));
        };
        let phone = member.phone_number().map(Plaintext::expose);
        let name = member
            .personal_fields()
            .find(|(pointer, _)| pointer.starts_with("/user_information"))
            .map(|(_, value)| value.expose());
        if (phone, name) != (Some(&*row.phone_number), Some(&*row.name)) {
            return Err(format!("row {} was imported as somebody else", row.row));
        }
    }
    match expected.values().next() {
        None => Ok(()),
        Some(row) => Err(format!(
            "{} good rows were not imported, the first is row {}",
            expected.len(),
            row.row
        )),
    }
}

/// The sums of a report are those of the list.
///
/// # Errors
///
/// What differs.
pub fn check_report(report: &Value, list: MemberList) -> Result<(), String> {
    let good = list.good_rows().count() as u64;
    let rows = list.rows().count() as u64;
    let count = |name: &str| report[name].as_u64().ok_or_else(|| format!("no `{name}`"));
    let found = (
        count("rows")?,
        count("imported")? + count("present")?,
        count("refused")?,
        count("unknown")?,
        count("queued")?,
    );
    if found == (rows, good, rows - good, 0, 0) {
        Ok(())
    } else {
        Err(format!(
            "rows, imported and present, refused, unknown, queued are {found:?}, where {good} of {rows} rows are good"
        ))
    }
}

/// The file of refused rows holds the rows with a mistake, each with its code, and no others.
///
/// # Errors
///
/// What differs.
pub fn check_refused_file(list_path: &Path, list: MemberList) -> Result<(), String> {
    let mut path = list_path.as_os_str().to_owned();
    path.push(".refused.csv");
    let expected: Vec<_> = list
        .rows()
        .filter_map(|row| {
            row.mistake
                .map(|mistake| (row.row.to_string(), mistake.code().to_owned()))
        })
        .collect();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(_) if expected.is_empty() => return Ok(()),
        Err(error) => return Err(format!("the file of refused rows: {error}")),
    };
    // None of the columns before the message has a comma in a list of ours.
    let found: Vec<_> = text
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split(',').skip(5).map(str::to_owned);
            (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
        })
        .collect();
    if found == expected {
        Ok(())
    } else {
        Err(format!("refused are {found:?}, and should be {expected:?}"))
    }
}

fn kill(child: &mut Child) {
    // One that has just ended by itself cannot be killed, which is as well.
    drop(child.kill());
    drop(child.wait());
}

const LIST: &str = "members.csv";
const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";
/// A little more than a ledger grows to before the first request.
const LEDGER_BYTES: u64 = 300_000;
const MOST_RUNS: u32 = 10;
/// A minute at the very least.
const MOST_LOOKS: u32 = 60_000;
const DONE: i32 = 0;
const REFUSED_ROWS: i32 = 3;
const RESUMABLE: i32 = 75;
