//! Answers of the platform, from the bytes on the wire through the HTTP library, the verification and the decoding of the
//! SDK to what a caller holds.
//!
//! A server in the same thread answers what the input says. The first byte chooses the way, the second the operation:
//!
//! - *signed*: a body under a good signature, with a status. What stands behind the signature is reached.
//! - *headers*: header lines, an empty line, a body; `{SIGNATURE}` stands for the signature that fits them.
//! - *raw*: every byte that the server sends.
//! - *certificates*: what is sealed in the list of platform certificates, which verifies itself.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Serialize, de::DeserializeOwned};
use wxmember::{
    Answer, CardTemplate, CardTemplateList, Client, Delivery, Error, ErrorKind, FindCardQuery,
    FindUserCardQuery, ImportByPhone, ImportPhoneMembercard, ListActivitiesQuery, ListCardsQuery,
    ListCertificatesQuery, ListUserCardsQuery, PhoneNumber, Plaintext, Reply, Sealed,
    SearchPhonenumberMemberQuery, UserCard, Validity,
};
use wxmember_client::types;

use crate::{
    claims::{contains, has_marker, opened, quiet, round_trip, silent},
    input::{choice, first, headers, line, replaced},
    parties::{
        APIV3_KEY, BRAND, CARD, NOW, PUBLIC_KEY_ID, apiv3_key, filled, is_the_platforms,
        platform_certificate, platform_signature, tokens,
    },
};

mod server;

use self::server::Stage;

/// Answers one call and looks at what the SDK makes of it.
pub fn run(data: &[u8]) {
    let Some((way, operation, rest)) = choice(data) else {
        return;
    };
    match way % 4 {
        0 => signed(STATUSES[way / 4 % STATUSES.len()], operation, rest),
        1 => with_headers(STATUSES[way / 4 % STATUSES.len()], operation, rest),
        2 => raw(rest),
        _ => certificates(rest),
    }
}

/// A body under a good signature.
fn signed(status: u16, operation: usize, body: &[u8]) {
    let body = filled(body);
    let timestamp = NOW.to_string();
    let signature = platform_signature(PUBLIC_KEY_ID, &timestamp, "nonce", &body);
    let head = [
        ("Request-ID", "08A3378CE0D73C13683B06EF4D731AC655-0"),
        ("Wechatpay-Timestamp", &timestamp),
        ("Wechatpay-Nonce", "nonce"),
        ("Wechatpay-Serial", PUBLIC_KEY_ID),
        ("Wechatpay-Signature", &signature),
    ];
    let head = head.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let outcome = call(operation, answer(status, &head, &body), &body);
    // A status that has no body sends none, and the signature is one of the body.
    if has_no_body(status) && !body.is_empty() {
        return;
    }
    match (&outcome.error, status) {
        (Some(error), 200..=299) => {
            let kinds = [
                ErrorKind::NotProcessed,
                ErrorKind::Undecodable,
                ErrorKind::Unexpected,
            ];
            assert!(kinds.contains(&error.kind()), "{status}: {error:?}");
            assert!(
                error.is_verified() && error.is_outcome_unknown(),
                "{status}: {error:?}"
            );
        }
        (Some(error), _) => refused(error, status),
        (None, 200..=299) => {}
        (None, _) => panic!("{status} was taken for a success"),
    }
    if status == 200 && outcome.has_body {
        assert_eq!(
            outcome.error.is_none(),
            outcome.is_readable,
            "the SDK reads what serde reads"
        );
    }
}

