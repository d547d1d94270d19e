//! Every rule is broken once, by a request that breaks no other: none exists on paper alone.

use std::{collections::BTreeSet, num::NonZeroU32};

use serde_json::{Value, json};
use wxmember_sandbox::{
    Clock, Fault, NoCertificates, Policies, Quota, RepeatedMember, Rule, Sandbox, TakenCode, UnpaidMember,
    ValidityType, rules,
};

use crate::client::{NOW, PATH, Request, body, builder, import, sandbox, seal};

const FAMILY: &str = "/v3/brand/partner/card-member";
const OLDER: &str = "/v3/marketing/membercard-open";
const CARD: &str = "pbLatjvWOibDc5-TBnbUk1pD12o0";

/// What no request can break, and why.
const OUT_OF_REACH: [(&str, &str); 1] = [("SYSTEM_ERROR", "the sandbox itself would have to be broken")];

/// The rules that were broken so far.
#[derive(Default)]
struct Broken(BTreeSet<&'static str>);

impl Broken {
    /// Sends a request that breaks exactly this rule, and holds the answer against it.
    async fn by(&mut self, sandbox: &Sandbox, id: &str, request: &Request) {
        let answer = request.answer(sandbox).await;
        let entry = sandbox.journal().pop().unwrap();
        assert_eq!(entry.rule, Some(id), "{answer:?}");
        let rule = rule(id);
        assert_eq!(answer.status, rule.status, "{id}");
        assert!(!answer.is_signed(), "{id}");
        if rule.code.is_empty() {
            assert!(answer.body.is_empty(), "{id}");
        } else {
            let body = answer.json();
            let expected = (&json!(rule.code), &json!(rule.zh));
            assert_eq!((&body["code"], &body["message"]), expected, "{id}");
        }
        self.0.insert(rule.id);
    }

    /// The same, by a good import that is spoilt.
    async fn spoilt(&mut self, sandbox: &Sandbox, id: &str, spoil: impl FnOnce(&mut Request)) {
        let mut request = Request::new(sandbox, body(sandbox, "1", "13800138000"));
        spoil(&mut request);
        self.by(sandbox, id, &request).await;
    }

    /// The same, by a body of other bytes.
    async fn bytes(&mut self, sandbox: &Sandbox, id: &str, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.by(sandbox, id, &Request::signed(sandbox, bytes, NOW)).await;
    }

    /// The same, by a good body with one member changed.
    async fn changed(&mut self, sandbox: &Sandbox, id: &str, name: &str, value: Value) {
        let mut body = body(sandbox, "1", "13800138000");
        body[name] = value;
        self.by(sandbox, id, &Request::new(sandbox, body)).await;
    }
}

fn rule(id: &str) -> &'static Rule {
    rules().iter().find(|rule| rule.id == id).unwrap()
}

#[tokio::test]
async fn every_rule_can_be_broken() {
    let mut broken = Broken::default();
    head(&mut broken).await;
    content(&mut broken).await;
    cards_and_points(&mut broken).await;
    activities_and_the_older_card(&mut broken).await;
    choices(&mut broken).await;
    let out_of_reach = OUT_OF_REACH.map(|(id, _)| rule(id).id);
    assert!(out_of_reach.iter().all(|id| !broken.0.contains(id)));
    broken.0.extend(out_of_reach);
    let all: BTreeSet<_> = rules().iter().map(|rule| rule.id).collect();
    assert_eq!(broken.0, all, "give a new rule a request that breaks it");
}

