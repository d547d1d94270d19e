//! Bodies along their schemas: every value is looked up in the API document before anything of it is kept.

use serde_json::{Map, Value};

use super::{Removed, ScrubError, Scrubber, words::Words};
use crate::{
    body::is_name,
    fixture::mark::{Kind, Mark},
    spec::{Spec, fields::pointer_to},
};

impl Scrubber {
    /// A JSON body; what is none leaves one word.
    pub(super) fn json(&mut self, text: &str, schema: &Value, whose: &str) -> Result<Value, ScrubError> {
        match serde_json::from_str::<Value>(text) {
            Ok(document) => Ok(self.value(&document, schema, whose, "")?.unwrap_or(Value::Null)),
            Err(_) => Ok(self.not_json()),
        }
    }

    /// `None` for what was dropped.
    fn value(
        &mut self,
        value: &Value,
        schema: &Value,
        whose: &str,
        at: &str,
    ) -> Result<Option<Value>, ScrubError> {
        let kept = match value {
            Value::Object(members) => {
                let Some(properties) = schema["properties"].as_object() else {
                    return self.surplus(&format!("{whose}{}", shown(at)));
                };
                let mut kept = Map::new();
                for (name, member) in members {
                    let place = pointer_to(at, name);
                    let marked = match properties.get(name) {
                        Some(schema) => self.value(member, schema, whose, &place)?,
                        None if is_name(name) => self.surplus(&format!("{whose}{}", shown(&place)))?,
                        None => self.surplus(&format!("{whose}{} has a member that", shown(at)))?,
                    };
                    kept.extend(marked.map(|marked| (name.clone(), marked)));
                }
                kept.into()
            }
            Value::Array(elements) => {
                if schema["items"].is_null() {
                    return self.surplus(&format!("{whose}{}", shown(at)));
                }
                let mut kept = Vec::new();
                for (index, element) in elements.iter().enumerate() {
                    let place = pointer_to(at, &index.to_string());
                    kept.extend(self.value(element, &schema["items"], whose, &place)?);
                }
                kept.into()
            }
            leaf => {
                let name = at.rsplit('/').next().unwrap_or_default();
                self.leaf(leaf, schema, name)
            }
        };
        Ok(Some(kept))
    }

    /// A value that holds no others.
    pub(super) fn leaf(&mut self, value: &Value, schema: &Value, name: &str) -> Value {
        match value {
            Value::String(text) => self.text(text, schema).into(),
            Value::Number(number) if is_page_size(name, number) => number.clone().into(),
            Value::Number(number) => self.number(number),
            // True and false say nothing of anybody, and null is what it is.
            other => other.clone(),
        }
    }

    fn number(&mut self, number: &serde_json::Number) -> Value {
        if number.as_i64() == Some(0) {
            return 0.into();
        }
        let is_whole = number.is_i64() || number.is_u64();
        let kind = if is_whole { Kind::Integer } else { Kind::Number };
        self.marks.mark(&number.to_string(), kind).to_string().into()
    }

    /// A text: a word that the document spells out, or a mark.
    pub(super) fn text(&mut self, text: &str, schema: &Value) -> String {
        let spelt_out = schema["enum"].as_array();
        if spelt_out.is_some_and(|words| words.iter().any(|word| word == text)) {
            return text.to_owned();
        }
        let format = schema["format"].as_str().unwrap_or_default();
        let kind = match format {
            SEALED_FOR_PLATFORM | SEALED_FOR_MERCHANT if is_ciphertext(text) => Kind::Sealed,
            SEALED_FOR_PLATFORM | SEALED_FOR_MERCHANT => Kind::Personal,
            "wechatpay-time" => {
                let time = Kind::of_time(text);
                time.unwrap_or_else(|| Kind::of_text(text, schema["maxLength"].as_u64()))
            }
            _ => Kind::of_text(text, schema["maxLength"].as_u64()),
        };
        self.marks.mark(text, kind).to_string()
    }

    /// The body of a refusal: the code, the message as far as it is known, and where it points.
    pub(super) fn error(&mut self, text: &str) -> Result<Value, ScrubError> {
        let Ok(Value::Object(members)) = serde_json::from_str::<Value>(text) else {
            return Ok(self.not_json());
        };
        let mut kept = Map::new();
        for (name, member) in &members {
            let marked = match (name.as_str(), member) {
                ("code", Value::String(code)) => Some(self.code(code)),
                ("message", Value::String(message)) => Some(self.message(message)),
                ("detail", Value::Object(detail)) => Some(self.detail(detail)?),
                ("detail", Value::Null) => Some(Value::Null),
                ("code" | "message" | "detail", other) => Some(self.leaf(&flat(other), &Value::Null, name)),
                (name, _) if is_name(name) => self.surplus(&format!("the answer's /{name}"))?,
                _ => self.surplus("the answer has a member that")?,
            };
            kept.extend(marked.map(|marked| (name.clone(), marked)));
        }
        Ok(kept.into())
    }

