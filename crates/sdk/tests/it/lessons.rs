//! Mistakes that users of other SDKs have met, each as a test by its name. The protocol's own traps are in `mistakes.rs`,
//! answers of every kind in `answers.rs`.
//!
//! | what went wrong elsewhere | the tests that guard it here |
//! |---|---|
//! | A cipher shared by threads put one member's number on another member's card. | `members_imported_at_the_same_time_keep_their_own_data`; for each backend `keys_shared_by_threads_never_mix_up_values` of `wxmember-crypto` |
//! | The encryptor was frozen while the header followed a rotation, so that ciphertext and serial disagreed. | `keys::a_request_sealed_before_a_rotation_is_sent_under_its_own_key`, `keys::five_hundred_calls_survive_a_rotation_with_one_refresh` |
//! | A serial that the client set went over the caller's. | `the_serial_of_a_sealed_request_is_never_replaced`, `a_generic_call_names_the_key_that_sealed_its_fields` |
//! | Encryption in place: what was sent again was encrypted twice. | `a_request_sent_again_is_sealed_once`, `what_is_sealed_is_not_sealed_again_by_pointer`; the `compile_fail` examples at `Sealed` and in `wxmember-crypto` |
//! | An error body that is no JSON became a parse error and hid the status. | `an_error_that_is_no_json_keeps_status_and_request_id`, `answers::a_problem_of_any_shape_is_judged_by_its_status` |
//! | A probe's signature that is not base64 became another error than a failed verification. | `a_signature_probe_is_a_failed_verification_and_an_unknown_outcome` |
//! | A refresh that failed lost every key; a serial was read as a number. | `keys::old_keys_stay_when_a_refresh_fails`, `any_text_may_stand_as_the_serial_of_an_answer` |
//! | Headers of one call leaked into another through a shared default. | `headers_of_one_call_never_reach_another` |
//! | The constructor downloaded, so that merchants without certificates had no client. | `a_client_is_built_without_network_and_without_a_runtime`, `keys::a_failed_download_does_not_decide_a_call_that_needs_none` |
//! | A gateway's answer without the expected headers ended the program. | `answers::any_headers_and_any_body_end_in_a_typed_error`, `answers::any_bytes_end_in_a_typed_error` |
//! | The same signed bytes went to a second host after a read time-out. | `retry::a_lost_answer_goes_to_the_backup_host_for_repeatable_calls_only`, `retry::what_was_not_sent_goes_to_the_backup_host` |
//! | A retry reused nonce and time, which are stale after five minutes. | `retry::every_attempt_is_signed_anew`, `an_attempt_after_a_long_wait_carries_the_time_of_its_own` |
//!
//! And the traps of design that have no row above:
//!
//! | trap | the tests that guard it here |
//! |---|---|
//! | An unsigned success believed, 202 taken for done, a failed verification taken for "did not happen". | `an_unsigned_success_is_not_believed`, `accepted_is_not_done`, `a_success_of_another_status_may_have_acted` |
//! | Other bytes sent than signed: redirects, proxies, a second serialisation. | `a_redirect_is_not_followed`, `a_proxy_of_the_environment_gets_no_loopback_traffic`, `mistakes::what_is_signed_is_what_is_sent` |
//! | A refresh by every call at once; an invented serial that makes the client call home all the time. | `keys::five_hundred_calls_survive_a_rotation_with_one_refresh`, `keys::an_invented_key_id_costs_one_download_a_minute` |
//! | Secrets and personal data in `Debug` and in logs. | `secrets::nothing_public_prints_a_secret`, `secrets::an_error_shows_nothing_that_the_platform_echoes`, `secrets::logs_of_calls_that_fail_hold_no_value` |

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::task::JoinSet;
use wxmember::{
    ApiV3Key, Client, CommonField, CommonFieldName, CustomField, Delivery, ErrorKind, FixedClock, FormValue,
    ImportByPhone, MerchantKey, PhoneNumber, Plaintext, RetryPolicy, SealReason, Sealed, Trust,
    UserInformation, Validity, VerifyError,
};
use wxmember_sandbox::{Fault, Sandbox};

