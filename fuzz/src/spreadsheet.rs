//! Member lists as spreadsheets.
//!
//! The first byte chooses the way: *raw* bytes of an XLSX, XLS or ODS file, or the *parts* of an archive in clear, which
//! the target packs, since no fuzzer changes what is compressed and has a checksum. Parts are divided by a line `--- name`.
//! The second byte chooses the route.

use std::{
    io::{Cursor, Write},
    panic,
    sync::{LazyLock, Once},
};

use tempfile::TempDir;
use wxmember_import::{Defaults, Route, SourceOptions, Validity};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{claims::MARKER, input::choice, list::judge, workplace::folder};

/// Reads a spreadsheet and judges every row.
pub fn run(data: &[u8]) {
    let Some((way, route, rest)) = choice(data) else {
        return;
    };
    // The importer takes a panic of the reader for a damaged file; libFuzzer would end with it. One that is not taken
    // ends the target all the same.
    QUIET.call_once(|| panic::set_hook(Box::new(told)));
    let (file, end) = match way % 5 {
        0 => (rest.to_vec(), "xlsx"),
        1 => (rest.to_vec(), "xls"),
        2 => (rest.to_vec(), "ods"),
        3 => (archive(rest, XLSX), "xlsx"),
        _ => (archive(rest, ODS), "ods"),
    };
    let path = FOLDER.path().join(format!("list.{end}"));
    std::fs::write(&path, &file).expect("the file is written");
    let defaults = Defaults::default().with_validity(Validity::Permanent);
    let mut options = SourceOptions::default();
    if route >= 128 {
        options = options.with_sheet("会员");
    }
    judge(
        &path,
        &file,
        options,
        Route::ALL[route % Route::ALL.len()],
        &defaults,
    );
}

/// Says where a panic of the reader was, which reaches people, so it must not repeat a cell either; says all of any
/// other.
fn told(info: &panic::PanicHookInfo<'_>) {
    let is_of_the_reader = info
        .location()
        .is_some_and(|place| place.file().contains("calamine"));
    if !is_of_the_reader {
        eprintln!("{info}");
        return;
    }
    eprintln!("a panic at {:?}", info.location());
    let payload = info.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    if text.contains(MARKER) {
        eprintln!("a panic repeats what it must not: {text}");
        std::process::abort();
    }
}

/// Packs the parts of an input, and those that it leaves out as they usually are.
fn archive(parts: &[u8], usual: &[(&str, &str)]) -> Vec<u8> {
    let mut given: Vec<(String, Vec<u8>)> = Vec::new();
    for line in parts.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(b"--- ") {
            Some(name) => {
                let name = String::from_utf8_lossy(name).trim().to_owned();
                if given.len() >= MOST_PARTS {
                    break;
                }
                given.push((name, Vec::new()));
            }
            None => match given.last_mut() {
                Some((_, content)) => content.extend_from_slice(line),
                None => given.push((usual[0].0.to_owned(), line.to_vec())),
            },
        }
    }
    for (name, content) in usual {
        if given.iter().all(|(own, _)| own != name) {
            given.push(((*name).to_owned(), content.as_bytes().to_vec()));
        }
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in given {
        // A name that stands twice cannot be packed.
        if writer.start_file(name, stored).is_ok() {
            writer.write_all(&content).expect("memory takes it");
        }
    }
    writer.finish().expect("memory takes it").into_inner()
}

static QUIET: Once = Once::new();

static FOLDER: LazyLock<TempDir> = LazyLock::new(folder);

/// The first one is what an input without a name is.
const XLSX: &[(&str, &str)] = &[
    (
        "xl/worksheets/sheet1.xml",
        r#"<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData></worksheet>"#,
    ),
    (
        "[Content_Types].xml",
        r#"<Types><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#,
    ),
    (
        "_rels/.rels",
        r#"<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="会员" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
    ),
    (
        "xl/sharedStrings.xml",
        "<sst><si><t>手机号</t></si><si><t>会员卡号</t></si><si><t>领取时间</t></si><si><t>等级</t></si></sst>",
    ),
    (
        "xl/styles.xml",
        r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="49"/></cellXfs></styleSheet>"#,
    ),
];

const ODS: &[(&str, &str)] = &[
    ("content.xml", "<office:document-content/>"),
    ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
    (
        "META-INF/manifest.xml",
        r#"<manifest:manifest><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>"#,
    ),
];

const MOST_PARTS: usize = 8;
