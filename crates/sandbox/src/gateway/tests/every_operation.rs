//! Plays every operation of the document once and more, and holds every answer against it.

use std::{cell::RefCell, collections::BTreeSet};

use wxmember_crypto::{FormValue, MerchantKey};

use super::*;
use crate::platform;

const FAMILY: &str = "/v3/brand/partner/card-member";
const OLDER: &str = "/v3/marketing/membercard-open";
const CARD: &str = "pbLatjvWOibDc5-TBnbUk1pD12o0";

/// A merchant who calls the gateway without sockets.
struct Caller {
    gateway: Gateway,
    key: MerchantKey,
    called: RefCell<BTreeSet<String>>,
    nonce: AtomicU64,
}

impl Caller {
    fn new() -> Self {
        let mut gateway = gateway();
        let mut identity = testing::identity();
        platform::fill_up(&mut identity.certified, 1, &gateway.clock).unwrap();
        gateway.registry = Registry::new(identity);
        Self {
            gateway,
            key: MerchantKey::from_pem(&testing::parts().merchant_key_pem).unwrap(),
            called: RefCell::default(),
            nonce: AtomicU64::new(0),
        }
    }

    fn seal(&self, text: &str) -> Value {
        let platform = testing::identity().platform;
        let sealed = platform.key.public_key().seal(&FormValue::new(text));
        sealed.unwrap().as_str().into()
    }

    /// Calls an operation, and checks that a good answer fits the document.
    #[track_caller]
    fn call(&self, method: Method, target: &str, body: Option<Value>) -> (u16, Value) {
        let body = body.map_or(String::new(), |body| body.to_string());
        let nonce = self.nonce.fetch_add(1, Ordering::Relaxed);
        let time = self.gateway.clock.unix_seconds();
        let message = format!("{method}\n{target}\n{time}\n{nonce}\n{body}\n");
        let signature = self.key.sign(message.as_bytes()).unwrap().to_base64();
        let identity = testing::identity();
        let serial = &identity.credentials().merchant_serial;
        let authorization = format!(
            r#"WECHATPAY2-SHA256-RSA2048 mchid="1900000109",nonce_str="{nonce}",timestamp="{time}",serial_no="{serial}",signature="{signature}""#
        );
        let headers = [
            (header::USER_AGENT, "test"),
            (header::ACCEPT, "*/*"),
            (header::CONTENT_TYPE, "application/json"),
            (header::AUTHORIZATION, &authorization),
            (PLATFORM_SERIAL, &testing::parts().platform_key_id),
        ];
        let head = Head {
            method,
            target: target.to_owned(),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name, value.parse().unwrap()))
                .collect(),
        };
        let reply = self.gateway.greet(&head);
        let answer = answered(reply.unwrap_or_else(|| self.gateway.answer(&head, body.as_bytes())));
        let Route::Operation(operation) = self.gateway.spec.route(&head.method, head.path()) else {
            panic!("no operation at {target}");
        };
        let status = answer.status.as_u16();
        let document = serde_json::from_slice(&answer.body).unwrap_or_default();
        match (status, &operation.answer) {
            (200, Some(expected)) => {
                let errors: Vec<_> = expected.validator.iter_errors(&document).collect();
                assert!(errors.is_empty(), "{target}: {errors:?} in {document}");
                for place in expected.sealed.iter().flat_map(|path| path.places(&document)) {
                    let sealed = document.pointer(&place).and_then(Value::as_str).unwrap();
                    assert_eq!(sealed.len(), 344, "{target} {place}");
                }
            }
            (204, None) => assert!(answer.body.is_empty()),
            (400.., _) => {
                assert!(document["code"].is_string(), "{target}: {status} {document}");
                return (status, document);
            }
            _ => panic!("{target}: {status} is not what the document says"),
        }
        self.called.borrow_mut().insert(operation.id.clone());
        (status, document)
    }

    #[track_caller]
    fn good(&self, method: Method, target: &str, body: Option<Value>) -> Value {
        let (status, document) = self.call(method, target, body);
        assert!(status < 300, "{target}: {status} {document}");
        document
    }
}

#[test]
fn every_answer_of_every_operation_fits_the_document() {
    let caller = Caller::new();
    cards(&caller);
    user_cards(&caller);
    components_feeds_and_points(&caller);
    activities(&caller);
    older_card(&caller);
    let certificates = caller.good(Method::GET, "/v3/certificates", None);
    assert_eq!(certificates["data"].as_array().unwrap().len(), 1);

    let all: BTreeSet<_> = caller.gateway.spec.ids().map(str::to_owned).collect();
    assert_eq!(caller.called.into_inner(), all);
}

