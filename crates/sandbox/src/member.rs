//! A member's card. It lives in memory and dies with the process; nothing here may reach a file or a log.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;
use time::OffsetDateTime;
use wxmember_crypto::{FormValue, PhoneNumber, Plaintext};

mod packed;
pub(crate) mod store;

/// A member's card, as the sandbox keeps it.
#[derive(Clone)]
pub struct Member {
    pub(crate) card_id: String,
    pub(crate) user_card_code: String,
    pub(crate) openid: String,
    pub(crate) phone_number: Option<PhoneNumber>,
    pub(crate) card: Card,
    pub(crate) stage: Stage,
    /// The last moment of validity; `None` is forever.
    pub(crate) ends_at: Option<OffsetDateTime>,
    pub(crate) repeats: u64,
}

/// How far a card has come. That it expired follows from the time and is kept nowhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    Unactivated,
    Effective,
    Invalid,
}

impl Member {
    /// The card template.
    #[must_use]
    pub fn card_id(&self) -> &str {
        &self.card_id
    }

    /// The code of this member's card.
    #[must_use]
    pub fn user_card_code(&self) -> &str {
        &self.user_card_code
    }

    /// The member's openid: as it was imported, or made up for a phone number. The same number has the same one under
    /// the same keys.
    #[must_use]
    pub fn openid(&self) -> &str {
        &self.openid
    }

    /// The phone number, eleven digits; `None` for a member who was imported by openid without one.
    #[must_use]
    pub fn phone_number(&self) -> Option<&PhoneNumber> {
        self.phone_number.as_ref()
    }

    /// What was sealed in the request, by JSON Pointer into the card, such as `/user_information/common_field_list/0/value`.
    pub fn personal_fields(&self) -> impl Iterator<Item = (&str, &FormValue)> {
        self.card
            .personal
            .iter()
            .map(|(pointer, value)| (pointer.as_str(), value))
    }

    /// The card without its personal fields, which are empty texts here. Its state is the one that was set last.
    #[must_use]
    pub fn card(&self) -> &Value {
        &self.card.document
    }

    /// The card as an answer shows it at a time.
    pub(crate) fn shown(&self, now: OffsetDateTime) -> Card {
        self.clone().into_shown(now)
    }

    /// The same, of a member that is not needed any more.
    pub(crate) fn into_shown(mut self, now: OffsetDateTime) -> Card {
        self.card.document["user_card_state"] = self.state(now).into();
        self.card
    }

    /// `user_card_state` at a time.
    pub(crate) fn state(&self, now: OffsetDateTime) -> &'static str {
        state_at(self.stage, self.ends_at, now)
    }

    /// Moves the card to a stage, and says so in its document.
    pub(crate) fn set_stage(&mut self, stage: Stage) {
        self.stage = stage;
        self.card.document["user_card_state"] = match stage {
            Stage::Unactivated => "UNACTIVATED",
            Stage::Effective => "EFFECTIVE",
            Stage::Invalid => "INVALID",
        }
        .into();
    }

    /// How often the same member came again after the first import.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        self.repeats
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("card_id", &self.card_id)
            .field("user_card_code", &self.user_card_code)
            .field("repeats", &self.repeats)
            .finish_non_exhaustive()
    }
}

/// `user_card_state` at a time.
fn state_at(stage: Stage, ends_at: Option<OffsetDateTime>, now: OffsetDateTime) -> &'static str {
    let is_over = ends_at.is_some_and(|end| end < now);
    match stage {
        Stage::Invalid => "INVALID",
        Stage::Effective | Stage::Unactivated if is_over => "EXPIRED",
        Stage::Effective => "EFFECTIVE",
        Stage::Unactivated => "UNACTIVATED",
    }
}

/// A JSON document whose personal fields are kept apart from it.
#[derive(Clone)]
pub(crate) struct Card {
    /// The document, with an empty text at each place of a personal field.
    pub(crate) document: Value,
    /// The personal fields by JSON Pointer.
    pub(crate) personal: BTreeMap<String, FormValue>,
}

impl Card {
    /// The document with each personal field written by `write`.
    pub(crate) fn filled<E>(
        self,
        mut write: impl FnMut(&FormValue) -> Result<String, E>,
    ) -> Result<Value, E> {
        let mut document = self.document;
        for (pointer, value) in &self.personal {
            if let Some(place) = document.pointer_mut(pointer) {
                *place = Value::String(write(value)?);
            }
        }
        Ok(document)
    }

    /// Replaces a member of the document, and what is personal below it, by that of another one.
    pub(crate) fn replace(&mut self, name: &str, value: Value, personal: &BTreeMap<String, FormValue>) {
        let pointer = format!("/{name}");
        let is_below = |other: &str| {
            other
                .strip_prefix(&pointer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.document[name] = value;
        self.personal.retain(|other, _| !is_below(other));
        let added = personal.iter().filter(|(other, _)| is_below(other));
        self.personal
            .extend(added.map(|(other, value)| (other.clone(), value.clone())));
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Card(…, {} personal fields)", self.personal.len())
    }
}

/// A mainland mobile number as eleven digits; `None` when it is none.
///
/// The documents do not say whether the country code belongs to the field, so both ways are taken.
pub(crate) fn mainland_number(text: &impl Plaintext) -> Option<PhoneNumber> {
    let digits = text.expose();
    let digits = digits.strip_prefix("+86").unwrap_or(digits);
    match digits.as_bytes() {
        [b'1', b'3'..=b'9', rest @ ..] if rest.len() == 9 && rest.iter().all(u8::is_ascii_digit) => {
            Some(PhoneNumber::new(digits))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mainland_numbers_are_taken_with_and_without_the_country_code() {
        for (text, expected) in [
            ("13800138000", Some("13800138000")),
            ("+8619912345678", Some("19912345678")),
            ("12800138000", None),
            ("1380013800", None),
            ("138001380000", None),
            ("+8513800138000", None),
            ("8613800138000", None),
            ("1380013800０", None),
            (" 13800138000", None),
            ("", None),
        ] {
            let number = mainland_number(&FormValue::new(text));
            assert_eq!(number.as_ref().map(Plaintext::expose), expected, "{text}");
        }
    }

    #[test]
    fn a_member_is_replaced_with_all_that_is_personal_below_it() {
        let value = |text: &str| FormValue::new(text);
        let mut card = Card {
            document: json!({"phone_number": "", "phone_number_2": "", "form": {"list": ["", ""]}}),
            personal: [
                ("/phone_number".to_owned(), value("a")),
                ("/phone_number_2".to_owned(), value("b")),
                ("/form/list/0".to_owned(), value("c")),
                ("/form/list/1".to_owned(), value("d")),
            ]
            .into(),
        };
        let new = [
            ("/phone_number".to_owned(), value("e")),
            ("/form/list/0".to_owned(), value("f")),
        ]
        .into();
        card.replace("phone_number", json!(""), &new);
        card.replace("form", json!({"list": [""]}), &new);
        assert_eq!(card.personal.len(), 3);
        let filled = card
            .filled(|value| Ok::<_, ()>(value.expose().to_owned()))
            .unwrap();
        let expected = json!({"phone_number": "e", "phone_number_2": "b", "form": {"list": ["f"]}});
        assert_eq!(filled, expected);
    }
}
