//! What the ledger says about whole jobs, and what can be asked of them.

use serde::Serialize;

use super::{Counts, RowState};
use crate::job::{JobId, Route};

/// What the ledger says about one job.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct JobReport {
    /// The job's name.
    pub id: JobId,
    /// The name of the source, as it was when the job began.
    pub source_name: String,
    /// The merchant id that signs.
    pub mchid: String,
    /// The brand that owns the card.
    pub brand_id: String,
    /// The card template.
    pub card_id: String,
    /// The platform's address, without a slash at its end.
    pub base_url: String,
    /// The operation that brings the members in.
    pub route: Route,
    /// Rows stored so far; all of them once `is_loaded`.
    pub rows: u64,
    /// Whether every row of the source is in the ledger. Before that nothing is sent.
    pub is_loaded: bool,
    /// Whether somebody paused it.
    pub is_paused: bool,
    /// Whether its sealed requests, codes and hashes were deleted.
    pub is_purged: bool,
    /// Its rows by state.
    pub counts: Counts,
    /// When the job began, in seconds since 1970; 0 for a job of the first version of the ledger.
    pub created_at: i64,
    /// When the job or one of its rows last changed, in seconds since 1970.
    pub updated_at: i64,
    #[serde(skip)]
    pub(crate) key: i64,
}

/// Which rows [`retry`](super::Ledger::retry) puts back into the queue.
///
/// ```
/// let retry = wxmember_import::Retry::refused().with_code("PARAM_ERROR");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Retry {
    pub(super) is_refused: bool,
    pub(super) is_unknown: bool,
    pub(super) code: Option<String>,
}

impl Retry {
    /// The rows that the platform refused.
    #[must_use]
    pub fn refused() -> Self {
        Self {
            is_refused: true,
            is_unknown: false,
            code: None,
        }
    }

    /// The rows without a known outcome.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            is_refused: false,
            is_unknown: true,
            code: None,
        }
    }

    /// Both.
    #[must_use]
    pub fn refused_and_unknown() -> Self {
        Self {
            is_refused: true,
            is_unknown: true,
            code: None,
        }
    }

    /// Only rows whose last code is this one.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

/// What a purge deleted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Purged {
    /// Rows whose sealed request was deleted.
    pub requests: u64,
    /// Rows whose code and hash were deleted.
    pub rows: u64,
}

/// How many rows of a job ended with one code.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CodeCount {
    /// Where the rows stand.
    pub state: RowState,
    /// Their last code; empty when there is nothing to say.
    pub code: String,
    /// The message of one of them.
    pub message: String,
    /// How many they are.
    pub rows: u64,
}

/// What came to an end in a stretch of time.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Slot {
    /// The first second of the slot, since 1970.
    pub at: i64,
    /// How many seconds long it is, the same for all slots of a timeline.
    pub seconds: i64,
    /// Rows imported.
    pub imported: u64,
    /// Rows found to be there.
    pub present: u64,
    /// Rows refused.
    pub refused: u64,
    /// Rows without a known outcome.
    pub unknown: u64,
}

impl Slot {
    pub(super) fn of(&mut self, state: RowState) -> Option<&mut u64> {
        match state {
            RowState::Imported => Some(&mut self.imported),
            RowState::Present => Some(&mut self.present),
            RowState::Refused => Some(&mut self.refused),
            RowState::Unknown => Some(&mut self.unknown),
            RowState::Queued | RowState::Leased => None,
        }
    }
}

/// The most slots of a timeline.
pub(super) const SLOTS: i64 = 200;

/// The length of the slots of a timeline from `first` to `last`, in seconds.
pub(super) fn slot_seconds(first: i64, last: i64) -> i64 {
    (last.saturating_sub(first) / SLOTS).saturating_add(1).max(1)
}

/// Puts counts into slots; the slots come without gaps.
pub(super) fn slots(first: i64, seconds: i64, counted: &[(i64, RowState, u64)]) -> Vec<Slot> {
    let Some(last) = counted.iter().map(|(slot, ..)| *slot).max() else {
        return Vec::new();
    };
    let mut slots: Vec<Slot> = (0..=last.clamp(0, SLOTS))
        .map(|number| Slot {
            at: first.saturating_add(number.saturating_mul(seconds)),
            seconds,
            ..Slot::default()
        })
        .collect();
    for (slot, state, rows) in counted {
        let slot = usize::try_from(*slot).ok().and_then(|slot| slots.get_mut(slot));
        if let Some(count) = slot.and_then(|slot| slot.of(*state)) {
            *count += rows;
        }
    }
    slots
}
