//! The page for people: its files, from the binary, in English or Chinese.
//!
//! The page is filled in here with texts of a catalogue, never with anything that came from outside; its script asks
//! this address for everything else. No answer allows a script that does not come from here.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::input::{Problem, Query};

type Texts = BTreeMap<String, String>;

/// The language of the page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tongue {
    English,
    Chinese,
}

impl Tongue {
    fn named(name: &str) -> Option<Self> {
        match name {
            "en" => Some(Self::English),
            "zh" => Some(Self::Chinese),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// The one that was chosen before, or else the first of both that the browser wants.
    fn of_browser(headers: &HeaderMap) -> Self {
        let text = |name| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let mut cookies = text(header::COOKIE)
            .split(';')
            .filter_map(|cookie| cookie.trim().split_once('='));
        let chosen = cookies.find_map(|(name, value)| (name == COOKIE).then(|| Self::named(value)).flatten());
        let mut wanted = text(header::ACCEPT_LANGUAGE).split(',').filter_map(|language| {
            let start = language.trim().get(..2)?;
            Self::named(&start.to_ascii_lowercase())
        });
        chosen.or_else(|| wanted.next()).unwrap_or(Self::English)
    }

    fn page(self) -> &'static str {
        match self {
            Self::English => &ENGLISH_PAGE,
            Self::Chinese => &CHINESE_PAGE,
        }
    }
}

pub(super) async fn page(query: Query, headers: HeaderMap) -> Result<Response, Problem> {
    let query = query.only(&["lang"])?;
    let chosen = match query.text("lang") {
        None => None,
        Some(name) => {
            let tongue = Tongue::named(name);
            Some(tongue.ok_or_else(|| Problem::input("`lang` must be `en` or `zh`"))?)
        }
    };
    let tongue = chosen.unwrap_or_else(|| Tongue::of_browser(&headers));
    let mut response = shown("text/html; charset=utf-8", tongue.page());
    if let Some(chosen) = chosen {
        let cookie = format!(
            "{COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Strict; HttpOnly",
            chosen.name()
        );
        // The text is made of constants.
        if let Ok(cookie) = cookie.parse() {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    Ok(response)
}

pub(super) async fn file(Path(name): Path<String>) -> Result<Response, Problem> {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, text)) => Ok(shown(kind, text)),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "the page has no such file; it begins at /",
        )),
    }
}

fn shown(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::VARY, "Accept-Language, Cookie"),
    ];
    (headers, text).into_response()
}

/// The page with every `{{key}}` replaced by its text.
fn filled(tongue: Tongue, texts: &Texts) -> String {
    let mut page = String::with_capacity(PAGE.len() * 2);
    let mut parts = PAGE.split("{{");
    page.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (key, rest) = part.split_once("}}").unwrap_or((part, ""));
        match key {
            "@lang" => page.push_str(tongue.name()),
            key => push_escaped(&mut page, texts.get(key).map_or(key, String::as_str)),
        }
        page.push_str(rest);
    }
    page
}

fn push_escaped(page: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            character => page.push(character),
        }
    }
}

/// A broken catalogue shows its keys; a test reads both.
fn texts_of(catalogue: &str) -> Texts {
    serde_json::from_str(catalogue).unwrap_or_default()
}

static ENGLISH_PAGE: LazyLock<String> = LazyLock::new(|| filled(Tongue::English, &texts_of(ENGLISH)));
static CHINESE_PAGE: LazyLock<String> = LazyLock::new(|| filled(Tongue::Chinese, &texts_of(CHINESE)));

/// Nothing but this address, nothing inline, and no way from a text to markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const COOKIE: &str = "wxmember-sandbox-lang";

const PAGE: &str = include_str!("page/page.html");
const ENGLISH: &str = include_str!("page/en.json");
const CHINESE: &str = include_str!("page/zh.json");

const SCRIPT: &str = "text/javascript; charset=utf-8";
const JSON: &str = "application/json";

/// Every file beside the page, with its type.
const FILES: &[(&str, &str, &str)] = &[
    ("dom.js", SCRIPT, include_str!("page/dom.js")),
    ("en.json", JSON, ENGLISH),
    ("faults.js", SCRIPT, include_str!("page/faults.js")),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("journal.js", SCRIPT, include_str!("page/journal.js")),
    ("main.js", SCRIPT, include_str!("page/main.js")),
    ("overview.js", SCRIPT, include_str!("page/overview.js")),
    ("reference.js", SCRIPT, include_str!("page/reference.js")),
    ("request.js", SCRIPT, include_str!("page/request.js")),
    ("rules.js", SCRIPT, include_str!("page/rules.js")),
    ("server.js", SCRIPT, include_str!("page/server.js")),
    (
        "style.css",
        "text/css; charset=utf-8",
        include_str!("page/style.css"),
    ),
    ("texts.js", SCRIPT, include_str!("page/texts.js")),
    ("zh.json", JSON, CHINESE),
];

#[cfg(test)]
mod tests;
