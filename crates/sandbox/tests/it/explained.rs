//! Refusals as the control address explains them to people.

use serde_json::{Value, json};
use wxmember_sandbox::{Fault, Sandbox};

use crate::client::{NOW, Request, body, control, import, sandbox, seal};

async fn explained(sandbox: &Sandbox, request: &Request, query: &str) -> Value {
    let answer = request.answer(sandbox).await;
    let id = answer.header("Request-ID").unwrap();
    let explanation = control(sandbox, &format!("/requests/{id}{query}")).await;
    assert_eq!(explanation.status, 200, "{explanation:?}");
    explanation.json()
}

/// The results of the ladder by check.
#[track_caller]
fn check(explanation: &Value, check: &str, expected: &str) {
    let checks = explanation["checks"].as_array().unwrap();
    let found = checks.iter().find(|rung| rung["check"] == check).unwrap();
    assert_eq!(found["result"], expected, "{check} in {explanation:#}");
}

/// Signs another message than is sent.
fn signed_as(sandbox: &Sandbox, sent: &str, signed: &str) -> Request {
    let mut request = Request::signed(sandbox, signed.as_bytes().to_vec(), NOW);
    request.body = sent.as_bytes().to_vec();
    request
}

#[tokio::test]
async fn a_wrong_signature_is_explained_line_by_line() {
    let sandbox = sandbox().await;
    let sent = body(&sandbox, "1", "13800138000").to_string();
    let twice = sent.replace("\":", "\": ").replace(",\"", ", \"");
    let explanation = explained(&sandbox, &signed_as(&sandbox, &sent, &twice), "").await;
    assert_eq!(
        (&explanation["failed"], &explanation["rule"]),
        (&json!("signature"), &json!("SIGNATURE"))
    );
    check(&explanation, "clock", "passed");
    check(&explanation, "signature", "failed");
    check(&explanation, "nonce", "not_reached");
    check(&explanation, "business", "not_reached");
    let message = &explanation["message_to_sign"];
    assert_eq!(message["client"], "differs");
    let results: Vec<_> = (0..5)
        .map(|line| message["lines"][line]["result"].clone())
        .collect();
    assert_eq!(results, ["same", "same", "same", "same", "differs"]);
    let what = message["lines"][4]["client_signed"]["en"].as_str().unwrap();
    assert!(what.contains("serialised twice"), "{what}");
    assert_eq!(message["lines"][0]["gateway"], "POST");
    let rule = &explanation["rule_explained"];
    assert!(rule["source"].is_string() && rule["pages"].is_array());
    assert_eq!(explanation["answer"]["code"], "SIGN_ERROR");
    assert_eq!(
        explanation["answer_in_english"]["message"],
        "the signature does not verify"
    );
}

#[tokio::test]
async fn each_check_of_the_head_shows_what_was_given_beside_what_is_known() {
    let sandbox = sandbox().await;
    let good = body(&sandbox, "1", "13800138000");
    let edited = |from: &str, to: &str| {
        let mut request = Request::new(&sandbox, &good);
        let value = request.header("Authorization").replacen(from, to, 1);
        request.set("Authorization", Some(&value));
        request
    };
    let facts = async |request: &Request| explained(&sandbox, request, "").await["facts"].take();
    let merchant = facts(&edited("1900000109", "1900000110")).await;
    assert_eq!(merchant, json!({"given": "1900000110", "known": ["1900000109"]}));
    let (own, platform) = {
        let credentials = sandbox.credentials();
        (
            credentials.merchant_serial.clone(),
            credentials.platform_key_id.clone(),
        )
    };
    let serial = facts(&edited(&own, &platform)).await;
    assert_eq!(serial["known"], json!([own]));
    assert!(
        serial["hint"]["en"]
            .as_str()
            .unwrap()
            .contains("a key of the platform")
    );
    let clock = facts(&Request::signed(&sandbox, Vec::new(), NOW - 400)).await;
    assert_eq!(
        (&clock["gateway"], &clock["seconds_ahead"]),
        (&json!(NOW), &json!(-400))
    );
    let clock = facts(&Request::signed(&sandbox, Vec::new(), NOW * 1000)).await;
    assert!(clock["hint"]["en"].as_str().unwrap().contains("milliseconds"));
    let mut request = Request::new(&sandbox, &good);
    request.set("Wechatpay-Serial", Some(&own));
    let serial = facts(&request).await;
    assert_eq!(serial["known"], json!([platform]));
    assert!(serial["hint"]["en"].as_str().unwrap().contains("merchant's own"));
}

