//! `bench --check`: instructions of the hot paths, held against a committed file, so that a slowdown is seen without a clock.
//!
//! gungraun runs each benchmark of `tests/instructions` once under callgrind, which counts instructions outside the kernel:
//! the same on a busy machine as on an idle one. Two numbers are kept of each. `all` is everything; `own` is what is left
//! when the calls into AWS-LC are taken off, measured in the same run. RSA is nine tenths and more of `all`, and its random
//! blinding and padding make it tremble; a second serialization or a copy too many drowns in it, and stands out of `own`.
//!
//! Over ten runs on one machine the numbers of a benchmark were at most 0.1 % apart, but for `own` of signing (0.6 %), a call
//! (0.4 %) and opening (2.5 %, some 100 instructions of the allocator), so a path is slower when three runs in turn say so.
//! valgrind lets a program see a processor of its own making, but with AVX2 only where the real one has it, so counts of a
//! machine without it will differ; that was not tried.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use self::{
    baseline::{Baseline, Change, Count},
    callgrind::Profile,
};
use super::{Figure, Target, print, sandbox::median};
use crate::{
    outcome::{Failure, Outcome},
    process, tools,
    workspace::Workspace,
};

mod baseline;
mod callgrind;
mod runner;

/// Counts once and compares.
pub(super) fn check(workspace: &Workspace) -> Outcome {
    let tools = Tools::prepare(workspace)?;
    let path = workspace.root().join(BASELINE);
    let text = fs::read_to_string(&path)
        .map_err(|error| Failure::failed(format!("cannot read {BASELINE}: {error}"), WRITE))?;
    let baseline = Baseline::read(&text)
        .map_err(|wrong| Failure::failed(format!("{BASELINE} cannot be used: {wrong}"), WRITE))?;
    let with = with(workspace)?;
    let differences = baseline.measured_otherwise(&with);
    for (name, then, now) in &differences {
        eprintln!("note: {BASELINE} was measured with {name} {then}, this is {now}");
    }
    if differences.iter().any(|(name, ..)| *name == TARGET) {
        let what = format!("{BASELINE} is of another target, so nothing can be compared");
        return Err(Failure::failed(what, WRITE));
    }
    let mut counts = tools.count(workspace)?;
    let mut compared = baseline.compare(&counts);
    for _ in 1..TRIES {
        if !compared.iter().any(Change::is_slower) {
            break;
        }
        eprintln!("one is slower, so all are counted again: what the allocator adds differs from run to run");
        counts = least(counts, &tools.count(workspace)?);
        compared = baseline.compare(&counts);
    }
    print(&baseline::table(&compared));
    verdict(&compared)
}

/// The smaller of each number.
fn least(mut counts: Counts, others: &Counts) -> Counts {
    for (name, count) in &mut counts {
        if let Some(other) = others.get(name) {
            count.all = count.all.min(other.all);
            count.own = count.own.min(other.own);
        }
    }
    counts
}

/// Counts several times and writes the medians.
pub(super) fn write(workspace: &Workspace) -> Outcome {
    let tools = Tools::prepare(workspace)?;
    let runs = tools.count_often(workspace, RUNS)?;
    let baseline = Baseline {
        with: with(workspace)?,
        counts: medians(&runs),
    };
    let path = workspace.root().join(BASELINE);
    let text = baseline.text();
    fs::write(&path, text)
        .map_err(|error| Failure::failed(format!("cannot write {BASELINE}: {error}"), "free some space"))?;
    print(&spreads(&runs));
    eprintln!("wrote {BASELINE}");
    Ok(())
}

/// Counts several times and shows what was counted and how much it trembles.
pub(super) fn measure(workspace: &Workspace, is_quick: bool, figures: &mut Vec<Figure>) -> Outcome {
    let tools = Tools::prepare(workspace)?;
    let runs = tools.count_often(workspace, if is_quick { 2 } else { RUNS })?;
    for (name, count) in medians(&runs) {
        for (part, value, method) in [
            (
                "all",
                count.all,
                "instructions outside the kernel, counted by callgrind; median of the runs",
            ),
            (
                "own",
                count.own,
                "the same without the calls into AWS-LC, taken off in the same run",
            ),
        ] {
            Figure {
                name: format!("instructions: {name}, {part}"),
                value: value as f64,
                unit: "",
                target: Target::None,
                method,
            }
            .add_to(figures);
        }
    }
    print(&spreads(&runs));
    Ok(())
}

/// The counts of a run by the name of the benchmark.
type Counts = BTreeMap<String, Count>;

/// What counting needs.
struct Tools {
    /// The folder of `gungraun-runner`.
    runner: PathBuf,
    /// The benchmarks.
    program: PathBuf,
    /// Profiles go here.
    folder: tempfile::TempDir,
}

