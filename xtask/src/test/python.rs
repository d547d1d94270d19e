//! The Python that runs the foreign client: a virtual environment in the target directory, packages pinned by hash.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    outcome::{Failure, Outcome},
    process,
    workspace::Workspace,
};

/// The interpreter with every pinned package, set up anew when the pins or the interpreter changed.
pub(crate) fn prepare(workspace: &Workspace) -> Outcome<PathBuf> {
    if let Some(python) = prepared(workspace) {
        return Ok(python);
    }
    let folder = folder(workspace);
    eprintln!("setting up Python packages from {REQUIREMENTS}");
    let unwritable = |error: std::io::Error| {
        Failure::failed(
            format!("cannot write {}: {error}", folder.display()),
            "make room, or set `CARGO_TARGET_DIR`",
        )
    };
    fs::create_dir_all(&folder).map_err(unwritable)?;
    let again = format!("run `rm -r {}`, then `cargo xtask test`", folder.display());
    process::run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
        &again,
    )?;
    let python = interpreter(&folder);
    let mut install = Command::new(&python);
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]);
    install.args(["--only-binary", ":all:", "--require-hashes", "--requirement"]);
    install.arg(workspace.root().join(REQUIREMENTS));
    process::run(
        &mut install,
        "check the network and the pins, then run `cargo xtask test`",
    )?;
    fs::write(folder.join(STAMP), stamp(workspace)?).map_err(unwritable)?;
    Ok(python)
}

/// True if the Python in the path is new enough for every package.
pub(super) fn is_python_there() -> bool {
    process::version("python3")
        .is_some_and(|version| numbers(&version).is_some_and(|numbers| numbers >= OLDEST))
}

/// The interpreter, if the environment is there and follows from the pins.
pub(crate) fn prepared(workspace: &Workspace) -> Option<PathBuf> {
    let folder = folder(workspace);
    let python = interpreter(&folder);
    let is_current = fs::read_to_string(folder.join(STAMP)).ok()? == stamp(workspace).ok()?;
    // The interpreter is a link into the system, which may have been upgraded since.
    (is_current && process::succeeds(Command::new(&python).arg("--version"))).then_some(python)
}

/// What the environment was made from: the interpreter's version, then the pins.
fn stamp(workspace: &Workspace) -> Outcome<String> {
    let pins = fs::read_to_string(workspace.root().join(REQUIREMENTS)).map_err(|error| {
        Failure::failed(
            format!("cannot read {REQUIREMENTS}: {error}"),
            format!("run `git restore {REQUIREMENTS}`"),
        )
    })?;
    Ok(format!(
        "{}\n{pins}",
        process::version("python3").unwrap_or_default()
    ))
}

/// The first two numbers of `Python 3.11.2`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix("Python ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target().join("py")
}

fn interpreter(folder: &Path) -> PathBuf {
    if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python")
    }
}

/// The pins, with a hash for every file that may be installed.
const REQUIREMENTS: &str = "tests/python/requirements.txt";

/// Says what the environment was made from; written last.
const STAMP: &str = "requirements.stamp";

/// The oldest Python that every pinned package runs on.
const OLDEST: (u32, u32) = (3, 10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_python_is_read() {
        assert_eq!(numbers("Python 3.11.2"), Some((3, 11)));
        assert_eq!(numbers("Python 3.10.0rc1"), Some((3, 10)));
        assert!(numbers("Python 3.9.18") < Some(OLDEST));
        assert!(numbers("Python 2.7.18") < Some(OLDEST));
        assert_eq!(numbers("3.11.2"), None);
        assert_eq!(numbers(""), None);
    }
}
