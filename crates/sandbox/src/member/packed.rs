//! A member at rest. A card as a tree of JSON takes some eight KiB, as a text less than one: the sandbox keeps texts,
//! and makes the tree when somebody looks.

use std::{collections::HashSet, sync::Arc};

use serde_json::Value;
use time::OffsetDateTime;
use wxmember_crypto::{FormValue, PhoneNumber};

use crate::member::{Card, Member, Stage};

/// What is kept of a member beside its template and its code.
pub(super) struct Packed {
    pub(super) openid: Box<str>,
    pub(super) phone_number: Option<PhoneNumber>,
    pub(super) stage: Stage,
    pub(super) ends_at: Option<OffsetDateTime>,
    pub(super) repeats: u64,
    /// The card's document.
    document: Box<str>,
    /// The personal fields, in the order of `places`.
    personal: Box<[FormValue]>,
    places: Places,
}

/// JSON Pointers of personal fields, sorted.
type Places = Arc<[Box<str>]>;

impl Packed {
    pub(super) fn member(&self, card_id: &str, user_card_code: &str) -> Member {
        let personal = self.places.iter().zip(&self.personal);
        Member {
            card_id: card_id.to_owned(),
            user_card_code: user_card_code.to_owned(),
            openid: self.openid.to_string(),
            phone_number: self.phone_number.clone(),
            card: Card {
                // It was written from a tree, so it can be read.
                document: serde_json::from_str(&self.document).unwrap_or(Value::Null),
                personal: personal
                    .map(|(place, value)| (place.to_string(), value.clone()))
                    .collect(),
            },
            stage: self.stage,
            ends_at: self.ends_at,
            repeats: self.repeats,
        }
    }
}

/// Packs members. Most of them have their personal fields at the same places, which are then kept once.
#[derive(Debug, Default)]
pub(super) struct Packer {
    known: HashSet<Places>,
}

impl Packer {
    pub(super) fn pack(&mut self, member: &Member) -> Packed {
        let places: Vec<Box<str>> = member
            .card
            .personal
            .keys()
            .map(|place| place.as_str().into())
            .collect();
        Packed {
            openid: member.openid.as_str().into(),
            phone_number: member.phone_number.clone(),
            stage: member.stage,
            ends_at: member.ends_at,
            repeats: member.repeats,
            document: member.card.document.to_string().into(),
            personal: member.card.personal.values().cloned().collect(),
            places: self.shared(places),
        }
    }

    fn shared(&mut self, places: Vec<Box<str>>) -> Places {
        if let Some(known) = self.known.get(places.as_slice()) {
            return Arc::clone(known);
        }
        // Whoever sends a new shape with each request must not fill the memory with them.
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        let places: Places = places.into();
        self.known.insert(Arc::clone(&places));
        places
    }
}

const MOST_KNOWN: usize = 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn member(places: &[&str]) -> Member {
        Member {
            card_id: "card".to_owned(),
            user_card_code: "a".to_owned(),
            openid: "o1".to_owned(),
            phone_number: Some(PhoneNumber::new("13800138000")),
            card: Card {
                document: json!({"phone_number": "", "level": "金卡", "number": 1, "list": [{"value": ""}]}),
                personal: places
                    .iter()
                    .map(|place| ((*place).to_owned(), FormValue::new(*place)))
                    .collect(),
            },
            stage: Stage::Unactivated,
            ends_at: Some(OffsetDateTime::UNIX_EPOCH),
            repeats: 3,
        }
    }

    #[test]
    fn a_member_comes_back_as_it_was() {
        let mut packer = Packer::default();
        let packed = member(&["/phone_number", "/list/0/value"]);
        let back = packer.pack(&packed).member("card", "a");
        assert_eq!(back.card.document, packed.card.document);
        assert_eq!(back.card.personal, packed.card.personal);
        assert_eq!(
            (back.stage, back.ends_at, back.repeats),
            (packed.stage, packed.ends_at, 3)
        );
        assert_eq!(
            (back.openid, back.phone_number),
            (packed.openid, packed.phone_number)
        );
    }

    #[test]
    fn places_are_kept_once_and_bounded() {
        let mut packer = Packer::default();
        let (one, other) = (packer.pack(&member(&["/a"])), packer.pack(&member(&["/a"])));
        assert!(Arc::ptr_eq(&one.places, &other.places));
        for number in 0..3 * MOST_KNOWN {
            packer.pack(&member(&[&format!("/list/{number}")]));
        }
        assert!(packer.known.len() <= MOST_KNOWN);
        assert_eq!(one.member("card", "a").card.personal.len(), 1);
    }
}