#[tokio::test]
async fn nothing_personal_is_shown_unless_it_is_asked_for() {
    let sandbox = sandbox().await;
    let mut body = body(&sandbox, "1", "13800138000");
    // A client that forgot to seal, and one that sealed too long a text elsewhere.
    body["user_information"]["common_field_list"][0]["value"] = "MARKER-PLAIN".into();
    body["surplus"] = "MARKER-SURPLUS".into();
    body["level"] = seal(&sandbox, "MARKER-LEVEL");
    let request = Request::new(&sandbox, &body);
    let masked = explained(&sandbox, &request, "").await;
    let text = masked.to_string();
    assert!(
        !text.contains("MARKER") && !text.contains("13800138000"),
        "{text}"
    );
    let content = &masked["message_to_sign"]["lines"][4]["gateway"]["content"];
    assert_eq!(
        (&content["brand_id"], &content["phone_number"]),
        (&json!("1004"), &json!("***"))
    );
    let fields = masked["sealed_fields"].as_array().unwrap();
    assert_eq!(fields[0]["field"], "/phone_number");
    assert_eq!(
        (&fields[0]["opens"], &fields[0]["plaintext"]),
        (&json!(true), &json!("***"))
    );
    let unsealed = fields.iter().find(|field| field["opens"] == false).unwrap();
    assert_eq!(unsealed["field"], "/user_information/common_field_list/0/value");

    let revealed = control(&sandbox, "/requests/1?reveal=true").await.json();
    assert_eq!(revealed["sealed_fields"][0]["plaintext"], "13800138000");
    let content = &revealed["message_to_sign"]["lines"][4]["gateway"]["content"];
    assert_eq!(content.as_str().unwrap(), body.to_string());
}

#[tokio::test]
async fn a_sealed_parameter_is_masked_in_the_journal_and_in_an_explanation() {
    let sandbox = sandbox().await;
    let target = "/v3/marketing/membercard-open/phonenumber-member/search?card_id=c&encrypted_phone_number=13800138000";
    let explanation = explained(&sandbox, &Request::get(&sandbox, target), "").await;
    let expected = target.replace("13800138000", "***");
    assert_eq!(explanation["target"], expected);
    assert_eq!(explanation["message_to_sign"]["lines"][1]["gateway"], expected);
    check(&explanation, "sealed_fields", "failed");
    check(&explanation, "content_type", "not_needed");
    assert_eq!(explanation["answer"]["detail"]["location"], "query");
    let journal = control(&sandbox, "/journal").await.json();
    assert_eq!(journal["requests"][0]["target"], expected);
    let journal = control(&sandbox, "/journal?reveal=true").await.json();
    assert_eq!(journal["requests"][0]["target"], target);
}

#[tokio::test]
async fn good_requests_faults_and_unknown_ids_are_explained_too() {
    let sandbox = sandbox().await;
    let request = Request::new(&sandbox, body(&sandbox, "1", "13800138000"));
    let good = explained(&sandbox, &request, "").await;
    check(&good, "business", "passed");
    check(&good, "quota", "not_needed");
    assert_eq!(
        (&good["failed"], &good["message_to_sign"]["client"]),
        (&Value::Null, &json!("same"))
    );

    sandbox.fault(Fault::LostRequest, 1);
    assert!(import(&sandbox, "2", "13800138001").await.is_none());
    let lost = control(&sandbox, "/requests/2").await.json();
    assert_eq!(
        (&lost["fault"], &lost["status"]),
        (&json!("lost-request"), &Value::Null)
    );
    check(&lost, "route", "passed");
    check(&lost, "authorization", "not_reached");
    assert_eq!(lost["message_to_sign"], Value::Null);

    let unknown = control(&sandbox, "/requests/0").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.json()["error"].as_str().unwrap().contains("/journal"));
}
