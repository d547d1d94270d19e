//! Which answers a fault spoils: the next ones, all of a time, or a share of them that a seed chooses.
//!
//! For a share only the order in which requests come decides, never a clock, so one client that waits for each answer
//! meets the same faults again under the same seed.

use std::{str::FromStr, time::Duration};

use serde::Deserialize;
use thiserror::Error;

use super::{
    Content, Fault,
    kind::{named, names},
};
use crate::{
    operations::play_of,
    spec::{Operation, Spec},
};

/// A fault and the answers that it spoils, written as `lost-answer=1%,seed=7`.
///
/// Behind the name stands a share such as `1%`, a number of answers such as `3`, or a time in seconds such as `10s`.
/// Options follow: `operation=ID` for the answers of one operation of the API document alone; with a share
/// `seed=NUMBER` (0 when it is left out) and `burst=NUMBER`, the answers in a row that each hit spoils; and the
/// parameter of the faults that have one, such as `seconds=NUMBER`.
///
/// ```
/// let rule: wxmember_sandbox::FaultRule = "rate-limited-for=0.5%,seconds=3,burst=10".parse()?;
/// # Ok::<(), wxmember_sandbox::FaultRuleError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FaultRule {
    pub(crate) fault: Fault,
    /// The one operation that it is for; `None` is any.
    pub(crate) operation: Option<String>,
    pub(crate) when: When,
}

/// Which answers a fault spoils.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum When {
    /// All that come within a time.
    For { time: Duration },
    /// As many of the next ones.
    Next { answers: u64 },
    /// A share of them, in answers a million, chosen by a seed.
    Share { per_million: u32, seed: u64, burst: u64 },
}

impl FaultRule {
    /// A fault for so many of the next answers.
    #[must_use]
    pub const fn next(fault: Fault, answers: u64) -> Self {
        Self::new(fault, When::Next { answers })
    }

    /// A fault for every answer of such a time, on the sandbox's [`Clock`](crate::Clock), a shift left aside.
    #[must_use]
    pub const fn during(fault: Fault, time: Duration) -> Self {
        Self::new(fault, When::For { time })
    }

    /// A fault for so many answers in a million; more are taken for all of them.
    #[must_use]
    pub fn share(fault: Fault, per_million: u32, seed: u64) -> Self {
        let per_million = per_million.min(MILLION);
        let burst = 1;
        Self::new(
            fault,
            When::Share {
                per_million,
                seed,
                burst,
            },
        )
    }

    const fn new(fault: Fault, when: When) -> Self {
        Self {
            fault,
            operation: None,
            when,
        }
    }

    /// Leaves the answers of other operations alone.
    ///
    /// ```
    /// use wxmember_sandbox::{Fault, FaultRule};
    ///
    /// let rule = FaultRule::next(Fault::LostAnswer, 1).with_operation("import_by_phone")?;
    /// assert!(rule.with_operation("import_by_fone").is_err());
    /// # Ok::<(), wxmember_sandbox::FaultRuleError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Nothing would ever be spoilt: [`FaultRuleError::UnknownOperation`], the API document has no operation of this id;
    /// [`FaultRuleError::NoBody`], the operation answers 204 alone, and the fault spoils a body; [`FaultRuleError::NoCard`],
    /// its answers name no one user card, and the fault is [`Fault::ReplayedAnswer`].
    pub fn with_operation(mut self, operation: &str) -> Result<Self, FaultRuleError> {
        if play_of(operation).is_none() {
            return Err(FaultRuleError::UnknownOperation);
        }
        if !self.fault.finds_something_in(content_of(operation)) {
            let (fault, operation) = (self.fault.name(), operation.to_owned());
            return Err(match self.fault {
                Fault::ReplayedAnswer => FaultRuleError::NoCard { fault, operation },
                _ => FaultRuleError::NoBody { fault, operation },
            });
        }
        self.operation = Some(operation.to_owned());
        Ok(self)
    }

    /// Lets each hit of a share spoil so many answers in a row. Default: 1. A hit inside a row begins none.
    #[must_use]
    pub fn with_burst(mut self, answers: u64) -> Self {
        if let When::Share { burst, .. } = &mut self.when {
            *burst = answers.max(1);
        }
        self
    }

    /// Whether it may spoil an answer of this operation with such a content, if that is a good one.
    pub(super) fn is_for(&self, operation: &str, content: Content) -> bool {
        self.fault.finds_something_in(content)
            && self.operation.as_deref().is_none_or(|only| only == operation)
    }

