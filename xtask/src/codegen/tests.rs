//! The generators over the committed document and over changed copies of it.

use std::{fs, path::Path};

use super::{SPEC, outputs, stale};

mod added;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn document() -> String {
    fs::read_to_string(root().join(SPEC)).unwrap()
}

/// The document with one place changed.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    let changed = document().replacen(from, to, 1);
    assert_ne!(changed, document(), "`{from}` is not in the document");
    changed
}

/// One generated file.
#[track_caller]
fn output(spec: &str, path: &str) -> String {
    let outputs = outputs(spec).unwrap();
    let output = outputs.into_iter().find(|output| output.path == path);
    output.unwrap().content
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
    assert_eq!(first.len(), 6);
    for (first, second) in first.iter().zip(&second) {
        assert_eq!((first.path, &first.content), (second.path, &second.content));
    }
}

#[test]
fn a_fresh_copy_is_not_stale_and_a_changed_description_is() {
    let folder = copy();
    assert!(stale(folder.path()).unwrap().is_empty());
    let changed = changed("Id of a brand (品牌ID)", "The brand's id (品牌ID)");
    fs::write(folder.path().join(SPEC), changed).unwrap();
    let stale = stale(folder.path()).unwrap();
    let paths: Vec<_> = stale.iter().map(|output| output.path).collect();
    assert_eq!(paths.len(), 6, "{paths:?}");
}

#[test]
fn a_missing_output_is_stale() {
    let folder = copy();
    fs::remove_file(folder.path().join("crates/sdk/src/generated.rs")).unwrap();
    assert_eq!(stale(folder.path()).unwrap().len(), 1);
}

#[test]
fn a_changed_length_reaches_the_type_that_checks_it() {
    let changed = document().replace("maxLength: 10\n", "maxLength: 11\n");
    let scalars = output(&changed, "crates/client/src/scalars.rs");
    assert!(scalars.contains("bounded_text!(MemberLevel, 1, Some(11), None)"));
}

#[test]
fn a_type_without_secrets_is_built_like_one_with() {
    let client = output(&document(), "crates/client/src/generated.rs");
    let attributes_of = |name: &str| {
        let before = client.split(&format!("pub struct {name} {{")).next().unwrap();
        before.rsplit('}').next().unwrap().to_owned()
    };
    assert!(attributes_of("Validity").contains("bon::Builder"));
    // What holds a ciphertext is built through its twin only.
    assert!(!attributes_of("SealedUserInformation").contains("bon::Builder"));
}

#[test]
fn no_path_parameter_reaches_the_url_unchecked() {
    let client = output(&document(), "crates/client/src/generated.rs");
    let client = client.replace(char::is_whitespace, "");
    assert!(!client.contains("encode_path("));
    assert!(client.contains("crate::text::path_segment("));
}

#[test]
fn a_given_up_operation_says_so_in_both_forms() {
    for path in [
        "crates/sdk/src/generated.rs",
        "crates/sdk/src/blocking/generated.rs",
    ] {
        let now = output(&document(), path).matches("#[deprecated = ").count();
        let then = output(&changed("      deprecated: true\n", ""), path);
        assert_eq!(then.matches("#[deprecated = ").count() + 1, now);
    }
}

#[test]
fn what_a_request_seals_is_told_beside_its_types() {
    let sealed = |spec: &str| {
        let sdk = output(spec, "crates/sdk/src/generated.rs");
        sdk.matches("common_field_list/*/value").count()
    };
    let before = sealed(&document());
    assert!(before > 0);
    // A field is sealed because of its type, wherever it is called otherwise.
    let renamed = document().replace("common_field_list:", "shared_field_list:");
    let sdk = output(&renamed, "crates/sdk/src/generated.rs");
    assert_eq!(sealed(&renamed), 0);
    assert_eq!(sdk.matches("shared_field_list/*/value").count(), before);
    // A query has its own list.
    assert!(sdk.contains(".with_sealed(&[], &[\"encrypted_phone_number\"])"));
}

#[test]
fn what_would_generate_wrong_code_is_refused_with_its_place() {
    #[track_caller]
    fn check(from: &str, to: &str, expect: &str) {
        let error = outputs(&changed(from, to)).err().unwrap();
        assert!(error.contains(expect), "{error}");
    }
    check(
        "maxLength: 10\n",
        "maximum: 10\n",
        "#/components/schemas/MemberLevel: a string needs a `maxLength`",
    );
    check(
        "x-plaintext: PhoneNumber\n",
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
    check("      x-repeatable: true\n", "", "needs `x-repeatable`");
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
        "tags: [cards-of-users]",
        "the tag `cards-of-users` is not described",
    );
    check(
        "          $ref: '#/components/schemas/Attach'",
        "          type: string",
        "give every string a named schema",
    );
    check(
        "operationId: import_by_phone",
        "operationId: importByPhone",
        "not in snake case",
    );
    check(
        "operationId: import_by_phone",
        "operationId: import_by_openid",
        "there are two operations of this name",
    );
    check(
        "user-cards/{user_card_code}:",
        "user-cards/{code}:",
        "the parameters in `path` are not those of the path's template",
    );
    check(
        "      maxLength: 10\n",
        "      maxLength: 10\n      nullable: true\n",
        "#/components/schemas/MemberLevel/nullable: the key `nullable` is not supported",
    );
    check("        '204':\n", "        '202':\n", "only 200 or 204");
    check("format: uint32", "format: int32", "an integer needs");
    check(
        "variant: UserCardCreated",
        "variant: Other",
        "cannot name a variant",
    );
    check("openapi: 3.0.3", "openapi: [", "is not YAML");
}
