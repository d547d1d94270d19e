//! CSV as of RFC 4180, streamed, with exact line numbers.
//!
//! Built on `csv-core` and not on `csv`, because the line that `csv` reports for a record is the line where it
//! started to look: wrong after blank lines, and wrong by one in files with CR LF. Here a record's line is that of
//! its first byte. Memory is bounded by one record of [`RECORD_LIMIT`] bytes.
//!
//! A quotation mark that is not meant as one swallows the records behind it, and by the rules of CSV that is no error.
//! So a file that ends inside a quote is refused, and a record whose cell looks like it holds whole lines is marked.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use wxmember_crypto::{Fingerprint, SourceHasher};

use super::{Encoding, EncodingGuess, Flaw, FlawKind, Record, Records, Source, SourceError};

/// A CSV file in UTF-8 with commas, with or without a byte order mark, whose first line names the columns.
///
/// The plainest source: nothing is guessed. [`FileSource`](super::FileSource) finds out what a file is.
#[derive(Clone, Debug)]
pub struct CsvFile {
    path: PathBuf,
    name: String,
}

impl CsvFile {
    /// Names the file; it is opened when it is read.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        Self { path, name }
    }

    /// The path as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn io_error(&self, source: io::Error) -> SourceError {
        SourceError::Io {
            source_name: self.name.clone(),
            source,
        }
    }
}

impl Source for CsvFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self) -> Result<Fingerprint, SourceError> {
        let mut file = File::open(&self.path).map_err(|error| self.io_error(error))?;
        let mut hasher = SourceHasher::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(hasher.finish()),
                Ok(n) => hasher.update(&buffer[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.io_error(error)),
            }
        }
    }

    fn open(&self) -> Result<Box<dyn Records>, SourceError> {
        let file = File::open(&self.path).map_err(|error| self.io_error(error))?;
        Ok(Box::new(CsvRecords::new(&self.name, file)?))
    }
}

/// The records of CSV text from any reader.
pub struct CsvRecords<R> {
    name: String,
    input: R,
    buffer: Vec<u8>,
    /// The part of `buffer` that is read and not yet parsed.
    start: usize,
    end: usize,
    at_end: bool,
    hasher: Option<SourceHasher>,
    digest: Option<Fingerprint>,
    parser: Reader,
    delimiter: u8,
    quotes: Quotes,
    text: Vec<u8>,
    ends: Vec<usize>,
    columns: Vec<String>,
    header_line: u64,
    rows: u64,
    /// What the text was before it came here as UTF-8.
    encoding: Encoding,
}

