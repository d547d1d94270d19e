//! Recordings that lack what a log seldom keeps: headers, the brand of an older route, what was wrong with a request.

use serde_json::{Value, json};
use wxmember_sandbox::{
    fixture::Fixture,
    replay::{Replayed, Verdict, replay_with},
    scrub::{Unknown, scrub},
};

use super::{FAMILY, verdicts};
use crate::client::identity;

const OLDER: &str = "/v3/marketing/membercard-open";

/// An exchange as a log keeps it that drops every header.
fn bare(method: &str, target: &str, body: &Value, status: u16, answer: &Value) -> Value {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        value => value.to_string(),
    };
    json!({
        "request": {"method": method, "url": target, "headers": {}, "body": text(body)},
        "response": {"status": status, "headers": {}, "body": text(answer)},
    })
}

fn sealed(letter: &str) -> String {
    format!("{}==", letter.repeat(342))
}

fn refusal(code: &str, message: &str) -> Value {
    json!({"code": code, "message": message})
}

/// An import into brand 1004, whose phone number is sealed as this.
fn import(code: &str, phone: &str, status: u16, answer: &Value) -> Value {
    let body = json!({
        "brand_id": "1004", "card_id": "pbLatjvWOibDc5", "user_card_code": code, "phone_number": sealed(phone),
        "date_information": {"type": "PERMANENT"}, "pickup_time": "2024-02-29T08:00:00+08:00",
    });
    bare(
        "POST",
        &format!("{FAMILY}/user-cards/import-by-phone"),
        &body,
        status,
        answer,
    )
}

fn older_import(code: &str, phone: &str, status: u16, answer: &Value) -> Value {
    let target = format!("{OLDER}/cards/pOlder_Card/phone-membercard/import");
    let body = json!({"encrypted_phone_number": sealed(phone), "code": code, "out_request_no": code});
    bare("POST", &target, &body, status, answer)
}

fn fixture_of(exchanges: &[Value]) -> Value {
    let scrubbed = scrub(&json!(exchanges).to_string(), Unknown::Refuse).unwrap();
    assert_eq!(scrubbed.fixture.findings(), Vec::<String>::new());
    serde_json::to_value(scrubbed.fixture).unwrap()
}

async fn replayed_fixture(fixture: &Value) -> Replayed {
    let fixture = Fixture::from_json(&fixture.to_string()).unwrap();
    replay_with(&fixture, identity()).await.unwrap()
}

async fn replayed(exchanges: &[Value]) -> Replayed {
    replayed_fixture(&fixture_of(exchanges)).await
}

const SECOND: &str = "会员已经领取过该卡";

#[tokio::test]
async fn a_header_that_was_not_recorded_was_not_missing() {
    let refused = refusal("INVALID_REQUEST", SECOND);
    let exchanges = [
        import("1", "A", 200, &Value::Null),
        import("2", "A", 400, &refused),
    ];
    let expected = [
        (Verdict::Accepted, None),
        (Verdict::Confirms, Some("SECOND_CARD")),
    ];
    let answered = replayed(&exchanges).await;
    assert_eq!(verdicts(&answered), expected);
    // Nor was one that was masked, or kept where another was not.
    for headers in [
        json!({"Authorization": "***", "Wechatpay-Serial": "***", "Content-Type": "application/json"}),
        json!({"User-Agent": "x", "Accept": "*/*"}),
    ] {
        let mut masked = exchanges.clone();
        for exchange in &mut masked {
            exchange["request"]["headers"] = headers.clone();
        }
        assert_eq!(verdicts(&replayed(&masked).await), expected, "{headers}");
    }
}

