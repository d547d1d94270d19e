//! What can differ between two answers: the headers that are there, the members of bodies, their types and kinds, and
//! which values are the same as before.

use serde_json::Value;

use super::{Answered, Difference, Weight, values::Values};
use crate::{
    fixture::{
        Exchange, Origin,
        mark::{Kind, Mark},
    },
    scrub::{is_ciphertext, response_word},
    spec::fields::pointer_to,
};

/// The headers that a fixture keeps.
pub(super) fn headers(exchange: &Exchange, answer: &Answered, differences: &mut Vec<Difference>) {
    let recorded = &exchange.response.headers;
    let ours: Vec<_> = answer
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), response_word(name, value)?)))
        .collect();
    let of_ours = |name: &str| {
        ours.iter()
            .find(|(own, _)| *own == name)
            .map(|(_, word)| word.as_str())
    };
    for (name, word) in recorded {
        let ours = of_ours(name);
        if ours != Some(word.as_str()) {
            // A charset more or less is nothing that a client sees.
            let is_same_type =
                name == "content-type" && media_type(word) == media_type(ours.unwrap_or_default());
            let weight = if is_same_type {
                Weight::Note
            } else {
                Weight::Difference
            };
            push(
                differences,
                &format!("header {name}"),
                word,
                ours.unwrap_or(ABSENT),
                weight,
            );
        }
    }
    for (name, word) in &ours {
        if !recorded.contains_key(*name) {
            push(
                differences,
                &format!("header {name}"),
                ABSENT,
                word,
                Weight::Difference,
            );
        }
    }
}

fn media_type(word: &str) -> &str {
    word.split(';').next().unwrap_or_default()
}

/// The bodies of two answers of the same kind.
pub(super) fn bodies(
    origin: Origin,
    exchange: &Exchange,
    answer: &Answered,
    values: &mut Values,
    differences: &mut Vec<Difference>,
) {
    let is_refusal = exchange.response.status >= 300;
    match (&exchange.response.body, &answer.body) {
        (None, None) => {}
        // Whoever wrote an example down may have left the answer out.
        (None, Some(_)) if origin == Origin::Documentation => {}
        (None, Some(_)) => push(differences, "body", ABSENT, "there", Weight::Difference),
        (Some(_), None) => push(differences, "body", "there", ABSENT, Weight::Difference),
        (Some(recorded), Some(ours)) => {
            let mut compared = Compared {
                origin,
                is_refusal,
                values,
                differences,
            };
            compared.value(recorded, ours, "");
        }
    }
}

struct Compared<'a> {
    origin: Origin,
    is_refusal: bool,
    values: &'a mut Values,
    differences: &'a mut Vec<Difference>,
}

impl Compared<'_> {
    fn value(&mut self, recorded: &Value, ours: &Value, at: &str) {
        match (recorded, ours) {
            (Value::Object(recorded), Value::Object(ours)) => {
                for (name, member) in recorded {
                    match ours.get(name) {
                        Some(ours) => self.value(member, ours, &pointer_to(at, name)),
                        None => self.differ(&pointer_to(at, name), "there", ABSENT, self.weight_of(name)),
                    }
                }
                for name in ours.keys().filter(|name| !recorded.contains_key(*name)) {
                    // An example may leave out what is optional.
                    let weight = match self.origin {
                        Origin::Documentation => Weight::Note,
                        Origin::Recorded => self.weight_of(name),
                    };
                    self.differ(&pointer_to(at, name), ABSENT, "there", weight);
                }
            }
            (Value::Array(recorded), Value::Array(ours)) => match (recorded.first(), ours.first()) {
                (Some(recorded), Some(ours)) => self.value(recorded, ours, &pointer_to(at, "0")),
                (None, None) => {}
                (Some(_), None) => self.differ(at, "elements", "an empty list", Weight::Note),
                (None, Some(_)) => self.differ(at, "an empty list", "elements", Weight::Note),
            },
            (Value::String(text), ours) => self.text(text, ours, at),
            (recorded, ours) => {
                let (recorded, ours) = (type_of(recorded), type_of(ours));
                if recorded != ours {
                    self.differ(at, recorded, ours, Weight::Difference);
                }
            }
        }
    }

    /// What no client may rely on in a refusal.
    fn weight_of(&self, name: &str) -> Weight {
        match self.is_refusal && matches!(name, "detail" | "value" | "message" | "issue") {
            true => Weight::Note,
            false => Weight::Difference,
        }
    }

    fn text(&mut self, recorded: &str, ours: &Value, at: &str) {
        let name = at.rsplit('/').next().unwrap_or_default();
        let mark = Mark::parse(recorded);
        let expected = match mark.map(|mark| mark.kind) {
            Some(Kind::Integer | Kind::Number) => "a number",
            _ => "a text",
        };
        if type_of(ours) != expected {
            return self.differ(at, expected, type_of(ours), Weight::Difference);
        }
        let Some(ours) = ours.as_str() else { return };
        match mark.map(|mark| mark.kind) {
            Some(Kind::Sealed) if !is_ciphertext(ours) => {
                self.differ(at, "sealed", "in clear", Weight::Difference)
            }
            Some(Kind::Personal) if is_ciphertext(ours) => {
                self.differ(at, "in clear", "sealed", Weight::Difference)
            }
            Some(Kind::Time { .. }) => match Kind::of_time(ours) {
                None => self.differ(at, "a time", "no time", Weight::Difference),
                // The sandbox gives back what it was given; what it adds has its own form.
                Some(kind) if Some(kind) != mark.map(|mark| mark.kind) => {
                    let shown = Mark { kind, number: 0 }.to_string();
                    self.differ(at, recorded, &shown, Weight::Note);
                }
                Some(_) => {}
            },
            Some(Kind::Text { .. }) => match self.values.known(recorded) {
                Some(known) if known == ours => {}
                Some(_) => self.differ(at, "the same value as before", "another", self.weight_of(name)),
                None => self.values.bind(recorded, ours),
            },
            Some(_) => {}
            None if recorded == ours => {}
            None if self.is_refusal => self.differ(at, recorded, ours, Weight::Note),
            None if is_word(recorded) || self.values.known(recorded).is_some() => {
                self.differ(at, recorded, ours, Weight::Difference);
            }
            // A value of an example, where the sandbox makes up another.
            None => {}
        }
    }

    fn differ(&mut self, at: &str, recorded: &str, ours: &str, weight: Weight) {
        let at = if at.is_empty() { "body" } else { at };
        push(self.differences, at, recorded, ours, weight);
    }
}

fn push(differences: &mut Vec<Difference>, at: &str, recorded: &str, sandbox: &str, weight: Weight) {
    differences.push(Difference {
        at: at.to_owned(),
        recorded: recorded.to_owned(),
        sandbox: sandbox.to_owned(),
        weight,
    });
}

/// Whether a text is a word of an enumeration.
fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') && text.len() > 1
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

const ABSENT: &str = "absent";
