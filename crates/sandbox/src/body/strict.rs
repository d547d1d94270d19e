//! JSON read once, and refused when an object has a name twice: parsers disagree on which of the two they take, so a
//! check of one and a use of the other would be a hole.

use std::cell::RefCell;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::place::Place;

/// Why a text is not read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Unreadable {
    /// A name stands twice; the pointer leads to it, or to its object when it does not look like a name.
    Duplicate(String),
    /// No JSON, or nested too deeply.
    NotJson,
}

/// Reads a whole text.
pub(super) fn read(text: &str) -> Result<Value, Unreadable> {
    let duplicate = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Seed {
        place: &Place::WHOLE,
        duplicate: &duplicate,
    };
    let read = seed
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|_| {
        let duplicate = duplicate.borrow_mut().take();
        duplicate.map_or(Unreadable::NotJson, Unreadable::Duplicate)
    })
}

struct Seed<'a> {
    /// Where the value stands.
    place: &'a Place<'a>,
    duplicate: &'a RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(Seed {
            place: &self.place.element(list.len()),
            duplicate: self.duplicate,
        })? {
            list.push(element);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let place = self.place.member(&name);
            if map.contains_key(&name) {
                self.duplicate.replace(Some(place.pointer()));
                return Err(A::Error::custom("a name stands twice"));
            }
            let value = members.next_value_seed(Seed {
                place: &place,
                duplicate: self.duplicate,
            })?;
            map.insert(name, value);
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<Value, Unreadable>) {
        assert_eq!(read(text), expected, "{text}");
    }

    #[test]
    fn a_name_that_stands_twice_is_found_at_every_depth() {
        let twice = |pointer: &str| Err(Unreadable::Duplicate(pointer.to_owned()));
        check(r#"{"a":1,"a":1}"#, twice("/a"));
        check(r#"{"a":1,"\u0061":2}"#, twice("/a"));
        check(r#"{"b":{"c":[0,{"d":1,"d":2}]}}"#, twice("/b/c/1/d"));
        // What does not look like a name is not repeated.
        check(r#"{"b":{"MARKER":1,"MARKER":2}}"#, twice("/b"));
        check(
            r#"{"a":{"b":1},"b":{"a":1}}"#,
            Ok(json!({"a": {"b": 1}, "b": {"a": 1}})),
        );
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "{",
            "{} {}",
            "nul",
            "1e999",
            "{\"a\":1,}",
            "\"\\ud800\"",
            &deep,
        ] {
            check(text, Err(Unreadable::NotJson));
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_reads(text in r#"[ -~]{0,40}|(\{"[ab]":[0-9.e-]{1,4}\})|(\[(true|null|-?[0-9]{1,20}),"[^"\\]{0,5}"\])"#) {
            match (read(&text), serde_json::from_str::<Value>(&text)) {
                (Ok(one), Ok(other)) => prop_assert_eq!(one, other),
                (Err(Unreadable::NotJson), Err(_)) | (Err(Unreadable::Duplicate(_)), _) => {}
                (one, other) => prop_assert!(false, "{:?} {:?}", one, other),
            }
        }
    }
}
