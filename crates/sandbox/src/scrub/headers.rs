//! Headers: that they were there, and of a few what they said, in words of our own.

use std::collections::BTreeMap;

use super::{Removed, Scrubber};
use crate::{
    authorization::SCHEME,
    fixture::{CERTIFICATE, PRESENT, PROBE, PUBLIC_KEY},
};

impl Scrubber {
    pub(super) fn request_headers(&mut self, headers: &[(String, String)]) -> BTreeMap<String, String> {
        self.headers(headers, REQUEST)
    }

    pub(super) fn response_headers(&mut self, headers: &[(String, String)]) -> BTreeMap<String, String> {
        self.headers(headers, RESPONSE)
    }

    fn headers(&mut self, headers: &[(String, String)], known: &[(&str, Read)]) -> BTreeMap<String, String> {
        let mut kept = BTreeMap::new();
        for (name, value) in headers {
            let value = value.trim();
            let read = known.iter().find(|(own, _)| own == name).map(|(_, read)| *read);
            let word = read.map(|read| read.word(value));
            if word.as_deref() != Some(value) {
                self.marks.remember(value, Removed::Header);
            }
            kept.extend(word.map(|word| (name.clone(), word)));
        }
        kept
    }
}

/// What is kept of a header.
#[derive(Clone, Copy)]
enum Read {
    /// That it was there.
    Presence,
    /// One of these words, or that it was there.
    Word(&'static [&'static str]),
    /// The scheme alone.
    Scheme,
    /// The first language, Chinese or English.
    Language,
    /// Which kind of key it names.
    Serial,
    /// Whether it is a probe.
    Signature,
    /// A media type with its charset.
    MediaType,
    /// A few seconds.
    Seconds,
}

impl Read {
    fn word(self, value: &str) -> String {
        let kept = match self {
            Self::Presence => None,
            Self::Word(words) => words.iter().find(|word| **word == value).copied(),
            Self::Scheme => SCHEMES
                .iter()
                .find(|scheme| value.split(' ').next() == Some(**scheme))
                .copied(),
            Self::Language => {
                let start: String = value.chars().take(2).collect();
                LANGUAGES
                    .iter()
                    .find(|word| start.eq_ignore_ascii_case(word))
                    .copied()
            }
            Self::Serial if value.starts_with("PUB_KEY_ID_") => Some(PUBLIC_KEY),
            Self::Serial => value
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit())
                .then_some(CERTIFICATE),
            Self::Signature => value.starts_with("WECHATPAY/SIGNTEST/").then_some(PROBE),
            Self::MediaType => {
                let plain: String = value
                    .chars()
                    .filter(|character| !character.is_whitespace())
                    .collect();
                let plain = plain.to_ascii_lowercase();
                MEDIA_TYPES.iter().find(|known| **known == plain).copied()
            }
            Self::Seconds => {
                let is_small = value.len() <= 4 && value.bytes().all(|byte| byte.is_ascii_digit());
                return if is_small && !value.is_empty() {
                    value.to_owned()
                } else {
                    PRESENT.to_owned()
                };
            }
        };
        kept.unwrap_or(PRESENT).to_owned()
    }
}

/// What a fixture keeps of a header of an answer.
pub(crate) fn response_word(name: &str, value: &str) -> Option<String> {
    let (_, read) = RESPONSE.iter().find(|(own, _)| *own == name)?;
    Some(read.word(value))
}

/// Whether a header of a fixture may say this.
pub(crate) fn is_word(value: &str) -> bool {
    let own = [PRESENT, PROBE, PUBLIC_KEY, CERTIFICATE];
    let lists = [own.as_slice(), SCHEMES, LANGUAGES, MEDIA_TYPES, ACCEPTED];
    lists.iter().any(|list| list.contains(&value)) || Read::Seconds.word(value) != PRESENT
}

/// Whether a header may stand in a fixture.
pub(crate) fn is_kept(name: &str) -> bool {
    REQUEST.iter().chain(RESPONSE).any(|(own, _)| *own == name)
}

const REQUEST: &[(&str, Read)] = &[
    ("accept", Read::Word(ACCEPTED)),
    ("accept-language", Read::Language),
    ("authorization", Read::Scheme),
    ("content-type", Read::MediaType),
    ("user-agent", Read::Presence),
    ("wechatpay-serial", Read::Serial),
];

const RESPONSE: &[(&str, Read)] = &[
    ("content-type", Read::MediaType),
    ("request-id", Read::Presence),
    ("retry-after", Read::Seconds),
    ("wechatpay-nonce", Read::Presence),
    ("wechatpay-serial", Read::Serial),
    ("wechatpay-signature", Read::Signature),
    ("wechatpay-signature-type", Read::Word(SCHEMES)),
    ("wechatpay-timestamp", Read::Presence),
];

const SCHEMES: &[&str] = &[SCHEME, "WECHATPAY-BRAND-SHA256-RSA2048"];
const LANGUAGES: &[&str] = &["zh", "en"];
const ACCEPTED: &[&str] = &["application/json", "*/*"];
const MEDIA_TYPES: &[&str] = &[
    "application/json",
    "application/json;charset=utf-8",
    "text/html",
    "text/html;charset=utf-8",
    "text/plain",
    "text/plain;charset=utf-8",
];
