//! Where the file of refused rows goes. Decided before anything is sent, since afterwards it is too late to say no.

use std::path::{Path, PathBuf};

use crate::{failure::Failure, language::t, output, places};

/// Beside the source, with everything of its name, so that `members.csv` and `members.xlsx` do not share it. Of a stream
/// there is no place, and some folders take no file: then the working folder, and last the folder of the ledgers.
pub(super) fn path(file: &Path) -> Result<PathBuf, Failure> {
    let is_file = file.is_file() && file != Path::new("-");
    let mut name = match is_file {
        true => file.file_name().unwrap_or_default().to_owned(),
        false => "stdin".into(),
    };
    name.push(".refused.csv");
    if is_file {
        let beside = file.with_file_name(&name);
        if is_writable(beside.parent()) {
            return Ok(beside);
        }
    }
    if is_writable(None) {
        return Ok(name.into());
    }
    let folder = places::state_folder()?;
    if is_writable(Some(&folder)) {
        return Ok(folder.join(name));
    }
    Err(Failure::new(t!("refused-file-nowhere")).hint(t!("hint-refused-file")))
}

fn is_writable(folder: Option<&Path>) -> bool {
    let folder = folder.filter(|folder| *folder != Path::new(""));
    output::is_writable(folder.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_stands_beside_a_file_and_for_a_stream_in_the_working_folder() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list.csv");
        fs::write(&list, "").unwrap();
        assert_eq!(path(&list).unwrap(), folder.path().join("list.csv.refused.csv"));
        for stream in ["-", "/dev/null", "/dev/fd/63"] {
            assert_eq!(path(Path::new(stream)).unwrap(), Path::new("stdin.refused.csv"));
        }
        // Nothing is left of the trial.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
