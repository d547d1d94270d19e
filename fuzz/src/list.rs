//! Member lists as text: what the file is, its encoding and delimiter, its columns, its rows.
//!
//! Three bytes choose route, encoding, delimiter, the end of the name and the time zone; a line assigns columns by hand
//! (`phone_number=手机号,level=#3`); the rest is the file.

use std::{fs, path::Path, sync::LazyLock};

use jiff::tz::Offset;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use wxmember_import::{
    Assignment, Checked, CsvRecords, Defaults, Encoding, FileFormat, FileSource, LoadError, Mapping, Member,
    Profile, Record, Records, Route, Source, SourceError, SourceOptions, Validator, Validity, check,
};

use crate::{
    claims::{MARKER, contains, has_marker, quiet, shown},
    input::line,
    workplace::folder,
};

/// Reads a list, says what it is, and judges every row.
pub fn run(data: &[u8]) {
    let [first, second, third, rest @ ..] = data else {
        return;
    };
    let (assignments, file) = line(rest);
    let mut options = SourceOptions::default();
    let encodings = [
        Encoding::Utf8,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Gb18030,
    ];
    if let Some(encoding) = encodings.get(usize::from(second % 8)) {
        options = options.with_encoding(*encoding);
    }
    if let Some(delimiter) = [b',', b';', b'\t', b'|', b'"', b'\n', 0xff].get(usize::from(second / 8)) {
        options = options.with_delimiter(*delimiter);
    }
    let ends = ["csv", "tsv", "txt", "ndjson", "jsonl", "csv.gz", "json", ""];
    let name = format!("list.{}", ends[usize::from(third % 8)]);
    let route = Route::ALL[usize::from(*first) % Route::ALL.len()];
    let defaults = defaults(usize::from(*first) / 3, assignments);
    let path = FOLDER.path().join(name);
    fs::write(&path, file).expect("the file is written");
    judge(&path, file, options, route, &defaults);
}

fn defaults(choice: usize, assignments: &[u8]) -> Defaults {
    let assignments = String::from_utf8_lossy(assignments);
    let columns = assignments
        .split(',')
        .filter_map(|text| text.parse::<Assignment>().ok());
    let defaults = Defaults::default().with_columns(columns);
    let defaults = match choice % 4 {
        0 => defaults,
        1 => defaults.with_validity(Validity::Permanent),
        2 => defaults
            .with_validity(Validity::FixTerm { days: 365 })
            .with_custom_fields(["喜欢的运动", "c"]),
        _ => defaults
            .with_validity(Validity::Permanent)
            .with_pickup_time("2024-01-31T00:00:00+08:00"),
    };
    match choice / 4 % 4 {
        0 => defaults,
        1 => defaults.with_time_zone(Offset::MIN),
        2 => defaults.with_time_zone(Offset::MAX),
        _ => defaults.with_level("gold").with_card_color("#FF00aa"),
    }
}

/// Judges a file of any kind; used for spreadsheets too.
pub(crate) fn judge(path: &Path, file: &[u8], options: SourceOptions, route: Route, defaults: &Defaults) {
    let source = match FileSource::open(path, options) {
        Ok(source) => source,
        Err(error) => return told(&error, file),
    };
    let description = source.description();
    let _ = (description.to_string(), description.notes());
    assert_eq!(description.bytes, file.len() as u64);
    let records = match read_all(&source) {
        Ok(read) => read,
        Err(error) => {
            told(&error, file);
            None
        }
    };
    match check(&source, route, defaults, 8, &CancellationToken::new()) {
        Ok(checked) => {
            let read = records.expect("what is judged is read");
            assert_eq!(checked.rows, read.records.len() as u64);
            judged(&checked, &read, route, defaults, file);
            if description.format == FileFormat::Csv {
                again(&read);
            }
        }
        Err(LoadError::Source(error)) => {
            assert!(
                records.is_none() || matches!(error, SourceError::HeaderOnly { .. }),
                "{error}"
            );
            told(&error, file);
        }
        Err(error) => {
            let text = shown(&error);
            // It names columns, which a list without a header would have its people in.
            if records.is_none_or(|read| !read.columns.concat().contains(MARKER))
                && !defaults_hold_marker(defaults)
            {
                quiet(&text);
            }
        }
    }
}

/// What was read from a list.
struct Read {
    columns: Vec<String>,
    records: Vec<Record>,
}

/// Every record; the same when they are read again. Nothing when there are more than a fuzzer has time for.
fn read_all(source: &FileSource) -> Result<Option<Read>, SourceError> {
    let mut records = source.open()?;
    let columns = records.columns().to_vec();
    let mut all = Vec::new();
    let mut record = Record::default();
    let mut last = 0;
    while records.read(&mut record)? {
        assert_eq!(record.row, all.len() as u64 + 1, "rows are counted");
        assert!(record.line > last, "lines go on");
        last = record.line;
        assert!(
            record.cells.iter().any(|cell| !cell.is_empty()),
            "an empty record is none"
        );
        quiet(&format!("{record:?}"));
        all.push(record.clone());
    }
    assert_eq!(records.digest(), Some(source.digest()?));
    Ok(Some(Read {
        columns,
        records: all,
    }))
}

