//! Where things are kept when nobody says where.

use std::{fs, path::PathBuf};

use etcetera::BaseStrategy;

use crate::failure::Failure;

/// The user's state folder for wxmember, made when it is not there; readable by its owner only.
pub(crate) fn state_folder() -> Result<PathBuf, Failure> {
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        Failure::because("there is no home folder to keep the ledger in", &error)
            .hint("name a file with `--ledger FILE`")
    })?;
    let folder = strategy
        .state_dir()
        .unwrap_or_else(|| strategy.data_dir())
        .join("wxmember");
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(|error| {
        Failure::because(format!("failed to make the folder {}", folder.display()), &error)
            .hint("name a file with `--ledger FILE`")
    })?;
    Ok(folder)
}
