//! A sealed request as it lies in the ledger: its JSON, packed.
//!
//! Two thirds of the JSON are ciphertexts in base64, and most of the rest is the same in every row. A million rows are a
//! gigabyte that is written twice, into the log and into the database, so this is what a load waits for. Packed, a
//! ciphertext is its bytes, and the text around it is LZ4 with a dictionary of what requests consist of.
//!
//! The first byte says how it is packed. A request that begins with `{` is the JSON itself, as it was stored before
//! there was anything else.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use lz4_flex::block::{compress_with_dict, decompress_with_dict};
use wxmember_crypto::KeyId;

/// Packs JSON without white space. What cannot be packed stays as it is.
pub(crate) fn pack(json: Vec<u8>, key_id: &KeyId) -> Vec<u8> {
    let mut text = Vec::with_capacity(json.len());
    let mut ciphertexts = Vec::with_capacity(json.len());
    let mut rest = json.as_slice();
    while let Some(quote) = memchr::memchr(b'"', rest) {
        let (before, behind) = rest.split_at(quote + 1);
        text.extend_from_slice(before);
        rest = behind;
        let Some(length) = memchr::memchr(b'"', behind).filter(|length| *length >= SHORTEST) else {
            continue;
        };
        let begin = ciphertexts.len();
        ciphertexts.extend_from_slice(&[0; 2]);
        // Only what is encoded again as it was.
        if BASE64_STANDARD
            .decode_vec(&behind[..length], &mut ciphertexts)
            .is_ok()
            && let Ok(size) = u16::try_from(ciphertexts.len() - begin - 2)
        {
            text.push(CIPHERTEXT);
            ciphertexts[begin..begin + 2].copy_from_slice(&size.to_le_bytes());
            rest = &behind[length..];
        } else {
            ciphertexts.truncate(begin);
        }
    }
    text.extend_from_slice(rest);
    let packed = compress_with_dict(&text, &dictionary(key_id));
    let (Ok(text_size), Ok(packed_size)) = (u16::try_from(text.len()), u16::try_from(packed.len())) else {
        return json;
    };
    // JSON has no such byte; whatever else this is, it stays as it is.
    if memchr::memchr(CIPHERTEXT, &json).is_some() {
        return json;
    }
    let mut stored = Vec::with_capacity(5 + packed.len() + ciphertexts.len());
    stored.push(PACKED);
    stored.extend_from_slice(&text_size.to_le_bytes());
    stored.extend_from_slice(&packed_size.to_le_bytes());
    stored.extend_from_slice(&packed);
    stored.extend_from_slice(&ciphertexts);
    stored
}

/// The JSON; `None` when the bytes are damaged.
pub(crate) fn unpack<'a>(stored: &'a [u8], key_id: &KeyId) -> Option<Cow<'a, [u8]>> {
    let Some((&PACKED, rest)) = stored.split_first() else {
        return Some(Cow::Borrowed(stored));
    };
    let (text_size, rest) = size(rest)?;
    let (packed_size, rest) = size(rest)?;
    let (packed, mut ciphertexts) = rest.split_at_checked(packed_size)?;
    let text = decompress_with_dict(packed, text_size, &dictionary(key_id)).ok()?;
    let mut json = Vec::with_capacity(text.len() + ciphertexts.len() * 4 / 3 + 8);
    let mut text = text.as_slice();
    while let Some(mark) = memchr::memchr(CIPHERTEXT, text) {
        let (length, rest) = size(ciphertexts)?;
        let (ciphertext, rest) = rest.split_at_checked(length)?;
        ciphertexts = rest;
        json.extend_from_slice(&text[..mark]);
        json.extend_from_slice(BASE64_STANDARD.encode(ciphertext).as_bytes());
        text = &text[mark + 1..];
    }
    json.extend_from_slice(text);
    ciphertexts.is_empty().then_some(Cow::Owned(json))
}

fn size(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (size, rest) = bytes.split_first_chunk()?;
    Some((usize::from(u16::from_le_bytes(*size)), rest))
}

/// What is most likely is last, where it is cheapest to point to.
fn dictionary(key_id: &KeyId) -> Vec<u8> {
    [WORDS.as_bytes(), key_id.as_str().as_bytes()].concat()
}

