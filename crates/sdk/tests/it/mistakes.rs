//! The twelve points that are easy to get wrong in this protocol, each as a test by its name. Answers that another
//! implementation made and signed are among them, so that both sides cannot share a mistake.
//!
//! | easy to get wrong | the tests that guard it |
//! |---|---|
//! | 1. OAEP with SHA-256. | `fields_are_oaep_with_sha1_as_another_implementation_makes_them`; `oaep_is_sha1_twice_without_a_label` of `wxmember-crypto` |
//! | 2. A field for the platform sealed with the merchant's key, an answer opened with another than the merchant's. | `an_answer_opens_with_the_merchants_key_alone`, `keys::the_merchants_own_key_is_not_taken_for_the_platforms`, `keys::every_key_of_the_merchant_opens` |
//! | 3. `Wechatpay-Serial` and `serial_no` confused, or the former missing from a GET. | `the_two_serials_are_never_exchanged`, `every_request_names_the_mode_of_its_answer` |
//! | 4. One serialisation signed and another sent; the query left out; the path encoded again. | `what_is_signed_is_what_is_sent`, `odd_parameters_are_signed_as_they_are_sent`, `odd_codes_are_signed_as_they_are_sent`, `a_backslash_in_a_code_leads_to_no_other_operation` |
//! | 5. The last line feed, `{}` for no body, milliseconds. | `what_is_signed_is_what_is_sent` |
//! | 6. Errors verified, 204 not verified. | `an_error_is_reported_without_its_signature`, `an_empty_answer_is_verified_like_any_other` |
//! | 7. Probes let through, or a panic on their base64. | `lessons::a_signature_probe_is_a_failed_verification_and_an_unknown_outcome` |
//! | 8. Choices sealed as one text, the name of a field sealed. | `choices_are_sealed_one_by_one_and_names_not_at_all` |
//! | 9. `date_information` here, `valid_date_information` there. | `the_validity_has_one_name_on_the_way_out_and_another_on_the_way_back` |
//! | 10. Ciphertexts compared; placeholders decoded by the schema; characters of four bytes. | `a_ciphertext_is_no_identity`, `a_placeholder_in_an_answer_fails_when_it_is_opened_and_not_before`, `characters_of_four_bytes_do_not_become_a_request`, `lessons::a_value_that_cannot_be_sealed_is_never_sent_in_clear` |
//! | 11. No `User-Agent`. | `every_request_says_who_asks_and_what_it_takes` |
//! | 12. 429 known by its code; the quota counted per process. | `too_many_requests_are_known_by_the_status_alone`; `the_quota_is_stated_with_the_operation`, so that one who paces can share it: the importer counts it in its ledger |

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use wxmember::{
    Client, CustomField, Delivery, ErrorKind, FindUserCardQuery, FormValue, ImportByPhone, Merchant,
    OPERATIONS, OpenError, PhoneNumber, Plaintext, Sealed, Trust, UserInformation, Validity, VerifyError,
    party,
};
use wxmember_crypto::{PlatformCiphertext, PrivateKey};

use crate::{
    harness::{NOW, PUBLIC_KEY_ID, still},
    loopback::{
        self, Asked, Loopback, MERCHANT_KEY, PLATFORM_PRIVATE_KEY, answer, merchant_key, public_key, signed,
    },
};

const IMPORT: &str = "v3/brand/partner/card-member/user-cards/import-by-phone";
const MERCHANT_SERIAL: &str = "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6";

/// A member with two choices in a field of the merchant's own.
pub(crate) fn sporty() -> ImportByPhone {
    let sports = CustomField::builder()
        .name("喜欢的运动".parse().unwrap())
        .user_chosen_values(vec![FormValue::new("篮球"), FormValue::new("羽毛球")])
        .build();
    ImportByPhone::builder()
        .brand_id("1004".parse().unwrap())
        .card_id("pbLatjvWOibDc5-TBnbUk1pD12o0".parse().unwrap())
        .phone_number(PhoneNumber::new("13800138000"))
        .user_card_code("478515832665".parse().unwrap())
        .user_information(UserInformation::builder().custom_field_list(vec![sports]).build())
        .date_information(Validity::days(200).unwrap())
        .pickup_time("2020-05-20T13:29:35.120+08:00".parse().unwrap())
        .build()
}

