//! Every refusal, with its status, code and message, and the order in which they come.

use std::num::NonZeroU32;

use serde_json::{Value, json};
use wxmember_sandbox::{Quota, Sandbox};

use crate::client::{NOW, Received, Request, body, builder, import, sandbox, seal};

/// Sends one request, made from a good one, and returns the refusal.
async fn refusal(sandbox: &Sandbox, spoil: impl FnOnce(&mut Request)) -> Received {
    let mut request = Request::new(sandbox, body(sandbox, "1", "13800138000"));
    spoil(&mut request);
    let answer = request.answer(sandbox).await;
    assert!(!answer.is_signed(), "{answer:?}");
    assert!(answer.header("Request-ID").is_some());
    assert_eq!(sandbox.members().len(), 0);
    answer
}

#[track_caller]
fn check(answer: &Received, status: u16, code: &str, message: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    let body = answer.json();
    assert_eq!((&body["code"], &body["message"]), (&json!(code), &json!(message)));
}

#[tokio::test]
async fn path_and_method_come_first_and_have_no_body() {
    let sandbox = sandbox().await;
    let answer = refusal(&sandbox, |request| request.target.push_str("/x")).await;
    assert_eq!((answer.status, answer.body.len()), (404, 0));
    // Any text may stand for a code there, but not with this method.
    let answer = refusal(&sandbox, |request| request.target.push('x')).await;
    assert_eq!((answer.status, answer.body.len()), (405, 0));
    assert_eq!(answer.header("Allow"), Some("GET, PATCH"));
    let answer = refusal(&sandbox, |request| {
        request.method = "GET";
        request.headers.clear();
    })
    .await;
    assert_eq!((answer.status, answer.body.len()), (405, 0));
    assert_eq!(answer.header("Allow"), Some("POST"));
}

