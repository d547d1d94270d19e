//! Spreadsheets: XLSX, XLS and ODS, one sheet of them.
//!
//! A spreadsheet cannot be streamed: its strings stand in another part of the file than its rows. It is read whole into
//! memory, so its size is bounded, before it is read where that can be known: [`FILE_LIMIT`] bytes of the file,
//! [`UNPACKED_LIMIT`] bytes of what is packed in it, counted by unpacking it and not by what it says of itself,
//! [`CELL_LIMIT`] cells that are not empty and [`TEXT_LIMIT`] bytes of text. For ODS and XLS, whose reader lays out the
//! empty cells too, [`bounds`] counts them first.
//!
//! Cells are read by type. A number with more digits than a spreadsheet keeps, a truth value and an error are marked, for
//! the row to be refused: what stood there once is lost. So are dates, for the fields that are none. Leading zeros that
//! only the format of a number shows are not in the file's values and cannot be seen here.

use std::{
    io::{self, Cursor, Read},
    panic::{AssertUnwindSafe, catch_unwind},
};

use calamine::{Data, DataRef, ExcelDateTime, Ods, Reader, Sheet, SheetType, SheetVisible, Xls, Xlsx};
use wxmember_crypto::Fingerprint;
use zip::ZipArchive;

use super::{FileFormat, Flaw, FlawKind, Record, Records, SourceError};

mod bounds;

/// What a packed file is, by the names of its parts.
pub(super) fn format_of_archive(name: &str, bytes: &[u8]) -> Result<FileFormat, SourceError> {
    let unsupported = |found| SourceError::Unsupported {
        source_name: name.to_owned(),
        found,
    };
    let archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|_| unsupported("a damaged spreadsheet or archive"))?;
    let has = |part| archive.index_for_name(part).is_some();
    if has("xl/workbook.xml") {
        Ok(FileFormat::Xlsx)
    } else if has("xl/workbook.bin") {
        Err(unsupported("a binary workbook (.xlsb); save it as .xlsx"))
    } else if has("content.xml") {
        Ok(FileFormat::Ods)
    } else {
        Err(unsupported("an archive; unpack it and name the file in it"))
    }
}

/// Refuses what would not fit into memory.
pub(super) fn check_size(name: &str, format: FileFormat, bytes: &[u8]) -> Result<(), SourceError> {
    if format != FileFormat::Xls {
        check_unpacked(name, bytes, UNPACKED_LIMIT)?;
    }
    let checked = match format {
        FileFormat::Ods => bounds::check_ods(bytes),
        FileFormat::Xls => bounds::check_xls(bytes),
        _ => Ok(()),
    };
    checked.map_err(|refusal| refusal.error(name, None))
}

fn check_unpacked(name: &str, bytes: &[u8], limit: u64) -> Result<(), SourceError> {
    let damaged = || SourceError::Spreadsheet {
        source_name: name.to_owned(),
        problem: DAMAGED,
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    let mut left = limit;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| damaged())?;
        let unpacked = io::copy(&mut part.take(left + 1), &mut io::sink()).map_err(|_| damaged())?;
        left = left.checked_sub(unpacked).ok_or_else(|| SourceError::TooLarge {
            source_name: name.to_owned(),
            limit: "512 MiB when it is unpacked, which is the most a spreadsheet may have; save it as `CSV UTF-8`",
        })?;
    }
    Ok(())
}

/// One sheet in memory: only cells that are not empty.
pub(super) struct Table {
    pub(super) sheet: String,
    /// The names of the others that are shown.
    pub(super) other_sheets: Vec<String>,
    rows: Vec<TableRow>,
    cells: Vec<TableCell>,
    text: String,
}

struct TableRow {
    /// As the spreadsheet numbers it, from 1.
    number: u32,
    /// Where its cells end in the list of all.
    end: usize,
}

struct TableCell {
    column: u32,
    end: u32,
    mark: Mark,
}