impl<R: Read + Send> CsvRecords<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when there is no header or the content is not CSV in UTF-8.
    pub fn new(name: &str, input: R) -> Result<Self, SourceError> {
        Self::decoded(name, input, b',', Encoding::Utf8)
    }

    /// Reads the header of text that another reader has brought to UTF-8.
    pub(super) fn decoded(
        name: &str,
        input: R,
        delimiter: u8,
        encoding: Encoding,
    ) -> Result<Self, SourceError> {
        let mut records = Self {
            name: name.to_owned(),
            input,
            encoding,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            at_end: false,
            hasher: Some(SourceHasher::new()),
            digest: None,
            parser: ReaderBuilder::new().delimiter(delimiter).build(),
            delimiter,
            quotes: Quotes::default(),
            text: vec![0; 4096],
            ends: vec![0; 32],
            columns: Vec::new(),
            header_line: 1,
            rows: 0,
        };
        records.skip_mark()?;
        let mut header = Record::default();
        if !records.parse(&mut header)? {
            return Err(SourceError::Empty {
                source_name: records.name,
            });
        }
        records.columns = header.cells;
        records.header_line = header.line;
        Ok(records)
    }

    /// Looks at the first bytes: a byte order mark is skipped, other formats are named.
    fn skip_mark(&mut self) -> Result<(), SourceError> {
        while self.end < 4 && !self.at_end {
            self.fill()?;
        }
        let found = match &self.buffer[..self.end] {
            [0xEF, 0xBB, 0xBF, ..] => {
                self.start = 3;
                return Ok(());
            }
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "UTF-16; save it as `CSV UTF-8`",
            [b'P', b'K', 3, 4, ..] => "a spreadsheet or an archive; save it as `CSV UTF-8`",
            [0xD0, 0xCF, 0x11, 0xE0, ..] => "an old spreadsheet; save it as `CSV UTF-8`",
            [0x1F, 0x8B, ..] => "compressed; unpack it with `gunzip`",
            head if head.contains(&0) => "binary, or UTF-16; save it as `CSV UTF-8`",
            _ => return Ok(()),
        };
        Err(SourceError::NotCsv {
            source_name: self.name.clone(),
            found,
        })
    }

    /// Reads more bytes behind those not yet parsed.
    fn fill(&mut self) -> Result<(), SourceError> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        let read = loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let read = read.map_err(|source| SourceError::Io {
            source_name: self.name.clone(),
            source,
        })?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&self.buffer[self.end..self.end + read]);
        }
        self.end += read;
        if read == 0 {
            self.at_end = true;
            self.digest = self.hasher.take().map(SourceHasher::finish);
        }
        Ok(())
    }

    /// Parses one record, whatever is in it.
    fn parse(&mut self, record: &mut Record) -> Result<bool, SourceError> {
        let first_line = self.quotes.line;
        self.quotes.record = None;
        let (mut written, mut fields) = (0, 0);
        loop {
            if self.start == self.end && !self.at_end {
                self.fill()?;
            }
            let input = &self.buffer[self.start..self.end];
            let (result, consumed, wrote, ended) =
                self.parser
                    .read_record(input, &mut self.text[written..], &mut self.ends[fields..]);
            self.quotes.follow(&input[..consumed], self.delimiter);
            if input.is_empty() && self.at_end && self.quotes.place == Place::Quoted {
                return Err(SourceError::QuoteNotClosed {
                    source_name: self.name.clone(),
                    line: self.quotes.opened,
                });
            }
            self.start += consumed;
            written += wrote;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull
                    if written >= RECORD_LIMIT =>
                {
                    return Err(SourceError::RecordTooLong {
                        source_name: self.name.clone(),
                        line: first_line,
                    });
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(false),
            }
        }
        let text = &self.text[..written];
        record.line = self.quotes.record.unwrap_or(first_line);
        record.cells.truncate(fields);
        record.flaws.clear();
        record.numbers.clear();
        let has_lines = memchr::memchr2(b'\n', b'\r', text).is_some();
        let delimiters = self.columns.len().saturating_sub(1).max(1);
        let mut begin = 0;
        for (index, &end) in self.ends[..fields].iter().enumerate() {
            let bytes = &text[begin..end];
            begin = end;
            if has_lines && record.flaws.is_empty() && holds_records(bytes, self.delimiter, delimiters) {
                let inside = breaks(text);
                record.flaws.push(Flaw::of_row(FlawKind::SpansLines {
                    first: u32::try_from(record.line).unwrap_or(u32::MAX),
                    last: u32::try_from(record.line + inside).unwrap_or(u32::MAX),
                }));
            }
            let Ok(cell) = std::str::from_utf8(bytes) else {
                let (source_name, line) = (self.name.clone(), record.line);
                let column = match self.columns.get(index) {
                    Some(name) => format!("column `{}`", shown(name)),
                    None => format!("column {}", index + 1),
                };
                return Err(match self.encoding {
                    Encoding::Utf8 => SourceError::NotUtf8 {
                        source_name,
                        line,
                        column,
                        guess: guess(bytes),
                    },
                    encoding => SourceError::Undecodable {
                        source_name,
                        line,
                        column,
                        encoding,
                    },
                });
            };
            match record.cells.get_mut(index) {
                Some(old) => {
                    old.clear();
                    old.push_str(cell);
                }
                None => record.cells.push(cell.to_owned()),
            }
        }
        Ok(true)
    }
}

impl<R: Read + Send> Records for CsvRecords<R> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn header_line(&self) -> u64 {
        self.header_line
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, SourceError> {
        while self.parse(record)? {
            if record.cells.iter().any(|cell| !cell.trim().is_empty()) {
                self.rows += 1;
                record.row = self.rows;
                return Ok(true);
            }
        }
        if self.rows == 0 {
            return Err(SourceError::HeaderOnly {
                source_name: self.name.clone(),
                line: self.header_line,
            });
        }
        Ok(false)
    }

