//! Every lint over a copy of the committed document with one mistake in it.

use std::{fs, path::Path};

use crate::{codegen::SPEC, spec::findings_of};

fn document() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(SPEC)).unwrap()
}

/// The first `from` becomes `to`, and one of the findings is `expect`.
#[track_caller]
fn check(from: &str, to: &str, expect: &str) {
    let changed = document().replacen(from, to, 1);
    assert_ne!(changed, document(), "`{from}` is not in the document");
    let findings = findings_of(&changed);
    assert!(
        findings.iter().any(|finding| finding.contains(expect)),
        "{findings:#?}"
    );
}

const IMPORT: &str = "#/paths/~1v3~1brand~1partner~1card-member~1user-cards~1import-by-phone/post";

#[test]
fn the_committed_document_has_no_finding() {
    assert_eq!(findings_of(&document()), [""; 0]);
}

#[test]
fn an_operation_has_an_id_a_tag_a_limit_and_says_whether_it_may_be_repeated() {
    check(
        "      operationId: import_by_phone\n",
        "",
        &format!("{IMPORT}: has no `operationId`"),
    );
    check(
        "operationId: import_by_phone",
        "operationId: importByPhone",
        "the operation id `importByPhone` is not in snake case",
    );
    check(
        "operationId: import_by_phone",
        "operationId: import_by_openid",
        &format!("the operation id `import_by_openid` stands at {IMPORT} too"),
    );
    check(
        "tags: [user-cards]",
        "tags: [others]",
        "its tag has no description",
    );
    check("tags: [user-cards]", "tags: [user-cards, cards]", "has 2 tags");
    check("      x-rate-limit: 5\n", "", "has no `x-rate-limit`");
    check("      x-repeatable: true\n", "", "has no `x-repeatable`");
}

#[test]
fn an_example_is_a_value_of_its_schema() {
    let body = format!("{IMPORT}/requestBody/content/application~1json/example");
    check(
        "              brand_id: '1004'\n",
        "              brand_id: 1004\n",
        &format!("{body}/brand_id: the example is wrong"),
    );
    check(
        "              brand_id: '1004'\n",
        "              brand_id: '1004'\n              brand_name: A\n",
        &format!("{body}: the example is wrong"),
    );
    check(
        "              brand_id: '1004'\n",
        "",
        &format!("{body}: the example is wrong"),
    );
    check(
        "pickup_time: '2020-05-20T13:29:35.120+08:00'",
        "pickup_time: '2020-05-20 13:29:35'",
        &format!("{body}/pickup_time: the example is wrong"),
    );
    check(
        "USER_FORM_FLAG_SEX\n",
        "USER_FORM_FLAG_HEIGHT\n",
        &format!("{body}/user_information/common_field_list/0/name: the example is wrong"),
    );
    // A placeholder is no ciphertext, and the raw client would refuse it.
    check(
        "U0YTdjs07SgnVOcUVTUT",
        "~",
        &format!("{body}/phone_number: the example is wrong"),
    );
    check("example: '1004'", "example: ''", "/example: the example is wrong");
}

#[test]
fn every_body_and_every_notification_has_an_example() {
    check(
        "              example: &user_card\n",
        "              x-was: &user_card\n",
        "/responses/200/content/application~1json: the body has no example",
    );
    check(
        "    example:\n      brand_id: '1004'\n",
        "    x-was:\n      brand_id: '1004'\n",
        "the notification has no example",
    );
}

#[test]
fn every_text_is_bounded_or_says_why_not() {
    check(
        "      maxLength: 10\n",
        "",
        "#/components/schemas/MemberLevel: the text has no `maxLength`",
    );
    let excused = document().replacen(
        "      maxLength: 10\n",
        "      x-unbounded-because: it is told at length\n",
        1,
    );
    assert_eq!(findings_of(&excused), [""; 0]);
}

#[test]
fn a_ciphertext_has_a_direction_and_keeps_to_it() {
    check(
        "      maxLength: 10\n",
        "      maxLength: 10\n      format: wechatpay-platform-ciphertext\n",
        "#/components/schemas/MemberLevel: a ciphertext of its own",
    );
    check(
        "format: wechatpay-platform-ciphertext",
        "format: wechatpay-merchant-ciphertext",
        "#/components/schemas/PlatformCiphertext: a ciphertext of its own",
    );
    let sealed = "#/components/schemas/SealedUserInformation'";
    let opened = "#/components/schemas/CardUserInformation'";
    check(
        sealed,
        opened,
        "/requestBody: `MerchantCiphertext` goes the wrong way here",
    );
    check(
        opened,
        sealed,
        "/responses: `PlatformCiphertext` goes the wrong way here",
    );
}

#[test]
fn every_reference_leads_somewhere_and_everything_is_referred_to() {
    check(
        "    MemberLevel:\n",
        "    LevelOfMember:\n",
        "refers to `#/components/schemas/MemberLevel`, which does not exist",
    );
    check(
        "    MemberLevel:\n",
        "    LevelOfMember:\n",
        "#/components/schemas/LevelOfMember: nothing uses `LevelOfMember`",
    );
    check(
        "    CardIdPath:\n",
        "    PathOfCardId:\n",
        "#/components/parameters/PathOfCardId: nothing uses `PathOfCardId`",
    );
}

#[test]
fn what_the_generators_refuse_is_a_finding_too() {
    check(
        "      maxLength: 10\n",
        "      maxLength: 10\n      nullable: true\n",
        "the key `nullable` is not supported here",
    );
}
