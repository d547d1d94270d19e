//! No marker may pass, whichever way it comes in; what stays is what evidence needs.

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const BASE: &str = "https://api.mch.weixin.qq.com/v3/brand/partner/card-member";
const PHONE: &str = "13912345678";
const NAME: &str = "欧阳锋锐";

/// What identifies somebody, and stands somewhere in [`exchange`].
const MARKERS: &[&str] = &[
    PHONE,
    NAME,
    "1900001234",
    "98765",
    "pXyZ_Card-Id",
    "CODE-77",
    "oOpenIdOfSomebody",
    "SIGNATURE+OF/SOMEBODY",
    "NONCEofREQUEST",
    "5F5E5D5C",
    "PUB_KEY_ID_0112",
    "08ABCDEF",
    "Ivory Tower",
    "secret-agent",
    "internal.example",
    "Cookie-Value",
    "铂金尊享",
    "2024-02-29",
    "1709164800",
];

fn sealed(seed: u8) -> String {
    STANDARD.encode([seed; 256])
}

/// An import and its answer, with a marker at every place that can hold one.
fn exchange() -> Value {
    let body = json!({
        "brand_id": "98765",
        "card_id": "pXyZ_Card-Id",
        "phone_number": sealed(1),
        "user_card_code": "CODE-77",
        "level": "铂金尊享",
        "user_information": {
            "common_field_list": [{"name": "USER_FORM_FLAG_NAME", "value": NAME}],
            "custom_field_list": [{"name": "Ivory Tower", "user_chosen_values": [sealed(2), PHONE]}],
        },
        "date_information": {"type": "PERMANENT"},
        "pickup_time": "2024-02-29T08:00:00+08:00",
    });
    let answer = json!({
        "brand_id": "98765",
        "card_id": "pXyZ_Card-Id",
        "user_card_code": "CODE-77",
        "openid": "oOpenIdOfSomebody",
        "card_type": "NORMAL",
        "phone_number": sealed(3),
        "attach": json!({"phone": PHONE, "of": NAME}).to_string(),
        "valid_date_information": {"type": "PERMANENT"},
        "pickup_time": "2024-02-29T08:00:00+08:00",
        "create_time": "2024-02-29T08:00:01+08:00",
        "user_card_state": "EFFECTIVE",
    });
    json!({
        "request": {
            "method": "POST",
            "url": format!("{BASE}/user-cards/import-by-phone"),
            "headers": {
                "Authorization": "WECHATPAY2-SHA256-RSA2048 mchid=\"1900001234\",nonce_str=\"NONCEofREQUEST\",timestamp=\"1709164800\",serial_no=\"5F5E5D5C\",signature=\"SIGNATURE+OF/SOMEBODY\"",
                "User-Agent": "secret-agent/1",
                "Accept": "application/json",
                "Content-Type": "application/json; charset=UTF-8",
                "Wechatpay-Serial": "PUB_KEY_ID_0112",
                "Cookie": "a=Cookie-Value",
                "Host": "internal.example",
            },
            "body": body.to_string(),
        },
        "response": {
            "status": 200,
            "headers": [
                {"name": "Request-ID", "value": "08ABCDEF-0"},
                {"name": "Wechatpay-Serial", "value": "5F5E5D5C"},
                {"name": "Wechatpay-Signature", "value": "SIGNATURE+OF/SOMEBODY"},
                {"name": "Content-Type", "value": "application/json; charset=utf-8"},
                {"name": "X-Upstream", "value": "internal.example"},
            ],
            "body": answer,
        },
    })
}

fn refusal(message: &str) -> Value {
    let mut exchange = exchange();
    exchange["response"]["status"] = 400.into();
    exchange["response"]["body"] = json!({"code": "INVALID_REQUEST", "message": message,
        "detail": {"field": "/phone_number", "location": "body", "value": PHONE, "issue": format!("手机号{PHONE}格式错误")}});
    exchange
}

