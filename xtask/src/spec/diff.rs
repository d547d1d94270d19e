//! `spec diff [REV]`: what changed in the document, and what that means for those who use it.
//!
//! A breaking change is one that makes a program that used the API before wrong or uncompilable: it needs a line in
//! CHANGELOG.md that names it.

use std::{fs, path::Path, process::Command};

use serde_yaml_ng::Value;

use super::{parse, text};
use crate::{
    codegen::{SPEC, model::Node},
    outcome::{Failure, Outcome},
    process,
};

mod changelog;
mod operations;
mod parameters;
mod schemas;

/// The arguments of `spec diff`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The git revision to compare the working tree with
    #[arg(default_value = "HEAD")]
    rev: String,
}

/// One difference between two documents.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Change {
    pub(super) at: String,
    pub(super) what: String,
    pub(super) is_breaking: bool,
    /// What a reader of the changelog looks for: the operation, schema, field or value.
    pub(super) names: Vec<String>,
}

/// Lists the changes, and fails when a breaking one is not announced.
pub(super) fn run(root: &Path, arguments: &Arguments) -> Outcome {
    let rev = &arguments.rev;
    let old = parse(&at_revision(root, rev)?, &format!("{SPEC} of {rev}"))?;
    let new = parse(&text(root)?, SPEC)?;
    let changes = changes(&old, &new);
    for change in &changes {
        let class = if change.is_breaking {
            "breaking"
        } else {
            "compatible"
        };
        eprintln!("{class:<10}  {}: {}", change.at, change.what);
    }
    if changes.is_empty() {
        eprintln!("{SPEC} says the same as in {rev}");
    }
    let path = root.join("CHANGELOG.md");
    let changelog = fs::read_to_string(&path).map_err(|error| {
        Failure::failed(
            format!("cannot read {}: {error}", path.display()),
            "restore `CHANGELOG.md`",
        )
    })?;
    changelog::check(&changes, &changelog)
}

/// The document as it was.
fn at_revision(root: &Path, rev: &str) -> Outcome<String> {
    let mut command = Command::new("git");
    command.current_dir(root).args(["show", &format!("{rev}:{SPEC}")]);
    let shown = process::output(&mut command, &[])?;
    if !shown.status.success() {
        return Err(Failure::failed(
            format!(
                "git has no {SPEC} at {rev}: {}",
                String::from_utf8_lossy(&shown.stderr).trim()
            ),
            "name a revision that has one, for example `cargo xtask spec diff HEAD~1`",
        ));
    }
    Ok(String::from_utf8_lossy(&shown.stdout).into_owned())
}

/// Every change, operations first.
pub(super) fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let both = Both {
        old: Node::root(old),
        new: Node::root(new),
    };
    let mut changes = Vec::new();
    operations::compare(&both, &mut changes);
    schemas::compare(&both, &mut changes);
    rest(&both, &mut changes);
    changes
}

/// The two documents.
pub(super) struct Both<'a> {
    pub(super) old: Node<'a>,
    pub(super) new: Node<'a>,
}

/// What changed outside of operations, notifications and schemas: words, hosts, headers.
fn rest(both: &Both<'_>, changes: &mut Vec<Change>) {
    for key in [
        "openapi",
        "info",
        "servers",
        "security",
        "tags",
        "x-notification-envelope",
    ] {
        if both.old.value_of(key) != both.new.value_of(key) {
            changes.push(compatible(&format!("#/{key}"), "changed", &[key]));
        }
    }
    let components = |node: &Node<'_>, section: &str| {
        let section = node.find("components").and_then(|node| node.find(section));
        section.map(|node| node.value.clone())
    };
    for section in ["headers", "responses", "securitySchemes"] {
        if components(&both.old, section) != components(&both.new, section) {
            let at = format!("#/components/{section}");
            changes.push(compatible(&at, "changed", &[section]));
        }
    }
}

pub(super) fn breaking(at: &str, what: impl Into<String>, names: &[&str]) -> Change {
    change(at, what.into(), true, names)
}

pub(super) fn compatible(at: &str, what: impl Into<String>, names: &[&str]) -> Change {
    change(at, what.into(), false, names)
}

pub(super) fn change(at: &str, what: String, is_breaking: bool, names: &[&str]) -> Change {
    Change {
        at: at.to_owned(),
        what,
        is_breaking,
        names: names.iter().map(|&name| name.to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests;