/// Headers as they come; the body has its length.
fn with_headers(status: u16, operation: usize, rest: &[u8]) {
    let (mut head, body) = headers(rest);
    let body = filled(body);
    let text = |name| first(&head, name).unwrap_or_default().to_owned();
    let [timestamp, nonce, serial] = ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial"].map(text);
    for (name, value) in &mut head {
        if name.eq_ignore_ascii_case("Wechatpay-Signature") && contains(value, tokens::SIGNATURE.as_bytes()) {
            let signature = platform_signature(&serial, &timestamp, &nonce, &body);
            *value = replaced(value, tokens::SIGNATURE, signature.as_bytes());
        }
        // Both would change what the body is.
        let is_framing = ["content-length", "transfer-encoding", "connection", "upgrade"];
        if is_framing
            .iter()
            .any(|framing| name.eq_ignore_ascii_case(framing))
        {
            name.insert_str(0, "X-");
        }
    }
    let outcome = call(operation, answer(status, &head, &body), &body);
    let is_verified = outcome.error.as_ref().is_none_or(Error::is_verified);
    if is_verified {
        let given = [
            "Wechatpay-Timestamp",
            "Wechatpay-Nonce",
            "Wechatpay-Serial",
            "Wechatpay-Signature",
        ]
        .map(|name| first(&head, name));
        let sent: &[u8] = if has_no_body(status) { b"" } else { &body };
        assert!(is_the_platforms(given, sent), "what does not fit was verified");
        assert!((200..300).contains(&status), "{status} was verified");
    }
    if let (Some(error), false) = (&outcome.error, (200..300).contains(&status))
        && error.status().is_some()
    {
        refused(error, status);
    }
}

/// Every byte of the answer. No signature can be found, so nothing but the stored one is ever believed.
fn raw(bytes: &[u8]) {
    let stage = Stage::of_raw_answers();
    let client = stage.client();
    let reply: Result<Reply<Answer>, Error> =
        stage.answering(bytes.to_vec(), client.chain("v3/certificates").get());
    match reply {
        Ok(answer) => assert_eq!(answer.bytes(), STORED_BODY, "what was not signed was believed"),
        Err(error) => silent(&error),
    }
}

/// The list of platform certificates: what is sealed in it comes from the input, and the key that signs is in it.
fn certificates(rest: &[u8]) {
    let (serial, rest) = line(rest);
    let (nonce, sealed) = line(rest);
    let nonce: [u8; 12] = std::array::from_fn(|place| match nonce.get(place) {
        Some(byte) if byte.is_ascii_alphanumeric() => *byte,
        _ => b'0',
    });
    let sealed = filled(sealed);
    let Ok(ciphertext) = apiv3_key().seal(&nonce, b"certificate", &sealed) else {
        return;
    };
    let own = platform_certificate().serial().as_str().to_owned();
    let body = serde_json::json!({"data": [{
        "serial_no": String::from_utf8_lossy(serial),
        "effective_time": "2026-11-30T00:00:00+08:00",
        "expire_time": "2036-11-30T00:00:00+08:00",
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": str::from_utf8(&nonce).unwrap_or_default(),
            "associated_data": "certificate",
            "ciphertext": BASE64_STANDARD.encode(ciphertext),
        },
    }]});
    let body = body.to_string().into_bytes();
    let timestamp = NOW.to_string();
    let signature = platform_signature(&own, &timestamp, "nonce", &body);
    let head = [
        ("Wechatpay-Timestamp", timestamp.as_str()),
        ("Wechatpay-Nonce", "nonce"),
        ("Wechatpay-Serial", &own),
        ("Wechatpay-Signature", &signature),
    ];
    let head = head.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    // The keys of an earlier input do not vouch for this one.
    match Stage::shared().downloading(answer(200, &head, &body)) {
        Ok(()) => {
            let sealed = String::from_utf8_lossy(&sealed).into_owned();
            let found = wxmember::Certificate::<wxmember::party::Platform>::from_pem(&sealed);
            let found = found.expect("what was taken is a certificate");
            assert_eq!(*found.public_key(), *platform_certificate().public_key());
        }
        Err(error) => {
            silent(&error);
            let text = crate::claims::shown(&error);
            assert!(!text.contains(APIV3_KEY), "{text}");
        }
    }
}

/// What is known of a refusal.
fn refused(error: &Error, status: u16) {
    assert_eq!(error.status(), Some(status), "{error:?}");
    assert_eq!(error.delivery(), Delivery::Answered, "{error:?}");
    assert!(!error.is_verified(), "{error:?}");
    let kind = match status {
        400 => ErrorKind::BadRequest,
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        500..=599 => ErrorKind::Platform,
        _ => ErrorKind::Unexpected,
    };
    assert_eq!(error.kind(), kind, "{status}");
}

