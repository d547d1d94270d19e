//! Faults by chance: a share of the answers fails, and a seed says which ones.
//!
//! Only the order in which requests come decides, never a clock, so one client that waits for each answer meets the
//! same faults again under the same seed.

use std::{fmt::Write as _, str::FromStr};

use thiserror::Error;

use super::{Fault, When};
use crate::operations::play_of;

/// A fault for a share of the answers, written as `lost-answer=1%,seed=7`.
///
/// Behind the share may stand `seed=NUMBER` (0 when it is left out), `operation=ID` for the answers of one operation
/// of the API document alone, and for the faults that have one the `seconds=NUMBER` that they are off by.
///
/// ```
/// let rate: wxmember_sandbox::FaultRate = "rate-limited-for=0.5%,seconds=3,operation=import_by_phone".parse()?;
/// # Ok::<(), wxmember_sandbox::FaultRateError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FaultRate {
    pub(super) fault: Fault,
    /// Answers in a million.
    share: u32,
    seed: u64,
    pub(super) operation: Option<String>,
}

impl FaultRate {
    /// A fault for so many answers in a million; more are taken for all of them.
    #[must_use]
    pub fn new(fault: Fault, per_million: u32, seed: u64) -> Self {
        Self {
            fault,
            share: per_million.min(MILLION),
            seed,
            operation: None,
        }
    }

    /// Leaves the answers of other operations alone.
    #[must_use]
    pub fn with_operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    pub(super) fn when(&self) -> When {
        When::Share {
            per_million: self.share,
            seed: self.seed,
        }
    }

    /// Whether it spoils the answer of this number, from 0.
    pub(super) fn hits(&self, answer: u64) -> bool {
        // Two faults under one seed must not choose the same answers, or the second one would never be seen.
        let name = name_of(self.fault).bytes().fold(0_u64, |sum, byte| {
            sum.wrapping_mul(0x0100_0000_01B3) ^ u64::from(byte)
        });
        mixed(mixed(self.seed ^ name).wrapping_add(answer)) % u64::from(MILLION) < u64::from(self.share)
    }
}

impl FromStr for FaultRate {
    type Err = FaultRateError;

    fn from_str(text: &str) -> Result<Self, FaultRateError> {
        let mut parts = text.split(',').map(str::trim);
        let first = parts.next().unwrap_or_default();
        let (name, share) = first.split_once('=').ok_or(FaultRateError::Shape)?;
        let (mut seed, mut seconds, mut operation) = (0, None, None);
        for part in parts {
            let (option, value) = part.split_once('=').ok_or(FaultRateError::Shape)?;
            let (option, value) = (option.trim(), value.trim());
            match option {
                "seed" => {
                    seed = value
                        .parse()
                        .map_err(|_| FaultRateError::Number { option: "seed" })?
                }
                "seconds" => {
                    let number = value.parse::<i64>();
                    seconds = Some(number.map_err(|_| FaultRateError::Number { option: "seconds" })?);
                }
                "operation" if play_of(value).is_some() => operation = Some(value.to_owned()),
                "operation" => return Err(FaultRateError::UnknownOperation),
                _ => return Err(FaultRateError::UnknownOption),
            }
        }
        Ok(Self {
            fault: named(name.trim(), seconds)?,
            share: share_of(share.trim())?,
            seed,
            operation,
        })
    }
}

/// Why a text is no [`FaultRate`].
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum FaultRateError {
    /// A number that cannot be read.
    #[error("`{option}` is no whole number in its range")]
    Number {
        /// What it was for.
        option: &'static str,
    },
    /// A fault that is off by some seconds does not say how many.
    #[error("`{fault}` needs `seconds=NUMBER`")]
    SecondsMissing {
        /// The fault.
        fault: &'static str,
    },
    /// A fault that has no seconds got some.
    #[error("`{fault}` takes no `seconds`")]
    SecondsNotTaken {
        /// The fault.
        fault: &'static str,
    },
    /// Not `NAME=SHARE` with options behind it.
    #[error("a fault and its share are needed, such as `lost-answer=1%,seed=7`")]
    Shape,
    /// A share that is none.
    #[error("the share must be more than `0%` and at most `100%`, in steps of `0.0001%`")]
    Share,
    /// No fault has this name.
    #[error("no such fault; there are {names}", names = names())]
    UnknownFault,
    /// No operation has this id.
    #[error("no such operation; the API document has ids such as `import_by_phone`")]
    UnknownOperation,
    /// No option has this name.
    #[error("no such option; there are `seed`, `seconds` and `operation`")]
    UnknownOption,
}

/// Answers in a million, of a share in per cent.
pub(crate) fn share_of(text: &str) -> Result<u32, FaultRateError> {
    let percent = text.strip_suffix('%').ok_or(FaultRateError::Share)?;
    let percent: f64 = percent.trim().parse().map_err(|_| FaultRateError::Share)?;
    let share = (percent * 10_000.0).round();
    // `contains` also refuses what is not a number.
    match (1.0..=f64::from(MILLION)).contains(&share) {
        true => Ok(share as u32),
        false => Err(FaultRateError::Share),
    }
}

/// The fault of a name.
pub(crate) fn named(name: &str, seconds: Option<i64>) -> Result<Fault, FaultRateError> {
    let known = NAMES.iter().find(|(known, _)| *known == name);
    let &(fault_name, fault) = known.ok_or(FaultRateError::UnknownFault)?;
    let missing = FaultRateError::SecondsMissing { fault: fault_name };
    match (fault, seconds) {
        (Fault::RateLimitedFor { .. }, seconds) => {
            let seconds = u32::try_from(seconds.ok_or(missing)?);
            let seconds = seconds.map_err(|_| FaultRateError::Number { option: "seconds" })?;
            Ok(Fault::RateLimitedFor { seconds })
        }
        (Fault::ShiftedClock { .. }, seconds) => Ok(Fault::ShiftedClock {
            seconds: seconds.ok_or(missing)?,
        }),
        (Fault::WrongDate { .. }, seconds) => Ok(Fault::WrongDate {
            seconds: seconds.ok_or(missing)?,
        }),
        (_, Some(_)) => Err(FaultRateError::SecondsNotTaken { fault: fault_name }),
        (fault, None) => Ok(fault),
    }
}

