//! Answers as no platform would send them: random heads, random bodies, bodies without an end. Nothing panics, nothing
//! is believed, memory stays bounded, and every error says what it is.

use std::{
    error::Error as _,
    sync::{Arc, Mutex},
};

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wxmember::{Client, Delivery, Error, ErrorKind, ImportByPhone, Sealed};

use crate::{
    harness::NOW,
    loopback::{Loopback, Say, answer, answer_of_bytes, public_key, signed},
};

const LIMIT: usize = 16 * 1024;

/// A server that says what the case says, and a client that asks it once in either style.
struct Stage {
    runtime: Runtime,
    script: Arc<Mutex<Vec<u8>>>,
    client: Client,
    request: Sealed<ImportByPhone>,
    _server: Loopback,
}

impl Stage {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let script = Arc::<Mutex<Vec<u8>>>::default();
        let said = script.clone();
        let server = runtime.block_on(Loopback::start(move |_| said.lock().unwrap().clone()));
        let client = server
            .builder(public_key())
            .with_body_limit(LIMIT)
            .build()
            .unwrap();
        let request = client.seal(&crate::mistakes::sporty()).unwrap();
        Self {
            runtime,
            script,
            client,
            request,
            _server: server,
        }
    }

    /// The errors of a typed and a generic call that are answered with these bytes. Nothing is ever believed here.
    fn errors(&self, answer: Vec<u8>) -> [Error; 2] {
        *self.script.lock().unwrap() = answer;
        self.runtime.block_on(async {
            let typed = self
                .client
                .user_cards()
                .import_by_phone_sealed(&self.request)
                .await;
            let generic = self.client["v3/certificates"].get().await;
            [typed.unwrap_err(), generic.unwrap_err()]
        })
    }
}

/// What an error must be, whatever came.
fn judge(error: &Error) -> Result<(), TestCaseError> {
    prop_assert!(!error.is_verified());
    prop_assert_eq!(error.attempts(), 1);
    prop_assert_ne!(error.delivery(), Delivery::NotSent);
    let kind = error.kind();
    match error.status() {
        None => prop_assert_eq!(kind, ErrorKind::Interrupted),
        Some(200..=299) => {
            prop_assert!(matches!(
                kind,
                ErrorKind::Unverified | ErrorKind::Interrupted | ErrorKind::Undecodable
            ));
            prop_assert!(error.is_outcome_unknown());
        }
        Some(429) => prop_assert_eq!(kind, ErrorKind::RateLimited),
        Some(401) => prop_assert_eq!(kind, ErrorKind::Unauthorized),
        Some(500..=599) => {
            prop_assert_eq!(kind, ErrorKind::Platform);
            prop_assert!(error.is_outcome_unknown());
        }
        Some(400..=499) => prop_assert_eq!(error.delivery(), Delivery::Answered),
        Some(_) => prop_assert_eq!(kind, ErrorKind::Unexpected),
    }
    let text = format!("{error} {error:?}");
    // Twice the text, of which a request id takes at most 128.
    prop_assert!(text.len() < 600, "{}", text);
    Ok(())
}

/// Failures are not kept in files beside the tests: a case that fails is printed, and becomes a test by its name.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn header_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "Wechatpay-Timestamp",
        "Wechatpay-Nonce",
        "Wechatpay-Serial",
        "Wechatpay-Signature",
        "Wechatpay-Signature-Type",
        "Request-ID",
        "Retry-After",
        "Date",
        "Content-Type",
        "Content-Encoding",
        "Location",
        "Set-Cookie",
        "Server",
    ])
}

