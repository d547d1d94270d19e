//! Every fault of the sandbox by every kind of SDK call, and by what the importer makes of it. `rows.rs` says what must
//! come out, these tests hold it against what does, and `docs/faults.md` is written from it.

use std::{fmt::Write as _, fs};

use serde_json::json;
use wxmember::{
    ApiV3Key, Client, Error, ImportPhonenumberMember, ListCardsQuery, Merchant, MerchantKey, OPERATIONS,
    PhoneNumber, RegisteredMember, RetryPolicy, Trust,
};
use wxmember_sandbox::{Fault, FaultKind, FaultRule, Sandbox, fault_kinds};
use wxmember_tests::{PHONE, client, identity, member, root, sandbox};

use super::rows::{After, Failure, Outcome, ROWS, Row};

/// The kinds of calls that differ in what a fault does to them, in the order of a row's `calls`.
#[derive(Clone, Copy, Debug)]
enum Call {
    /// `import_by_phone`: it may be repeated, and its answer has a body.
    Import,
    /// `list_cards`: it changes nothing.
    Read,
    /// The same import by path: the verified body is handed over unread.
    Chain,
    /// `import_phonenumber_member`: it may not be repeated, and its answer is 204 without a body.
    NoBody,
}

impl Call {
    const fn operation(self) -> &'static str {
        match self {
            Self::Import | Self::Chain => "import_by_phone",
            Self::Read => "list_cards",
            Self::NoBody => "import_phonenumber_member",
        }
    }

    async fn make(self, client: &Client, sandbox: &Sandbox) -> Result<Success, Error> {
        let credentials = sandbox.credentials();
        match self {
            Self::Import => {
                let answer = client
                    .user_cards()
                    .import_by_phone(&member(sandbox, CODE))
                    .await?;
                Ok(Success {
                    attempts: answer.attempts(),
                    is_anothers: answer.user_card_code.as_str() != CODE,
                })
            }
            Self::Read => {
                let query = ListCardsQuery::builder()
                    .brand_id(credentials.brand_id.parse().unwrap())
                    .offset(0)
                    .limit(20)
                    .build();
                Ok(Success::about_no_card(
                    client.cards().list_cards(&query).await?.attempts(),
                ))
            }
            Self::Chain => {
                let body = json!({
                    "brand_id": credentials.brand_id,
                    "card_id": credentials.card_id,
                    "phone_number": PHONE,
                    "user_card_code": CODE,
                    "date_information": {"type": "PERMANENT"},
                    "pickup_time": "2020-05-20T13:29:35.120+08:00",
                });
                let path = "v3/brand/partner/card-member/user-cards/import-by-phone";
                let answer = client.chain(path).seal("/phone_number").post(&body).await?;
                // What cannot be read names nobody; the chain leaves reading it to its caller.
                let document = answer.value().unwrap_or_default();
                Ok(Success {
                    attempts: answer.attempts(),
                    is_anothers: document["user_card_code"]
                        .as_str()
                        .is_some_and(|code| code != CODE),
                })
            }
            Self::NoBody => {
                let information = RegisteredMember::builder()
                    .card_id(credentials.card_id.parse().unwrap())
                    .registration_time("2015-05-20T13:29:35.120+08:00".parse().unwrap())
                    .build();
                let request = ImportPhonenumberMember::builder()
                    .member_information(information)
                    .encrypted_phone_number(PhoneNumber::new(PHONE))
                    .build();
                let answer = client
                    .membercard_open()
                    .import_phonenumber_member(&request)
                    .await?;
                Ok(Success::about_no_card(answer.attempts()))
            }
        }
    }
}

/// A call that gave an answer.
#[derive(Clone, Copy, Debug)]
struct Success {
    attempts: u32,
    /// Whether the answer names another card than the one asked for.
    is_anothers: bool,
}

impl Success {
    const fn about_no_card(attempts: u32) -> Self {
        Self {
            attempts,
            is_anothers: false,
        }
    }
}