/// The vector of an answered import, made and signed by another implementation: what comes over the wire, and its body.
fn foreign_answer() -> (Vec<u8>, Value) {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/vectors.json")).unwrap();
    let vector = &vectors["response_verification"][0];
    assert_eq!(vector["verifier_clock"], NOW);
    let headers = vector["headers"].as_object().unwrap().iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| (&**name, value.as_str().unwrap()))
        .collect();
    let body = vector["body"].as_str().unwrap();
    (
        answer(200, &headers, body.as_bytes()),
        serde_json::from_str(body).unwrap(),
    )
}

/// A document of the platform's that this program signs in the platform's name.
fn card_with(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let (_, mut card) = foreign_answer();
    change(&mut card);
    signed(200, card.to_string().as_bytes())
}

async fn answered_with(
    bytes: Vec<u8>,
) -> (
    Result<wxmember::Reply<wxmember::UserCard>, wxmember::Error>,
    Asked,
) {
    let server = Loopback::start(move |_| bytes.clone()).await;
    let reply = server.client().user_cards().import_by_phone(&sporty()).await;
    (reply, server.asked().pop().unwrap())
}

/// Number 1: modern defaults say SHA-256, and so does one answer in the platform's own forum.
#[tokio::test]
async fn fields_are_oaep_with_sha1_as_another_implementation_makes_them() {
    let (card, asked) = answered_with(foreign_answer().0).await;
    let card = card.unwrap();
    assert_eq!(
        card.phone_number.as_ref().unwrap().open().unwrap().expose(),
        "13800138000"
    );
    let information = card.user_information.as_ref().unwrap();
    let sex = information.common_field_list[0].value.as_ref().unwrap();
    assert_eq!(sex.open().unwrap().expose(), "男");
    let choices = &information.custom_field_list[0].user_chosen_values;
    let choices: Vec<_> = choices.iter().map(|choice| choice.open().unwrap()).collect();
    assert_eq!(
        choices.iter().map(Plaintext::expose).collect::<Vec<_>>(),
        ["篮球", "羽毛球"]
    );
    // And what was asked opens with the platform's key: 256 bytes, as 344 characters.
    let sent: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(sent["phone_number"].as_str().unwrap().len(), 344);
    assert_eq!(opened_by_platform(&sent["phone_number"]), "13800138000");
}

fn opened_by_platform(field: &Value) -> String {
    let key = PrivateKey::<party::Platform>::from_pem(PLATFORM_PRIVATE_KEY).unwrap();
    let sealed: PlatformCiphertext = serde_json::from_value(field.clone()).unwrap();
    key.open::<FormValue>(&sealed).unwrap().expose().to_owned()
}

/// Number 2: what is sealed for the platform is not for the merchant, and the other way round.
#[tokio::test]
async fn an_answer_opens_with_the_merchants_key_alone() {
    let (card, asked) = answered_with(foreign_answer().0).await;
    let sent: Value = serde_json::from_slice(&asked.body).unwrap();
    let for_platform = sent["phone_number"].clone();
    let (echoed, _) = answered_with(card_with(|card| card["phone_number"] = for_platform)).await;
    let opens = |card: wxmember::Reply<wxmember::UserCard>| {
        card.phone_number
            .as_ref()
            .unwrap()
            .open()
            .map(|phone| phone.expose().to_owned())
    };
    assert_eq!(opens(card.unwrap()).unwrap(), "13800138000");
    assert_eq!(opens(echoed.unwrap()), Err(OpenError));
    // The merchant could not read what it sent.
    let sealed = serde_json::from_value(sent["phone_number"].clone()).unwrap();
    assert_eq!(merchant_key().open::<FormValue>(&sealed).unwrap_err(), OpenError);
}