    /// Whether a share hits the answer of this number, from 0.
    pub(super) fn hits(&self, answer: u64) -> bool {
        let When::Share {
            per_million, seed, ..
        } = self.when
        else {
            return false;
        };
        // Two faults under one seed must not choose the same answers, or the second one would never be seen.
        let name = self.fault.name().bytes().fold(0_u64, |sum, byte| {
            sum.wrapping_mul(0x0100_0000_01B3) ^ u64::from(byte)
        });
        mixed(mixed(seed ^ name).wrapping_add(answer)) % u64::from(MILLION) < u64::from(per_million)
    }
}

/// A rule as JSON and TOML have it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    fault: String,
    seconds: Option<i64>,
    bytes_per_second: Option<i64>,
    operation: Option<String>,
    answers: Option<u64>,
    for_seconds: Option<u64>,
    share: Option<String>,
    seed: Option<u64>,
    burst: Option<u64>,
}

impl TryFrom<Written> for FaultRule {
    type Error = FaultRuleError;

    fn try_from(written: Written) -> Result<Self, FaultRuleError> {
        let parameters = [
            ("seconds", written.seconds),
            ("bytes_per_second", written.bytes_per_second),
        ];
        let parameters = parameters
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value)));
        let fault = named(&written.fault, &parameters.collect::<Vec<_>>())?;
        let of_share = |option, given: Option<u64>| match given {
            Some(_) => Err(FaultRuleError::ShareMissing { option }),
            None => Ok(()),
        };
        let when = match (&written.share, written.answers, written.for_seconds) {
            (Some(share), None, None) => When::Share {
                per_million: share_of(share)?,
                seed: written.seed.unwrap_or(0),
                burst: written.burst.unwrap_or(1),
            },
            (None, answers, for_seconds) => {
                of_share("seed", written.seed)?;
                of_share("burst", written.burst)?;
                match (answers, for_seconds) {
                    (answers, None) => When::Next {
                        answers: answers.unwrap_or(1),
                    },
                    (None, Some(seconds)) => When::For {
                        time: Duration::from_secs(seconds),
                    },
                    (Some(_), Some(_)) => return Err(FaultRuleError::SeveralTimes),
                }
            }
            _ => return Err(FaultRuleError::SeveralTimes),
        };
        let zero = match when {
            When::Next { answers: 0 } => Some("answers"),
            When::For { time: Duration::ZERO } => Some("for_seconds"),
            When::Share { burst: 0, .. } => Some("burst"),
            _ => None,
        };
        if let Some(option) = zero {
            return Err(FaultRuleError::Number { option });
        }
        let rule = Self::new(fault, when);
        match written.operation {
            Some(operation) => rule.with_operation(&operation),
            None => Ok(rule),
        }
    }
}

impl FromStr for FaultRule {
    type Err = FaultRuleError;

    fn from_str(text: &str) -> Result<Self, FaultRuleError> {
        let mut parts = text.split(',').map(str::trim);
        let first = parts.next().unwrap_or_default();
        let (name, when) = first.split_once('=').ok_or(FaultRuleError::Shape)?;
        let mut written = Written {
            fault: name.trim().to_owned(),
            ..Written::default()
        };
        let when = when.trim();
        match (when.strip_suffix('s'), when.parse()) {
            (_, Ok(answers)) => written.answers = Some(answers),
            (Some(seconds), _) => {
                let seconds = seconds.trim_end().parse();
                written.for_seconds = Some(seconds.map_err(|_| FaultRuleError::When)?);
            }
            _ if when.ends_with('%') => written.share = Some(when.to_owned()),
            _ => return Err(FaultRuleError::When),
        }
        written.read_options(parts)?;
        written.try_into()
    }
}