impl Tools {
    fn prepare(workspace: &Workspace) -> Outcome<Self> {
        if process::version("valgrind").is_none() {
            return Err(Failure::failed(
                "`valgrind` is not installed, which counts instructions",
                "run `sudo apt-get install -y valgrind`, or what your system has in its place; there is none for Windows",
            ));
        }
        let runner = runner::prepare(workspace)?;
        // With the program beside it, so that its dependencies have the features that it ships with.
        let mut build = process::cargo(workspace.root());
        build.args(["build", "--release", "--locked", "--bin", PROGRAM]);
        build.args(["--package", "wxmember-cli", "--package", PACKAGE]);
        build.args(["--features", &format!("{PACKAGE}/instructions")]);
        eprintln!("running `{}`", process::show(&build));
        process::run(&mut build, "mend what the compiler names")?;
        let folder = tempfile::Builder::new()
            .prefix("instructions-")
            .tempdir_in(workspace.target())
            .map_err(|error| Failure::failed(format!("no folder to work in: {error}"), "free some space"))?;
        Ok(Self {
            runner,
            program: workspace.target().join("release").join(PROGRAM),
            folder,
        })
    }

    fn count_often(&self, workspace: &Workspace, runs: usize) -> Outcome<Vec<Counts>> {
        (1..=runs)
            .map(|run| {
                let counts = self.count(workspace)?;
                for (name, count) in &counts {
                    let line = json!({
                        "measurement": "instructions", "run": run, "of": name, "all": count.all, "own": count.own,
                    });
                    print(&format!("{line}\n"));
                }
                Ok(counts)
            })
            .collect()
    }

    fn count(&self, workspace: &Workspace) -> Outcome<Counts> {
        let mut command = Command::new(&self.program);
        command
            .arg("--bench")
            .current_dir(workspace.root())
            .env("PATH", tools::path_with(&self.runner)?)
            .env("GUNGRAUN_HOME", self.folder.path());
        let output = process::output(&mut command, &[])?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::failed(
                format!("`{PROGRAM} --bench` failed: {}", said.trim_end()),
                format!(
                    "run `PATH={}:$PATH {} --bench`",
                    self.runner.display(),
                    self.program.display()
                ),
            ));
        }
        let counts = counts_below(self.folder.path())?;
        if counts.values().all(|count| count.all == count.own) {
            return Err(Failure::failed(
                "no call into AWS-LC was counted, so `own` would be everything",
                "see that the release profile keeps symbols, and how AWS-LC names its functions now \
                 (`xtask/src/bench/counts/callgrind.rs`)",
            ));
        }
        Ok(counts)
    }
}

/// Reads every profile below a folder; threads of one benchmark are taken together.
fn counts_below(folder: &Path) -> Outcome<Counts> {
    let unreadable = |error: std::io::Error| {
        Failure::failed(
            format!("cannot read {}: {error}", folder.display()),
            "run it again",
        )
    };
    let (mut counts, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Some((name, times)) = path.file_name().and_then(|name| benchmark(name.to_str()?)) else {
                continue;
            };
            let text = fs::read_to_string(&path).map_err(unreadable)?;
            let profile = Profile::read(&text).ok_or_else(|| {
                Failure::failed(
                    format!("{} is no profile of callgrind", path.display()),
                    "run it again; another version of valgrind may write another format",
                )
            })?;
            let count: &mut Count = counts.entry(name.to_owned()).or_default();
            count.all += profile.all / times;
            count.own += (profile.all - profile.foreign) / times;
        }
    }
    if counts.is_empty() {
        let what = format!("`{PROGRAM} --bench` left no profile");
        return Err(Failure::failed(what, "run it by itself and see what it says"));
    }
    Ok(counts)
}

/// The benchmark whose profile a file is, and how often it does its work: `callgrind.seal.times_32.out`.
fn benchmark(file: &str) -> Option<(&str, u64)> {
    let (name, rest) = file.strip_prefix("callgrind.")?.split_once(".times_")?;
    let times = rest.strip_suffix(".out")?.split('.').next()?;
    Some((name, times.parse().ok().filter(|times| *times > 0)?))
}

fn medians(runs: &[Counts]) -> Counts {
    let names = runs.first().into_iter().flat_map(BTreeMap::keys);
    let of = |name: &str, part: fn(&Count) -> u64| {
        let all: Vec<f64> = runs
            .iter()
            .filter_map(|run| run.get(name))
            .map(|count| part(count) as f64)
            .collect();
        median(&all).round() as u64
    };
    names
        .map(|name| {
            let count = Count {
                all: of(name, |count| count.all),
                own: of(name, |count| count.own),
            };
            (name.clone(), count)
        })
        .collect()
}

/// How far the runs are apart, in per cent of the smallest.
fn spreads(runs: &[Counts]) -> String {
    let mut text = format!(
        "{:<8} {:>12} {:>8} {:>12} {:>8}\n",
        "", "all", "spread", "own", "spread"
    );
    for (name, count) in medians(runs) {
        let spread = |part: fn(&Count) -> u64| {
            let all = || runs.iter().filter_map(|run| run.get(&name)).map(part);
            let (least, most) = (all().min().unwrap_or(0), all().max().unwrap_or(0));
            baseline::per_cent(least, most)
        };
        text.push_str(&format!(
            "{name:<8} {:>12} {:>7.2}% {:>12} {:>7.2}%\n",
            count.all,
            spread(|count| count.all),
            count.own,
            spread(|count| count.own)
        ));
    }
    text
}

