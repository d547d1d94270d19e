//! No file names a place of the machine it was written on; no script is left half done.

use super::{Finding, line_of, words};

/// Looks for paths of a development machine, and for unfinished work outside Rust files.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for root in MACHINE_ROOTS {
        let root = format!("/{root}/");
        for (offset, _) in text
            .match_indices(&root)
            .filter(|&(offset, _)| begins_a_path(text, offset))
        {
            findings.push(Finding::error(
                path,
                line_of(text, offset),
                format!("`{root}` is a folder of one machine"),
                "use a path relative to the repository, or an argument",
            ));
        }
    }
    let outside = format!("../{OUTSIDE}");
    for (offset, _) in text.match_indices(&outside) {
        findings.push(Finding::error(
            path,
            line_of(text, offset),
            format!("`{outside}` is outside the repository"),
            "copy what is needed into the repository, with its origin",
        ));
    }
    if SCRIPTS.iter().any(|extension| path.ends_with(extension)) {
        for mark in UNFINISHED_MARKS {
            for offset in words(text, mark) {
                findings.push(Finding::error(
                    path,
                    line_of(text, offset),
                    format!("`{mark}` is left in the file"),
                    "do it now, or file an issue and say how things are",
                ));
            }
        }
    }
    findings
}

/// False inside a longer path or an address, such as `./a/` or `https://host/a/`.
fn begins_a_path(text: &str, offset: usize) -> bool {
    let part_of_a_path = |character: char| character.is_alphanumeric() || "._-~+/}$*".contains(character);
    !text[..offset].ends_with(part_of_a_path) || text[..offset].ends_with("file://")
}

/// Folders that exist on development machines only; written without slashes, so that this file passes its own rule.
const MACHINE_ROOTS: &[&str] = &["Users", "home/runner", "root", "tmp/wx", "work", "workspace"];

/// A folder beside the repository on a development machine.
const OUTSIDE: &str = "shared";

/// Files whose every line is code or a remark about it.
const SCRIPTS: &[&str] = &[".py", ".sh", ".sql", ".toml", ".yaml", ".yml", ".ci/run"];

/// Remarks that stand for work not done yet.
const UNFINISHED_MARKS: &[&str] = &["FIXME", "XXX"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_a_machine_are_found() {
        for root in MACHINE_ROOTS {
            let bad = format!("one\nopen(\"/{root}/a.pem\")");
            let findings = check("a.py", &bad);
            assert_eq!((findings.len(), findings[0].line), (1, 2), "{bad}");
            assert_eq!(check("a.md", &format!("file:///{root}/a")).len(), 1);
            for good in [
                format!("https://host/{root}/a"),
                format!("./{root}/a"),
                format!("$HOME/{root}/"),
            ] {
                assert!(check("a.md", &good).is_empty(), "{good}");
            }
        }
    }

    #[test]
    fn a_folder_outside_the_repository_is_found() {
        let bad = format!("see ../{OUTSIDE}/style.md");
        assert_eq!(check("README.md", &bad).len(), 1);
        assert!(check("README.md", "see ../crypto/README.md").is_empty());
    }

    #[test]
    fn unfinished_scripts_are_found() {
        for mark in UNFINISHED_MARKS {
            assert_eq!(check("tests/a.py", &format!("# {mark} later")).len(), 1);
            assert!(check("tests/a.pem", mark).is_empty());
        }
        assert!(check("a.sh", "mktemp -d /tmp/a.XXXXXX").is_empty());
    }
}
