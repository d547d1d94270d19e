//! `crypto` and `signing` turn bytes and a time into bytes: no async, no environment, no files, no clock of their own.

use super::{Finding, is_test_file, line_of, rust_text, words};

/// Looks for what the pure crates must not use; their tests may.
pub(super) fn check(path: &str, parts: &rust_text::Parts) -> Vec<Finding> {
    if !PURE.iter().any(|folder| path.starts_with(folder)) || is_test_file(path) {
        return Vec::new();
    }
    let tests = rust_text::inline_tests(&parts.code);
    let code = &parts.code;
    let mut uses: Vec<(usize, String)> = Vec::new();
    for module in IMPURE_MODULES {
        uses.extend(words(code, &format!("std::{module}")).map(|offset| (offset, format!("std::{module}"))));
    }
    for (start, group) in code.match_indices("std::{") {
        let open = start + group.len() - 1;
        let inside = &code[open + 1..rust_text::closing(code, open).saturating_sub(1)];
        for module in IMPURE_MODULES {
            uses.extend(entries(inside, module).map(|offset| (open + 1 + offset, format!("std::{module}"))));
        }
    }
    for name in IMPURE_WORDS {
        uses.extend(words(code, name).map(|offset| (offset, (*name).to_owned())));
    }
    uses.sort();
    uses.into_iter()
        .filter(|(offset, _)| !tests.iter().any(|range| range.contains(offset)))
        .map(|(offset, name)| {
            Finding::error(
                path,
                line_of(code, offset),
                format!("`{name}` in a crate that turns bytes and a time into bytes"),
                "take what it gives as an argument, and do the rest in `sdk`",
            )
        })
        .collect()
}

/// Where `module` is an entry of a `use` group of its own, not the end of a longer path.
fn entries<'a>(group: &'a str, module: &'a str) -> impl Iterator<Item = usize> + 'a {
    words(group, module).filter(|&offset| {
        let before = group[..offset].trim_end();
        before.is_empty() || before.ends_with([',', '{'])
    })
}

/// Folders whose code is pure.
const PURE: &[&str] = &["crates/crypto/src/", "crates/signing/src/"];

/// Modules of `std` that reach the world.
const IMPURE_MODULES: &[&str] = &["env", "fs", "io::stdin", "net", "process", "thread"];

/// Words that mean a runtime or a clock.
const IMPURE_WORDS: &[&str] = &["async", "await", "Instant::now", "SystemTime::now", "tokio"];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_text(path: &str, text: &str, expect: &[&str]) {
        let findings = check(path, &rust_text::split(text));
        let found: Vec<_> = findings
            .iter()
            .map(|finding| finding.what.split('`').nth(1).unwrap())
            .collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn the_world_is_found_in_pure_crates() {
        let path = "crates/crypto/src/key.rs";
        check_text(path, "use std::fs;", &["std::fs"]);
        check_text(path, "use std::{env, fmt, fs::File};", &["std::env", "std::fs"]);
        check_text(path, "let now = SystemTime::now();", &["SystemTime::now"]);
        check_text(path, "async fn f() {}", &["async"]);
        check_text("crates/signing/src/lib.rs", "std::net::lookup()", &["std::net"]);
    }

    #[test]
    fn the_same_is_fine_elsewhere() {
        check_text("crates/sdk/src/lib.rs", "use std::fs;", &[]);
        check_text("crates/crypto/src/key/tests.rs", "use std::fs;", &[]);
        check_text(
            "crates/crypto/src/key.rs",
            "#[cfg(test)]\nmod tests { use std::fs; }",
            &[],
        );
        check_text(
            "crates/crypto/src/key.rs",
            "use std::{fmt, time::SystemTime}; // std::fs",
            &[],
        );
    }
}