fn header_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(prop_oneof![0x20..=0x7e_u8, 0x80..=0xff_u8], 0..60),
        Just(NOW.to_string().into_bytes()),
        Just(crate::harness::PUBLIC_KEY_ID.into()),
        Just(b"WECHATPAY/SIGNTEST/AAAA".to_vec()),
        Just(b"18446744073709551615".to_vec()),
        Just(b"-1".to_vec()),
        Just(b"gzip".to_vec()),
        Just(b"Fri, 31 Dec 9999 23:59:59 GMT".to_vec()),
        Just(b"Thu, 01 Jan 1970 00:00:00 GMT".to_vec()),
        vec(Just(b'9'), 0..2000),
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        any_json().prop_map(|json| json.to_string().into_bytes()),
        (any_json(), any::<prop::sample::Index>()).prop_map(|(json, cut)| {
            let mut text = json.to_string().into_bytes();
            text.truncate(cut.index(text.len() + 1));
            text
        }),
        (1..4000_usize).prop_map(|depth| "[".repeat(depth).into_bytes()),
        (1..4000_usize).prop_map(|depth| "{\"detail\":".repeat(depth).into_bytes()),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let name = prop_oneof![
            Just("code".to_owned()),
            Just("message".to_owned()),
            Just("detail".to_owned()),
            Just("field".to_owned()),
            ".{0,8}",
        ];
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(name, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Another client took the headers of an answer for granted and ended the program at a gateway's page.
#[test]
fn any_headers_and_any_body_end_in_a_typed_error() {
    let stage = Stage::new();
    let headers = vec((header_name(), header_value()), 0..12);
    let config = cases(160);
    proptest!(config, |(status in 200..600_u16, headers in headers, body in body())| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let ids: Vec<_> = headers.iter().filter(|(name, _)| *name == "Request-ID").collect();
        for error in stage.errors(answer_of_bytes(status, &headers, &body)) {
            judge(&error)?;
            prop_assert_eq!(error.status(), Some(status));
            if let [(_, id)] = ids[..] {
                let id = std::str::from_utf8(id).ok().map(str::trim).filter(|id| id.is_ascii());
                let id = id.map(|id| &id[..id.len().min(128)]);
                prop_assert_eq!(error.request_id(), id);
            }
        }
    });
}

/// Not even HTTP.
#[test]
fn any_bytes_end_in_a_typed_error() {
    let stage = Stage::new();
    let head = prop_oneof![
        Just("".to_owned()),
        Just("HTTP/1.1 200 OK\r\n".to_owned()),
        Just("HTTP/1.1 999 \r\n\r\n".to_owned()),
        Just("HTTP/1.1 100 \r\n\r\nHTTP/1.1 100 \r\n\r\n".to_owned()),
        Just("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n".to_owned()),
        Just("HTTP/2 200\r\n\r\n".to_owned()),
        Just("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned()),
        Just("HTTP/1.1 500 X\r\nContent-Length: 18446744073709551615\r\n\r\n".to_owned()),
        Just("HTTP/1.1 200 X\r\nContent-Length: 18446744073709551615\r\n\r\n".to_owned()),
        Just("HTTP/1.1 200 X\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned()),
        Just("HTTP/1.1 400 X\r\nContent-Length: -1\r\n\r\n".to_owned()),
        Just("HTTP/1.1 429 X\r\nContent-Length: 100\r\n\r\n".to_owned()),
        Just(format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(500))),
        Just(format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "b".repeat(1 << 19))),
    ];
    proptest!(cases(120), |(head in head, tail in vec(any::<u8>(), 0..300))| {
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&tail);
        for error in stage.errors(bytes) {
            judge(&error)?;
        }
    });
}

