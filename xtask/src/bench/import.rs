//! `bench import`: what the importer costs a row beside the bare SDK.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use super::{Bench, Figure, Target, number};
use crate::outcome::{Failure, Outcome};

/// Sends as many members by the SDK alone, by the importer, and by the program; each against a sandbox of its own in
/// another process, twice in turn.
pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Outcome {
    let rows = bench.rows.unwrap_or(if bench.is_quick { 1_000 } else { 10_000 });
    let list = bench.path("import.csv");
    bench.measure(&["list", &rows.to_string(), SEED, &list])?;
    let turns = if bench.is_quick { 1 } else { 2 };
    let (mut sdk, mut importer, mut program) = (0.0, 0.0, 0.0);
    for turn in 0..turns {
        let sandbox = Sandbox::start(bench, &format!("sdk-{turn}"))?;
        let measured = bench.calls(&["calls", &rows.to_string(), SEED, "32", "plain", &sandbox.folder])?;
        sdk += number(&measured, "calls")? / number(&measured, "cpu_seconds")?;
        drop(sandbox);

        let sandbox = Sandbox::start(bench, &format!("importer-{turn}"))?;
        let ledger = bench.path(&format!("importer-{turn}.db"));
        let measured = bench.measure(&["import", &list, &ledger, &sandbox.folder])?;
        importer += number(&measured, "imported")? / number(&measured, "cpu_seconds")?;
        drop(sandbox);

        let sandbox = Sandbox::start(bench, &format!("program-{turn}"))?;
        let ledger = bench.path(&format!("program-{turn}.db"));
        let config = format!("{}/wxmember.toml", sandbox.folder);
        let measured = bench.measure(&[
            "child",
            &bench.program.display().to_string(),
            "import",
            &list,
            "--config",
            &config,
            "--ledger",
            &ledger,
            "--quota",
            LIFTED,
            "--concurrency",
            "32",
            "--format",
            "json",
        ])?;
        program += number(&measured["said"], "imported")? / number(&measured, "cpu_seconds")?;
    }
    let turns = f64::from(turns);
    Figure {
        name: "import: the SDK alone".to_owned(),
        value: sdk / turns,
        unit: "rows/CPU s",
        target: Target::None,
        method: "import_by_phone of members in memory, 32 at once; user and system time of the process while it sends",
    }
    .add_to(figures);
    Figure {
        name: "import: the importer, share of the SDK".to_owned(),
        value: importer / sdk,
        unit: "",
        target: Target::AtLeast(0.8),
        method: "rows per CPU second of load and run together, without a quota, 32 at once, by those of the SDK alone",
    }
    .add_to(figures);
    Figure {
        name: "import: the program, share of the SDK".to_owned(),
        value: program / sdk,
        unit: "",
        target: Target::AtLeast(0.8),
        method: "the same of a whole process `wxmember import` with a quota of 1000000/s",
    }
    .add_to(figures);
    Ok(())
}

/// A sandbox in a process of its own; ended when dropped.
pub(super) struct Sandbox {
    child: Child,
    pub(super) folder: String,
}

impl Sandbox {
    pub(super) fn start(bench: &Bench, name: &str) -> Outcome<Self> {
        let folder = bench.path(name);
        let failed = |what: String| Failure::failed(what, "run `wxmember sandbox` by itself");
        let mut child = Command::new(&bench.program)
            .args(["sandbox", "--listen", "127.0.0.1:0", "--dir", &folder])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(format!("the sandbox does not start: {error}")))?;
        // It listens once it has said where; the rest of what it says fits the pipe, which stays open with the child.
        let mut line = String::new();
        let stdout = child.stdout.as_mut();
        let read = stdout.map(|stdout| BufReader::new(stdout).read_line(&mut line));
        let sandbox = Self { child, folder };
        match (read, line.starts_with("base_url")) {
            (Some(Ok(_)), true) => Ok(sandbox),
            _ => Err(failed("the sandbox does not say where it listens".to_owned())),
        }
    }
}

impl Sandbox {
    /// The id of its process.
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

const SEED: &str = "5";
/// The most that a quota can say.
const LIFTED: &str = "1000000/s";
