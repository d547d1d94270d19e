//! Snapshots of the wire: JSON Schemas of every type, the bytes of the golden request, round trips.

#[rustfmt::skip]
mod calls;
mod requests;

use serde_json::{Value, json};
use wxmember_crypto::PlatformCiphertext;

use crate::{
    InvalidValidity, Refusal, TextErrorKind, Time, raw,
    scalars::{BrandId, CardColor, CardType, MemberLevel, UserCardCode, UserCardState},
    types::{ImportByPhoneRequest, UserCard, Validity},
};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/vectors.json")).unwrap()
}

/// The body of the request vector whose ciphertexts are real.
fn golden_request() -> String {
    let vectors = vectors();
    let vector = vectors["request_signing"]
        .as_array()
        .unwrap()
        .iter()
        .find(|vector| vector["name"] == "import-by-phone, decryptable ciphertexts")
        .unwrap();
    vector["body"].as_str().unwrap().to_owned()
}

fn golden_answer() -> Value {
    let vectors = vectors();
    let vector = &vectors["response_verification"][0];
    serde_json::from_str(vector["body"].as_str().unwrap()).unwrap()
}

#[test]
fn json_schemas_of_every_wire_type() {
    let schemas = serde_json::to_string_pretty(&crate::scalars::json_schemas()).unwrap();
    insta::assert_snapshot!(schemas);
}

#[test]
fn golden_request_as_bytes() {
    let request: ImportByPhoneRequest = serde_json::from_str(&golden_request()).unwrap();
    let bytes = serde_json::to_string(&request).unwrap();
    // The order of keys is free, so the vector's value and ours must agree; the bytes are then pinned.
    assert_eq!(
        serde_json::from_str::<Value>(&bytes).unwrap(),
        serde_json::from_str::<Value>(&golden_request()).unwrap()
    );
    insta::assert_snapshot!(bytes);
}

#[test]
fn an_answer_survives_a_round_trip() {
    let answer = golden_answer();
    let card: UserCard = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!(serde_json::to_value(&card).unwrap(), answer);
}

#[test]
fn an_unknown_enumeration_value_survives_a_round_trip() {
    let mut answer = golden_answer();
    answer["user_card_state"] = json!("FROZEN_BY_MOON");
    answer["a_new_key"] = json!({ "of": "tomorrow" });
    let card: UserCard = serde_json::from_value(answer).unwrap();
    assert!(
        matches!(&card.user_card_state, UserCardState::Other(value) if value.as_str() == "FROZEN_BY_MOON")
    );
    assert_eq!(
        serde_json::to_value(&card).unwrap()["user_card_state"],
        "FROZEN_BY_MOON"
    );
    assert_eq!(CardType::from("NORMAL"), CardType::Normal);
    assert_eq!(CardType::KNOWN.len(), 3);
}

#[test]
fn a_time_keeps_offset_and_milliseconds() {
    for text in [
        "2020-05-20T13:29:35.120+08:00",
        "2020-05-20T13:29:35+08:00",
        "2020-05-20T05:29:35Z",
        "2020-05-20T05:29:35.000-03:30",
    ] {
        let time: Time = text.parse().unwrap();
        assert_eq!(serde_json::to_value(&time).unwrap(), json!(text));
        assert!(time.instant().is_some());
    }
    for text in [
        "",
        "2020-05-20",
        "2020-05-20 13:29:35",
        "2020-05-20T13:29:35",
        "2020-13-20T13:29:35Z",
        "中文",
    ] {
        Time::new(text).unwrap_err();
    }
}

/// A verified answer must not become unreadable for one value that is longer than documented.
#[test]
fn an_answer_beyond_the_documented_limits_is_still_read() {
    let mut answer = golden_answer();
    answer["level"] = json!("一二三四五六七八九十十一");
    answer["valid_date_information"] = json!({ "type": "PERMANENT", "available_day_after_receive": 0 });
    answer["pickup_time"] = json!("yesterday");
    let card: UserCard = serde_json::from_value(answer).unwrap();
    assert_eq!(card.level.unwrap().as_str().chars().count(), 12);
    assert_eq!(card.pickup_time.instant(), None);
}