async fn head(broken: &mut Broken) {
    let sandbox = sandbox().await;
    let s = &sandbox;
    broken
        .spoilt(s, "UNKNOWN_PATH", |request| request.target.push_str("/x"))
        .await;
    broken
        .spoilt(s, "WRONG_METHOD", |request| request.method = "PUT")
        .await;
    broken
        .spoilt(s, "NEGATIVE_TEST", |request| {
            request.set("Wechatpay-Negative-Test", Some("lost"))
        })
        .await;
    broken
        .spoilt(s, "CLIENT_HEADERS", |request| request.set("Accept", None))
        .await;
    broken
        .spoilt(s, "BODY_TOO_LARGE", |request| {
            request.body = vec![b' '; (1 << 20) + 1]
        })
        .await;
    let short = format!(
        "POST {PATH} HTTP/1.1\r\nHost: a\r\nUser-Agent: a\r\nAccept: a\r\nConnection: close\r\nContent-Length: 99\r\n\r\n{{"
    );
    crate::client::raw(s, short.as_bytes()).await;
    assert_eq!(s.journal().pop().unwrap().rule, Some("BODY_INCOMPLETE"));
    broken.0.insert(rule("BODY_INCOMPLETE").id);
    broken
        .spoilt(s, "AUTHORIZATION_MISSING", |request| {
            request.set("Authorization", None)
        })
        .await;
    for (id, from, to) in [
        ("AUTHORIZATION_SCHEME", "RSA2048", "RSA4096"),
        ("AUTHORIZATION_MALFORMED", "mchid=", "merchant="),
        ("MERCHANT_UNKNOWN", "1900000109", "1900000110"),
        ("MERCHANT_SERIAL", "4D3C2B1A", "5D3C2B1A"),
        ("SIGNATURE", "signature=\"", "signature=\"!"),
    ] {
        let edit = |request: &mut Request| {
            let value = request.header("Authorization").replacen(from, to, 1);
            request.set("Authorization", Some(&value));
        };
        broken.spoilt(s, id, edit).await;
    }
    // Its certificate is good until the year 2126.
    let late = Clock::manual(5_000_000_000);
    let late = builder().with_clock(late).start().await.unwrap();
    broken.spoilt(&late, "MERCHANT_EXPIRED", |_| {}).await;
    broken
        .spoilt(s, "CLOCK_WINDOW", |request| request.sign(s, NOW - 301))
        .await;
    broken
        .spoilt(s, "PLATFORM_SERIAL_MISSING", |request| {
            request.set("Wechatpay-Serial", None);
        })
        .await;
    broken
        .spoilt(s, "PLATFORM_SERIAL_UNKNOWN", |request| {
            request.set("Wechatpay-Serial", Some("PUB_KEY_ID_0"));
        })
        .await;
    broken
        .spoilt(s, "CONTENT_TYPE", |request| request.set("Content-Type", None))
        .await;
    s.fault(Fault::ServiceUnavailable, 1);
    let answer = import(s, "1", "13800138000").await.unwrap();
    let unavailable = rule("SERVICE_UNAVAILABLE");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (unavailable.status, unavailable.code)
    );
    broken.0.insert(unavailable.id);
    let request = Request::new(s, body(s, "1", "13800138000"));
    assert_eq!(request.answer(s).await.status, 200);
    broken.by(s, "NONCE_REPLAYED", &request).await;

    let quota = Quota::per_second(NonZeroU32::MIN);
    let sandbox = builder().with_quota(quota).start().await.unwrap();
    import(&sandbox, "1", "13800138000").await.unwrap();
    broken.spoilt(&sandbox, "RATE_LIMITED", |_| {}).await;
}

async fn content(broken: &mut Broken) {
    let sandbox = sandbox().await;
    let s = &sandbox;
    let long = format!("{FAMILY}/cards/{}?brand_id=1004", "x".repeat(33));
    broken.by(s, "PATH_PARAMETER", &Request::get(s, &long)).await;
    let unknown = format!("{FAMILY}/cards/{CARD}?brand_id=1004&colour=red");
    broken.by(s, "QUERY_PARAMETER", &Request::get(s, &unknown)).await;
    let one = format!("{FAMILY}/cards/{CARD}?brand_id=1004");
    let with_body = Request::to(s, "GET", &one, Some(&json!({})));
    broken.by(s, "BODY_UNEXPECTED", &with_body).await;
    broken.bytes(s, "BODY_NOT_UTF8", b"\xff").await;
    broken
        .bytes(s, "FOUR_BYTE_CHARACTER", "{\"level\":\"😀\"}".as_bytes())
        .await;
    broken.bytes(s, "BODY_NOT_JSON", b"{").await;
    let twice = b"{\"level\":\"a\",\"level\":\"a\"}";
    broken.bytes(s, "DUPLICATE_MEMBER", twice).await;
    broken.bytes(s, "NULL_VALUE", b"{\"level\":null}").await;
    broken.changed(s, "BODY_SCHEMA", "level", json!(7)).await;
    broken
        .changed(s, "OPENING", "phone_number", json!("13800138000"))
        .await;
    broken
        .changed(s, "PLAINTEXT", "phone_number", seal(s, "😀"))
        .await;
    broken
        .changed(s, "PHONE_NUMBER", "phone_number", seal(s, "123"))
        .await;
    broken.changed(s, "BRAND", "brand_id", json!("1005")).await;
    broken.changed(s, "CARD", "card_id", json!("other")).await;
    let no_days = json!({"type": "FIX_TERM"});
    broken.changed(s, "VALIDITY", "date_information", no_days).await;
    import(s, "1", "13800138001").await.unwrap();
    broken.spoilt(s, "CODE_TAKEN", |_| {}).await;
    import(s, "2", "13800138000").await.unwrap();
    broken
        .changed(s, "SECOND_CARD", "user_card_code", json!("3"))
        .await;
    let certificates = Request::get(s, "/v3/certificates");
    broken.by(s, "NO_CERTIFICATES", &certificates).await;
}

