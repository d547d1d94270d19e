//! What a good request gets, and what is kept of it.

use serde_json::{Value, json};
use wxmember_crypto::Plaintext;

use crate::client::{NOW, Request, body, builder, control, import, open, sandbox};
use wxmember_sandbox::{Policies, RepeatedMember};

#[tokio::test]
async fn a_member_is_imported_and_answered_signed_and_sealed() {
    let sandbox = sandbox().await;
    let answer = import(&sandbox, "478515832665", "13800138000").await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.verify(&sandbox).unwrap();
    assert_eq!(answer.header("Wechatpay-Timestamp"), Some("1796000000"));
    assert_eq!(
        answer.header("Wechatpay-Signature-Type"),
        Some("WECHATPAY2-SHA256-RSA2048")
    );
    assert_eq!(answer.header("Date"), Some("Mon, 30 Nov 2026 00:53:20 GMT"));
    assert!(answer.header("Request-ID").is_some());

    let mut card = answer.json();
    let mut opened = |pointer: &str| open(&sandbox, &card.pointer_mut(pointer).unwrap().take());
    assert_eq!(opened("/phone_number"), "13800138000");
    assert_eq!(opened("/user_information/common_field_list/0/value"), "男");
    assert_eq!(
        opened("/user_information/custom_field_list/0/user_chosen_values/0"),
        "篮球"
    );
    assert_eq!(
        opened("/user_information/custom_field_list/0/user_chosen_values/1"),
        "羽毛球"
    );
    let openid = card["openid"].take();
    assert_eq!(openid.as_str().unwrap().len(), 28);
    let expected = json!({
        "brand_id": "1004",
        "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0",
        "user_card_code": "478515832665",
        "openid": null,
        "phone_number": null,
        "level": "钻石会员",
        "card_type": "NORMAL",
        "user_card_state": "EFFECTIVE",
        "user_information": {
            "common_field_list": [{"name": "USER_FORM_FLAG_SEX", "value": null}],
            "custom_field_list": [{"name": "喜欢的运动", "user_chosen_values": [null, null]}],
        },
        "valid_date_information": {"type": "PERMANENT"},
        "pickup_time": "2020-05-20T13:29:35.120+08:00",
        "create_time": "2026-11-30T08:53:20+08:00",
        "modify_time": "2026-11-30T08:53:20+08:00",
    });
    assert_eq!(card, expected);

    let member = sandbox
        .member("pbLatjvWOibDc5-TBnbUk1pD12o0", "478515832665")
        .unwrap();
    assert_eq!(member.phone_number().map(Plaintext::expose), Some("13800138000"));
    assert_eq!(member.personal_fields().count(), 4);
    assert_eq!(member.openid(), openid);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn the_signed_request_of_another_implementation_is_imported() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/vectors.json")).unwrap();
    let vectors = vectors["request_signing"].as_array().unwrap();
    let named = |name: &str| vectors.iter().find(|vector| vector["name"] == name).unwrap();
    for (name, status) in [
        ("import-by-phone, decryptable ciphertexts", 200),
        // Its ciphertexts are the documentation's placeholders.
        ("import-by-phone, seed example verbatim", 400),
    ] {
        let sandbox = sandbox().await;
        let vector = named(name);
        let mut request = Request::new(&sandbox, vector["body"].as_str().unwrap());
        assert_eq!(vector["canonical_url"], request.target.as_str());
        request.set("Authorization", vector["authorization"].as_str());
        let answer = request.answer(&sandbox).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 200 {
            answer.verify(&sandbox).unwrap();
            assert_eq!(open(&sandbox, &answer.json()["phone_number"]), "13800138000");
        } else {
            assert_eq!(answer.json()["message"], "平台私钥解密失败");
        }
    }
}

#[tokio::test]
async fn the_same_member_again_gets_the_same_card() {
    let sandbox = sandbox().await;
    let first = import(&sandbox, "1", "13800138000").await.unwrap();
    let again = import(&sandbox, "1", "+8613800138000").await.unwrap();
    assert_eq!((first.status, again.status), (200, 200));
    assert_eq!(first.json()["openid"], again.json()["openid"]);
    assert_eq!(sandbox.members().len(), 1);
    assert_eq!(sandbox.members()[0].repeats(), 1);
    assert_eq!(sandbox.requests(), 2);
}

