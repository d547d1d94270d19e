//! A member list as it lies in a folder: what it is, is found out by its content first and by its name second.
//!
//! [`FileSource::open`] reads the file once from beginning to end, for its digest and its encoding, and says what it
//! decided. What it decided is not asked again: a file that changes afterwards is noticed by its digest.

use std::{fmt, io::Read, path::Path, str::FromStr};

use serde::Serialize;
use thiserror::Error;
use wxmember_crypto::{Fingerprint, SourceHasher};

use super::{
    CsvRecords, Encoding, Record, Records, Source, SourceError,
    delimiter::sniff,
    encoding::{Commonness, Detector},
    input::{Digest, Input},
    ndjson::NdjsonRecords,
    sheet::{self, SheetRecords, Table},
    spool::read_full,
};

/// What a file is, when somebody knows better than what is found out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SourceOptions {
    /// The encoding of a text. Default: a byte order mark, else UTF-8 if it is, else GB18030.
    pub encoding: Option<Encoding>,
    /// What stands between the cells of a text, one ASCII character. Default: `,`, `;`, a tab or `|`, by the header.
    pub delimiter: Option<u8>,
    /// The sheet of a spreadsheet. Default: the first one.
    pub sheet: Option<String>,
    /// The format. Default: by the content, then by the name.
    pub format: Option<FileFormat>,
}

impl SourceOptions {
    /// Sets the encoding.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = Some(encoding);
        self
    }

    /// Sets what stands between the cells.
    #[must_use]
    pub fn with_delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// Sets the sheet.
    #[must_use]
    pub fn with_sheet(mut self, sheet: impl Into<String>) -> Self {
        self.sheet = Some(sheet.into());
        self
    }

    /// Sets the format.
    #[must_use]
    pub fn with_format(mut self, format: FileFormat) -> Self {
        self.format = Some(format);
        self
    }
}

/// The format of a file.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FileFormat {
    /// Text, a record a line, cells between delimiters; CSV and TSV.
    Csv,
    /// JSON, an object a line.
    Ndjson,
    /// A spreadsheet of LibreOffice and others.
    Ods,
    /// A spreadsheet of Excel before 2007.
    Xls,
    /// A spreadsheet of Excel.
    Xlsx,
}

impl FileFormat {
    /// Whether it is read whole into memory.
    #[must_use]
    pub fn is_spreadsheet(self) -> bool {
        matches!(self, Self::Ods | Self::Xls | Self::Xlsx)
    }

    /// The name in options and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Ods => "ods",
            Self::Xls => "xls",
            Self::Xlsx => "xlsx",
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::Ndjson => "NDJSON",
            Self::Ods => "ODS",
            Self::Xls => "XLS",
            Self::Xlsx => "XLSX",
        })
    }
}

impl FromStr for FileFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "txt" => Ok(Self::Csv),
            "ndjson" | "jsonl" => Ok(Self::Ndjson),
            "ods" => Ok(Self::Ods),
            "xls" => Ok(Self::Xls),
            "xlsx" => Ok(Self::Xlsx),
            _ => Err(UnknownFormat),
        }
    }
}

impl Serialize for FileFormat {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A name that no known format has.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not one of csv, tsv, xlsx, xls, ods, ndjson")]
pub struct UnknownFormat;

/// What a file was found to be.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Description {
    /// The format.
    pub format: FileFormat,
    /// The encoding of a text; nothing for a spreadsheet.
    pub encoding: Option<Encoding>,
    /// What stands between the cells of a text.
    pub delimiter: Option<char>,
    /// Whether it is packed by gzip.
    pub gzip: bool,
    /// Whether the encoding is a guess: bytes do not say that they are GB18030.
    pub is_encoding_guessed: bool,
    /// The sheet of a spreadsheet.
    pub sheet: Option<String>,
    /// The other sheets that are shown, when nobody has chosen one.
    pub other_sheets: Vec<String>,
    /// Bytes of the file as it is.
    pub bytes: u64,
}

