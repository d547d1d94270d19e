//! `ci`: everything that continuous integration runs, in one place, so that it runs the same on any machine.
//!
//! Stops at the first failure. The tests come last, and after them nothing is printed: the last words are the
//! runner's summary.

use std::time::{Duration, Instant};

use clap::Args;

use crate::{api, codegen, outcome::Outcome, process, spec, test, tidy, vectors, workspace::Workspace};

/// Arguments of `ci`.
#[derive(Args)]
pub(crate) struct Arguments {}

/// Runs every step.
pub(crate) fn run(_: &Arguments) -> Outcome {
    let workspace = Workspace::load()?;
    let mut took = Vec::new();
    for step in STEPS {
        eprintln!("--- {}", step.name);
        let start = now();
        (step.run)(&workspace)?;
        took.push((step.name, start.elapsed()));
        eprintln!("--- {}: {}", step.name, seconds(start.elapsed()));
    }
    for (name, duration) in took {
        eprintln!("{name:<12}{:>9}", seconds(duration));
    }
    eprintln!("--- test");
    test::run(&test::Arguments::default())
}

/// One step before the tests.
struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Outcome,
}

/// In the order of what is quickest to know; `needs` first, since the others use what it sets up.
const STEPS: &[Step] = &[
    Step {
        name: "needs",
        run: |workspace| test::prepare(workspace).map(drop),
    },
    Step {
        name: "fmt",
        run: fmt,
    },
    Step {
        name: "tidy",
        run: |_| tidy::run(&tidy::Arguments {}),
    },
    Step {
        name: "spec",
        run: |_| spec::check(),
    },
    Step {
        name: "codegen",
        run: |_| codegen::run(&codegen::Arguments { check: true }),
    },
    Step {
        name: "vectors",
        run: |_| vectors::run(&vectors::Arguments { check: true }),
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "portable",
        run: portable,
    },
    Step {
        name: "doc",
        run: doc,
    },
    Step {
        name: "api",
        run: |_| api::run(&api::Arguments::check()),
    },
    Step {
        name: "deny",
        run: deny,
    },
];

fn fmt(workspace: &Workspace) -> Outcome {
    process::run(
        process::cargo(workspace.root()).args(["fmt", "--all", "--check"]),
        "run `cargo fmt --all`",
    )
}

fn clippy(workspace: &Workspace) -> Outcome {
    let mut command = process::cargo(workspace.root());
    command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]);
    process::run(
        &mut command,
        "mend what is named above, then run `cargo clippy --workspace --all-targets --all-features -- -D warnings`",
    )
}

/// Every crate that has the pure-Rust backend builds with it alone.
fn portable(workspace: &Workspace) -> Outcome {
    for member in workspace.members() {
        if member.features.contains_key(PORTABLE_FEATURE) {
            let arguments = ["--no-default-features", "--features", PORTABLE_FEATURE];
            let mut command = process::cargo(workspace.root());
            command
                .args(["check", "--locked", "--package", member.name.as_str()])
                .args(arguments);
            eprintln!("running `{}`", process::show(&command));
            let again = format!("cargo check -p {} {}", member.name, arguments.join(" "));
            process::run(
                &mut command,
                &format!("mend what is named above, then run `{again}`"),
            )?;
        }
    }
    Ok(())
}

/// With every feature, so that no page is left out; the SDK also as it comes, since its front page must not need a feature.
fn doc(workspace: &Workspace) -> Outcome {
    for arguments in [&["--workspace", "--all-features"][..], &["--package", "wxmember"]] {
        let mut command = process::cargo(workspace.root());
        command
            .args(["doc", "--no-deps", "--locked"])
            .args(arguments)
            .env("RUSTDOCFLAGS", "-D warnings");
        let again = arguments.join(" ");
        process::run(
            &mut command,
            &format!(
                "mend what is named above, then run `RUSTDOCFLAGS='-D warnings' cargo doc --no-deps {again}`"
            ),
        )?;
    }
    Ok(())
}

/// Licences, bans and sources; advisories need a database from the network and are checked by `cargo deny check`.
fn deny(workspace: &Workspace) -> Outcome {
    if !process::succeeds(process::cargo(workspace.root()).args(["deny", "--version"])) {
        eprintln!("left out: `cargo-deny` is not installed; `cargo install --locked cargo-deny` does it");
        return Ok(());
    }
    let mut command = process::cargo(workspace.root());
    // A listed wrapper that no feature brings in today is no mistake.
    command.args([
        "deny",
        "--locked",
        "check",
        "--allow",
        "unused-wrapper",
        "bans",
        "licenses",
        "sources",
    ]);
    process::run(
        &mut command,
        "change the dependency, or `deny.toml` with the reason, then run `cargo deny check bans licenses sources`",
    )
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[expect(
    clippy::disallowed_methods,
    reason = "durations of steps are shown to people and decide nothing"
)]
fn now() -> Instant {
    Instant::now()
}

/// The feature that selects the backend in pure Rust.
const PORTABLE_FEATURE: &str = "rust-crypto";