/// Number 3: two serials, two owners. Given for each other they are refused before anything is sent.
#[tokio::test]
async fn the_two_serials_are_never_exchanged() {
    let (_, asked) = answered_with(foreign_answer().0).await;
    assert_eq!(asked.signed_with("serial_no"), MERCHANT_SERIAL);
    assert_eq!(asked.header("wechatpay-serial"), PUBLIC_KEY_ID);

    Merchant::new("1900000109", PUBLIC_KEY_ID, merchant_key()).unwrap_err();
    let platform = wxmember::PlatformKey::from_pem(&merchant_key().public_key().to_pem()).unwrap();
    Trust::public_key(MERCHANT_SERIAL, platform).unwrap_err();
}

/// Number 3: without the header the platform answers in the mode of certificates, whatever the merchant uses.
#[tokio::test]
async fn every_request_names_the_mode_of_its_answer() {
    let certificate = loopback::certificate();
    for (trust, serial) in [
        (public_key(), PUBLIC_KEY_ID),
        (public_key().and_certificate(&certificate), PUBLIC_KEY_ID),
        (Trust::certificate(&certificate), certificate.serial().as_str()),
    ] {
        let server = Loopback::start(|_| signed(200, b"{}")).await;
        let client = server.builder(trust).build().unwrap();
        every_method(&client).await;
        let asked = server.asked();
        assert_eq!(asked.len(), 7);
        for asked in asked {
            assert_eq!(asked.header("wechatpay-serial"), serial, "{}", asked.head);
        }
    }
}

/// One call of each kind; what it answers does not matter.
async fn every_method(client: &Client) {
    let body = json!({ "name": "会员", "list": [1, 2.50, null, { "b": 1, "a": 2 }] });
    let path = || {
        client
            .chain("v3/cards/{card_id}")
            .param("card_id", "a b")
            .query("q", "x/y")
    };
    let _ = path().get().await;
    let _ = path().post(&body).await;
    let _ = path().post_empty().await;
    let _ = path().patch(&body).await;
    let _ = path().delete().await;
    let _ = client.user_cards().import_by_phone(&sporty()).await;
    let _ = find(client, "478515832665", "obLatjnx9gnqzS4myYGmLZ7LgLBA").await;
}

/// A read of the document, with a parameter in its path and three in its query.
async fn find(
    client: &Client,
    code: &str,
    openid: &str,
) -> Result<wxmember::Reply<wxmember::UserCard>, wxmember::Error> {
    let query = FindUserCardQuery::builder()
        .brand_id("1004".parse().unwrap())
        .card_id("pbLatjvWOibDc5-TBnbUk1pD12o0".parse().unwrap())
        .openid(openid.parse().unwrap())
        .build();
    client
        .user_cards()
        .find_user_card(&code.parse().unwrap(), &query)
        .await
}

/// Numbers 4 and 5: the five lines are made of what came over the wire, each ended by a line feed, the body as it is,
/// nothing at all where there is none.
#[tokio::test]
async fn what_is_signed_is_what_is_sent() {
    let server = Loopback::start(|_| signed(200, b"{}")).await;
    every_method(&server.client()).await;
    let asked = server.asked();
    assert_eq!(asked.len(), 7);
    for asked in &asked {
        assert!(asked.is_signed(), "{}", asked.head);
        assert_eq!(asked.signed_with("timestamp"), NOW.to_string());
        let has_body = matches!(asked.headers("content-type")[..], ["application/json"]);
        assert_eq!(has_body, !asked.body.is_empty(), "{}", asked.head);
    }
    let bodies: Vec<_> = asked.iter().map(|asked| asked.body.is_empty()).collect();
    assert_eq!(bodies, [true, false, true, false, true, false, true]);
    assert_eq!(asked[0].target(), "/v3/cards/a%20b?q=x%2Fy");
}

