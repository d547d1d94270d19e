//! Adding an operation takes an edit of the document, one run of the generators, and nothing else.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::document;
use crate::{
    codegen::{SPEC, outputs, stale, write},
    process,
    spec::findings_of,
    workspace::Workspace,
};

/// The document with one operation more: a path parameter, a query of every kind, a sealed request, a shared part, a
/// sealed answer.
fn extended() -> String {
    let document = document();
    let extended = document
        .replacen("\npaths:\n", &format!("\npaths:\n{OPERATION}"), 1)
        .replacen("\n  schemas:\n", &format!("\n  schemas:\n{SCHEMAS}"), 1);
    assert_eq!(extended.len(), document.len() + OPERATION.len() + SCHEMAS.len());
    extended
}

#[test]
fn an_added_operation_passes_the_check_and_is_everywhere() {
    let extended = extended();
    assert_eq!(findings_of(&extended), [""; 0]);
    // Scalars are types, not operations.
    for output in outputs(&extended).unwrap() {
        let names_it = output.content.contains("greet_member");
        assert_eq!(names_it, !output.path.ends_with("scalars.rs"), "{}", output.path);
    }
}

/// Compiles a copy of the workspace in a folder of the target directory, with the dependencies that are built there
/// already. The folder is kept, so that the next run compiles nothing twice.
#[test]
fn an_added_operation_compiles_and_can_be_called() {
    let workspace = Workspace::load().unwrap();
    let copy = workspace.target().join("xtask").join("added-operation");
    let mut files = BTreeSet::new();
    for path in workspace.files().unwrap() {
        let content = fs::read(workspace.root().join(&path)).unwrap();
        place(&copy, &path, &content);
        files.insert(copy.join(path));
    }
    place(&copy, SPEC, extended().as_bytes());
    for output in stale(&copy).unwrap() {
        write(&copy, &output).unwrap();
    }
    let library = fs::read_to_string(workspace.root().join("crates/sdk/src/lib.rs")).unwrap();
    place(&copy, "crates/sdk/src/lib.rs", (library + CALL).as_bytes());
    remove_others(&copy, &files);

    let mut command = process::cargo(&copy);
    command
        .args(["check", "--package", "wxmember", "--features", "blocking"])
        .args(["--offline", "--locked", "--quiet"])
        .env("CARGO_TARGET_DIR", workspace.target());
    let checked = process::output(&mut command, &[]).unwrap();
    let words = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{words}");
}

/// Writes what differs, so that cargo sees a change only where there is one.
fn place(folder: &Path, path: &str, content: &[u8]) {
    let path = folder.join(path);
    if fs::read(&path).is_ok_and(|present| present == content) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Removes what an earlier run left and the workspace no longer has.
fn remove_others(folder: &Path, files: &BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            remove_others(&path, files);
        } else if !files.contains(&path) {
            fs::remove_file(path).unwrap();
        }
    }
}

const OPERATION: &str = "  /v3/brand/partner/card-member/user-cards/{user_card_code}/greet:
    post:
      operationId: greet_member
      tags: [user-cards]
      summary: Greet a member
      description: Says hello to a member.
      x-rate-limit: 3
      x-repeatable: false
      parameters:
        - $ref: '#/components/parameters/WechatpaySerial'
        - $ref: '#/components/parameters/UserCardCodePath'
        - $ref: '#/components/parameters/CardIdQuery'
        - name: times
          in: query
          required: false
          description: How often.
          example: 2
          schema: { type: integer, format: uint64, minimum: 1 }
        - name: is_loud
          in: query
          required: false
          description: Whether to shout.
          example: true
          schema: { type: boolean }
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: '#/components/schemas/GreetMemberRequest' }
            example:
              phone_number: &greeted >-
                U0YTdjs07SgnVOcUVTUT/iV7/jWqWXBjE9beOtV0L+Oyei9eMYOAimbQ9T07Huwnx6b9P9/bx7FbSzwlcZIf9cEoWjy2RF4uuNASc6cXh/dcrKdlp8YeV3LTWPTqbEeNi+Fhvv1FQhNgPnPJortdSm7o8Vm03obc8l2fFY7mkaCksXDW39Olr7lXeW9K5ZlgOz+zGW3ULXXmX4hgSnU58UYUjYnSBy672Vu2665C3QQQlk0Zjq48IswiedCQgOhl20A1GY3JpDItZs4pns6MFJbGMzmySkW/DkxS7uZpL3IRr5oSL3ydpF5TjPaNaNcC+8Jcj/kSZssgAZDN1ek3sA==
              others: [*greeted]
              moment: { words: hello, is_formal: false }
      responses:
        '200':
          description: What the member heard.
          content:
            application/json:
              schema: { $ref: '#/components/schemas/Greeting' }
              example:
                phone_number: *greeted
                moment: { words: hello, is_formal: false }
        4XX: { $ref: '#/components/responses/Refused' }
        5XX: { $ref: '#/components/responses/Failed' }
";

const SCHEMAS: &str = "    GreetMemberRequest:
      description: Whom to greet, and how.
      type: object
      x-plain-type: GreetMember
      required: [phone_number, moment]
      properties:
        phone_number:
          description: Whom to greet.
          x-plaintext: PhoneNumber
          allOf: [{ $ref: '#/components/schemas/PlatformCiphertext' }]
        others:
          description: Who stands by.
          type: array
          maxItems: 5
          items:
            x-plaintext: FormValue
            allOf: [{ $ref: '#/components/schemas/PlatformCiphertext' }]
        moment: { $ref: '#/components/schemas/GreetingMoment' }
    GreetingMoment:
      description: How it is said.
      type: object
      required: [words]
      properties:
        words: { $ref: '#/components/schemas/GreetingWords' }
        is_formal:
          description: Whether to bow.
          type: boolean
    GreetingWords:
      description: What is said.
      type: string
      x-unbounded-because: there is always more to say
    Greeting:
      description: A greeting as it was heard.
      type: object
      required: [moment]
      properties:
        phone_number:
          description: Who was greeted.
          x-plaintext: PhoneNumber
          allOf: [{ $ref: '#/components/schemas/MerchantCiphertext' }]
        moment: { $ref: '#/components/schemas/GreetingMoment' }
";

/// What a program writes to call the added operation, appended to the SDK's own library.
const CALL: &str = r#"
/// Calls what was added.
pub async fn greet(client: &Client, waiting: &blocking::Client) -> Result<(), Box<dyn std::error::Error>> {
    let code: UserCardCode = "478515832665".parse()?;
    let query = GreetMemberQuery::builder().card_id("17".parse()?).times(2).is_loud(true).build();
    let moment = GreetingMoment::builder().words("hello".parse()?).is_formal(false).build();
    let request = GreetMember::builder().phone_number(PhoneNumber::new("13800138000")).moment(moment).build();
    let heard = client.user_cards().greet_member(&code, &query, &request).await?;
    let _: Option<PhoneNumber> = heard.phone_number.as_ref().map(SealedField::open).transpose()?;
    let sealed = client.seal(&request)?;
    client.user_cards().greet_member_sealed(&code, &query, &sealed).await?;
    waiting.user_cards().greet_member(&code, &query, &request)?;
    assert!(OPERATIONS.contains(&UserCards::GREET_MEMBER));
    Ok(())
}
"#;
