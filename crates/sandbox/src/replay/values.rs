//! Which value stands for which mark in a replay: made up for a request, or taken from the sandbox's own answer.

use std::collections::HashMap;

use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::fixture::mark::{Kind, Mark, moment};

/// Every mark that has a value by now.
#[derive(Debug, Default)]
pub(super) struct Values(HashMap<String, String>);

impl Values {
    /// The value of a text: a mark's, or the text itself.
    pub(super) fn of(&mut self, text: &str) -> String {
        if let Some(value) = self.0.get(text) {
            return value.clone();
        }
        let value = Mark::parse(text).map_or_else(|| text.to_owned(), Mark::value);
        self.0.insert(text.to_owned(), value.clone());
        value
    }

    /// The value that a text has already.
    pub(super) fn known(&self, text: &str) -> Option<&str> {
        self.0.get(text).map(String::as_str)
    }

    /// Lets a mark stand for what the sandbox made up.
    pub(super) fn bind(&mut self, text: &str, value: &str) {
        self.0.insert(text.to_owned(), value.to_owned());
    }

    /// The moment that a mark or a time stands for.
    pub(super) fn moment(&self, text: &str) -> Option<OffsetDateTime> {
        match Mark::parse(text) {
            Some(mark) => Some(moment(mark.number)),
            None => OffsetDateTime::parse(text, &Rfc3339).ok(),
        }
    }

    /// A body with values in the place of marks; `seal` makes a ciphertext for a mark at a member of this name.
    pub(super) fn filled(
        &mut self,
        value: &Value,
        name: &str,
        seal: &impl Fn(Mark, &str) -> Option<String>,
    ) -> Option<Value> {
        let filled = match value {
            Value::String(text) => match Mark::parse(text) {
                Some(mark) => self.filled_mark(mark, text, name, seal)?,
                None => self.of(text).into(),
            },
            Value::Array(elements) => {
                let elements = elements.iter().map(|element| self.filled(element, name, seal));
                elements.collect::<Option<Vec<_>>>()?.into()
            }
            Value::Object(members) => {
                let members = members.iter().map(|(name, member)| {
                    let filled = self.filled(member, name, seal)?;
                    Some((name.clone(), filled))
                });
                members.collect::<Option<Map<_, _>>>()?.into()
            }
            other => other.clone(),
        };
        Some(filled)
    }

    fn filled_mark(
        &mut self,
        mark: Mark,
        text: &str,
        name: &str,
        seal: &impl Fn(Mark, &str) -> Option<String>,
    ) -> Option<Value> {
        match mark.kind {
            Kind::Sealed => seal(mark, name).map(Value::from),
            Kind::Personal => Some(plain_of(mark, name).into()),
            Kind::Integer => Some(mark.number.into()),
            Kind::Number => Some((f64::from(mark.number) + 0.5).into()),
            Kind::Time { .. } | Kind::Text { .. } => Some(self.of(text).into()),
        }
    }
}

/// What is sealed for a mark: a phone number where one belongs, any text elsewhere.
pub(super) fn plain_of(mark: Mark, name: &str) -> String {
    match is_of_phone(name) {
        true => format!("138{:08}", mark.number % 100_000_000),
        false => mark.value(),
    }
}

/// Whether a member of this name holds a phone number.
pub(super) fn is_of_phone(name: &str) -> bool {
    name.contains("phone")
}
