//! Ways to make a `Validity` that hold only what its type needs (protocol: validity and pickup time).

use thiserror::Error;

use crate::{Time, scalars::ValidityType, types::Validity};

impl Validity {
    /// Valid forever (`PERMANENT`).
    #[must_use]
    pub fn permanent() -> Self {
        Self::of(ValidityType::Permanent)
    }

    /// Valid for a number of days from the day of receipt (`FIX_TERM`), 1 to 10958.
    ///
    /// # Errors
    ///
    /// [`InvalidValidity::Days`] outside that range.
    pub fn days(days: u32) -> Result<Self, InvalidValidity> {
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(InvalidValidity::Days { days });
        }
        Ok(Self {
            available_day_after_receive: Some(days),
            ..Self::of(ValidityType::FixTerm)
        })
    }

    /// Valid from one moment to another (`FIX_TIME_RANGE`).
    ///
    /// # Errors
    ///
    /// [`InvalidValidity::Order`] when the end is not after the begin.
    pub fn between(begin: Time, end: Time) -> Result<Self, InvalidValidity> {
        if begin.instant() >= end.instant() {
            return Err(InvalidValidity::Order);
        }
        Ok(Self {
            available_begin_time: Some(begin),
            available_end_time: Some(end),
            ..Self::of(ValidityType::FixTimeRange)
        })
    }

    fn of(type_: ValidityType) -> Self {
        Self {
            available_begin_time: None,
            available_day_after_receive: None,
            available_end_time: None,
            type_,
        }
    }
}

/// Why there is no such validity.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidValidity {
    /// The number of days is out of range.
    #[error("a card is valid for 1 to {MOST_DAYS} days, not {days}")]
    Days {
        /// The number given.
        days: u32,
    },
    /// The end is not after the begin.
    #[error("the end of the validity is not after its begin")]
    Order,
}

/// About 30 years; stated for the sibling import (by openid).
const MOST_DAYS: u32 = 10_958;
