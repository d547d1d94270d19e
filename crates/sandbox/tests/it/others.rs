//! Activities that give coupons, and the older card's routes by phone number.

use std::time::Duration;

use serde_json::{Value, json};
use wxmember_sandbox::{Fault, Sandbox};

use crate::{
    cards::{call, refused},
    client::{NOW, Received, Request, sandbox, seal},
};

const ACTIVITIES: &str = "/v3/brand/partner/card-member/membership-activities";
const OLDER: &str = "/v3/marketing/membercard-open";
const CARD: &str = "pbLatjvWOibDc5-TBnbUk1pD12o0";

fn activity(number: &str, begin: &str, end: &str) -> Value {
    json!({
        "out_request_no": number, "brand_id": "1004", "card_id": CARD, "activity_channel": "MECHANT_APP_COMPONENT",
        "title": "入会享券", "sub_title": "5张满减券", "begin_time": begin, "end_time": end, "apply_total": 1000,
        "product_coupon_stock_list": [{"product_coupon_id": "7", "stock_id": "9"}],
    })
}

/// Now is 2026-11-30T08:53:20+08:00.
const TODAY: (&str, &str) = ("2026-11-30T00:00:00+08:00", "2026-12-01T00:00:00+08:00");
const TOMORROW: (&str, &str) = ("2026-12-01T00:00:00+08:00", "2026-12-02T00:00:00+08:00");

#[tokio::test]
async fn an_activity_follows_the_clock_until_it_is_ended() {
    let sandbox = sandbox().await;
    let create = async |number: &str, (begin, end): (&str, &str)| {
        call(&sandbox, "POST", ACTIVITIES, Some(&activity(number, begin, end))).await
    };
    let today = create("A1", TODAY).await.json();
    assert_eq!(
        (&today["activity_state"], &today["apply_available"]),
        (&json!("MEMBERSHIP_ACTIVITY_EFFECTIVE"), &json!(1000))
    );
    assert_eq!(
        create("A1", TODAY).await.json()["activity_id"],
        today["activity_id"]
    );
    refused(&create("A1", TOMORROW).await, 400, "ALREADY_EXISTS");
    let tomorrow = create("A2", TOMORROW).await.json();
    assert_eq!(tomorrow["activity_state"], "MEMBERSHIP_ACTIVITY_CREATED");
    let backwards = create("A3", (TODAY.1, TODAY.0)).await;
    refused(&backwards, 400, "PARAM_ERROR");
    assert_eq!(backwards.json()["detail"]["field"], "/end_time");

    let list = async |query: &str| {
        let target = format!("{ACTIVITIES}?brand_id=1004&offset=0&limit=20{query}");
        call(&sandbox, "GET", &target, None).await.json()["total_count"].take()
    };
    assert_eq!(list("").await, 2);
    assert_eq!(list("&activity_state=MEMBERSHIP_ACTIVITY_CREATED").await, 1);
    assert_eq!(list("&card_id=other").await, 0);

    let one = |activity: &Value| format!("{ACTIVITIES}/{}", activity["activity_id"].as_str().unwrap());
    let brand = json!({"brand_id": "1004"});
    for _ in 0..2 {
        let ended = call(
            &sandbox,
            "POST",
            &format!("{}/terminate", one(&tomorrow)),
            Some(&brand),
        )
        .await;
        assert_eq!(ended.json()["activity_state"], "MEMBERSHIP_ACTIVITY_TERMINATED");
    }
    let change = json!({"brand_id": "1004", "title": "新", "sub_title": "新", "begin_time": TODAY.0, "end_time": TOMORROW.1});
    refused(
        &call(&sandbox, "PATCH", &one(&tomorrow), Some(&change)).await,
        400,
        "INVALID_REQUEST",
    );
    let changed = call(&sandbox, "PATCH", &one(&today), Some(&change)).await.json();
    assert_eq!(
        (&changed["title"], &changed["apply_total"]),
        (&json!("新"), &json!(1000))
    );

    sandbox.clock().advance(Duration::from_secs(2 * 86_400));
    let mut request = Request::get(&sandbox, &format!("{}?brand_id=1004", one(&today)));
    request.sign(&sandbox, NOW + 2 * 86_400);
    let expired = request.answer(&sandbox).await.json();
    assert_eq!(expired["activity_state"], "MEMBERSHIP_ACTIVITY_EXPIRED");
}

#[tokio::test]
async fn an_activity_of_nobody_is_not_found() {
    let sandbox = sandbox().await;
    let answer = call(&sandbox, "GET", &format!("{ACTIVITIES}/1?brand_id=1004"), None).await;
    refused(&answer, 404, "RESOURCE_NOT_EXISTS");
    let answer = call(&sandbox, "GET", &format!("{ACTIVITIES}/1?brand_id=1005"), None).await;
    refused(&answer, 403, "NO_AUTH");
}

async fn import_older(sandbox: &Sandbox, number: &str, phone: &str, code: Option<&str>) -> Received {
    let mut body = json!({"encrypted_phone_number": seal(sandbox, phone), "out_request_no": number});
    if let Some(code) = code {
        body["code"] = code.into();
    }
    let target = format!("{OLDER}/cards/{CARD}/phone-membercard/import");
    call(sandbox, "POST", &target, Some(&body)).await
}