use crate::{
    harness::{NOW, PUBLIC_KEY_ID, builder, certified, client, import, member, public_key, still},
    loopback::{self, Loopback, answer, signed, signed_at},
};

/// A member whose every personal field says whose it is.
fn detailed(number: u64) -> ImportByPhone {
    let value = |text: &str| FormValue::new(format!("{text}{number}"));
    let name = CommonField::builder()
        .name(CommonFieldName::from("USER_FORM_FLAG_NAME"))
        .value(value("王"))
        .build();
    let sports = CustomField::builder()
        .name("喜欢的运动".parse().unwrap())
        .user_chosen_values(vec![value("篮球"), value("羽毛球")])
        .build();
    ImportByPhone::builder()
        .brand_id("1004".parse().unwrap())
        .card_id("pbLatjvWOibDc5-TBnbUk1pD12o0".parse().unwrap())
        .phone_number(PhoneNumber::new(format!("{}", 13_800_000_000 + number)))
        .user_card_code(format!("code-{number}").parse().unwrap())
        .user_information(
            UserInformation::builder()
                .common_field_list(vec![name])
                .custom_field_list(vec![sports])
                .build(),
        )
        .date_information(Validity::permanent())
        .pickup_time("2020-05-20T13:29:35.120+08:00".parse().unwrap())
        .build()
}

/// What the sandbox opened of a member.
fn opened(sandbox: &Sandbox, number: u64) -> Vec<String> {
    let member = sandbox
        .member(&sandbox.credentials().card_id, &format!("code-{number}"))
        .unwrap();
    let fields = member.personal_fields();
    fields.map(|(_, value)| value.expose().to_owned()).collect()
}

/// One SDK shared a cipher without a lock: of 8,000 values 59 landed on another member's card.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn members_imported_at_the_same_time_keep_their_own_data() {
    const MEMBERS: u64 = 96;
    let sandbox = still().start().await.unwrap();
    let client = client(&sandbox);
    let mut calls = JoinSet::new();
    for number in 0..MEMBERS {
        let client = client.clone();
        calls.spawn(async move {
            let card = client.user_cards().import_by_phone(&detailed(number)).await;
            (number, card.unwrap())
        });
    }
    // What each answer holds, and in the end what the platform holds.
    while let Some(done) = calls.join_next().await {
        let (number, card) = done.unwrap();
        assert_eq!(card.user_card_code.as_str(), format!("code-{number}"));
        let phone = card.phone_number.as_ref().unwrap().open().unwrap();
        assert_eq!(phone.expose(), format!("{}", 13_800_000_000 + number));
        let information = card.user_information.as_ref().unwrap();
        let name = information.common_field_list[0].value.as_ref().unwrap();
        assert_eq!(name.open().unwrap().expose(), format!("王{number}"));
    }
    assert_eq!(sandbox.members().len() as u64, MEMBERS);
    for number in 0..MEMBERS {
        let phone = format!("{}", 13_800_000_000 + number);
        let expect = [
            phone,
            format!("王{number}"),
            format!("篮球{number}"),
            format!("羽毛球{number}"),
        ];
        assert_eq!(opened(&sandbox, number), expect);
    }
}

/// Two SDKs let the client's serial go over the one of the key that had sealed. Here a request that was sealed with a
/// certificate, and stored, is sent by a client that would seal with the public key.
#[tokio::test(flavor = "multi_thread")]
async fn the_serial_of_a_sealed_request_is_never_replaced() {
    let sandbox = certified().start().await.unwrap();
    let certificate = &sandbox.platform_certificates()[0];
    let read = wxmember::Certificate::from_pem(&certificate.pem).unwrap();
    let (before, _) = builder(&sandbox, Trust::certificate(&read));
    let sealed = before.build().unwrap().seal(&member(&sandbox, 1)).unwrap();
    let stored = serde_json::to_string(&sealed).unwrap();

    let (now, _) = builder(&sandbox, public_key(&sandbox).and_certificate(&read));
    let client = now.build().unwrap();
    assert_eq!(client.sealing_key_id().unwrap().as_str(), PUBLIC_KEY_ID);
    let sealed: Sealed<ImportByPhone> = serde_json::from_str(&stored).unwrap();
    client.user_cards().import_by_phone_sealed(&sealed).await.unwrap();
    let entry = sandbox.journal().pop().unwrap();
    assert_eq!(entry.platform_serial.as_deref(), Some(&*certificate.serial));
    assert_eq!(opened(&sandbox, 1), ["13800000001"]);
}

