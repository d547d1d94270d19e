//! Headers that a recording lacks. Browsers take `Authorization` out of what they export, and many logs mask headers or keep
//! none, so that a header that is not there says nothing of what the merchant sent, unless the platform itself says so.

use super::answer_says;
use crate::{
    authorization::SCHEME,
    fixture::{CERTIFICATE, Exchange, Origin, PRESENT, PUBLIC_KEY},
    rule::{self, Rule},
};

/// The exchange with good headers in the place of those that its recording lacks; `None` when the refusal may well be
/// about one of them, and nobody can tell.
pub(super) fn completed(origin: Origin, exchange: &Exchange) -> Option<Exchange> {
    let mut whole = exchange.clone();
    // Who writes an example down says what is sent.
    if origin == Origin::Documentation {
        return Some(whole);
    }
    let left_out = match about_headers(exchange) {
        About::Nothing => &[],
        About::These(names) => names,
        About::Perhaps => return None,
    };
    // The answer is signed by the kind of key that the request names.
    let answered = exchange.response.headers.get("wechatpay-serial");
    let serial = match answered.map(String::as_str) {
        Some(CERTIFICATE) => CERTIFICATE,
        _ => PUBLIC_KEY,
    };
    for (name, word) in [
        ("accept", JSON),
        ("authorization", SCHEME),
        ("content-type", JSON),
        ("user-agent", PRESENT),
        ("wechatpay-serial", serial),
    ] {
        let is_of_no_use = name == "content-type" && exchange.request.body.is_none();
        if lacks(exchange, name) && !left_out.contains(&name) && !is_of_no_use {
            whole.request.headers.insert(name.to_owned(), word.to_owned());
        }
    }
    Some(whole)
}

/// Whether a header is not there, or masked. Of two headers nothing else is kept than that they were there.
fn lacks(exchange: &Exchange, name: &str) -> bool {
    match exchange.request.headers.get(name).map(String::as_str) {
        None => true,
        Some(PRESENT) => !matches!(name, "accept" | "user-agent"),
        Some(_) => false,
    }
}

/// Whether a refusal is about headers that its recording lacks.
enum About {
    Nothing,
    These(&'static [&'static str]),
    /// By status and code it may be, and no message tells.
    Perhaps,
}

fn about_headers(exchange: &Exchange) -> About {
    // Whoever says what was wrong has looked.
    if exchange.request.spoilt.is_some() {
        return About::Nothing;
    }
    let response = &exchange.response;
    let fitting = RULES.iter().filter(|(rule, names)| {
        let is_like_it = rule.status == response.status && Some(rule.code) == response.code();
        is_like_it && names.iter().any(|name| lacks(exchange, name))
    });
    let mut about = About::Nothing;
    for (rule, names) in fitting {
        match answer_says(response, rule) {
            Some(true) => return About::These(names),
            Some(false) => {}
            None => about = About::Perhaps,
        }
    }
    about
}

/// The rules about headers that are missing, or that say something else than they should.
static RULES: [(&Rule, &[&str]); 6] = [
    (&rule::CLIENT_HEADERS, &["accept", "user-agent"]),
    (&rule::AUTHORIZATION_MISSING, &["authorization"]),
    (&rule::AUTHORIZATION_SCHEME, &["authorization"]),
    (&rule::PLATFORM_SERIAL_MISSING, &["wechatpay-serial"]),
    (&rule::PLATFORM_SERIAL_UNKNOWN, &["wechatpay-serial"]),
    (&rule::CONTENT_TYPE, &["content-type"]),
];
const JSON: &str = "application/json";
