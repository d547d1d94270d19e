//! Who else may read a file that holds a secret. Says so and refuses nothing: the owner decides.

use std::path::Path;

/// A word on stderr about a file that others may read, with the command that puts it right.
pub(crate) fn tell_readers(path: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(path) {
        use std::os::unix::fs::PermissionsExt;

        use crate::{doctor::shell_word, language::t, print::tell};

        let mode = metadata.permissions().mode() & 0o777;
        // Pipes and devices, such as `/dev/fd/3`, are nobody's for long.
        if metadata.is_file() && mode & 0o077 != 0 {
            let word = shell_word(&path.display().to_string());
            let (path, mode) = (path.display(), format!("{mode:03o}"));
            tell!("{}", t!("secret-readable", path = path, mode = mode, word = word));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}
