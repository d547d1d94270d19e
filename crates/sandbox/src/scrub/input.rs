//! Reads recordings: HAR 1.2 as browsers and proxies export it, or exchanges in JSON, one or many.
//!
//! Bounded, and never panics on what a file holds. What it reads is personal: nothing here shows it.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::ScrubError;

/// What a file holds.
#[derive(Default)]
pub(super) struct Input {
    pub(super) exchanges: Vec<Raw>,
    /// Entries that are no answer of the platform to an operation, whatever they hold.
    pub(super) skipped: u64,
}

impl Input {
    fn take(&mut self, raw: Option<Raw>) {
        match raw {
            Some(raw) => self.exchanges.push(raw),
            None => self.skipped += 1,
        }
    }
}

/// One exchange as it was recorded.
pub(super) struct Raw {
    /// Which one of the file, from 1.
    pub(super) number: usize,
    pub(super) method: String,
    /// With or without scheme and host.
    target: String,
    pub(super) request: Part,
    pub(super) status: u16,
    pub(super) response: Part,
    /// When the recorder says that it began, in RFC 3339.
    started_at: Option<String>,
}

/// Headers, names in lower case, and a body.
#[derive(Default)]
pub(super) struct Part {
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Part {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(own, value)| (own == name).then_some(value.as_str()))
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Raw(…)")
    }
}

impl Raw {
    pub(super) fn has_host(&self) -> bool {
        self.target.contains("://") || self.request.header("host").is_some()
    }

    pub(super) fn path(&self) -> &str {
        path_of(&self.target)
    }

    pub(super) fn query(&self) -> Option<&str> {
        own_target(&self.target).split_once('?').map(|(_, query)| query)
    }

    /// When the exchange took place, by the request's own time, the answer's, or the recorder's; Unix seconds.
    pub(super) fn at(&self) -> Option<i64> {
        let signed = self.request.header("authorization").and_then(|value| {
            let (_, rest) = value.split_once("timestamp=\"")?;
            rest.split('"').next()?.parse().ok()
        });
        let answered = || self.response.header("wechatpay-timestamp")?.parse().ok();
        let dated = || {
            let date = httpdate::parse_http_date(self.response.header("date")?).ok()?;
            let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
            i64::try_from(since.as_secs()).ok()
        };
        let started = || {
            let format = &time::format_description::well_known::Rfc3339;
            let at = time::OffsetDateTime::parse(self.started_at.as_deref()?, format).ok()?;
            Some(at.unix_timestamp())
        };
        signed.or_else(answered).or_else(dated).or_else(started)
    }
}

/// Path and query.
fn own_target(target: &str) -> &str {
    let target = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    target.split('#').next().unwrap_or_default()
}

fn path_of(target: &str) -> &str {
    own_target(target).split('?').next().unwrap_or_default()
}

/// Whether a method and a path are an operation's.
type IsOperation<'a> = &'a dyn Fn(&str, &str) -> bool;

/// Reads a whole file. An entry of something else than an operation is skipped, whatever is wrong with the rest of it: a
/// browser exports everything that it loads.
pub(super) fn read(text: &str, is_operation: IsOperation<'_>) -> Result<Input, ScrubError> {
    let text = text.trim_start_matches('\u{feff}');
    let input = match serde_json::from_str::<Value>(text) {
        Ok(document) => of_document(&document, is_operation)?,
        Err(whole) => {
            let lines = text
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.trim().is_empty());
            let mut input = Input::default();
            for (index, line) in lines {
                let document: Value = serde_json::from_str(line).map_err(|_| {
                    // A file of many lines that is one broken document is reported as such.
                    let (line, column) = (whole.line(), whole.column());
                    syntax(match index {
                        0 => format!("line {line}, column {column} is not JSON"),
                        _ => format!("line {} is not JSON", index + 1),
                    })
                })?;
                input.take(raw_of(&document, index + 1, is_operation)?);
            }
            input
        }
    };
    if input.exchanges.len() > MOST {
        return Err(syntax(format!("more than {MOST} exchanges; split the file")));
    }
    Ok(input)
}

