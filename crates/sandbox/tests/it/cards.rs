//! Templates over their lives, and the cards that members get of them.

use serde_json::{Value, json};
use wxmember_sandbox::{Policies, Sandbox, ValidityType};

use crate::client::{Received, Request, body, builder, import, sandbox};

pub(crate) const CARDS: &str = "/v3/brand/partner/card-member/cards";

pub(crate) async fn call(
    sandbox: &Sandbox,
    method: &'static str,
    target: &str,
    body: Option<&Value>,
) -> Received {
    Request::to(sandbox, method, target, body).answer(sandbox).await
}

#[track_caller]
pub(crate) fn refused(answer: &Received, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{answer:?}"
    );
    assert!(!answer.is_signed());
}

fn template(number: &str) -> Value {
    json!({
        "out_request_no": number, "brand_id": "1004", "appid": "wxea9c30890f48d5ae", "card_type": "NORMAL",
        "card_title": "测试卡", "card_color": "#FFFF00", "card_picture_url": "https://wxpaylogo.qpic.cn/x/0",
        "code_mode": "SYSTEM_ALLOCATE", "code_type": "NONE_CODE", "benefits": "会员折扣",
        "notify_url": "https://example.com/notify",
        "valid_date_information": {"type": "FIX_TERM", "available_day_after_receive": 30},
    })
}