impl Written {
    /// Reads `NAME=VALUE` parts.
    fn read_options<'a>(&mut self, parts: impl Iterator<Item = &'a str>) -> Result<(), FaultRuleError> {
        fn number<T: FromStr>(option: &'static str, value: &str) -> Result<Option<T>, FaultRuleError> {
            let number = value.parse();
            number.map(Some).map_err(|_| FaultRuleError::Number { option })
        }
        for part in parts {
            let (option, value) = part.split_once('=').ok_or(FaultRuleError::Shape)?;
            let value = value.trim();
            match option.trim() {
                "burst" => self.burst = number("burst", value)?,
                "bytes_per_second" => self.bytes_per_second = number("bytes_per_second", value)?,
                "operation" => self.operation = Some(value.to_owned()),
                "seconds" => self.seconds = number("seconds", value)?,
                "seed" => self.seed = number("seed", value)?,
                _ => return Err(FaultRuleError::UnknownOption),
            }
        }
        Ok(())
    }

    /// One fault as `Wechatpay-Negative-Test` has it: a name, and its parameter behind a comma.
    pub(crate) fn fault_of(text: &str) -> Result<Fault, FaultRuleError> {
        let mut parts = text.split(',').map(str::trim);
        let mut written = Self {
            fault: parts.next().unwrap_or_default().to_owned(),
            ..Self::default()
        };
        written.read_options(parts)?;
        let is_rule = written.burst.is_some() || written.operation.is_some() || written.seed.is_some();
        if is_rule {
            return Err(FaultRuleError::UnknownOption);
        }
        FaultRule::try_from(written).map(|rule| rule.fault)
    }
}

/// Why a text, or a table of a file, is no [`FaultRule`].
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum FaultRuleError {
    /// A fault of a body, of an operation whose good answer has none.
    #[error(
        "`{fault}` spoils a body, and `{operation}` answers 204, which has none; take another fault or operation"
    )]
    NoBody {
        /// The fault.
        fault: &'static str,
        /// The operation's id.
        operation: String,
    },
    /// A fault about a user card, of an operation whose answer names none.
    #[error(
        "`{fault}` answers about another user card, and an answer of `{operation}` names none; take another fault or \
         operation"
    )]
    NoCard {
        /// The fault.
        fault: &'static str,
        /// The operation's id.
        operation: String,
    },
    /// A number that cannot be read.
    #[error("`{option}` is no whole number in its range")]
    Number {
        /// What it was for.
        option: &'static str,
    },
    /// A fault that has a parameter does not say it.
    #[error("`{fault}` needs `{parameter}=NUMBER`")]
    ParameterMissing {
        /// The fault.
        fault: &'static str,
        /// The parameter.
        parameter: &'static str,
    },
    /// A fault got a parameter that it has not.
    #[error("`{fault}` takes no `{parameter}`")]
    ParameterNotTaken {
        /// The fault.
        fault: &'static str,
        /// The parameter.
        parameter: &'static str,
    },
    /// More than one of a share, a number of answers and a time.
    #[error("give one of `share`, `answers` and `for_seconds`, not several")]
    SeveralTimes,
    /// Not `NAME=WHEN` with options behind it.
    #[error("a fault and how often it comes are needed, such as `lost-answer=1%,seed=7`")]
    Shape,
    /// A share that is none.
    #[error("the share must be more than `0%` and at most `100%`, in steps of `0.0001%`")]
    Share,
    /// An option that belongs to a share.
    #[error("`{option}` belongs to a share, such as `1%`")]
    ShareMissing {
        /// The option.
        option: &'static str,
    },
    /// No fault has this name.
    #[error("no such fault; there are {names}", names = names())]
    UnknownFault,
    /// No operation has this id.
    #[error("no such operation; the API document has ids such as `import_by_phone`")]
    UnknownOperation,
    /// No option has this name.
    #[error("no such option; there are `seed`, `burst`, `operation`, `seconds` and `bytes_per_second`")]
    UnknownOption,
    /// Neither a share, nor a number, nor a time.
    #[error("how often is a share such as `1%`, a number of answers such as `3`, or a time such as `10s`")]
    When,
}

/// What a good answer of an operation carries.
fn content_of(operation: &str) -> Content {
    let operation = Spec::shared().ok().and_then(|spec| spec.find(operation));
    operation.map_or(Content::Document, Operation::content)
}

/// Answers in a million, of a share in per cent.
fn share_of(text: &str) -> Result<u32, FaultRuleError> {
    let percent = text.trim().strip_suffix('%').ok_or(FaultRuleError::Share)?;
    let percent: f64 = percent.trim().parse().map_err(|_| FaultRuleError::Share)?;
    let share = (percent * 10_000.0).round();
    // `contains` also refuses what is not a number.
    match (1.0..=f64::from(MILLION)).contains(&share) {
        true => Ok(share as u32),
        false => Err(FaultRuleError::Share),
    }
}

/// SplitMix64: neighbouring numbers in, unrelated ones out.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

const MILLION: u32 = 1_000_000;

#[cfg(test)]
mod tests;
