//! Scrubs recorded exchanges: what identifies a person, a merchant or a request is replaced by a mark, the rest is dropped.
//!
//! What survives is an allow-list: words that the API document spells out, booleans, page sizes, statuses, error codes,
//! and such parts of an error message as are known already. What is not known is refused, never passed on. No error and
//! no count here may repeat a value.

use std::{collections::BTreeMap, fmt};

use axum::http::Method;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{
    body::is_name,
    fixture::{Exchange, Fixture, NOT_JSON, Request, Response},
    refusal::Location,
    scrub::{
        input::{Input, Raw},
        marks::Marks,
        words::Words,
    },
    spec::{
        Operation, Route, Spec, SpecError,
        parameters::{Plus, decoded},
    },
};

mod body;
mod given;
mod headers;
mod input;
mod marks;
mod words;

pub(crate) use self::{
    body::{Allowed, is_ciphertext, is_page_size},
    headers::{is_kept as is_kept_header, is_word as is_header_word, response_word},
    words::has_sentence,
};

/// How strictly unknown things are taken.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Unknown {
    /// Members and parameters that the API document lacks are left out and counted.
    Drop,
    /// The recording is refused, with the place. The default.
    #[default]
    Refuse,
}

/// A fixture, and what it no longer holds.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Scrubbed {
    /// What can be given away.
    pub fixture: Fixture,
    /// How many values were taken out, by kind. A value that stood at several places counts as often.
    pub removed: BTreeMap<Removed, u64>,
    /// Entries of the recording that belong to no operation of the API document, or hold no answer of the platform (status
    /// 0, -1 or 3xx), and were left out.
    pub skipped: u64,
}

/// What was taken out.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Removed {
    /// A body that was not JSON.
    Body,
    /// A ciphertext of a personal field.
    Ciphertext,
    /// A header, or what it said.
    Header,
    /// A host, and whatever else an address has before its path.
    Host,
    /// A text of a path, a query or a body: ids, codes, serial numbers, free text.
    Identifier,
    /// A part of an error message.
    MessagePart,
    /// A number.
    Number,
    /// A personal field that was not sealed.
    Personal,
    /// A time.
    Time,
    /// A member or a parameter that the API document lacks.
    Unknown,
}

impl Removed {
    /// What it is, as a fragment of a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Body => "bodies that are not JSON",
            Self::Ciphertext => "ciphertexts of personal fields",
            Self::Header => "headers, or what they said",
            Self::Host => "hosts",
            Self::Identifier => "ids, codes, serial numbers and free text",
            Self::MessagePart => "parts of error messages",
            Self::Number => "numbers",
            Self::Personal => "personal fields in clear",
            Self::Time => "times",
            Self::Unknown => "members and parameters that the API document lacks",
        }
    }

    /// The same in Chinese.
    #[must_use]
    pub const fn meaning_zh(self) -> &'static str {
        match self {
            Self::Body => "非JSON的报文主体",
            Self::Ciphertext => "个人信息字段的密文",
            Self::Header => "请求头、应答头或其内容",
            Self::Host => "主机名",
            Self::Identifier => "ID、code、序列号与自由文本",
            Self::MessagePart => "错误消息中的内容",
            Self::Number => "数字",
            Self::Personal => "未加密的个人信息字段",
            Self::Time => "时间",
            Self::Unknown => "接口文档中没有的字段与参数",
        }
    }
}

/// Why a recording cannot be scrubbed. No variant repeats what was recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScrubError {
    /// The file holds no exchange of an operation.
    #[error("no exchange of an operation of the API document is in it")]
    Empty,
    /// A value would have been left in; this is a mistake of the scrubber.
    #[error("something that was taken out is still in the fixture; nothing was written, please report it")]
    Leak,
    /// The API document that this crate was built with cannot be read.
    #[error(transparent)]
    Spec(SpecError),
    /// It is no recording.
    #[error("{what}; a recording is HAR 1.2, or JSON or NDJSON with `request` and `response`")]
    Syntax {
        /// What is wrong, and where.
        what: String,
    },
    /// A member or a parameter that the API document lacks.
    #[error("exchange {number}: {at} is not in the API document; `--unknown drop` leaves it out")]
    Unknown {
        /// Which exchange of the file, from 1.
        number: usize,
        /// A place such as `the answer's /data/0/new_name`; a name only when it looks like one.
        at: String,
    },
}

