//! Places in a JSON body: where a pointer leads, and which of them hold what must go sealed.
//!
//! Must never tell a value: a place is named by its JSON Pointer.

use serde::Deserialize;
use serde_json::Value;
use wxmember_crypto::PlatformCiphertext;

/// The places a pointer with `*` leads to. A place that is not there is kept, so that it is reported.
pub(super) fn places(body: &Value, pointer: &str) -> Vec<String> {
    let mut places = vec![String::new()];
    for step in pointer
        .strip_prefix('/')
        .into_iter()
        .flat_map(|rest| rest.split('/'))
    {
        places = places
            .into_iter()
            .flat_map(|place| match body.pointer(&place) {
                Some(Value::Array(items)) if step == "*" => (0..items.len())
                    .map(|index| format!("{place}/{index}"))
                    .collect::<Vec<_>>(),
                _ => vec![format!("{place}/{step}")],
            })
            .collect();
    }
    places
}

/// What stands at a place whose content is personal.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Personal {
    pub(super) place: String,
    /// Otherwise it is in clear.
    pub(super) is_ciphertext: bool,
}

/// Everything that stands where `pattern`, a pointer of the document, seals. What is absent or null tells nothing.
///
/// A value of another form than the document's, such as a list where an object stands, counts as one in clear: what is
/// inside it is not known.
pub(super) fn personal(body: &Value, pattern: &str) -> Vec<Personal> {
    let steps: Vec<&str> = pattern.split('/').skip(1).collect();
    let mut found = Vec::new();
    walk(body, &steps, String::new(), &mut found);
    found
}

fn walk(value: &Value, steps: &[&str], place: String, found: &mut Vec<Personal>) {
    match (steps, value) {
        (_, Value::Null) => {}
        ([], value) => found.push(Personal {
            place,
            is_ciphertext: PlatformCiphertext::deserialize(value).is_ok(),
        }),
        (["*", rest @ ..], Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, rest, format!("{place}/{index}"), found);
            }
        }
        ([step, rest @ ..], Value::Object(members)) if *step != "*" => {
            if let Some(member) = members.get(&unescaped(step)) {
                walk(member, rest, format!("{place}/{step}"), found);
            }
        }
        _ => found.push(Personal {
            place,
            is_ciphertext: false,
        }),
    }
}

/// A step of a pointer as the name that it stands for (RFC 6901, section 4).
fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// Whether a text is what sealing writes.
pub(super) fn is_ciphertext(text: &str) -> bool {
    let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        serde::de::IntoDeserializer::into_deserializer(text);
    PlatformCiphertext::deserialize(text).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_star_is_every_element() {
        let body = json!({ "a": [{ "b": [1, 2] }, {}] });
        assert_eq!(places(&body, "/a/*/b/*"), ["/a/0/b/0", "/a/0/b/1", "/a/1/b/*"]);
        assert_eq!(places(&body, "/c"), ["/c"]);
    }

    #[track_caller]
    fn check(body: &Value, pattern: &str, expect: &[(&str, bool)]) {
        let found = personal(body, pattern);
        let found: Vec<_> = found
            .iter()
            .map(|personal| (&*personal.place, personal.is_ciphertext))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn what_stands_at_a_personal_place_is_in_clear_or_a_ciphertext() {
        let sealed = format!("{}==", "A".repeat(342));
        let list = json!({ "list": [{ "value": "广州" }, {}, { "value": sealed }, { "value": null }] });
        check(
            &list,
            "/list/*/value",
            &[("/list/0/value", false), ("/list/2/value", true)],
        );
        check(
            &json!({ "a": { "b": [[sealed], ["x"]] } }),
            "/a/b/*/*",
            &[("/a/b/0/0", true), ("/a/b/1/0", false)],
        );
        check(&json!({ "a/b": "x" }), "/a~1b", &[("/a~1b", false)]);
        // Too short, not base64, or no text at all.
        for value in [
            json!("QUJD"),
            json!(""),
            json!(13_800_138_000_u64),
            json!({}),
            json!([sealed]),
        ] {
            check(&json!({ "p": value }), "/p", &[("/p", false)]);
        }
    }

    /// What is inside a value of another form would leave unseen.
    #[test]
    fn another_form_than_the_documents_counts_as_in_clear() {
        let pattern = "/list/*/value";
        check(&json!({ "list": { "value": "x" } }), pattern, &[("/list", false)]);
        check(&json!({ "list": ["x"] }), pattern, &[("/list/0", false)]);
        check(&json!({ "list": "x" }), pattern, &[("/list", false)]);
        check(&json!(["x"]), pattern, &[("", false)]);
        check(&json!({ "other": "x", "list": null }), pattern, &[]);
        check(&Value::Null, pattern, &[]);
    }
}
