//! Replays a fixture against the sandbox: sets its state, builds every request anew, signs and seals it for the sandbox's
//! own keys, and holds the answer against the recorded one.
//!
//! What differs is evidence: for each exchange it is said which [`Rule`](crate::Rule) it confirms or contradicts. Only
//! what a fixture can show is compared: status, error code, headers, the shape of bodies, and which values are the same.

use std::fmt;

use serde_json::Value;
use thiserror::Error;

use crate::{
    clock::Clock,
    fixture::{Exchange, Fixture, FixtureError, Origin, mark::moment},
    identity::{Identity, IdentityError},
    operations::Preloaded,
    replay::{built::Builder, values::Values},
    rule::{Rule, rules},
    sandbox::{Sandbox, StartError},
};

mod built;
mod compared;
mod values;

/// What came of every exchange of a fixture.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Replayed {
    /// The exchanges, in order.
    pub exchanges: Vec<ReplayedExchange>,
}

impl Replayed {
    /// Whether nothing differs, notes aside.
    #[must_use]
    pub fn holds(&self) -> bool {
        let mut all = self.exchanges.iter().flat_map(|exchange| &exchange.differences);
        all.all(|difference| difference.weight == Weight::Note)
    }
}

/// One exchange, recorded and replayed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReplayedExchange {
    /// The operation's id.
    pub operation: String,
    /// The recorded status.
    pub status: u16,
    /// What it says about a rule.
    pub verdict: Verdict,
    /// The rule that the verdict is about, or that the sandbox refused by.
    pub rule: Option<&'static Rule>,
    /// What differs, in the order of status, headers and body.
    pub differences: Vec<Difference>,
}

/// What an exchange says.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// Both took the request; rules were not asked.
    Accepted,
    /// Both refused it, with the same status and code.
    Confirms,
    /// The sandbox refused what was taken, or refused it otherwise.
    Contradicts,
    /// It was refused, and the sandbox has no rule that does so.
    Missing,
    /// The answer does not follow from what a fixture shows: a quota, a failure, or a signature that was wrong.
    NotJudged,
}

impl Verdict {
    /// The word that tables and JSON use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Confirms => "confirms",
            Self::Contradicts => "contradicts",
            Self::Missing => "missing",
            Self::NotJudged => "not_judged",
        }
    }
}

/// One thing that differs. Its texts hold marks, names and made-up values, as fixtures do.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// Where: `status`, `code`, `header request-id`, or a JSON Pointer into the body.
    pub at: String,
    /// What was recorded there.
    pub recorded: String,
    /// What the sandbox has there.
    pub sandbox: String,
    /// Whether it counts.
    pub weight: Weight,
}

/// How much a difference says.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Weight {
    /// The sandbox is wrong, or the fixture is.
    Difference,
    /// Nothing that a client may rely on: the wording of a message, a member that an example leaves out.
    Note,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: recorded {}, sandbox {}",
            self.at, self.recorded, self.sandbox
        )
    }
}

