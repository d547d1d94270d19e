//! Prepared changes of the committed document, and the verb over a git repository of its own.

use std::{
    fmt::Debug,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::{Arguments, changes, run};
use crate::{codegen::SPEC, outcome::Failure};

fn document() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(SPEC)).unwrap()
}

/// The changes between two documents, a line each: `!` is breaking, `.` compatible.
fn lines(old: &str, new: &str) -> Vec<String> {
    let [old, new] = [old, new].map(|text| serde_yaml_ng::from_str(text).unwrap());
    changes(&old, &new)
        .into_iter()
        .map(|change| format!("{} {}", if change.is_breaking { "!" } else { "." }, change.what))
        .collect()
}

/// The first `from` becomes `to`, which makes exactly the changes `there`; the way back makes `back`.
#[track_caller]
fn check<T: PartialEq<String> + Debug>(from: &str, to: &str, there: &[T], back: &[T]) {
    let changed = document().replacen(from, to, 1);
    assert_ne!(changed, document(), "`{from}` is not in the document");
    let lines = [lines(&document(), &changed), lines(&changed, &document())];
    assert_eq!([there, back], lines.each_ref().map(Vec::as_slice));
}

#[test]
fn a_document_says_the_same_as_itself() {
    assert_eq!(lines(&document(), &document()), [""; 0]);
}

#[test]
fn words_and_limits_of_calls_are_compatible() {
    check(
        "Id of a brand (品牌ID), given",
        "The brand (品牌ID), given",
        &[". `description` of `BrandId` changed"],
        &[". `description` of `BrandId` changed"],
    );
    check(
        "      x-rate-limit: 5\n",
        "      x-rate-limit: 6\n",
        &[". `x-rate-limit` of `import_by_phone` changed"],
        &[". `x-rate-limit` of `import_by_phone` changed"],
    );
    check("Main host", "First host", &[". changed"], &[". changed"]);
}

#[test]
fn a_removed_or_renamed_operation_is_breaking() {
    check(
        "operationId: import_by_phone",
        "operationId: import_by_number",
        &[
            "! the operation `import_by_phone` is now called `import_by_number`",
            ". the operation `import_by_number` is added",
        ],
        &[
            "! the operation `import_by_number` is now called `import_by_phone`",
            ". the operation `import_by_phone` is added",
        ],
    );
    check(
        "/v3/certificates:",
        "/v3/platform-certificates:",
        &["! `list_certificates` was `GET /v3/certificates`"],
        &["! `list_certificates` was `GET /v3/platform-certificates`"],
    );
    check(
        "tags: [user-cards]",
        "tags: [cards]",
        &["! `import_by_phone` changed its tag"],
        &["! `import_by_phone` changed its tag"],
    );
}

#[test]
fn a_property_of_a_request_may_be_added_when_it_is_optional() {
    let property = "    ImportByPhoneRequest:\n      description: An existing member, known by phone number.\n      \
                    type: object\n      x-plain-type: ImportByPhone\n      required: [";
    let list = "        level:\n          $ref: '#/components/schemas/MemberLevel'\n        user_information:\n          \
                $ref: '#/components/schemas/SealedUserInformation'";
    check(
        list,
        &list.replace("        level:", "        rank:"),
        &[
            "! the property `level` of `ImportByPhoneRequest` is removed",
            ". the property `rank` of `ImportByPhoneRequest` is added, optional",
        ],
        &[
            "! the property `rank` of `ImportByPhoneRequest` is removed",
            ". the property `level` of `ImportByPhoneRequest` is added, optional",
        ],
    );
    check(
        property,
        &format!("{property}level, "),
        &["! the property `level` of `ImportByPhoneRequest` becomes required"],
        &[". the property `level` of `ImportByPhoneRequest` becomes optional"],
    );
}

#[test]
fn a_property_of_an_answer_must_stay_there() {
    let required =
        "required: [user_card_code, card_id, brand_id, card_type, valid_date_information, pickup_time, ";
    check(
        required,
        &required.replace("card_type, ", ""),
        &["! the property `card_type` of `UserCard` becomes optional"],
        &["! the property `card_type` of `UserCard` becomes required"],
    );
}

#[test]
fn a_narrower_limit_is_breaking_where_a_caller_writes() {
    check(
        "      maxLength: 10\n",
        "      maxLength: 9\n",
        &["! `maxLength` of `MemberLevel` was 10, is 9"],
        &[". `maxLength` of `MemberLevel` was 9, is 10"],
    );
    // Three operations share the parameter.
    let limits = |from, to| {
        ["list_activities", "list_cards", "list_user_cards"]
            .map(|id| format!("`maximum` of `limit` of `{id}` was {from}, is {to}"))
    };
    let (there, back) = (limits(20, 19), limits(19, 20));
    check(
        "        minimum: 1\n        maximum: 20\n",
        "        minimum: 1\n        maximum: 19\n",
        &there.each_ref().map(|what| format!("! {what}")),
        &back.each_ref().map(|what| format!(". {what}")),
    );
    // Only answers hold it, and they are read whatever they hold.
    check(
        "      maxLength: 40\n      example: '123446565767'\n",
        "      maxLength: 39\n      example: '123446565767'\n",
        &[". `maxLength` of `CouponCode` was 40, is 39"],
        &[". `maxLength` of `CouponCode` was 39, is 40"],
    );
}