/// Scrubs, and looks for every marker in every byte of what would be written or printed.
#[track_caller]
fn clean(recording: &str) -> Scrubbed {
    let scrubbed = scrub(recording, Unknown::Drop).unwrap();
    let written = format!("{}{}", scrubbed.fixture.to_json(), scrubbed.fixture.name());
    let printed = format!("{:?}", scrubbed.removed);
    for marker in MARKERS {
        assert!(
            !written.contains(marker) && !printed.contains(marker),
            "{marker}: {written}"
        );
    }
    assert_eq!(scrubbed.fixture.findings(), Vec::<String>::new());
    scrubbed
}

#[test]
fn an_exchange_keeps_its_shape_and_loses_whose_it_is() {
    let scrubbed = clean(&exchange().to_string());
    let document = serde_json::to_value(&scrubbed.fixture).unwrap();
    let first = &document["exchanges"][0];
    assert_eq!(first["operation"], "import_by_phone");
    let (request, answer) = (&first["request"], &first["response"]);
    // The same value has the same mark on both sides.
    for name in ["brand_id", "card_id", "user_card_code"] {
        assert_eq!(request["body"][name], answer["body"][name], "{name}");
        assert!(request["body"][name].as_str().unwrap().starts_with('<'), "{name}");
    }
    assert_eq!(request["body"]["pickup_time"], answer["body"]["pickup_time"]);
    let kind = |value: &Value| value.as_str().unwrap().split('#').next().unwrap().to_owned();
    assert_eq!(kind(&request["body"]["brand_id"]), "<digits:5");
    assert_eq!(kind(&request["body"]["phone_number"]), "<sealed");
    assert_eq!(
        kind(&request["body"]["user_information"]["common_field_list"][0]["value"]),
        "<personal"
    );
    assert_eq!(
        request["body"]["user_information"]["common_field_list"][0]["name"],
        "USER_FORM_FLAG_NAME"
    );
    assert_eq!(answer["body"]["user_card_state"], "EFFECTIVE");
    assert_eq!(
        request["headers"],
        json!({"accept": "application/json", "authorization": "WECHATPAY2-SHA256-RSA2048",
        "content-type": "application/json;charset=utf-8", "user-agent": "<present>", "wechatpay-serial": "<public-key>"})
    );
    assert_eq!(
        answer["headers"],
        json!({"content-type": "application/json;charset=utf-8", "request-id": "<present>",
        "wechatpay-serial": "<certificate>", "wechatpay-signature": "<present>"})
    );
    assert_eq!(
        document["given"]["templates"],
        json!([{"brand_id": request["body"]["brand_id"], "card_id": request["body"]["card_id"]}])
    );
    assert!(scrubbed.removed[&Removed::Ciphertext] >= 3 && scrubbed.removed[&Removed::Personal] >= 2);
}

#[test]
fn every_kind_of_recording_is_read() {
    let one = exchange();
    let har = {
        let (request, response) = (&one["request"], &one["response"]);
        let headers = request["headers"].as_object().unwrap().iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        json!({"log": {"version": "1.2", "entries": [
            {"startedDateTime": "2024-02-29T00:00:00.000Z", "request": {"method": "GET", "url": "https://internal.example/other", "headers": []},
                "response": {"status": 200, "headers": [], "content": {"text": PHONE}}},
            {"startedDateTime": "2024-02-29T00:00:00.000Z",
                "request": {"method": request["method"], "url": request["url"], "headers": headers,
                    "postData": {"mimeType": "application/json", "text": request["body"]}},
                "response": {"status": 200, "headers": response["headers"],
                    "content": {"encoding": "base64", "text": STANDARD.encode(response["body"].to_string())}}},
        ]}})
    };
    let expected = clean(&one.to_string()).fixture;
    let found = clean(&har.to_string());
    assert_eq!(
        (&found.fixture.exchanges, found.skipped),
        (&expected.exchanges, 1)
    );
    let lines = format!("{one}\n\n{one}\n");
    assert_eq!(clean(&lines).fixture.len(), 2);
    assert_eq!(clean(&json!([one]).to_string()).fixture, expected);
    assert_eq!(clean(&format!("\u{feff}{one}")).fixture, expected);
}