    fn digest(&self) -> Option<Fingerprint> {
        self.digest
    }
}

/// Where the parser stands as to quotation marks, which it does not say itself.
#[derive(Debug)]
struct Quotes {
    place: Place,
    /// The line that is read, from 1. A carriage return ends one too, alone or with a line feed.
    line: u64,
    /// The last byte was a carriage return.
    is_behind_return: bool,
    /// The line of the first byte of the record that is read, once there is one: blank lines before it are not its own.
    record: Option<u64>,
    /// The line of the last opening mark.
    opened: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// Before the first character of a cell; only here a mark opens a quote.
    Start,
    Plain,
    Quoted,
    /// Behind a mark in a quote: the end of the quote, or the first of two that mean one.
    Mark,
}

impl Default for Quotes {
    fn default() -> Self {
        Self {
            place: Place::Start,
            line: 1,
            is_behind_return: false,
            record: None,
            opened: 1,
        }
    }
}

impl Quotes {
    fn follow(&mut self, bytes: &[u8], delimiter: u8) {
        for &byte in bytes {
            self.place = match (self.place, byte) {
                (Place::Start, b'"') => {
                    self.opened = self.line;
                    Place::Quoted
                }
                (Place::Quoted, b'"') => Place::Mark,
                (Place::Quoted, _) | (Place::Mark, b'"') => Place::Quoted,
                (_, b'\n' | b'\r') => Place::Start,
                (_, byte) if byte == delimiter => Place::Start,
                _ => Place::Plain,
            };
            match byte {
                b'\n' if self.is_behind_return => {}
                b'\n' | b'\r' => self.line += 1,
                _ if self.record.is_none() => self.record = Some(self.line),
                _ => {}
            }
            self.is_behind_return = byte == b'\r';
        }
    }
}

/// The line breaks in a text.
fn breaks(text: &[u8]) -> u64 {
    let feeds = text.iter().filter(|&&byte| byte == b'\n').count();
    let returns = text
        .windows(2)
        .filter(|pair| pair[0] == b'\r' && pair[1] != b'\n')
        .count();
    (feeds + returns + usize::from(text.ends_with(b"\r"))) as u64
}

/// Whether a cell of several lines looks like records that a stray quotation mark has swallowed: one of its lines has as
/// many delimiters as a record, or there are more lines than anybody writes into a cell.
fn holds_records(cell: &[u8], delimiter: u8, delimiters: usize) -> bool {
    let mut lines = cell.split(|byte| matches!(byte, b'\n' | b'\r'));
    let is_record = |line: &[u8]| line.iter().filter(|&&byte| byte == delimiter).count() >= delimiters;
    let breaks = memchr::memchr_iter(b'\n', cell).count();
    let breaks = breaks.max(memchr::memchr_iter(b'\r', cell).count());
    breaks >= CELL_LINES || breaks > 0 && lines.any(is_record)
}

/// A column's name as messages show it: one line, no control characters, not too long.
pub(crate) fn shown(name: &str) -> String {
    name.trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN_LIMIT)
        .collect()
}

/// Every byte above ASCII must be the first of a pair (or of GB18030's four) for text to look like GBK.
fn guess(bytes: &[u8]) -> EncodingGuess {
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return EncodingGuess::Gbk,
            [0..=0x7F, rest @ ..] => rest,
            [0x81..=0xFE, 0x40..=0x7E | 0x80..=0xFE, rest @ ..] => rest,
            [0x81..=0xFE, b'0'..=b'9', 0x81..=0xFE, b'0'..=b'9', rest @ ..] => rest,
            _ => return EncodingGuess::Nothing,
        };
    }
}

const BUFFER: usize = 64 * 1024;
const RECORD_LIMIT: usize = 1024 * 1024;
const SHOWN_LIMIT: usize = 40;
/// Lines of one cell.
const CELL_LINES: usize = 20;

#[cfg(test)]
mod tests;
