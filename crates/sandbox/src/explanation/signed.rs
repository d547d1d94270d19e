//! What the client signed, where that can be found out: the common mistakes are made on purpose, one or two at a time,
//! until the signature verifies.
//!
//! A signature cannot be turned back into its message, so what is not on the list stays unknown. Must never change
//! what the gateway decides: it looks on afterwards.

use std::borrow::Cow;

use wxmember_crypto::{Certificate, Signature, party::Merchant};

use crate::refusal::Issue;

/// The parts of the message to sign, as the gateway takes them.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) timestamp: &'a str,
    pub(super) nonce: &'a str,
    pub(super) body: &'a [u8],
    /// The header `Host`.
    pub(super) host: &'a str,
}

/// What the signature turned out to be over.
pub(super) enum Signed {
    /// The gateway's own message.
    Same,
    /// Another message, known line by line: `None` where the line is the gateway's.
    Differs {
        lines: Vec<Option<Issue>>,
        ending: Option<Issue>,
    },
    /// No base64 of a signature.
    Malformed,
    /// Something else, or by another key.
    Unknown,
}

/// Finds out what a signature is over.
pub(super) fn find(message: Message<'_>, signature: &str, certificate: &Certificate<Merchant>) -> Signed {
    let signature = Signature::from_base64(signature).ok();
    let Some(signature) = signature.filter(|signature| signature.as_bytes().len() >= SHORTEST) else {
        return Signed::Malformed;
    };
    let verifies = |message: &[u8]| certificate.public_key().verify(message, &signature).is_ok();
    let variants = [
        methods(message.method),
        targets(message.target, message.host),
        timestamps(message.timestamp),
        nonces(message.nonce),
        bodies(message.body),
        endings(),
    ];
    for choice in choices(variants.each_ref().map(Vec::len)) {
        let mut chosen = variants.iter().zip(choice).map(|(variants, at)| &variants[at]);
        let mut next = || chosen.next().map_or(&b""[..], |variant| &variant.text);
        let lines = [next(), next(), next(), next(), next()];
        if verifies(&joined(lines, next())) {
            if choice == [0; 6] {
                return Signed::Same;
            }
            let mut issues = variants
                .iter()
                .zip(choice)
                .map(|(variants, at)| variants[at].issue());
            let mut next = || issues.next().flatten();
            return Signed::Differs {
                lines: vec![next(), next(), next(), next(), next()],
                ending: next(),
            };
        }
    }
    Signed::Unknown
}

/// One way to write a line; the first way of a list is the gateway's and says nothing.
struct Variant<'a> {
    text: Cow<'a, [u8]>,
    zh: &'static str,
    en: &'static str,
}

impl Variant<'_> {
    fn issue(&self) -> Option<Issue> {
        (!self.en.is_empty()).then(|| Issue::new(self.zh, self.en))
    }
}

fn own(text: &[u8]) -> Vec<Variant<'_>> {
    vec![Variant {
        text: text.into(),
        zh: "",
        en: "",
    }]
}

fn other(text: impl Into<Vec<u8>>, zh: &'static str, en: &'static str) -> Variant<'static> {
    Variant {
        text: Cow::Owned(text.into()),
        zh,
        en,
    }
}

fn methods(method: &str) -> Vec<Variant<'_>> {
    let mut variants = own(method.as_bytes());
    variants.push(other(
        method.to_ascii_lowercase(),
        "小写的方法",
        "the method in lower case",
    ));
    variants
}

fn targets<'a>(target: &'a str, host: &str) -> Vec<Variant<'a>> {
    let mut variants = own(target.as_bytes());
    if let Some((path, _)) = target.split_once('?') {
        variants.push(other(path, "缺少查询串", "the path without its query"));
    }
    if target.contains('%') {
        variants.push(other(
            percent_decoded(target),
            "百分号解码后的URL",
            "the URL after percent-decoding",
        ));
    }
    for origin in [
        format!("http://{host}"),
        format!("https://{host}"),
        "https://api.mch.weixin.qq.com".to_owned(),
    ] {
        variants.push(other(
            format!("{origin}{target}"),
            "含协议与主机的完整URL",
            "the whole URL, with scheme and host",
        ));
    }
    variants
}

fn timestamps(timestamp: &str) -> Vec<Variant<'_>> {
    let mut variants = own(timestamp.as_bytes());
    variants.push(other(
        format!("{timestamp}000"),
        "以毫秒为单位的时间戳",
        "the timestamp in milliseconds",
    ));
    variants.push(other("", "空的时间戳", "an empty timestamp"));
    variants
}