/// Sealing by pointer takes key and serial from one hand as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_generic_call_names_the_key_that_sealed_its_fields() {
    let sandbox = certified().start().await.unwrap();
    let certificate = &sandbox.platform_certificates()[0];
    let read = wxmember::Certificate::from_pem(&certificate.pem).unwrap();
    for (number, trust, serial) in [
        (1, public_key(&sandbox), PUBLIC_KEY_ID),
        (2, Trust::certificate(&read), &certificate.serial),
    ] {
        let client = builder(&sandbox, trust).0.build().unwrap();
        import_by_pointer(&client, &sandbox, number).await.unwrap();
        let entry = sandbox.journal().pop().unwrap();
        assert_eq!(entry.platform_serial.as_deref(), Some(serial));
        assert_eq!(opened(&sandbox, number), [format!("1380000000{number}")]);
    }
}

async fn import_by_pointer(
    client: &Client,
    sandbox: &Sandbox,
    number: u64,
) -> Result<wxmember::Reply<wxmember::Answer>, wxmember::Error> {
    let body = serde_json::json!({
        "brand_id": sandbox.credentials().brand_id,
        "card_id": sandbox.credentials().card_id,
        "phone_number": format!("{}", 13_800_000_000 + number),
        "user_card_code": format!("code-{number}"),
        "date_information": { "type": "PERMANENT" },
        "pickup_time": "2020-05-20T13:29:35.120+08:00",
    });
    client.chain(IMPORT).seal("/phone_number").post(&body).await
}

/// Another SDK encrypted in place: a request that was sent again, by its user or by a retry, was encrypted twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_again_is_sealed_once() {
    let sandbox = still().start().await.unwrap();
    let client = client(&sandbox);
    let (plain, sealed) = (detailed(1), client.seal(&detailed(1)).unwrap());
    let expect = ["13800000001", "王1", "篮球1", "羽毛球1"];
    for repeats in 0..2 {
        client.user_cards().import_by_phone(&plain).await.unwrap();
        sandbox.fault(Fault::LostAnswer, 1);
        let again = client.user_cards().import_by_phone_sealed(&sealed).await.unwrap();
        assert_eq!(again.attempts(), 2);
        // The same code with another number would be a clash, so each repeat held the same text.
        assert_eq!(opened(&sandbox, 1), expect);
        let member = &sandbox.members()[0];
        assert_eq!(member.repeats(), repeats * 3 + 2);
    }
    assert_eq!(plain, detailed(1));
}

/// In the generic style a field is a text like any other, so the type cannot tell; the length does.
#[tokio::test]
async fn what_is_sealed_is_not_sealed_again_by_pointer() {
    let server = Loopback::start(|_| signed(200, b"{}")).await;
    let client = server.client();
    let sealed = client.seal(&detailed(1)).unwrap();
    let mut body = serde_json::to_value(&sealed).unwrap()["request"].take();
    // Beside a field that is sealed now, one that was sealed before is refused for its key.
    body.as_object_mut().unwrap().remove("user_information");
    let error = client
        .chain(IMPORT)
        .seal("/phone_number")
        .post(&body)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Seal, Delivery::NotSent)
    );
    body["phone_number"] = "13800000001".into();
    client
        .chain(IMPORT)
        .seal("/phone_number")
        .post(&body)
        .await
        .unwrap();
    assert_eq!(server.asked().len(), 1);
}