/// The body of a refusal is the gateway's, a proxy's or nobody's: the status decides, what can be read is kept, and a
/// member of another type than documented does not take the others with it.
#[test]
fn a_problem_of_any_shape_is_judged_by_its_status() {
    let stage = Stage::new();
    let code = prop_oneof![any_json(), "[A-Z_]{1,32}".prop_map(Value::from)];
    let detail = prop_oneof![
        any_json(),
        (any_json(), any_json(), any_json()).prop_map(|(field, issue, location)| {
            json!({ "field": field, "issue": issue, "location": location, "value": "MARKER" })
        })
    ];
    let config = cases(160);
    proptest!(config, |(status in 400..600_u16, code in code, message in any_json(), detail in detail)| {
        let body = json!({ "code": code, "message": message, "detail": detail }).to_string();
        for error in stage.errors(answer(status, &[], body.as_bytes())) {
            judge(&error)?;
            let word = code.as_str().filter(|code| !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
            if let Some(word) = word {
                let code = error.code().map(|code| code.to_string());
                prop_assert_eq!(code.as_deref(), Some(word));
            }
            prop_assert_eq!(error.message(), message.as_str());
            if detail.is_object() {
                let field = error.detail().and_then(|detail| detail.field.as_deref());
                prop_assert_eq!(field, detail["field"].as_str());
            }
            let text = format!("{error} {error:?} {:?}", error.detail());
            prop_assert!(!text.contains("MARKER"));
        }
    });
}

/// An error's limit of its source, for a body of so many bytes in three framings.
#[tokio::test]
async fn a_body_beyond_the_limit_is_not_read_and_the_error_names_the_limit() {
    for (length, fits) in [
        (LIMIT - 1, true),
        (LIMIT, true),
        (LIMIT + 1, false),
        (40 * LIMIT, false),
    ] {
        let body = vec![b' '; length];
        let announced = answer(200, &[], &body);
        let mut to_the_end = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        to_the_end.extend_from_slice(&body);
        let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in body.chunks(1000) {
            chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            chunked.extend_from_slice(chunk);
            chunked.extend_from_slice(b"\r\n");
        }
        chunked.extend_from_slice(b"0\r\n\r\n");
        for bytes in [announced, to_the_end, chunked] {
            let server = Loopback::start(move |_| bytes.clone()).await;
            let client = server
                .builder(public_key())
                .with_body_limit(LIMIT)
                .build()
                .unwrap();
            let error = client["v3/certificates"].get().await.unwrap_err();
            let kind = if fits {
                ErrorKind::Unverified
            } else {
                ErrorKind::Undecodable
            };
            assert_eq!((error.kind(), error.status()), (kind, Some(200)), "{length}");
            if !fits {
                assert_too_large(&error);
                assert!(error.is_outcome_unknown());
            }
        }
    }
}

#[track_caller]
fn assert_too_large(error: &Error) {
    let cause = error.source().unwrap().to_string();
    assert_eq!(cause, format!("the answer is larger than {LIMIT} bytes"));
}

/// Nobody waits for the end of a body that has none, and nobody keeps it.
#[tokio::test]
async fn an_answer_without_an_end_is_given_up_at_the_limit() {
    for (status, kind) in [
        (200, ErrorKind::Undecodable),
        (400, ErrorKind::BadRequest),
        (429, ErrorKind::RateLimited),
        (500, ErrorKind::Platform),
    ] {
        let head = format!("HTTP/1.1 {status} X\r\nRequest-ID: the-id\r\n\r\n");
        let server = Loopback::start(move |_| Say::Endless(head.clone().into_bytes())).await;
        let client = server
            .builder(public_key())
            .with_body_limit(LIMIT)
            .build()
            .unwrap();
        let error = client["v3/certificates"].get().await.unwrap_err();
        // The status came whole: it says what happened, whatever became of the text below it.
        assert_eq!((error.kind(), error.status()), (kind, Some(status)));
        assert_eq!(error.request_id(), Some("the-id"));
        assert_too_large(&error);
    }
}

/// The status of a refusal came before its body broke off, so it was refused, and there is no doubt about it.
#[tokio::test]
async fn a_refusal_that_is_cut_off_is_a_refusal() {
    for (status, kind) in [
        (400, ErrorKind::BadRequest),
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Forbidden),
        (429, ErrorKind::RateLimited),
        (503, ErrorKind::Platform),
    ] {
        let mut bytes = answer(status, &[], br#"{"code":"PARAM_ERROR","message":"x"}"#);
        bytes.truncate(bytes.len() - 9);
        let server = Loopback::start(move |_| bytes.clone()).await;
        let error = server.client()["v3/certificates"].get().await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)));
        assert_eq!(error.delivery(), Delivery::Answered);
        assert_eq!(error.is_outcome_unknown(), status >= 500);
    }
}

/// The other side of the coin: a right answer with any headers besides is an answer.
#[tokio::test]
async fn headers_that_nobody_asked_for_do_no_harm() {
    let good = signed(200, br#"{"a":"\u4f1a"}"#);
    let at = good.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
    let more = format!(
        "Retry-After: soon\r\nDate: never\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nX: {}\r\nWechatpay-Signature-Type: X\r\n",
        "y".repeat(4000)
    );
    let bytes = [&good[..at], more.as_bytes(), &good[at..]].concat();
    let server = Loopback::start(move |_| bytes.clone()).await;
    let reply = server.client()["v3/certificates"].get().await.unwrap();
    assert_eq!(reply.value().unwrap(), json!({ "a": "会" }));
}
