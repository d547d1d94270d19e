//! The members and their cards. They live in memory and die with the process; nothing here may reach a file or a log.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use serde_json::Value;
use wxmember_crypto::{Fingerprint, FormValue, KeyedHash, PhoneNumber, Plaintext};

use crate::{
    policy::{Policies, RepeatedMember, SecondCard, TakenCode},
    rule::{self, Rule},
};

/// A member's card, as the sandbox keeps it.
#[derive(Clone)]
pub struct Member {
    pub(crate) card_id: String,
    pub(crate) user_card_code: String,
    pub(crate) openid: String,
    pub(crate) phone_number: PhoneNumber,
    pub(crate) card: Card,
    pub(crate) repeats: u64,
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

    /// The made-up openid; the same phone number has the same one under the same keys.
    #[must_use]
    pub fn openid(&self) -> &str {
        &self.openid
    }

    /// The phone number, eleven digits.
    #[must_use]
    pub fn phone_number(&self) -> &PhoneNumber {
        &self.phone_number
    }

    /// What was sealed in the request, by JSON Pointer into the card, such as `/user_information/common_field_list/0/value`.
    pub fn personal_fields(&self) -> impl Iterator<Item = (&str, &FormValue)> {
        self.card
            .personal
            .iter()
            .map(|(pointer, value)| (pointer.as_str(), value))
    }

    /// The card without its personal fields, which are empty texts here.
    #[must_use]
    pub fn card(&self) -> &Value {
        &self.card.document
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
        &self,
        mut write: impl FnMut(&FormValue) -> Result<String, E>,
    ) -> Result<Value, E> {
        let mut document = self.document.clone();
        for (pointer, value) in &self.personal {
            if let Some(place) = document.pointer_mut(pointer) {
                *place = Value::String(write(value)?);
            }
        }
        Ok(document)
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Card(…, {} personal fields)", self.personal.len())
    }
}

/// Every card of every template.
#[derive(Debug)]
pub(crate) struct Members {
    by_code: BTreeMap<(String, String), Arc<Member>>,
    /// The code by template and phone number; the number as a keyed hash.
    by_phone: HashMap<(String, Fingerprint), String>,
    phone_hash: KeyedHash,
}

impl Members {
    pub(crate) fn new(hash_key: [u8; 32]) -> Self {
        Self {
            by_code: BTreeMap::new(),
            by_phone: HashMap::new(),
            phone_hash: KeyedHash::new(hash_key),
        }
    }

    /// Takes in a member, or finds the one that is there.
    pub(crate) fn import(
        &mut self,
        member: Member,
        policies: Policies,
    ) -> Result<Arc<Member>, &'static Rule> {
        let key = (member.card_id.clone(), member.user_card_code.clone());
        if let Some(existing) = self.by_code.get_mut(&key) {
            return match (existing.phone_number == member.phone_number, policies) {
                (
                    true,
                    Policies {
                        repeated_member: RepeatedMember::ReturnExisting,
                        ..
                    },
                ) => {
                    let existing = Arc::make_mut(existing);
                    existing.repeats = existing.repeats.saturating_add(1);
                    Ok(Arc::new(existing.clone()))
                }
                (
                    true,
                    Policies {
                        repeated_member: RepeatedMember::AlreadyExists,
                        ..
                    },
                ) => Err(&rule::REPEATED_MEMBER),
                (
                    false,
                    Policies {
                        taken_code: TakenCode::AlreadyExists,
                        ..
                    },
                ) => Err(&rule::CODE_TAKEN),
                (
                    false,
                    Policies {
                        taken_code: TakenCode::InvalidRequest,
                        ..
                    },
                ) => Err(&rule::CODE_TAKEN_AS_INVALID),
            };
        }
        let phone = (
            member.card_id.clone(),
            self.phone_hash.of("phone_number", &member.phone_number),
        );
        if self.by_phone.contains_key(&phone) && policies.second_card == SecondCard::Refuse {
            return Err(&rule::SECOND_CARD);
        }
        let member = Arc::new(member);
        self.by_phone.insert(phone, member.user_card_code.clone());
        self.by_code.insert(key, Arc::clone(&member));
        Ok(member)
    }

    /// A made-up openid that follows from the phone number and the sandbox's keys.
    pub(crate) fn openid_of(&self, phone: &PhoneNumber) -> String {
        let mut openid = format!("o{}", self.phone_hash.of("openid", phone));
        openid.truncate(28);
        openid
    }

    /// The members, by template and code.
    pub(crate) fn all(&self) -> Vec<Arc<Member>> {
        self.by_code.values().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_code.len()
    }

    pub(crate) fn find(&self, card_id: &str, user_card_code: &str) -> Option<Arc<Member>> {
        let key = (card_id.to_owned(), user_card_code.to_owned());
        self.by_code.get(&key).cloned()
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

    fn member(code: &str, phone: &str) -> Member {
        Member {
            card_id: "card".to_owned(),
            user_card_code: code.to_owned(),
            openid: "o".to_owned(),
            phone_number: PhoneNumber::new(phone),
            card: Card {
                document: json!({"phone_number": ""}),
                personal: [("/phone_number".to_owned(), FormValue::new(phone))].into(),
            },
            repeats: 0,
        }
    }

    fn members() -> Members {
        let mut members = Members::new([7; 32]);
        members
            .import(member("a", "13800138000"), Policies::default())
            .unwrap();
        members
    }

    #[track_caller]
    fn check(policies: Policies, code: &str, phone: &str, expected: Result<u64, &'static Rule>) {
        let mut members = members();
        let result = members.import(member(code, phone), policies);
        assert_eq!(result.map(|member| member.repeats), expected);
    }

    #[test]
    fn duplicates_follow_the_policies() {
        let default = Policies::default();
        check(default, "a", "13800138000", Ok(1));
        check(default, "a", "13800138001", Err(&rule::CODE_TAKEN));
        check(default, "b", "13800138000", Err(&rule::SECOND_CARD));
        check(default, "b", "13800138001", Ok(0));
        let other = Policies {
            repeated_member: RepeatedMember::AlreadyExists,
            second_card: SecondCard::Allow,
            taken_code: TakenCode::InvalidRequest,
            ..Policies::default()
        };
        check(other, "a", "13800138000", Err(&rule::REPEATED_MEMBER));
        check(other, "a", "13800138001", Err(&rule::CODE_TAKEN_AS_INVALID));
        check(other, "b", "13800138000", Ok(0));
    }

    #[test]
    fn a_repeat_is_counted_on_the_member_that_is_kept() {
        let mut members = members();
        members
            .import(member("a", "13800138000"), Policies::default())
            .unwrap();
        assert_eq!(members.find("card", "a").unwrap().repeats(), 1);
        assert_eq!(members.len(), 1);
        assert!(members.find("card", "b").is_none());
    }

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
    fn debug_shows_no_person() {
        let members = members();
        let member = &members.all()[0];
        let shown = format!("{members:?} {member:?} {:?}", member.card);
        assert!(!shown.contains("13800138000"), "{shown}");
    }
}