/// Number 4: whatever stands in a parameter, the target that is signed is the one on the wire.
#[test]
fn odd_parameters_are_signed_as_they_are_sent() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, client) = runtime.block_on(async {
        let server = Loopback::start(|_| answer(404, &[], b"")).await;
        let client = server.client();
        (server, client)
    });
    let odd = "\\PC{1,12}|[%/?#&=+;:@!$'()*,~. \\\\\"<>|{}\\[\\]^`]{1,12}|%2[eEfF]|\\PC\u{0}\\PC";
    proptest!(crate::answers::cases(96), |(param in odd, name in odd, value in odd)| {
        let chain = client.chain("v3/cards/{id}/x").param("id", &param).query(&name, &value);
        let error = runtime.block_on(chain.get()).unwrap_err();
        if error.kind() == ErrorKind::Request {
            prop_assert!(matches!(&*param, "." | ".."));
            return Ok(());
        }
        let asked = server.asked().pop().unwrap();
        prop_assert!(asked.is_signed(), "{}", asked.head);
        let (path, query) = asked.target().split_once('?').unwrap();
        let segments: Vec<_> = path.split('/').collect();
        prop_assert_eq!(segments.len(), 5);
        prop_assert_eq!(decoded(segments[3]), param);
        let (sent_name, sent_value) = query.split_once('=').unwrap();
        prop_assert_eq!((decoded(sent_name), decoded(sent_value)), (name, value));
    });
}

/// Number 4: the typed style has another encoder than the generic one. Codes may hold every visible ASCII character.
#[test]
fn odd_codes_are_signed_as_they_are_sent() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, client) = runtime.block_on(async {
        let server = Loopback::start(|_| answer(404, &[], b"")).await;
        let client = server.client();
        (server, client)
    });
    let code = "[!-~]{1,12}|[./%?#&+;:\\\\]{1,4}|%2[eEfF]";
    proptest!(crate::answers::cases(96), |(code in code, openid in "[!-~]{1,20}")| {
        let before = server.asked().len();
        let error = runtime.block_on(find(&client, &code, &openid)).unwrap_err();
        if matches!(&*code, "." | "..") {
            prop_assert_eq!((error.kind(), error.delivery()), (ErrorKind::Request, Delivery::NotSent));
            prop_assert_eq!(server.asked().len(), before);
            return Ok(());
        }
        let asked = server.asked().pop().unwrap();
        prop_assert!(asked.is_signed(), "{}", asked.head);
        let (path, query) = asked.target().split_once('?').unwrap();
        let (parent, sent) = path.rsplit_once('/').unwrap();
        prop_assert_eq!(parent, "/v3/brand/partner/card-member/user-cards");
        prop_assert_eq!(decoded(sent), code);
        let (_, sent) = query.rsplit_once("&openid=").unwrap();
        prop_assert_eq!(decoded(sent), openid);
    });
}

/// Number 4: a URL takes a backslash for a slash. Unless it is encoded, a code with one in it is signed rightly for
/// another operation: `..\cards\ID` turns the end of one member's card into the end of the template.
#[tokio::test]
async fn a_backslash_in_a_code_leads_to_no_other_operation() {
    let server = Loopback::start(|_| answer(404, &[], b"")).await;
    let client = server.client();
    for (code, sent) in [
        ("\\", "%5C"),
        ("a\\b", "a%5Cb"),
        ("..\\cards\\ID", "..%5Ccards%5CID"),
    ] {
        find(&client, code, "o").await.unwrap_err();
        let path = format!("/v3/brand/partner/card-member/user-cards/{sent}");
        assert_eq!(
            server.asked().pop().unwrap().target().split_once('?').unwrap().0,
            path
        );
    }
}

/// Undoes percent-encoding, as a server does.
fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
        } else {
            byte
        });
    }
    String::from_utf8(decoded).unwrap()
}

/// Number 6: errors of the gateway carry no signature, or one of something else; the error is what it says it is, and
/// nobody vouches for it.
#[tokio::test]
async fn an_error_is_reported_without_its_signature() {
    let body = br#"{"code":"PARAM_ERROR","message":"x","detail":{"field":"/brand_id","location":"body"}}"#;
    let mut wrongly_signed = signed(400, body);
    let at = wrongly_signed.len() - body.len();
    wrongly_signed[at + 12] = b'x';
    for bytes in [answer(400, &[], body), signed(400, body), wrongly_signed] {
        let (reply, _) = answered_with(bytes).await;
        let error = reply.unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::BadRequest, Delivery::Answered)
        );
        assert!(error.code().is_some() && !error.is_verified() && error.verify_error().is_none());
        assert_eq!(error.detail().unwrap().field.as_deref(), Some("/brand_id"));
    }
}

