//! Files that a user names to be written. Must never leave half a file, and never touch one before the whole is there.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{failure::Failure, language::t};

/// A file on its way: written beside its place under another name, which goes when it is not finished.
pub(crate) struct Output {
    path: PathBuf,
    to: To,
}

enum To {
    Beside(NamedTempFile),
    // A terminal, a device or a pipe has no place beside it.
    Through(fs::File),
}

impl Output {
    /// Begins a file that only its owner may read.
    pub(crate) fn private(path: &Path, kept: &[PathBuf]) -> Result<Self, Failure> {
        Self::begin(path, kept, 0o600)
    }

    /// Begins a file that everybody may read, as far as the user lets them.
    pub(crate) fn public(path: &Path, kept: &[PathBuf]) -> Result<Self, Failure> {
        Self::begin(path, kept, 0o666)
    }

    /// None of `kept` is written over, whatever name it is given.
    fn begin(path: &Path, kept: &[PathBuf], mode: u32) -> Result<Self, Failure> {
        let unwritable = |error: io::Error| Failure::because(t!("unwritable", path = path.display()), &error);
        if let Some(same) = kept.iter().find(|kept| is_same(path, kept)) {
            return Err(Failure::usage(t!("output-kept", path = same.display())).hint(t!("output-hint")));
        }
        let to = match fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(unwritable(io::ErrorKind::IsADirectory.into())),
            Ok(there) if !there.is_file() => {
                To::Through(fs::File::options().write(true).open(path).map_err(unwritable)?)
            }
            _ if path.is_symlink() => {
                return Err(Failure::usage(t!("output-link", path = path.display())).hint(t!("output-hint")));
            }
            _ => To::Beside(beside(path, mode).map_err(unwritable)?),
        };
        Ok(Self {
            path: path.to_owned(),
            to,
        })
    }

    /// Where to write.
    pub(crate) fn writer(&self) -> Result<BufWriter<fs::File>, Failure> {
        let file = match &self.to {
            To::Beside(file) => file.as_file(),
            To::Through(file) => file,
        };
        file.try_clone()
            .map(BufWriter::new)
            .map_err(|error| self.unwritable(&error))
    }

    /// Gives what was written its name, in place of what had it before.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.to {
            To::Beside(file) => match file.persist(&self.path) {
                Ok(_) => Ok(()),
                Err(error) => Err(Failure::because(
                    t!("unwritable", path = self.path.display()),
                    &error.error,
                )),
            },
            To::Through(_) => Ok(()),
        }
    }

    /// Writes a whole text.
    pub(crate) fn write(self, text: &str) -> Result<(), Failure> {
        let mut writer = self.writer()?;
        let written = writer.write_all(text.as_bytes()).and_then(|()| writer.flush());
        written.map_err(|error| self.unwritable(&error))?;
        self.finish()
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        Failure::because(t!("unwritable", path = self.path.display()), error)
    }
}

/// Whether a folder takes new files. Finds out by making one, which goes at once.
pub(crate) fn is_writable(folder: &Path) -> bool {
    beside(&folder.join("x"), 0o600).is_ok()
}

fn beside(path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wxmember-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder.tempfile_in(folder)
}

/// Whether two names mean one file, also over links.
fn is_same(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if let (Ok(one), Ok(other)) = (fs::metadata(one), fs::metadata(other)) {
            return (one.dev(), one.ino()) == (other.dev(), other.ino());
        }
    }
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_file_is_replaced_only_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        fs::write(&path, "before").unwrap();
        let output = Output::private(&path, &[]).unwrap();
        output.writer().unwrap().write_all(b"half").unwrap();
        drop(output);
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(names(folder.path()), 1);
        Output::private(&path, &[]).unwrap().write("after").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(names(folder.path()), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_kept_is_found_behind_every_name() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("list.csv"), "members").unwrap();
        symlink(at("list.csv"), at("link.csv")).unwrap();
        symlink(at("nowhere"), at("dangling.csv")).unwrap();
        fs::hard_link(at("list.csv"), at("hard.csv")).unwrap();
        let kept = [at("list.csv")];
        for name in ["list.csv", "link.csv", "hard.csv", "dangling.csv"] {
            let refused = Output::private(&at(name), &kept).err().unwrap();
            assert_eq!(refused.code(), crate::exit::USAGE, "{name}");
        }
        // A link to something else is not followed either.
        assert!(Output::private(&at("link.csv"), &[]).is_err());
        assert!(Output::private(folder.path(), &[]).is_err());
        assert_eq!(fs::read_to_string(at("list.csv")).unwrap(), "members");
        assert_eq!(names(folder.path()), 4);
        Output::private(Path::new("/dev/null"), &kept)
            .unwrap()
            .write("x")
            .unwrap();
    }
}
