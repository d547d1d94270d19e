//! `bench size`: what one waits for before the first request, and what one gets: the program's size, the crates in it, and
//! how long it takes to build them all.

use std::{collections::BTreeSet, env, fs, path::Path, process::Command, time::Instant};

use serde_json::json;

use super::{Bench, Figure, Target, number, print};
use crate::{
    outcome::{Failure, Outcome},
    process,
    workspace::Workspace,
};

/// Start-up, size, crates; the build as well when it is asked for.
pub(super) fn measure(
    bench: &Bench,
    workspace: &Workspace,
    is_cold: bool,
    figures: &mut Vec<Figure>,
) -> Outcome {
    first_request(bench, figures)?;
    instructions_of_starts(bench, figures)?;
    size(bench, figures)?;
    crates(workspace, figures)?;
    match is_cold {
        true => build(workspace, figures),
        false => {
            eprintln!(
                "left out: the build from nothing, some ten minutes; `cargo xtask bench size --cold` measures it"
            );
            Ok(())
        }
    }
}

fn first_request(bench: &Bench, figures: &mut Vec<Figure>) -> Outcome {
    let rounds = if bench.is_quick { "5" } else { "41" };
    let program = bench.program.display().to_string();
    let measured = bench.measure(&["start", &program, rounds])?;
    for (name, key, method) in [
        (
            "start: `true`, from start to end",
            "floor_seconds",
            "the floor: a program in C that does nothing; median of the rounds, all of these in turn",
        ),
        (
            "start: `wxmember --version`, from start to end",
            "version_seconds",
            "median of the rounds",
        ),
        (
            "start: a new import, to its first request",
            "first_request_seconds",
            "from the start of `wxmember import` on one row with a new ledger, to the first byte of its first request at a \
             loopback port; median of the rounds",
        ),
    ] {
        Figure {
            name: name.to_owned(),
            value: number(&measured, key)? * 1000.0,
            unit: "ms",
            target: Target::None,
            method,
        }
        .add_to(figures);
    }
    Ok(())
}

fn instructions_of_starts(bench: &Bench, figures: &mut Vec<Figure>) -> Outcome {
    if process::version("valgrind").is_none() {
        eprintln!("left out: the instructions of a start, for `valgrind` is not installed");
        return Ok(());
    }
    let list = bench.path("one.csv");
    fs::write(&list, ONE_ROW)
        .map_err(|error| Failure::failed(format!("cannot write {list}: {error}"), "free some space"))?;
    let check = ["check", &list];
    for (name, words) in [("--version", &["--version"][..]), ("check", &check[..])] {
        Figure {
            name: format!("start: `wxmember {name}`"),
            value: instructions_of(bench, words)? / 1e6,
            unit: "M instr.",
            target: Target::None,
            method: "instructions of the whole process outside the kernel, the dynamic linker's included, under callgrind; \
                     `check` looks at a list of one row",
        }
        .add_to(figures);
    }
    Ok(())
}

/// Instructions of a whole process, counted by valgrind: the same on a busy machine as on an idle one. Those of a single
/// call are counted by `counts`.
fn instructions_of(bench: &Bench, words: &[&str]) -> Outcome<f64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(&bench.program).args(words);
    // Neither a profile of the folder that we run in nor a setting of ours belongs to it.
    command.current_dir(bench.folder.path());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WXMEMBER_")) {
        command.env_remove(name);
    }
    let output = process::output(&mut command, &[])?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    match collected.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if output.status.success() => Ok(count),
        _ => {
            let shown = process::show(&command);
            let what = format!("`{shown}` failed: {}", said.trim_end());
            Err(Failure::failed(what, format!("run `{shown}` by itself")))
        }
    }
}

fn size(bench: &Bench, figures: &mut Vec<Figure>) -> Outcome {
    let bytes = |path: &Path| {
        let file = fs::metadata(path);
        file.map(|file| file.len() as f64 / MIB).map_err(|error| {
            Failure::failed(
                format!("cannot look at {}: {error}", path.display()),
                "run it again",
            )
        })
    };
    let mut add = |name: &str, value, method| {
        Figure {
            name: name.to_owned(),
            value,
            unit: "MiB",
            target: Target::None,
            method,
        }
        .add_to(figures);
    };
    add(
        "size: `wxmember`",
        bytes(&bench.program)?,
        "the file that `cargo build --release` leaves",
    );
    let stripped = bench.path("stripped");
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(&stripped).arg(&bench.program);
    if process::succeeds(&mut strip) {
        add(
            "size: without symbols",
            bytes(Path::new(&stripped))?,
            "the same after `strip`, as a package would have it",
        );
    } else {
        eprintln!("left out: the size without symbols, for there is no `strip`");
    }
    Ok(())
}

fn crates(workspace: &Workspace, figures: &mut Vec<Figure>) -> Outcome {
    let mut tree = process::cargo(workspace.root());
    tree.args([
        "tree",
        "--locked",
        "--package",
        "wxmember-cli",
        "--edges",
        "normal",
        "--prefix",
        "none",
    ]);
    let output = process::output(&mut tree, &[])?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::failed(
            format!("`{}` failed: {}", process::show(&tree), said.trim_end()),
            "run it by itself",
        ));
    }
    let count = packages(&String::from_utf8_lossy(&output.stdout));
    Figure {
        name: "size: crates in the program".to_owned(),
        value: count as f64,
        unit: "",
        target: Target::None,
        method: "packages and versions that `cargo tree --edges normal` names, ours among them",
    }
    .add_to(figures);
    Ok(())
}

/// Different packages of a tree; one that was shown before has a mark behind it.
fn packages(tree: &str) -> usize {
    let names = tree.lines().filter(|line| !line.trim().is_empty());
    let names: BTreeSet<_> = names
        .map(|line| line.split(" (").next().unwrap_or(line).trim_end())
        .collect();
    names.len()
}

/// Everything is downloaded before, so that the network is not measured.
fn build(workspace: &Workspace, figures: &mut Vec<Figure>) -> Outcome {
    process::run(
        process::cargo(workspace.root()).args(["fetch", "--locked"]),
        "connect to the network and run it again",
    )?;
    let folder = tempfile::Builder::new()
        .prefix("cold-")
        .tempdir_in(workspace.target())
        .map_err(|error| Failure::failed(format!("no folder to build in: {error}"), "free some space"))?;
    let mut command = process::cargo(workspace.root());
    command
        .args(["build", "--quiet", "--release", "--locked", "--target-dir"])
        .arg(folder.path());
    eprintln!("running `{}`", process::show(&command));
    let start = now();
    process::run(&mut command, "mend what the compiler names")?;
    let seconds = start.elapsed().as_secs_f64();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    print(&format!(
        "{}\n",
        json!({"measurement": "build", "seconds": seconds, "cores": cores})
    ));
    Figure {
        name: "build: from nothing".to_owned(),
        value: seconds,
        unit: "s",
        target: Target::None,
        method: "wall time of `cargo build --release` into an empty folder, everything downloaded before",
    }
    .add_to(figures);
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a build takes is what is asked for"
)]
fn now() -> Instant {
    Instant::now()
}

const ONE_ROW: &str = "手机号,会员卡号,领取时间\n13800138000,A0001,2024-01-02 10:00:00\n";
const MIB: f64 = 1_048_576.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_counts_once() {
        let tree = "wxmember-cli v0.1.0 (/somewhere)\nclap v4.6.0\nserde v1.0.0\nserde v1.0.0 (*)\nserde_derive v1.0.0 (proc-macro)\n\n";
        assert_eq!(packages(tree), 4);
    }
}