/// The one row of each kind, in the order of their names.
fn rows() -> impl Iterator<Item = (&'static FaultKind, &'static Row)> {
    let names = |all: &[&'static str]| all.join(", ");
    let kinds: Vec<_> = fault_kinds().iter().map(|kind| kind.name).collect();
    let rows: Vec<_> = ROWS.iter().map(|row| row.fault).collect();
    assert_eq!(names(&rows), names(&kinds), "give each fault one row, by name");
    fault_kinds().iter().zip(ROWS)
}

/// A sandbox and a client for it, for one fault after the other.
struct Desk {
    sandbox: Sandbox,
    client: Client,
}

impl Desk {
    async fn new() -> Self {
        let sandbox = sandbox().await;
        let client = client(&sandbox);
        Self { sandbox, client }
    }

    /// As new. Keys outlive a reset, so a rotated one takes a new sandbox.
    async fn clear(&mut self, kind: &FaultKind) {
        match kind.example {
            Fault::RotatedKey => *self = Self::new().await,
            _ => self.sandbox.reset(),
        }
    }
}

/// What a call comes to under one fault, without repeats and with the default ones.
async fn after(desk: &mut Desk, kind: &FaultKind, call: Call, row: &Row) -> Result<After, String> {
    let rule = FaultRule::next(kind.example, 1);
    // What finds nothing to spoil in an operation's answers cannot be aimed at it, and passes them over.
    let rule = rule.clone().with_operation(call.operation()).unwrap_or(rule);
    desk.sandbox.fault_rule(rule.clone());
    let first = call.make(&desk.client, &desk.sandbox).await;
    let stored = desk.sandbox.members().len();
    if matches!(call, Call::Import) && stored != usize::from(kind.commits()) {
        return Err(format!("{stored} members are stored"));
    }
    let first = match first {
        Ok(success) => Some(success.is_anothers),
        Err(error) => {
            check_error(&error, kind, row)?;
            None
        }
    };
    desk.clear(kind).await;
    desk.sandbox.fault_rule(rule);
    let patient = desk.client.with_retry(RetryPolicy::default());
    let retried = call.make(&patient, &desk.sandbox).await;
    let requests = desk.sandbox.requests();
    match (first, retried) {
        (Some(true), Ok(again)) if again.is_anothers && requests == 1 => Ok(After::Anothers),
        (Some(false), Ok(again)) if !again.is_anothers && again.attempts == 1 => Ok(After::Unharmed),
        (None, Ok(second)) if !second.is_anothers && second.attempts == 2 && requests == 2 => {
            Ok(After::Succeeds)
        }
        (None, Err(error)) if error.attempts() == 1 && requests == 1 => Ok(After::Fails),
        (_, other) => Err(format!("{other:?} after {requests} requests")),
    }
}

fn check_error(error: &Error, kind: &FaultKind, row: &Row) -> Result<(), String> {
    let found = Failure {
        kind: error.kind(),
        delivery: error.delivery(),
        unknown: error.is_outcome_unknown(),
        request_id: error.request_id().is_some(),
    };
    if row.error != Some(found) {
        return Err(format!("it is {found:?}"));
    }
    if kind.commits() && !error.is_outcome_unknown() {
        return Err("who is stored must never count as refused".to_owned());
    }
    let shown = format!("{error} {error:?}");
    match shown.contains(PHONE) || shown.contains('<') {
        true => Err(format!("it says {shown}")),
        false => Ok(()),
    }
}

async fn check_call(call: Call) {
    let mut wrong = String::new();
    let mut desk = Desk::new().await;
    for (kind, row) in rows() {
        match after(&mut desk, kind, call, row).await {
            Ok(after) if after == row.calls[call as usize] => {}
            Ok(after) => writeln!(wrong, "{}: {after:?}", kind.name).unwrap(),
            Err(what) => writeln!(wrong, "{}: {what}", kind.name).unwrap(),
        }
        desk.clear(kind).await;
    }
    assert!(
        wrong.is_empty(),
        "the rows say something else of {call:?}:\n{wrong}"
    );
}

// Time is stopped in these tests, so that nobody waits for a second attempt.

#[tokio::test(start_paused = true)]
async fn every_fault_ends_an_import_as_its_row_says() {
    check_call(Call::Import).await;
}

#[tokio::test(start_paused = true)]
async fn every_fault_ends_a_read_as_its_row_says() {
    check_call(Call::Read).await;
}

#[tokio::test(start_paused = true)]
async fn every_fault_ends_a_call_by_path_as_its_row_says() {
    check_call(Call::Chain).await;
}

#[tokio::test(start_paused = true)]
async fn every_fault_ends_a_call_without_an_answer_body_as_its_row_says() {
    check_call(Call::NoBody).await;
}

/// What becomes of the one row of a list.
async fn imported(sandbox: &Sandbox) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let summary = crate::engine::import(sandbox, folder.path(), 1).await;
    let stored = sandbox.members().len();
    let stopped = summary.stopped.map(|stop| stop.code);
    let outcome = match (
        summary.imported,
        summary.present,
        summary.refused,
        summary.unknown,
        summary.queued,
    ) {
        (1, 0, 0, 0, 0) => Outcome::Imported,
        (0, 1, 0, 0, 0) => Outcome::Present,
        (0, 0, 1, 0, 0) => Outcome::Refused,
        (0, 0, 0, 1, 0) => Outcome::Unknown,
        (0, 0, 0, 0, 1) => Outcome::Queued,
        other => panic!("{other:?}"),
    };
    match outcome {
        Outcome::Imported | Outcome::Present => assert_eq!(stored, 1, "it was not imported"),
        // Who may be stored is `unknown` and nothing else.
        Outcome::Refused | Outcome::Queued | Outcome::Stops(_) => assert_eq!(stored, 0, "{outcome:?}"),
        Outcome::Unknown => {}
    }
    match stopped {
        Some(code) => Outcome::stops(&code),
        None => outcome,
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_comes_once_leaves_the_importer_with_its_row() {
    check_importer(|fault| FaultRule::next(fault, 1), |row| row.once).await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_stays_leaves_the_importer_with_its_row() {
    check_importer(|fault| FaultRule::share(fault, 1_000_000, 0), |row| row.always).await;
}

async fn check_importer(rule: impl Fn(Fault) -> FaultRule, expected: impl Fn(&Row) -> Outcome) {
    let mut wrong = String::new();
    let mut desk = Desk::new().await;
    for (kind, row) in rows() {
        let rule = rule(kind.example).with_operation("import_by_phone").unwrap();
        desk.sandbox.fault_rule(rule);
        let outcome = imported(&desk.sandbox).await;
        if outcome != expected(row) {
            writeln!(wrong, "{}: {outcome:?}", kind.name).unwrap();
        }
        desk.clear(kind).await;
    }
    assert!(wrong.is_empty(), "the rows say something else:\n{wrong}");
}

/// In platform-certificate mode the SDK fetches the new certificate, and nobody notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_certificate_is_fetched_within_the_call() {
    let sandbox = Sandbox::builder()
        .with_identity(identity().unwrap())
        .with_platform_certificates(1)
        .start()
        .await
        .unwrap();
    let credentials = sandbox.credentials();
    let key = MerchantKey::from_pem(&credentials.merchant_key_pem).unwrap();
    let client = Client::builder()
        .merchant(Merchant::new(&credentials.mchid, &credentials.merchant_serial, key).unwrap())
        .trust(Trust::downloaded_certificates(
            ApiV3Key::new(&credentials.apiv3_key).unwrap(),
        ))
        .with_base_url(sandbox.base_url())
        .with_retry(RetryPolicy::never())
        .build()
        .unwrap();
    client.refresh_certificates().await.unwrap();
    let before = sandbox.certificate_downloads();
    let rule = FaultRule::next(Fault::RotatedKey, 1).with_operation("import_by_phone");
    sandbox.fault_rule(rule.unwrap());
    let card = client
        .user_cards()
        .import_by_phone(&member(&sandbox, "C1"))
        .await
        .unwrap();
    assert_eq!(card.attempts(), 1);
    assert_eq!(sandbox.platform_certificates().len(), 2);
    assert_eq!(sandbox.certificate_downloads(), before + 1);
    sandbox.shutdown().await;
}

#[test]
fn the_page_of_faults_is_the_one_of_these_rows() {
    let path = root().join("docs/faults.md");
    let page = page();
    if std::env::var_os("WXMEMBER_WRITE_DOCS").is_some() {
        fs::create_dir_all(root().join("docs")).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/faults.md is not what the rows say; write it with `{WRITE}`"
    );
}

fn page() -> String {
    let mut page = PAGE
        .replace("WRITE", WRITE)
        .replace("NAMING_A_CARD", &naming_a_card());
    for (kind, row) in rows() {
        let parameter = kind.parameters.first();
        let parameter = parameter.map(|taken| format!(" `{}={}`", taken.name, taken.example));
        let [import, read, chain, no_body] = row.calls;
        let said = |say: fn(Failure) -> String| row.error.map_or_else(|| "–".to_owned(), say);
        let cells = [
            format!("`{}`{}", kind.name, parameter.unwrap_or_default()),
            kind.en.trim_end_matches('.').to_owned(),
            yes(kind.commits()),
            said(|error| format!("`{}`", error.kind.name())),
            said(|error| format!("`{:?}`", error.delivery)),
            said(|error| yes(error.unknown)),
            said(|error| yes(error.request_id)),
            import.to_string(),
            read.to_string(),
            chain.to_string(),
            no_body.to_string(),
            row.once.to_string(),
            row.always.to_string(),
        ];
        writeln!(page, "| {} |", cells.join(" | ")).unwrap();
    }
    page
}

/// The operations that `replayed-answer` is for.
fn naming_a_card() -> String {
    let ids = OPERATIONS.iter().map(|operation| operation.id());
    let is_for = |id: &&str| {
        FaultRule::next(Fault::ReplayedAnswer, 1)
            .with_operation(id)
            .is_ok()
    };
    let ids: Vec<_> = ids.filter(is_for).map(|id| format!("`{id}`")).collect();
    ids.join(", ")
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

/// The card that every import asks for.
const CODE: &str = "C1";

const WRITE: &str = "WXMEMBER_WRITE_DOCS=1 cargo nextest run -p wxmember-tests -E 'test(the_page_of_faults)'";

const PAGE: &str = include_str!("page.txt");