impl Description {
    /// What is not wrong and yet worth a look.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.is_encoding_guessed {
            notes.push("taken for GB18030: check a name, or name the encoding with `--encoding`".to_owned());
        }
        let sheets = self.other_sheets.join("`, `");
        match self.other_sheets.len() {
            0 => {}
            1 => notes.push(format!(
                "1 other sheet is not read: `{sheets}`; choose with `--sheet`"
            )),
            count => notes.push(format!(
                "{count} other sheets are not read: `{sheets}`; choose with `--sheet`"
            )),
        }
        notes
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.format)?;
        if let Some(encoding) = self.encoding {
            write!(f, ", {encoding}")?;
        }
        match self.delimiter {
            Some('\t') => f.write_str(", cells separated by tabs")?,
            Some(delimiter) => write!(f, ", cells separated by `{delimiter}`")?,
            None => {}
        }
        if let Some(sheet) = &self.sheet {
            write!(f, ", sheet `{sheet}`")?;
        }
        if self.gzip {
            f.write_str(", packed by gzip")?;
        }
        Ok(())
    }
}

/// A member list in a file, or in a stream that comes once.
///
/// Texts are streamed: memory does not grow with rows. Spreadsheets are read whole: one may have 64 MiB, 512 MiB when it is
/// unpacked, 10 million cells between the first and the last in an ODS or XLS, 1000 columns, 10 million filled cells and 256 MiB of text. A stream is kept, sealed with a key that is only in memory, in a
/// temporary file without a name; it may have 4 GiB.
///
/// ```
/// use wxmember_import::{FileSource, Source, SourceOptions};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("members.txt");
/// std::fs::write(&path, "手机号;会员卡号\n13800138000;A1\n")?;
/// let source = FileSource::open(&path, SourceOptions::default())?;
/// assert_eq!(source.description().to_string(), "CSV, UTF-8, cells separated by `;`");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FileSource {
    input: Input,
    description: Description,
    digest: Fingerprint,
}

impl FileSource {
    /// Reads the whole file and finds out what it is. `-` is standard input.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when it cannot be read, is nothing that holds a member list, or is too large.
    pub fn open(path: impl AsRef<Path>, options: SourceOptions) -> Result<Self, SourceError> {
        let path = path.as_ref();
        Self::of_input(Input::new(path)?, extension(path), &options)
    }

