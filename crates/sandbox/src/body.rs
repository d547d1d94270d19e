//! From the bytes of a body to checked JSON with its personal fields opened and kept apart.
//!
//! Must never quote a value: bodies hold personal data. Member names from outside are quoted only when they look like names.

use std::collections::BTreeMap;

use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::Value;
use wxmember_crypto::{FormValue, Plaintext, PlatformCiphertext, PrivateKey, party::Platform};

use self::{place::Place, strict::Unreadable};
use crate::{
    member::Card,
    refusal::{Issue, Location, Refusal},
    rule,
    spec::{Body, fields::pointer_to},
};

mod place;
mod strict;

/// Reads a body and holds it against its schema.
pub(crate) fn parse(body: &[u8], expected: &Body) -> Result<Value, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| &rule::BODY_NOT_UTF8)?;
    if has_four_byte_characters(text) {
        return Err((&rule::FOUR_BYTE_CHARACTER).into());
    }
    let document = strict::read(text).map_err(|error| match error {
        Unreadable::NotJson => Refusal::from(&rule::BODY_NOT_JSON),
        Unreadable::Duplicate(pointer) => {
            let issue = Issue::new("字段重复", "is given twice");
            Refusal::at(&rule::DUPLICATE_MEMBER, pointer, issue)
        }
    })?;
    check_values(&document, &Place::WHOLE)?;
    // Whether it fits is found out much faster than why it does not.
    if expected.validator.is_valid(&document) {
        return Ok(document);
    }
    let first_error = expected.validator.iter_errors(&document).next();
    Err(first_error.map_or_else(|| (&rule::BODY_SCHEMA).into(), |error| schema_refusal(&error)))
}

/// Opens every sealed field of a checked body.
pub(crate) fn open(
    mut document: Value,
    expected: &Body,
    key: &PrivateKey<Platform>,
    longest: usize,
) -> Result<Card, Refusal> {
    let mut personal = BTreeMap::new();
    for pointer in expected
        .sealed
        .iter()
        .flat_map(|path| path.places(&document))
        .collect::<Vec<_>>()
    {
        let Some(place) = document.pointer_mut(&pointer) else {
            continue;
        };
        let sealed = std::mem::replace(place, Value::String(String::new()));
        let value = open_one(sealed, key, longest, Location::Body, &pointer)?;
        personal.insert(pointer, value);
    }
    Ok(Card { document, personal })
}

/// Opens one sealed value and checks what was in it.
pub(crate) fn open_one(
    sealed: Value,
    key: &PrivateKey<Platform>,
    longest: usize,
    location: Location,
    field: &str,
) -> Result<FormValue, Refusal> {
    let value: Option<FormValue> = serde_json::from_value::<PlatformCiphertext>(sealed)
        .ok()
        .and_then(|sealed| key.open(&sealed).ok());
    let Some(value) = value else {
        let issue = Issue::new(
            "无法用Wechatpay-Serial对应的平台私钥解密",
            "does not open with the key that Wechatpay-Serial names",
        );
        return Err(Refusal::within(location, &rule::OPENING, field, issue));
    };
    match plaintext_issue(value.expose(), longest) {
        Some(issue) => Err(Refusal::within(location, &rule::PLAINTEXT, field, issue)),
        None => Ok(value),
    }
}

fn plaintext_issue(text: &str, longest: usize) -> Option<Issue> {
    if text.is_empty() {
        Some(Issue::new("明文为空", "the plaintext is empty"))
    } else if has_four_byte_characters(text) {
        Some(Issue::new(
            "明文含有4字节的UTF-8字符",
            "the plaintext holds a character of four bytes of UTF-8",
        ))
    } else if text.len() > longest {
        Some(Issue::new(
            format!("明文超过{longest}字节"),
            format!("the plaintext has more than {longest} bytes"),
        ))
    } else {
        None
    }
}