#[test]
fn scalars_check_what_the_caller_writes() {
    #[track_caller]
    fn check<T: std::fmt::Debug>(made: Result<T, crate::TextError>, expect: &TextErrorKind) {
        assert_eq!(made.unwrap_err().kind(), expect);
    }
    UserCardCode::new("478515832665").unwrap();
    UserCardCode::new("A-1_b.!~").unwrap();
    check(UserCardCode::new(""), &TextErrorKind::TooShort { len: 0, min: 1 });
    check(
        UserCardCode::new(&"1".repeat(33)),
        &TextErrorKind::TooLong { len: 33, max: 32 },
    );
    let pattern = "^[!-~]+$";
    for text in ["a b", "会员", "a\n", "ａ"] {
        check(UserCardCode::new(text), &TextErrorKind::Pattern { pattern });
    }
    check(
        MemberLevel::new("钻石😀"),
        &TextErrorKind::FourByteCharacter { position: 3 },
    );
    MemberLevel::new("一二三四五六七八九十").unwrap();
    check(
        MemberLevel::new("一二三四五六七八九十一"),
        &TextErrorKind::TooLong { len: 11, max: 10 },
    );
    CardColor::new("#FFff00").unwrap();
    CardColor::new("FFFF00").unwrap_err();
    BrandId::new("1004").unwrap();
}

#[test]
fn an_error_names_the_type_and_not_the_text() {
    let error = UserCardCode::new("MARKER 13800138000").unwrap_err();
    assert_eq!(error.to_string(), "UserCardCode: does not match `^[!-~]+$`");
}

#[test]
fn every_pattern_of_the_document_compiles() {
    let document: Value = serde_json::from_str(include_str!("../../sandbox/src/openapi.json")).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let patterns: Vec<_> = schemas
        .values()
        .filter_map(|schema| schema["pattern"].as_str())
        .collect();
    assert!(!patterns.is_empty());
    for pattern in patterns {
        crate::pattern::Pattern::compile(Some(pattern));
    }
}

#[test]
fn a_validity_holds_only_what_its_type_needs() {
    let json = |validity: Validity| serde_json::to_string(&validity).unwrap();
    assert_eq!(json(Validity::permanent()), r#"{"type":"PERMANENT"}"#);
    assert_eq!(
        json(Validity::days(200).unwrap()),
        r#"{"available_day_after_receive":200,"type":"FIX_TERM"}"#
    );
    let [begin, end] =
        ["2020-05-20T13:29:35+08:00", "2030-05-20T13:29:35+08:00"].map(|t| Time::new(t).unwrap());
    let range = Validity::between(begin.clone(), end.clone()).unwrap();
    assert_eq!(range.available_end_time, Some(end.clone()));
    assert_eq!(range.available_day_after_receive, None);
    assert_eq!(Validity::between(end, begin), Err(InvalidValidity::Order));
    for days in [0, 10_959] {
        assert_eq!(Validity::days(days), Err(InvalidValidity::Days { days }));
    }
}

#[test]
fn a_ciphertext_cannot_be_read_from_a_plaintext() {
    let mut request: Value = serde_json::from_str(&golden_request()).unwrap();
    request["phone_number"] = json!("13800138000");
    let error = serde_json::from_value::<ImportByPhoneRequest>(request).unwrap_err();
    assert!(!error.to_string().contains("138"), "{error}");
    serde_json::from_value::<PlatformCiphertext>(json!("13800138000")).unwrap_err();
}

#[test]
fn a_refusal_survives_the_generated_code() {
    let response = Refusal::StreamingBody.into_response();
    let error: raw::Error<()> = raw::Error::UnexpectedResponse(response);
    assert!(matches!(Refusal::take(error), Ok(Refusal::StreamingBody)));
    let other: raw::Error<()> = raw::Error::Custom("x".to_owned());
    assert!(Refusal::take(other).is_err());
}
