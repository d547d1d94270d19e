//! `spec check` and `spec diff`: the API document as a reviewed artefact.
//!
//! Nothing here writes. Every finding has its place in the document and says what to do.

use std::{fs, path::Path};

use serde_yaml_ng::Value;

use crate::{
    codegen::SPEC,
    outcome::{Failure, Outcome},
    workspace::Workspace,
};

mod check;
mod diff;
mod examples;
mod walk;

/// The arguments of `spec`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Checks what no generator checks: examples, limits, directions, references
    Check,
    /// Lists what changed against a git revision; exit code 4 when a breaking change is not in CHANGELOG.md
    Diff(diff::Arguments),
}

/// Runs a verb.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match &arguments.verb {
        Verb::Check => check(),
        Verb::Diff(arguments) => diff::run(Workspace::load()?.root(), arguments),
    }
}

/// Checks the document of the working tree.
pub(crate) fn check() -> Outcome {
    check::run(&text(Workspace::load()?.root())?)
}

/// Every finding in a document, as a line.
#[cfg(test)]
pub(crate) fn findings_of(text: &str) -> Vec<String> {
    let document: Value = serde_yaml_ng::from_str(text).unwrap();
    check::findings(&crate::codegen::model::Node::root(&document))
        .into_iter()
        .map(|finding| format!("{}: {}", finding.at, finding.what))
        .collect()
}

/// The document of the working tree.
fn text(root: &Path) -> Outcome<String> {
    let path = root.join(SPEC);
    fs::read_to_string(&path).map_err(|error| {
        Failure::failed(
            format!("cannot read {}: {error}", path.display()),
            format!("restore `{SPEC}`"),
        )
    })
}

fn parse(text: &str, origin: &str) -> Outcome<Value> {
    serde_yaml_ng::from_str(text)
        .map_err(|error| Failure::failed(format!("{origin} is not YAML: {error}"), format!("mend {SPEC}")))
}