async fn search(sandbox: &Sandbox, phone: &str) -> Received {
    let sealed = seal(sandbox, phone);
    let sealed = sealed
        .as_str()
        .unwrap()
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let target = format!("{OLDER}/phonenumber-member/search?card_id={CARD}&encrypted_phone_number={sealed}");
    call(sandbox, "GET", &target, None).await
}

#[tokio::test]
async fn the_older_card_is_imported_once_a_member_and_once_a_request_number() {
    let sandbox = sandbox().await;
    let first = import_older(&sandbox, "R1", "13800138000", Some("1")).await;
    assert_eq!(first.json(), json!({"code": "1"}));
    // The same number and the same plaintext under another seal is the same request.
    assert_eq!(
        import_older(&sandbox, "R1", "13800138000", Some("1"))
            .await
            .json(),
        first.json()
    );
    refused(
        &import_older(&sandbox, "R1", "13800138001", Some("1")).await,
        400,
        "ALREADY_EXISTS",
    );
    // Another code of the older card is another card.
    sandbox.fault(Fault::ReplayedAnswer, 1);
    let anothers = import_older(&sandbox, "R1", "13800138000", Some("1")).await;
    assert_eq!(anothers.json(), json!({"code": "0"}));
    let second = import_older(&sandbox, "R2", "13800138000", Some("2")).await;
    refused(&second, 400, "INVALID_REQUEST");
    assert_eq!(second.json()["message"], "会员已经领取过该卡");
    refused(
        &import_older(&sandbox, "R3", "13800138001", Some("1")).await,
        400,
        "ALREADY_EXISTS",
    );
    let given = import_older(&sandbox, "R4", "13800138001", None).await.json();
    assert_eq!(given["code"].as_str().unwrap().len(), 12);
    let answer = search(&sandbox, "13800138000").await.json();
    assert_eq!(
        (
            &answer["receive_status"],
            &answer["user_card_information"]["code"]
        ),
        (&json!("RECEIVED"), &json!("1"))
    );
    assert_eq!(sandbox.members().len(), 0);
}

#[tokio::test]
async fn a_reminded_member_takes_the_card() {
    let sandbox = sandbox().await;
    let body = json!({
        "member_information": {"card_id": CARD, "code": "9", "registration_time": "2015-05-20T13:29:35+08:00"},
        "encrypted_phone_number": seal(&sandbox, "13800138000"),
    });
    assert!(!sandbox.take_membercard(CARD, "13800138000"));
    let target = format!("{OLDER}/phonenumber-member/import");
    let answer = call(&sandbox, "POST", &target, Some(&body)).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    answer.verify(&sandbox).unwrap();
    assert_eq!(
        search(&sandbox, "13800138000").await.json(),
        json!({"receive_status": "UNSHOWED"})
    );
    // There is no body that could be spoilt, and none that names a card.
    for fault in [
        Fault::CutBody,
        Fault::HugeAnswer,
        Fault::ReplayedAnswer,
        Fault::TruncatedJson,
        Fault::WrongDocument,
    ] {
        sandbox.fault(fault, 1);
        let answer = call(&sandbox, "POST", &target, Some(&body)).await;
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{fault:?}");
        answer.verify(&sandbox).unwrap();
        // So the fault waits for one, and the journal does not speak of it.
        assert_eq!(sandbox.faults_waiting(), 1, "{fault:?}");
        assert_eq!(sandbox.journal().pop().unwrap().fault, None, "{fault:?}");
        sandbox.clear_faults();
    }
    sandbox.fault(Fault::WrongSignature, 1);
    let answer = call(&sandbox, "POST", &target, Some(&body)).await;
    assert_eq!(answer.verify(&sandbox), Err("wrong signature".to_owned()));
    assert!(sandbox.take_membercard(CARD, "13800138000"));
    assert!(!sandbox.take_membercard(CARD, "13800138000"));
    let received = search(&sandbox, "13800138000").await.json();
    assert_eq!(received["user_card_information"]["code"], "9");
    refused(&search(&sandbox, "13800138001").await, 404, "RESOURCE_NOT_EXISTS");
}

#[tokio::test]
async fn a_sealed_parameter_must_open_and_its_base64_must_be_escaped() {
    let sandbox = sandbox().await;
    let answer = search(&sandbox, "1380013").await;
    refused(&answer, 400, "PARAM_ERROR");
    let detail = answer.json()["detail"].clone();
    assert_eq!(
        (&detail["field"], &detail["location"]),
        (&json!("encrypted_phone_number"), &json!("query"))
    );
    // A plus that is not escaped arrives as a blank.
    let sealed = loop {
        let sealed = seal(&sandbox, "13800138000");
        if sealed.as_str().unwrap().contains('+') {
            break sealed;
        }
    };
    let target = format!(
        "{OLDER}/phonenumber-member/search?card_id={CARD}&encrypted_phone_number={}",
        sealed.as_str().unwrap()
    );
    let answer = call(&sandbox, "GET", &target, None).await;
    refused(&answer, 400, "PARAM_ERROR");
    assert_eq!(answer.json()["message"], "平台私钥解密失败");
}
