//! What several targets claim: texts for people hold no secret, and what is read is written as it was.

use std::error::Error;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use wxmember::{CardUserInformation, PhoneNumber, Plaintext, SealedField};

/// Stands for a personal value or a secret. What is said about an input must not repeat it.
pub const MARKER: &str = "MaRkEr-7f3a";

/// Whether an input holds the marker, which its claims are then about.
pub(crate) fn has_marker(bytes: &[u8]) -> bool {
    contains(bytes, MARKER.as_bytes())
}

pub(crate) fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// An error as everybody may print it: both forms, and every cause.
pub(crate) fn shown(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    text
}

/// Claims that no text of an error repeats the marker.
#[track_caller]
pub(crate) fn silent(error: &(dyn Error + 'static)) {
    quiet(&shown(error));
}

/// The same of any text.
#[track_caller]
pub(crate) fn quiet(text: &str) {
    assert!(!text.contains(MARKER), "a text repeats what it must not: {text}");
}

/// What opens of the personal fields of a card. None of them is shown.
#[track_caller]
pub(crate) fn opened(
    phone: Option<&SealedField<PhoneNumber>>,
    information: Option<&CardUserInformation>,
) -> Vec<String> {
    fn open<T: Plaintext>(field: &SealedField<T>) -> Option<String> {
        quiet(&format!("{field:?}"));
        field.open().ok().map(|plain| plain.expose().to_owned())
    }
    let mut opened: Vec<String> = phone.into_iter().filter_map(open).collect();
    if let Some(information) = information {
        let common = &information.common_field_list;
        let common = common.iter().filter_map(|field| field.value.as_ref());
        let custom = &information.custom_field_list;
        let custom = custom.iter().flat_map(|field| &field.user_chosen_values);
        opened.extend(common.chain(custom).take(MOST_OPENED).filter_map(open));
    }
    opened
}

/// Claims that what `T` reads from `body` it writes without loss: the same again, and nothing that was not there.
/// Returns whether it could be read at all.
#[track_caller]
pub(crate) fn round_trip<T: DeserializeOwned + Serialize>(body: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<T>(body) else {
        return false;
    };
    let written = serde_json::to_vec(&read).expect("what was read is written");
    let again: T = serde_json::from_slice(&written).expect("what was written is read");
    let twice = serde_json::to_vec(&again).expect("what was read is written");
    assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&twice));
    // A name that stands twice has no one value to compare with.
    if let (Ok(whole), false) = (serde_json::from_slice::<Value>(body), has_twins(body)) {
        let written: Value = serde_json::from_slice(&written).expect("JSON was written");
        assert!(is_part(&written, &whole), "{written} is no part of {whole}");
    }
    true
}

/// Whether every value that was written stands at the same place of what was read. Empty lists and `null` are as good as
/// absent.
fn is_part(written: &Value, whole: &Value) -> bool {
    match (written, whole) {
        (Value::Object(written), Value::Object(whole)) => written
            .iter()
            .all(|(name, value)| is_part(value, whole.get(name).unwrap_or(&Value::Null))),
        (Value::Array(written), Value::Array(whole)) => {
            written.len() == whole.len() && written.iter().zip(whole).all(|(one, other)| is_part(one, other))
        }
        (Value::Array(written), Value::Null) => written.is_empty(),
        (Value::Object(written), Value::Null) => written.is_empty(),
        (written, whole) => written == whole,
    }
}

/// Whether some object may name a member twice: its names are then fewer than its colons outside texts.
fn has_twins(body: &[u8]) -> bool {
    let (mut colons, mut in_text, mut is_escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b':' if !in_text => colons += 1,
            _ => {}
        }
    }
    serde_json::from_slice(body).map_or(true, |value| names(&value) != colons)
}

fn names(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.len() + members.values().map(names).sum::<usize>(),
        Value::Array(items) => items.iter().map(names).sum(),
        _ => 0,
    }
}

/// Opening takes a millisecond.
const MOST_OPENED: usize = 3;