async fn cards_and_points(broken: &mut Broken) {
    let sandbox = sandbox().await;
    let s = &sandbox;
    let nobodys = format!("{FAMILY}/cards/other?brand_id=1004");
    broken.by(s, "CARD_NOT_FOUND", &Request::get(s, &nobodys)).await;
    let paid = json!({
        "out_request_no": "T1", "brand_id": "1004", "appid": "wxea9c30890f48d5ae", "card_type": "PURCHASE",
        "card_title": "测试卡", "card_color": "#FFFF00", "card_picture_url": "https://wxpaylogo.qpic.cn/x/0",
        "code_mode": "SYSTEM_ALLOCATE", "code_type": "NONE_CODE", "benefits": "会员折扣",
        "notify_url": "https://example.com/notify", "valid_date_information": {"type": "PERMANENT"},
    });
    let create = Request::to(s, "POST", &format!("{FAMILY}/cards"), Some(&paid));
    broken.by(s, "CARD_TYPE", &create).await;

    let card = s.take_card(CARD, "13800138000").unwrap();
    let code = card.user_card_code().to_owned();
    let confirm = |state: &str, openid: &str| {
        let body =
            json!({"brand_id": "1004", "card_id": CARD, "openid": openid, "user_card_confirm_state": state});
        Request::to(
            s,
            "POST",
            &format!("{FAMILY}/user-cards/{code}/confirm"),
            Some(&body),
        )
    };
    let other = confirm("CREATE_CARD_SUCCESS", "other");
    broken.by(s, "USER_CARD_NOT_FOUND", &other).await;
    assert_eq!(
        confirm("CREATE_CARD_SUCCESS", card.openid())
            .answer(s)
            .await
            .status,
        200
    );
    let fails = confirm("CREATE_CARD_FAIL", card.openid());
    broken.by(s, "USER_CARD_OPENED", &fails).await;

    let feed = |cell: &str| {
        let body = json!({"brand_id": "1004", "card_id": CARD, "user_card_code": code, "openid": card.openid(),
            "out_request_no": "F1", "cell": cell});
        Request::to(s, "POST", &format!("{FAMILY}/user-feeds"), Some(&body))
    };
    assert_eq!(feed("a").answer(s).await.status, 200);
    broken.by(s, "REQUEST_NUMBER_TAKEN", &feed("b")).await;

    let asked = s.ask_for_exchange(CARD, &code, 100).unwrap();
    let decide = |result: &str, record_id: &Value| {
        let mut body = json!({ "result": result, "record_id": record_id });
        for name in [
            "exchange_coupon_template_id",
            "brand_id",
            "card_id",
            "openid",
            "user_card_code",
        ] {
            body[name] = asked[name].clone();
        }
        if result.ends_with("REJECT") && record_id != "no reason" {
            body["reject_reason"] = "积分不足".into();
        }
        let target = format!("{FAMILY}/user-points/exchange-coupon/confirm");
        Request::to(s, "POST", &target, Some(&body))
    };
    let (allow, reject) = ("POINT_EXCHANGE_COUPON_ALLOW", "POINT_EXCHANGE_COUPON_REJECT");
    broken
        .by(s, "REJECT_REASON", &decide(reject, &json!("no reason")))
        .await;
    broken
        .by(s, "EXCHANGE_NOT_FOUND", &decide(allow, &json!("other")))
        .await;
    assert_eq!(decide(allow, &asked["record_id"]).answer(s).await.status, 200);
    broken
        .by(s, "EXCHANGE_SETTLED", &decide(reject, &asked["record_id"]))
        .await;

    let target = format!("{FAMILY}/user-cards/{code}/invalidate?brand_id=1004&card_id={CARD}");
    let openid = json!({ "openid": card.openid() });
    assert_eq!(
        Request::to(s, "POST", &target, Some(&openid))
            .answer(s)
            .await
            .status,
        200
    );
    let again = confirm("CREATE_CARD_SUCCESS", card.openid());
    broken.by(s, "USER_CARD_INVALIDATED", &again).await;

    let brand = json!({"brand_id": "1004"});
    let target = format!("{FAMILY}/cards/{CARD}/invalidate");
    assert_eq!(
        Request::to(s, "POST", &target, Some(&brand))
            .answer(s)
            .await
            .status,
        200
    );
    broken.spoilt(s, "CARD_INVALIDATED", |_| {}).await;
}