#[test]
fn what_is_no_answer_of_the_platform_is_skipped_whatever_it_holds() {
    let good = exchange();
    let with = |status: i32| {
        let mut other = good.clone();
        other["response"]["status"] = status.into();
        other
    };
    let broken = json!({"text": "-", "encoding": "base64"});
    let recording = json!({"log": {"entries": [
        {"request": {"method": "GET", "url": "https://other.example/"}, "response": {"status": -1}},
        {"request": {"method": "GET", "url": "https://other.example/"}},
        {"request": {"method": "POST", "url": "https://other.example/a", "postData": broken}, "response": {"status": 200, "content": broken}},
        with(-1), with(0), with(302), good,
    ]}});
    let scrubbed = clean(&recording.to_string());
    assert_eq!((scrubbed.fixture.len(), scrubbed.skipped), (1, 6));
    // A place is counted in the file, not among what was kept.
    let mut unknown = recording.clone();
    unknown["log"]["entries"][6]["response"]["body"]["new_member"] = 1.into();
    let error = scrub(&unknown.to_string(), Unknown::Refuse).unwrap_err();
    assert!(error.to_string().starts_with("exchange 7: "), "{error}");
    assert!(matches!(
        scrub(&json!([with(0)]).to_string(), Unknown::Refuse),
        Err(ScrubError::Empty)
    ));
}

#[test]
fn a_query_and_a_path_are_scrubbed_decoded_or_not() {
    let exchange = json!({
        "request": {"method": "get", "url": format!("{BASE}/user-cards/CODE-77?brand_id=98765&card_id=pXyZ%5FCard-Id&openid=oOpenIdOfSomebody"),
            "headers": [["Accept", "*/*"], ["Accept-Language", "en-GB,de;q=0.5"]]},
        "response": {"status": 404, "headers": {"Retry-After": "3"}, "body": {"code": "RESOURCE_NOT_EXISTS", "message": "CODE-77"}},
    });
    let document = serde_json::to_value(clean(&exchange.to_string()).fixture).unwrap();
    let first = &document["exchanges"][0];
    assert_eq!(first["request"]["path"]["user_card_code"], "<id:7#1>");
    assert_eq!(first["request"]["query"]["card_id"], "<id:12#3>");
    assert_eq!(
        first["request"]["headers"],
        json!({"accept": "*/*", "accept-language": "en"})
    );
    assert_eq!(first["response"]["headers"], json!({"retry-after": "3"}));
    assert_eq!(first["response"]["body"]["message"], "…");
}

#[test]
fn a_message_keeps_what_is_public_in_it() {
    #[track_caller]
    fn check(message: &str, expected: &str) {
        let document = serde_json::to_value(clean(&refusal(message).to_string()).fixture).unwrap();
        let body = &document["exchanges"][0]["response"]["body"];
        assert_eq!(body["message"], expected);
        assert_eq!(body["code"], "INVALID_REQUEST");
        assert_eq!(body["detail"]["field"], "/phone_number");
        assert_eq!(body["detail"]["issue"], "…格式错误");
    }
    check("会员已经领取过该卡", "会员已经领取过该卡");
    check(
        "该会员1年内未在本商家有微信支付交易，无法导入",
        "该会员1年内未在本商家有微信支付交易，无法导入",
    );
    check(
        &format!("会员已经领取过该卡：{NAME}，{PHONE}"),
        "会员已经领取过该卡：…，…",
    );
    check(&format!("{NAME}会员已经领取过该卡"), "…会员已经领取过该卡");
    check("user_card_code CODE-77 of 98765", "user_card_code … … …");
    check("oOpenIdOfSomebody@13912345678", "…");
    check("１３９１２３４５６７８", "…");
}