/// What a cell is besides its text. Small, because there are millions of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mark {
    Boolean,
    Date,
    Duration,
    Error,
    Fraction,
    LostDigits,
    NoDate,
    Number,
    Text,
}

impl Mark {
    fn flaw(self) -> Option<FlawKind> {
        match self {
            Self::Boolean => Some(FlawKind::Boolean),
            Self::Date => Some(FlawKind::Date),
            Self::Duration => Some(FlawKind::Duration),
            Self::Error => Some(FlawKind::Error),
            Self::Fraction => Some(FlawKind::Fraction),
            Self::LostDigits => Some(FlawKind::LostDigits),
            Self::NoDate => Some(FlawKind::NoDate),
            Self::Number | Self::Text => None,
        }
    }
}

impl Table {
    /// Reads one sheet; without a name, the first one that is shown.
    pub(super) fn read(
        name: &str,
        format: FileFormat,
        bytes: Vec<u8>,
        sheet: Option<&str>,
    ) -> Result<Self, SourceError> {
        // The reader is strict with good files and not proven against bad ones.
        let read = catch_unwind(AssertUnwindSafe(|| match format {
            FileFormat::Xlsx => Self::read_xlsx(bytes, sheet),
            FileFormat::Xls => Xls::new(Cursor::new(bytes))
                .map_err(|_| Refusal::Problem(DAMAGED))
                .and_then(|book| Self::read_range(book, sheet)),
            _ => Ods::new(Cursor::new(bytes))
                .map_err(|_| Refusal::Problem(DAMAGED))
                .and_then(|book| Self::read_range(book, sheet)),
        }));
        read.unwrap_or(Err(Refusal::Problem(DAMAGED)))
            .map_err(|refusal| refusal.error(name, sheet))
    }

    /// Cell by cell: a range would hold every empty cell between two that are filled.
    fn read_xlsx(bytes: Vec<u8>, sheet: Option<&str>) -> Result<Self, Refusal> {
        let damaged = |_| Refusal::Problem(DAMAGED);
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
        let mut table = Self::new(chosen(&book, sheet)?, book.sheets_metadata());
        let sheet = table.sheet.clone();
        let mut cells = book.worksheet_cells_reader(&sheet).map_err(damaged)?;
        while let Some(cell) = cells.next_cell().map_err(damaged)? {
            let (row, column) = cell.get_position();
            let (text, mark) = match cell.get_value() {
                DataRef::SharedString(text) => ((*text).to_owned(), Mark::Text),
                other => text_of(&Data::from(other.clone())),
            };
            table.push(row, column, &text, mark)?;
        }
        Ok(table)
    }

    fn read_range<R: Reader<Cursor<Vec<u8>>>>(mut book: R, sheet: Option<&str>) -> Result<Self, Refusal> {
        let mut table = Self::new(chosen(&book, sheet)?, book.sheets_metadata());
        let range = book
            .worksheet_range(&table.sheet)
            .map_err(|_| Refusal::Problem(DAMAGED))?;
        let (first_row, first_column) = range.start().unwrap_or_default();
        for (row, column, cell) in range.used_cells() {
            let (text, mark) = text_of(cell);
            let (row, column) = (u32::try_from(row), u32::try_from(column));
            let (Ok(row), Ok(column)) = (row, column) else {
                return Err(Refusal::Problem(DAMAGED));
            };
            table.push(first_row + row, first_column + column, &text, mark)?;
        }
        Ok(table)
    }

    fn new(sheet: String, sheets: &[Sheet]) -> Self {
        let others = sheets
            .iter()
            .filter(|other| is_shown(other) && other.name != sheet);
        Self {
            other_sheets: others.map(|other| other.name.clone()).collect(),
            sheet,
            rows: Vec::new(),
            cells: Vec::new(),
            text: String::new(),
        }
    }

