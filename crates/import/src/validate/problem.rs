//! What can be wrong with a row: its place and kind, never its value.

use std::{fmt, sync::Arc};

use thiserror::Error;

use crate::source::FlawKind;

/// One thing wrong with one row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The number of the row, from 1; the header is not counted.
    pub row: u64,
    /// The line of the file, from 1.
    pub line: u64,
    /// The name of the column; nothing when the row as a whole is wrong.
    pub column: Option<Arc<str>>,
    /// What is wrong.
    pub kind: ProblemKind,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} (line {})", self.row, self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": {}", self.kind)
    }
}

/// The kinds of problems. None of them holds a value of the row.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Not a date that exists, or not written as one.
    #[error("not a date; write it as 1990-01-31")]
    BadBirthday,
    /// Not a colour.
    #[error("not a colour; write it as #RRGGBB")]
    BadColor,
    /// Days out of range or not a number.
    #[error("not a number of days between 1 and 10958")]
    BadDays,
    /// Not a mainland mobile number.
    #[error("not a mobile number of mainland China")]
    BadPhoneNumber,
    /// Not a moment that exists, or not written as one.
    #[error("not a time; write it as 2024-01-31 or 2024-01-31 08:30:00")]
    BadTime,
    /// Not a URL.
    #[error("not a URL that starts with https://")]
    BadUrl,
    /// A character outside printable ASCII.
    #[error(
        "character {position} is not allowed; a code has digits, English letters and half-width punctuation"
    )]
    CodeCharacter {
        /// Which character, from 1.
        position: usize,
    },
    /// A number with a point and zeros behind it.
    #[error(
        "written as a number with a decimal point (like 12345.0); write it as text, with its leading zeros"
    )]
    DecimalPoint,
    /// The code of an earlier row.
    #[error("the same code is in row {first_row}")]
    DuplicateCode {
        /// The earlier row.
        first_row: u64,
    },
    /// The openid of an earlier row.
    #[error("the same openid is in row {first_row}")]
    DuplicateOpenid {
        /// The earlier row.
        first_row: u64,
    },
    /// The phone number of an earlier row.
    #[error("the same phone number is in row {first_row}")]
    DuplicatePhoneNumber {
        /// The earlier row.
        first_row: u64,
    },
    /// A day number, as spreadsheets keep dates.
    #[error("a spreadsheet's day number in place of a date; format the column as text like 2024-01-31")]
    ExcelDate,
    /// What the source knows to be wrong with the cell.
    #[error(transparent)]
    Flaw(FlawKind),
    /// A character of four bytes in UTF-8.
    #[error("character {position} is an emoji or a rare character of four bytes, which the platform refuses")]
    FourByteCharacter {
        /// Which character, from 1.
        position: usize,
    },
    /// Nothing where a value is needed.
    #[error("is empty")]
    Missing,
    /// The field does not fit into an RSA ciphertext, though it passed the length rule.
    #[error("the field `{field}` cannot be sealed")]
    NotSealable {
        /// The field, by its name on the wire.
        field: String,
    },
    /// A character that no openid has.
    #[error("character {position} is not allowed; an openid has digits, English letters, `-` and `_`")]
    OpenidCharacter {
        /// Which character, from 1.
        position: usize,
    },
    /// A character that no number of a request may have.
    #[error(
        "character {position} is not allowed; a request number has digits, English letters and `|`, `_`, `*`, `-`"
    )]
    RequestNoCharacter {
        /// Which character, from 1.
        position: usize,
    },
    /// Not as many cells as columns.
    #[error("has {found} cells where the header has {expected}")]
    Ragged {
        /// Columns of the header.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// A number that a spreadsheet has rounded.
    #[error(
        "a spreadsheet has shortened the number (like 1.38E+10) and lost digits; format the column as text"
    )]
    ScientificNotation,
    /// More characters than the field may have.
    #[error("has {length} characters, at most {limit} are allowed")]
    TooLong {
        /// Characters found.
        length: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// More bytes than can be sealed.
    #[error("has {bytes} bytes in UTF-8, at most {limit} can be encrypted")]
    TooLongToSeal {
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// More choices than a custom field may have.
    #[error("has {found} choices, at most {limit} are allowed")]
    TooManyChoices {
        /// Choices found.
        found: usize,
        /// Choices allowed.
        limit: usize,
    },
    /// Not one of the known sexes.
    #[error("not one of 男, 女, male, female, M, F; leave it empty when it is not known")]
    UnknownSex,
    /// Not one of the known types.
    #[error("not one of FIX_TIME_RANGE, FIX_TERM, PERMANENT, 固定时间, 固定天数, 永久有效")]
    UnknownValidityType,
    /// A value that the type of the validity does not have.
    #[error("does not belong to a validity of the type {validity_type}; leave it empty or change the type")]
    ValidityContradiction {
        /// The type, as on the wire.
        validity_type: &'static str,
    },
    /// A value that the type of the validity needs.
    #[error("is empty, but a validity of the type {validity_type} needs it")]
    ValidityIncomplete {
        /// The type, as on the wire.
        validity_type: &'static str,
    },
    /// The end is not after the begin.
    #[error("the end of the validity is not after its begin")]
    ValidityReversed,
}

impl ProblemKind {
    /// A stable name in capitals, for reports and for programs that read them.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadBirthday => "ROW_BAD_BIRTHDAY",
            Self::BadColor => "ROW_BAD_COLOR",
            Self::BadDays => "ROW_BAD_DAYS",
            Self::BadPhoneNumber => "ROW_BAD_PHONE_NUMBER",
            Self::BadTime => "ROW_BAD_TIME",
            Self::BadUrl => "ROW_BAD_URL",
            Self::CodeCharacter { .. } => "ROW_CODE_CHARACTER",
            Self::DecimalPoint => "ROW_DECIMAL_POINT",
            Self::DuplicateCode { .. } => "ROW_DUPLICATE_CODE",
            Self::DuplicateOpenid { .. } => "ROW_DUPLICATE_OPENID",
            Self::DuplicatePhoneNumber { .. } => "ROW_DUPLICATE_PHONE_NUMBER",
            Self::ExcelDate => "ROW_EXCEL_DATE",
            Self::Flaw(kind) => kind.code(),
            Self::FourByteCharacter { .. } => "ROW_FOUR_BYTE_CHARACTER",
            Self::Missing => "ROW_MISSING_VALUE",
            Self::NotSealable { .. } => "ROW_NOT_SEALABLE",
            Self::OpenidCharacter { .. } => "ROW_OPENID_CHARACTER",
            Self::RequestNoCharacter { .. } => "ROW_REQUEST_NO_CHARACTER",
            Self::Ragged { .. } => "ROW_RAGGED",
            Self::ScientificNotation => "ROW_SCIENTIFIC_NOTATION",
            Self::TooLong { .. } => "ROW_TOO_LONG",
            Self::TooLongToSeal { .. } => "ROW_TOO_LONG_TO_SEAL",
            Self::TooManyChoices { .. } => "ROW_TOO_MANY_CHOICES",
            Self::UnknownSex => "ROW_UNKNOWN_SEX",
            Self::UnknownValidityType => "ROW_UNKNOWN_VALIDITY_TYPE",
            Self::ValidityContradiction { .. } => "ROW_VALIDITY_CONTRADICTION",
            Self::ValidityIncomplete { .. } => "ROW_VALIDITY_INCOMPLETE",
            Self::ValidityReversed => "ROW_VALIDITY_REVERSED",
        }
    }
}
