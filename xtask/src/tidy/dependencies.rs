//! Which crate may name which: the arrows of ARCHITECTURE.md, and the third-party crates that stay in one place.
//!
//! ```text
//! crypto <- signing <- client <- sdk <- import <- cli        crypto <- sandbox        everything <- tests
//! ```
//!
//! Direct dependencies only: what a crate names is what its authors can use. `deny.toml` looks at the whole graph.

use std::{collections::BTreeMap, fs};

use cargo_metadata::DependencyKind;

use super::Finding;
use crate::{
    outcome::{Failure, Outcome},
    workspace::Workspace,
};

/// One dependency that a member declares.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    /// The folder of the member, without `crates/`.
    from: String,
    /// The folder of the member it names, or the name of a third-party crate.
    to: To,
    /// For its tests only.
    dev: bool,
    /// The manifest, relative to the root.
    manifest: String,
    /// The line of the manifest.
    line: usize,
}

#[derive(Clone, Debug)]
enum To {
    Ours(String),
    Theirs(String),
}

/// Every dependency that the members declare.
pub(super) fn edges(workspace: &Workspace) -> Outcome<Vec<Edge>> {
    let ours: BTreeMap<String, String> = folders(workspace)
        .into_iter()
        .map(|member| (member.package, short(&member.folder).to_owned()))
        .collect();
    let mut edges = Vec::new();
    for member in workspace.members() {
        let manifest = workspace.relative(&member.manifest_path);
        let text = fs::read_to_string(&member.manifest_path).map_err(|error| {
            Failure::failed(
                format!("cannot read {manifest}: {error}"),
                format!("restore `{manifest}`"),
            )
        })?;
        for dependency in &member.dependencies {
            let to = match ours.get(&dependency.name) {
                Some(folder) => To::Ours(folder.clone()),
                None => To::Theirs(dependency.name.clone()),
            };
            edges.push(Edge {
                from: ours[member.name.as_str()].clone(),
                to,
                dev: dependency.kind == DependencyKind::Development,
                manifest: manifest.clone(),
                line: line_of(&text, dependency.rename.as_ref().unwrap_or(&dependency.name)),
            });
        }
    }
    Ok(edges)
}

/// Holds every edge against the two tables.
pub(super) fn check(edges: &[Edge]) -> Vec<Finding> {
    edges.iter().filter_map(check_edge).collect()
}

fn check_edge(edge: &Edge) -> Option<Finding> {
    let Edge {
        from,
        to,
        dev,
        manifest,
        line,
    } = edge;
    match to {
        To::Ours(to) => {
            let Some(rule) = ARROWS.iter().find(|rule| rule.of == from) else {
                return Some(Finding::error(
                    manifest,
                    *line,
                    format!("`{from}` has no row in the table of dependencies"),
                    "give it one in `xtask/src/tidy/dependencies.rs`, and a paragraph in ARCHITECTURE.md",
                ));
            };
            let may = rule.may.contains(&to.as_str());
            let may_in_tests = to == from || rule.tests_also.contains(&to.as_str());
            let allowed = may || *dev && may_in_tests;
            (!allowed).then(|| {
                let allowed = if rule.may.is_empty() {
                    "none of ours".to_owned()
                } else {
                    rule.may.join(", ")
                };
                let scope = if *dev { " for its tests" } else { "" };
                Finding::error(
                    manifest,
                    *line,
                    format!("`{from}` depends on `{to}`{scope}; it may name {allowed}"),
                    "move what is needed down the line, or the test into `tests/`; an arrow never turns",
                )
            })
        }
        To::Theirs(name) => {
            let rule = RESTRICTED
                .iter()
                .find(|rule| rule.crates.contains(&name.as_str()))?;
            let allowed =
                rule.only_in.contains(&from.as_str()) || rule.in_tests && (*dev || from == END_TO_END);
            (!allowed).then(|| {
                Finding::error(
                    manifest,
                    *line,
                    format!(
                        "`{from}` depends on `{name}`, which belongs in {}",
                        rule.only_in.join(" and ")
                    ),
                    format!(
                        "use what {} offers instead: {}",
                        rule.only_in.join(" or "),
                        rule.reason
                    ),
                )
            })
        }
    }
}

/// A member: where it lies and what it is called.
pub(super) struct Member {
    folder: String,
    package: String,
}

/// The members by folder.
pub(super) fn folders(workspace: &Workspace) -> Vec<Member> {
    let folder = |manifest: String| {
        manifest
            .trim_end_matches("Cargo.toml")
            .trim_end_matches('/')
            .to_owned()
    };
    workspace
        .members()
        .into_iter()
        .map(|member| Member {
            folder: folder(workspace.relative(&member.manifest_path)),
            package: member.name.to_string(),
        })
        .collect()
}

