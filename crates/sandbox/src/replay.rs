//! Replays a fixture against the sandbox: sets its state, builds every request anew, signs and seals it for the sandbox's
//! own keys, and holds the answer against the recorded one.
//!
//! What differs is evidence: for each exchange it is said which [`Rule`] it confirms or contradicts. Only
//! what a fixture can show is compared: status, error code, headers, the shape of bodies, and which values are the same.

use std::fmt;

use serde_json::Value;
use thiserror::Error;

use crate::{
    authorization::SCHEME,
    clock::Clock,
    fixture::{Exchange, Fixture, FixtureError, NOT_JSON, Origin, Response, mark::moment},
    identity::{Identity, IdentityError},
    operations::Preloaded,
    replay::{built::Builder, values::Values},
    rule::{NEGATIVE_TEST, Rule, rules},
    sandbox::{Sandbox, StartError},
    scrub::has_sentence,
};

mod built;
mod compared;
mod completed;
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
    /// Of a refusal that the sandbox does not repeat, every rule that it may have been by: it
    /// [can refuse](Rule::can_refuse) the operation, and status, code and, where it is known, the message are the same.
    pub candidates: Vec<&'static Rule>,
    /// What differs, in the order of status, headers and body.
    pub differences: Vec<Difference>,
}

/// What an exchange says.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// Both took the request; rules were not asked.
    Accepted,
    /// Both refused it, with the same status and code, and nothing in the message speaks for another reason.
    Confirms,
    /// The sandbox refused what was taken, or refused it otherwise.
    Contradicts,
    /// The answer does not follow from what a fixture shows: a quota, a failure, a signature that was wrong, a header
    /// that may not have been recorded, or an answer that is not the platform's own.
    NotJudged,
    /// It was refused, and the sandbox took the request as it was built anew, with values of its own: what was wrong does
    /// not show. [`candidates`](ReplayedExchange::candidates) are the rules that it may have been by.
    NotRefused,
    /// Both refused it, with the same status and code, and the recorded message is a known one of another reason.
    OtherReason,
}

impl Verdict {
    /// The word that tables and JSON use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Confirms => "confirms",
            Self::Contradicts => "contradicts",
            Self::NotJudged => "not_judged",
            Self::NotRefused => "not_refused",
            Self::OtherReason => "other_reason",
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
    /// An exchange cannot be built: its operation is unknown, a part of its path is missing, or its time is too far away.
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
            let what = "its `at` is more than 100 years from 2026";
            let shifted = sandbox.clock().set_shift(shift);
            shifted.map_err(|_| ReplayError::Exchange { number, what })?;
        }
        let completed = completed::completed(fixture.origin, exchange);
        let built = builder
            .request(completed.as_ref().unwrap_or(exchange), values)
            .map_err(|what| ReplayError::Exchange { number, what })?;
        let answer = built.send(sandbox);
        let refused_by = sandbox.journal().last().and_then(|entry| entry.rule);
        let rule = refused_by.and_then(|id| rules().iter().find(|rule| rule.id == id).copied());
        let follows = completed.is_some_and(|whole| follows(&whole));
        replayed.push(match follows {
            true => judged(fixture.origin, exchange, &answer, rule, values),
            false => not_judged(exchange, rule),
        });
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

fn not_judged(exchange: &Exchange, rule: Option<&'static Rule>) -> ReplayedExchange {
    ReplayedExchange {
        operation: exchange.operation.clone(),
        status: exchange.response.status,
        verdict: Verdict::NotJudged,
        rule,
        candidates: Vec::new(),
        differences: Vec::new(),
    }
}

fn judged(
    origin: Origin,
    exchange: &Exchange,
    answer: &Answered,
    rule: Option<&'static Rule>,
    values: &mut Values,
) -> ReplayedExchange {
    let recorded = &exchange.response;
    let was_taken = recorded.was_taken();
    let recorded_code = recorded.code().unwrap_or_default();
    let code = answer.body.as_ref().and_then(|body| body.get("code"));
    let code = code.and_then(Value::as_str).unwrap_or_default();
    let is_same = recorded.status == answer.status && (was_taken || recorded_code == code);
    let verdict = match rule {
        None if was_taken => Verdict::Accepted,
        None => Verdict::NotRefused,
        Some(_) if !is_same => Verdict::Contradicts,
        Some(rule) => match answer_says(recorded, rule) {
            Some(false) => Verdict::OtherReason,
            Some(true) | None => Verdict::Confirms,
        },
    };
    let candidates = match verdict {
        Verdict::NotRefused => candidates(exchange),
        _ => Vec::new(),
    };
    let mut differences = Vec::new();
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
        differ("code", recorded_code.to_owned(), code.to_owned());
    }
    let is_comparable = is_same && !exchange.response.headers.is_empty();
    if is_comparable {
        compared::headers(exchange, answer, &mut differences);
    }
    if is_same {
        compared::bodies(origin, exchange, answer, values, &mut differences);
    }
    ReplayedExchange {
        operation: exchange.operation.clone(),
        status: recorded.status,
        verdict,
        rule,
        candidates,
        differences,
    }
}

/// Whether a refusal names this rule's reason; `None` when its message is none that anybody knows.
fn answer_says(response: &Response, rule: &Rule) -> Option<bool> {
    let message = response.message()?;
    if rule.is_said_in(message) {
        return Some(true);
    }
    has_sentence(message).then_some(false)
}

/// The rules that a refusal may have been by.
fn candidates(exchange: &Exchange) -> Vec<&'static Rule> {
    let response = &exchange.response;
    let fits = |rule: &&&'static Rule| {
        rule.status == response.status
            && rule.code == response.code().unwrap_or_default()
            && answer_says(response, rule) != Some(false)
            && rule.can_refuse(&exchange.operation)
            // The platform does not know the header.
            && rule.id != NEGATIVE_TEST.id
    };
    rules().iter().filter(fits).copied().collect()
}

/// Whether an answer is the platform's own, and follows from what a fixture shows of its request.
fn follows(exchange: &Exchange) -> bool {
    let response = &exchange.response;
    let scheme = exchange.request.headers.get("authorization");
    let is_signed = scheme.is_some_and(|scheme| scheme == SCHEME);
    let has_code = response.code().is_some();
    match response.status {
        // A proxy's page can have any status.
        200 | 204 => response.body.as_ref().is_none_or(|body| body != NOT_JSON),
        401 => has_code && (exchange.request.spoilt.is_some() || !is_signed),
        404 | 405 => has_code || response.body.is_none(),
        // Quotas come when they come, and so do failures and 202, of which the rest is made.
        429 => false,
        400..=499 => has_code,
        _ => false,
    }
}