async fn activities_and_the_older_card(broken: &mut Broken) {
    let sandbox = sandbox().await;
    let s = &sandbox;
    let activities = format!("{FAMILY}/membership-activities");
    let nobodys = format!("{activities}/1?brand_id=1004");
    broken
        .by(s, "ACTIVITY_NOT_FOUND", &Request::get(s, &nobodys))
        .await;
    let (begin, end) = ("2026-11-30T00:00:00+08:00", "2026-12-01T00:00:00+08:00");
    let create = |number: &str, begin: &str, end: &str| {
        let body = json!({
            "out_request_no": number, "brand_id": "1004", "card_id": CARD, "activity_channel": "MECHANT_APP_COMPONENT",
            "title": "入会享券", "sub_title": "5张满减券", "begin_time": begin, "end_time": end, "apply_total": 1000,
            "product_coupon_stock_list": [{"product_coupon_id": "7", "stock_id": "9"}],
        });
        Request::to(s, "POST", &activities, Some(&body))
    };
    broken.by(s, "ACTIVITY_TIME", &create("A1", end, begin)).await;
    let activity = create("A2", begin, end).answer(s).await.json();
    let one = format!("{activities}/{}", activity["activity_id"].as_str().unwrap());
    let brand = json!({"brand_id": "1004"});
    let ended = Request::to(s, "POST", &format!("{one}/terminate"), Some(&brand));
    assert_eq!(ended.answer(s).await.status, 200);
    let change =
        json!({"brand_id": "1004", "title": "新", "sub_title": "新", "begin_time": begin, "end_time": end});
    let change = Request::to(s, "PATCH", &one, Some(&change));
    broken.by(s, "ACTIVITY_ENDED", &change).await;

    let sealed = seal(s, "13800138000");
    let sealed = sealed.as_str().unwrap();
    let sealed = sealed.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let target = format!("{OLDER}/phonenumber-member/search?card_id={CARD}&encrypted_phone_number={sealed}");
    broken
        .by(s, "REMINDED_NOT_FOUND", &Request::get(s, &target))
        .await;
}

/// What is refused only when the sandbox is told to.
async fn choices(broken: &mut Broken) {
    let mut policies = Policies::default();
    policies.no_certificates = NoCertificates::NotFound;
    policies.repeated_member = RepeatedMember::AlreadyExists;
    policies.taken_code = TakenCode::InvalidRequest;
    policies.unpaid_member = UnpaidMember::Refuse;
    policies.validity_type = ValidityType::SameAsTemplate;
    let sandbox = builder().with_policies(policies).start().await.unwrap();
    let s = &sandbox;
    let other_type = json!({"type": "FIX_TERM", "available_day_after_receive": 1});
    broken
        .changed(s, "VALIDITY_TYPE", "date_information", other_type)
        .await;
    let unpaid = seal(s, "13800130000");
    broken
        .changed(s, "NO_PAYMENT", "phone_number", unpaid.clone())
        .await;
    let target = format!("{OLDER}/cards/{CARD}/phone-membercard/import");
    let older = json!({"encrypted_phone_number": unpaid, "code": "1", "out_request_no": "1"});
    broken
        .by(s, "NO_PAYMENT", &Request::to(s, "POST", &target, Some(&older)))
        .await;
    import(s, "1", "13800138000").await.unwrap();
    broken.spoilt(s, "REPEATED_MEMBER", |_| {}).await;
    let other_phone = seal(s, "13800138001");
    broken
        .changed(s, "CODE_TAKEN_AS_INVALID", "phone_number", other_phone)
        .await;
    let certificates = Request::get(s, "/v3/certificates");
    broken.by(s, "NO_CERTIFICATES_AS_NOT_FOUND", &certificates).await;
}
