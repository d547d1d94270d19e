//! A signature that does not match: does it match something near? Then we know what happened to the message.

use std::borrow::Cow;

use wxmember::{KeyId, PlatformKey, UnixSeconds};
use wxmember_signing::{SignatureHeaders, verify};

use super::Known;

/// What would make the signature match, if anything near does.
pub(super) fn explain(
    headers: &SignatureHeaders<'_>,
    body: &[u8],
    signed_at: UnixSeconds,
    known: &Known,
) -> Option<String> {
    let named = KeyId::new(headers.serial.unwrap_or_default());
    for (id, key) in &known.0 {
        for (change, body) in near(body) {
            if !matches(headers, &body, signed_at, id, key) {
                continue;
            }
            let mut parts = Vec::new();
            if *id != named {
                parts.push(format!(
                    "under the key configured as {id}, so the header or the configured id is wrong"
                ));
            }
            if !change.is_empty() {
                parts.push(format!("{change}, so the body is not what was sent"));
            }
            return Some(format!("it does match {}", parts.join(" and ")));
        }
    }
    None
}

fn matches(
    headers: &SignatureHeaders<'_>,
    body: &[u8],
    signed_at: UnixSeconds,
    id: &KeyId,
    key: &PlatformKey,
) -> bool {
    let headers = SignatureHeaders {
        serial: Some(id.as_str()),
        ..*headers
    };
    let keyring = (id.clone(), key.clone());
    verify(&headers, body, signed_at, &keyring).is_ok()
}

/// The body itself, then what editors, shells and programs make of a body.
fn near(body: &[u8]) -> Vec<(&'static str, Cow<'_, [u8]>)> {
    let mut near = vec![("", Cow::Borrowed(body))];
    if let Some(shorter) = body.strip_suffix(b"\r\n").or_else(|| body.strip_suffix(b"\n")) {
        near.push(("without the line break at the end", shorter.into()));
    }
    near.push(("with a line break at the end", [body, b"\n"].concat().into()));
    if let Some(shorter) = body.strip_prefix(BYTE_ORDER_MARK) {
        near.push(("without the byte order mark at the front", shorter.into()));
    }
    if let Ok(text) = std::str::from_utf8(body) {
        near.push((
            "with line breaks of one byte",
            text.replace("\r\n", "\n").into_bytes().into(),
        ));
        near.push((
            "without blanks between the tokens",
            compact(text).into_bytes().into(),
        ));
    }
    near.push(("with an empty body", b"".as_slice().into()));
    near
}

/// JSON without blanks outside its strings, in the same order.
fn compact(text: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    text.trim_start_matches('\u{feff}')
        .chars()
        .filter(|character| {
            let keep = in_string || !matches!(character, ' ' | '\t' | '\n' | '\r');
            match character {
                '"' if !escaped => in_string = !in_string,
                _ => {}
            }
            escaped = in_string && *character == '\\' && !escaped;
            keep
        })
        .collect()
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn blanks_go_outside_of_strings_only() {
        assert_eq!(
            compact("\u{feff}{ \"a b\" : \"c \\\" d\\\\\" ,\r\n\t\"e\" : [ 1 , 2 ] }\n"),
            "{\"a b\":\"c \\\" d\\\\\",\"e\":[1,2]}"
        );
    }
}
