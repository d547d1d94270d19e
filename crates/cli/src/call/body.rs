//! Puts a text into a JSON body, at a JSON Pointer (RFC 6901).

use serde_json::Value;

/// Puts a text at a place: a member that may be new, or an element that is there. Everything above must be there.
///
/// Gives the text back when there is no such place.
pub(crate) fn put(body: &mut Value, pointer: &str, text: String) -> Result<(), String> {
    let Some((above, last)) = pointer.rsplit_once('/') else {
        return Err(text);
    };
    let last = last.replace("~1", "/").replace("~0", "~");
    let place = match body.pointer_mut(above) {
        Some(Value::Object(members)) => Some(members.entry(last).or_insert(Value::Null)),
        Some(Value::Array(elements)) => last
            .parse::<usize>()
            .ok()
            .and_then(|index| elements.get_mut(index)),
        _ => None,
    };
    match place {
        Some(place) => {
            *place = Value::String(text);
            Ok(())
        }
        None => Err(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(pointer: &str, expected: Option<Value>) {
        let mut body = json!({"a": {"b": "old"}, "list": [{"value": 1}, "x"], "s/l~": {}});
        let put = put(&mut body, pointer, "new".to_owned()).ok();
        assert_eq!(put.map(|()| body), expected, "{pointer}");
    }

    #[test]
    fn a_text_takes_its_place() {
        check(
            "/c",
            Some(json!({"a": {"b": "old"}, "c": "new", "list": [{"value": 1}, "x"], "s/l~": {}})),
        );
        check(
            "/a/b",
            Some(json!({"a": {"b": "new"}, "list": [{"value": 1}, "x"], "s/l~": {}})),
        );
        check(
            "/list/0/value",
            Some(json!({"a": {"b": "old"}, "list": [{"value": "new"}, "x"], "s/l~": {}})),
        );
        check(
            "/list/1",
            Some(json!({"a": {"b": "old"}, "list": [{"value": 1}, "new"], "s/l~": {}})),
        );
        check(
            "/s~1l~0/c",
            Some(json!({"a": {"b": "old"}, "list": [{"value": 1}, "x"], "s/l~": {"c": "new"}})),
        );
    }

    #[test]
    fn what_lies_above_is_never_made_up() {
        for pointer in ["", "a", "/x/y", "/a/b/c", "/list/2", "/list/x"] {
            check(pointer, None);
        }
    }
}