    fn code(&mut self, code: &str) -> Value {
        match is_code(code) {
            true => code.into(),
            false => self.text(code, &Value::Null).into(),
        }
    }

    pub(super) fn message(&mut self, message: &str) -> Value {
        let (kept, taken) = self.words.known_parts(message);
        for part in taken {
            self.marks.remember(&part, Removed::MessagePart);
        }
        kept.into()
    }

    fn detail(&mut self, detail: &Map<String, Value>) -> Result<Value, ScrubError> {
        let mut kept = Map::new();
        for (name, member) in detail {
            let marked = match (name.as_str(), member) {
                ("field", Value::String(field)) => Some(self.field(field)),
                ("location", Value::String(place)) if LOCATIONS.contains(&place.as_str()) => {
                    Some(place.as_str().into())
                }
                ("issue", Value::String(issue)) => Some(self.message(issue)),
                ("field" | "location" | "issue" | "value", other) => {
                    Some(self.leaf(&flat(other), &Value::Null, name))
                }
                (name, _) if is_name(name) => self.surplus(&format!("the answer's /detail/{name}"))?,
                _ => self.surplus("the answer's /detail has a member that")?,
            };
            kept.extend(marked.map(|marked| (name.clone(), marked)));
        }
        Ok(kept.into())
    }

    fn field(&mut self, field: &str) -> Value {
        match is_known_field(self.words, field) {
            true => field.into(),
            false => self.text(field, &Value::Null).into(),
        }
    }
}

/// What may stand in the body of a refusal.
pub(crate) struct Allowed(&'static Words);

impl Allowed {
    pub(crate) fn new(spec: &'static Spec) -> Self {
        Self(Words::shared(spec))
    }

    /// The places of a refusal's body, scrubbed, that hold something else.
    pub(crate) fn error_findings(&self, body: &Value) -> Vec<String> {
        let mut found = Vec::new();
        let Value::Object(members) = body else {
            return vec![String::new()];
        };
        let detail = members.get("detail").and_then(Value::as_object);
        let below = detail.into_iter().flatten();
        let members = members.iter().map(|(name, member)| ("", name, member));
        for (parent, name, member) in members.chain(below.map(|(name, member)| ("/detail", name, member))) {
            let fits = match (parent, name.as_str(), member) {
                ("", "detail", Value::Object(_)) => true,
                (_, _, Value::Null | Value::Bool(_)) => true,
                (_, _, Value::Number(number)) => number.as_u64() == Some(0),
                (_, _, Value::String(text)) if Mark::parse(text).is_some() => true,
                ("", "code", Value::String(code)) => is_code(code),
                ("", "message", Value::String(text)) | ("/detail", "issue", Value::String(text)) => {
                    self.0.known_parts(&text.replace('…', " ")).1.is_empty()
                }
                ("/detail", "location", Value::String(place)) => LOCATIONS.contains(&place.as_str()),
                ("/detail", "field", Value::String(field)) => is_known_field(self.0, field),
                _ => false,
            };
            if !fits {
                found.push(if is_name(name) {
                    format!("{parent}/{name}")
                } else {
                    parent.to_owned()
                });
            }
        }
        found
    }
}

fn is_code(code: &str) -> bool {
    (2..=48).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// A pointer, whose every step is a name of the document or a number.
fn is_known_field(words: &Words, field: &str) -> bool {
    let is_index = |step: &str| step.len() <= 3 && step.bytes().all(|byte| byte.is_ascii_digit());
    field
        .split('/')
        .all(|step| is_index(step) || words.is_name_of_document(step))
}

/// What holds others as one text, which becomes one mark.
fn flat(value: &Value) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) => value.to_string().into(),
        value => value.clone(),
    }
}

/// A place for people; the top has no pointer.
fn shown(at: &str) -> &str {
    if at.is_empty() { "body" } else { at }
}

/// Whether a number of a member or parameter of this name says how many of a list, and which part, were asked for.
pub(crate) fn is_page_size(name: &str, number: &serde_json::Number) -> bool {
    PAGE_SIZES.contains(&name) && number.as_u64().is_some_and(|size| size <= LARGEST_PAGE)
}

/// Base64 of 256 bytes.
pub(crate) fn is_ciphertext(text: &str) -> bool {
    text.len() == 344
        && text.ends_with("==")
        && text
            .trim_end_matches('=')
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}

const SEALED_FOR_PLATFORM: &str = "wechatpay-platform-ciphertext";
const SEALED_FOR_MERCHANT: &str = "wechatpay-merchant-ciphertext";

/// Numbers that stay: how many and which part of a list were asked for, which rules are about.
const PAGE_SIZES: [&str; 2] = ["limit", "offset"];
const LARGEST_PAGE: u64 = 1000;
const LOCATIONS: [&str; 5] = ["body", "header", "path", "query", "url"];
