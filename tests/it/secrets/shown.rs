//! What a panic or a careless `{:?}` would show: `Debug` of everything that holds a secret or a person.
//!
//! The program has no way to panic that a test could take, so a panic is made here with each value in its message.

use std::{fmt::Debug, fs, panic};

use wxmember::{ApiV3Key, FormValue, ImportByPhone, Merchant, MerchantKey, PhoneNumber, Validity};
use wxmember_sandbox::{Identity, IdentityParts, Sandbox};
use wxmember_tests::{client, identity, markers::Markers, root, sandbox};

const PHONE: &str = "13987650001";
const NAME: &str = "标记姓名甲";
const CODE: &str = "MARKCODE01";

fn markers() -> Markers {
    let mut markers = Markers::default().with_keys();
    for (what, value) in [("phone number", PHONE), ("name", NAME)] {
        markers.add(what.to_owned(), value);
    }
    markers.in_every_form()
}

/// What a panic with this value in its message says, in both forms of `Debug`.
fn panicked(value: &(dyn Debug + Sync)) -> String {
    let said = [format!("{value:?}"), format!("{value:#?}")].join("\n");
    let panic = panic::catch_unwind(|| panic::resume_unwind(Box::new(said))).unwrap_err();
    *panic.downcast::<String>().unwrap()
}

fn parts() -> IdentityParts {
    let key = |name: &str| fs::read_to_string(root().join("tests/vectors").join(name)).unwrap();
    IdentityParts {
        mchid: "1900000109".to_owned(),
        merchant_key_pem: key("test_merchant_key.pem"),
        merchant_certificate_pem: key("test_merchant_cert.pem"),
        platform_key_id: "PUB_KEY_ID_0119000001092026113000000000000001".to_owned(),
        platform_private_key_pem: key("test_wechatpay_pubmode_key.pem"),
        apiv3_key: "TestOnlyApiV3Key0123456789abcdef".to_owned(),
        brand_id: "1004".to_owned(),
        card_id: "pbLatjvWOibDc5-TBnbUk1pD12o0".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_debug_text_holds_a_secret_or_a_person() {
    let sandbox: Sandbox = sandbox().await;
    let client = client(&sandbox);
    let credentials = sandbox.credentials();
    let key = || MerchantKey::from_pem(&credentials.merchant_key_pem).unwrap();
    let member = ImportByPhone::builder()
        .brand_id(credentials.brand_id.parse().unwrap())
        .card_id(credentials.card_id.parse().unwrap())
        .phone_number(PhoneNumber::new(PHONE))
        .user_card_code(CODE.parse().unwrap())
        .date_information(Validity::permanent())
        .pickup_time("2020-05-20T13:29:35+08:00".parse().unwrap())
        .build();
    let card = client.user_cards().import_by_phone(&member).await.unwrap();
    let twice = client.user_cards().import_by_phone(&member).await;
    let there = sandbox.members();
    let merchant = Merchant::new(&credentials.mchid, &credentials.merchant_serial, key()).unwrap();
    let identity: Identity = identity().unwrap();
    let journal = sandbox.journal();
    let values: [(&str, &(dyn Debug + Sync)); 14] = [
        ("PhoneNumber", &PhoneNumber::new(PHONE)),
        ("FormValue", &FormValue::new(NAME)),
        ("ApiV3Key", &ApiV3Key::new(&parts().apiv3_key).unwrap()),
        ("MerchantKey", &key()),
        ("Merchant", &merchant),
        ("Client", &client),
        ("ImportByPhone", &member),
        ("an answer", &card),
        ("a second answer", &twice),
        ("IdentityParts", &parts()),
        ("Identity", &identity),
        ("Credentials", credentials),
        ("the sandbox's members", &there),
        ("the sandbox's journal", &journal),
    ];
    let markers = markers();
    for (what, value) in values {
        let said = panicked(value);
        assert!(!said.is_empty());
        assert_eq!(markers.kinds_in(said.as_bytes()), Vec::<String>::new(), "{what}");
    }
    sandbox.shutdown().await;
}