    /// The same for a stream that can be read only once. It is kept until the source is dropped.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn from_stream(name: &str, stream: impl Read, options: SourceOptions) -> Result<Self, SourceError> {
        Self::of_input(Input::stream(name, stream)?, String::new(), &options)
    }

    fn of_input(input: Input, extension: String, options: &SourceOptions) -> Result<Self, SourceError> {
        let head = input.head(HEAD)?;
        let format = match options.format {
            Some(format) => format,
            None => format_of(&input, &head, &extension)?,
        };
        let mut description = Description {
            format,
            encoding: None,
            delimiter: None,
            is_encoding_guessed: false,
            gzip: input.is_packed,
            sheet: None,
            other_sheets: Vec::new(),
            bytes: input.bytes()?,
        };
        if format.is_spreadsheet() {
            return Self::of_spreadsheet(input, description, options);
        }
        if options.sheet.is_some() {
            return Err(SourceError::Unsupported {
                source_name: input.name,
                found: "text, which has no sheets; leave out `--sheet`",
            });
        }
        let mark = Encoding::of_mark(&head);
        if mark.is_none() && options.encoding.is_none() && head.contains(&0) {
            return Err(SourceError::Unsupported {
                source_name: input.name,
                found: "binary, or UTF-16 without a byte order mark; save it as `CSV UTF-8`, or name its encoding with \
                        `--encoding`",
            });
        }
        let (detected, digest) = survey(&input)?;
        let encoding = options.encoding.or(mark).unwrap_or(detected);
        description.encoding = Some(encoding);
        description.is_encoding_guessed =
            options.encoding.or(mark).is_none() && encoding == Encoding::Gb18030;
        if description.is_encoding_guessed {
            check_guess(&input)?;
        }
        if format == FileFormat::Csv {
            let usual = if matches!(extension.as_str(), "tsv" | "tab") {
                b'\t'
            } else {
                b','
            };
            let delimiter = match options.delimiter {
                Some(delimiter) => delimiter,
                None => sniff(&decoded_head(&input, encoding)?, usual),
            };
            description.delimiter = Some(char::from(delimiter));
        }
        let digest = identity(&description, digest);
        Ok(Self {
            input,
            description,
            digest,
        })
    }

    fn of_spreadsheet(
        input: Input,
        mut description: Description,
        options: &SourceOptions,
    ) -> Result<Self, SourceError> {
        let (reader, digest) = input.open()?;
        let bytes = sheet::read_whole(&input.name, reader)?;
        sheet::check_size(&input.name, description.format, &bytes)?;
        let table = Table::read(&input.name, description.format, bytes, options.sheet.as_deref())?;
        description.sheet = Some(table.sheet);
        if options.sheet.is_none() {
            description.other_sheets = table.other_sheets;
        }
        let digest = digest.take().ok_or_else(|| SourceError::Changed {
            source_name: input.name.clone(),
        })?;
        let digest = identity(&description, digest);
        Ok(Self {
            input,
            description,
            digest,
        })
    }

    /// What the file was found to be.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.input.name
    }

    fn digest(&self) -> Result<Fingerprint, SourceError> {
        Ok(self.digest)
    }

    fn open(&self) -> Result<Box<dyn Records>, SourceError> {
        let (input, digest) = self.input.open()?;
        let Description {
            format,
            encoding,
            delimiter,
            sheet,
            ..
        } = &self.description;
        let encoding = encoding.unwrap_or(Encoding::Utf8);
        let name = &self.input.name;
        let records: Box<dyn Records> = match format {
            FileFormat::Csv => {
                let delimiter = delimiter.and_then(|c| u8::try_from(c).ok()).unwrap_or(b',');
                let text = encoding.decoded(input);
                Box::new(CsvRecords::decoded(name, text, delimiter, encoding)?)
            }
            FileFormat::Ndjson => {
                let (ahead, _) = self.input.open()?;
                let (ahead, text) = (encoding.decoded(ahead), encoding.decoded(input));
                Box::new(NdjsonRecords::new(name, ahead, text, encoding)?)
            }
            FileFormat::Ods | FileFormat::Xls | FileFormat::Xlsx => {
                let bytes = sheet::read_whole(name, input)?;
                // It may have been changed since it was looked at.
                sheet::check_size(name, *format, &bytes)?;
                let table = Table::read(name, *format, bytes, sheet.as_deref())?;
                Box::new(SheetRecords::new(name, table)?)
            }
        };
        Ok(Box::new(FileRecords {
            records,
            digest,
            description: self.description.clone(),
        }))
    }
}

/// The records of a file, with the digest of the file and not of its text.
struct FileRecords {
    records: Box<dyn Records>,
    digest: Digest,
    description: Description,
}

impl Records for FileRecords {
    fn columns(&self) -> &[String] {
        self.records.columns()
    }