#[test]
fn a_value_may_be_added_to_an_enumeration() {
    check(
        "enum: [PURCHASE, NORMAL, BALANCE]",
        "enum: [PURCHASE, NORMAL]",
        &["! the value `BALANCE` of `CardType` is removed"],
        &[". the value `BALANCE` of `CardType` is added"],
    );
    check(
        "x-enum-names: [Sex, Name,",
        "x-enum-names: [Gender, Name,",
        &["! the value `USER_FORM_FLAG_SEX` of `CommonFieldName` was called `Sex`, is `Gender`"],
        &["! the value `USER_FORM_FLAG_SEX` of `CommonFieldName` was called `Gender`, is `Sex`"],
    );
}

#[test]
fn another_type_or_another_encryption_is_breaking() {
    let plain = "        phone_number:\n          description: The member's phone number (加密的手机号).\n          \
                 x-plaintext: PhoneNumber\n          allOf: [{ $ref: '#/components/schemas/MerchantCiphertext' }]";
    check(
        plain,
        &plain
            .replace("MerchantCiphertext", "MemberLevel")
            .replace("          x-plaintext: PhoneNumber\n", ""),
        &["! the encryption of `phone_number` of `UserCard` was MerchantCiphertext, is MemberLevel"],
        &["! the encryption of `phone_number` of `UserCard` was MemberLevel, is MerchantCiphertext"],
    );
    check(
        "format: uint64",
        "format: uint32",
        &["! the type of `total_count` of `UserCardList` was integer uint64, is integer uint32"],
        &["! the type of `total_count` of `UserCardList` was integer uint32, is integer uint64"],
    );
    check(
        "        '204':\n          description: ",
        "        '200':\n          description: ",
        &["! `import_phonenumber_member` answered 204, answers 200"],
        &["! `import_phonenumber_member` answered 200, answers 204"],
    );
}

#[test]
fn a_parameter_is_an_argument() {
    let optional = "        - name: user_card_state\n          in: query\n          required: false\n";
    check(
        optional,
        &optional.replace("false", "true"),
        &["! the query parameter `user_card_state` of `list_user_cards` becomes required"],
        &[". the query parameter `user_card_state` of `list_user_cards` becomes optional"],
    );
    check(
        optional,
        &optional.replace("user_card_state", "state"),
        &[
            "! the query parameter `user_card_state` of `list_user_cards` is removed",
            ". the query parameter `state` of `list_user_cards` is added, optional",
        ],
        &[
            "! the query parameter `state` of `list_user_cards` is removed",
            ". the query parameter `user_card_state` of `list_user_cards` is added, optional",
        ],
    );
}

#[test]
fn a_notification_may_be_added() {
    check(
        "  BRAND_MEMBER_CARD_SP.SYNC_USER_POINT:\n",
        "  BRAND_MEMBER_CARD_SP.SYNC_POINT:\n",
        &[
            "! the notification `BRAND_MEMBER_CARD_SP.SYNC_USER_POINT` is removed",
            ". the notification `BRAND_MEMBER_CARD_SP.SYNC_POINT` is added",
        ],
        &[
            "! the notification `BRAND_MEMBER_CARD_SP.SYNC_POINT` is removed",
            ". the notification `BRAND_MEMBER_CARD_SP.SYNC_USER_POINT` is added",
        ],
    );
}

/// A repository that holds the document and a changelog, committed.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("spec")).unwrap();
    fs::write(folder.path().join(SPEC), document()).unwrap();
    fs::write(folder.path().join("CHANGELOG.md"), "## Unreleased\n").unwrap();
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "."],
        &[
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@example.invalid",
            "commit",
            "--quiet",
            "-m",
            "a",
        ],
    ] {
        let mut command = Command::new("git");
        command
            .current_dir(folder.path())
            .args(arguments)
            .stdout(Stdio::null());
        assert!(command.status().unwrap().success());
    }
    folder
}

fn diff(folder: &Path, rev: &str) -> Result<(), Failure> {
    run(folder, &Arguments { rev: rev.to_owned() })
}

#[test]
fn a_breaking_change_exits_4_until_the_changelog_names_it() {
    let folder = repository();
    let folder = folder.path();
    assert_eq!(diff(folder, "HEAD"), Ok(()));
    fs::write(
        folder.join(SPEC),
        document().replacen("        level:\n", "        rank:\n", 1),
    )
    .unwrap();
    let failure = diff(folder, "HEAD").unwrap_err();
    assert_eq!(failure.code(), 4);
    let message = failure.to_string();
    assert!(message.contains("`level`"), "{message}");
    assert!(
        message.ends_with("then run `cargo xtask spec diff` again"),
        "{message}"
    );
    let entry = "## Unreleased\n\n- Breaking: `level` is called `rank`.\n";
    fs::write(folder.join("CHANGELOG.md"), entry).unwrap();
    assert_eq!(diff(folder, "HEAD"), Ok(()));
}

#[test]
fn a_compatible_change_exits_0_and_an_unknown_revision_1() {
    let folder = repository();
    let folder = folder.path();
    fs::write(
        folder.join(SPEC),
        document().replacen("maxLength: 10\n", "maxLength: 11\n", 1),
    )
    .unwrap();
    assert_eq!(diff(folder, "HEAD"), Ok(()));
    assert_eq!(diff(folder, "no-such-revision").unwrap_err().code(), 1);
}