fn cards(caller: &Caller) {
    let template = json!({
        "out_request_no": "T1", "brand_id": "1004", "appid": "wxea9c30890f48d5ae", "card_type": "NORMAL",
        "card_title": "测试卡", "card_color": "#FFFF00", "card_picture_url": "https://wxpaylogo.qpic.cn/x/0",
        "code_mode": "SYSTEM_ALLOCATE", "code_type": "NONE_CODE", "benefits": "会员折扣",
        "notify_url": "https://example.com/notify", "valid_date_information": {"type": "PERMANENT"},
        "need_pinned": true, "points_information": {"jump_appid": "wx1", "jump_path": "/a"},
        "user_information": {"common_field_list": ["USER_FORM_FLAG_SEX"],
            "custom_field_list": [{"type": "RADIO", "name": "喜欢的运动", "values": ["篮球"]}]},
    });
    let cards = format!("{FAMILY}/cards");
    let created = caller.good(Method::POST, &cards, Some(template));
    let one = format!("{cards}/{}", created["card_id"].as_str().unwrap());
    caller.good(
        Method::GET,
        &format!("{cards}?brand_id=1004&offset=0&limit=20"),
        None,
    );
    caller.good(Method::GET, &format!("{one}?brand_id=1004"), None);
    let change = json!({"brand_id": "1004", "card_title": "新名", "member_information": {"jump_path": "/b"}});
    caller.good(Method::PATCH, &one, Some(change));
    caller.good(
        Method::POST,
        &format!("{one}/invalidate"),
        Some(json!({"brand_id": "1004"})),
    );
    caller.good(Method::DELETE, &format!("{one}?brand_id=1004"), None);
}

fn user_cards(caller: &Caller) {
    let cards = format!("{FAMILY}/user-cards");
    let form = || {
        json!({"common_field_list": [{"name": "USER_FORM_FLAG_SEX", "value": caller.seal("男")}],
            "custom_field_list": [{"name": "喜欢的运动", "user_chosen_values": [caller.seal("篮球"), caller.seal("排球")]}]})
    };
    let by_phone = json!({
        "brand_id": "1004", "card_id": CARD, "user_card_code": "P1", "phone_number": caller.seal("13800138001"),
        "user_information": form(), "date_information": {"type": "PERMANENT"}, "pickup_time": "2026-01-01T00:00:00Z",
    });
    caller.good(Method::POST, &format!("{cards}/import-by-phone"), Some(by_phone));
    let by_openid = json!({
        "brand_id": "1004", "card_id": CARD, "user_card_code": "O1", "openid": "oA", "level": "钻石会员",
        "phone_number": caller.seal("13800138002"), "user_information": form(),
        "valid_date_information": {"type": "FIX_TERM", "available_day_after_receive": 10}, "pickup_time": "2026-11-29T00:00:00Z",
    });
    let imported = caller.good(
        Method::POST,
        &format!("{cards}/import-by-openid"),
        Some(by_openid),
    );
    assert_eq!(
        (&imported["openid"], &imported["user_card_state"]),
        (&json!("oA"), &json!("EFFECTIVE"))
    );

    let listed = caller.good(
        Method::GET,
        &format!("{cards}?brand_id=1004&openid=oA&user_card_state=EFFECTIVE&offset=0&limit=1"),
        None,
    );
    assert_eq!(listed["data"][0]["user_card_code"], "O1");
    caller.good(
        Method::GET,
        &format!("{cards}/O1?brand_id=1004&card_id={CARD}&openid=oA"),
        None,
    );
    let change = json!({
        "brand_id": "1004", "openid": "oA", "phone_number": caller.seal("13800138003"), "user_information": form(),
        "card_color": "#00FF00", "attach": "附加", "valid_date_information": {"type": "PERMANENT"},
    });
    caller.good(Method::PATCH, &format!("{cards}/O1?card_id={CARD}"), Some(change));
    let invalid = json!({"openid": "oA", "invalid_reason": "退卡"});
    caller.good(
        Method::POST,
        &format!("{cards}/O1/invalidate?brand_id=1004&card_id={CARD}"),
        Some(invalid),
    );

    let mut state = locked(&caller.gateway.state);
    let taken = crate::operations::user_cards::take(
        &mut Scene {
            caller: caller.gateway.registry.first_caller().unwrap(),
            registry: &caller.gateway.registry,
            clock: &caller.gateway.clock,
            tokens: &caller.gateway.tokens,
            policies: Policies::default(),
            state: &mut state,
        },
        CARD,
        "13800138009",
    );
    drop(state);
    let taken = taken.unwrap();
    let confirm = json!({
        "brand_id": "1004", "card_id": CARD, "openid": taken.openid(), "user_information": form(),
        "user_card_confirm_state": "CREATE_CARD_SUCCESS",
    });
    let target = format!("{cards}/{}/confirm", taken.user_card_code());
    let confirmed = caller.good(Method::POST, &target, Some(confirm));
    assert_eq!(confirmed["user_card_state"], "EFFECTIVE");
}