/// Another SDK took every error body for JSON, so that the parser's complaint about a page of HTML hid the 502.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_is_no_json_keeps_status_and_request_id() {
    let sandbox = still().start().await.unwrap();
    let client = client(&sandbox).with_retry(RetryPolicy::never());
    for (fault, status, kind, code) in [
        (Fault::BadGateway, 502, ErrorKind::Platform, None),
        (Fault::EmptyError, 500, ErrorKind::Platform, None),
        (Fault::EmptyNotFound, 404, ErrorKind::NotFound, None),
        (Fault::TruncatedError, 500, ErrorKind::Platform, None),
        // The message is in GBK, which is not UTF-8; the code is ASCII in both.
        (
            Fault::ErrorNotUtf8,
            400,
            ErrorKind::BadRequest,
            Some("PARAM_ERROR"),
        ),
        (Fault::HugeError, 500, ErrorKind::Platform, None),
    ] {
        sandbox.fault(fault, 1);
        let error = import(&client, &sandbox, 1).await.unwrap_err();
        let id = sandbox.journal().pop().unwrap().request_id;
        assert_eq!((error.status(), error.kind()), (Some(status), kind), "{fault:?}");
        assert_eq!(error.request_id(), id.as_deref(), "{fault:?}");
        assert_eq!(
            error.code().map(|code| code.to_string()).as_deref(),
            code,
            "{fault:?}"
        );
        assert_eq!(error.delivery(), Delivery::Answered, "{fault:?}");
        assert!(!error.is_verified());
    }
    assert_eq!(sandbox.members().len(), 0);
}

/// Another SDK let a probe that is not base64 surface as an argument error; a third one counted the row as failed,
/// although the platform had processed it.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_probe_is_a_failed_verification_and_an_unknown_outcome() {
    let sandbox = still().start().await.unwrap();
    let client = client(&sandbox).with_retry(RetryPolicy::never());
    for (number, fault) in [(1, Fault::SignatureProbe), (2, Fault::SignatureProbeNotBase64)] {
        sandbox.fault(fault, 1);
        let error = import(&client, &sandbox, number).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::Unverified, Delivery::MaybeSent)
        );
        assert!(
            matches!(error.verify_error(), Some(VerifyError::Probe { .. })),
            "{fault:?}"
        );
        assert!(error.is_outcome_unknown() && !error.is_verified());
        // It did happen.
        assert_eq!(sandbox.members().len() as u64, number);
    }
}

/// Another SDK read a serial as a hexadecimal number and fell over `PUB_KEY_ID_…`.
#[tokio::test]
async fn any_text_may_stand_as_the_serial_of_an_answer() {
    let long = "F".repeat(5000);
    for serial in [
        "",
        "0",
        "0x",
        "PUB_KEY_ID_",
        "pub_key_id_01",
        "4D:3C",
        "not a serial",
        "\"",
        &long,
    ] {
        let headers = [
            ("Wechatpay-Timestamp", NOW.to_string()),
            ("Wechatpay-Nonce", "nonce".to_owned()),
            ("Wechatpay-Serial", serial.to_owned()),
            ("Wechatpay-Signature", "AAAA".to_owned()),
        ];
        let server = Loopback::start(move |_| {
            let headers = headers.each_ref().map(|(name, value)| (*name, &**value));
            answer(200, &headers, b"{}")
        })
        .await;
        let error = server.client()["v3/certificates"].get().await.unwrap_err();
        assert!(
            matches!(error.verify_error(), Some(VerifyError::UnknownKey { .. })),
            "{serial:?}: {error:?}"
        );
    }
}

/// A default argument that all calls shared let one call's `Authorization` out in another thread's request.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn headers_of_one_call_never_reach_another() {
    const PAIRS: usize = 32;
    let server = Loopback::start(|_| signed(200, b"{}")).await;
    let certificate = loopback::certificate();
    let sealing = server.builder(Trust::certificate(&certificate)).build().unwrap();
    let sealed = Arc::new(sealing.seal(&detailed(1)).unwrap());
    let client = server.client();
    let mut calls = JoinSet::new();
    for number in 0..PAIRS {
        let (one, other, sealed) = (client.clone(), client.clone(), sealed.clone());
        calls.spawn(async move {
            one.chain("v3/reads/{number}")
                .param("number", number)
                .get()
                .await
                .unwrap();
        });
        // The document that is answered is none of a card; what counts is what was asked.
        calls.spawn(async move {
            other
                .user_cards()
                .import_by_phone_sealed(&sealed)
                .await
                .unwrap_err();
        });
    }
    calls.join_all().await;

    let asked = server.asked();
    let nonces: BTreeSet<_> = asked.iter().map(|asked| asked.signed_with("nonce_str")).collect();
    assert_eq!((asked.len(), nonces.len()), (2 * PAIRS, 2 * PAIRS));
    let mut count = HashMap::new();
    for asked in &asked {
        assert!(asked.is_signed(), "{}", asked.target());
        let serial = asked.header("wechatpay-serial");
        let content = asked.headers("content-type").len();
        *count.entry((asked.method(), serial, content)).or_insert(0) += 1;
    }
    let expect = [
        (("GET", PUBLIC_KEY_ID, 0), PAIRS),
        (("POST", certificate.serial().as_str(), 1), PAIRS),
    ];
    assert_eq!(count, HashMap::from(expect));
}

