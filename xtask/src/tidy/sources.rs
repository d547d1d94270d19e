//! Every Rust file opens with its purpose, has a name that says something, and one concept's worth of lines.

use super::{Finding, is_generated, line_of, rust_text};

/// A file starts with `//!` and a sentence.
pub(super) fn check_header(path: &str, text: &str) -> Vec<Finding> {
    let first = text.lines().next().unwrap_or_default();
    if first
        .strip_prefix("//!")
        .is_some_and(|purpose| !purpose.trim().is_empty())
    {
        return Vec::new();
    }
    vec![Finding::error(
        path,
        1,
        "the file does not start with a `//!` line",
        "say in `//!` lines what the module is for and what it must never do",
    )]
}

/// `foo.rs` beside `foo/`, and no name that fits everything.
pub(super) fn check_name(path: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let parts: Vec<&str> = path.split('/').collect();
    if parts.last() == Some(&"mod.rs") {
        let module = parts
            .len()
            .checked_sub(2)
            .map_or("module", |folder| parts[folder]);
        findings.push(Finding::error(
            path,
            1,
            "`mod.rs` hides the name of the module",
            format!("move it to `{module}.rs` beside the folder `{module}`"),
        ));
    }
    if let Some(name) = parts
        .iter()
        .find(|part| NAMELESS.contains(&part.trim_end_matches(".rs")))
    {
        findings.push(Finding::error(
            path,
            1,
            format!("`{name}` says nothing about what it holds"),
            "name it after the one thing it does, or move its parts to where they are used",
        ));
    }
    findings
}

/// At 600 lines a warning, above 1,000 an error unless the header gives the reason.
pub(super) fn check_size(path: &str, text: &str) -> Vec<Finding> {
    let lines = text.lines().count();
    let header = || text.lines().take_while(|line| line.starts_with("//!"));
    let reasoned =
        || header().any(|line| line.starts_with(LONG_BECAUSE) && line.len() > LONG_BECAUSE.len() + 1);
    if is_generated(path, text) || lines < MANY_LINES || reasoned() {
        Vec::new()
    } else if lines > TOO_MANY_LINES {
        let fix = format!("split it, or give the reason in a header line `{LONG_BECAUSE} …`");
        vec![Finding::error(
            path,
            1,
            format!("{lines} lines, more than {TOO_MANY_LINES}"),
            fix,
        )]
    } else {
        vec![Finding::warning(
            path,
            1,
            format!("{lines} lines"),
            "look for the second concept and give it a file",
        )]
    }
}

/// Tests above 150 lines have a file of their own.
pub(super) fn check_inline_tests(path: &str, parts: &rust_text::Parts) -> Vec<Finding> {
    let module = path
        .trim_end_matches("/lib.rs")
        .trim_end_matches("/main.rs")
        .trim_end_matches(".rs");
    rust_text::inline_tests(&parts.code)
        .into_iter()
        .filter_map(|range| {
            let lines = parts.code[range.clone()].lines().count();
            (lines > INLINE_TEST_LINES).then(|| {
                Finding::error(
                    path,
                    line_of(&parts.code, range.start),
                    format!("{lines} lines of tests inside the file, more than {INLINE_TEST_LINES}"),
                    format!("move them to `{module}/tests.rs`"),
                )
            })
        })
        .collect()
}

/// How the header of a long file begins the line with its reason.
const LONG_BECAUSE: &str = "//! Long because";

/// From here on somebody should look.
const MANY_LINES: usize = 600;

/// Above this a file needs a reason.
const TOO_MANY_LINES: usize = 1_000;

/// Above this tests need a file.
const INLINE_TEST_LINES: usize = 150;

/// Names that fit everything.
const NAMELESS: &[&str] = &["common", "helper", "helpers", "misc", "util", "utils"];

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(header: &str, count: usize) -> String {
        format!("{header}\n{}", "\n".repeat(count - 1))
    }

    #[test]
    fn a_file_without_header_is_found() {
        assert!(check_header("a.rs", "//! Keys.\n").is_empty());
        for bad in ["", "use std;\n", "\n//! Late.\n", "// Keys.\n", "//!\n"] {
            assert_eq!(check_header("a.rs", bad).len(), 1, "{bad:?}");
        }
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        assert!(check_name("crates/crypto/src/key.rs").is_empty());
        assert!(check_name("crates/crypto/src/commonwealth.rs").is_empty());
        for bad in [
            "src/key/mod.rs",
            "src/utils.rs",
            "src/common/key.rs",
            "src/misc.rs",
            "src/helpers.rs",
        ] {
            assert_eq!(check_name(bad).len(), 1, "{bad}");
        }
        assert!(check_name("src/key/mod.rs")[0].fix.contains("`key.rs`"));
    }

    #[test]
    fn long_files_need_a_reason() {
        let weight = |text: &str| check_size("src/a.rs", text).first().map(|finding| finding.weight);
        assert_eq!(weight(&lines("//! A.", 599)), None);
        assert_eq!(weight(&lines("//! A.", 600)), Some(super::super::Weight::Warning));
        assert_eq!(
            weight(&lines("//! A.", 1_000)),
            Some(super::super::Weight::Warning)
        );
        assert_eq!(weight(&lines("//! A.", 1_001)), Some(super::super::Weight::Error));
        assert_eq!(
            weight(&lines("//! A.\n//! Long because it is one table.", 1_001)),
            None
        );
        assert_eq!(
            weight(&lines("//! A.\n//! Long because", 1_001)),
            Some(super::super::Weight::Error)
        );
        assert_eq!(
            weight(&lines("//! A.\n\n//! Long because late.", 1_001)),
            Some(super::super::Weight::Error)
        );
        assert!(
            check_size(
                "crates/a/src/generated.rs",
                &lines("//! Generated by cargo xtask codegen …", 9_000)
            )
            .is_empty()
        );
    }

    #[test]
    fn long_inline_tests_are_found() {
        let found = |count: usize| {
            let text = format!(
                "fn f() {{}}\n#[cfg(test)]\nmod tests {{{}}}\n",
                "\n".repeat(count - 2)
            );
            check_inline_tests("crates/a/src/key.rs", &rust_text::split(&text))
        };
        assert!(found(150).is_empty());
        let finding = found(151).remove(0);
        assert_eq!(
            (finding.line, finding.fix.as_str()),
            (2, "move them to `crates/a/src/key/tests.rs`")
        );
    }
}
