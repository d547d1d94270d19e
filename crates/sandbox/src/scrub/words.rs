//! What may be said: the API document's own words and the messages that are known, so that a message keeps what is
//! public in it and loses everything else.
//!
//! A message can echo anything: a phone number, a name, an id. Of Han characters a run of four or more that stands in a
//! known message stays, of Latin letters a word that the document or a header has; everything else goes.

use std::{collections::BTreeSet, sync::OnceLock};

use serde_json::Value;

use crate::{rule::rules, spec::Spec};

/// Every word and every message that is public.
pub(super) struct Words {
    /// Names of members, parameters and headers, values of enumerations, and error codes.
    names: BTreeSet<String>,
    messages: Vec<String>,
}

impl Words {
    /// Those of the shared document, gathered once a process.
    pub(super) fn shared(spec: &'static Spec) -> &'static Self {
        static SHARED: OnceLock<Words> = OnceLock::new();
        SHARED.get_or_init(|| Self::new(spec))
    }

    fn new(spec: &Spec) -> Self {
        let mut names: BTreeSet<String> = HEADERS.iter().map(|name| (*name).to_owned()).collect();
        for operation in spec.operations() {
            let bodies = operation.request.iter().chain(&operation.answer);
            bodies.for_each(|body| names_of(&body.schema, &mut names));
            names.extend(operation.parameters.names().map(str::to_owned));
            names.insert(operation.id.clone());
        }
        let mut messages: Vec<String> = DOCUMENTED.iter().map(|message| (*message).to_owned()).collect();
        for rule in rules() {
            messages.extend([rule.zh.to_owned(), rule.en.to_owned()]);
            names.insert(rule.code.to_owned());
        }
        names.extend(FIXTURE.iter().map(|word| (*word).to_owned()));
        Self { names, messages }
    }

    /// Whether a text is a word of the document, a whole message, or a part of one.
    pub(super) fn has(&self, text: &str) -> bool {
        self.names
            .iter()
            .chain(&self.messages)
            .any(|known| known.contains(text))
    }

    pub(super) fn is_name_of_document(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// A message with `…` in the place of what is not known, and what stood there.
    pub(super) fn known_parts(&self, message: &str) -> (String, Vec<String>) {
        if self.messages.iter().any(|known| known == message) {
            return (message.to_owned(), Vec::new());
        }
        let (mut kept, mut taken) = (String::new(), Vec::new());
        for run in runs(message) {
            let mut gone = String::new();
            for part in self.parts(run) {
                match part {
                    Part::Known(text) => {
                        close(&mut gone, &mut kept, &mut taken);
                        kept.push_str(text);
                    }
                    Part::Unknown(character) => gone.push(character),
                }
            }
            close(&mut gone, &mut kept, &mut taken);
        }
        (kept, taken)
    }

    fn parts<'a>(&self, run: &'a str) -> Vec<Part<'a>> {
        let unknown = || run.chars().map(Part::Unknown).collect();
        match Script::of(run.chars().next().unwrap_or(' ')) {
            Script::Mark => vec![Part::Known(run)],
            Script::Latin if self.names.contains(run) => vec![Part::Known(run)],
            Script::Latin | Script::Other => unknown(),
            Script::Han => self.han_parts(run),
        }
    }

