//! The generators over the committed document and over changed copies of it.

use std::{fs, path::Path};

use super::{SPEC, outputs, stale};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn document() -> String {
    fs::read_to_string(root().join(SPEC)).unwrap()
}

/// A copy of the document and of everything generated from it.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("spec")).unwrap();
    fs::write(folder.path().join(SPEC), document()).unwrap();
    for output in outputs(&document()).unwrap() {
        let path = folder.path().join(output.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, output.content).unwrap();
    }
    folder
}

#[test]
fn the_committed_code_follows_from_the_document() {
    let paths: Vec<_> = stale(root()).unwrap().iter().map(|output| output.path).collect();
    assert!(paths.is_empty(), "{paths:?} are stale; run `cargo xtask codegen`");
}

#[test]
fn the_output_is_identical_over_runs() {
    let [first, second] = [outputs(&document()).unwrap(), outputs(&document()).unwrap()];
    assert_eq!(first.len(), 4);
    for (first, second) in first.iter().zip(&second) {
        assert_eq!((first.path, &first.content), (second.path, &second.content));
    }
}

#[test]
fn a_fresh_copy_is_not_stale_and_a_changed_description_is() {
    let folder = copy();
    assert!(stale(folder.path()).unwrap().is_empty());
    let changed = document().replace("Id of a brand (品牌ID)", "The brand's id (品牌ID)");
    assert_ne!(changed, document());
    fs::write(folder.path().join(SPEC), changed).unwrap();
    let paths: Vec<_> = stale(folder.path())
        .unwrap()
        .iter()
        .map(|output| output.path)
        .collect();
    assert_eq!(paths.len(), 4, "{paths:?}");
}

#[test]
fn a_changed_length_reaches_the_type_that_checks_it() {
    let changed = document().replace("maxLength: 10\n", "maxLength: 11\n");
    let scalars = &outputs(&changed).unwrap()[1].content;
    assert!(scalars.contains("bounded_text!(MemberLevel, 1, 11, None)"));
}

#[test]
fn a_missing_output_is_stale() {
    let folder = copy();
    fs::remove_file(folder.path().join("crates/sdk/src/generated.rs")).unwrap();
    assert_eq!(stale(folder.path()).unwrap().len(), 1);
}

#[test]
fn what_would_generate_wrong_code_is_refused_with_its_place() {
    #[track_caller]
    fn check(from: &str, to: &str, expect: &str) {
        let changed = document().replacen(from, to, 1);
        assert_ne!(changed, document(), "`{from}` is not in the document");
        let error = outputs(&changed).err().unwrap();
        assert!(error.contains(expect), "{error}");
    }
    check(
        "maxLength: 10\n",
        "minimum: 10\n",
        "#/components/schemas/MemberLevel: a string needs a `maxLength`",
    );
    check(
        "          x-plaintext: PhoneNumber\n",
        "",
        "an encrypted field needs `x-plaintext`",
    );
    check(
        "x-plaintext: PhoneNumber",
        "x-plaintext: Phone",
        "unknown `x-plaintext: Phone`",
    );
    check(
        "      x-open-enum: true\n",
        "",
        "an enumeration needs `x-open-enum: true`",
    );
    check("      x-rate-limit: 5\n", "", "needs `x-rate-limit`");
    check(
        "    BrandId:\n",
        "    BrandIdentity:\n",
        "refers to the schema `BrandId`, which does not exist",
    );
    check(
        "        - $ref: '#/components/parameters/WechatpaySerial'\n",
        "        []\n",
        "must take the parameter",
    );
    check(
        "#/components/schemas/SealedUserInformation'\n",
        "#/components/schemas/CardUserInformation'\n",
        "mixes",
    );
    check(
        "format: wechatpay-time",
        "format: date-time",
        "unknown format `date-time`",
    );
    check(
        "tags: [user-cards]",
        "tags: [cards]",
        "the tag `cards` is not described",
    );
    check(
        "          $ref: '#/components/schemas/Attach'",
        "          type: string",
        "give every string a named schema",
    );
    check("openapi: 3.0.3", "openapi: [", "is not YAML");
}