/// Shorter base64 is no ciphertext; an RSA key of 1,024 bits makes 172 characters.
const SHORTEST: usize = 128;
const PACKED: u8 = 1;
/// Stands for a ciphertext in the text. JSON escapes it where it means itself.
const CIPHERTEXT: u8 = 2;
/// Part of the format: another dictionary is another first byte.
const WORDS: &str = concat!(
    r#"{"card_id":"","request":{"platform_key_id":"","request":{"out_request_no":"","openid":"","bonus":0,"#,
    r#""membership_number":"","background_picture_url":"https://","card_picture_id":"","card_color":"COLOR0"#,
    r#"USER_FORM_FLAG_SEX"},{"name":"USER_FORM_FLAG_BIRTHDAY"},{"name":"USER_FORM_FLAG_EMAIL"#,
    r#"USER_FORM_FLAG_ADDRESS"},{"name":"USER_FORM_FLAG_DETAIL_LOCATION"},{"name":"USER_FORM_FLAG_CITY"#,
    r#"USER_FORM_FLAG_MOBILE"},"custom_field_list":[{"name":"","value_list":[""#,
    r#","date_information":{"type":"FIXED_TIME_RANGE","begin_time":"","available_begin_time":"2026-01-01T00:00:00+08:00"#,
    r#"","end_time":"","available_end_time":"2027-12-31T23:59:59+08:00"},"type":"FIXED_TERM","fixed_term":"#,
    r#"{"platform_key_id":"","request":{"brand_id":"","card_id":"","date_information":{"type":"PERMANENT"},"level":"","#,
    r#""phone_number":"#,
    "\"\u{2}\"",
    r#","pickup_time":"2020-01-01T00:00:00+08:00","user_card_code":"","#,
    r#""user_information":{"common_field_list":[{"name":"USER_FORM_FLAG_NAME","value":"#,
    "\"\u{2}\"",
    r#"}]}}}{"platform_key_id":"PUB_KEY_ID_0"#,
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key_id() -> KeyId {
        KeyId::new("PUB_KEY_ID_0119000001099144574229991586")
    }

    /// A request as the gateway makes it.
    fn json(level: &str) -> Vec<u8> {
        let ciphertext = |byte: u8| BASE64_STANDARD.encode([byte; 256]);
        format!(
            r#"{{"platform_key_id":"{}","request":{{"brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0",{}{}","phone_number":"{}","pickup_time":"2022-09-18T00:00:00+08:00","user_card_code":"K8ACA-000000006","user_information":{{"common_field_list":[{{"name":"USER_FORM_FLAG_NAME","value":"{}"}}]}}}}}}"#,
            key_id(),
            r#""date_information":{"type":"PERMANENT"},"level":""#,
            level,
            ciphertext(7),
            ciphertext(255),
        )
        .into_bytes()
    }

    #[test]
    fn a_request_is_little_more_than_its_ciphertexts() {
        let json = json("银卡会员");
        let stored = pack(json.clone(), &key_id());
        assert!(stored.len() < 2 * 256 + 140, "{} of {}", stored.len(), json.len());
        assert_eq!(unpack(&stored, &key_id()).as_deref(), Some(json.as_slice()));
    }

    /// Who searches a ledger's file for a text finds it as it is, were it ever in a request in clear: LZ4 writes down
    /// what it has not met. That holds for texts without four characters of the dictionary, of the key's id or twice.
    #[test]
    fn a_text_in_clear_would_be_seen_in_what_is_stored() {
        for text in [
            "13987654117",
            "标记姓名甲",
            "oMARKER-1x-gqzS4myYGmLZ7",
            "marker.a@zeichen-post.example",
        ] {
            let stored = pack(json(text), &key_id());
            assert!(stored.len() < json(text).len(), "it is packed");
            assert!(memchr::memmem::find(&stored, text.as_bytes()).is_some(), "{text}");
        }
    }

    #[test]
    fn what_was_stored_as_json_is_still_read() {
        let json = json("gold");
        assert_eq!(unpack(&json, &key_id()).as_deref(), Some(json.as_slice()));
    }

    #[test]
    fn what_is_no_json_stays_as_it_is() {
        for odd in [b"".as_slice(), b"\x02", b"{\x02}"] {
            assert_eq!(
                unpack(&pack(odd.to_vec(), &key_id()), &key_id()).as_deref(),
                Some(odd)
            );
        }
        let long = vec![b'{'; 70_000];
        assert_eq!(pack(long.clone(), &key_id()), long);
    }

    #[test]
    fn a_stored_request_that_lost_its_end_is_damaged() {
        let stored = pack(json("gold"), &key_id());
        for length in 1..stored.len() {
            assert_eq!(unpack(&stored[..length], &key_id()), None, "{length}");
        }
        assert_eq!(unpack(&[&stored, b"x".as_slice()].concat(), &key_id()), None);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(level in ".{0,40}", tail in "[A-Za-z0-9+/=\"\\\\]{0,400}") {
            let json = serde_json::to_vec(&(level, tail)).unwrap();
            let stored = pack(json.clone(), &key_id());
            let read = unpack(&stored, &key_id());
            prop_assert_eq!(read.as_deref(), Some(json.as_slice()));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let stored = [&[PACKED], bytes.as_slice()].concat();
            let _ = unpack(&stored, &key_id());
        }
    }
}