#[tokio::test]
async fn a_refusal_about_headers_is_judged_when_the_platform_says_so() {
    for (status, code, message, expected) in [
        (
            400,
            "INVALID_REQUEST",
            "Http头缺少Accept或User-Agent",
            (Verdict::Confirms, Some("CLIENT_HEADERS")),
        ),
        (
            401,
            "SIGN_ERROR",
            "Http头缺少Authorization",
            (Verdict::Confirms, Some("AUTHORIZATION_MISSING")),
        ),
        (
            400,
            "PARAM_ERROR",
            "HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)",
            (Verdict::Confirms, Some("PLATFORM_SERIAL_MISSING")),
        ),
        // Another reason, which does not show.
        (
            400,
            "INVALID_REQUEST",
            "请先升级会员卡才能使用此功能",
            (Verdict::NotRefused, None),
        ),
    ] {
        let answered = replayed(&[import("1", "A", status, &refusal(code, message))]).await;
        assert_eq!(verdicts(&answered), [expected], "{message}");
    }
    // Words that nobody knows may be about a header or not.
    for (status, code) in [
        (400, "INVALID_REQUEST"),
        (400, "PARAM_ERROR"),
        (401, "SIGN_ERROR"),
    ] {
        let answered = replayed(&[import("1", "A", status, &refusal(code, "?"))]).await;
        assert_eq!(answered.exchanges[0].verdict, Verdict::NotJudged, "{code}");
    }
}

#[tokio::test]
async fn an_older_route_gets_the_template_that_it_must_have_had() {
    let refused = refusal("INVALID_REQUEST", SECOND);
    let exchanges = [
        older_import("1", "A", 200, &json!({"code": "1"})),
        older_import("2", "A", 400, &refused),
    ];
    let answered = replayed(&exchanges).await;
    assert_eq!(
        verdicts(&answered),
        [
            (Verdict::Accepted, None),
            (Verdict::Confirms, Some("SECOND_CARD"))
        ]
    );
    assert!(answered.holds(), "{answered:#?}");
    let body = json!({"member_information": {"card_id": "pOlder_Card", "code": "1", "registration_time": "2015-05-20T13:29:35+08:00"}, "encrypted_phone_number": sealed("A")});
    let remind = bare(
        "POST",
        &format!("{OLDER}/phonenumber-member/import"),
        &body,
        204,
        &Value::Null,
    );
    let encoded = sealed("A").replace('=', "%3D");
    let target =
        format!("{OLDER}/phonenumber-member/search?card_id=pOlder_Card&encrypted_phone_number={encoded}");
    let search = bare(
        "GET",
        &target,
        &Value::Null,
        200,
        &json!({"receive_status": "UNSHOWED"}),
    );
    let answered = replayed(&[remind, search]).await;
    assert_eq!(verdicts(&answered), [(Verdict::Accepted, None); 2]);
    // Unless that is what it lacked.
    let unknown = older_import("1", "A", 400, &refusal("INVALID_REQUEST", "会员卡ID无效"));
    assert_eq!(
        verdicts(&replayed(&[unknown]).await),
        [(Verdict::Confirms, Some("CARD"))]
    );
}

#[tokio::test]
async fn what_was_refused_for_its_brand_or_template_gives_neither() {
    let refused = refusal("NO_AUTH", "商户暂无权限使用此功能");
    let answered = replayed(&[import("1", "A", 403, &refused)]).await;
    assert_eq!(verdicts(&answered), [(Verdict::Confirms, Some("BRAND"))]);
    let unknown = import("1", "A", 400, &refusal("INVALID_REQUEST", "会员卡ID无效"));
    assert_eq!(
        verdicts(&replayed(&[unknown]).await),
        [(Verdict::Confirms, Some("CARD"))]
    );
    let target = format!("{FAMILY}/cards/pbLatjvWOibDc5?brand_id=1004");
    let absent = bare(
        "GET",
        &target,
        &Value::Null,
        404,
        &refusal("RESOURCE_NOT_EXISTS", "?"),
    );
    assert_eq!(
        verdicts(&replayed(&[absent]).await),
        [(Verdict::Confirms, Some("CARD_NOT_FOUND"))]
    );
    // A brand that something was taken for was not the reason.
    let both = [
        import("1", "A", 200, &Value::Null),
        import("2", "B", 403, &refused),
    ];
    let answered = replayed(&both).await;
    assert_eq!(
        verdicts(&answered),
        [(Verdict::Accepted, None), (Verdict::NotRefused, None)]
    );
}

