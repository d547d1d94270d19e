//! What files are found to be, and that what is read is what was written.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;

const LIST: &str = "手机号,会员卡号,姓名\n13800138000,A1,张三\n13800138001,A2,\"李,四\"\n";

/// Columns, and of each row its number, its line and its cells.
type Rows = (Vec<String>, Vec<(u64, u64, Vec<String>)>);

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn open(name: &str, bytes: &[u8], options: SourceOptions) -> Result<(FileSource, Rows), SourceError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let source = FileSource::open(&path, options)?;
    let rows = rows(&source)?;
    // A stream gives the same as a file.
    let options = SourceOptions {
        format: Some(source.description.format),
        encoding: source.description.encoding,
        delimiter: source.description.delimiter.map(|c| c as u8),
        sheet: source.description.sheet.clone(),
    };
    let stream = FileSource::from_stream("standard input", bytes, options)?;
    assert_eq!(self::rows(&stream)?, rows);
    assert_eq!(stream.digest, source.digest);
    Ok((source, rows))
}

fn rows(source: &FileSource) -> Result<Rows, SourceError> {
    let mut records = Source::open(source)?;
    let mut record = Record::default();
    let mut rows = Vec::new();
    while records.read(&mut record)? {
        rows.push((record.row, record.line, record.cells.clone()));
    }
    assert_eq!(
        records.digest(),
        Some(source.digest),
        "the digest of what was read"
    );
    Ok((records.columns().to_vec(), rows))
}

/// However it is written, it is the same list.
#[track_caller]
fn check(name: &str, bytes: &[u8], expect: &str) {
    let (source, rows) = open(name, bytes, SourceOptions::default()).unwrap();
    assert_eq!(source.description().to_string(), expect);
    let plain = open("plain.csv", LIST.as_bytes(), SourceOptions::default()).unwrap();
    assert_eq!(rows, plain.1);
}

#[track_caller]
fn check_error(name: &str, bytes: &[u8], expect: &str) {
    let error = open(name, bytes, SourceOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), expect);
}

#[test]
fn one_list_in_every_dress_of_text() {
    let tabs = LIST.replace(',', "\t").replace("\"李\t四\"", "李,四");
    let semicolons = LIST.replace(',', ";").replace("\"李;四\"", "李,四");
    check("m.csv", LIST.as_bytes(), "CSV, UTF-8, cells separated by `,`");
    check(
        "m.csv",
        format!("\u{FEFF}{LIST}").as_bytes(),
        "CSV, UTF-8, cells separated by `,`",
    );
    check("m.csv", &gbk(LIST), "CSV, GB18030, cells separated by `,`");
    check(
        "m.csv",
        &gbk(&format!("\u{FEFF}{LIST}")),
        "CSV, GB18030, cells separated by `,`",
    );
    check(
        "m.txt",
        &utf16(&format!("\u{FEFF}{tabs}")),
        "CSV, UTF-16LE, cells separated by tabs",
    );
    check("m.tsv", tabs.as_bytes(), "CSV, UTF-8, cells separated by tabs");
    check(
        "m.csv",
        semicolons.as_bytes(),
        "CSV, UTF-8, cells separated by `;`",
    );
    check(
        "m.csv.gz",
        &gzip(LIST.as_bytes()),
        "CSV, UTF-8, cells separated by `,`, packed by gzip",
    );
    check(
        "m",
        &gzip(&gbk(&tabs)),
        "CSV, GB18030, cells separated by tabs, packed by gzip",
    );
    let two = [gzip(&LIST.as_bytes()[..20]), gzip(&LIST.as_bytes()[20..])].concat();
    check("m.gz", &two, "CSV, UTF-8, cells separated by `,`, packed by gzip");
}

#[test]
fn options_win_over_what_is_found_out() {
    let options = SourceOptions::default()
        .with_encoding(Encoding::Gb18030)
        .with_delimiter(b';');
    let (source, rows) = open("m.csv", b"a,b;c\n1,2;3\n", options).unwrap();
    assert_eq!(rows.0, ["a,b", "c"]);
    assert_eq!(
        source.description().to_string(),
        "CSV, GB18030, cells separated by `;`"
    );
}

#[test]
fn the_same_bytes_read_another_way_are_another_job() {
    let digest = |options| open("m.csv", b"a;b\n1;2\n", options).unwrap().0.digest;
    let comma = digest(SourceOptions::default().with_delimiter(b','));
    let semicolon = digest(SourceOptions::default());
    let gbk = digest(SourceOptions::default().with_encoding(Encoding::Gb18030));
    assert!(comma != semicolon && semicolon != gbk);
    let mut plain = SourceHasher::new();
    plain.update(b"a;b\n1;2\n");
    assert_eq!(comma, plain.finish());
}

