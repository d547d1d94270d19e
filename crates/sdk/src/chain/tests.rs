//! What a generic call sends, before it is sent: target, sealed places, the operation it is.

use std::sync::Arc;

use http::Method;
use serde_json::json;
use wxmember_crypto::{MerchantKey, PlatformKey};

use super::{ChainError, places};
use crate::{Chain, Client, FixedClock, Merchant, SealReason, Trust};

const MERCHANT_KEY: &str = include_str!("../../../../tests/vectors/test_merchant_key.pem");
const PLATFORM_KEY: &str = include_str!("../../../../tests/vectors/test_wechatpay_pubmode_pub_key.pem");
const IMPORT: &str = "v3/brand/partner/card-member/user-cards/import-by-phone";

fn client() -> Client {
    let key = MerchantKey::from_pem(MERCHANT_KEY).unwrap();
    let platform = PlatformKey::from_pem(PLATFORM_KEY).unwrap();
    Client::builder()
        .merchant(Merchant::new("1900000109", "4D", key).unwrap())
        .trust(Trust::public_key("PUB_KEY_ID_01", platform).unwrap())
        .with_clock(Arc::new(FixedClock::at(1_796_000_000)))
        .build()
        .unwrap()
}

#[track_caller]
fn check(chain: impl FnOnce(Client) -> Chain, expect: Result<&str, ChainError>) {
    assert_eq!(chain(client()).target(), expect.map(str::to_owned));
}

#[test]
fn path_and_query_are_encoded_once() {
    check(|client| client.chain("v3/certificates"), Ok("/v3/certificates"));
    check(|client| client.chain("/v3/certificates"), Ok("/v3/certificates"));
    check(
        |client| {
            client
                .chain("v3/user-cards/{user_card_code}/confirm")
                .param("user_card_code", "a/b?c%d e+中")
                .query("openid", "o&=#")
                .query("phone", "ab+/=")
        },
        Ok("/v3/user-cards/a%2Fb%3Fc%25d%20e%2B%E4%B8%AD/confirm?openid=o%26%3D%23&phone=ab%2B%2F%3D"),
    );
}

#[test]
fn a_path_that_would_lead_elsewhere_is_refused() {
    for path in [
        "v3/a?b=c", "v3/a#b", "v3//a", "v3/../a", "", "v3/a b", "v3/中", "v3/{a", "v3/%41",
    ] {
        check(|client| client.chain(path), Err(ChainError::Path));
    }
    let name = || "code".to_owned();
    check(
        |client| client.chain("v3/{code}"),
        Err(ChainError::MissingParam { name: name() }),
    );
    check(
        |client| client.chain("v3/a").param("code", 1),
        Err(ChainError::UnusedParam),
    );
    for value in ["", ".", ".."] {
        check(
            |client| client.chain("v3/{code}").param("code", value),
            Err(ChainError::ParamLeadsElsewhere { name: name() }),
        );
    }
}

#[test]
fn the_document_knows_its_operations_by_method_and_template() {
    let id = |method: Method, path: &str| client().chain(path).documented(&method).map(|o| o.id());
    assert_eq!(id(Method::POST, IMPORT), Some("import_by_phone"));
    // Another method is another operation, whose parameter may be anything.
    assert_eq!(id(Method::GET, IMPORT), Some("find_user_card"));
    assert_eq!(id(Method::PUT, IMPORT), None);
    assert_eq!(id(Method::POST, "v3/pay/transactions/jsapi"), None);
}

#[test]
fn fields_are_sealed_by_pointer_at_every_depth() {
    let merchant_like = MerchantKey::from_pem(MERCHANT_KEY).unwrap();
    let key = PlatformKey::from_pem(&merchant_like.public_key().to_pem()).unwrap();
    let chain = client()
        .chain(IMPORT)
        .seal("/phone_number")
        .seal("/user_information/custom_field_list/*/user_chosen_values/*");
    let mut body = json!({
        "phone_number": "13800138000",
        "level": "金",
        "user_information": { "custom_field_list": [
            { "name": "a", "user_chosen_values": ["上海", "北京"] },
            { "name": "b", "user_chosen_values": [] },
        ]},
    });
    chain.seal_fields(&mut body, &key).unwrap();
    let opened = |pointer: &str| {
        let sealed = serde_json::from_value(body.pointer(pointer).unwrap().clone()).unwrap();
        let opened: wxmember_crypto::FormValue = merchant_like.open(&sealed).unwrap();
        wxmember_crypto::Plaintext::expose(&opened).to_owned()
    };
    assert_eq!(opened("/phone_number"), "13800138000");
    let list = "/user_information/custom_field_list/0/user_chosen_values";
    assert_eq!(
        [opened(&format!("{list}/0")), opened(&format!("{list}/1"))],
        ["上海", "北京"]
    );
    assert_eq!(body["level"], "金");
    assert_eq!(body["user_information"]["custom_field_list"][0]["name"], "a");
}

#[test]
fn a_place_without_a_text_is_named_and_its_content_is_not() {
    let key = PlatformKey::from_pem(PLATFORM_KEY).unwrap();
    for (pointer, body) in [
        ("/phone_number", json!({ "MARKER": 1 })),
        ("/list/*/x", json!({ "list": "MARKER" })),
        ("/number", json!({ "number": 13_800_138_000_u64 })),
    ] {
        let error = client()
            .chain("v3/a")
            .seal(pointer)
            .seal_fields(&mut body.clone(), &key)
            .unwrap_err();
        assert_eq!((error.field(), error.reason()), (pointer, &SealReason::NoText));
        assert!(!format!("{error} {error:?}").contains("MARKER"));
    }
}

#[test]
fn a_star_is_every_element() {
    let body = json!({ "a": [{ "b": [1, 2] }, {}] });
    assert_eq!(places(&body, "/a/*/b/*"), ["/a/0/b/0", "/a/0/b/1", "/a/1/b/*"]);
    assert_eq!(places(&body, "/c"), ["/c"]);
}

/// No path, value or pointer makes the builder panic.
#[test]
fn anything_may_come_from_outside() {
    use proptest::prelude::*;
    let client = client();
    proptest!(|(path in any::<String>(), name in any::<String>(), value in any::<String>(), pointer in any::<String>())| {
        let chain = client.chain(&path).param(&name, &value).query(&name, &value);
        if let Ok(target) = chain.target() {
            prop_assert!(target.is_ascii() && !target.contains(['#', ' ']));
        }
        let _ = places(&json!({ "a": [value] }), &pointer);
    });
}
