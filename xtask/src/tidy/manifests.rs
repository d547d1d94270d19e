//! Versions, lints and the facts of a package stand once, in the root manifest; members inherit them.

use toml::{Table, Value};

use super::Finding;

/// Looks at one member's manifest.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let manifest = match text.parse::<Table>() {
        Ok(manifest) => manifest,
        Err(error) => {
            return vec![Finding::error(
                path,
                1,
                format!("not a manifest: {}", error.message()),
                "mend the TOML",
            )];
        }
    };
    let mut findings = Vec::new();
    let package = manifest.get("package").and_then(Value::as_table);
    for key in INHERITED {
        if !package
            .and_then(|package| package.get(*key))
            .is_some_and(is_inherited)
        {
            findings.push(Finding::error(
                path,
                line_of(text, key),
                format!("`{key}` is not inherited from the root"),
                format!("write `{key}.workspace = true` below `[package]`"),
            ));
        }
    }
    if !manifest.get("lints").is_some_and(is_inherited) {
        findings.push(Finding::error(
            path,
            line_of(text, "[lints]"),
            "the lints are not inherited from the root",
            "write `[lints]` and below it `workspace = true`",
        ));
    }
    let name = package
        .and_then(|package| package.get("name"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    for (dependency, value) in dependencies(&manifest) {
        // Only a path without a version may name the package itself: publishing then drops it.
        let itself = dependency == name && value.get("path").and_then(Value::as_str) == Some(".");
        if !is_inherited(value) && !itself {
            findings.push(Finding::error(
                path,
                line_of(text, dependency),
                format!("`{dependency}` has a version of its own"),
                "put the version below `[workspace.dependencies]` and write `workspace = true` here",
            ));
        }
    }
    findings
}

/// The pinned toolchain is the oldest one we promise, so that every step also checks the promise.
pub(super) fn check_toolchain(root: &str, toolchain: &str) -> Vec<Finding> {
    let promised = root.parse::<Table>().ok().and_then(|root| {
        let package = root.get("workspace")?.get("package")?;
        Some(package.get("rust-version")?.as_str()?.to_owned())
    });
    let pinned = toolchain
        .parse::<Table>()
        .ok()
        .and_then(|toolchain| Some(toolchain.get("toolchain")?.get("channel")?.as_str()?.to_owned()));
    match (&promised, &pinned) {
        (Some(promised), Some(pinned))
            if *pinned == *promised || pinned.starts_with(&format!("{promised}.")) =>
        {
            Vec::new()
        }
        _ => vec![Finding::error(
            "rust-toolchain.toml",
            line_of(toolchain, "channel"),
            format!(
                "the toolchain is {} and the promised `rust-version` is {}",
                pinned.as_deref().unwrap_or("missing"),
                promised.as_deref().unwrap_or("missing")
            ),
            "set both to the same version",
        )],
    }
}

/// Every dependency of a manifest, those of single platforms too.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (&String, &Value)> {
    let platforms = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::values);
    std::iter::once(manifest)
        .chain(platforms.filter_map(Value::as_table))
        .flat_map(|table| KINDS.iter().filter_map(|kind| table.get(*kind)))
        .filter_map(Value::as_table)
        .flatten()
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// The first line that begins with the key; the first line of the file if none does.
fn line_of(text: &str, key: &str) -> usize {
    let names = |line: &str| {
        line.trim_start()
            .strip_prefix(key)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '=', '.']))
            || line.trim_end().ends_with(&format!("dependencies.{key}]"))
    };
    text.lines().position(names).map_or(1, |index| index + 1)
}

/// What every member takes from the root.
const INHERITED: &[&str] = &[
    "edition",
    "license",
    "publish",
    "repository",
    "rust-version",
    "version",
];

/// The tables that list dependencies.
const KINDS: &[&str] = &["build-dependencies", "dependencies", "dev-dependencies"];

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]
name = \"a\"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
repository = { workspace = true }
publish.workspace = true

[dependencies]
rsa = { workspace = true, optional = true }
serde.workspace = true

[dev-dependencies]
a = { path = \".\", features = [\"b\"] }

[lints]
workspace = true
";

    #[track_caller]
    fn check_change(from: &str, to: &str, expect: &[(usize, &str)]) {
        let text = GOOD.replacen(from, to, 1);
        assert!(from == to || text != GOOD, "`{from}` is not in the sample");
        let findings = check("a/Cargo.toml", &text);
        let found: Vec<_> = findings
            .iter()
            .map(|finding| (finding.line, finding.what.as_str()))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn a_member_that_inherits_is_fine() {
        check_change("", "", &[]);
    }

    #[test]
    fn what_is_not_inherited_is_found() {
        let expect = [(4, "`edition` is not inherited from the root")];
        check_change("edition.workspace = true", "edition = \"2021\"", &expect);
        let expect = [(1, "`license` is not inherited from the root")];
        check_change("license.workspace = true\n", "", &expect);
    }

    #[test]
    fn lints_that_are_not_inherited_are_found() {
        let expect = "the lints are not inherited from the root";
        check_change("\n[lints]\nworkspace = true\n", "", &[(1, expect)]);
        check_change(
            "[lints]\nworkspace = true",
            "[lints]\nrust.unsafe_code = \"allow\"",
            &[(17, expect)],
        );
    }

    #[test]
    fn versions_outside_the_root_are_found() {
        let expect = [(12, "`serde` has a version of its own")];
        check_change("serde.workspace = true", "serde = \"1\"", &expect);
        check_change("serde.workspace = true", "serde = { version = \"1\" }", &expect);
        let expect = [(15, "`a` has a version of its own")];
        check_change("path = \".\"", "path = \"../a\"", &expect);
        let text = format!("{GOOD}\n[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n");
        assert_eq!(check("a/Cargo.toml", &text).len(), 1);
    }

    #[test]
    fn a_damaged_manifest_is_found() {
        assert_eq!(check("a/Cargo.toml", "[package").len(), 1);
    }

    #[test]
    fn the_toolchain_is_the_promised_one() {
        let root = "[workspace.package]\nrust-version = \"1.95\"\n";
        let found = |channel: &str| check_toolchain(root, &format!("[toolchain]\nchannel = \"{channel}\"\n"));
        assert!(found("1.95.0").is_empty());
        assert!(found("1.95").is_empty());
        for bad in ["1.96.0", "stable", "1.9.5"] {
            assert_eq!(found(bad)[0].line, 2, "{bad}");
        }
        assert_eq!(check_toolchain("", "").len(), 1);
    }
}