    fn push(&mut self, row: u32, column: u32, text: &str, mark: Mark) -> Result<(), Refusal> {
        if text.trim().is_empty() && mark.flaw().is_none() {
            return Ok(());
        }
        if self.cells.len() >= CELL_LIMIT {
            return Err(Refusal::TooLarge(
                "10 million filled cells, which is the most a spreadsheet may have; save it as `CSV UTF-8`",
            ));
        }
        if text.len() > TEXT_LIMIT - self.text.len() {
            return Err(Refusal::TooLarge(TOO_MUCH_TEXT));
        }
        if column >= COLUMN_LIMIT {
            return Err(Refusal::TooLarge(
                "1000 columns; save the list alone as `CSV UTF-8`",
            ));
        }
        self.text.push_str(text);
        let number = row.saturating_add(1);
        let is_next = match self.rows.last() {
            Some(last) if last.number == number => false,
            Some(last) if last.number > number => return Err(Refusal::Problem(DAMAGED)),
            _ => true,
        };
        self.cells.push(TableCell {
            column,
            end: self.text.len() as u32,
            mark,
        });
        let end = self.cells.len();
        match self.rows.last_mut() {
            Some(last) if !is_next => last.end = end,
            _ => self.rows.push(TableRow { number, end }),
        }
        Ok(())
    }

    /// Fills a record with the row at this place in the list.
    fn fill(&self, place: usize, record: &mut Record) {
        let first = place.checked_sub(1).map_or(0, |before| self.rows[before].end);
        let row = &self.rows[place];
        record.line = u64::from(row.number);
        record.flaws.clear();
        record.numbers.clear();
        record.cells.iter_mut().for_each(String::clear);
        let mut start = first
            .checked_sub(1)
            .map_or(0, |before| self.cells[before].end as usize);
        let mut width = 0;
        for cell in &self.cells[first..row.end] {
            let (column, end) = (cell.column as usize, cell.end as usize);
            width = width.max(column + 1);
            if record.cells.len() < width {
                record.cells.resize(width, String::new());
            }
            record.cells[column].push_str(&self.text[start..end]);
            record
                .flaws
                .extend(cell.mark.flaw().map(|kind| Flaw::of_cell(column, kind)));
            if cell.mark == Mark::Number {
                record.numbers.push(column);
            }
            start = end;
        }
        record.cells.truncate(width);
    }
}