fn components_feeds_and_points(caller: &Caller) {
    let openid = locked(&caller.gateway.state)
        .members
        .find(CARD, "P1")
        .unwrap()
        .openid
        .clone();
    let token = json!({"brand_id": "1004", "card_id": CARD, "openid": openid});
    for path in ["pre-auth-tokens", "pay-view-tokens"] {
        caller.good(Method::POST, &format!("{FAMILY}/{path}"), Some(token.clone()));
    }
    let feed = json!({"brand_id": "1004", "card_id": CARD, "user_card_code": "P1", "openid": openid,
        "out_request_no": "F1", "cell": "15_1200_1"});
    caller.good(Method::POST, &format!("{FAMILY}/user-feeds"), Some(feed));
    let balance = json!({"out_request_no": "B1", "brand_id": "1004", "card_id": CARD, "openid": openid,
        "user_card_code": "P1", "point_balance": 1000});
    caller.good(Method::POST, &format!("{FAMILY}/user-points/sync"), Some(balance));

    let mut state = locked(&caller.gateway.state);
    let mut ask = || {
        crate::operations::user_points::ask_for_exchange(
            &mut Scene {
                caller: caller.gateway.registry.first_caller().unwrap(),
                registry: &caller.gateway.registry,
                clock: &caller.gateway.clock,
                tokens: &caller.gateway.tokens,
                policies: Policies::default(),
                state: &mut state,
            },
            CARD,
            "P1",
            100,
        )
        .unwrap()
    };
    let (first, second) = (ask(), ask());
    drop(state);
    for (asked, result, reason) in [
        (&first, "POINT_EXCHANGE_COUPON_ALLOW", None),
        (&second, "POINT_EXCHANGE_COUPON_REJECT", Some("积分不足")),
    ] {
        let mut decision = json!({"brand_id": "1004", "card_id": CARD, "openid": openid, "user_card_code": "P1",
            "record_id": asked["record_id"], "exchange_coupon_template_id": asked["exchange_coupon_template_id"],
            "result": result});
        if let Some(reason) = reason {
            decision["reject_reason"] = reason.into();
        }
        let target = format!("{FAMILY}/user-points/exchange-coupon/confirm");
        caller.good(Method::POST, &target, Some(decision));
    }
}

fn activities(caller: &Caller) {
    let activities = format!("{FAMILY}/membership-activities");
    let activity = json!({
        "out_request_no": "A1", "brand_id": "1004", "card_id": CARD, "activity_channel": "MECHANT_APP_COMPONENT",
        "title": "入会享券", "sub_title": "5张满减券", "begin_time": "2026-01-20T13:29:35+08:00",
        "end_time": "2027-01-20T13:29:35+08:00", "apply_total": 1000,
        "product_coupon_stock_list": [{"product_coupon_id": "7", "stock_id": "9"}],
    });
    let created = caller.good(Method::POST, &activities, Some(activity));
    let one = format!("{activities}/{}", created["activity_id"].as_str().unwrap());
    caller.good(Method::GET, &format!("{one}?brand_id=1004"), None);
    let listed = caller.good(
        Method::GET,
        &format!("{activities}?brand_id=1004&activity_state=MEMBERSHIP_ACTIVITY_EFFECTIVE&offset=0&limit=5"),
        None,
    );
    assert_eq!(listed["total_count"], 1);
    let change = json!({"brand_id": "1004", "title": "新", "sub_title": "新", "begin_time": "2026-01-20T13:29:35+08:00",
        "end_time": "2028-01-20T13:29:35+08:00"});
    caller.good(Method::PATCH, &one, Some(change));
    let ended = caller.good(
        Method::POST,
        &format!("{one}/terminate"),
        Some(json!({"brand_id": "1004"})),
    );
    assert_eq!(ended["activity_state"], "MEMBERSHIP_ACTIVITY_TERMINATED");
}

fn older_card(caller: &Caller) {
    let import =
        json!({"encrypted_phone_number": caller.seal("13800138000"), "code": "1", "out_request_no": "R1"});
    let target = format!("{OLDER}/cards/{CARD}/phone-membercard/import");
    assert_eq!(
        caller.good(Method::POST, &target, Some(import)),
        json!({"code": "1"})
    );
    let reminded = json!({
        "member_information": {"card_id": CARD, "code": "2", "registration_time": "2015-05-20T13:29:35+08:00"},
        "encrypted_phone_number": caller.seal("13800138001"), "outer_str": "till",
    });
    caller.good(
        Method::POST,
        &format!("{OLDER}/phonenumber-member/import"),
        Some(reminded),
    );
    let search = |phone: &str| {
        let sealed = caller.seal(phone);
        let sealed = sealed
            .as_str()
            .unwrap()
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        let target =
            format!("{OLDER}/phonenumber-member/search?card_id={CARD}&encrypted_phone_number={sealed}");
        caller.call(Method::GET, &target, None)
    };
    assert_eq!(search("13800138000").1["receive_status"], "RECEIVED");
    assert_eq!(search("13800138001").1, json!({"receive_status": "UNSHOWED"}));
    let (status, refusal) = search("13800138002");
    assert_eq!((status, &refusal["code"]), (404, &json!("RESOURCE_NOT_EXISTS")));
    let (status, refusal) = search("1380013");
    assert_eq!((status, &refusal["detail"]["location"]), (400, &json!("query")));
}
