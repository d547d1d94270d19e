//! What a source knows to be wrong with a cell, though its text does not show it.

use thiserror::Error;

/// One thing wrong with a record, found where it was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flaw {
    /// The place of the cell, from 0; nothing when the record as a whole is meant.
    pub cell: Option<usize>,
    /// What is wrong.
    pub kind: FlawKind,
}

impl Flaw {
    pub(crate) fn of_cell(cell: usize, kind: FlawKind) -> Self {
        Self {
            cell: Some(cell),
            kind,
        }
    }

    pub(super) fn of_row(kind: FlawKind) -> Self {
        Self { cell: None, kind }
    }
}

/// The kinds of flaws. None of them holds a value.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum FlawKind {
    /// TRUE or FALSE.
    #[error("a truth value, where text or a number is needed")]
    Boolean,
    /// A date. Where a date is asked for it is none of this; a code such as `1-2` becomes one in a spreadsheet.
    #[error("a date of the spreadsheet, where text is needed; format the column as text and type it again")]
    Date,
    /// A length of time, as spreadsheets keep `[h]:mm`.
    #[error("a length of time, where a date or text is needed")]
    Duration,
    /// What a formula that failed leaves behind, such as `#N/A`.
    #[error("the error of a formula")]
    Error,
    /// A number with a fraction. Only where a code is asked for it is a flaw.
    #[error("a number with a fraction, where a code is needed; format the column as text")]
    Fraction,
    /// A number beyond what a spreadsheet keeps exactly.
    #[error("a number of more than 15 digits, which a spreadsheet has rounded; format the column as text")]
    LostDigits,
    /// A JSON array or object.
    #[error("a JSON array or object, where one value is needed")]
    Nested,
    /// Formatted as a date, and none.
    #[error("formatted as a date that does not exist")]
    NoDate,
    /// A JSON string that no text can hold.
    #[error("a JSON string with half a character")]
    NoText,
    /// A key that its object has twice.
    #[error("the object has this key twice")]
    RepeatedKey,
    /// A cell that looks like it holds the records behind it.
    #[error("spans lines {first} to {last}; is a quotation mark not closed?")]
    SpansLines {
        /// The line it starts on, from 1.
        first: u32,
        /// The line it ends on.
        last: u32,
    },
    /// A key that none of the first objects has.
    #[error("the object has a key that none of the first 1000 objects has")]
    UnknownKey,
}

impl FlawKind {
    /// A stable name in capitals, for reports.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Boolean => "ROW_CELL_BOOLEAN",
            Self::Date => "ROW_CELL_DATE",
            Self::Duration => "ROW_CELL_DURATION",
            Self::Error => "ROW_CELL_ERROR",
            Self::Fraction => "ROW_CELL_FRACTION",
            Self::LostDigits => "ROW_LOST_DIGITS",
            Self::Nested => "ROW_CELL_NESTED",
            Self::NoDate => "ROW_CELL_NO_DATE",
            Self::NoText => "ROW_CELL_NO_TEXT",
            Self::RepeatedKey => "ROW_REPEATED_KEY",
            Self::SpansLines { .. } => "ROW_SPANS_LINES",
            Self::UnknownKey => "ROW_UNKNOWN_KEY",
        }
    }
}