/// Why a sheet is not read.
enum Refusal {
    NoSheet { sheets: Vec<String> },
    Problem(&'static str),
    TooLarge(&'static str),
}

impl Refusal {
    fn error(self, name: &str, sheet: Option<&str>) -> SourceError {
        let source_name = name.to_owned();
        match self {
            Self::NoSheet { sheets } => SourceError::NoSheet {
                source_name,
                sheet: sheet.unwrap_or_default().to_owned(),
                sheets: sheets.join("`, `"),
            },
            Self::Problem(problem) => SourceError::Spreadsheet { source_name, problem },
            Self::TooLarge(limit) => SourceError::TooLarge { source_name, limit },
        }
    }
}

fn chosen<R: Reader<Cursor<Vec<u8>>>>(book: &R, wanted: Option<&str>) -> Result<String, Refusal> {
    let sheets = book.sheets_metadata();
    let found = match wanted {
        Some(wanted) => sheets.iter().find(|sheet| sheet.name == wanted),
        None => sheets.iter().find(|sheet| is_shown(sheet)),
    };
    found
        .map(|sheet| sheet.name.clone())
        .ok_or_else(|| Refusal::NoSheet {
            sheets: sheets.iter().map(|sheet| sheet.name.clone()).collect(),
        })
}

fn is_shown(sheet: &Sheet) -> bool {
    sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible
}

/// The text that a cell stands for, and what it is besides.
fn text_of(cell: &Data) -> (String, Mark) {
    match cell {
        Data::Empty => (String::new(), Mark::Text),
        Data::String(text) => (text.clone(), Mark::Text),
        Data::Int(number) => (number.to_string(), Mark::Number),
        Data::Float(number) => number_text(*number),
        Data::DateTime(date) if date.is_duration() => (date.as_f64().to_string(), Mark::Duration),
        Data::DateTime(date) => date_text(date),
        Data::DateTimeIso(text) => (text.clone(), Mark::Date),
        Data::DurationIso(text) => (text.clone(), Mark::Duration),
        Data::Bool(value) => (value.to_string().to_uppercase(), Mark::Boolean),
        Data::Error(error) => (error.to_string(), Mark::Error),
    }
}

/// A spreadsheet keeps fifteen digits; what is longer ends in digits that nobody typed.
fn number_text(number: f64) -> (String, Mark) {
    let mark = match number {
        number if !number.is_finite() || number.abs() >= 1e15 => Mark::LostDigits,
        number if number.fract() != 0.0 => Mark::Fraction,
        _ => Mark::Number,
    };
    (number.to_string(), mark)
}

fn date_text(date: &ExcelDateTime) -> (String, Mark) {
    let serial = date.as_f64();
    let (year, month, day, hour, minute, second, millisecond) = date.to_ymd_hms_milli();
    // Below the first day, and on the 29 February 1900 that only spreadsheets know, no date is meant.
    if !(1.0..2_958_466.0).contains(&serial) || (year, month, day) == (1900, 2, 29) {
        return (serial.to_string(), Mark::NoDate);
    }
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second, millisecond) != (0, 0, 0, 0) {
        text += &format!(" {hour:02}:{minute:02}:{second:02}");
        if millisecond != 0 {
            text += &format!(".{millisecond:03}");
        }
    }
    (text, Mark::Date)
}

/// The records of one sheet.
pub(super) struct SheetRecords {
    name: String,
    table: Table,
    columns: Vec<String>,
    header_line: u64,
    next: usize,
    rows: u64,
}

impl SheetRecords {
    /// Takes the first row that is not empty for the header.
    pub(super) fn new(name: &str, table: Table) -> Result<Self, SourceError> {
        if table.rows.is_empty() {
            return Err(SourceError::Empty {
                source_name: name.to_owned(),
            });
        }
        let mut header = Record::default();
        table.fill(0, &mut header);
        Ok(Self {
            name: name.to_owned(),
            table,
            columns: header.cells,
            header_line: header.line,
            next: 1,
            rows: 0,
        })
    }
}

impl Records for SheetRecords {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn header_line(&self) -> u64 {
        self.header_line
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, SourceError> {
        if self.next >= self.table.rows.len() {
            if self.rows == 0 {
                return Err(SourceError::HeaderOnly {
                    source_name: self.name.clone(),
                    line: self.header_line,
                });
            }
            return Ok(false);
        }
        self.table.fill(self.next, record);
        // A sheet does not keep the empty cells at the end of a row.
        if record.cells.len() < self.columns.len() {
            record.cells.resize(self.columns.len(), String::new());
        }
        self.next += 1;
        self.rows += 1;
        record.row = self.rows;
        Ok(true)
    }

    fn digest(&self) -> Option<Fingerprint> {
        None
    }
}

/// Reads a spreadsheet whole, as far as it is allowed to be.
pub(super) fn read_whole(name: &str, input: impl Read) -> Result<Vec<u8>, SourceError> {
    let mut bytes = Vec::new();
    let read = input.take(FILE_LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|source| SourceError::Io {
        source_name: name.to_owned(),
        source,
    })?;
    match bytes.len() as u64 > FILE_LIMIT {
        true => Err(SourceError::TooLarge {
            source_name: name.to_owned(),
            limit: "64 MiB, which is the most a spreadsheet may have; save it as `CSV UTF-8`",
        }),
        false => Ok(bytes),
    }
}

const DAMAGED: &str = "it is damaged, or protected by a password";
const TOO_MUCH_TEXT: &str =
    "256 MiB of text, which is the most a spreadsheet may have; save it as `CSV UTF-8`";
const FILE_LIMIT: u64 = 64 << 20;
const UNPACKED_LIMIT: u64 = 512 << 20;
const CELL_LIMIT: usize = 10_000_000;
const TEXT_LIMIT: usize = 256 << 20;
const COLUMN_LIMIT: u32 = 1000;

#[cfg(test)]
mod tests;