/// Slower is an error, faster is worth a word: the next slowdown would hide behind it.
fn verdict(compared: &[Change]) -> Outcome {
    let faster: Vec<_> = compared
        .iter()
        .filter(|change| change.is_faster())
        .map(ToString::to_string)
        .collect();
    if !faster.is_empty() {
        eprintln!("faster: {}\n\nhint: {WRITE}", faster.join("\n        "));
    }
    let slower: Vec<_> = compared
        .iter()
        .filter(|change| change.is_slower())
        .map(ToString::to_string)
        .collect();
    if !slower.is_empty() {
        return Err(Failure::Slower {
            what: slower.join("\n        "),
            repair: format!(
                "find what was added; if it is worth its price, {WRITE} and say in the commit what it buys"
            ),
        });
    }
    let unlike: Vec<_> = compared
        .iter()
        .filter(|change| change.is_new_or_gone())
        .map(ToString::to_string)
        .collect();
    if !unlike.is_empty() {
        return Err(Failure::Stale {
            what: format!("{BASELINE} has other benchmarks: {}", unlike.join(", ")),
            repair: WRITE.to_owned(),
        });
    }
    Ok(())
}

/// What the counts depend on beside the code.
fn with(workspace: &Workspace) -> Outcome<Vec<(&'static str, String)>> {
    let rustc = process::output(Command::new("rustc").arg("-vV"), &[])?;
    let rustc = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: "));
    let locked = |name: &str| runner::locked(workspace, name);
    Ok(vec![
        (TARGET, host.unwrap_or("unknown").to_owned()),
        ("rustc", rustc.lines().next().unwrap_or("unknown").to_owned()),
        (
            "valgrind",
            process::version("valgrind").unwrap_or_else(|| "unknown".to_owned()),
        ),
        ("gungraun", locked("gungraun")?),
        (
            "backend",
            format!(
                "aws-lc-rs {}, aws-lc-sys {}",
                locked("aws-lc-rs")?,
                locked("aws-lc-sys")?
            ),
        ),
    ])
}

/// The committed file.
const BASELINE: &str = "tests/instructions/baseline.toml";
const WRITE: &str = "run `cargo xtask bench --write`";
const PACKAGE: &str = "wxmember-tests";
const PROGRAM: &str = "wxmember-instructions";
const TARGET: &str = "target";
/// Runs of which the medians are written.
const RUNS: usize = 5;
/// Runs before a path is called slower.
const TRIES: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_known_by_its_name() {
        assert_eq!(benchmark("callgrind.seal.times_32.out"), Some(("seal", 32)));
        assert_eq!(benchmark("callgrind.seal.times_32.t1.p1.out"), Some(("seal", 32)));
        for other in [
            "callgrind.seal.times_32.log",
            "callgrind.seal.times_32.out.old",
            "summary.json",
            "callgrind.seal.times_0.out",
        ] {
            assert_eq!(benchmark(other), None, "{other}");
        }
    }

    #[test]
    fn a_slower_path_has_its_own_exit_code_and_a_faster_one_passes() {
        let change = |then, now| Change {
            name: "call".to_owned(),
            part: "own",
            then,
            now,
        };
        let verdict = |then, now| verdict(&[change(Some(then), Some(now))]);
        assert_eq!(verdict(100_000, 103_000), Ok(()));
        assert_eq!(verdict(100_000, 90_000), Ok(()));
        let slower = verdict(100_000, 103_100).unwrap_err();
        assert_eq!(slower.code(), 4);
        let expected = "slower: call, own: 100000 -> 103100 (+3.10%)\n\nhint: find what was added";
        assert!(slower.to_string().starts_with(expected), "{slower}");
        let gone = super::verdict(&[change(Some(1), None)]).unwrap_err();
        assert_eq!(gone.code(), 4);
    }

    #[test]
    fn the_least_of_several_runs_counts() {
        let run = |all, own| BTreeMap::from([("seal".to_owned(), Count { all, own })]);
        assert_eq!(least(run(10, 4), &run(11, 3)), run(10, 3));
        assert_eq!(least(run(10, 4), &BTreeMap::new()), run(10, 4));
    }

    #[test]
    fn medians_are_taken_of_each_number_alone() {
        let run = |all, own| BTreeMap::from([("seal".to_owned(), Count { all, own })]);
        let runs = [run(10, 3), run(30, 1), run(20, 2)];
        assert_eq!(medians(&runs), run(20, 2));
        assert!(spreads(&runs).contains("200.00%"), "{}", spreads(&runs));
    }
}
