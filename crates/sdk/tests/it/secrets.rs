//! Marker tests: keys and personal data go in, everything that can be printed is printed, and they are not in it.

use std::{
    fmt::{self, Debug, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use wxmember::{
    ApiV3Key, Client, CommonField, CommonFieldName, CustomField, Error, FormValue, ImportByPhone, KeyError,
    MerchantKey, PhoneNumber, Plaintext, RetryPolicy, UserInformation, Validity,
};
use wxmember_sandbox::Fault;

use crate::{
    harness::{builder, client, downloaded, public_key, still},
    loopback::{self, Loopback, REQUEST_ID, answer, signed},
};

const PHONE: &str = "13987654321";
const VALUE: &str = "住址MARKER路";
const APIV3_KEY: &str = "MARKER0nlyApiV3Key0123456789abcd";

/// Everything that must not be found: the markers, and a stretch out of the middle of the private key.
fn markers() -> Vec<String> {
    let key: String = loopback::MERCHANT_KEY.lines().skip(5).take(1).collect();
    assert_eq!(key.len(), 64);
    [PHONE, "MARKER", &key].map(str::to_owned).into()
}

#[track_caller]
fn check(what: &str, text: &str) {
    for marker in markers() {
        assert!(!text.contains(&marker), "{what} shows `{marker}`: {text}");
    }
}

fn marked() -> ImportByPhone {
    ImportByPhone::builder()
        .brand_id("1004".parse().unwrap())
        .card_id("pbLatjvWOibDc5-TBnbUk1pD12o0".parse().unwrap())
        .phone_number(PhoneNumber::new(PHONE))
        .user_card_code("478515832665".parse().unwrap())
        .user_information(
            UserInformation::builder()
                .common_field_list(vec![
                    CommonField::builder()
                        .name(CommonFieldName::from("USER_FORM_FLAG_ADDRESS"))
                        .value(FormValue::new(VALUE))
                        .build(),
                ])
                .custom_field_list(vec![
                    CustomField::builder()
                        .name("喜欢的运动".parse().unwrap())
                        .user_chosen_values(vec![FormValue::new(VALUE)])
                        .build(),
                ])
                .build(),
        )
        .date_information(Validity::permanent())
        .pickup_time("2020-05-20T13:29:35.120+08:00".parse().unwrap())
        .build()
}

/// Somebody's `{:?}` always ends in a log, and a panic prints what it holds.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_public_prints_a_secret() {
    let sandbox = still().start().await.unwrap();
    let secret = ApiV3Key::new(APIV3_KEY).unwrap();
    let trust = public_key(&sandbox).and_downloaded_certificates(secret.clone());
    let (builder, _) = builder(&sandbox, trust.clone());
    let client = builder.clone().build().unwrap();
    let sealed = client.seal(&marked()).unwrap();
    let card = client.user_cards().import_by_phone(&marked()).await.unwrap();
    // It is there; it is only not shown.
    assert_eq!(
        card.phone_number.as_ref().unwrap().open().unwrap().expose(),
        PHONE
    );
    let opened = card.phone_number.as_ref().unwrap().open().unwrap();
    let body = serde_json::json!({ "phone_number": PHONE, "note": VALUE });
    let chain = client
        .chain("v3/{code}")
        .param("code", VALUE)
        .query("phone", PHONE)
        .seal("/phone_number");
    let answered = {
        let server = Loopback::start(move |_| signed(200, body.to_string().as_bytes())).await;
        server.client()["v3/x"].get().await.unwrap()
    };
    assert!(String::from_utf8_lossy(answered.bytes()).contains(PHONE));
    let merchant_key = loopback::merchant_key();
    let signature = merchant_key.sign(b"MARKER").unwrap();

    let all: [(&str, &dyn Debug); 18] = [
        ("a request", &marked()),
        ("a sealed request", &sealed),
        ("an answer", &card),
        ("a personal field of an answer", &card.phone_number),
        ("a generic answer", &answered),
        ("a generic call", &chain),
        ("an endpoint", &client["v3/x"]),
        ("a client", &client),
        ("a builder", &builder),
        ("trust", &trust),
        ("a merchant", &loopback::merchant()),
        ("a private key", &merchant_key),
        ("a public key", merchant_key.public_key()),
        ("a symmetric key", &secret),
        ("a phone number", &opened),
        ("a form value", &FormValue::new(VALUE)),
        ("a signature", &signature),
        ("a certificate", &loopback::certificate()),
    ];
    for (what, value) in all {
        check(what, &format!("{value:?} {value:#?}"));
    }
}

/// Keys that cannot be read are named by what they look like, never quoted.
#[test]
fn a_key_that_cannot_be_read_is_not_quoted() {
    let broken = loopback::MERCHANT_KEY.replacen("MII", "***", 1);
    let errors: [KeyError; 2] = [
        MerchantKey::from_pem(&broken).unwrap_err(),
        ApiV3Key::new(&format!("{APIV3_KEY}and more")).unwrap_err(),
    ];
    for error in errors {
        check("an error of a key", &chain_of(&error));
    }
}

/// An error answer may echo what was sent: in `message`, in `detail.value`, and wherever else the platform likes.
#[tokio::test]
async fn an_error_shows_nothing_that_the_platform_echoes() {
    let body = serde_json::json!({
        "code": format!("MARKER {PHONE}"),
        "message": format!("手机号{PHONE}格式错误"),
        "detail": {
            "field": "/phone_number",
            "value": PHONE,
            "issue": VALUE,
            "location": "body",
            "more": { "value": PHONE },
        },
        "more": PHONE,
    });
    let echo = body.to_string();
    let html = format!("<html>{PHONE}{VALUE}</html>");
    let bodies = [echo.clone(), html, format!("{}{PHONE}", &echo[..echo.len() / 2])];
    for (status, body) in [200, 302, 400, 401, 404, 429, 502]
        .into_iter()
        .flat_map(|status| bodies.clone().map(|body| (status, body)))
    {
        let headers = [
            ("Request-ID", REQUEST_ID),
            ("X-Echo", PHONE),
            ("Location", "/13987654321"),
            ("Set-Cookie", "phone=13987654321"),
            ("Content-Type", "text/html; charset=MARKER"),
        ];
        let bytes = answer(status, &headers, body.as_bytes());
        let server = Loopback::start(move |_| bytes.clone()).await;
        let client = server.client();
        let typed = client.user_cards().import_by_phone(&marked()).await.unwrap_err();
        let query = client
            .chain("v3/{code}")
            .param("code", VALUE)
            .query("phone", PHONE);
        for error in [typed, query.get().await.unwrap_err()] {
            assert_eq!(
                (error.status(), error.request_id()),
                (Some(status), Some(REQUEST_ID))
            );
            check("an error", &chain_of(&error));
            if let Some(detail) = error.detail() {
                assert!(!format!("{detail:?}").contains(PHONE));
            }
        }
    }
}

/// A verified document that does not fit, and connections that break: their causes come from libraries that like to quote.
#[tokio::test]
async fn causes_from_libraries_quote_nothing() {
    let wrong = serde_json::json!({ "user_card_code": [PHONE], "card_id": VALUE, "brand_id": PHONE });
    let wrong = signed(200, wrong.to_string().as_bytes());
    let cut = answer(200, &[], PHONE.as_bytes());
    let cut = cut[..cut.len() - 4].to_vec();
    let garbage = format!("{PHONE} {VALUE}\r\n{PHONE}: {VALUE}\r\n\r\n").into_bytes();
    for bytes in [wrong, cut, garbage, Vec::new()] {
        let server = Loopback::start(move |_| bytes.clone()).await;
        let client = server.client();
        let typed = client.user_cards().import_by_phone(&marked()).await.unwrap_err();
        check("an error", &chain_of(&typed));
        let query = client
            .chain("v3/{code}")
            .param("code", VALUE)
            .query("phone", PHONE);
        if let Err(error) = query.get().await {
            check("an error", &chain_of(&error));
        }
    }
}

/// An error with all its causes, printed in both ways.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        write!(text, "{error} {error:?} {error:#?} ").unwrap();
        next = error.source();
    }
    text
}