fn nonces(nonce: &str) -> Vec<Variant<'_>> {
    let mut variants = own(nonce.as_bytes());
    variants.push(other(
        nonce.to_ascii_lowercase(),
        "小写的随机串",
        "the nonce in lower case",
    ));
    variants.push(other(
        nonce.to_ascii_uppercase(),
        "大写的随机串",
        "the nonce in upper case",
    ));
    variants
}

fn bodies(body: &[u8]) -> Vec<Variant<'_>> {
    let mut variants = own(body);
    variants.push(other("", "空的请求体", "an empty body"));
    variants.push(other("{}", "{}", "`{}`"));
    variants.push(other("null", "null", "`null`"));
    let mut longer = body.to_vec();
    longer.push(b'\n');
    variants.push(other(
        longer,
        "末尾多一个换行",
        "the body with a line break behind it",
    ));
    let Ok(text) = str::from_utf8(body) else {
        return variants;
    };
    let trimmed = text.trim();
    variants.push(other(
        trimmed,
        "去除首尾空白的请求体",
        "the body without blanks around it",
    ));
    for blanks in [Blanks::None, Blanks::AfterSeparators] {
        for escapes in [Escapes::None, Escapes::NotAscii, Escapes::NotAsciiAndSlashes] {
            variants.push(other(
                rewritten(trimmed, blanks, escapes),
                "重新序列化的同一JSON",
                "the same JSON, written in another way: it was serialised twice",
            ));
        }
    }
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(trimmed) {
        variants.push(other(
            value.to_string(),
            "重新序列化的同一JSON（键名已排序）",
            "the same JSON with its names sorted: it was serialised twice",
        ));
    }
    variants
}

/// How the lines end: `\n` after each is the gateway's way.
fn endings() -> Vec<Variant<'static>> {
    let mut variants = own(EACH);
    variants.push(other(
        NOT_THE_LAST,
        "最后一行缺少换行",
        "no line break after the last line",
    ));
    variants.push(other(CRLF, "换行为\\r\\n", "lines that end in CR and LF"));
    variants.push(other(
        ESCAPED,
        "换行写成了两个字符\\n",
        "a backslash and an `n` in place of each line break",
    ));
    variants
}

/// Of 1,024 bits; a shorter one is no RSA signature.
const SHORTEST: usize = 128;

const EACH: &[u8] = b"\n";
const NOT_THE_LAST: &[u8] = b"";
const CRLF: &[u8] = b"\r\n";
const ESCAPED: &[u8] = b"\\n";

fn joined(lines: [&[u8]; 5], ending: &[u8]) -> Vec<u8> {
    let separator = if ending == NOT_THE_LAST { EACH } else { ending };
    let mut message = lines.join(separator);
    message.extend_from_slice(ending);
    message
}