/// Number 6: 204 has nothing to read, and is an answer all the same.
#[tokio::test]
async fn an_empty_answer_is_verified_like_any_other() {
    let confirmed = |bytes: Vec<u8>| async move {
        let server = Loopback::start(move |_| bytes.clone()).await;
        server.client().chain("v3/things/confirm").post_empty().await
    };
    let reply = confirmed(signed(204, b"")).await.unwrap();
    assert_eq!((reply.status(), reply.bytes()), (204, &b""[..]));
    assert_eq!(reply.value().unwrap(), Value::Null);

    let error = confirmed(answer(204, &[], b"")).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unverified, Some(204)));
    // Signed, but not for an empty body.
    let mut of_another = signed(200, b"{}");
    of_another.truncate(of_another.len() - 2);
    let of_another = String::from_utf8(of_another).unwrap();
    let of_another = of_another
        .replace(" 200 X", " 204 X")
        .replace("Content-Length: 2\r\n", "");
    let error = confirmed(of_another.into_bytes()).await.unwrap_err();
    assert!(
        matches!(error.verify_error(), Some(VerifyError::Mismatch { .. })),
        "{error:?}"
    );
    assert!(error.is_outcome_unknown());
}

/// Number 8: the platform opens every choice alone, and finds the field by its name in clear.
#[tokio::test(flavor = "multi_thread")]
async fn choices_are_sealed_one_by_one_and_names_not_at_all() {
    let sandbox = still().start().await.unwrap();
    let client = crate::harness::client(&sandbox);
    client.user_cards().import_by_phone(&sporty()).await.unwrap();
    let member = sandbox.members().pop().unwrap();
    let fields: Vec<_> = member
        .personal_fields()
        .map(|(place, value)| (place, value.expose()))
        .collect();
    let field = "/user_information/custom_field_list/0";
    let expect = [
        ("/phone_number".to_owned(), "13800138000"),
        (format!("{field}/user_chosen_values/0"), "篮球"),
        (format!("{field}/user_chosen_values/1"), "羽毛球"),
    ];
    let expect: Vec<_> = expect.iter().map(|(place, value)| (&**place, *value)).collect();
    assert_eq!(fields, expect);
    assert_eq!(
        member.card().pointer(&format!("{field}/name")).unwrap(),
        "喜欢的运动"
    );
}

/// Number 9: one thing under two names; a client that knows one of them loses the validity, or is refused.
#[tokio::test]
async fn the_validity_has_one_name_on_the_way_out_and_another_on_the_way_back() {
    let back = json!({ "type": "FIX_TERM", "available_day_after_receive": 31 });
    let answer = card_with(|card| {
        card["valid_date_information"] = back;
        card["date_information"] = json!({ "type": "PERMANENT" });
    });
    let (card, asked) = answered_with(answer).await;
    let sent: Value = serde_json::from_slice(&asked.body).unwrap();
    let days = json!({ "type": "FIX_TERM", "available_day_after_receive": 200 });
    assert_eq!(sent["date_information"], days);
    assert_eq!(sent.get("valid_date_information"), None);
    assert_eq!(card.unwrap().valid_date_information, Validity::days(31).unwrap());
}