#[test]
fn what_nobody_knows_is_refused_with_its_place_and_dropped_on_request() {
    let mut exchange = exchange();
    exchange["response"]["body"]["new_member"] = json!({"phone": PHONE});
    let error = scrub(&exchange.to_string(), Unknown::Refuse).unwrap_err();
    assert_eq!(
        error.to_string(),
        "exchange 1: the answer's /new_member is not in the API document; `--unknown drop` leaves it out"
    );
    let scrubbed = clean(&exchange.to_string());
    assert_eq!(scrubbed.removed[&Removed::Unknown], 1);
    assert!(!scrubbed.fixture.to_json().contains("new_member"));
    // A name that is none is not repeated.
    exchange["response"]["body"][PHONE] = 1.into();
    let error = scrub(&exchange.to_string(), Unknown::Refuse).unwrap_err();
    assert!(!error.to_string().contains(PHONE), "{error}");
    clean(&exchange.to_string());
    for (at, value) in [
        (
            "/request/url",
            json!(format!("{BASE}/cards?brand_id=98765&mobile={PHONE}")),
        ),
        ("/request/body", json!({NAME: NAME})),
    ] {
        let mut exchange = self::exchange();
        *exchange.pointer_mut(at).unwrap() = value;
        exchange["request"]["method"] = if at == "/request/url" {
            "GET".into()
        } else {
            "POST".into()
        };
        let error = scrub(&exchange.to_string(), Unknown::Refuse).unwrap_err();
        assert!(matches!(error, ScrubError::Unknown { number: 1, .. }), "{error}");
        assert!(
            !format!("{error} {error:?}").contains(PHONE) && !format!("{error:?}").contains(NAME),
            "{error:?}"
        );
    }
}

#[test]
fn what_is_no_recording_is_refused_without_a_word_of_it() {
    #[track_caller]
    fn check(text: &str, part: &str) {
        let error = scrub(text, Unknown::Refuse).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(part), "{shown}");
        assert!(!shown.contains(PHONE), "{shown}");
    }
    check("", "no exchange");
    check(PHONE, "no `request.method`");
    check(&format!("{{\"a\": {PHONE}"), "line 1, column");
    check(&format!("{}\n{PHONE}x", exchange()), "line 2 is not JSON");
    check(
        r#"{"request": {"method": "GET"}}"#,
        "exchange 1 has no `request.url`",
    );
    check(
        r#"{"request": {"method": "GET", "url": "/v3/certificates"}}"#,
        "exchange 1 has no `response.status`",
    );
    check(
        &json!({"request": {"method": "GET", "url": format!("/{PHONE}")}, "response": {"status": 200}})
            .to_string(),
        "no exchange",
    );
    check(
        r#"{"request": {"method": "GET", "url": "/v3/certificates"}, "response": {"status": 200, "content": {"text": "-", "encoding": "base64"}}}"#,
        "not base64",
    );
}

#[test]
fn a_header_that_says_a_word_of_the_format_is_no_leak() {
    for word in [
        "present",
        "origin",
        "accept",
        "json",
        "status",
        "operation",
        "phone",
        "import_by_phone",
        "EFFECTIVE",
        "utf-8",
    ] {
        let mut exchange = exchange();
        exchange["request"]["headers"]["X-Some"] = word.into();
        exchange["response"]["body"]["attach"] = word.into();
        clean(&exchange.to_string());
    }
}

#[test]
fn what_is_kept_in_one_place_and_taken_out_in_another_is_no_leak() {
    let mut exchange = exchange();
    exchange["request"]["headers"]["Accept-Language"] = "zh-CN".into();
    exchange["response"] = json!({
        "status": 429,
        "headers": {"Retry-After": "60", "Content-Length": "60", "Content-Language": "zh"},
        "body": {"code": "NEW_LIMIT_OF_MERCHANT", "message": format!("NEW_LIMIT_OF_MERCHANT: {PHONE}")},
    });
    let list = json!({
        "request": {"method": "GET", "url": format!("{BASE}/cards?brand_id=98765&limit=20")},
        "response": {"status": 200, "body": {"total_count": 60}},
    });
    let scrubbed = clean(&json!([exchange, list]).to_string());
    let document = serde_json::to_value(&scrubbed.fixture).unwrap();
    let answer = &document["exchanges"][0]["response"];
    assert_eq!(answer["headers"], json!({"retry-after": "60"}));
    assert_eq!(
        answer["body"],
        json!({"code": "NEW_LIMIT_OF_MERCHANT", "message": "…: …"})
    );
}