/// Why a fixture cannot be replayed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// An exchange cannot be built: its operation is unknown, or a part of its path is missing.
    #[error("exchange {number} cannot be built: {what}")]
    Exchange {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// What is given is unusable.
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    /// A card that is given could not be made.
    #[error("`given.members`: the sandbox refuses one of them by the rule {rule}")]
    Given {
        /// The rule's id.
        rule: &'static str,
    },
    /// Keys could not be made.
    #[error("no keys could be made")]
    Identity(#[source] IdentityError),
    /// The sandbox did not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Replays a fixture against a sandbox of its own. Making its keys takes some 100 ms of a core.
///
/// # Errors
///
/// [`ReplayError`]: the fixture is unusable, or no sandbox can be started.
pub async fn replay(fixture: &Fixture) -> Result<Replayed, ReplayError> {
    let clock = Clock::manual(moment(0).unix_timestamp());
    let identity = Identity::generate(&clock).map_err(ReplayError::Identity)?;
    replay_with(fixture, identity).await
}

/// Replays a fixture with given keys. The identity's brands and templates make way for the fixture's.
///
/// # Errors
///
/// [`ReplayError`], as [`replay`].
pub async fn replay_with(fixture: &Fixture, mut identity: Identity) -> Result<Replayed, ReplayError> {
    let mut values = Values::default();
    let templates = fixture.given.templates.iter().map(|template| Preloaded {
        brand_id: values.of(&template.brand_id),
        card_id: values.of(&template.card_id),
        notify_url: None,
    });
    identity.templates = templates.collect();
    let brands = brands_of(fixture);
    if let Some(party) = identity.parties.first_mut() {
        party.brands = brands.iter().map(|brand| values.of(brand)).collect();
    }
    let started_at = moment(0).unix_timestamp();
    let sandbox = Sandbox::builder()
        .with_identity(identity)
        .with_platform_certificates(usize::from(fixture.names_certificates()))
        .with_policies(fixture.policies()?)
        .with_clock(Clock::manual(started_at))
        .start()
        .await?;
    let replayed = exchanges(fixture, &sandbox, &mut values);
    sandbox.shutdown().await;
    replayed
}

fn exchanges(fixture: &Fixture, sandbox: &Sandbox, values: &mut Values) -> Result<Replayed, ReplayError> {
    let builder = Builder::new(sandbox)?;
    for member in &fixture.given.members {
        builder.give(sandbox, member, values)?;
    }
    let mut replayed = Vec::new();
    for (index, exchange) in fixture.exchanges.iter().enumerate() {
        let number = index + 1;
        if let Some(at) = exchange.at.as_deref().and_then(|at| values.moment(at)) {
            let shift = at.unix_timestamp() - moment(0).unix_timestamp();
            sandbox.clock().set_shift(shift);
        }
        let built = builder
            .request(exchange, values)
            .map_err(|what| ReplayError::Exchange { number, what })?;
        let answer = built.send(sandbox);
        let refused_by = sandbox.journal().last().and_then(|entry| entry.rule);
        let rule = refused_by.and_then(|id| rules().iter().find(|rule| rule.id == id).copied());
        replayed.push(judged(fixture.origin, exchange, &answer, rule, values));
    }
    Ok(Replayed { exchanges: replayed })
}

/// Every brand that the fixture speaks of: the merchant may act for them all.
fn brands_of(fixture: &Fixture) -> Vec<String> {
    let given = fixture
        .given
        .templates
        .iter()
        .map(|template| template.brand_id.clone());
    let asked = fixture
        .exchanges
        .iter()
        .filter(|exchange| exchange.response.status != 403);
    let asked = asked.flat_map(|exchange| {
        let body = exchange
            .request
            .body
            .as_ref()
            .and_then(|body| body.get("brand_id"));
        let texts = [body, exchange.request.query.get("brand_id")];
        texts.map(|text| text.and_then(Value::as_str).map(str::to_owned))
    });
    let mut brands: Vec<_> = given.chain(asked.flatten()).collect();
    brands.sort();
    brands.dedup();
    brands
}

/// What the sandbox answered.
struct Answered {
    status: u16,
    headers: Vec<(String, String)>,
    /// `None` for an empty body.
    body: Option<Value>,
}

fn judged(
    origin: Origin,
    exchange: &Exchange,
    answer: &Answered,
    rule: Option<&'static Rule>,
    values: &mut Values,
) -> ReplayedExchange {
    let recorded = &exchange.response;
    let code = |body: &Option<Value>| {
        let code = body
            .as_ref()
            .and_then(|body| body.get("code"))
            .and_then(Value::as_str);
        code.unwrap_or_default().to_owned()
    };
    let was_taken = (200..300).contains(&recorded.status);
    let (recorded_code, code) = (code(&recorded.body), code(&answer.body));
    let is_same = recorded.status == answer.status && (was_taken || recorded_code == code);
    let verdict = match rule {
        _ if !follows(exchange) => Verdict::NotJudged,
        None if was_taken => Verdict::Accepted,
        None => Verdict::Missing,
        Some(_) if is_same => Verdict::Confirms,
        Some(_) => Verdict::Contradicts,
    };
    let mut differences = Vec::new();
    if verdict != Verdict::NotJudged {
        let mut differ = |at: &str, recorded: String, sandbox: String| {
            if recorded != sandbox {
                let at = at.to_owned();
                differences.push(Difference {
                    at,
                    recorded,
                    sandbox,
                    weight: Weight::Difference,
                });
            }
        };
        differ("status", recorded.status.to_string(), answer.status.to_string());
        if !was_taken {
            differ("code", recorded_code, code);
        }
        let is_comparable = is_same && !exchange.response.headers.is_empty();
        if is_comparable {
            compared::headers(exchange, answer, &mut differences);
        }
        if is_same {
            compared::bodies(origin, exchange, answer, values, &mut differences);
        }
    }
    ReplayedExchange {
        operation: exchange.operation.clone(),
        status: recorded.status,
        verdict,
        rule,
        differences,
    }
}

/// Whether an answer follows from what a fixture shows of its request.
fn follows(exchange: &Exchange) -> bool {
    let is_signed = exchange.request.headers.contains_key("authorization");
    match exchange.response.status {
        // Quotas and failures come when they come, and so does 202.
        202 | 429 | 500.. => false,
        401 => exchange.request.spoilt.is_some() || !is_signed,
        _ => true,
    }
}