/// `crates/<folder>` holds `wxmember-<folder>`, and the SDK is plain `wxmember`.
pub(super) fn check_names(members: &[Member]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Member { folder, package } in members {
        let name = short(folder);
        let expected = match name {
            "sdk" => "wxmember".to_owned(),
            "xtask" => name.to_owned(),
            _ => format!("wxmember-{name}"),
        };
        let manifest = format!("{folder}/Cargo.toml");
        if *package != expected {
            findings.push(Finding::error(
                &manifest,
                1,
                format!("the package is called `{package}`"),
                format!("call it `{expected}`, after its folder"),
            ));
        }
        if !ARROWS.iter().any(|rule| rule.of == name) {
            findings.push(Finding::error(
                &manifest,
                1,
                format!("`{name}` has no row in the table of dependencies"),
                "give it one in `xtask/src/tidy/dependencies.rs`, and a paragraph in ARCHITECTURE.md",
            ));
        }
    }
    findings
}

/// The folder without `crates/`.
fn short(folder: &str) -> &str {
    folder.strip_prefix("crates/").unwrap_or(folder)
}

/// The line where a manifest names a dependency; the first line if it does not.
fn line_of(manifest: &str, name: &str) -> usize {
    let names = |line: &str| {
        line.trim_start()
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with([' ', '=', '.']))
            || line.trim_end().ends_with(&format!("dependencies.{name}]"))
    };
    manifest.lines().position(names).map_or(1, |index| index + 1)
}

/// What one member may name.
struct Arrow {
    of: &'static str,
    may: &'static [&'static str],
    /// What its own tests may name besides, apart from itself.
    tests_also: &'static [&'static str],
}

/// One row a member. The sandbox reads the protocol a second time, so not even its tests may use our first reading.
const ARROWS: &[Arrow] = &[
    Arrow {
        of: "crypto",
        may: &[],
        tests_also: &[],
    },
    Arrow {
        of: "signing",
        may: &["crypto"],
        tests_also: &[],
    },
    Arrow {
        of: "client",
        may: &["crypto", "signing"],
        tests_also: &["sandbox"],
    },
    Arrow {
        of: "sdk",
        may: &["client", "crypto", "signing"],
        tests_also: &["sandbox"],
    },
    Arrow {
        of: "import",
        may: &["client", "crypto", "sdk", "signing"],
        tests_also: &["sandbox"],
    },
    Arrow {
        of: "sandbox",
        may: &["crypto"],
        tests_also: &[],
    },
    Arrow {
        of: "cli",
        may: &["client", "crypto", "import", "sandbox", "sdk", "signing"],
        tests_also: &[],
    },
    Arrow {
        of: END_TO_END,
        may: &["cli", "client", "crypto", "import", "sandbox", "sdk", "signing"],
        tests_also: &[],
    },
    Arrow {
        of: "xtask",
        may: &[],
        tests_also: &[],
    },
];

/// The package of end-to-end tests.
const END_TO_END: &str = "tests";

/// Third-party crates that stay in one place.
struct Restricted {
    crates: &'static [&'static str],
    only_in: &'static [&'static str],
    /// Tests may use it too: dev-dependencies, and the package of end-to-end tests.
    in_tests: bool,
    reason: &'static str,
}

const RESTRICTED: &[Restricted] = &[
    Restricted {
        crates: &[
            "aes",
            "aes-gcm",
            "aws-lc-rs",
            "cbc",
            "cms",
            "des",
            "hmac",
            "openssl",
            "pkcs12",
            "pkcs5",
            "rc2",
            "ring",
            "rsa",
            "sha1",
        ],
        only_in: &["crypto"],
        in_tests: false,
        reason: "one place decides how keys are used, and the backend can change there",
    },
    Restricted {
        // The first line of generated code carries the digest of its source, and xtask may name none of our crates.
        crates: &["sha2"],
        only_in: &["crypto", "xtask"],
        in_tests: false,
        reason: "one place decides how keys are used, and the backend can change there",
    },
    Restricted {
        crates: &["progenitor-client", "reqwest"],
        only_in: &["client", "sdk"],
        in_tests: true,
        reason: "no request leaves unsigned and no answer enters unverified",
    },
    Restricted {
        crates: &[
            "deadpool-postgres",
            "postgres",
            "rusqlite",
            "sqlx",
            "tokio-postgres",
        ],
        only_in: &["import"],
        in_tests: false,
        reason: "the ledger is the one owner of its tables",
    },
    Restricted {
        crates: &["clap"],
        only_in: &["cli", "xtask"],
        in_tests: false,
        reason: "a library has no command line",
    },
    Restricted {
        crates: &["axum"],
        only_in: &["sandbox", "sdk"],
        in_tests: true,
        reason: "the sandbox answers requests, and the SDK, by a feature, notifications; nobody else does",
    },
];

#[cfg(test)]
mod tests;