/// Scrubs a recording: HAR 1.2, one JSON exchange, a JSON list of them, or one a line.
///
/// # Errors
///
/// [`ScrubError`]: it is no recording, holds nothing of the API, or has members that nobody knows.
///
/// # Examples
///
/// ```
/// use wxmember_sandbox::scrub::{Unknown, scrub};
///
/// let recording = r#"{"request": {"method": "GET", "url": "https://api.mch.weixin.qq.com/v3/certificates"},
///     "response": {"status": 404, "body": {"code": "RESOURCE_NOT_EXISTS", "message": "无可用的平台证书 1900000109"}}}"#;
/// let scrubbed = scrub(recording, Unknown::Refuse)?;
/// assert!(!scrubbed.fixture.to_json().contains("1900000109"));
/// assert_eq!(scrubbed.fixture.findings(), Vec::<String>::new());
/// # Ok::<(), wxmember_sandbox::scrub::ScrubError>(())
/// ```
pub fn scrub(recording: &str, unknown: Unknown) -> Result<Scrubbed, ScrubError> {
    let spec = Spec::shared().map_err(ScrubError::Spec)?;
    let is_operation =
        |method: &str, path: &str| matches!(spec.route(&method_of(method), path), Route::Operation(_));
    let Input { exchanges, skipped } = input::read(recording, &is_operation)?;
    let mut scrubber = Scrubber {
        words: Words::shared(spec),
        marks: Marks::new(exchanges.iter()),
        unknown,
        number: 0,
    };
    let mut found = Vec::new();
    for raw in &exchanges {
        scrubber.number = raw.number;
        if let Route::Operation(operation) = spec.route(&method_of(&raw.method), raw.path()) {
            found.push(scrubber.exchange(raw, operation)?);
        }
    }
    if found.is_empty() {
        return Err(ScrubError::Empty);
    }
    let fixture = Fixture::recorded(given::by(&found), found);
    if !fixture.findings().is_empty() || scrubber.marks.leak_into(&fixture, scrubber.words) {
        return Err(ScrubError::Leak);
    }
    Ok(Scrubbed {
        fixture,
        removed: scrubber.marks.removed(),
        skipped,
    })
}

fn method_of(method: &str) -> Method {
    method.to_ascii_uppercase().parse().unwrap_or(Method::TRACE)
}

/// What the exchanges of one file share.
struct Scrubber {
    words: &'static Words,
    marks: Marks,
    unknown: Unknown,
    /// Which exchange of the file is looked at, from 1.
    number: usize,
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber(…)")
    }
}

impl Scrubber {
    fn exchange(&mut self, raw: &Raw, operation: &Operation) -> Result<Exchange, ScrubError> {
        if raw.has_host() {
            self.marks.count(Removed::Host);
        }
        let mut path = BTreeMap::new();
        for (name, text) in operation.captured(raw.path()) {
            let text = decoded(text, Plus::Itself).unwrap_or_else(|| text.to_owned());
            let schema = operation.parameters.schema(Location::Url, name);
            let marked = self.text(&text, schema.unwrap_or(&Value::Null));
            path.insert(name.to_owned(), marked);
        }
        let query = self.query(raw.query().unwrap_or_default(), operation)?;
        let body = match (&operation.request, raw.request.body.as_str()) {
            (_, "") => None,
            (None, _) => self.surplus("the request's body")?,
            (Some(expected), text) => Some(self.json(text, &expected.schema, "the request's ")?),
        };
        let request = Request {
            path,
            query,
            headers: self.request_headers(&raw.request.headers),
            body,
            spoilt: None,
        };
        let status = raw.status;
        let text = raw.response.body.as_str();
        let body = match &operation.answer {
            _ if text.is_empty() => None,
            _ if !(200..300).contains(&status) => Some(self.error(text)?),
            Some(expected) => Some(self.json(text, &expected.schema, "the answer's ")?),
            None => self.surplus("the answer's body")?,
        };
        Ok(Exchange {
            operation: operation.id.clone(),
            at: self.marks.moment(raw.at()).map(|mark| mark.to_string()),
            request,
            response: Response {
                status,
                headers: self.response_headers(&raw.response.headers),
                body,
            },
        })
    }

    fn query(&mut self, query: &str, operation: &Operation) -> Result<Map<String, Value>, ScrubError> {
        let mut kept = Map::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name, Plus::Blank).unwrap_or_default();
            let Some(schema) = operation.parameters.schema(Location::Query, &name) else {
                let shown = if is_name(&name) { &*name } else { "a parameter" };
                self.surplus(&format!("the query's {shown}"))?;
                continue;
            };
            let value = decoded(value, Plus::Blank).unwrap_or_else(|| value.to_owned());
            let marked = match schema["type"].as_str() {
                Some("integer") => value.parse::<i64>().ok().map(Value::from),
                Some("boolean") => value.parse::<bool>().ok().map(Value::from),
                _ => None,
            };
            let marked = self.leaf(&marked.unwrap_or_else(|| value.into()), schema, &name);
            kept.insert(name, marked);
        }
        Ok(kept)
    }

    /// Something that the document has no place for.
    fn surplus(&mut self, at: &str) -> Result<Option<Value>, ScrubError> {
        self.marks.count(Removed::Unknown);
        match self.unknown {
            Unknown::Drop => Ok(None),
            Unknown::Refuse => Err(ScrubError::Unknown {
                number: self.number,
                at: at.to_owned(),
            }),
        }
    }

    fn not_json(&mut self) -> Value {
        self.marks.count(Removed::Body);
        NOT_JSON.into()
    }
}

#[cfg(test)]
mod tests;