/// Everything that `tracing` is told, as text.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<String>>);

impl Heard {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    fn visit(&self, record: impl FnOnce(&mut dyn Visit)) {
        struct Writer<'a>(&'a mut String);
        impl Visit for Writer<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                writeln!(self.0, "{field}={value:?}").unwrap();
            }
        }
        record(&mut Writer(&mut self.0.lock().unwrap()));
    }
}

impl Subscriber for Heard {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.visit(|visitor| attributes.record(visitor));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.visit(|visitor| values.record(visitor));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.visit(|visitor| event.record(visitor));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Heard")
    }
}

/// On one thread, so that one subscriber hears all of it.
#[tokio::test]
async fn logs_of_calls_that_fail_hold_no_value() {
    let heard = Heard::default();
    let listening = tracing::subscriber::set_default(heard.clone());
    let sandbox = still().start().await.unwrap();
    let client = client(&sandbox);
    for fault in [
        Fault::BadGateway,
        Fault::ErrorNotUtf8,
        Fault::LostAnswer,
        Fault::RateLimited,
        Fault::SignatureProbe,
        Fault::TruncatedJson,
        Fault::UnknownSerial,
        Fault::WrongDate { seconds: 600 },
        Fault::WrongDocument,
    ] {
        sandbox.fault(fault, 3);
        client.user_cards().import_by_phone(&marked()).await.unwrap_err();
        sandbox.clear_faults();
    }
    client.user_cards().import_by_phone(&marked()).await.unwrap();
    // A refusal of the platform's own, which names the field and echoes nothing here, but might.
    refused(&client).await;
    let (keyless, _) = builder(&sandbox, downloaded(&sandbox));
    let keyless = keyless.build().unwrap();
    keyless.user_cards().import_by_phone(&marked()).await.unwrap_err();
    drop(listening);

    let text = heard.text();
    check("the log", &text);
    for expect in [
        "operation=\"import_by_phone\"",
        "unverified",
        "status=502",
        "attempt=3",
        "not downloaded",
    ] {
        assert!(text.contains(expect), "the log says nothing of {expect}: {text}");
    }
    for entry in sandbox
        .journal()
        .iter()
        .filter_map(|entry| entry.nonce.as_deref())
    {
        assert!(!text.contains(entry), "a nonce is part of a signature");
    }
}

async fn refused(client: &Client) -> Error {
    let mut member = marked();
    member.phone_number = PhoneNumber::new(format!("{PHONE}0"));
    let patient = RetryPolicy::default().with_deadline(Duration::from_secs(5));
    let error = client
        .with_retry(patient)
        .user_cards()
        .import_by_phone(&member)
        .await;
    error.unwrap_err()
}
