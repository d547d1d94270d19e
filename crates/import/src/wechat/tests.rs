//! Requests of each route as they are stored; nothing is sent here.

use std::{sync::Arc, time::Duration};

use wxmember::{Clock, Merchant, MerchantKey, PlatformKey, Sleep, Trust};
use wxmember_crypto::{FormValue, PhoneNumber};

use super::*;
use crate::member::{CommonField, Validity};

fn gateway() -> WechatGateway {
    gateway_at("http://127.0.0.1:1")
}

fn gateway_at(base_url: &str) -> WechatGateway {
    let key = MerchantKey::from_pem(include_str!("../../../../tests/vectors/test_merchant_key.pem")).unwrap();
    let platform = PlatformKey::from_pem(&platform_key().public_key().to_pem()).unwrap();
    let client = Client::builder()
        .merchant(Merchant::new("1900000109", "4B4A", key).unwrap())
        .trust(Trust::public_key("PUB_KEY_ID_01", platform).unwrap())
        .with_base_url(base_url)
        .with_clock(Arc::new(Stopped))
        .build();
    WechatGateway::new(client.unwrap())
}

/// The private half, as only the platform has it.
fn platform_key() -> MerchantKey {
    MerchantKey::from_pem(include_str!(
        "../../../../tests/vectors/test_wechatpay_pubmode_key.pem"
    ))
    .unwrap()
}

/// It is always [`NOW`], and no time limit is ever over.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn since_1970(&self) -> Duration {
        Duration::from_secs(NOW)
    }

    fn sleep(&self, _: Duration) -> Sleep<'_> {
        Box::pin(std::future::pending())
    }
}

const NOW: u64 = 1_780_000_000;

fn member() -> Member {
    Member {
        brand_id: "1004".to_owned(),
        card_id: "card".to_owned(),
        phone_number: Some(PhoneNumber::new("MARKER1")),
        openid: Some("o-1".to_owned()),
        user_card_code: Some("A1".to_owned()),
        request_no: Some("0123456789ab-7".to_owned()),
        level: Some("金卡".to_owned()),
        card_color: None,
        card_picture_url: None,
        common_fields: vec![(CommonField::Name, FormValue::new("MARKER2"))],
        custom_fields: vec![("爱好".to_owned(), vec![FormValue::new("MARKER3")])],
        validity: Some(Validity::FixTerm { days: 3 }),
        pickup_time: Some("2024-01-02T00:00:00+08:00".to_owned()),
    }
}

/// The body without its ciphertexts, which differ each time.
fn shown(request: &SealedRequest) -> String {
    let json = stored::unpack(request.body(), request.platform_key_id()).unwrap();
    let body = String::from_utf8(json.into_owned()).unwrap();
    assert!(!body.contains("MARKER") && !format!("{request:?}").contains("MARKER"));
    let parts = body.split('"').map(|text| match text.len() {
        344 => "sealed",
        _ => text,
    });
    parts.collect::<Vec<_>>().join("\"")
}

#[test]
fn each_route_stores_its_own_request() {
    let shown = Route::ALL.map(|route| shown(&gateway().seal(route, &member()).unwrap()));
    insta::assert_snapshot!(shown.join("\n"), @r#"
    {"platform_key_id":"PUB_KEY_ID_01","request":{"brand_id":"1004","card_id":"card","date_information":{"available_day_after_receive":3,"type":"FIX_TERM"},"level":"金卡","phone_number":"sealed","pickup_time":"2024-01-02T00:00:00+08:00","user_card_code":"A1","user_information":{"common_field_list":[{"name":"USER_FORM_FLAG_NAME","value":"sealed"}],"custom_field_list":[{"name":"爱好","user_chosen_values":["sealed"]}]}}}
    {"platform_key_id":"PUB_KEY_ID_01","request":{"brand_id":"1004","card_id":"card","level":"金卡","openid":"o-1","phone_number":"sealed","pickup_time":"2024-01-02T00:00:00+08:00","user_card_code":"A1","user_information":{"common_field_list":[{"name":"USER_FORM_FLAG_NAME","value":"sealed"}],"custom_field_list":[{"name":"爱好","user_chosen_values":["sealed"]}]},"valid_date_information":{"available_day_after_receive":3,"type":"FIX_TERM"}}}
    {"card_id":"card","request":{"platform_key_id":"PUB_KEY_ID_01","request":{"code":"A1","encrypted_phone_number":"sealed","out_request_no":"0123456789ab-7"}}}
    "#);
}

#[test]
fn what_a_route_needs_is_named() {
    #[track_caller]
    fn check(route: Route, take: impl Fn(&mut Member), expect: &str) {
        let mut member = member();
        take(&mut member);
        let refusal = gateway().seal(route, &member).unwrap_err();
        assert_eq!((refusal.field.as_str(), refusal.is_row), (expect, true));
    }
    check(
        Route::ImportByPhone,
        |member| member.phone_number = None,
        "/phone_number",
    );
    check(
        Route::ImportByPhone,
        |member| member.user_card_code = None,
        "/user_card_code",
    );
    check(
        Route::ImportByPhone,
        |member| member.validity = None,
        "/date_information",
    );
    check(Route::ImportByOpenid, |member| member.openid = None, "/openid");
    check(
        Route::ImportByOpenid,
        |member| member.pickup_time = None,
        "/pickup_time",
    );
    check(
        Route::PhoneMembercard,
        |member| member.request_no = None,
        "/out_request_no",
    );
    let long = |member: &mut Member| member.request_no = Some("1".repeat(33));
    check(Route::PhoneMembercard, long, "/out_request_no");
    check(
        Route::PhoneMembercard,
        |member| member.phone_number = None,
        "/encrypted_phone_number",
    );
}

#[tokio::test]
async fn a_stored_request_of_another_route_is_not_sent() {
    let gateway = gateway();
    for route in Route::ALL {
        let request = gateway.seal(route, &member()).unwrap();
        for other in Route::ALL.into_iter().filter(|other| *other != route) {
            let answer = gateway.send(other, &request).await;
            assert!(
                matches!(answer, Answer::StopRun(stop) if stop.code == "LEDGER_DAMAGED"),
                "{route} as {other}"
            );
        }
        // Its own is sent, to where nobody is.
        assert!(
            matches!(gateway.send(route, &request).await, Answer::NotSent { .. }),
            "{route}"
        );
    }
}

/// What comes of an answer whose bytes are given.
async fn answer_to(answer: Vec<u8>) -> Answer {
    answer_by(Route::ImportByPhone, &member(), answer).await
}

async fn answer_by(route: Route, member: &Member, answer: Vec<u8>) -> Answer {
    use std::io::{Read, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = gateway_at(&format!("http://{}", listener.local_addr().unwrap()));
    let platform = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !request.ends_with(b"}") {
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "the request ended early");
            request.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(&answer).unwrap();
    });
    let request = gateway.seal(route, member).unwrap();
    let answer = gateway.send(route, &request).await;
    platform.join().unwrap();
    answer
}

