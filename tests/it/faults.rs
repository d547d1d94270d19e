//! What the SDK says of every way in which the platform misbehaves: a typed error, never a panic. `faults/rows.rs` has
//! the table.

use wxmember::{Delivery, ErrorKind, PhoneNumber, Plaintext, VerifyError};
use wxmember_sandbox::Fault;
use wxmember_tests::{PHONE, client, member, sandbox};

mod matrix;
mod rows;

#[tokio::test(flavor = "multi_thread")]
async fn a_member_travels_and_comes_back() {
    let sandbox = sandbox().await;
    let card = client(&sandbox)
        .user_cards()
        .import_by_phone(&member(&sandbox, "C1"))
        .await
        .unwrap();
    assert_eq!(card.user_card_code.as_str(), "C1");
    assert_eq!(card.pickup_time.as_str(), "2020-05-20T13:29:35.120+08:00");
    let phone: PhoneNumber = card.phone_number.as_ref().unwrap().open().unwrap();
    assert_eq!(phone.expose(), PHONE);
    assert!(card.request_id().is_some());
    let stored = sandbox.member(&sandbox.credentials().card_id, "C1").unwrap();
    assert_eq!(stored.phone_number().map(Plaintext::expose), Some(PHONE));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refused_signature_says_why() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let member = member(&sandbox, "W1");
    let check = async |fault: Fault, expect: fn(&VerifyError) -> bool| {
        let name = format!("{fault:?}");
        sandbox.fault(fault, 1);
        let error = client.user_cards().import_by_phone(&member).await.unwrap_err();
        assert_eq!(error.status(), Some(200), "{name}");
        assert!(error.request_id().is_some(), "{name}");
        assert!(!error.is_verified(), "{name}");
        assert!(expect(error.verify_error().unwrap()), "{name}: {error:?}");
    };
    check(Fault::Unsigned, |e| {
        matches!(e, VerifyError::MissingHeader { .. })
    })
    .await;
    check(Fault::WrongSignature, |e| {
        matches!(e, VerifyError::Mismatch { .. })
    })
    .await;
    check(Fault::SignatureProbe, |e| matches!(e, VerifyError::Probe { .. })).await;
    check(Fault::SignatureProbeNotBase64, |e| {
        matches!(e, VerifyError::Probe { .. })
    })
    .await;
    check(Fault::UnknownSerial, |e| {
        matches!(e, VerifyError::UnknownKey { .. })
    })
    .await;
    check(Fault::ShiftedClock { seconds: 600 }, |e| {
        matches!(
            e,
            VerifyError::Stale {
                clock_ahead: 598..=602
            }
        )
    })
    .await;
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_ten_minutes_off_is_told_by_the_platform() {
    let sandbox = sandbox().await;
    sandbox.clock().set_shift(-600).unwrap();
    let error = client(&sandbox)
        .user_cards()
        .import_by_phone(&member(&sandbox, "T1"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(
        (error.status(), error.code()),
        (Some(401), Some(&wxmember::ErrorCode::SignError))
    );
    assert!(error.message().unwrap().contains("timestamp"));
    assert!(sandbox.members().is_empty());
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_the_field_and_not_its_value() {
    let sandbox = sandbox().await;
    let mut member = member(&sandbox, "V1");
    member.phone_number = PhoneNumber::new("12345MARKER");
    let error = client(&sandbox)
        .user_cards()
        .import_by_phone(&member)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::BadRequest, Some(&wxmember::ErrorCode::ParamError))
    );
    assert_eq!(error.detail().unwrap().field.as_deref(), Some("/phone_number"));
    assert!(!format!("{error} {error:?}").contains("MARKER"));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_not_sent() {
    let sandbox = sandbox().await;
    let (client, member) = (client(&sandbox), member(&sandbox, "N1"));
    sandbox.shutdown().await;
    let error = client.user_cards().import_by_phone(&member).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Connect, Delivery::NotSent)
    );
    assert!(!error.is_outcome_unknown());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_cannot_be_sealed_is_named_and_not_sent() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    for (value, expect) in [
        ("x".repeat(215), "215 bytes"),
        ("😀".to_owned(), "four bytes"),
        (String::new(), "empty"),
    ] {
        let information = wxmember::UserInformation::builder()
            .common_field_list(vec![
                wxmember::CommonField::builder()
                    .name(wxmember::CommonFieldName::Name)
                    .value(wxmember::FormValue::new(value))
                    .build(),
            ])
            .build();
        let mut member = member(&sandbox, "S1");
        member.user_information = Some(information);
        let error = client.seal(&member).unwrap_err();
        assert_eq!(error.field(), "/user_information/common_field_list/0/value");
        assert!(error.reason().to_string().contains(expect), "{error:?}");
        let error = client.user_cards().import_by_phone(&member).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::Seal, Delivery::NotSent)
        );
    }
    assert_eq!(sandbox.requests(), 0);
    sandbox.shutdown().await;
}

/// What is stored can be sent later, and holds nothing that could be read.
#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_request_survives_storage() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let sealed = client.seal(&member(&sandbox, "D1")).unwrap();
    let stored = serde_json::to_string(&sealed).unwrap();
    assert!(!stored.contains(PHONE) && !format!("{sealed:?}").contains(PHONE));
    let read: wxmember::Sealed<wxmember::ImportByPhone> = serde_json::from_str(&stored).unwrap();
    assert_eq!(read.key_id(), sealed.key_id());
    client.user_cards().import_by_phone_sealed(&read).await.unwrap();
    client.user_cards().import_by_phone_sealed(&read).await.unwrap();
    assert_eq!(sandbox.members().len(), 1);
    sandbox.shutdown().await;
}
