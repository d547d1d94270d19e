//! Which value became which mark. It holds what was taken out, in memory only, so that the same value gets the same mark
//! and the finished fixture can be searched for leaks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Removed, input::Raw, words::Words};
use crate::fixture::{
    Exchange, Fixture,
    mark::{Kind, Mark},
};

/// Every value of a file by its mark.
pub(super) struct Marks {
    numbers: HashMap<String, u32>,
    /// Every moment of the file in nanoseconds, in order: a time is known by its place.
    moments: Vec<i128>,
    removed: BTreeMap<Removed, u64>,
}

impl Marks {
    /// Looks at every time of the file once, for their order.
    pub(super) fn new<'a>(exchanges: impl Iterator<Item = &'a Raw>) -> Self {
        let mut moments = BTreeSet::new();
        for raw in exchanges {
            moments.extend(raw.at().map(nanoseconds));
            for body in [&raw.request.body, &raw.response.body] {
                if let Ok(document) = serde_json::from_str::<Value>(body) {
                    times_of(&document, &mut moments);
                }
            }
        }
        Self {
            numbers: HashMap::new(),
            moments: moments.into_iter().collect(),
            removed: BTreeMap::new(),
        }
    }

    /// Notes that something was taken out.
    pub(super) fn count(&mut self, what: Removed) {
        *self.removed.entry(what).or_default() += 1;
    }

    pub(super) fn removed(&self) -> BTreeMap<Removed, u64> {
        self.removed.clone()
    }

    /// The mark of a value, of this kind.
    pub(super) fn mark(&mut self, value: &str, kind: Kind) -> Mark {
        self.count(match kind {
            Kind::Sealed => Removed::Ciphertext,
            Kind::Personal => Removed::Personal,
            Kind::Integer | Kind::Number => Removed::Number,
            Kind::Time { .. } => Removed::Time,
            Kind::Text { .. } => Removed::Identifier,
        });
        let number = match kind {
            Kind::Time { .. } => self.place(value),
            _ => {
                let next = u32::try_from(self.numbers.len())
                    .unwrap_or(u32::MAX)
                    .saturating_add(1);
                *self.numbers.entry(value.to_owned()).or_insert(next)
            }
        };
        Mark { kind, number }
    }

    /// Remembers a value that leaves no mark, so that it is looked for in the fixture.
    pub(super) fn remember(&mut self, value: &str, what: Removed) {
        self.count(what);
        let next = u32::try_from(self.numbers.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        self.numbers.entry(value.to_owned()).or_insert(next);
    }

    /// The mark of the moment of an exchange.
    pub(super) fn moment(&mut self, seconds: Option<i64>) -> Option<Mark> {
        let at = nanoseconds(seconds?);
        self.count(Removed::Time);
        Some(Mark {
            kind: Kind::Time {
                millis: false,
                utc: false,
            },
            number: self.place_of(at),
        })
    }

    fn place(&self, text: &str) -> u32 {
        let moment = OffsetDateTime::parse(text, &Rfc3339);
        moment.map_or(0, |moment| self.place_of(moment.unix_timestamp_nanos()))
    }

    fn place_of(&self, moment: i128) -> u32 {
        let place = self.moments.binary_search(&moment).unwrap_or_else(|place| place);
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// Whether a value that was taken out stands in a text of the fixture. Short ones must be a whole text to count:
    /// a `1` stands in every second mark.
    ///
    /// Not looked at is what the allow-list keeps whatever it says, since the same may have been taken out elsewhere:
    /// a `Retry-After: 60` is no leak of `Content-Length: 60`. [`Fixture::findings`] holds those places to the list.
    pub(super) fn leak_into(&self, fixture: &Fixture, words: &Words) -> bool {
        let mut searched = fixture.clone();
        searched.exchanges.iter_mut().for_each(without_kept);
        let Ok(document) = serde_json::to_value(&searched) else {
            return true;
        };
        // Most texts are marks, and the others come again and again; a file can hold a hundred thousand values.
        let mut texts = BTreeSet::new();
        texts_of(&document, &mut texts);
        let stands_in_one = |value: &str| match value.chars().count() < SHORTEST {
            true => texts.contains(value),
            false => texts.iter().any(|text| text.contains(value)),
        };
        self.numbers
            .keys()
            .any(|value| stands_in_one(value) && !words.has(value))
    }
}

/// Takes away headers, of which only words are kept, and the code of a refusal.
fn without_kept(exchange: &mut Exchange) {
    exchange.request.headers.clear();
    exchange.response.headers.clear();
    let is_refusal = !exchange.response.was_taken();
    let body = exchange.response.body.as_mut().and_then(Value::as_object_mut);
    if let Some(members) = body.filter(|_| is_refusal) {
        members.remove("code");
    }
}

fn nanoseconds(seconds: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000
}

fn times_of(value: &Value, moments: &mut BTreeSet<i128>) {
    match value {
        Value::String(text) => {
            let moment = OffsetDateTime::parse(text, &Rfc3339).ok();
            moments.extend(moment.map(OffsetDateTime::unix_timestamp_nanos));
        }
        Value::Array(elements) => elements.iter().for_each(|element| times_of(element, moments)),
        Value::Object(members) => members.values().for_each(|member| times_of(member, moments)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every text that is no mark, once.
fn texts_of<'a>(value: &'a Value, texts: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) if Mark::parse(text).is_some() => {}
        Value::String(text) => {
            texts.insert(text);
        }
        Value::Array(elements) => elements.iter().for_each(|element| texts_of(element, texts)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            texts.insert(name);
            texts_of(member, texts);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// From so many characters on, a value may not even be a part of a text.
const SHORTEST: usize = 4;