/// Places in six lists: first none but the first of each, then every one that differs in one list, then in two.
fn choices(lengths: [usize; 6]) -> impl Iterator<Item = [usize; 6]> {
    let singles = (0..6).flat_map(move |list| (1..lengths[list]).map(move |at| (list, at)));
    let pairs = singles.clone().flat_map(move |(list, at)| {
        let later = (list + 1..6).flat_map(move |list| (1..lengths[list]).map(move |at| (list, at)));
        later.map(move |other| [(list, at), other])
    });
    let place = |(list, at): (usize, usize), mut choice: [usize; 6]| {
        choice[list] = at;
        choice
    };
    std::iter::once([0; 6])
        .chain(singles.map(move |one| place(one, [0; 6])))
        .chain(pairs.map(move |[one, two]| place(two, place(one, [0; 6]))))
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Blanks {
    AfterSeparators,
    None,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Escapes {
    None,
    NotAscii,
    NotAsciiAndSlashes,
}

/// The same JSON as other serialisers write it, names in their order; what is no JSON comes out as something else that
/// is none.
fn rewritten(json: &str, blanks: Blanks, escapes: Escapes) -> String {
    let mut text = String::with_capacity(json.len());
    let mut is_inside = false;
    let mut characters = json.chars();
    while let Some(character) = characters.next() {
        match (is_inside, character) {
            (false, ' ' | '\n' | '\r' | '\t') => {}
            (false, ',' | ':') => {
                text.push(character);
                if blanks == Blanks::AfterSeparators {
                    text.push(' ');
                }
            }
            (_, '"') => {
                is_inside = !is_inside;
                text.push(character);
            }
            (true, '\\') => {
                let Some(escaped) = characters.next() else { break };
                let unescaped = match escaped {
                    'u' => unicode_escape(characters.as_str()),
                    '/' => Some(('/', 0)),
                    _ => None,
                };
                match unescaped {
                    // What is plain in ASCII or a control character stays as it was escaped.
                    Some((unescaped, digits)) if unescaped == '/' || !unescaped.is_ascii() => {
                        for _ in 0..digits {
                            characters.next();
                        }
                        push(&mut text, unescaped, escapes);
                    }
                    _ => text.extend(['\\', escaped]),
                }
            }
            (true, character) => push(&mut text, character, escapes),
            (false, character) => text.push(character),
        }
    }
    text
}

fn push(text: &mut String, character: char, escapes: Escapes) {
    match character {
        '/' if escapes == Escapes::NotAsciiAndSlashes => text.push_str("\\/"),
        character if !character.is_ascii() && escapes != Escapes::None => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
        character => text.push(character),
    }
}

/// The character of the four digits after `\u`, and how many characters they take. Halves of a pair are left alone.
fn unicode_escape(rest: &str) -> Option<(char, usize)> {
    let digits = rest.get(..4)?;
    let unit = u32::from_str_radix(digits, 16).ok()?;
    char::from_u32(unit).map(|character| (character, 4))
}

/// Percent-decodes whatever can be decoded.
fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let digit = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        if let (b'%', [high, low, after @ ..]) = (byte, rest)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            bytes.push(high * 16 + low);
            rest = after;
        } else {
            bytes.push(*byte);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wxmember_crypto::{MerchantKey, PrivateKey};

    use super::*;
    use crate::testing;

    const BODY: &str = r#"{"level": "钻石", "url":"a\/b"}"#;

    fn message() -> Message<'static> {
        Message {
            method: "POST",
            target: "/v3/cards?a=%41",
            timestamp: "1796000000",
            nonce: "aB",
            body: BODY.as_bytes(),
            host: "127.0.0.1:1",
        }
    }

    fn found(signed: &[u8]) -> Signed {
        let parts = testing::parts();
        let key: MerchantKey = PrivateKey::from_pem(&parts.merchant_key_pem).unwrap();
        let certificate = Certificate::from_pem(&parts.merchant_certificate_pem).unwrap();
        find(message(), &key.sign(signed).unwrap().to_base64(), &certificate)
    }

    /// The lines that differ, the ending as the sixth.
    #[track_caller]
    fn check(signed: &str, expected: &[usize]) {
        let Signed::Differs { lines, ending } = found(signed.as_bytes()) else {
            panic!("not found: {signed:?}");
        };
        let differing: Vec<_> = lines
            .iter()
            .chain([&ending])
            .enumerate()
            .filter_map(|(index, issue)| issue.as_ref().map(|_| index + 1))
            .collect();
        assert_eq!(differing, expected, "{signed:?}");
    }

    #[test]
    fn common_mistakes_are_recognised_line_by_line() {
        let good = format!("POST\n/v3/cards?a=%41\n1796000000\naB\n{BODY}\n");
        assert!(matches!(found(good.as_bytes()), Signed::Same));
        let edited = |from: &str, to: &str| good.replacen(from, to, 1);
        check(&edited("POST", "post"), &[1]);
        check(&edited("?a=%41", ""), &[2]);
        check(&edited("%41", "A"), &[2]);
        check(&edited("/v3", "http://127.0.0.1:1/v3"), &[2]);
        check(&edited("1796000000", "1796000000000"), &[3]);
        check(&edited("aB", "AB"), &[4]);
        check(&edited(BODY, ""), &[5]);
        check(&edited(BODY, "{}"), &[5]);
        check(&edited(BODY, r#"{"level":"钻石","url":"a/b"}"#), &[5]);
        check(&edited(BODY, r#"{"level": "\u94bb\u77f3", "url": "a/b"}"#), &[5]);
        check(&edited(BODY, r#"{"level":"\u94bb\u77f3","url":"a\/b"}"#), &[5]);
        check(good.trim_end(), &[6]);
        check(&good.replace('\n', "\r\n"), &[6]);
        check(edited("?a=%41", "").trim_end(), &[2, 6]);
        assert!(matches!(found(b"something else"), Signed::Unknown));
    }

    #[test]
    fn what_is_no_signature_is_said_to_be_none() {
        let certificate = Certificate::from_pem(&testing::parts().merchant_certificate_pem).unwrap();
        for text in ["", "!", "WECHATPAY/SIGNTEST/"] {
            assert!(matches!(find(message(), text, &certificate), Signed::Malformed));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = (percent_decoded(&text), bodies(text.as_bytes()), targets(&text, &text));
        }
    }
}
