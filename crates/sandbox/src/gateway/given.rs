//! The good answers that were given last, so that the fault `replayed-answer` can hand one out to another request.
//!
//! It stands for a proxy or a cache that hands out somebody else's answer: the platform's signature says who answered, not
//! to what. What is kept is the body as it went out, so its sealed fields are those of its time. Two bodies a merchant and
//! operation, never more. A reset forgets them; a request that was under way during the reset counts as one after it.

use std::{collections::HashMap, fmt};

use hyper::body::Bytes;
use serde_json::Value;

use super::Gateway;
use crate::{fault::Fault, lock::locked, spec::Operation};

/// The last answers that name a user card, by merchant and operation.
#[derive(Default)]
pub(crate) struct Given(HashMap<(String, String), Last>);

#[derive(Default)]
struct Last {
    latest: Option<About>,
    /// The latest one about another card than `latest`.
    other: Option<About>,
}

/// A body, and the card that it is about.
struct About {
    card: CardName,
    body: Bytes,
}

/// Template, where the answer has it, and code.
#[derive(Clone, Eq, PartialEq)]
struct CardName {
    card_id: Option<String>,
    code: String,
}

impl Gateway {
    /// The body that goes out: the right one, or, if the fault says so, one about another card.
    pub(super) fn body_of(
        &self,
        document: Option<Value>,
        mchid: &str,
        operation: &Operation,
        fault: Option<Fault>,
    ) -> Bytes {
        let Some(document) = document else {
            return Bytes::new();
        };
        let right = Bytes::from(document.to_string());
        let Some((code_name, card)) = named_in(&document, operation) else {
            return right;
        };
        let mut given = locked(&self.given);
        let last = given
            .0
            .entry((mchid.to_owned(), operation.id.clone()))
            .or_default();
        let other = match fault {
            Some(Fault::ReplayedAnswer) => {
                let earlier = last.about_another_than(&card);
                Some(earlier.unwrap_or_else(|| made_up(document, code_name)))
            }
            _ => None,
        };
        last.note(card, &right);
        other.unwrap_or(right)
    }
}

impl Last {
    fn about_another_than(&self, card: &CardName) -> Option<Bytes> {
        let mut both = [&self.latest, &self.other].into_iter().flatten();
        let another = both.find(|about| about.card != *card)?;
        Some(another.body.clone())
    }

    fn note(&mut self, card: CardName, body: &Bytes) {
        let body = body.clone();
        let before = self.latest.replace(About { card, body });
        let is_other = |before: &About| {
            let latest = self.latest.as_ref();
            latest.is_some_and(|latest| latest.card != before.card)
        };
        if let Some(before) = before.filter(is_other) {
            self.other = Some(before);
        }
    }
}

/// Bodies are people's; only how many there are is shown.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({})", self.0.len())
    }
}

/// The card that an answer is about, and the member that has its code.
fn named_in(document: &Value, operation: &Operation) -> Option<(&'static str, CardName)> {
    let code_name = operation.card_code()?;
    let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
    let card = CardName {
        card_id: text("card_id"),
        code: text(code_name)?,
    };
    Some((code_name, card))
}

/// The answer under another code, and another openid if it has one. What is sealed in it stays.
fn made_up(mut document: Value, code_name: &str) -> Bytes {
    for name in [code_name, "openid"] {
        if let Some(Value::String(text)) = document.get_mut(name) {
            // Both are never empty, and keep their length and their characters.
            let last = text.pop();
            text.push(if last == Some('0') { '1' } else { '0' });
        }
    }
    document.to_string().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::Spec;

    fn card(code: &str) -> CardName {
        CardName {
            card_id: Some("card".to_owned()),
            code: code.to_owned(),
        }
    }

    #[test]
    fn the_last_answer_about_another_card_is_handed_out() {
        let mut last = Last::default();
        let another = |last: &Last, code| {
            let body = last.about_another_than(&card(code));
            body.map(|body| String::from_utf8(body.to_vec()).unwrap())
        };
        assert_eq!(another(&last, "1"), None);
        last.note(card("1"), &Bytes::from("one"));
        assert_eq!(another(&last, "1"), None);
        assert_eq!(another(&last, "2").as_deref(), Some("one"));
        last.note(card("2"), &Bytes::from("two"));
        // The same card again does not push out the one before it.
        last.note(card("2"), &Bytes::from("two again"));
        assert_eq!(another(&last, "2").as_deref(), Some("one"));
        assert_eq!(another(&last, "1").as_deref(), Some("two again"));
        last.note(card("1"), &Bytes::from("one again"));
        assert_eq!(another(&last, "1").as_deref(), Some("two again"));
        assert_eq!(another(&last, "3").as_deref(), Some("one again"));
    }

    #[test]
    fn a_made_up_answer_has_another_code_and_openid_and_nothing_else() {
        let document = json!({"card_id": "c", "user_card_code": "1", "openid": "o0", "level": "0"});
        let made: Value = serde_json::from_slice(&made_up(document, "user_card_code")).unwrap();
        let expected = json!({"card_id": "c", "user_card_code": "0", "openid": "o1", "level": "0"});
        assert_eq!(made, expected);
        let made: Value = serde_json::from_slice(&made_up(json!({"code": "A0"}), "code")).unwrap();
        assert_eq!(made, json!({"code": "A1"}));
    }

    #[test]
    fn the_document_says_which_answers_name_a_card() {
        let spec = Spec::embedded().unwrap();
        let mut named: Vec<_> = spec
            .operations()
            .filter_map(|operation| Some((&*operation.id, operation.card_code()?)))
            .collect();
        named.sort_unstable();
        let expected = [
            ("confirm_coupon_exchange", "user_card_code"),
            ("confirm_user_card", "user_card_code"),
            ("find_user_card", "user_card_code"),
            ("import_by_openid", "user_card_code"),
            ("import_by_phone", "user_card_code"),
            ("import_phone_membercard", "code"),
            ("invalidate_user_card", "user_card_code"),
            ("push_user_feed", "user_card_code"),
            ("sync_user_points", "user_card_code"),
            ("update_user_card", "user_card_code"),
        ];
        assert_eq!(named, expected);
    }
}