fn of_document(document: &Value, is_operation: IsOperation<'_>) -> Result<Input, ScrubError> {
    let entries = document.pointer("/log/entries").unwrap_or(document);
    let entries = entries
        .as_array()
        .map_or(std::slice::from_ref(entries), Vec::as_slice);
    let mut input = Input::default();
    for (index, entry) in entries.iter().enumerate() {
        input.take(raw_of(entry, index + 1, is_operation)?);
    }
    Ok(input)
}

/// `None` for what is no answer of the platform to an operation.
fn raw_of(entry: &Value, number: usize, is_operation: IsOperation<'_>) -> Result<Option<Raw>, ScrubError> {
    let (request, response) = (&entry["request"], &entry["response"]);
    let lacks = |what: &str| syntax(format!("exchange {number} has no {what}"));
    let method = request["method"]
        .as_str()
        .ok_or_else(|| lacks("`request.method`"))?;
    let target = ["url", "target", "path"]
        .iter()
        .find_map(|name| request[*name].as_str());
    let mut target = target.ok_or_else(|| lacks("`request.url`"))?.to_owned();
    if let Some(query) = request["query"].as_str().filter(|query| !query.is_empty()) {
        target = format!("{target}?{}", query.trim_start_matches('?'));
    }
    if !is_operation(method, path_of(&target)) {
        return Ok(None);
    }
    let status = &response["status"];
    if !status.is_number() {
        return Err(lacks("`response.status`"));
    }
    // A browser writes 0 or -1 where no answer came; a redirection is somebody else's.
    let status = status.as_u64().and_then(|status| u16::try_from(status).ok());
    let Some(status) = status.filter(|status| matches!(status, 200..=299 | 400..=599)) else {
        return Ok(None);
    };
    Ok(Some(Raw {
        number,
        method: method.to_owned(),
        target,
        request: Part {
            headers: headers_of(&request["headers"]),
            body: body_of(&request["body"], &request["postData"], number)?,
        },
        status,
        response: Part {
            headers: headers_of(&response["headers"]),
            body: body_of(&response["body"], &response["content"], number)?,
        },
        started_at: entry["startedDateTime"].as_str().map(str::to_owned),
    }))
}

/// A JSON object of names, a list of `{name, value}`, or a list of pairs.
fn headers_of(headers: &Value) -> Vec<(String, String)> {
    let lower = |name: &str, value: &Value| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (name.to_ascii_lowercase(), value)
    };
    match headers {
        Value::Object(headers) => headers.iter().map(|(name, value)| lower(name, value)).collect(),
        Value::Array(headers) => {
            let headers = headers.iter().filter_map(|header| match header {
                Value::Array(pair) => Some(lower(pair.first()?.as_str()?, pair.get(1)?)),
                header => Some(lower(header["name"].as_str()?, &header["value"])),
            });
            headers.collect()
        }
        _ => Vec::new(),
    }
}

/// The text of a body: as it is, as JSON in JSON, or in HAR's own holder.
fn body_of(body: &Value, holder: &Value, number: usize) -> Result<String, ScrubError> {
    let text = match (body, &holder["text"]) {
        (Value::Null, Value::String(text)) => text,
        (Value::Null, _) => return Ok(String::new()),
        (Value::String(text), _) => return Ok(text.clone()),
        (document, _) => return Ok(document.to_string()),
    };
    match holder["encoding"].as_str() {
        None | Some("") => Ok(text.clone()),
        Some("base64") => {
            let bytes = STANDARD.decode(text).ok();
            // What is not UTF-8 is not JSON either, and nothing of it is kept.
            bytes
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .ok_or_else(|| syntax(format!("exchange {number} has a body that is not base64")))
        }
        Some(_) => Err(syntax(format!(
            "exchange {number} has a body in another encoding than base64"
        ))),
    }
}

fn syntax(what: String) -> ScrubError {
    ScrubError::Syntax { what }
}

/// More than anybody reads; a browser's export is cut before.
const MOST: usize = 10_000;
