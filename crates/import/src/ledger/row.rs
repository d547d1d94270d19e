//! What the ledger keeps of a row: its state, what is stored, claimed and written down, and what is reported.
//!
//! Holds no plaintext of a personal field.

use std::{collections::HashSet, sync::Arc, time::Duration};

use serde::Serialize;

use crate::gateway::SealedRequest;

/// Where a row stands.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// To be sent.
    Queued,
    /// Marked before it is sent; after a crash nobody knows whether it was.
    Leased,
    /// The platform has it, from us.
    Imported,
    /// The platform already had it.
    Present,
    /// Not importable as it is.
    Refused,
    /// It may have taken effect; the same again finds out.
    Unknown,
}

impl RowState {
    /// The name in options and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Leased => "leased",
            Self::Imported => "imported",
            Self::Present => "present",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// The state with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The number in the ledger; see the page on the data model.
    pub(super) fn number(self) -> i16 {
        match self {
            Self::Queued => 0,
            Self::Leased => 1,
            Self::Unknown => 2,
            Self::Imported => 3,
            Self::Present => 4,
            Self::Refused => 5,
        }
    }

    pub(super) fn numbered(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// Whether the platform has the member.
    pub(super) fn is_success(self) -> bool {
        matches!(self, Self::Imported | Self::Present)
    }

    /// Every state, in the order of their names here.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Leased,
        Self::Imported,
        Self::Present,
        Self::Refused,
        Self::Unknown,
    ];
}

/// What the ledger says about one row.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RowReport {
    /// The row, from 1.
    pub row: u64,
    /// The line of the source, from 1.
    pub line: u64,
    /// Where it stands.
    pub state: RowState,
    /// The member's number on the card; nothing for a row that broke a rule, and after a purge.
    pub user_card_code: Option<String>,
    /// The platform's code, or our own in capitals (`ROW_…`); empty when there is nothing to say.
    pub code: String,
    /// The platform's message, or the problems of the row.
    pub message: String,
    /// The platform's name for the last request.
    pub request_id: Option<String>,
    /// When the row last changed, in seconds since 1970.
    pub updated_at: i64,
}

/// Rows by state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// To be sent.
    pub queued: u64,
    /// Being sent by a process, or by one that died a moment ago.
    pub leased: u64,
    /// Imported by us.
    pub imported: u64,
    /// The platform already had them.
    pub present: u64,
    /// Not importable as they are.
    pub refused: u64,
    /// May have taken effect.
    pub unknown: u64,
}

impl Counts {
    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.queued + self.leased + self.imported + self.present + self.refused + self.unknown
    }

    /// The rows that have not come to a known end.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        self.queued + self.leased + self.unknown
    }

    pub(crate) fn of(&mut self, state: RowState) -> &mut u64 {
        match state {
            RowState::Queued => &mut self.queued,
            RowState::Leased => &mut self.leased,
            RowState::Imported => &mut self.imported,
            RowState::Present => &mut self.present,
            RowState::Refused => &mut self.refused,
            RowState::Unknown => &mut self.unknown,
        }
    }
}

/// A row that was read, to be stored.
#[derive(Clone, Debug)]
pub(crate) struct NewRow {
    pub(crate) row: u64,
    pub(crate) line: u64,
    pub(crate) content: NewContent,
}

#[derive(Clone, Debug)]
pub(crate) enum NewContent {
    Queued {
        user_card_code: String,
        /// The keyed hash of what makes the member the same member: the phone number, or the openid.
        member_hash: [u8; 32],
        request: SealedRequest,
    },
    Refused {
        code: String,
        message: String,
    },
}

/// The names of the columns that must be unique, for messages.
#[derive(Debug)]
pub(crate) struct KeyColumns {
    pub(crate) user_card_code: Arc<str>,
    /// The column of what makes the member the same member.
    pub(crate) member: Arc<str>,
    pub(crate) member_kind: MemberKind,
}

/// What makes a member the same member.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum MemberKind {
    #[default]
    PhoneNumber,
    Openid,
}

impl MemberKind {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::PhoneNumber => "phone number",
            Self::Openid => "openid",
        }
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::PhoneNumber => "ROW_DUPLICATE_PHONE_NUMBER",
            Self::Openid => "ROW_DUPLICATE_OPENID",
        }
    }
}

/// How far claiming has come. A hint for speed: whom a row was claimed by last is what keeps a run from claiming a row
/// twice.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    pub(crate) pass: Pass,
    pub(crate) row: u64,
}

/// First the rows that were unknown, then the queued ones, each in order; then what others let go meanwhile.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Pass {
    #[default]
    Unknown,
    Queued,
    Rest,
}

/// What a run wants no more of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Skip {
    /// Rows that it has given up. They are neither claimed nor waited for, whoever has them now.
    pub(crate) rows: Arc<HashSet<u64>>,
    /// Rows that may have been sent.
    pub(crate) is_unknown: bool,
}

impl Skip {
    /// The states whose rows are claimed in a pass.
    pub(super) fn states(&self, pass: Pass) -> &'static [RowState] {
        match (pass, self.is_unknown) {
            (Pass::Unknown, true) => &[],
            (Pass::Unknown, false) => &[RowState::Unknown],
            (Pass::Queued, _) | (Pass::Rest, true) => &[RowState::Queued],
            (Pass::Rest, false) => &[RowState::Unknown, RowState::Queued],
        }
    }
}

/// What claiming came to.
#[derive(Debug)]
pub(crate) enum Claim {
    /// Rows that are leased now, at least one.
    Rows(Vec<ClaimedRow>),
    /// Nothing to claim now; other owners hold leases, the first of which ends after this time at the latest.
    Wait(Duration),
    /// Nothing left that this owner has not dealt with.
    Nothing,
    /// Somebody paused the job; nothing was claimed.
    Paused,
}

#[derive(Debug)]
pub(crate) struct ClaimedRow {
    pub(crate) row: u64,
    pub(crate) request: SealedRequest,
    /// An earlier attempt may have taken effect.
    pub(crate) is_maybe_sent: bool,
}

/// What is written after an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) state: RowState,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
}