fn of_a_proxy(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} No\r\ncontent-length: 5\r\nconnection: close\r\n\r\nproxy").into_bytes()
}

/// A card as the platform answers it, with its signature.
fn of_the_platform(brand_id: &str, card_id: &str, code: &str) -> Vec<u8> {
    signed(&format!(
        r#"{{"brand_id":"{brand_id}","card_id":"{card_id}","card_type":"MEMBER_CARD","user_card_code":"{code}","user_card_state":"EFFECTIVE","pickup_time":"2024-01-02T00:00:00+08:00","valid_date_information":{{"type":"PERMANENT"}}}}"#
    ))
}

/// A good answer with the platform's signature.
fn signed(body: &str) -> Vec<u8> {
    let key = platform_key().sign(format!("{NOW}\nn\n{body}\n").as_bytes());
    let signature = key.unwrap().to_base64();
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nrequest-id: r-1\r\n\
         wechatpay-serial: PUB_KEY_ID_01\r\nwechatpay-timestamp: {NOW}\r\nwechatpay-nonce: n\r\n\
         wechatpay-signature: {signature}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_answer_about_another_card_imports_nothing() {
    let answer = answer_to(of_the_platform("1004", "card", "A1")).await;
    assert!(matches!(answer, Answer::Imported { .. }), "{answer:?}");
    for (brand_id, card_id, code) in [
        ("1004", "card", "A2"),
        ("1004", "other", "A1"),
        ("1005", "card", "A1"),
    ] {
        let answer = answer_to(of_the_platform(brand_id, card_id, code)).await;
        let Answer::Unknown { reason, request_id } = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(reason, "the answer is about another card than the one asked for");
        assert_eq!(request_id.as_deref(), Some("r-1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_answer_about_another_code_imports_nothing() {
    let (given, mut left_to_the_platform) = (member(), member());
    left_to_the_platform.user_card_code = None;
    let answer = |member, code| {
        answer_by(
            Route::PhoneMembercard,
            member,
            signed(&format!(r#"{{"code":"{code}"}}"#)),
        )
    };
    for (member, code) in [(&given, "A1"), (&left_to_the_platform, "A2")] {
        let answer = answer(member, code).await;
        assert!(matches!(answer, Answer::Imported { .. }), "{answer:?}");
    }
    let answer = answer(&given, "A2").await;
    assert!(matches!(answer, Answer::Unknown { .. }), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_platforms_word_refuses_no_row() {
    for status in [400, 405, 407, 413] {
        let answer = answer_to(of_a_proxy(status)).await;
        assert!(matches!(answer, Answer::Unknown { .. }), "{status}: {answer:?}");
    }
    let answer = answer_to(of_a_proxy(403)).await;
    assert!(
        matches!(&answer, Answer::StopRun(stop) if stop.code == "FORBIDDEN"),
        "{answer:?}"
    );
    // A wrong signature, whoever says so, stops the run by its status.
    let answer = answer_to(of_a_proxy(401)).await;
    assert!(
        matches!(answer, Answer::Refused { status: 401, .. }),
        "{answer:?}"
    );
}

#[test]
fn a_message_keeps_its_words_and_loses_long_numbers() {
    #[track_caller]
    fn check(message: &str, expect: &str) {
        assert_eq!(without_long_numbers(message), expect);
    }
    check("会员已经领取过该卡", "会员已经领取过该卡");
    check("phone 13800138000 is wrong", "phone *** is wrong");
    check("不得超过300秒 13800138000", "不得超过300秒 ***");
    check("１３８００１３８０００", "***");
    check("", "");
    assert_eq!(without_long_numbers(&"字".repeat(1000)).chars().count(), 200);
}
