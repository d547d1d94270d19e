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
    let version = process::output(Command::new("python3").arg("--version"), &[])?;
    Ok(format!(
        "{}\n{pins}",
        String::from_utf8_lossy(&version.stdout).trim()
    ))
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