/// Number 10: OAEP is randomised, so one member is never the same ciphertext twice.
#[tokio::test]
async fn a_ciphertext_is_no_identity() {
    let server = Loopback::start(|_| signed(200, b"{}")).await;
    let client = server.client();
    let sealed = || serde_json::to_value(client.seal(&sporty()).unwrap()).unwrap();
    let phones: BTreeSet<_> = (0..20)
        .map(|_| sealed()["request"]["phone_number"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(phones.len(), 20);
}

/// Number 10: the documents' placeholders are neither ciphertexts nor base64. An answer that holds one is still an
/// answer; a request that holds one is never made.
#[tokio::test]
async fn a_placeholder_in_an_answer_fails_when_it_is_opened_and_not_before() {
    const PLACEHOLDER: &str = "vvysDQeEaH3I+wRh14St0abIkvQyFgh/fbWY==";
    let (card, asked) = answered_with(card_with(|card| card["phone_number"] = PLACEHOLDER.into())).await;
    let card = card.unwrap();
    assert_eq!(card.user_card_code.as_str(), "478515832665");
    assert_eq!(card.phone_number.as_ref().unwrap().open().unwrap_err(), OpenError);

    let mut stored = json!({
        "platform_key_id": PUBLIC_KEY_ID,
        "request": serde_json::from_slice::<Value>(&asked.body).unwrap(),
    });
    serde_json::from_value::<Sealed<ImportByPhone>>(stored.clone()).unwrap();
    for text in [PLACEHOLDER, "13800138000"] {
        stored["request"]["phone_number"] = text.into();
        serde_json::from_value::<Sealed<ImportByPhone>>(stored.clone()).unwrap_err();
    }
}

/// Number 10: the platform takes characters of at most three bytes. What is not sealed is checked when it is written.
#[test]
fn characters_of_four_bytes_do_not_become_a_request() {
    "钻石会员".parse::<wxmember::MemberLevel>().unwrap();
    "钻石😀".parse::<wxmember::MemberLevel>().unwrap_err();
    "𠮷野家".parse::<wxmember::CustomFieldName>().unwrap_err();
    "code😀".parse::<wxmember::UserCardCode>().unwrap_err();
}

/// Number 11: the HTTP library has no `User-Agent` of its own, and the gateway refuses requests without one.
#[tokio::test]
async fn every_request_says_who_asks_and_what_it_takes() {
    let server = Loopback::start(|_| signed(200, b"{}")).await;
    every_method(&server.client()).await;
    let named = server
        .builder(public_key())
        .with_user_agent("shop/1.2")
        .build()
        .unwrap();
    every_method(&named).await;
    let asked = server.asked();
    for (index, asked) in asked.iter().enumerate() {
        assert_eq!(asked.header("accept"), "application/json", "{}", asked.head);
        let agent = asked.header("user-agent");
        if index < 7 {
            assert!(agent.starts_with("wxmember/"), "{agent}");
        } else {
            assert_eq!(agent, "shop/1.2");
        }
    }
    assert_eq!(asked.len(), 14);
    server
        .builder(public_key())
        .with_user_agent("")
        .build()
        .unwrap_err();
}

/// Number 12: one status has three codes in the documents, and each of the codes was seen under another status.
#[tokio::test]
async fn too_many_requests_are_known_by_the_status_alone() {
    let codes = [
        "RATELIMIT_EXCEEDED",
        "FREQUENCY_LIMITED",
        "RATE_LIMITED",
        "PARAM_ERROR",
        "NEW_ONE",
    ];
    for code in codes {
        for (status, kind) in [
            (429, ErrorKind::RateLimited),
            (400, ErrorKind::BadRequest),
            (403, ErrorKind::Forbidden),
            (500, ErrorKind::Platform),
        ] {
            let body = json!({ "code": code, "message": "频率超限" }).to_string();
            let (reply, _) = answered_with(answer(status, &[], body.as_bytes())).await;
            let error = reply.unwrap_err();
            assert_eq!(error.kind(), kind, "{status} {code}");
            assert_eq!(error.code().map(|code| code.to_string()).as_deref(), Some(code));
        }
    }
    let (reply, _) = answered_with(answer(429, &[], b"")).await;
    assert_eq!(reply.unwrap_err().kind(), ErrorKind::RateLimited);
}

/// Number 12: the quota belongs to a merchant id and an operation. The SDK counts nothing by itself, since another
/// process may share the quota; it says what it is.
#[test]
fn the_quota_is_stated_with_the_operation() {
    let import = OPERATIONS
        .iter()
        .find(|operation| operation.id() == "import_by_phone");
    assert_eq!(import.unwrap().rate_limit(), 5);
    for operation in OPERATIONS {
        assert!(operation.rate_limit() > 0, "{}", operation.id());
        assert!(
            operation.method() != "GET" || operation.is_repeatable(),
            "{}",
            operation.id()
        );
    }
}

/// The path of the document is the one that is called.
#[tokio::test]
async fn the_import_goes_where_the_document_says() {
    let (_, asked) = answered_with(foreign_answer().0).await;
    assert_eq!((asked.method(), asked.target()), ("POST", &*format!("/{IMPORT}")));
    // No part of the merchant's key leaves with it.
    let secret: String = MERCHANT_KEY.lines().skip(5).take(1).collect();
    assert!(!asked.head.contains(&secret));
}