/// The search itself: what is not a place of the allow-list is still looked at.
#[test]
fn a_value_that_was_taken_out_and_stands_elsewhere_is_a_leak() {
    let words = Words::shared(Spec::shared().unwrap());
    let mut marks = Marks::new([].iter());
    marks.remember("60", Removed::Header);
    let leaks = |status: u16, body: Value| {
        let fixture = json!({"format": "wxmember-fixture/1", "origin": "recorded", "exchanges": [{
            "operation": "list_cards", "request": {},
            "response": {"status": status, "headers": {"retry-after": "60"}, "body": body},
        }]});
        marks.leak_into(&Fixture::from_json(&fixture.to_string()).unwrap(), words)
    };
    assert!(!leaks(429, json!({"code": "60"})));
    assert!(leaks(429, json!({"message": "60"})));
    assert!(leaks(200, json!({"code": "60"})));
}

#[test]
fn bodies_that_are_not_json_leave_one_word() {
    let mut exchange = exchange();
    exchange["request"]["body"] = format!("phone={PHONE}").into();
    exchange["response"] =
        json!({"status": 502, "headers": {"Content-Type": "text/html"}, "body": format!("<html>{NAME}")});
    let document = serde_json::to_value(clean(&exchange.to_string()).fixture).unwrap();
    let first = &document["exchanges"][0];
    assert_eq!(
        (&first["request"]["body"], &first["response"]["body"]),
        (&json!("<not-json>"), &json!("<not-json>"))
    );
}

#[test]
fn a_fixture_that_was_not_scrubbed_is_found_out() {
    let good = serde_json::to_value(clean(&exchange().to_string()).fixture).unwrap();
    for (at, value) in [
        ("/exchanges/0/request/body/brand_id", json!("98765")),
        ("/exchanges/0/request/body/level", json!(NAME)),
        ("/exchanges/0/request/body/date_information/type", json!(PHONE)),
        ("/exchanges/0/response/body/openid", json!(13_912_345_678_u64)),
        ("/exchanges/0/response/headers/request-id", json!("08ABCDEF")),
        ("/exchanges/0/at", json!("2024-02-29T08:00:00+08:00")),
        ("/given/templates/0/card_id", json!("pXyZ_Card-Id")),
        ("/note", json!(NAME)),
        // Only sizes and places of pages are numbers that may stand.
        ("/exchanges/0/request/body/level", json!(777)),
        ("/exchanges/0/request/path", json!({PHONE: "<digits:11#1>"})),
        ("/exchanges/0/request/query", json!({PHONE: "<digits:11#1>"})),
    ] {
        let mut changed = good.clone();
        changed["note"] = Value::Null;
        changed["exchanges"][0]["request"]["path"] = json!({});
        changed["exchanges"][0]["request"]["query"] = json!({});
        *changed.pointer_mut(at).unwrap() = value;
        let fixture = Fixture::from_json(&changed.to_string()).unwrap();
        let findings = fixture.findings();
        assert_eq!(findings.len(), 1, "{at}: {findings:?}");
        assert!(!findings[0].contains(PHONE), "{findings:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands at any place of a body, none of it comes out.
    #[test]
    fn no_text_passes(text in "[a-z0-9A-Z@. 张三李四王]{6,30}", place in 0_usize..9) {
        let places = ["/request/body", "/response/body/openid", "/response/body/attach", "/response/body/user_card_state",
            "/response/body/card_type", "/response/body/pickup_time", "/response/body/phone_number",
            "/response/headers/0/value", "/request/headers/User-Agent"];
        let mut exchange = exchange();
        *exchange.pointer_mut(places[place]).unwrap() = text.clone().into();
        let scrubbed = scrub(&exchange.to_string(), Unknown::Drop).unwrap();
        prop_assert!(!scrubbed.fixture.to_json().contains(text.as_str()), "{}", text);
        prop_assert_eq!(scrubbed.fixture.findings(), Vec::<String>::new());
    }

    /// Nor in a message, of which only public parts stay.
    #[test]
    fn no_message_passes(text in "[a-z0-9A-Z张三李四王，]{5,20}") {
        let scrubbed = scrub(&refusal(&format!("参数错误{text}")).to_string(), Unknown::Drop).unwrap();
        prop_assert!(!scrubbed.fixture.to_json().contains(text.trim_matches('，')), "{}", text);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = scrub(&text, Unknown::Drop);
    }
}
