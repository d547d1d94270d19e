//! Each table must refuse what it does not list.

use super::*;

#[track_caller]
fn check_one(from: &str, to: To, dev: bool, expect: Option<&str>) {
    let edge = Edge {
        from: from.into(),
        to,
        dev,
        manifest: "Cargo.toml".into(),
        line: 3,
    };
    let found = check(&[edge]);
    assert_eq!(found.first().map(|finding| finding.what.as_str()), expect);
}

fn ours(name: &str) -> To {
    To::Ours(name.into())
}

fn theirs(name: &str) -> To {
    To::Theirs(name.into())
}

#[test]
fn an_arrow_never_turns() {
    check_one("signing", ours("crypto"), false, None);
    check_one("sdk", ours("crypto"), false, None);
    check_one("cli", ours("sandbox"), false, None);
    check_one("tests", ours("cli"), false, None);
    check_one(
        "crypto",
        ours("signing"),
        false,
        Some("`crypto` depends on `signing`; it may name none of ours"),
    );
    check_one(
        "sandbox",
        ours("sdk"),
        false,
        Some("`sandbox` depends on `sdk`; it may name crypto"),
    );
    check_one(
        "xtask",
        ours("crypto"),
        false,
        Some("`xtask` depends on `crypto`; it may name none of ours"),
    );
    check_one(
        "new",
        ours("crypto"),
        false,
        Some("`new` has no row in the table of dependencies"),
    );
}

#[test]
fn tests_may_name_a_little_more() {
    check_one("crypto", ours("crypto"), true, None);
    check_one("sdk", ours("sandbox"), true, None);
    let expect = "`sdk` depends on `sandbox`; it may name client, crypto, signing";
    check_one("sdk", ours("sandbox"), false, Some(expect));
    let expect = "`sandbox` depends on `signing` for its tests; it may name crypto";
    check_one("sandbox", ours("signing"), true, Some(expect));
}

#[test]
fn third_party_crates_stay_in_their_place() {
    check_one("crypto", theirs("rsa"), false, None);
    check_one("sdk", theirs("serde"), false, None);
    check_one(
        "sandbox",
        theirs("rsa"),
        false,
        Some("`sandbox` depends on `rsa`, which belongs in crypto"),
    );
    check_one(
        "sandbox",
        theirs("rsa"),
        true,
        Some("`sandbox` depends on `rsa`, which belongs in crypto"),
    );
    check_one(
        "import",
        theirs("reqwest"),
        false,
        Some("`import` depends on `reqwest`, which belongs in client and sdk"),
    );
    check_one("import", theirs("reqwest"), true, None);
    check_one("tests", theirs("reqwest"), false, None);
    check_one(
        "cli",
        theirs("rusqlite"),
        false,
        Some("`cli` depends on `rusqlite`, which belongs in import"),
    );
    check_one(
        "sdk",
        theirs("clap"),
        true,
        Some("`sdk` depends on `clap`, which belongs in cli and xtask"),
    );
    check_one(
        "cli",
        theirs("axum"),
        false,
        Some("`cli` depends on `axum`, which belongs in sandbox and sdk"),
    );
}

#[test]
fn the_table_has_no_circle() {
    // A row may name only rows whose own names are fewer and contained in it.
    for rule in ARROWS {
        for name in rule.may {
            let below = ARROWS.iter().find(|rule| rule.of == *name).unwrap();
            assert!(
                below.may.iter().all(|lower| rule.may.contains(lower)),
                "{} -> {name}",
                rule.of
            );
            assert!(!below.may.contains(&rule.of), "{} -> {name}", rule.of);
        }
    }
}

#[test]
fn a_package_is_called_after_its_folder() {
    let found = |folder: &str, package: &str| {
        check_names(&[Member {
            folder: folder.into(),
            package: package.into(),
        }])
    };
    assert!(found("crates/crypto", "wxmember-crypto").is_empty());
    assert!(found("crates/sdk", "wxmember").is_empty());
    assert!(found("tests", "wxmember-tests").is_empty());
    assert!(found("xtask", "xtask").is_empty());
    assert_eq!(found("crates/sdk", "wxmember-sdk").len(), 1);
    assert_eq!(found("crates/extra", "wxmember-extra").len(), 1);
}

#[test]
fn a_dependency_is_found_in_its_manifest() {
    let manifest = "[dependencies]\nrsa-like = \"1\"\nrsa.workspace = true\n[dev-dependencies.insta]\n";
    assert_eq!(line_of(manifest, "rsa"), 3);
    assert_eq!(line_of(manifest, "insta"), 4);
    assert_eq!(line_of(manifest, "none"), 1);
}