async fn created(sandbox: &Sandbox, number: &str) -> String {
    let answer = call(sandbox, "POST", CARDS, Some(&template(number))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.verify(sandbox).unwrap();
    answer.json()["card_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_template_lives_from_creation_to_its_end() {
    let sandbox = sandbox().await;
    let card_id = created(&sandbox, "T1").await;
    let one = format!("{CARDS}/{card_id}");
    let found = call(&sandbox, "GET", &format!("{one}?brand_id=1004"), None).await;
    assert_eq!(found.json()["state"], "CARD_EFFECTIVE");
    assert_eq!(
        found.json()["valid_date_information"]["available_day_after_receive"],
        30
    );

    let change = json!({"brand_id": "1004", "card_title": "新名", "need_pinned": true});
    sandbox.clock().advance(std::time::Duration::from_secs(60));
    let changed = call(&sandbox, "PATCH", &one, Some(&change)).await.json();
    assert_eq!(
        (&changed["card_title"], &changed["benefits"]),
        (&json!("新名"), &json!("会员折扣"))
    );
    assert_ne!(changed["create_time"], changed["modify_time"]);

    // A member gets a card of it, which stays when the template goes.
    let mut member = body(&sandbox, "1", "13800138000");
    member["card_id"] = card_id.as_str().into();
    assert_eq!(Request::new(&sandbox, &member).answer(&sandbox).await.status, 200);
    let brand = json!({"brand_id": "1004"});
    for _ in 0..2 {
        let invalid = call(&sandbox, "POST", &format!("{one}/invalidate"), Some(&brand)).await;
        assert_eq!(invalid.json()["state"], "CARD_INVALID");
    }
    refused(
        &call(&sandbox, "PATCH", &one, Some(&change)).await,
        400,
        "INVALID_REQUEST",
    );
    member["user_card_code"] = "2".into();
    refused(
        &Request::new(&sandbox, &member).answer(&sandbox).await,
        400,
        "INVALID_REQUEST",
    );
    assert_eq!(sandbox.members().len(), 1);
}

#[tokio::test]
async fn templates_are_listed_by_state_a_page_at_a_time() {
    let sandbox = sandbox().await;
    let first = created(&sandbox, "T1").await;
    let second = created(&sandbox, "T2").await;
    call(
        &sandbox,
        "DELETE",
        &format!("{CARDS}/{first}?brand_id=1004"),
        None,
    )
    .await;
    let listed = async |query: &str| {
        let answer = call(&sandbox, "GET", &format!("{CARDS}?brand_id=1004&{query}"), None).await;
        let mut answer = answer.json();
        let ids = answer["data"].as_array_mut().unwrap().iter_mut();
        let ids: Vec<_> = ids
            .into_iter()
            .map(|template| template["card_id"].take())
            .collect();
        (ids, answer["total_count"].as_u64().unwrap())
    };
    let preloaded = json!(sandbox.credentials().card_id);
    let (first, second) = (json!(first), json!(second));
    let all = vec![preloaded.clone(), first.clone(), second.clone()];
    assert_eq!(listed("offset=0&limit=20").await, (all, 3));
    assert_eq!(listed("offset=1&limit=1").await, (vec![first.clone()], 3));
    assert_eq!(listed("offset=3&limit=1").await, (vec![], 3));
    assert_eq!(
        listed("state=CARD_INVALID&offset=0&limit=20").await,
        (vec![first], 1)
    );
    let effective = vec![preloaded, second];
    assert_eq!(
        listed("state=CARD_EFFECTIVE&offset=0&limit=2").await,
        (effective, 2)
    );
}

#[tokio::test]
async fn a_request_number_is_good_for_one_content() {
    let sandbox = sandbox().await;
    let first = created(&sandbox, "T1").await;
    assert_eq!(created(&sandbox, "T1").await, first);
    assert_ne!(created(&sandbox, "T2").await, first);
    let mut other = template("T1");
    other["card_title"] = "别的".into();
    let answer = call(&sandbox, "POST", CARDS, Some(&other)).await;
    refused(&answer, 400, "ALREADY_EXISTS");
}

#[tokio::test]
async fn templates_are_refused_with_their_place() {
    let sandbox = sandbox().await;
    let mut paid = template("T1");
    paid["card_type"] = "PURCHASE".into();
    let answer = call(&sandbox, "POST", CARDS, Some(&paid)).await;
    refused(&answer, 400, "PARAM_ERROR");
    assert_eq!(answer.json()["detail"]["field"], "/card_type");

    let mut endless = template("T1");
    endless["valid_date_information"] = json!({"type": "FIX_TERM"});
    let answer = call(&sandbox, "POST", CARDS, Some(&endless)).await;
    let field = "/valid_date_information/available_day_after_receive";
    assert_eq!(answer.json()["detail"]["field"], field);

    let mut foreign = template("T1");
    foreign["brand_id"] = "1005".into();
    refused(
        &call(&sandbox, "POST", CARDS, Some(&foreign)).await,
        403,
        "NO_AUTH",
    );

    let answer = call(&sandbox, "GET", &format!("{CARDS}/nothing?brand_id=1004"), None).await;
    refused(&answer, 404, "RESOURCE_NOT_EXISTS");
    let detail = &answer.json()["detail"];
    assert_eq!(
        (&detail["field"], &detail["location"]),
        (&json!("card_id"), &json!("url"))
    );
    for query in ["", "?brand_id=1004&limit=21&offset=0", "?brand_id=1004&limit=20"] {
        let answer = call(&sandbox, "GET", &format!("{CARDS}{query}"), None).await;
        refused(&answer, 400, "PARAM_ERROR");
        assert_eq!(answer.json()["detail"]["location"], "query");
    }
}

#[tokio::test]
async fn the_type_of_validity_is_compared_when_the_policy_says_so() {
    let mut policies = Policies::default();
    policies.validity_type = ValidityType::SameAsTemplate;
    let sandbox = builder().with_policies(policies).start().await.unwrap();
    assert_eq!(import(&sandbox, "1", "13800138000").await.unwrap().status, 200);
    let mut term = body(&sandbox, "2", "13800138001");
    term["date_information"] = json!({"type": "FIX_TERM", "available_day_after_receive": 1});
    let answer = Request::new(&sandbox, &term).answer(&sandbox).await;
    refused(&answer, 400, "PARAM_ERROR");
    assert_eq!(answer.json()["detail"]["field"], "/date_information/type");
}
