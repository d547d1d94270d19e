//! `bench`: measures the importer, the sandbox and the SDK, and holds the figures against the targets.
//!
//! Speeds are ratios of two measurements of one run on the same machine, so that they can be compared between
//! machines. Each figure is printed as a line of JSON that says how it was measured, then all of them as a table.
//! A missed target is told; it is a failure with `--strict` only, since a busy machine misses some. `--check` needs no
//! clock: it compares instructions with those of a committed file.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::{
    outcome::{Failure, Outcome},
    process,
    workspace::Workspace,
};

mod counts;
mod floor;
mod import;
mod kill;
mod load;
mod quota;
mod resume;
mod rivals;
mod sandbox;
mod sdk;
mod size;

/// Arguments of `bench`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// What to measure [default: everything but `kill`]
    #[arg(value_enum)]
    parts: Vec<Part>,

    /// Rows of the lists: the largest one of `load`, and those of `import` and `continue`
    #[arg(long, value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    rows: Option<u64>,

    /// Rounds of `kill`
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,

    /// Rounds of `kill` with three workers and a PostgreSQL server; minutes each, four side by side
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    worker_rounds: u64,

    /// The first seed of `kill`
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Fewer rows and shorter runs: finds out whether it works, not how fast
    #[arg(long)]
    quick: bool,

    /// `size` builds the program from nothing too, which takes some ten minutes
    #[arg(long)]
    cold: bool,

    /// Fail when a target is missed
    #[arg(long)]
    strict: bool,

    /// Measure no time: compare the instructions of the hot paths with the committed ones, and exit with 4 when one takes
    /// over 3 per cent more
    #[arg(long, conflicts_with_all = ["parts", "strict", "cold", "quick", "rows"])]
    check: bool,

    /// Write the file that `--check` compares with
    #[arg(long, conflicts_with_all = ["check", "parts", "strict", "cold", "quick", "rows"])]
    write: bool,
}

/// One part of the measurements.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Part {
    /// Reading, validating, sealing and storing lists of three sizes; beside it the public operations alone
    Load,
    /// Rows per CPU second of an importer without a quota; beside it the bare SDK
    Import,
    /// How much of a quota of 5/s and 50/s is used, and how many 429 come
    Quota,
    /// The time to the first request of a job that is nearly done; beside it `sha256sum`
    Continue,
    /// What an answer of the sandbox costs beside its RSA, its memory, and a soak of a minute
    Sandbox,
    /// What a call of the SDK costs beside its RSA, and beside other clients of the public registries
    Sdk,
    /// The instructions of the hot paths, and how far five runs are apart
    Instructions,
    /// The time to the first request of a new import, the size of the program, the crates in it
    Size,
    /// The kill test with many rounds
    Kill,
}

/// Runs the parts.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let workspace = Workspace::load()?;
    if arguments.check {
        return counts::check(&workspace);
    }
    if arguments.write {
        return counts::write(&workspace);
    }
    let parts = match arguments.parts[..] {
        [] => vec![
            Part::Load,
            Part::Import,
            Part::Quota,
            Part::Continue,
            Part::Sandbox,
            Part::Sdk,
            Part::Instructions,
            Part::Size,
        ],
        ref parts => parts.to_vec(),
    };
    let bench = Bench::build(&workspace, arguments)?;
    let mut figures = Vec::new();
    for part in parts {
        match part {
            Part::Load => load::measure(&bench, &mut figures)?,
            Part::Import => import::measure(&bench, &mut figures)?,
            Part::Quota => quota::measure(&bench, &mut figures)?,
            Part::Continue => resume::measure(&bench, &mut figures)?,
            Part::Sandbox => sandbox::measure(&bench, &mut figures)?,
            Part::Sdk => sdk::measure(&bench, &workspace, &mut figures)?,
            Part::Instructions => counts::measure(&workspace, bench.is_quick, &mut figures)?,
            Part::Size => size::measure(&bench, &workspace, arguments.cold, &mut figures)?,
            Part::Kill => kill::run(&bench, &workspace, arguments)?,
        }
    }
    print(&table(&figures));
    let missed: Vec<_> = figures.iter().filter(|figure| figure.is_missed()).collect();
    if arguments.strict && !missed.is_empty() {
        let names: Vec<_> = missed.iter().map(|figure| figure.name.as_str()).collect();
        return Err(Failure::failed(
            format!("targets missed: {}", names.join(", ")),
            "find what costs the time; run it again on an idle machine first",
        ));
    }
    Ok(())
}

/// The release builds and a folder to work in.
struct Bench {
    /// `wxmember`.
    program: PathBuf,
    /// `wxmember-bench`.
    measuring: PathBuf,
    /// `wxmember-bench-sdk`.
    calling: PathBuf,
    folder: tempfile::TempDir,
    rows: Option<u64>,
    is_quick: bool,
}

