//! User cards through their states, and everything that hangs on one: feeds, points, exchanges, components.

use std::time::Duration;

use serde_json::{Value, json};
use wxmember_crypto::Plaintext;
use wxmember_sandbox::Sandbox;

use crate::{
    cards::{call, refused},
    client::{NOW, Request, import, open, sandbox, seal},
};

const FAMILY: &str = "/v3/brand/partner/card-member";
const CARD: &str = "pbLatjvWOibDc5-TBnbUk1pD12o0";

/// A card by openid, as a good request has it.
fn by_openid(sandbox: &Sandbox, code: &str, openid: &str, phone: Option<&str>) -> Value {
    let mut body = json!({
        "brand_id": "1004", "card_id": CARD, "user_card_code": code, "openid": openid,
        "valid_date_information": {"type": "PERMANENT"}, "pickup_time": "2026-11-29T00:00:00Z",
    });
    if let Some(phone) = phone {
        body["phone_number"] = seal(sandbox, phone);
    }
    body
}

async fn imported(sandbox: &Sandbox, body: &Value) -> Value {
    let target = format!("{FAMILY}/user-cards/import-by-openid");
    let answer = call(sandbox, "POST", &target, Some(body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Looks one card up.
async fn found(sandbox: &Sandbox, code: &str, openid: &str) -> Value {
    let target = format!("{FAMILY}/user-cards/{code}?brand_id=1004&card_id={CARD}&openid={openid}");
    call(sandbox, "GET", &target, None).await.json()
}

#[tokio::test]
async fn a_card_is_imported_by_openid_with_and_without_a_phone_number() {
    let sandbox = sandbox().await;
    let with = imported(&sandbox, &by_openid(&sandbox, "1", "oA", Some("13800138000"))).await;
    assert_eq!(open(&sandbox, &with["phone_number"]), "13800138000");
    assert_eq!(with["openid"], "oA");
    let without = imported(&sandbox, &by_openid(&sandbox, "2", "oB", None)).await;
    assert_eq!(without.get("phone_number"), None);
    let member = sandbox.member(CARD, "2").unwrap();
    assert_eq!((member.openid(), member.phone_number().is_none()), ("oB", true));

    // The same person again, by openid or by phone number.
    imported(&sandbox, &by_openid(&sandbox, "1", "oA", Some("13800138000"))).await;
    assert_eq!(sandbox.member(CARD, "1").unwrap().repeats(), 1);
    let second = import(&sandbox, "3", "13800138000").await.unwrap();
    refused(&second, 400, "INVALID_REQUEST");
    let target = format!("{FAMILY}/user-cards/import-by-openid");
    let taken = call(
        &sandbox,
        "POST",
        &target,
        Some(&by_openid(&sandbox, "1", "oC", None)),
    )
    .await;
    refused(&taken, 400, "ALREADY_EXISTS");
    let mut old_name = by_openid(&sandbox, "4", "oD", None);
    old_name["date_information"] = old_name["valid_date_information"].take();
    refused(
        &call(&sandbox, "POST", &target, Some(&old_name)).await,
        400,
        "PARAM_ERROR",
    );
}

#[tokio::test]
async fn a_card_is_found_by_all_four_of_its_names() {
    let sandbox = sandbox().await;
    let openid = import(&sandbox, "a/b#1", "13800138000").await.unwrap().json()["openid"].take();
    let openid = openid.as_str().unwrap();
    let find = async |code: &str, brand: &str, card: &str, openid: &str| {
        let target = format!("{FAMILY}/user-cards/{code}?brand_id={brand}&card_id={card}&openid={openid}");
        call(&sandbox, "GET", &target, None).await
    };
    let answer = find("a%2Fb%231", "1004", CARD, openid).await;
    answer.verify(&sandbox).unwrap();
    assert_eq!(answer.json()["user_card_code"], "a/b#1");
    assert_eq!(open(&sandbox, &answer.json()["phone_number"]), "13800138000");
    refused(
        &find("other", "1004", CARD, openid).await,
        404,
        "RESOURCE_NOT_EXISTS",
    );
    refused(
        &find("a%2Fb%231", "1004", CARD, "o").await,
        404,
        "RESOURCE_NOT_EXISTS",
    );
    refused(
        &find("a%2Fb%231", "1004", "other", openid).await,
        404,
        "RESOURCE_NOT_EXISTS",
    );
    refused(&find("a%2Fb%231", "1005", CARD, openid).await, 403, "NO_AUTH");
    refused(&find("%E4%BC%9A", "1004", CARD, openid).await, 400, "PARAM_ERROR");
}

#[tokio::test]
async fn a_card_is_changed_where_the_request_says_so() {
    let sandbox = sandbox().await;
    imported(&sandbox, &by_openid(&sandbox, "1", "oA", Some("13800138000"))).await;
    imported(&sandbox, &by_openid(&sandbox, "2", "oB", Some("13800138002"))).await;
    let target = format!("{FAMILY}/user-cards/1?card_id={CARD}");
    let form =
        json!({"common_field_list": [{"name": "USER_FORM_FLAG_NAME", "value": seal(&sandbox, "张三")}]});
    let change = json!({
        "brand_id": "1004", "openid": "oA", "level": "钻石会员", "phone_number": seal(&sandbox, "+8613800138001"),
        "user_information": form,
    });
    let answer = call(&sandbox, "PATCH", &target, Some(&change)).await.json();
    assert_eq!(answer["level"], "钻石会员");
    assert_eq!(open(&sandbox, &answer["phone_number"]), "13800138001");
    assert_eq!(answer["pickup_time"], "2026-11-29T00:00:00Z");
    let value = &answer["user_information"]["common_field_list"][0]["value"];
    assert_eq!(open(&sandbox, value), "张三");
    let kept = sandbox.member(CARD, "1").unwrap();
    assert_eq!(kept.phone_number().map(Plaintext::expose), Some("13800138001"));

    // Another member's number stays another member's.
    let stolen = json!({"brand_id": "1004", "openid": "oA", "phone_number": seal(&sandbox, "13800138002")});
    refused(
        &call(&sandbox, "PATCH", &target, Some(&stolen)).await,
        400,
        "INVALID_REQUEST",
    );
    let nobodys = json!({"brand_id": "1004", "openid": "oC", "level": "x"});
    refused(
        &call(&sandbox, "PATCH", &target, Some(&nobodys)).await,
        404,
        "RESOURCE_NOT_EXISTS",
    );
    assert_eq!(found(&sandbox, "1", "oA").await["level"], "钻石会员");
}

#[tokio::test]
async fn a_card_expires_with_its_validity() {
    let sandbox = sandbox().await;
    let mut body = by_openid(&sandbox, "1", "oA", None);
    body["valid_date_information"] = json!({"type": "FIX_TERM", "available_day_after_receive": 10});
    assert_eq!(imported(&sandbox, &body).await["user_card_state"], "EFFECTIVE");
    sandbox.clock().advance(Duration::from_secs(10 * 86_400));
    let find = async |state: &str| {
        let target =
            format!("{FAMILY}/user-cards?brand_id=1004&openid=oA&user_card_state={state}&offset=0&limit=20");
        let mut request = Request::get(&sandbox, &target);
        request.sign(&sandbox, NOW + 10 * 86_400);
        request.answer(&sandbox).await.json()["total_count"].take()
    };
    assert_eq!(
        (find("EFFECTIVE").await, find("EXPIRED").await),
        (json!(0), json!(1))
    );
}

#[tokio::test]
async fn cards_of_one_member_are_listed_sealed_a_page_at_a_time() {
    let sandbox = sandbox().await;
    imported(&sandbox, &by_openid(&sandbox, "1", "oA", Some("13800138000"))).await;
    imported(&sandbox, &by_openid(&sandbox, "2", "oB", Some("13800138001"))).await;
    let target = |openid: &str, offset: u64| {
        format!("{FAMILY}/user-cards?brand_id=1004&openid={openid}&offset={offset}&limit=1")
    };
    let answer = call(&sandbox, "GET", &target("oA", 0), None).await;
    answer.verify(&sandbox).unwrap();
    let answer = answer.json();
    assert_eq!(
        (&answer["total_count"], &answer["offset"], &answer["limit"]),
        (&json!(1), &json!(0), &json!(1))
    );
    assert_eq!(open(&sandbox, &answer["data"][0]["phone_number"]), "13800138000");
    assert_eq!(
        call(&sandbox, "GET", &target("oA", 1), None).await.json()["data"],
        json!([])
    );
    assert_eq!(
        call(&sandbox, "GET", &target("oC", 0), None).await.json()["total_count"],
        0
    );
}

#[tokio::test]
async fn a_card_is_invalidated_for_good() {
    let sandbox = sandbox().await;
    imported(&sandbox, &by_openid(&sandbox, "1", "oA", Some("13800138000"))).await;
    let target = format!("{FAMILY}/user-cards/1/invalidate?brand_id=1004&card_id={CARD}");
    let body = json!({"openid": "oA", "invalid_reason": "退卡"});
    let first = call(&sandbox, "POST", &target, Some(&body)).await.json();
    assert_eq!(first["user_card_state"], "INVALID");
    assert_eq!(
        (&first["invalid_reason"], first["invalid_time"].is_string()),
        (&json!("退卡"), true)
    );
    sandbox.clock().advance(Duration::from_secs(60));
    let again = call(&sandbox, "POST", &target, Some(&json!({"openid": "oA"})))
        .await
        .json();
    assert_eq!(again["invalid_time"], first["invalid_time"]);
    let change = json!({"brand_id": "1004", "openid": "oA", "level": "x"});
    let patched = call(
        &sandbox,
        "PATCH",
        &format!("{FAMILY}/user-cards/1?card_id={CARD}"),
        Some(&change),
    )
    .await;
    refused(&patched, 400, "INVALID_REQUEST");
    // The member may have a new card.
    imported(&sandbox, &by_openid(&sandbox, "2", "oA", Some("13800138000"))).await;
}

#[tokio::test]
async fn a_card_that_was_taken_opens_when_the_merchant_confirms() {
    let sandbox = sandbox().await;
    let card = sandbox.take_card(CARD, "13800138000").unwrap();
    assert_eq!(
        sandbox.take_card(CARD, "13800138000").unwrap_err().id,
        "SECOND_CARD"
    );
    assert_eq!(sandbox.take_card("other", "13800138000").unwrap_err().id, "CARD");
    let confirm = async |state: &str| {
        let body = json!({"brand_id": "1004", "card_id": CARD, "openid": card.openid(), "user_card_confirm_state": state});
        let target = format!("{FAMILY}/user-cards/{}/confirm", card.user_card_code());
        call(&sandbox, "POST", &target, Some(&body)).await
    };
    for (state, expected) in [
        ("CREATE_CARD_FAIL", "UNACTIVATED"),
        ("CREATE_CARD_SUCCESS", "EFFECTIVE"),
        ("CREATE_CARD_ALREADY_EXISTS", "EFFECTIVE"),
    ] {
        assert_eq!(confirm(state).await.json()["user_card_state"], expected);
    }
    refused(&confirm("CREATE_CARD_FAIL").await, 400, "INVALID_REQUEST");
}

#[tokio::test]
async fn feeds_and_points_are_kept_once_a_request_number() {
    let sandbox = sandbox().await;
    imported(&sandbox, &by_openid(&sandbox, "1", "oA", None)).await;
    let push = async |number: &str, cell: &str, openid: &str| {
        let body = json!({"brand_id": "1004", "card_id": CARD, "user_card_code": "1", "openid": openid,
            "out_request_no": number, "cell": cell});
        call(&sandbox, "POST", &format!("{FAMILY}/user-feeds"), Some(&body)).await
    };
    assert_eq!(push("F1", "a", "oA").await.json()["cell"], "a");
    assert_eq!(push("F1", "a", "oA").await.status, 200);
    assert_eq!(push("F2", "b", "oA").await.status, 200);
    refused(&push("F2", "c", "oA").await, 400, "ALREADY_EXISTS");
    refused(&push("F3", "c", "oB").await, 404, "RESOURCE_NOT_EXISTS");
    let cells: Vec<_> = sandbox
        .user_feeds()
        .iter()
        .map(|feed| feed["cell"].clone())
        .collect();
    assert_eq!(cells, ["a", "b"]);

    let sync = async |number: &str, points: u64| {
        let body = json!({"brand_id": "1004", "card_id": CARD, "user_card_code": "1", "openid": "oA",
            "out_request_no": number, "point_balance": points});
        call(
            &sandbox,
            "POST",
            &format!("{FAMILY}/user-points/sync"),
            Some(&body),
        )
        .await
    };
    assert_eq!(sandbox.point_balance(CARD, "1"), None);
    assert_eq!(sync("B1", 100).await.json()["point_balance"], 100);
    assert_eq!(sync("B2", 70).await.status, 200);
    // A late repeat of the first report undoes nothing.
    assert_eq!(sync("B1", 100).await.status, 200);
    assert_eq!(sandbox.point_balance(CARD, "1"), Some(70));
    refused(&sync("B2", 71).await, 400, "ALREADY_EXISTS");
}

#[tokio::test]
async fn an_exchange_is_settled_once() {
    let sandbox = sandbox().await;
    imported(&sandbox, &by_openid(&sandbox, "1", "oA", None)).await;
    let decide = async |asked: &Value, result: &str, reason: Option<&str>| {
        let mut body = json!({ "result": result });
        for name in [
            "record_id",
            "exchange_coupon_template_id",
            "brand_id",
            "card_id",
            "openid",
            "user_card_code",
        ] {
            body[name] = asked[name].clone();
        }
        if let Some(reason) = reason {
            body["reject_reason"] = reason.into();
        }
        let target = format!("{FAMILY}/user-points/exchange-coupon/confirm");
        call(&sandbox, "POST", &target, Some(&body)).await
    };
    let (allow, reject) = ("POINT_EXCHANGE_COUPON_ALLOW", "POINT_EXCHANGE_COUPON_REJECT");
    let asked = sandbox.ask_for_exchange(CARD, "1", 100).unwrap();
    assert_eq!(asked["deduct_points"], 100);
    let first = decide(&asked, allow, None).await.json();
    assert_eq!(first["state"], "POINT_EXCHANGE_COUPON_SUCCESS");
    assert_eq!(
        decide(&asked, allow, None).await.json()["coupon_code"],
        first["coupon_code"]
    );
    refused(
        &decide(&asked, reject, Some("积分不足")).await,
        400,
        "INVALID_REQUEST",
    );

    let mut asked = sandbox.ask_for_exchange(CARD, "1", 100).unwrap();
    refused(&decide(&asked, reject, None).await, 400, "PARAM_ERROR");
    let rejected = decide(&asked, reject, Some("积分不足")).await.json();
    assert_eq!(
        (&rejected["state"], &rejected["reject_reason"]),
        (&json!("POINT_EXCHANGE_COUPON_FAIL"), &json!("积分不足"))
    );
    asked["record_id"] = "other".into();
    refused(&decide(&asked, allow, None).await, 404, "RESOURCE_NOT_EXISTS");
    assert_eq!(
        sandbox.ask_for_exchange(CARD, "2", 1).unwrap_err().id,
        "USER_CARD_NOT_FOUND"
    );
}

#[tokio::test]
async fn tokens_open_their_component_for_their_time() {
    let sandbox = sandbox().await;
    let body = json!({"brand_id": "1004", "card_id": CARD, "openid": "oA"});
    let issue = async |path: &str| {
        let answer = call(&sandbox, "POST", &format!("{FAMILY}/{path}"), Some(&body))
            .await
            .json();
        (
            answer["token"].as_str().unwrap().to_owned(),
            answer["expire_time"].clone(),
        )
    };
    let (joining, until) = issue("pre-auth-tokens").await;
    assert_eq!(until, "2026-11-30T09:53:20+08:00");
    let (paying, until) = issue("pay-view-tokens").await;
    assert_eq!(until, "2026-11-30T09:03:20+08:00");
    assert!(sandbox.open_component(&joining) && sandbox.open_component(&joining));
    assert!(sandbox.open_component(&paying) && !sandbox.open_component(&paying));
    let (late, _) = issue("pay-view-tokens").await;
    sandbox.clock().advance(Duration::from_secs(600));
    assert!(!sandbox.open_component(&late) && sandbox.open_component(&joining));
    sandbox.clock().advance(Duration::from_secs(3000));
    assert!(!sandbox.open_component(&joining) && !sandbox.open_component("other"));
    let foreign = json!({"brand_id": "1004", "card_id": "other", "openid": "oA"});
    let mut request = Request::to(
        &sandbox,
        "POST",
        &format!("{FAMILY}/pre-auth-tokens"),
        Some(&foreign),
    );
    request.sign(&sandbox, NOW + 3600);
    refused(&request.answer(&sandbox).await, 400, "INVALID_REQUEST");
}
