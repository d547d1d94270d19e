//! Fixtures: real or documented exchanges with everything that identifies taken out, as evidence for or against our rules.
//!
//! The format is one JSON document, `wxmember-fixture/1`; `fixtures/README.md` describes it. Where a value stood, a
//! mark says what it was like: `<digits:11#2>`. A recorded fixture holds nothing else but marks, what the
//! API document itself spells out, booleans and a few numbers; [`Fixture::findings`] holds it to that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::policy::{Policies, PolicyChoice, PolicyError};

mod clean;
pub(crate) mod mark;

/// One or more exchanges with the platform, in order, and what was there before.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    format: Format,
    pub(crate) origin: Origin,
    /// Where it can be looked up; a documented one must have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    /// What a reader should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    #[serde(default)]
    pub(crate) given: Given,
    pub(crate) exchanges: Vec<Exchange>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Format {
    #[serde(rename = "wxmember-fixture/1")]
    One,
}

/// Where a fixture comes from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Origin {
    /// Written from an official page. The platform itself was not asked.
    Documentation,
    /// Recorded by a merchant, and scrubbed.
    Recorded,
}

impl Origin {
    /// The word that the format uses.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Documentation => "documentation",
            Self::Recorded => "recorded",
        }
    }
}

/// What the platform knew before the first exchange, and how the sandbox is set to play it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Given {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) templates: Vec<GivenTemplate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) members: Vec<GivenMember>,
    /// Policies by name, where another reading than the default is meant.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) policies: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenTemplate {
    pub(crate) brand_id: String,
    pub(crate) card_id: String,
}

#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenMember {
    pub(crate) brand_id: String,
    pub(crate) card_id: String,
    pub(crate) user_card_code: String,
    pub(crate) openid: String,
    /// The mark of the sealed field that held it, when it is known to be the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phone_number: Option<String>,
}

/// One request and its answer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    /// The operation's id in the API document.
    pub(crate) operation: String,
    /// When it was sent, as a mark or a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
    pub(crate) request: Request,
    pub(crate) response: Response,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) path: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) query: Map<String, Value>,
    /// Names in lower case; the values are known words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Value>,
    /// What was wrong with the request where no header or body can show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spoilt: Option<Spoilt>,
}

/// What the replay spoils after it has built a good request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Spoilt {
    Ciphertext,
    MerchantId,
    MerchantSerial,
    Nonce,
    /// What is sealed in the place of a phone number is none.
    PhoneNumber,
    PlatformSerial,
    Signature,
    Timestamp,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Response {
    pub(crate) status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    /// Absent when it was empty or nobody knows; [`NOT_JSON`] when it was something else than JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Value>,
}

/// Why a text is no fixture.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FixtureError {
    /// A policy that `given` names is unknown.
    #[error("`given.policies` cannot be used")]
    Policy(#[source] PolicyError),
    /// It is not JSON of this format.
    #[error("no fixture of the format `wxmember-fixture/1` (line {line}, column {column})")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A documented fixture does not say where it can be looked up.
    #[error("a fixture whose origin is `documentation` needs `source`, the address of the page")]
    WithoutSource,
}

impl Response {
    pub(crate) fn was_taken(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The error code, where there is one.
    pub(crate) fn code(&self) -> Option<&str> {
        self.text("code")
    }

    /// The message of a refusal, as far as it was kept.
    pub(crate) fn message(&self) -> Option<&str> {
        self.text("message")
    }

    fn text(&self, name: &str) -> Option<&str> {
        let text = self.body.as_ref()?.get(name)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }
}

impl Fixture {
    pub(crate) fn recorded(given: Given, exchanges: Vec<Exchange>) -> Self {
        Self {
            format: Format::One,
            origin: Origin::Recorded,
            source: None,
            note: None,
            given,
            exchanges,
        }
    }

    /// Reads one.
    ///
    /// # Errors
    ///
    /// [`FixtureError`]; it never repeats a value of the text.
    pub fn from_json(text: &str) -> Result<Self, FixtureError> {
        let fixture: Self = serde_json::from_str(text).map_err(|error| FixtureError::Syntax {
            line: error.line(),
            column: error.column(),
        })?;
        if fixture.origin == Origin::Documentation && fixture.source.is_none() {
            return Err(FixtureError::WithoutSource);
        }
        fixture.policies()?;
        Ok(fixture)
    }

    /// Writes it, with a line break at its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Where it comes from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// How many exchanges it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }

    /// A name that says what it shows and nothing of whose it is, such as `import_by_phone-400`.
    #[must_use]
    pub fn name(&self) -> String {
        self.exchanges.first().map_or_else(
            || "empty".to_owned(),
            |first| format!("{}-{}", first.operation, first.response.status),
        )
    }

    /// The places of a recorded fixture that hold something else than it may hold, as JSON Pointers: never the values.
    ///
    /// Empty for what [`scrub`](crate::scrub::scrub) writes, and for every documented fixture, whose values are public.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        match self.origin {
            Origin::Documentation => Vec::new(),
            Origin::Recorded => clean::findings(self),
        }
    }

    pub(crate) fn policies(&self) -> Result<Policies, FixtureError> {
        let mut policies = Policies::default();
        for (name, choice) in &self.given.policies {
            policies.choose(PolicyChoice::named(name, choice).map_err(FixtureError::Policy)?);
        }
        Ok(policies)
    }
}

/// A body that was there and was not JSON; nothing of it is kept.
pub(crate) const NOT_JSON: &str = "<not-json>";
/// A header that was there, whatever it said.
pub(crate) const PRESENT: &str = "<present>";
/// A signature that was a probe.
pub(crate) const PROBE: &str = "<probe>";
/// A `Wechatpay-Serial` that named a public key.
pub(crate) const PUBLIC_KEY: &str = "<public-key>";
/// A `Wechatpay-Serial` that named a certificate.
pub(crate) const CERTIFICATE: &str = "<certificate>";