#[tokio::test]
async fn user_agent_and_accept_are_needed_before_authentication() {
    let sandbox = sandbox().await;
    for name in ["User-Agent", "Accept"] {
        let answer = refusal(&sandbox, |request| {
            request.set(name, None);
            request.set("Authorization", None);
        })
        .await;
        check(&answer, 400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent");
    }
}

#[tokio::test]
async fn authorization_is_checked_part_by_part() {
    let sandbox = sandbox().await;
    let edited = |from: &'static str, to: &'static str| {
        move |request: &mut Request| {
            let value = request.header("Authorization").replacen(from, to, 1);
            assert_ne!(value, request.header("Authorization"));
            request.set("Authorization", Some(&value));
        }
    };
    let answer = refusal(&sandbox, |request| request.set("Authorization", None)).await;
    check(&answer, 401, "SIGN_ERROR", "Http头缺少Authorization");
    let answer = refusal(&sandbox, edited("RSA2048", "RSA4096")).await;
    check(&answer, 401, "SIGN_ERROR", "Http头Authorization认证类型不正确");
    let answer = refusal(&sandbox, edited("mchid=", "merchant=")).await;
    check(&answer, 401, "SIGN_ERROR", "Http头Authorization格式错误");
    let answer = refusal(&sandbox, edited("1900000109", "1900000110")).await;
    check(&answer, 401, "SIGN_ERROR", "商户号不存在");
    let answer = refusal(&sandbox, edited("4D3C2B1A", "5D3C2B1A")).await;
    check(&answer, 401, "SIGN_ERROR", "商户证书序列号有误");
    let answer = refusal(&sandbox, edited("signature=\"", "signature=\"!")).await;
    check(&answer, 401, "SIGN_ERROR", "错误的签名，验签失败");
}

#[tokio::test]
async fn a_stale_clock_is_refused_before_the_signature() {
    let message = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟";
    let sandbox = sandbox().await;
    for off in [-301, 301, -600, 600] {
        let answer = refusal(&sandbox, |request| {
            request.sign(&sandbox, NOW + off);
            // The signature is wrong as well; the clock is named.
            request.body[0] = b' ';
        })
        .await;
        check(&answer, 401, "SIGN_ERROR", message);
    }
    for (index, off) in [-300, 300].into_iter().enumerate() {
        let body = body(&sandbox, &index.to_string(), &format!("1380013800{index}"));
        let request = Request::signed(&sandbox, body.to_string().into_bytes(), NOW + off);
        assert_eq!(request.answer(&sandbox).await.status, 200);
    }
}

#[tokio::test]
async fn one_byte_changed_after_signing_is_refused() {
    let sandbox = sandbox().await;
    let answer = refusal(&sandbox, |request| {
        let at = request.body.iter().position(|byte| *byte == b'4').unwrap();
        request.body[at] = b'5';
    })
    .await;
    check(&answer, 401, "SIGN_ERROR", "错误的签名，验签失败");
    let answer = refusal(&sandbox, |request| request.target.push_str("?a=b")).await;
    check(&answer, 401, "SIGN_ERROR", "错误的签名，验签失败");
}

#[tokio::test]
async fn the_query_is_signed_as_it_is_on_the_wire() {
    let sandbox = builder().with_platform_certificates(1).start().await.unwrap();
    let target = "/v3/certificates?algorithm%5ftype=%52SA";
    assert_eq!(Request::get(&sandbox, target).answer(&sandbox).await.status, 200);
    let mut request = Request::get(&sandbox, target);
    request.target = "/v3/certificates?algorithm_type=RSA".to_owned();
    let answer = request.answer(&sandbox).await;
    check(&answer, 401, "SIGN_ERROR", "错误的签名，验签失败");
}

#[tokio::test]
async fn a_body_where_none_belongs_is_refused() {
    let sandbox = builder().with_platform_certificates(1).start().await.unwrap();
    let request = Request::to(&sandbox, "GET", "/v3/certificates", Some(&json!({})));
    let answer = request.answer(&sandbox).await;
    check(&answer, 400, "INVALID_REQUEST", "该接口不接受请求体");
}

#[tokio::test]
async fn a_nonce_is_good_once() {
    let sandbox = sandbox().await;
    let request = Request::new(&sandbox, body(&sandbox, "1", "13800138000"));
    assert_eq!(request.answer(&sandbox).await.status, 200);
    let answer = request.answer(&sandbox).await;
    check(&answer, 401, "SIGN_ERROR", "Http头Authorization中的nonce_str重复");
    assert_eq!(sandbox.members()[0].repeats(), 0);
}

#[tokio::test]
async fn content_type_and_platform_serial_are_needed() {
    let sandbox = sandbox().await;
    for value in [None, Some("text/plain"), Some("application/json; charset=gbk")] {
        let answer = refusal(&sandbox, |request| request.set("Content-Type", value)).await;
        check(
            &answer,
            400,
            "INVALID_REQUEST",
            "Http头Content-Type必须为application/json",
        );
    }
    let answer = refusal(&sandbox, |request| request.set("Wechatpay-Serial", None)).await;
    check(
        &answer,
        400,
        "PARAM_ERROR",
        "HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)",
    );
    let merchants_own = sandbox.credentials().merchant_serial.clone();
    for value in ["PUB_KEY_ID_0", &merchants_own] {
        let answer = refusal(&sandbox, |request| request.set("Wechatpay-Serial", Some(value))).await;
        check(&answer, 400, "PARAM_ERROR", "平台证书序列号Wechatpay-Serial错误");
    }
    let mut request = Request::new(&sandbox, body(&sandbox, "1", "13800138000"));
    request.set("Content-Type", Some("Application/JSON;charset=\"UTF-8\""));
    assert_eq!(request.answer(&sandbox).await.status, 200);
}

#[tokio::test]
async fn bodies_are_bounded() {
    let sandbox = sandbox().await;
    let answer = refusal(&sandbox, |request| request.body = vec![b' '; (1 << 20) + 1]).await;
    check(&answer, 413, "INVALID_REQUEST", "请求体过大");
}

#[tokio::test]
async fn bodies_are_plain_utf_8_json_without_nulls() {
    let sandbox = sandbox().await;
    for (bytes, message) in [
        (&b"\xff"[..], "请求体必须为UTF-8编码"),
        (b"", "请求体不是合法的JSON"),
        (b"{", "请求体不是合法的JSON"),
        (b"{} {}", "请求体不是合法的JSON"),
        ("{\"level\":\"😀\"}".as_bytes(), "请求体仅支持1到3字节的UTF-8字符"),
        (
            b"{\"level\":\"\\ud83d\\ude00\"}",
            "请求体仅支持1到3字节的UTF-8字符",
        ),
        (b"{\"level\":null}", "参数值不能为null"),
        (b"null", "参数值不能为null"),
        (&b"[".repeat(100_000), "请求体不是合法的JSON"),
    ] {
        let answer = refusal(&sandbox, |request| {
            request.body = bytes.to_vec();
            request.sign(&sandbox, NOW);
        })
        .await;
        check(&answer, 400, "PARAM_ERROR", message);
    }
}

/// Sends a good body with one place changed, and returns status, code and the detail's field.
async fn changed(sandbox: &Sandbox, pointer: &str, value: Option<Value>) -> (u16, String, Value) {
    let mut body = body(sandbox, "1", "13800138000");
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    match value {
        Some(value) => match parent {
            Value::Array(elements) => elements[name.parse::<usize>().unwrap()] = value,
            parent => parent[name] = value,
        },
        None => drop(parent.as_object_mut().unwrap().remove(name).unwrap()),
    }
    let answer = Request::new(sandbox, &body).answer(sandbox).await;
    assert_eq!(sandbox.members().len(), 0, "{pointer}");
    let json = answer.json();
    assert!(!json.to_string().contains("MARKER"), "{json}");
    (answer.status, answer.code(), json["detail"]["field"].clone())
}

#[tokio::test]
async fn bodies_are_held_against_the_document() {
    let sandbox = sandbox().await;
    let over = |count| json!("x".repeat(count));
    for (pointer, value) in [
        ("/brand_id", None),
        ("/phone_number", None),
        ("/date_information", None),
        ("/pickup_time", None),
        ("/brand_id", Some(json!(1004))),
        ("/card_id", Some(over(33))),
        ("/user_card_code", Some(json!(""))),
        ("/user_card_code", Some(over(33))),
        ("/user_card_code", Some(json!("会员MARKER"))),
        ("/phone_number", Some(over(513))),
        ("/level", Some(over(11))),
        ("/card_color", Some(json!("MARKER"))),
        ("/attach", Some(json!("x"))),
        ("/valid_date_information", Some(json!({"type": "PERMANENT"}))),
        ("/user_information/surplus", Some(json!("MARKER"))),
        (
            "/user_information/common_field_list/0/name",
            Some(json!("USER_FORM_FLAG_MARKER")),
        ),
        (
            "/user_information/custom_field_list/0/user_chosen_values",
            Some(json!("MARKER")),
        ),
        ("/date_information/type", Some(json!("MARKER"))),
        (
            "/date_information/available_day_after_receive",
            Some(json!(10_959)),
        ),
        ("/pickup_time", Some(json!("2020-05-20 MARKER"))),
    ] {
        let expected = (400, "PARAM_ERROR".to_owned(), json!(pointer));
        assert_eq!(changed(&sandbox, pointer, value).await, expected);
    }
    // A member name that may be anything is not repeated.
    let result = changed(&sandbox, "/MARKER", Some(json!(1))).await;
    assert_eq!(result, (400, "PARAM_ERROR".to_owned(), json!("")));
}

#[tokio::test]
async fn every_sealed_field_must_open_and_hold_something() {
    let sandbox = sandbox().await;
    let swapped = crate::client::identity();
    let for_the_merchant = {
        let certificate = &swapped.credentials().merchant_certificate_pem;
        let certificate =
            wxmember_crypto::Certificate::<wxmember_crypto::party::Merchant>::from_pem(certificate).unwrap();
        let sealed = certificate
            .public_key()
            .seal(&wxmember_crypto::FormValue::new("13800138000"));
        json!(sealed.unwrap().as_str())
    };
    for pointer in [
        "/phone_number",
        "/user_information/common_field_list/0/value",
        "/user_information/custom_field_list/0/user_chosen_values/1",
    ] {
        for value in [
            json!("13800138000"),
            json!("A".repeat(344)),
            for_the_merchant.clone(),
        ] {
            let expected = (400, "PARAM_ERROR".to_owned(), json!(pointer));
            assert_eq!(changed(&sandbox, pointer, Some(value)).await, expected);
        }
        let emoji = seal(&sandbox, "😀");
        let expected = (400, "PARAM_ERROR".to_owned(), json!(pointer));
        assert_eq!(changed(&sandbox, pointer, Some(emoji)).await, expected);
    }
    let phone = changed(
        &sandbox,
        "/phone_number",
        Some(seal(&sandbox, "1380013800MARKER")),
    )
    .await;
    assert_eq!(phone, (400, "PARAM_ERROR".to_owned(), json!("/phone_number")));
}

#[tokio::test]
async fn brand_card_and_validity_are_checked() {
    let sandbox = sandbox().await;
    let brand = changed(&sandbox, "/brand_id", Some(json!("1005"))).await;
    assert_eq!(brand, (403, "NO_AUTH".to_owned(), Value::Null));
    let card = changed(&sandbox, "/card_id", Some(json!("other"))).await;
    assert_eq!(card, (400, "INVALID_REQUEST".to_owned(), Value::Null));
    let (early, late) = ("2020-05-20T13:29:35+08:00", "2020-05-20T05:29:36Z");
    for (validity, field) in [
        (
            json!({"type": "FIX_TIME_RANGE", "available_end_time": late}),
            "available_begin_time",
        ),
        (
            json!({"type": "FIX_TIME_RANGE", "available_begin_time": early}),
            "available_end_time",
        ),
        (
            json!({"type": "FIX_TIME_RANGE", "available_begin_time": late, "available_end_time": early}),
            "available_end_time",
        ),
        (
            json!({"type": "FIX_TIME_RANGE", "available_begin_time": late, "available_end_time": late}),
            "available_end_time",
        ),
        (json!({"type": "FIX_TERM"}), "available_day_after_receive"),
        (
            json!({"type": "FIX_TERM", "available_day_after_receive": 0}),
            "available_day_after_receive",
        ),
    ] {
        let expected = (
            400,
            "PARAM_ERROR".to_owned(),
            json!(format!("/date_information/{field}")),
        );
        assert_eq!(
            changed(&sandbox, "/date_information", Some(validity)).await,
            expected
        );
    }
    let mut body = body(&sandbox, "1", "13800138000");
    body["date_information"] =
        json!({"type": "FIX_TIME_RANGE", "available_begin_time": early, "available_end_time": late});
    assert_eq!(Request::new(&sandbox, &body).answer(&sandbox).await.status, 200);
}

#[tokio::test]
async fn codes_and_phone_numbers_belong_to_one_member() {
    let sandbox = sandbox().await;
    import(&sandbox, "1", "13800138000").await.unwrap();
    let taken = import(&sandbox, "1", "13800138001").await.unwrap();
    check(&taken, 400, "ALREADY_EXISTS", "用户会员卡code已存在");
    let second = import(&sandbox, "2", "13800138000").await.unwrap();
    check(&second, 400, "INVALID_REQUEST", "会员已经领取过该卡");
    assert_eq!(sandbox.members().len(), 1);
}

#[tokio::test]
async fn a_quota_refuses_what_is_too_much() {
    let quota = Quota::per_second(NonZeroU32::new(2).unwrap());
    let sandbox = builder().with_quota(quota).start().await.unwrap();
    assert_eq!(import(&sandbox, "1", "13800138001").await.unwrap().status, 200);
    assert_eq!(import(&sandbox, "2", "13800138002").await.unwrap().status, 200);
    let answer = import(&sandbox, "3", "13800138003").await.unwrap();
    check(
        &answer,
        429,
        "RATELIMIT_EXCEEDED",
        "请求频率超限，请降低请求接口频率",
    );
    assert!(!answer.is_signed());
    sandbox.clock().advance(std::time::Duration::from_millis(500));
    assert_eq!(import(&sandbox, "3", "13800138003").await.unwrap().status, 200);
}

#[tokio::test]
async fn messages_are_english_when_asked_for() {
    let sandbox = sandbox().await;
    let answer = refusal(&sandbox, |request| {
        request.set("Authorization", None);
        request.set("Accept-Language", Some("en"));
    })
    .await;
    check(
        &answer,
        401,
        "SIGN_ERROR",
        "the HTTP header Authorization is missing",
    );
}

#[tokio::test]
async fn garbage_on_the_wire_does_no_harm() {
    let sandbox = sandbox().await;
    for garbage in [
        &b"\0\xff\xfe garbage\r\n\r\n"[..],
        b"POST / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /v3/brand/partner/card-member/user-cards/import-by-phone HTTP/1.1\r\nHost: a\r\nUser-Agent: a\r\nAccept: a\r\nConnection: close\r\nAuthorization: \xff\xfe\r\nContent-Length: 1\r\n\r\n{",
        b"POST /v3/brand/partner/card-member/user-cards/import-by-phone HTTP/1.1\r\nHost: a\r\nUser-Agent: a\r\nAccept: a\r\nConnection: close\r\nContent-Length: 99\r\n\r\n{",
    ] {
        let answer = crate::client::raw(&sandbox, garbage).await;
        assert!(answer.is_none_or(|answer| (400..=499).contains(&answer.status)));
    }
    assert_eq!(import(&sandbox, "1", "13800138000").await.unwrap().status, 200);
}