/// Refused and accepted rows are all rows; each row has the same end when it is judged alone.
fn judged(checked: &Checked, read: &Read, route: Route, defaults: &Defaults, file: &[u8]) {
    let refused: u64 = checked.refused.values().sum();
    assert_eq!(checked.good + refused, checked.rows);
    assert_eq!(checked.refused_rows(), refused);
    assert!(checked.problems.len() <= 8 && (refused == 0) == checked.problems.is_empty());
    if has_marker(file) && !read.columns.concat().contains(MARKER) && !defaults_hold_marker(defaults) {
        for problem in &checked.problems {
            quiet(&format!("{problem} {problem:?}"));
        }
    }
    let mapping: Mapping = checked.mapping.clone();
    let profile = Profile::new("1900000109", "1004", "card", "https://localhost");
    let validator = Validator::new(profile, route, mapping, defaults.clone()).expect("it was made before");
    let mut good = 0;
    for record in read.records.iter().take(MOST_ROWS) {
        match validator.member(record) {
            Ok(member) => {
                good += 1;
                if !is_marked_elsewhere(&member) {
                    quiet(&format!("{member:?}"));
                }
                member_is_sound(&member, route);
            }
            Err(problems) => assert!(!problems.is_empty(), "a refused row says why"),
        }
    }
    if read.records.len() <= MOST_ROWS {
        assert!(checked.good <= good, "only a repeat is refused among others");
    }
}

/// Whether a field that is shown holds the marker: codes, numbers and looks are no secrets.
fn is_marked_elsewhere(member: &Member) -> bool {
    let custom = member.custom_fields.iter().map(|(name, _)| name);
    let texts = [
        &member.openid,
        &member.user_card_code,
        &member.request_no,
        &member.level,
        &member.card_color,
        &member.card_picture_url,
        &member.pickup_time,
    ];
    let mut texts = texts.into_iter().flatten().chain(custom);
    texts.any(|text| text.contains(MARKER))
}

/// What a good row has, by the rules of the API as they stand in its documents.
fn member_is_sound(member: &Member, route: Route) {
    use wxmember_crypto::Plaintext;
    if let Some(phone) = &member.phone_number {
        let phone = phone.expose();
        assert!(
            phone.len() == 11 && phone.starts_with('1') && phone.bytes().all(|byte| byte.is_ascii_digit())
        );
    }
    assert!(member.phone_number.is_some() || route == Route::ImportByOpenid);
    if let Some(code) = &member.user_card_code {
        assert!(
            (1..=32).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic()),
            "{code}"
        );
    }
    if let Some(level) = &member.level {
        assert!((1..=10).contains(&level.chars().count()), "{level}");
    }
    if let Some(color) = &member.card_color {
        assert!(color.len() == 7 && color.starts_with('#'), "{color}");
    }
    if let Some(time) = &member.pickup_time {
        time.parse::<jiff::Timestamp>().expect("a time of RFC 3339");
    }
    for (_, value) in &member.common_fields {
        assert!((1..=214).contains(&value.expose().len()));
        assert!(!value.expose().chars().any(|one| one.len_utf8() == 4));
    }
    if let Some(Validity::FixTimeRange { begin, end }) = &member.validity {
        let [begin, end] = [begin, end].map(|time| time.parse::<jiff::Timestamp>().expect("a time"));
        assert!(begin < end);
    }
}

/// The records written as the plainest CSV are read as they were.
fn again(read: &Read) {
    let mut text = String::new();
    let mut put = |cells: &[String]| {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        }
        text.push_str("\r\n");
    };
    put(&read.columns);
    read.records.iter().for_each(|record| put(&record.cells));
    // A zero byte makes text without a named encoding no text.
    if text.contains('\0') {
        return;
    }
    let mut records = match CsvRecords::new("again.csv", text.as_bytes()) {
        Ok(records) => records,
        Err(error) => {
            // A header of nothing but blanks is none.
            assert!(read.columns.iter().all(|name| name.trim().is_empty()), "{error}");
            return;
        }
    };
    assert_eq!(records.columns(), read.columns);
    let mut record = Record::default();
    for before in &read.records {
        match records.read(&mut record) {
            Ok(true) => assert!(record.cells == before.cells, "row {} is another one", before.row),
            Ok(false) => panic!("row {} is missing", before.row),
            Err(SourceError::RecordTooLong { .. }) => return,
            Err(error) => panic!("row {}: {error}", before.row),
        }
    }
    assert!(!records.read(&mut record).expect("the end is read"));
}

/// An error names the place and never the cell. A column's name it may name.
fn told(error: &SourceError, file: &[u8]) {
    let text = shown(error);
    // The header is what comes before the first line feed, in an encoding that keeps ASCII.
    let is_of_the_header = contains(line(file).0, MARKER.as_bytes());
    assert!(is_of_the_header || !text.contains(MARKER), "{text}");
}

fn defaults_hold_marker(defaults: &Defaults) -> bool {
    // A column's name is shown without its control characters.
    let is_marked = |column: &Assignment| {
        let shown = column.column().chars().filter(|one| !one.is_control());
        shown.collect::<String>().contains(MARKER)
    };
    format!("{defaults:?}").contains(MARKER) || defaults.columns.iter().any(is_marked)
}

static FOLDER: LazyLock<TempDir> = LazyLock::new(folder);

/// Of which each is judged alone as well.
const MOST_ROWS: usize = 50;