/// The name of every fault, and the fault; where it has seconds, they are 0.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Fault)> {
    NAMES.iter().copied()
}

/// The name of a fault, as it is typed.
pub(crate) fn name_of(fault: Fault) -> &'static str {
    let same = |known: Fault| std::mem::discriminant(&known) == std::mem::discriminant(&fault);
    NAMES
        .iter()
        .find(|(_, known)| same(*known))
        .map_or("", |(name, _)| name)
}

fn names() -> String {
    let mut text = String::new();
    for (index, (name, _)) in NAMES.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a text cannot fail.
        let _ = write!(text, "{comma}`{name}`");
    }
    text
}

/// SplitMix64: neighbouring numbers in, unrelated ones out.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

const MILLION: u32 = 1_000_000;

/// Every fault under its name; where it has seconds, they stand for any number.
const NAMES: &[(&str, Fault)] = &[
    ("accepted", Fault::Accepted),
    ("bad-gateway", Fault::BadGateway),
    ("cut-body", Fault::CutBody),
    ("empty-error", Fault::EmptyError),
    ("empty-not-found", Fault::EmptyNotFound),
    ("error-not-utf8", Fault::ErrorNotUtf8),
    ("huge-answer", Fault::HugeAnswer),
    ("huge-error", Fault::HugeError),
    ("lost-answer", Fault::LostAnswer),
    ("lost-request", Fault::LostRequest),
    ("no-nonce", Fault::NoNonce),
    ("rate-limited", Fault::RateLimited),
    ("rate-limited-for", Fault::RateLimitedFor { seconds: 0 }),
    ("service-unavailable", Fault::ServiceUnavailable),
    ("shifted-clock", Fault::ShiftedClock { seconds: 0 }),
    ("signature-probe", Fault::SignatureProbe),
    ("signature-probe-not-base64", Fault::SignatureProbeNotBase64),
    ("stalled", Fault::Stalled),
    ("system-error", Fault::SystemError),
    ("truncated-error", Fault::TruncatedError),
    ("truncated-json", Fault::TruncatedJson),
    ("unknown-serial", Fault::UnknownSerial),
    ("unsigned", Fault::Unsigned),
    ("wrong-date", Fault::WrongDate { seconds: 0 }),
    ("wrong-document", Fault::WrongDocument),
    ("wrong-signature", Fault::WrongSignature),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<FaultRate, FaultRateError>) {
        assert_eq!(text.parse::<FaultRate>(), expected, "{text}");
    }

    #[test]
    fn a_rate_is_read_as_it_is_typed() {
        check(
            "lost-answer=1%,seed=7",
            Ok(FaultRate::new(Fault::LostAnswer, 10_000, 7)),
        );
        check(
            " wrong-date = 0.0001 % , seconds = -600 ",
            Ok(FaultRate::new(Fault::WrongDate { seconds: -600 }, 1, 0)),
        );
        let of_one = FaultRate::new(Fault::RateLimitedFor { seconds: 3 }, 1_000_000, 0);
        check(
            "rate-limited-for=100%,seconds=3,operation=import_by_phone",
            Ok(of_one.with_operation("import_by_phone")),
        );
    }

    #[test]
    fn what_is_no_rate_is_refused_with_the_reason() {
        use FaultRateError::*;
        for text in ["", "lost-answer", "=", "lost-answer=1%,", "lost-answer=1%,7"] {
            let expected = if text == "=" { UnknownFault } else { Shape };
            check(text, Err(expected));
        }
        for share in ["", "1", "0%", "-1%", "100.1%", "NaN%", "inf%", "x%", "0.00001%"] {
            check(&format!("lost-answer={share}"), Err(Share));
        }
        check("lost=1%", Err(UnknownFault));
        check("lost-answer=1%,sede=1", Err(UnknownOption));
        check("lost-answer=1%,operation=import", Err(UnknownOperation));
        check("lost-answer=1%,seed=-1", Err(Number { option: "seed" }));
        check(
            "rate-limited-for=1%,seconds=-1",
            Err(Number { option: "seconds" }),
        );
        check(
            "shifted-clock=1%",
            Err(SecondsMissing {
                fault: "shifted-clock",
            }),
        );
        check(
            "unsigned=1%,seconds=1",
            Err(SecondsNotTaken { fault: "unsigned" }),
        );
        assert!(UnknownFault.to_string().contains("`lost-answer`, `lost-request`"));
    }

    #[test]
    fn a_share_is_kept_and_the_seed_chooses() {
        let hits = |rate: &FaultRate| {
            (0..100_000)
                .filter(|number| rate.hits(*number))
                .collect::<Vec<_>>()
        };
        let one = hits(&FaultRate::new(Fault::LostAnswer, 10_000, 7));
        assert!((900..1_100).contains(&one.len()), "{}", one.len());
        assert_eq!(one, hits(&FaultRate::new(Fault::LostAnswer, 10_000, 7)));
        assert_ne!(one, hits(&FaultRate::new(Fault::LostAnswer, 10_000, 8)));
        assert_ne!(one, hits(&FaultRate::new(Fault::LostRequest, 10_000, 7)));
        assert_eq!(
            hits(&FaultRate::new(Fault::LostAnswer, 2_000_000, 7)).len(),
            100_000
        );
    }
}