    fn header_line(&self) -> u64 {
        self.records.header_line()
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, SourceError> {
        self.records.read(record)
    }

    fn digest(&self) -> Option<Fingerprint> {
        // What was not read to its end has no digest.
        self.digest
            .take()
            .map(|digest| identity(&self.description, digest))
    }
}

/// What a file is by its first bytes, then by its name.
fn format_of(input: &Input, head: &[u8], extension: &str) -> Result<FileFormat, SourceError> {
    let unsupported = |found| {
        Err(SourceError::Unsupported {
            source_name: input.name.clone(),
            found,
        })
    };
    let text = head
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(head)
        .trim_ascii_start();
    if head.starts_with(b"PK\x03\x04") {
        let (reader, _) = input.open()?;
        return sheet::format_of_archive(&input.name, &sheet::read_whole(&input.name, reader)?);
    }
    match text {
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Ok(FileFormat::Xls),
        [b'{', ..] => Ok(FileFormat::Ndjson),
        [b'[', ..] if extension == "json" => {
            unsupported("a JSON array; write one object a line, for example with `jq -c '.[]'`")
        }
        [b'%', b'P', b'D', b'F', ..] => unsupported("a PDF; save the list as `CSV UTF-8`"),
        _ if matches!(extension, "ndjson" | "jsonl") => Ok(FileFormat::Ndjson),
        _ => Ok(FileFormat::Csv),
    }
}

/// Reads everything once: the encoding of what is in the file, and the digest of the file.
fn survey(input: &Input) -> Result<(Encoding, Fingerprint), SourceError> {
    let (mut reader, digest) = input.open()?;
    let mut detector = Detector::default();
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = read_full(&mut reader, &mut buffer).map_err(|error| input.io_error(error))?;
        detector.update(&buffer[..read]);
        if read < buffer.len() {
            break;
        }
    }
    let digest = digest.take().ok_or_else(|| SourceError::Changed {
        source_name: input.name.clone(),
    })?;
    Ok((detector.finish(), digest))
}

/// Refuses text that is not UTF-8 and not likely to be GB18030.
fn check_guess(input: &Input) -> Result<(), SourceError> {
    let (mut reader, _) = input.open()?;
    let mut commonness = Commonness::default();
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = read_full(&mut reader, &mut buffer).map_err(|error| input.io_error(error))?;
        commonness.update(&buffer[..read]);
        if read < buffer.len() {
            break;
        }
    }
    match commonness.is_doubtful() {
        true => Err(SourceError::Unsupported {
            source_name: input.name.clone(),
            found: "text that is not UTF-8, and mostly rare characters as GB18030; save it as `CSV UTF-8`, or name its \
                    encoding with `--encoding`",
        }),
        false => Ok(()),
    }
}

fn decoded_head(input: &Input, encoding: Encoding) -> Result<Vec<u8>, SourceError> {
    let (reader, _) = input.open()?;
    let mut head = vec![0; HEAD];
    let read = read_full(&mut encoding.decoded(reader), &mut head).map_err(|error| input.io_error(error))?;
    head.truncate(read);
    Ok(head)
}

/// The digest of what is imported: the bytes, and how they are read. The same bytes read another way are another job.
///
/// The plainest reading has the digest of the bytes, which `sha256sum` shows too.
fn identity(description: &Description, bytes: Fingerprint) -> Fingerprint {
    let Description {
        format,
        encoding,
        delimiter,
        sheet,
        ..
    } = description;
    let is_plain = *format == FileFormat::Csv && *encoding == Some(Encoding::Utf8) && *delimiter == Some(',');
    if is_plain {
        return bytes;
    }
    let mut hasher = SourceHasher::new();
    hasher.update(bytes.as_bytes());
    let delimiter = delimiter.map(String::from).unwrap_or_default();
    let texts = [
        format.name(),
        encoding.map_or("", Encoding::name),
        &delimiter,
        sheet.as_deref().unwrap_or_default(),
    ];
    for text in texts {
        hasher.update(&(text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finish()
}

/// The end of the name in lower case, without `.gz`.
fn extension(path: &Path) -> String {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.')
        .map(|(_, end)| end.to_owned())
        .unwrap_or_default()
}

const BUFFER: usize = 128 * 1024;
/// What is looked at to tell a format and a delimiter.
const HEAD: usize = 64 * 1024;

#[cfg(test)]
mod tests;
