//! What fixtures say of the rules. `fixtures/evidence.json` is made from their replays, and a test holds it to them, so
//! that a rule shows its evidence without a replay.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixture::Origin;

/// One fixture's word on a rule.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Evidence {
    /// The fixture's file name, without `.json`.
    pub fixture: String,
    /// Whether it was recorded, or written from a page.
    pub origin: Origin,
    /// `confirms` or `contradicts`, as [`Verdict::word`](crate::replay::Verdict::word) has it.
    pub verdict: String,
}

impl Evidence {
    pub(crate) fn as_json(&self) -> Value {
        json!({"fixture": self.fixture, "origin": self.origin.word(), "verdict": self.verdict})
    }
}

pub(super) fn of_rule(id: &str) -> impl Iterator<Item = &'static Evidence> {
    EVIDENCE.get(id).into_iter().flatten()
}

/// Empty if the file were broken; a test reads it strictly.
static EVIDENCE: LazyLock<BTreeMap<String, Vec<Evidence>>> =
    LazyLock::new(|| serde_json::from_str(FILE).unwrap_or_default());

const FILE: &str = include_str!("../../fixtures/evidence.json");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::rules;

    #[test]
    fn the_file_can_be_read_and_speaks_of_rules_that_there_are() {
        let read: BTreeMap<String, Vec<Evidence>> = serde_json::from_str(FILE).unwrap();
        for id in read.keys() {
            assert!(rules().iter().any(|rule| rule.id == id), "{id}");
        }
        assert_eq!(read, *EVIDENCE);
    }
}
