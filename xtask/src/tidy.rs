//! `tidy`: the rules of the repository that no compiler checks.
//!
//! Every rule is a pure function from text, or from what cargo says, to findings, and has a test that shows it fails
//! on a bad sample. A finding names file and line, then how to fix it. A rule never writes.

use std::{collections::BTreeSet, fmt, fs};

use clap::Args;

use crate::{
    outcome::{Failure, Outcome},
    workspace::Workspace,
};

mod attributes;
mod dependencies;
mod links;
mod manifests;
mod paths;
mod purity;
mod rust_text;
mod sources;

/// Arguments of `tidy`.
#[derive(Args)]
pub(crate) struct Arguments {}

/// Runs every rule over every tracked file.
pub(crate) fn run(_: &Arguments) -> Outcome {
    let workspace = Workspace::load()?;
    let texts = workspace.texts()?;
    let mut report = Report::default();

    report.extend(dependencies::check(&dependencies::edges(&workspace)?));
    report.extend(dependencies::check_names(&dependencies::folders(&workspace)));
    let manifests = workspace
        .members()
        .into_iter()
        .map(|member| workspace.relative(&member.manifest_path));
    for manifest in manifests.collect::<BTreeSet<_>>() {
        let text = read(&workspace, &manifest)?;
        report.extend(manifests::check(&manifest, &text));
    }
    report.extend(manifests::check_toolchain(
        &read(&workspace, "Cargo.toml")?,
        &read(&workspace, "rust-toolchain.toml")?,
    ));

    let files: BTreeSet<&str> = texts.iter().map(|(path, _)| path.as_str()).collect();
    for (path, text) in &texts {
        report.extend(paths::check(path, text));
        if path.ends_with(".md") {
            report.extend(links::check(path, text, &files));
        }
        if path.ends_with(".rs") {
            let parts = rust_text::split(text);
            report.extend(sources::check_header(path, text));
            report.extend(sources::check_name(path));
            report.extend(sources::check_size(path, text));
            report.extend(sources::check_inline_tests(path, &parts));
            report.extend(attributes::check(path, text, &parts));
            report.extend(purity::check(path, &parts));
        }
    }
    report.close(texts.len())
}

/// One thing that is wrong, and how to put it right.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Finding {
    path: String,
    line: usize,
    what: String,
    fix: String,
    weight: Weight,
}

/// Whether a finding fails the run.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Weight {
    Error,
    Warning,
}

impl Finding {
    fn error(path: &str, line: usize, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
            fix: fix.into(),
            weight: Weight::Error,
        }
    }

    fn warning(path: &str, line: usize, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            weight: Weight::Warning,
            ..Self::error(path, line, what, fix)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warning = if self.weight == Weight::Warning {
            "warning: "
        } else {
            ""
        };
        write!(
            f,
            "{}:{}: {warning}{}\n  fix: {}",
            self.path, self.line, self.what, self.fix
        )
    }
}

#[derive(Default)]
struct Report {
    findings: Vec<Finding>,
}

impl Report {
    fn extend(&mut self, findings: Vec<Finding>) {
        self.findings.extend(findings);
    }

    fn close(mut self, files: usize) -> Outcome {
        self.findings.sort();
        for finding in &self.findings {
            eprintln!("{finding}");
        }
        let errors = self
            .findings
            .iter()
            .filter(|finding| finding.weight == Weight::Error)
            .count();
        let warnings = self.findings.len() - errors;
        if errors == 0 {
            eprintln!(
                "tidy: {files} files, nothing to fix, {}",
                counted(warnings, "warning")
            );
            return Ok(());
        }
        Err(Failure::failed(
            format!(
                "tidy: {}, {} in {files} files",
                counted(errors, "error"),
                counted(warnings, "warning")
            ),
            "fix what is named above, then run `cargo xtask tidy`",
        ))
    }
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

fn read(workspace: &Workspace, path: &str) -> Outcome<String> {
    fs::read_to_string(workspace.root().join(path)).map_err(|error| {
        Failure::failed(
            format!("cannot read {path}: {error}"),
            format!("restore `{path}`"),
        )
    })
}

/// The number of the line that holds the byte at `offset`, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
        + 1
}

/// True for what the code generator wrote: it is named so, and says so in its first line.
fn is_generated(path: &str, text: &str) -> bool {
    let named =
        path.ends_with("/generated.rs") || path.ends_with("/scalars.rs") || path.contains("/generated/");
    named && text.starts_with("//! Generated by cargo xtask codegen")
}

/// True for a file, or the folder of a module, that holds only tests.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.starts_with("tests/") || path.contains("/tests/")
}

/// True if `name` stands at `offset` as a whole word.
fn is_word(text: &str, offset: usize, name: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    !text[..offset].ends_with(part) && !text[offset + name.len()..].starts_with(part)
}

/// Every place where `name` stands as a whole word.
fn words<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(name)
        .map(|(offset, _)| offset)
        .filter(move |&offset| is_word(text, offset, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_shows_place_and_fix() {
        let finding = Finding::error("a/b.rs", 7, "too long", "split it");
        assert_eq!(finding.to_string(), "a/b.rs:7: too long\n  fix: split it");
        let finding = Finding::warning("a/b.rs", 7, "long", "split it");
        assert_eq!(finding.to_string(), "a/b.rs:7: warning: long\n  fix: split it");
    }

    #[test]
    fn errors_fail_and_warnings_do_not() {
        let report = |finding| {
            Report {
                findings: vec![finding],
            }
            .close(1)
        };
        assert!(report(Finding::warning("a.rs", 1, "long", "split it")).is_ok());
        assert!(report(Finding::error("a.rs", 1, "long", "split it")).is_err());
    }

    #[test]
    fn only_a_named_and_marked_file_counts_as_generated() {
        let text = "//! Generated by cargo xtask codegen from spec/a.yaml.\n";
        assert!(is_generated("crates/client/src/generated.rs", text));
        assert!(!is_generated("crates/client/src/lib.rs", text));
        assert!(!is_generated("crates/client/src/generated.rs", "//! By hand.\n"));
    }
}
