//! What a generic call sends, before it is sent: target, sealed places, the operation it is.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use wxmember_crypto::{KeyId, MerchantKey, PlatformKey};

use super::{ChainError, Fault, places};
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

/// Path and query as they go over the wire.
fn target(chain: &Chain) -> Result<String, ChainError> {
    let mut target = chain.path_on_wire()?;
    chain.write_query(&mut target, None).unwrap();
    Ok(target)
}

#[track_caller]
fn check(chain: impl FnOnce(Client) -> Chain, expect: Result<&str, ChainError>) {
    assert_eq!(target(&chain(client())), expect.map(str::to_owned));
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

/// No path, value or pointer makes the builder panic.
#[test]
fn anything_may_come_from_outside() {
    use proptest::prelude::*;
    let client = client();
    proptest!(|(path in any::<String>(), name in any::<String>(), value in any::<String>(), pointer in any::<String>())| {
        let chain = client.chain(&path).param(&name, &value).query(&name, &value);
        if let Ok(target) = target(&chain) {
            prop_assert!(target.is_ascii() && !target.contains(['#', ' ']));
        }
        let _ = places(&json!({ "a": [value] }), &pointer);
    });
}

/// What the check before sending finds, as the text of an error.
#[track_caller]
fn refused(chain: &Chain, method: &Method, body: Option<&Value>, expect: Option<&str>) {
    let path = chain.path_on_wire().unwrap();
    let found = chain.check_sealed(method, &path, body).err();
    let text = found.map(|fault| match fault {
        Fault::Chain(error) => error.to_string(),
        Fault::Seal(error) => format!("{error}: {}", error.reason()),
    });
    assert!(!format!("{text:?}").contains("13800138000"));
    assert_eq!(text.as_deref(), expect);
}

const IN_CLEAR: &str = "it is personal and not sealed; name it with `seal`, or with `seal_query` in a query";

#[test]
fn a_personal_field_in_clear_is_refused_by_its_place() {
    let post = |chain: &Chain, body: &Value, expect: Option<&str>| {
        refused(chain, &Method::POST, Some(body), expect);
    };
    let phone = json!({ "phone_number": "13800138000" });
    let clear = |place: &str| format!("failed to seal `{place}`: {IN_CLEAR}");
    post(&client().chain(IMPORT), &phone, Some(&clear("/phone_number")));
    post(&client().chain(IMPORT).seal("/phone_number"), &phone, None);
    post(&client().chain(IMPORT), &json!({ "level": "金" }), None);
    // One forgotten of several, at a depth; a pointer to one element leaves the others.
    let field = |text: &str| json!({ "name": "a", "user_chosen_values": [text, text] });
    let form = json!({ "user_information": { "custom_field_list": [field("a"), field("13800138000")] } });
    let list = "/user_information/custom_field_list";
    post(
        &client()
            .chain(IMPORT)
            .seal(&format!("{list}/0/user_chosen_values/*"))
            .seal(&format!("{list}/1/user_chosen_values/0")),
        &form,
        Some(&clear(&format!("{list}/1/user_chosen_values/1"))),
    );
    // A parameter that makes the path of the operation does not hide it.
    let hidden = client()
        .chain("v3/brand/partner/card-member/user-cards/{what}")
        .param("what", "import-by-phone");
    post(&hidden, &phone, Some(&clear("/phone_number")));
    // Of other paths nothing is known.
    post(&client().chain("v3/other"), &phone, None);
}

#[test]
fn a_ciphertext_needs_the_name_of_its_key() {
    let sealed = format!("{}==", "A".repeat(342));
    let body = json!({ "phone_number": sealed });
    let unknown = "`/phone_number` was sealed before; say with which key by `sealed_with`";
    let post = |chain: &Chain, expect: Option<&str>| refused(chain, &Method::POST, Some(&body), expect);
    post(&client().chain(IMPORT), Some(unknown));
    // Sealing another field does not tell it either.
    post(&client().chain(IMPORT).seal("/level"), Some(unknown));
    let key = KeyId::new("PUB_KEY_ID_02");
    post(&client().chain(IMPORT).sealed_with(&key), None);
    let two = ChainError::TwoKeys.to_string();
    post(
        &client().chain(IMPORT).sealed_with(&key).seal("/level"),
        Some(&two),
    );
    post(
        &client().chain("v3/other").sealed_with(&key).seal_query("a", "b"),
        Some(&two),
    );
    // The name of a key does not make a clear text a sealed one.
    let clear = format!("failed to seal `/phone_number`: {IN_CLEAR}");
    refused(
        &client().chain(IMPORT).sealed_with(&key),
        &Method::POST,
        Some(&json!({ "phone_number": "13800138000" })),
        Some(&clear),
    );
}

#[test]
fn a_personal_parameter_of_a_query_is_held_to_the_same() {
    const SEARCH: &str = "v3/marketing/membercard-open/phonenumber-member/search";
    let name = "encrypted_phone_number";
    let sealed = format!("{}==", "A".repeat(342));
    let get = |chain: &Chain, expect: Option<&str>| refused(chain, &Method::GET, None, expect);
    let clear = format!("failed to seal `/{name}`: {IN_CLEAR}");
    get(&client().chain(SEARCH).query(name, "13800138000"), Some(&clear));
    get(&client().chain(SEARCH).seal_query(name, "13800138000"), None);
    let chain = || client().chain(SEARCH).query("card_id", "1").query(name, &sealed);
    let unknown = format!("`/{name}` was sealed before; say with which key by `sealed_with`");
    get(&chain(), Some(&unknown));
    get(&chain().sealed_with(&KeyId::new("A1")), None);
}

#[test]
fn plain_and_sealed_parameters_keep_their_order() {
    let merchant_like = MerchantKey::from_pem(MERCHANT_KEY).unwrap();
    let key = PlatformKey::from_pem(&merchant_like.public_key().to_pem()).unwrap();
    let chain = client()
        .chain("v3/a")
        .query("b", "1&2")
        .seal_query("c", "13800138000")
        .query("a", 3);
    let mut target = chain.path_on_wire().unwrap();
    chain.write_query(&mut target, Some(&key)).unwrap();
    let sealed = target
        .strip_prefix("/v3/a?b=1%262&c=")
        .and_then(|rest| rest.strip_suffix("&a=3"))
        .unwrap();
    let sealed = sealed.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let sealed = serde_json::from_value(json!(sealed)).unwrap();
    let opened: wxmember_crypto::FormValue = merchant_like.open(&sealed).unwrap();
    assert_eq!(wxmember_crypto::Plaintext::expose(&opened), "13800138000");
    // What cannot be sealed is named by its parameter.
    let error = client()
        .chain("v3/a")
        .seal_query("c", "😀")
        .write_query(&mut String::new(), Some(&key))
        .unwrap_err();
    assert_eq!(
        (error.field(), error.reason()),
        ("/c", &SealReason::FourByteCharacter)
    );
}