/// What became of a call.
struct Outcome {
    error: Option<Error>,
    /// Whether the document promises a body.
    has_body: bool,
    /// Whether the body is what the document promises, by serde alone.
    is_readable: bool,
}

fn call(operation: usize, bytes: Vec<u8>, body: &[u8]) -> Outcome {
    let stage = Stage::shared();
    let client = stage.client();
    let Requests {
        by_phone,
        membercard,
        search,
    } = &*REQUESTS;
    macro_rules! made {
        ($raw:ty, $call:expr) => {
            outcome::<$raw, _>(stage.answering(bytes, $call), body, |_| {})
        };
        ($raw:ty, $call:expr, $look:expr) => {
            outcome::<$raw, _>(stage.answering(bytes, $call), body, $look)
        };
    }
    match operation % 12 {
        0 => made!(
            types::UserCard,
            client.user_cards().import_by_phone_sealed(by_phone),
            card
        ),
        1 => {
            let query = FindUserCardQuery::builder()
                .brand_id(parsed(BRAND))
                .card_id(parsed(CARD))
                .openid(parsed("obLatjnx9gnqzS4myYGmLZ7LgLBA"))
                .build();
            let code = parsed("478515832665");
            made!(
                types::UserCard,
                client.user_cards().find_user_card(&code, &query),
                card
            )
        }
        2 => {
            let query = ListUserCardsQuery::builder()
                .brand_id(parsed(BRAND))
                .openid(parsed("obLatjnx9gnqzS4myYGmLZ7LgLBA"))
                .offset(0)
                .limit(20)
                .build();
            made!(
                types::UserCardList,
                client.user_cards().list_user_cards(&query),
                |list: &wxmember::UserCardList| list.data.iter().for_each(card)
            )
        }
        3 => {
            let query = ListCardsQuery::builder()
                .brand_id(parsed(BRAND))
                .offset(0)
                .limit(20)
                .build();
            made!(CardTemplateList, client.cards().list_cards(&query))
        }
        4 => {
            let query = FindCardQuery::builder().brand_id(parsed(BRAND)).build();
            let id = parsed(CARD);
            made!(CardTemplate, client.cards().find_card(&id, &query))
        }
        5 => {
            let query = ListActivitiesQuery::builder()
                .brand_id(parsed(BRAND))
                .offset(0)
                .limit(20)
                .build();
            made!(
                types::ActivityList,
                client.membership_activities().list_activities(&query)
            )
        }
        6 => {
            let id = parsed(CARD);
            made!(
                types::ImportedMembercard,
                client
                    .membercard_open()
                    .import_phone_membercard_sealed(&id, membercard)
            )
        }
        7 => made!(
            types::MembercardReceipt,
            client.membercard_open().search_phonenumber_member_sealed(search)
        ),
        8 => {
            let query = ListCertificatesQuery::default();
            made!(
                types::PlatformCertificateList,
                client.certificates().list_certificates(&query)
            )
        }
        9 => {
            let request = wxmember::PointBalance::builder()
                .out_request_no(parsed("100002322019090134234sfdf"))
                .brand_id(parsed(BRAND))
                .card_id(parsed(CARD))
                .openid(parsed("obLatjnx9gnqzS4myYGmLZ7LgLBA"))
                .user_card_code(parsed("478515832665"))
                .point_balance(1000)
                .build();
            made!(
                types::PointBalance,
                client.user_points().sync_user_points(&request)
            )
        }
        10 => {
            let request = wxmember::PushUserFeedRequest::builder()
                .brand_id(parsed(BRAND))
                .card_id(parsed(CARD))
                .user_card_code(parsed("478515832665"))
                .openid(parsed("obLatjnx9gnqzS4myYGmLZ7LgLBA"))
                .out_request_no(parsed("100002322019090134234sfdf"))
                .cell(parsed("15_1200_1"))
                .build();
            made!(types::UserFeed, client.user_feeds().push_user_feed(&request))
        }
        _ => generic(
            stage.answering(bytes, client.chain("v3/any/path").post_empty()),
            body,
        ),
    }
}