    /// The longest known runs of a run of Han characters, from the left.
    fn han_parts<'a>(&self, run: &'a str) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let mut rest = run;
        while let Some(first) = rest.chars().next() {
            let ends: Vec<_> = rest
                .char_indices()
                .map(|(at, character)| at + character.len_utf8())
                .collect();
            let known = ends.iter().enumerate().rev().find_map(|(index, end)| {
                let text = &rest[..*end];
                let is_known =
                    index + 1 >= SHORTEST_RUN && self.messages.iter().any(|message| message.contains(text));
                is_known.then_some(text)
            });
            match known {
                Some(text) => {
                    parts.push(Part::Known(text));
                    rest = &rest[text.len()..];
                }
                None => {
                    parts.push(Part::Unknown(first));
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        parts
    }
}

/// Whether a message holds a whole sentence that is known, of an official page or of a rule.
pub(crate) fn has_sentence(message: &str) -> bool {
    let of_rules = rules().iter().flat_map(|rule| [rule.zh, rule.en]);
    let mut known = DOCUMENTED.iter().copied().chain(of_rules);
    known.any(|sentence| message.contains(sentence))
}

enum Part<'a> {
    Known(&'a str),
    Unknown(char),
}

/// Ends a part that goes.
fn close(gone: &mut String, kept: &mut String, taken: &mut Vec<String>) {
    if !gone.is_empty() {
        if !kept.ends_with('…') {
            kept.push('…');
        }
        taken.push(std::mem::take(gone));
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Script {
    Han,
    /// Letters, digits and what joins them to one word.
    Latin,
    /// Punctuation that says nothing.
    Mark,
    Other,
}

impl Script {
    fn of(character: char) -> Self {
        match character {
            '\u{4e00}'..='\u{9fff}' => Self::Han,
            'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' => Self::Latin,
            ' ' | ',' | '.' | ':' | ';' | '(' | ')' | '[' | ']' | '\'' | '"' | '/' | '，' | '。' | '：'
            | '；' | '（' | '）' | '、' | '【' | '】' | '“' | '”' | '！' | '!' => Self::Mark,
            _ => Self::Other,
        }
    }
}

/// The longest runs of one script.
fn runs(message: &str) -> Vec<&str> {
    let mut runs = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, character) in message.char_indices() {
        let script = Script::of(character);
        if last.is_some_and(|last| last != script) {
            runs.push(&message[start..at]);
            start = at;
        }
        last = Some(script);
    }
    runs.push(&message[start..]);
    runs
}

fn names_of(schema: &Value, names: &mut BTreeSet<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        names.insert(name.clone());
        names_of(property, names);
    }
    if let Some(items) = schema.get("items") {
        names_of(items, names);
    }
    let values = schema["enum"].as_array().into_iter().flatten();
    names.extend(values.filter_map(Value::as_str).map(str::to_owned));
}

/// Names out of four and more characters are seldom a part of a sentence.
const SHORTEST_RUN: usize = 4;

const HEADERS: &[&str] = &[
    "HTTP",
    "Http",
    "Authorization",
    "Wechatpay-Serial",
    "User-Agent",
    "Accept",
    "Content-Type",
    "header",
    "application/json;charset=utf-8",
    "text/html;charset=utf-8",
    "text/plain;charset=utf-8",
    "WECHATPAY2-SHA256-RSA2048",
    "WECHATPAY-BRAND-SHA256-RSA2048",
    "wxmember-fixture/1",
    "recorded",
    "mchid",
    "nonce_str",
    "serial_no",
    "timestamp",
    "signature",
];

/// The format's own words, which would else look like a leak where a header says the same.
const FIXTURE: &[&str] = &[
    "<present>",
    "<probe>",
    "<public-key>",
    "<certificate>",
    "<not-json>",
    "accept",
    "accept-language",
    "authorization",
    "content-type",
    "exchanges",
    "format",
    "given",
    "headers",
    "members",
    "operation",
    "origin",
    "request",
    "request-id",
    "response",
    "retry-after",
    "status",
    "templates",
    "user-agent",
    "wechatpay-nonce",
    "wechatpay-serial",
    "wechatpay-signature",
    "wechatpay-signature-type",
    "wechatpay-timestamp",
];

/// Messages of official pages and public reports that no rule of ours repeats (sections 5 and 7.3 of our notes).
const DOCUMENTED: &[&str] = &[
    "参数错误",
    "生成二维码链接失败，请重试",
    "会员卡的创建商户号不等于调用方商户号",
    "请先升级会员卡才能使用此功能",
    "商户暂无权限使用此功能",
    "系统异常，请稍后重试",
    "Currency code is invalid",
];
