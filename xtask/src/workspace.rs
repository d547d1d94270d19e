//! The workspace as cargo and git see it: its root, its members, its files.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{Metadata, MetadataCommand, Package};

use crate::{
    outcome::{Failure, Outcome},
    process,
};

/// The workspace this tool belongs to.
pub(crate) struct Workspace {
    /// What `cargo metadata --no-deps` says.
    pub(crate) metadata: Metadata,
}

impl Workspace {
    /// Asks cargo; needs no network and no build.
    pub(crate) fn load() -> Outcome<Self> {
        // Cargo sets the variable for what it runs; a binary started by hand looks from where it stands.
        let mut command = MetadataCommand::new();
        if let Some(folder) = env::var_os("CARGO_MANIFEST_DIR") {
            command.current_dir(folder);
        }
        let metadata = command.no_deps().exec().map_err(|error| {
            Failure::failed(
                format!("cargo cannot read the workspace: {error}"),
                "run `cargo metadata --no-deps`",
            )
        })?;
        Ok(Self { metadata })
    }

    /// The folder of the root manifest.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// The one target directory, where everything that is made goes.
    pub(crate) fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// The members, in the order of the manifest.
    pub(crate) fn members(&self) -> Vec<&Package> {
        self.metadata.workspace_packages()
    }

    /// The member of that name.
    pub(crate) fn member(&self, name: &str) -> Option<&Package> {
        self.members().into_iter().find(|package| package.name == name)
    }

    /// Every text file that git tracks, or would track: paths relative to the root, with `/`.
    ///
    /// Files deleted but not yet committed and binary files are left out.
    pub(crate) fn texts(&self) -> Outcome<Vec<(String, String)>> {
        let mut texts = Vec::new();
        for path in self.files()? {
            match fs::read(self.root().join(&path)) {
                Ok(bytes) => texts.extend(String::from_utf8(bytes).ok().map(|text| (path, text))),
                Err(error) => {
                    return Err(Failure::failed(
                        format!("cannot read {path}: {error}"),
                        "run `git status`",
                    ));
                }
            }
        }
        Ok(texts)
    }

    /// Every file that git tracks, or would track.
    pub(crate) fn files(&self) -> Outcome<Vec<String>> {
        let mut command = Command::new("git");
        command.current_dir(self.root());
        command.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        ]);
        let listed = process::output(&mut command, &[])?;
        if !listed.status.success() {
            return Err(Failure::failed(
                format!(
                    "git cannot list the files: {}",
                    String::from_utf8_lossy(&listed.stderr).trim()
                ),
                "run this in a git clone",
            ));
        }
        Ok(String::from_utf8_lossy(&listed.stdout)
            .split_terminator('\0')
            .filter(|path| self.root().join(path).is_file())
            .map(ToOwned::to_owned)
            .collect())
    }

    /// The path of a file relative to the root, with `/`.
    pub(crate) fn relative(&self, path: impl Into<PathBuf>) -> String {
        let path: PathBuf = path.into();
        path.strip_prefix(self.root())
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/")
    }
}