fn outcome<R: DeserializeOwned + Serialize, T>(
    reply: Result<Reply<T>, Error>,
    body: &[u8],
    look: impl FnOnce(&T),
) -> Outcome
where
    T: std::fmt::Debug,
{
    let is_readable = round_trip::<R>(body);
    let error = match reply {
        Ok(reply) => {
            assert!((200..300).contains(&reply.status()) && reply.attempts() == 1);
            let _ = format!("{reply:?}");
            look(&reply);
            None
        }
        Err(error) => {
            if has_marker(body) {
                silent(&error);
                quiet(&format!("{:?}", error.detail()));
            }
            Some(error)
        }
    };
    Outcome {
        error,
        has_body: true,
        is_readable,
    }
}

/// An answer of a call that the document does not describe is what came, byte for byte.
fn generic(reply: Result<Reply<Answer>, Error>, body: &[u8]) -> Outcome {
    let error = match reply {
        Ok(answer) => {
            assert!(answer.bytes() == body || answer.bytes().is_empty());
            quiet(&format!("{:?}", *answer));
            for pointer in ["", "/phone_number", "/data/0", "/0/a~1b"] {
                if let Ok(opened) = answer.open::<PhoneNumber>(pointer) {
                    assert_eq!(opened.expose(), "13800138000");
                }
            }
            if let Err(error) = answer.value() {
                silent(&error);
            }
            None
        }
        Err(error) => {
            silent(&error);
            Some(error)
        }
    };
    Outcome {
        error,
        has_body: false,
        is_readable: true,
    }
}

/// Opens every personal field; what opens is what was sealed, and nothing of it is shown.
fn card(card: &UserCard) {
    let opened = opened(card.phone_number.as_ref(), card.user_information.as_ref());
    assert!(opened.iter().all(|field| field == "13800138000"));
}

/// A whole answer; the server closes the connection behind it.
fn answer(status: u16, headers: &[(String, Vec<u8>)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    if has_no_body(status) {
        bytes.extend_from_slice(b"\r\n");
    } else {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
    }
    bytes
}

fn has_no_body(status: u16) -> bool {
    matches!(status, 204 | 304)
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a value of an example")
}

/// Requests that are sealed once.
struct Requests {
    by_phone: Sealed<ImportByPhone>,
    membercard: Sealed<ImportPhoneMembercard>,
    search: Sealed<SearchPhonenumberMemberQuery>,
}

static REQUESTS: LazyLock<Requests> = LazyLock::new(|| {
    let client: &Client = Stage::shared().client();
    let phone = || PhoneNumber::new("13800138000");
    let by_phone = ImportByPhone::builder()
        .brand_id(parsed(BRAND))
        .card_id(parsed(CARD))
        .phone_number(phone())
        .user_card_code(parsed("478515832665"))
        .date_information(Validity::permanent())
        .pickup_time(parsed("2020-05-20T13:29:35.120+08:00"))
        .build();
    let membercard = ImportPhoneMembercard::builder()
        .encrypted_phone_number(phone())
        .out_request_no(parsed("100002322019090134234sfdf"))
        .build();
    let search = SearchPhonenumberMemberQuery::builder()
        .card_id(parsed(CARD))
        .encrypted_phone_number(phone())
        .build();
    Requests {
        by_phone: client.seal(&by_phone).expect("an example is sealed"),
        membercard: client.seal(&membercard).expect("an example is sealed"),
        search: client.seal(&search).expect("an example is sealed"),
    }
});

/// Of the first, most of the inputs.
const STATUSES: [u16; 16] = [
    200, 200, 200, 200, 201, 202, 204, 206, 301, 304, 400, 401, 403, 404, 429, 500,
];

/// The one body whose signature a stored input holds.
pub(crate) const STORED_BODY: &[u8] = br#"{"data":[]}"#;
