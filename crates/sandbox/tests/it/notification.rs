//! Notifications as a merchant would get them: verified, decrypted, and spoilt on request.

use serde_json::{Value, json};
use wxmember_crypto::ApiV3Key;
use wxmember_sandbox::{
    NotificationError, NotificationOptions, NotificationSignature, PersonalFields, Sandbox,
    SignedNotification,
};

use crate::client::{builder, decoded, key_of, open, sandbox, verify};

const CREATE: &str = "BRAND_MEMBER_CARD_SP.USER_CARD.CREATE";

fn resource() -> Value {
    json!({
        "user_card_code": "478515832665",
        "phone_number": "13800138000",
        "user_information": {
            "common_field_list": [{"name": "USER_FORM_FLAG_SEX", "value": "男"}],
            "custom_field_list": [{"name": "喜欢的运动", "user_chosen_values": ["篮球", "羽毛球"]}],
        },
    })
}

fn decrypted(sandbox: &Sandbox, notification: &SignedNotification) -> Value {
    opened(sandbox, &serde_json::from_slice(&notification.body).unwrap())
}

/// The resource of an envelope.
pub(crate) fn opened(sandbox: &Sandbox, envelope: &Value) -> Value {
    let sealed = &envelope["resource"];
    let text = |name: &str| sealed[name].as_str().unwrap();
    let key = ApiV3Key::new(&sandbox.credentials().apiv3_key).unwrap();
    let opened = key.open(
        text("nonce").as_bytes(),
        text("associated_data").as_bytes(),
        &decoded(text("ciphertext")),
    );
    serde_json::from_slice(&opened.unwrap()).unwrap()
}

fn verified(sandbox: &Sandbox, notification: &SignedNotification) -> Result<(), String> {
    let serial = notification.header("Wechatpay-Serial").ok_or("unsigned")?;
    let key = key_of(sandbox, serial);
    verify(&key, |name| notification.header(name), &notification.body)
}

#[tokio::test]
async fn a_notification_verifies_and_decrypts() {
    let sandbox = sandbox().await;
    let notification = sandbox.notification(CREATE, &resource()).unwrap();
    verified(&sandbox, &notification).unwrap();
    assert_eq!(decrypted(&sandbox, &notification), resource());
    let envelope: Value = serde_json::from_slice(&notification.body).unwrap();
    assert_eq!(envelope["event_type"], CREATE);
    assert_eq!(envelope["resource_type"], "encrypt-resource");
    assert_eq!(envelope["resource"]["algorithm"], "AEAD_AES_256_GCM");
    assert_eq!(envelope["id"].as_str().unwrap().len(), 36);
    assert!(!format!("{notification:?}").contains("13800138000"));
    for (event, original_type) in [
        ("BRAND_MEMBER_CARD_SP.USER_CARD.DELETE", "user_card"),
        ("BRAND_MEMBER_CARD_SP.POINT_EXCHANGE_COUPON", "point_coupon"),
        ("BRAND_MEMBER_CARD_SP.SYNC_USER_POINT", "sync_user_point"),
    ] {
        let notification = sandbox.notification(event, &json!({"brand_id": "1004"})).unwrap();
        let envelope: Value = serde_json::from_slice(&notification.body).unwrap();
        assert_eq!(envelope["resource"]["original_type"], original_type);
        assert_eq!(envelope["resource"]["associated_data"], original_type);
        assert_eq!(decrypted(&sandbox, &notification), json!({"brand_id": "1004"}));
    }
}

#[tokio::test]
async fn personal_fields_can_be_sealed_for_the_merchant() {
    let sandbox = sandbox().await;
    let options = NotificationOptions::default()
        .with_personal_fields(PersonalFields::Sealed)
        .with_id("EV-1");
    let notification = sandbox.notification_with(CREATE, &resource(), &options).unwrap();
    let envelope: Value = serde_json::from_slice(&notification.body).unwrap();
    assert_eq!(envelope["id"], "EV-1");
    let found = decrypted(&sandbox, &notification);
    for (pointer, plain) in [
        ("/phone_number", "13800138000"),
        ("/user_information/common_field_list/0/value", "男"),
        (
            "/user_information/custom_field_list/0/user_chosen_values/1",
            "羽毛球",
        ),
    ] {
        assert_eq!(open(&sandbox, found.pointer(pointer).unwrap()), plain);
    }
    assert_eq!(found["user_card_code"], "478515832665");
}

#[tokio::test]
async fn a_notification_is_signed_by_the_key_that_is_asked_for() {
    let sandbox = builder().with_platform_certificates(1).start().await.unwrap();
    let certificate = sandbox.platform_certificates().remove(0).serial;
    let public_key = sandbox.credentials().platform_key_id.clone();
    for serial in [&certificate, &public_key] {
        let options = NotificationOptions::default().signed_by(serial);
        let notification = sandbox.notification_with(CREATE, &resource(), &options).unwrap();
        assert_eq!(notification.header("wechatpay-serial"), Some(serial.as_str()));
        verified(&sandbox, &notification).unwrap();
    }
    let options = NotificationOptions::default().signed_by("PUB_KEY_ID_0");
    let error = sandbox
        .notification_with(CREATE, &resource(), &options)
        .unwrap_err();
    assert_eq!(error, NotificationError::NoKey);
}

#[tokio::test]
async fn a_notification_can_be_signed_wrongly() {
    let sandbox = sandbox().await;
    let make = |signature| {
        let options = NotificationOptions::default().with_signature(signature);
        sandbox.notification_with(CREATE, &resource(), &options).unwrap()
    };
    for (signature, expected) in [
        (NotificationSignature::Right, Ok(())),
        (NotificationSignature::Missing, Err("unsigned")),
        (NotificationSignature::Probe, Err("wrong signature")),
        (NotificationSignature::ProbeNotBase64, Err("not base64")),
        (NotificationSignature::Wrong, Err("wrong signature")),
        (NotificationSignature::ShiftedClock { seconds: 600 }, Ok(())),
    ] {
        let notification = make(signature);
        let is_probe = matches!(
            signature,
            NotificationSignature::Probe | NotificationSignature::ProbeNotBase64
        );
        let value = notification.header("Wechatpay-Signature").unwrap_or_default();
        assert_eq!(value.starts_with("WECHATPAY/SIGNTEST/"), is_probe);
        assert_eq!(verified(&sandbox, &notification), expected.map_err(str::to_owned));
    }
    let shifted = make(NotificationSignature::ShiftedClock { seconds: 600 });
    assert_eq!(shifted.header("Wechatpay-Timestamp"), Some("1796000600"));
    let unknown = make(NotificationSignature::UnknownSerial);
    let serial = unknown.header("Wechatpay-Serial").unwrap();
    assert_ne!(serial, sandbox.credentials().platform_key_id);
}
