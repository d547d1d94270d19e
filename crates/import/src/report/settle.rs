//! Where a file of refused rows ends up. Must never replace, follow or remove a file that is there already.

use std::{
    fs::{self, File},
    io::{self, BufReader, ErrorKind, Read, Seek},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// Gives a temporary file its name: the one that is wanted, or the next with a number when another text stands there,
/// which may be somebody's work. A file with the same text is left as it is.
pub(super) fn settle(mut file: NamedTempFile, path: &Path) -> io::Result<PathBuf> {
    for number in 1..=MOST {
        let name = numbered(path, number);
        file = match fs::symlink_metadata(&name) {
            Err(error) if error.kind() == ErrorKind::NotFound => match file.persist_noclobber(&name) {
                Ok(_) => return Ok(name),
                // Another process was faster.
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => error.file,
                Err(error) => return Err(error.error),
            },
            Err(error) => return Err(error),
            Ok(there) if there.is_file() && is_same(file.as_file(), &name)? => return Ok(name),
            Ok(_) => file,
        };
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// The folder that a file stands in.
pub(super) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// `list.refused.csv`, `list.refused.2.csv`, and so on.
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// Whether two files have the same bytes; a file that cannot be read has others.
fn is_same(file: &File, other: &Path) -> io::Result<bool> {
    let Ok(other) = File::open(other) else {
        return Ok(false);
    };
    if file.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut file = file;
    file.rewind()?;
    let mut other = BufReader::new(other).bytes();
    for byte in BufReader::new(file).bytes() {
        if other.next().transpose()? != Some(byte?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Files of one name; who has so many wants none more.
const MOST: u32 = 1000;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Settles a text at `list.csv` of a folder and returns the name it got.
    fn settled(folder: &Path, text: &str) -> String {
        let mut file = NamedTempFile::new_in(folder).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let path = settle(file, &folder.join("list.csv")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        path.file_name().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn a_changed_file_is_kept_and_the_same_text_is_not_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(settled(folder, "one"), "list.csv");
        assert_eq!(settled(folder, "one"), "list.csv");
        fs::write(folder.join("list.csv"), "ONE").unwrap();
        assert_eq!(settled(folder, "one"), "list.2.csv");
        assert_eq!(settled(folder, "one"), "list.2.csv");
        assert_eq!(settled(folder, "three"), "list.3.csv");
        assert_eq!(fs::read_to_string(folder.join("list.csv")).unwrap(), "ONE");
        // No temporary file is left.
        assert_eq!(fs::read_dir(folder).unwrap().count(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("precious"), "text").unwrap();
        for target in ["precious", "nowhere"] {
            std::os::unix::fs::symlink(folder.join(target), folder.join("list.csv")).unwrap();
            assert_eq!(settled(folder, "text"), "list.2.csv");
            fs::remove_file(folder.join("list.csv")).unwrap();
        }
        assert!(!folder.join("nowhere").exists());
    }
}