/// Another SDK downloaded in its constructor: merchants who have a public key alone get 404 there, and had no client.
#[test]
fn a_client_is_built_without_network_and_without_a_runtime() {
    let download = || ApiV3Key::new("TestOnlyApiV3Key0123456789abcdef").unwrap();
    for trust in [
        Trust::downloaded_certificates(download()),
        loopback::public_key().and_downloaded_certificates(download()),
        loopback::public_key(),
        Trust::certificate(&loopback::certificate()),
    ] {
        // Nobody could be asked here, and there is no runtime that could ask.
        Client::builder()
            .merchant(loopback::merchant())
            .trust(trust)
            .with_base_url("https://nobody.invalid")
            .build()
            .unwrap();
    }
}

/// Another SDK repeated a request with the headers of its first attempt; after five minutes the platform refuses them.
#[tokio::test]
async fn an_attempt_after_a_long_wait_carries_the_time_of_its_own() {
    let server = Loopback::start(|asked| {
        let time: i64 = asked.signed_with("timestamp").parse().unwrap();
        if time == NOW {
            answer(429, &[("Retry-After", "400")], b"")
        } else {
            signed_at(time, 200, b"{}")
        }
    })
    .await;
    let patient = RetryPolicy::default().with_deadline(Duration::from_secs(900));
    let client = server
        .builder(loopback::public_key())
        .with_retry(patient)
        .with_clock(Arc::new(FixedClock::at(NOW)))
        .build()
        .unwrap();
    let reply = client["v3/certificates"].get().await.unwrap();
    assert_eq!(reply.attempts(), 2);
    let asked = server.asked();
    let [first, second] = [0, 1].map(|at: usize| asked[at].signed_with("timestamp").parse::<i64>().unwrap());
    assert!(second >= first + 400, "{first} {second}");
    assert!(asked.iter().all(loopback::Asked::is_signed));
    assert_ne!(
        asked[0].signed_with("nonce_str"),
        asked[1].signed_with("nonce_str")
    );
}

/// A 2xx that nobody signed may be a proxy's; it is no success, and no failure either.
#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_success_is_not_believed() {
    let sandbox = still().start().await.unwrap();
    let client = client(&sandbox).with_retry(RetryPolicy::never());
    sandbox.fault(Fault::Unsigned, 1);
    let error = import(&client, &sandbox, 1).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unverified, Some(200)));
    assert!(error.is_outcome_unknown() && !error.is_verified());
    assert!(matches!(
        error.verify_error(),
        Some(VerifyError::MissingHeader { .. })
    ));
    assert_eq!(sandbox.members().len(), 1);
}

/// 202 means received; two SDKs took it for done.
#[tokio::test(flavor = "multi_thread")]
async fn accepted_is_not_done() {
    let sandbox = still().start().await.unwrap();
    let client = client(&sandbox).with_retry(RetryPolicy::never());
    sandbox.fault(Fault::Accepted, 2);
    let typed = import(&client, &sandbox, 1).await.unwrap_err();
    let generic = import_by_pointer(&client, &sandbox, 1).await.unwrap_err();
    for error in [typed, generic] {
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::NotProcessed, Some(202))
        );
        assert!(error.is_outcome_unknown() && error.is_verified());
    }
    assert_eq!(sandbox.members().len(), 0);
}

