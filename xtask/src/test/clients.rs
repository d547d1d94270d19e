//! Other people's clients that have to be compiled: outside the workspace, so that what they need stays out of ours.

use std::path::PathBuf;

use crate::{outcome::Outcome, process, workspace::Workspace};

/// The program that drives the crate `wxpay-rs`, built anew when its sources or pins changed.
pub(super) fn prepare(workspace: &Workspace) -> Outcome<PathBuf> {
    let target = target(workspace);
    let mut build = process::cargo(workspace.root());
    build
        .args([
            "build",
            "--quiet",
            "--locked",
            "--bin",
            "wxpay-rs-driver",
            "--manifest-path",
            MANIFEST,
            "--target-dir",
        ])
        .arg(&target);
    if !target.exists() {
        eprintln!("building {MANIFEST}, a minute or two on a machine that has not done so yet");
    }
    process::run(
        &mut build,
        "check the network and the pins, or mend what the compiler names, then run `cargo xtask test`",
    )?;
    Ok(target
        .join("debug")
        .join(format!("wxpay-rs-driver{}", std::env::consts::EXE_SUFFIX)))
}

/// A target directory of its own.
pub(crate) fn target(workspace: &Workspace) -> PathBuf {
    workspace.target().join("clients")
}

/// The driver of `wxpay-rs`, with a Cargo.lock of its own beside it.
pub(crate) const MANIFEST: &str = "tests/clients/wxpay-rs/Cargo.toml";
