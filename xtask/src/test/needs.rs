//! Programs that the tests start. To add one, add a row to [`NEEDS`].

use std::{env, fs, path::Path, process::Command};

use super::{is_there, node, python};
use crate::{
    outcome::{Failure, Outcome},
    process,
};

/// A program that must be there.
struct Need {
    /// What it is called in messages.
    name: &'static str,
    /// What it is for.
    purpose: &'static str,
    /// True if it is there and works.
    is_met: fn() -> bool,
    /// The Debian packages that bring it.
    packages: &'static [&'static str],
}

/// Checks every need and installs what is missing, or says how to.
pub(super) fn meet() -> Outcome {
    let missing = unmet(NEEDS);
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        eprintln!("missing: `{}`, {}", need.name, need.purpose);
    }
    if !(is_debian() && is_root()) {
        return Err(not_met(&missing));
    }
    for arguments in [vec!["update"], install_arguments(&missing)] {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        eprintln!("running `{}`", process::show(&command));
        process::run(
            &mut command,
            &format!("run `{}` yourself", install_command(&missing)),
        )?;
    }
    let missing = unmet(NEEDS);
    if missing.is_empty() {
        Ok(())
    } else {
        Err(not_met(&missing))
    }
}

fn unmet(needs: &'static [Need]) -> Vec<&'static Need> {
    needs.iter().filter(|need| !(need.is_met)()).collect()
}

fn not_met(missing: &[&Need]) -> Failure {
    let names: Vec<_> = missing.iter().map(|need| format!("`{}`", need.name)).collect();
    Failure::failed(
        format!("the tests need {}", names.join(", ")),
        how_to_install(missing, is_debian()),
    )
}

fn how_to_install(missing: &[&Need], debian: bool) -> String {
    if debian {
        return format!("run `{}`", install_command(missing));
    }
    let names: Vec<_> = missing.iter().map(|need| need.name).collect();
    format!(
        "install {} with the package manager of your system, then run `cargo xtask test`",
        names.join(", ")
    )
}

fn install_command(missing: &[&Need]) -> String {
    format!(
        "sudo apt-get update && sudo apt-get {}",
        install_arguments(missing).join(" ")
    )
}

fn install_arguments(missing: &[&Need]) -> Vec<&'static str> {
    let mut packages: Vec<_> = missing.iter().flat_map(|need| need.packages).copied().collect();
    packages.sort_unstable();
    packages.dedup();
    ["install", "-y"].into_iter().chain(packages).collect()
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && is_there("apt-get", &["--version"])
}

fn is_root() -> bool {
    process::output(Command::new("id").arg("-u"), &[]).is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn compiles_c() -> bool {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    is_there(&compiler, &["--version"])
}

/// In the path, or where Debian puts the programs of a server.
fn is_installed_postgres(program: &str) -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    is_there(program, &["--version"])
        || versions
            .map(|version| version.path().join("bin").join(program))
            .any(|path| path.is_file())
}

/// What the tests start a server with, and look into it.
const POSTGRES: &[&str] = &["initdb", "pg_ctl", "pg_dump", "psql"];

/// What the tests need.
const NEEDS: &[Need] = &[
    Need {
        name: "cc",
        purpose: "the C compiler that builds AWS-LC and SQLite",
        is_met: compiles_c,
        packages: &["build-essential"],
    },
    Need {
        name: "chromium",
        purpose: "the browser that opens reports",
        is_met: || {
            ["chromium", "chromium-browser", "google-chrome"]
                .iter()
                .any(|browser| is_there(browser, &["--version"]))
        },
        packages: &["chromium", "fonts-noto-cjk"],
    },
    Need {
        name: "node",
        purpose: "Node 18 or later, which runs a client that shares no code with us, and drives the browser",
        is_met: node::is_node_there,
        packages: &["nodejs"],
    },
    Need {
        name: "npm",
        purpose: "keeps the packages of that client inside the target directory",
        is_met: node::is_npm_there,
        packages: &["npm"],
    },
    Need {
        name: "openssl",
        purpose: "checks keys, signatures and the test vectors",
        is_met: || is_there("openssl", &["version"]),
        packages: &["openssl"],
    },
    Need {
        name: "postgresql",
        purpose: "the database that several hosts share a ledger in",
        is_met: || POSTGRES.iter().all(|program| is_installed_postgres(program)),
        packages: &["postgresql"],
    },
    Need {
        name: "python3",
        purpose: "Python 3.10 or later, which runs clients that share no code with us",
        is_met: python::is_python_there,
        packages: &["python3", "python3-venv"],
    },
    Need {
        name: "python3 -m venv",
        purpose: "keeps the packages of those clients inside the target directory",
        is_met: || is_there("python3", &["-c", "import ensurepip, venv"]),
        packages: &["python3", "python3-venv"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[Need] = &[
        Need {
            name: "here",
            purpose: "is met",
            is_met: || true,
            packages: &["here"],
        },
        Need {
            name: "away",
            purpose: "is not met",
            is_met: || false,
            packages: &["b", "a"],
        },
        Need {
            name: "gone",
            purpose: "is not met",
            is_met: || false,
            packages: &["a"],
        },
    ];

    #[test]
    fn what_is_missing_is_named_with_the_command() {
        let missing = unmet(SAMPLE);
        assert_eq!(
            missing.iter().map(|need| need.name).collect::<Vec<_>>(),
            ["away", "gone"]
        );
        assert_eq!(
            how_to_install(&missing, true),
            "run `sudo apt-get update && sudo apt-get install -y a b`"
        );
        let elsewhere =
            "install away, gone with the package manager of your system, then run `cargo xtask test`";
        assert_eq!(how_to_install(&missing, false), elsewhere);
        assert!(
            not_met(&missing)
                .to_string()
                .starts_with("error: the tests need `away`, `gone`\n\nhint: ")
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_not_met() {
        assert!(!is_there("no-such-program-here", &["--version"]));
        assert!(!is_there("false", &[]));
        assert!(is_there("true", &[]));
    }
}