/// A verified success of a status that the document does not promise: whatever it is, the platform may have acted.
#[tokio::test]
async fn a_success_of_another_status_may_have_acted() {
    for status in [201, 204, 206] {
        let body: &[u8] = if status == 204 { b"" } else { b"{}" };
        let server = Loopback::start(move |_| signed(status, body)).await;
        let request = server.client().seal(&detailed(1)).unwrap();
        let client = server.client();
        let error = client
            .user_cards()
            .import_by_phone_sealed(&request)
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Unexpected, Some(status))
        );
        assert!(error.is_verified() && error.is_outcome_unknown(), "{status}");
    }
}

/// What was signed for one host must not go to another, with the signature in its hands.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let sandbox = still().start().await.unwrap();
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = format!("{}/{IMPORT}", sandbox.base_url());
        let server = Loopback::start(move |_| answer(status, &[("Location", &elsewhere)], b"")).await;
        let request = server.client().seal(&detailed(1)).unwrap();
        let client = server.client();
        let error = client
            .user_cards()
            .import_by_phone_sealed(&request)
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Unexpected, Some(status))
        );
        assert!(
            error.to_string().contains("a redirect, which is not followed"),
            "{error}"
        );
        assert!(!error.is_verified());
        client["v3/certificates"].get().await.unwrap_err();
        assert_eq!(server.asked().len(), 2);
    }
    assert_eq!(sandbox.requests(), 0);
}

/// A proxy that the environment names for the internet would see what is meant for a sandbox on this machine, and its
/// answers would be taken for the sandbox's. The environment is a process's, so this test runs itself in another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_the_environment_gets_no_loopback_traffic() {
    const CHILD: &str = "WXMEMBER_TEST_BEHIND_A_PROXY";
    if std::env::var_os(CHILD).is_some() {
        let sandbox = still().start().await.unwrap();
        import(&client(&sandbox), &sandbox, 1).await.unwrap();
        return;
    }
    let proxy = Loopback::start(|_| answer(502, &[], b"")).await;
    let url = proxy.base_url();
    let name = "lessons::a_proxy_of_the_environment_gets_no_loopback_traffic";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture"]).env(CHILD, "1");
    for variable in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ] {
        child.env(variable, &url);
    }
    for variable in ["no_proxy", "NO_PROXY", "REQUEST_METHOD"] {
        child.env_remove(variable);
    }
    let output = tokio::task::spawn_blocking(move || child.output())
        .await
        .unwrap()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert_eq!(proxy.asked().len(), 0);
}

/// A key for each task is a fair precaution elsewhere; here one key serves all, and it cannot be changed under them.
#[test]
fn clients_and_keys_are_shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Client>();
    check::<MerchantKey>();
    check::<Sealed<ImportByPhone>>();
    check::<wxmember::UserCard>();
    check::<wxmember::Error>();
}

/// A value that cannot be sealed stops the request before anything leaves, and the error names the place alone.
#[tokio::test]
async fn a_value_that_cannot_be_sealed_is_never_sent_in_clear() {
    let server = Loopback::start(|_| signed(200, b"{}")).await;
    let client = server.client();
    let with = |value: &str| {
        let mut member = detailed(1);
        let information = member.user_information.as_mut().unwrap();
        information.custom_field_list[0].user_chosen_values[1] = FormValue::new(value);
        member
    };
    for value in ["", "𠮷MARKER", "MARKER😀", &"MARKER".repeat(36)] {
        let error = client
            .user_cards()
            .import_by_phone(&with(value))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::Seal, Delivery::NotSent)
        );
        let cause = std::error::Error::source(&error).unwrap();
        let cause = cause.downcast_ref::<wxmember::SealError>().unwrap();
        assert_eq!(
            cause.field(),
            "/user_information/custom_field_list/0/user_chosen_values/1"
        );
        let is_rare = matches!(cause.reason(), SealReason::FourByteCharacter);
        assert_eq!(is_rare, value.contains(['𠮷', '😀']));
        let text = format!(
            "{error} {error:?} {cause} {cause:?} {} {:?}",
            cause.reason(),
            cause.reason()
        );
        assert!(!text.contains("MARKER"), "{text}");
    }
    assert_eq!(server.asked().len(), 0);
}

const IMPORT: &str = "v3/brand/partner/card-member/user-cards/import-by-phone";
