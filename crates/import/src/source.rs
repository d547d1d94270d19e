//! Where member lists come from: anything that gives records with the same columns, more than once.
//!
//! A source is read up to three times: to digest it, to load it, and to copy refused rows into a file to be fixed.
//! Its errors name the file, the line and the column; never a cell, because a cell is personal data.

use std::{fmt, io};

use thiserror::Error;
use wxmember_crypto::Fingerprint;

mod csv;
mod delimiter;
mod encoding;
mod file;
mod flaw;
mod input;
mod iter;
mod ndjson;
mod sheet;
mod spool;

pub(crate) use self::csv::shown;
pub use self::{
    csv::{CsvFile, CsvRecords},
    encoding::{Encoding, UnknownEncoding},
    file::{Description, FileFormat, FileSource, SourceOptions, UnknownFormat},
    flaw::{Flaw, FlawKind},
    iter::IterSource,
};

/// A member list that can be read again from its beginning.
pub trait Source: Send + Sync + 'static {
    /// The name in messages and in the ledger; no path, no personal data.
    fn name(&self) -> &str;

    /// The digest of the whole source.
    ///
    /// # Errors
    ///
    /// [`SourceError::Io`] when it cannot be read.
    fn digest(&self) -> Result<Fingerprint, SourceError>;

    /// Starts to read the records.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when there is no header or the content is not text.
    fn open(&self) -> Result<Box<dyn Records>, SourceError>;
}

/// The records of a source, one after the other.
pub trait Records: Send {
    /// The names of the columns, in order.
    fn columns(&self) -> &[String];

    /// The line that names the columns, from 1.
    fn header_line(&self) -> u64 {
        1
    }

    /// Reads the next record into `record`, whose memory is used again: whatever it held, every field is set. Returns
    /// whether there was one.
    ///
    /// Records whose cells are all empty are skipped and not counted.
    ///
    /// # Errors
    ///
    /// [`SourceError`], after which nothing more can be read.
    fn read(&mut self, record: &mut Record) -> Result<bool, SourceError>;

    /// After the end: the digest of all bytes that were read, so that a source changed meanwhile is noticed.
    fn digest(&self) -> Option<Fingerprint>;
}

/// One record: personal data in plain text, so `Debug` shows its place only.
#[derive(Clone, Default)]
pub struct Record {
    /// The number of the record, from 1; the header is not counted.
    pub row: u64,
    /// The line it starts on, from 1; in a spreadsheet, the number of the row as it is shown there.
    pub line: u64,
    /// The cells as the source has them. There may be more or fewer than columns.
    pub cells: Vec<String>,
    /// What the source knows to be wrong with a cell, though its text does not show it. Some of it is wrong only where
    /// something else than a date is asked for.
    pub flaws: Vec<Flaw>,
    /// The places of the cells that are numbers in a spreadsheet, from 0: what the leading zeros of a code are lost in.
    pub numbers: Vec<usize>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Record(row {}, line {}, {} cells)",
            self.row,
            self.line,
            self.cells.len()
        )
    }
}

/// Why a source cannot be read. No variant holds a cell.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The source changed while it was read.
    #[error("`{source_name}` changed while it was read; nothing of it was sent, start again")]
    Changed {
        /// The source.
        source_name: String,
    },
    /// Nothing in it, not even a header.
    #[error("`{source_name}` is empty; its first line must name the columns")]
    Empty {
        /// The source.
        source_name: String,
    },
    /// The spreadsheet has no sheet of that name.
    #[error("`{source_name}` has no sheet `{sheet}`; it has `{sheets}`")]
    NoSheet {
        /// The source.
        source_name: String,
        /// The name asked for; empty when none was and no sheet is shown.
        sheet: String,
        /// The names there are.
        sheets: String,
    },
    /// A line that is not one JSON object.
    #[error("`{source_name}`, line {line}, near byte {byte}: not a JSON object on one line")]
    NotJson {
        /// The source.
        source_name: String,
        /// The line, from 1.
        line: u64,
        /// The byte of the line, from 1.
        byte: usize,
    },
    /// A spreadsheet that cannot be read.
    #[error("`{source_name}` cannot be read as a spreadsheet: {problem}")]
    Spreadsheet {
        /// The source.
        source_name: String,
        /// Why.
        problem: &'static str,
    },
    /// A header and no record.
    #[error("`{source_name}` has a header on line {line} and no row below it")]
    HeaderOnly {
        /// The source.
        source_name: String,
        /// The line of the header, from 1.
        line: u64,
    },
    /// The operating system failed to read it.
    #[error("failed to read `{source_name}`")]
    Io {
        /// The source.
        source_name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The text is in another encoding than UTF-8.
    #[error("`{source_name}`, line {line}, {column}: not UTF-8{guess}", guess = guess.hint())]
    NotUtf8 {
        /// The source.
        source_name: String,
        /// The line, from 1.
        line: u64,
        /// The column, by its name or its number.
        column: String,
        /// What it looks like instead.
        guess: EncodingGuess,
    },
    /// The file is no text at all, or text of two bytes a character.
    #[error("`{source_name}` is not CSV text but {found}")]
    NotCsv {
        /// The source.
        source_name: String,
        /// What it looks like, and what to do.
        found: &'static str,
    },
    /// The bytes do not belong to the encoding the text is in.
    #[error(
        "`{source_name}`, line {line}, {column}: not {encoding}; save it as `CSV UTF-8`, or name its encoding with `--encoding`"
    )]
    Undecodable {
        /// The source.
        source_name: String,
        /// The line, from 1.
        line: u64,
        /// The column, by its name or its number.
        column: String,
        /// The encoding that was decided for, or asked for.
        encoding: Encoding,
    },
    /// A kind of file that holds no member list, or one that is not read.
    #[error("`{source_name}` is {found}")]
    Unsupported {
        /// The source.
        source_name: String,
        /// What it looks like, and what to do.
        found: &'static str,
    },
    /// More than is taken.
    #[error("`{source_name}` has more than {limit}")]
    TooLarge {
        /// The source.
        source_name: String,
        /// The bound, with its unit, and what to do.
        limit: &'static str,
    },
    /// The file ends inside a quoted cell.
    #[error("`{source_name}`: the quotation mark on line {line} is not closed")]
    QuoteNotClosed {
        /// The source.
        source_name: String,
        /// The line where the quote begins, from 1.
        line: u64,
    },
    /// One record has more than a million bytes: most likely a quote that is never closed.
    #[error(
        "`{source_name}`: the record that starts near line {line} does not end; is a quotation mark not closed?"
    )]
    RecordTooLong {
        /// The source.
        source_name: String,
        /// The line before which the last good record ended, from 1.
        line: u64,
    },
}

/// What text that is not UTF-8 looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EncodingGuess {
    /// Like GBK or GB18030, which spreadsheets on Chinese systems write.
    Gbk,
    /// Like nothing known.
    Nothing,
}

impl EncodingGuess {
    fn hint(self) -> &'static str {
        match self {
            Self::Gbk => {
                "; it looks like GBK: convert it with `iconv -f GB18030 -t UTF-8 FILE > FILE2`, or save it as `CSV UTF-8`"
            }
            Self::Nothing => "; save it as `CSV UTF-8` and try again",
        }
    }
}