impl Bench {
    fn build(workspace: &Workspace, arguments: &Arguments) -> Outcome<Self> {
        let mut build = process::cargo(workspace.root());
        build.args(["build", "--release", "--locked", "--bins"]);
        build.args(["--package", "wxmember-cli", "--package", "wxmember-tests"]);
        eprintln!("running `{}`", process::show(&build));
        process::run(&mut build, "mend what the compiler names")?;
        // Beside the builds: a temporary folder may be in memory, and a ledger is to be measured on a disk.
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(workspace.target())
            .map_err(|error| Failure::failed(format!("no folder to work in: {error}"), "free some space"))?;
        let program = |name: &str| {
            let release = workspace.target().join("release");
            release.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
        };
        Ok(Self {
            program: program("wxmember"),
            measuring: program("wxmember-bench"),
            calling: program("wxmember-bench-sdk"),
            folder,
            rows: arguments.rows,
            is_quick: arguments.quick,
        })
    }

    /// Runs one measurement and prints what it measured.
    fn measure(&self, words: &[&str]) -> Outcome<Value> {
        Self::run(&self.measuring, words)
    }

    /// The same of the program that has the SDK alone.
    fn calls(&self, words: &[&str]) -> Outcome<Value> {
        Self::run(&self.calling, words)
    }

    fn run(program: &Path, words: &[&str]) -> Outcome<Value> {
        let mut command = Command::new(program);
        command.args(words);
        let output = process::output(&mut command, &[])?;
        let text = String::from_utf8_lossy(&output.stdout);
        let shown = process::show(&command);
        match serde_json::from_str(&text) {
            Ok(measured) if output.status.success() => {
                print(&format!(
                    "{}\n",
                    json!({"measurement": words[0], "measured": measured})
                ));
                Ok(measured)
            }
            _ => Err(Failure::failed(
                format!(
                    "`{shown}` failed: {}",
                    String::from_utf8_lossy(&output.stderr).trim_end()
                ),
                format!("run `{shown}` by itself"),
            )),
        }
    }

    /// A path in the folder, as an argument.
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

/// One number of a measurement.
fn number(measured: &Value, name: &str) -> Outcome<f64> {
    measured[name].as_f64().ok_or_else(|| {
        Failure::failed(
            format!("a measurement has no `{name}`"),
            "make `tests/bench` and `xtask/src/bench` agree",
        )
    })
}

/// A figure of the table.
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    target: Target,
    /// How it was measured, in one sentence.
    method: &'static str,
}

#[derive(Clone, Copy)]
enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// For the reader alone.
    None,
}

impl Figure {
    fn is_missed(&self) -> bool {
        match self.target {
            Target::AtLeast(least) => self.value < least,
            Target::AtMost(most) => self.value > most,
            Target::None => false,
        }
    }

    /// Prints it as JSON and keeps it for the table.
    fn add_to(self, figures: &mut Vec<Self>) {
        let target = match self.target {
            Target::AtLeast(least) => json!({"at_least": least}),
            Target::AtMost(most) => json!({"at_most": most}),
            Target::None => Value::Null,
        };
        let line = json!({
            "figure": self.name,
            "value": self.value,
            "unit": self.unit,
            "target": target,
            "missed": self.is_missed(),
            "method": self.method,
        });
        print(&format!("{line}\n"));
        figures.push(self);
    }
}

fn table(figures: &[Figure]) -> String {
    let mut text = String::new();
    let width = figures.iter().map(|figure| figure.name.chars().count()).max();
    for figure in figures {
        let target = match figure.target {
            Target::AtLeast(least) => format!("at least {least}"),
            Target::AtMost(most) => format!("at most {most}"),
            Target::None => String::new(),
        };
        let missed = if figure.is_missed() { "  missed" } else { "" };
        let (name, unit) = (&figure.name, figure.unit);
        let value = match figure.value.abs() {
            100.0.. => format!("{:.0}", figure.value),
            10.0.. => format!("{:.1}", figure.value),
            _ => format!("{:.3}", figure.value),
        };
        let line = format!(
            "{name:<width$}  {value:>10} {unit:<10} {target}{missed}",
            width = width.unwrap_or(0)
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The figures are what the verb is for, so they go to stdout.
fn print(text: &str) {
    // Who closes the pipe has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: f64, target: Target) -> Figure {
        Figure {
            name: "share".to_owned(),
            value,
            unit: "of 1",
            target,
            method: "",
        }
    }

    #[test]
    fn a_target_is_met_or_missed() {
        for (value, target, missed) in [
            (0.6, Target::AtLeast(0.6), false),
            (0.59, Target::AtLeast(0.6), true),
            (1.2, Target::AtMost(1.2), false),
            (1.21, Target::AtMost(1.2), true),
            (9.0, Target::None, false),
        ] {
            assert_eq!(figure(value, target).is_missed(), missed, "{value}");
        }
    }

    #[test]
    fn the_table_names_what_is_missed() {
        let figures = [figure(0.5, Target::AtLeast(0.6)), figure(12345.6, Target::None)];
        let expected = "share       0.500 of 1       at least 0.6  missed\nshare       12346 of 1\n";
        assert_eq!(table(&figures), expected);
    }
}