/// Refuses nulls, and four-byte characters that came as `\u` escapes.
fn check_values(value: &Value, place: &Place<'_>) -> Result<(), Refusal> {
    match value {
        Value::Null => {
            let issue = Issue::new("值不能为null", "null is not allowed");
            Err(Refusal::at(&rule::NULL_VALUE, place.pointer(), issue))
        }
        Value::String(text) if has_four_byte_characters(text) => {
            let issue = Issue::new("含有4字节的UTF-8字符", "holds a character of four bytes of UTF-8");
            Err(Refusal::at(&rule::FOUR_BYTE_CHARACTER, place.pointer(), issue))
        }
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .try_for_each(|(index, element)| check_values(element, &place.element(index))),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            if has_four_byte_characters(name) {
                return Err((&rule::FOUR_BYTE_CHARACTER).into());
            }
            check_values(member, &place.member(name))
        }),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// A refusal of a body that does not fit its schema, in words that hold no value.
fn schema_refusal(error: &ValidationError<'_>) -> Refusal {
    let pointer = error.instance_path().as_str();
    let (field, issue) = match error.kind() {
        ValidationErrorKind::Required { property } => (
            pointer_to(pointer, property.as_str().unwrap_or_default()),
            Issue::new("缺少必填字段", "is required"),
        ),
        ValidationErrorKind::AdditionalProperties { unexpected } => (
            unexpected
                .first()
                .map_or_else(|| pointer.to_owned(), |name| pointer_to_given(pointer, name)),
            Issue::new("未知字段", "is not known here"),
        ),
        kind => (pointer.to_owned(), issue_of(kind)),
    };
    Refusal::at(&rule::BODY_SCHEMA, field, issue)
}

pub(crate) fn issue_of(kind: &ValidationErrorKind) -> Issue {
    match kind {
        ValidationErrorKind::Enum { options } => {
            let listed = options.as_array().into_iter().flatten().filter_map(Value::as_str);
            let listed = listed.collect::<Vec<_>>().join(", ");
            Issue::new(
                format!("取值必须为以下之一：{listed}"),
                format!("must be one of {listed}"),
            )
        }
        ValidationErrorKind::Format { format } if format == "wechatpay-time" => Issue::new(
            "时间格式必须符合RFC 3339",
            "must be a time of RFC 3339 with an offset",
        ),
        ValidationErrorKind::MaxItems { limit } => Issue::new(
            format!("最多{limit}个元素"),
            format!("must have at most {limit} elements"),
        ),
        ValidationErrorKind::Maximum { limit } => {
            Issue::new(format!("不能大于{limit}"), format!("must be at most {limit}"))
        }
        ValidationErrorKind::MaxLength { limit } => Issue::new(
            format!("长度不能超过{limit}个字符"),
            format!("must have at most {limit} characters"),
        ),
        ValidationErrorKind::MinItems { limit } => Issue::new(
            format!("最少{limit}个元素"),
            format!("must have at least {limit} elements"),
        ),
        ValidationErrorKind::Minimum { limit } => {
            Issue::new(format!("不能小于{limit}"), format!("must be at least {limit}"))
        }
        ValidationErrorKind::MinLength { limit } => Issue::new(
            format!("长度不能少于{limit}个字符"),
            format!("must have at least {limit} characters"),
        ),
        ValidationErrorKind::Pattern { pattern } => {
            Issue::new(format!("格式必须匹配{pattern}"), format!("must match {pattern}"))
        }
        ValidationErrorKind::Type { .. } => Issue::new("类型错误", "has the wrong type"),
        _ => Issue::new("不符合接口定义", "does not fit the API document"),
    }
}

/// The pointer to a member whose name came from outside; what does not look like a name is not quoted.
fn pointer_to_given(parent: &str, name: &str) -> String {
    if is_name(name) {
        format!("{parent}/{name}")
    } else {
        parent.to_owned()
    }
}

/// Whether a text from outside looks like the name of a member or a parameter.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && text.len() <= LONGEST_NAME
}

/// Characters outside the basic plane: emoji, and rare Han characters.
pub(crate) fn has_four_byte_characters(text: &str) -> bool {
    text.bytes().any(|byte| byte >= 0xf0)
}

const LONGEST_NAME: usize = 40;
