//! A refusal in the platform's error shape. It never holds what was sent, only where it stood.

use axum::http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::rule::Rule;

/// Why a request is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) rule: &'static Rule,
    detail: Option<Detail>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Detail {
    /// A JSON Pointer into the body, or the bare name of a parameter.
    field: String,
    issue: Issue,
    location: Location,
}

/// Where a field stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Location {
    Body,
    Query,
    Url,
}

impl Location {
    fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Query => "query",
            Self::Url => "url",
        }
    }
}

/// What is wrong with a field, in both languages; it must not quote the field's value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Issue {
    pub(crate) zh: String,
    pub(crate) en: String,
}

impl Issue {
    pub(crate) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

impl Refusal {
    /// Points at a member of the body.
    pub(crate) fn at(rule: &'static Rule, field: impl Into<String>, issue: Issue) -> Self {
        Self::within(Location::Body, rule, field, issue)
    }

    /// Points at a member of the body or a parameter.
    pub(crate) fn within(
        location: Location,
        rule: &'static Rule,
        field: impl Into<String>,
        issue: Issue,
    ) -> Self {
        Self {
            rule,
            detail: Some(Detail {
                field: field.into(),
                issue,
                location,
            }),
        }
    }

    /// The body in the platform's shape; `None` where the gateway sends none.
    pub(crate) fn body(&self, language: Language) -> Option<Value> {
        if self.rule.code.is_empty() {
            return None;
        }
        let mut body = json!({"code": self.rule.code, "message": language.of(self.rule.zh, self.rule.en)});
        if let Some(detail) = &self.detail {
            let issue = language.of(&detail.issue.zh, &detail.issue.en);
            body["detail"] =
                json!({"field": detail.field, "issue": issue, "location": detail.location.name()});
        }
        Some(body)
    }
}

impl From<&'static Rule> for Refusal {
    fn from(rule: &'static Rule) -> Self {
        Self { rule, detail: None }
    }
}

/// The language of messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Language {
    Chinese,
    English,
}

impl Language {
    /// The first language that `Accept-Language` names, English or else Chinese.
    pub(crate) fn of_request(headers: &HeaderMap) -> Self {
        let english = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim_start().get(..2))
            .is_some_and(|start| start.eq_ignore_ascii_case("en"));
        if english { Self::English } else { Self::Chinese }
    }

    fn of<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::rule;

    #[test]
    fn a_refusal_has_the_shape_of_the_platform() {
        let issue = Issue::new("缺少必填字段", "required");
        let refusal = Refusal::at(&rule::BODY_SCHEMA, "/brand_id", issue);
        let expected = json!({"code": "PARAM_ERROR", "message": "参数错误",
            "detail": {"field": "/brand_id", "issue": "缺少必填字段", "location": "body"}});
        assert_eq!(refusal.body(Language::Chinese), Some(expected));
        assert_eq!(
            refusal.body(Language::English).unwrap()["detail"]["issue"],
            "required"
        );
        assert_eq!(Refusal::from(&rule::UNKNOWN_PATH).body(Language::Chinese), None);
    }

    #[test]
    fn messages_are_chinese_unless_english_is_asked_for_first() {
        for (value, expected) in [
            ("en", Language::English),
            ("EN-us,zh;q=0.5", Language::English),
            ("zh-CN,en;q=0.5", Language::Chinese),
            ("", Language::Chinese),
            ("e", Language::Chinese),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value));
            assert_eq!(Language::of_request(&headers), expected, "{value}");
        }
    }
}