#[test]
fn what_is_no_list_is_named() {
    check_error(
        "m.pdf",
        b"%PDF-1.7",
        "`m.pdf` is a PDF; save the list as `CSV UTF-8`",
    );
    check_error(
        "m.json",
        b" [{}]",
        "`m.json` is a JSON array; write one object a line, for example with `jq -c '.[]'`",
    );
    check_error(
        "m.csv",
        b"a\0,\0b\0",
        "`m.csv` is binary, or UTF-16 without a byte order mark; save it as `CSV UTF-8`, or name its encoding with \
         `--encoding`",
    );
    check_error(
        "m.csv",
        b"",
        "`m.csv` is empty; its first line must name the columns",
    );
    check_error(
        "m.csv.gz",
        &gzip(b""),
        "`m.csv.gz` is empty; its first line must name the columns",
    );
    let folder = tempfile::tempdir().unwrap();
    let error = FileSource::open(folder.path(), SourceOptions::default()).unwrap_err();
    assert!(error.to_string().ends_with("is a folder; name a file in it"));
    let error = FileSource::open(folder.path().join("no.csv"), SourceOptions::default()).unwrap_err();
    assert!(matches!(error, SourceError::Io { .. }));
}

#[test]
fn text_that_is_damaged_is_refused_with_its_place() {
    let mut bytes = gbk(LIST);
    bytes.extend(b"13800138002,A3,\xFF\xFF\n");
    check_error(
        "m.csv",
        &bytes,
        "`m.csv`, line 4, column `姓名`: not GB18030; save it as `CSV UTF-8`, or name its encoding with `--encoding`",
    );
    let mut bytes = LIST.as_bytes().to_vec();
    bytes.extend(b"13800138002,\xE5\xBC,x\n");
    let error = open("m.csv", &bytes, SourceOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("`m.csv`, line 4, column `会员卡号`: not UTF-8"),
        "{error}"
    );
}

#[test]
fn a_packed_file_that_is_cut_off_or_damaged_is_refused() {
    let packed = gzip(LIST.repeat(100).as_bytes());
    for bytes in [&packed[..packed.len() / 2], &[&packed[..], b"rest"].concat()] {
        let error = open("m.csv.gz", bytes, SourceOptions::default()).unwrap_err();
        assert!(matches!(error, SourceError::Io { .. }), "{error}");
    }
}

#[test]
fn a_change_between_two_readings_shows_in_the_digest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.csv");
    std::fs::write(&path, gbk(LIST)).unwrap();
    let source = FileSource::open(&path, SourceOptions::default()).unwrap();
    std::fs::write(&path, gbk(&LIST.replace("A1", "A9"))).unwrap();
    let mut records = Source::open(&source).unwrap();
    let mut record = Record::default();
    assert_eq!(records.digest(), None);
    while records.read(&mut record).unwrap() {}
    assert!(
        records
            .digest()
            .is_some_and(|digest| digest != source.digest().unwrap())
    );
}

#[test]
fn no_error_and_no_debug_text_shows_a_cell() {
    const MARKER: &str = "MARKER";
    let damaged = [format!("a,b\n{MARKER},").as_bytes(), b"\xFF\n"].concat();
    for bytes in [
        damaged.clone(),
        gbk(LIST),
        LIST.replace("张三", MARKER).into_bytes(),
        gzip(&damaged),
    ] {
        let shown = match open("m.csv", &bytes, SourceOptions::default()) {
            Ok((source, _)) => format!("{source:?} {:?}", source.description()),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(
            !shown.contains(MARKER) && !shown.contains("13800138000"),
            "{shown}"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(
        head in proptest::sample::select(vec![&b""[..], b"\xFF\xFE", b"\x1F\x8B\x08", b"PK\x03\x04", b"{", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", b"\xEF\xBB\xBF"]),
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        name in proptest::sample::select(vec!["m.csv", "m.tsv", "m.xlsx", "m.ods", "m.xls", "m.ndjson", "m.csv.gz", "m"])
    ) {
        let _ = open(name, &[head, &bytes].concat(), SourceOptions::default());
    }
}

/// What is told of a file besides its format.
#[track_caller]
fn check_notes(name: &str, bytes: &[u8], options: SourceOptions, expect: &[&str]) {
    let source = FileSource::from_stream(name, bytes, options).unwrap();
    assert_eq!(source.description().notes(), expect);
}

#[test]
fn sheets_that_are_not_read_are_told_unless_one_was_chosen() {
    let list = include_bytes!("../../../fixtures/list.xlsx");
    check_notes(
        "m.xlsx",
        list,
        SourceOptions::default(),
        &["1 other sheet is not read: `其他`; choose with `--sheet`"],
    );
    check_notes("m.xlsx", list, SourceOptions::default().with_sheet("会员"), &[]);
}

#[test]
fn a_guess_of_the_encoding_is_told_and_an_unlikely_one_is_refused() {
    let guessed = "taken for GB18030: check a name, or name the encoding with `--encoding`";
    let traditional = "手機號,會員卡號,姓名\n13800138000,A1,陳建國\n13800138001,A2,劉麗華\n";
    for text in [LIST, traditional] {
        check_notes("m.csv", &gbk(text), SourceOptions::default(), &[guessed]);
    }
    let named = SourceOptions::default().with_encoding(Encoding::Gb18030);
    check_notes("m.csv", &gbk(LIST), named.clone(), &[]);
    check_notes("m.csv", LIST.as_bytes(), SourceOptions::default(), &[]);
    let latin = b"phone,code,name\n13800138000,A1,M\xFCller\n13800138001,A2,Fran\xE7ois\n";
    check_error(
        "m.csv",
        latin,
        "`m.csv` is text that is not UTF-8, and mostly rare characters as GB18030; save it as `CSV UTF-8`, or name its \
         encoding with `--encoding`",
    );
    assert!(open("m.csv", latin, named).is_ok());
}