#[tokio::test]
async fn a_policy_changes_what_a_repeat_gets() {
    let mut policies = Policies::default();
    policies.repeated_member = RepeatedMember::AlreadyExists;
    let sandbox = builder().with_policies(policies).start().await.unwrap();
    import(&sandbox, "1", "13800138000").await.unwrap();
    let again = import(&sandbox, "1", "13800138000").await.unwrap();
    assert_eq!((again.status, again.code().as_str()), (400, "ALREADY_EXISTS"));
}

#[tokio::test]
async fn surplus_members_of_the_validity_are_let_through() {
    let sandbox = sandbox().await;
    let mut body = body(&sandbox, "1", "13800138000");
    body["date_information"] = json!({
        "type": "FIX_TIME_RANGE",
        "available_begin_time": "2020-05-20T13:29:35.120+08:00",
        "available_end_time": "2030-05-20T13:29:35.120+08:00",
        "available_day_after_receive": 200,
    });
    let answer = Request::new(&sandbox, &body).answer(&sandbox).await;
    assert_eq!(answer.json()["valid_date_information"], body["date_information"]);
}

#[tokio::test]
async fn the_control_address_masks_persons_unless_asked() {
    let sandbox = sandbox().await;
    import(&sandbox, "1", "13800138000").await.unwrap();
    let masked = control(&sandbox, "/members").await.json();
    assert_eq!(masked["count"], 1);
    assert_eq!(masked["members"][0]["user_card_code"], "1");
    assert_eq!(masked["members"][0]["phone_number"], "***");
    assert!(!masked.to_string().contains("13800138000") && !masked.to_string().contains("篮球"));
    let revealed = control(&sandbox, "/members?reveal=true").await.json();
    assert_eq!(revealed["members"][0]["phone_number"], "13800138000");
    let choices = &revealed["members"][0]["user_information"]["custom_field_list"][0]["user_chosen_values"];
    assert_eq!(*choices, json!(["篮球", "羽毛球"]));
    let masked = control(&sandbox, "/members?reveal=false").await.json();
    assert_eq!(masked["members"][0]["phone_number"], "***");

    let health = control(&sandbox, "/health").await;
    assert_eq!(
        (health.json()["status"].clone(), health.json()["requests"].clone()),
        (json!("ok"), json!(1))
    );
    let unknown = control(&sandbox, "/nothing").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.json()["error"].is_string());
    assert_ne!(sandbox.base_url(), sandbox.control_url());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_once_are_kept_apart() {
    let sandbox = std::sync::Arc::new(sandbox().await);
    let tasks: Vec<_> = (0..16)
        .map(|index| {
            let sandbox = std::sync::Arc::clone(&sandbox);
            tokio::spawn(async move {
                let phone = format!("138001380{index:02}");
                let answer = import(&sandbox, &index.to_string(), &phone).await.unwrap();
                answer.verify(&sandbox).unwrap();
                assert_eq!(open(&sandbox, &answer.json()["phone_number"]), phone);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(sandbox.members().len(), 16);
}

#[tokio::test]
async fn debug_shows_neither_persons_nor_keys() {
    let sandbox = sandbox().await;
    import(&sandbox, "1", "13800138000").await.unwrap();
    let shown = format!("{sandbox:?} {:?} {:?}", sandbox.members(), sandbox.credentials());
    for marker in ["13800138000", "篮球", "PRIVATE KEY", "TestOnlyApiV3Key"] {
        assert!(!shown.contains(marker), "{marker} in {shown}");
    }
}

#[tokio::test]
async fn a_shift_of_the_platforms_clock_moves_window_and_answers() {
    let sandbox = sandbox().await;
    sandbox.clock().set_shift(600).unwrap();
    assert_eq!(
        import(&sandbox, "1", "13800138000").await.unwrap().code(),
        "SIGN_ERROR"
    );
    let body = body(&sandbox, "1", "13800138000").to_string().into_bytes();
    let answer = Request::signed(&sandbox, body, NOW + 600).answer(&sandbox).await;
    assert_eq!(answer.header("Wechatpay-Timestamp"), Some("1796000600"));
}
