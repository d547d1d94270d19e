//! Programs from crates.io that a verb needs at one version: installed once, beside the builds.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{
    outcome::{Failure, Outcome},
    process,
    workspace::Workspace,
};

/// Installs the program of a package where it is not there yet, and returns its folder. Both have one name.
pub(crate) fn install(workspace: &Workspace, name: &str, version: &str) -> Outcome<PathBuf> {
    let root = workspace.target().join("tools").join(format!("{name}-{version}"));
    let folder = root.join("bin");
    if folder
        .join(format!("{name}{}", env::consts::EXE_SUFFIX))
        .is_file()
    {
        return Ok(folder);
    }
    eprintln!(
        "installing {name} {version} into {}, a minute or two",
        root.display()
    );
    let mut install = process::cargo(workspace.root());
    install.args(["install", "--quiet", "--locked", "--version", version, "--root"]);
    install.arg(&root).arg(name);
    // Its builds are of no use to anybody else.
    install.env_remove("CARGO_TARGET_DIR");
    process::run(
        &mut install,
        &format!(
            "it comes from crates.io, once: connect to the network and run this again, or put a {name} {version} that was \
             built elsewhere into {}",
            folder.display()
        ),
    )?;
    Ok(folder)
}

/// The search path with the folder in front.
pub(crate) fn path_with(folder: &Path) -> Outcome<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let all = [folder.to_owned()].into_iter().chain(env::split_paths(&path));
    env::join_paths(all).map_err(|error| {
        Failure::failed(
            format!("{} cannot stand in a search path: {error}", folder.display()),
            "move the checkout, or set `CARGO_TARGET_DIR`, to a path without such a character",
        )
    })
}