#[tokio::test]
async fn a_known_message_of_another_rule_confirms_nothing() {
    let second = |message: &str| {
        [
            import("1", "A", 200, &Value::Null),
            import("2", "A", 400, &refusal("INVALID_REQUEST", message)),
        ]
    };
    for message in [
        "请先升级会员卡才能使用此功能",
        "the request number was used for another content",
    ] {
        let answered = replayed(&second(message)).await;
        assert_eq!(
            verdicts(&answered)[1],
            (Verdict::OtherReason, Some("SECOND_CARD")),
            "{message}"
        );
    }
    let answered = replayed(&second("the member already has this card")).await;
    assert_eq!(verdicts(&answered)[1], (Verdict::Confirms, Some("SECOND_CARD")));
}

#[tokio::test]
async fn what_the_sandbox_takes_names_the_rules_that_it_may_have_been() {
    let candidates = async |status: u16, code: &str, message: &str| {
        let answered = replayed(&[import("1", "A", status, &refusal(code, message))]).await;
        assert_eq!(answered.exchanges[0].verdict, Verdict::NotRefused, "{message}");
        assert!(!answered.holds());
        let candidates = answered.exchanges[0].candidates.iter();
        candidates.map(|rule| rule.id).collect::<Vec<_>>()
    };
    assert_eq!(
        candidates(400, "PARAM_ERROR", "手机号格式错误").await,
        ["PHONE_NUMBER"]
    );
    assert_eq!(
        candidates(400, "INVALID_REQUEST", "请先升级会员卡才能使用此功能").await,
        Vec::<&str>::new()
    );
    // Rules of other operations have the same status and code: about request numbers, and about what is not found.
    assert_eq!(
        candidates(400, "ALREADY_EXISTS", "?").await,
        ["CODE_TAKEN", "REPEATED_MEMBER"]
    );
    assert_eq!(
        candidates(404, "RESOURCE_NOT_EXISTS", "?").await,
        Vec::<&str>::new()
    );

    // Who knows what was wrong says so.
    let refused = import("1", "A", 400, &refusal("PARAM_ERROR", "手机号格式错误"));
    let mut fixture = fixture_of(&[refused]);
    fixture["exchanges"][0]["request"]["spoilt"] = "phone_number".into();
    assert_eq!(
        verdicts(&replayed_fixture(&fixture).await),
        [(Verdict::Confirms, Some("PHONE_NUMBER"))]
    );
}

#[tokio::test]
async fn only_the_platforms_own_answers_are_judged() {
    let html = json!("<html>");
    for (status, answer) in [
        (200, &html),
        (202, &Value::Null),
        (400, &html),
        (400, &Value::Null),
        (403, &html),
        (404, &html),
        (413, &json!({"error": 1})),
        (429, &refusal("RATELIMIT_EXCEEDED", "?")),
        (502, &html),
    ] {
        let mut fixture = fixture_of(&[import("1", "A", 200, &Value::Null)]);
        fixture["exchanges"][0]["response"] = json!({"status": status});
        if *answer != Value::Null {
            let body = if *answer == html {
                json!("<not-json>")
            } else {
                answer.clone()
            };
            fixture["exchanges"][0]["response"]["body"] = body;
        }
        let answered = replayed_fixture(&fixture).await;
        assert_eq!(
            answered.exchanges[0].verdict,
            Verdict::NotJudged,
            "{status} {answer}"
        );
        assert!(answered.holds());
    }
    // The gateway answers unknown paths without a body.
    let mut fixture = fixture_of(&[import("1", "A", 200, &Value::Null)]);
    fixture["exchanges"][0]["response"] = json!({"status": 404});
    assert_eq!(
        verdicts(&replayed_fixture(&fixture).await),
        [(Verdict::NotRefused, None)]
    );
}
