//! Cells of every type by three writers, and files that must not be read.

use std::io::{Seek, Write};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::*;

const XLSX: &[u8] = include_bytes!("../../../fixtures/list.xlsx");
const XLS: &[u8] = include_bytes!("../../../fixtures/list.xls");
const ODS: &[u8] = include_bytes!("../../../fixtures/list.ods");

type Row = (u64, u64, Vec<String>, Vec<Flaw>);

fn read(
    format: FileFormat,
    bytes: &[u8],
    sheet: Option<&str>,
) -> Result<(Vec<String>, Vec<Row>), SourceError> {
    check_size("m", format, bytes)?;
    let mut records = SheetRecords::new("m", Table::read("m", format, bytes.to_vec(), sheet)?)?;
    let mut record = Record::default();
    let mut rows = Vec::new();
    while records.read(&mut record)? {
        rows.push((
            record.row,
            record.line,
            record.cells.clone(),
            record.flaws.clone(),
        ));
    }
    Ok((records.columns, rows))
}

/// An archive with these parts.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        part(&mut writer, name);
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn part(writer: &mut ZipWriter<impl Write + Seek>, name: &str) {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    writer.start_file(name, options).unwrap();
}

/// A workbook of one sheet with this content between `<sheetData>` and its end.
fn workbook(rows: &str) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    archive(&[
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r0\" Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            )
            .as_bytes(),
        ),
        (
            "xl/workbook.xml",
            format!("<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>")
                .as_bytes(),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            )
            .as_bytes(),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>").as_bytes(),
        ),
    ])
}

#[test]
fn cells_of_every_type_are_the_same_from_three_writers() {
    for (format, bytes) in [
        (FileFormat::Xlsx, XLSX),
        (FileFormat::Xls, XLS),
        (FileFormat::Ods, ODS),
    ] {
        let (columns, rows) = read(format, bytes, None).unwrap();
        assert_eq!(
            columns,
            ["手机号", "会员卡号", "姓名", "生日", "领取时间", "备注"],
            "{format}"
        );
        let places: Vec<_> = rows.iter().map(|(row, line, ..)| (*row, *line)).collect();
        assert_eq!(places, [(1, 3), (2, 5), (3, 6)], "{format}");
        let cells: Vec<_> = rows.iter().map(|(_, _, cells, _)| cells[..5].join("|")).collect();
        let joined = if format == FileFormat::Ods {
            "2024-01-02T08:30:00"
        } else {
            "2024-01-02 08:30:00"
        };
        assert_eq!(
            cells[0],
            format!("13800138000|A1|张三|1990-01-02|{joined}"),
            "{format}"
        );
        assert_eq!(
            cells[1], "+86 138-0013-8001|478515832665|李 四|1990年1月2日|45293",
            "{format}"
        );
        assert!(cells[2].starts_with("1.38E+10|1234567890123456||"), "{format}");
        let flaws: Vec<_> = rows.iter().map(|row| row.3.clone()).collect();
        let error = Flaw::of_cell(5, FlawKind::Error);
        let date = |cell| Flaw::of_cell(cell, FlawKind::Date);
        let expect = [
            vec![date(3), date(4), Flaw::of_cell(5, FlawKind::Boolean)],
            if format == FileFormat::Ods {
                vec![]
            } else {
                vec![error]
            },
            vec![
                Flaw::of_cell(1, FlawKind::LostDigits),
                Flaw::of_cell(3, FlawKind::Duration),
                date(4),
                Flaw::of_cell(5, FlawKind::Fraction),
            ],
        ];
        assert_eq!(flaws, expect, "{format}");
    }
}

#[test]
fn the_first_sheet_that_is_shown_is_read_unless_one_is_named() {
    for (format, bytes) in [
        (FileFormat::Xlsx, XLSX),
        (FileFormat::Xls, XLS),
        (FileFormat::Ods, ODS),
    ] {
        assert_eq!(
            Table::read("m", format, bytes.to_vec(), None).ok().unwrap().sheet,
            "会员",
            "{format}"
        );
        let error = read(format, bytes, Some("其他")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`m` has a header on line 2 and no row below it",
            "{format}"
        );
        let error = read(format, bytes, Some("members")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`m` has no sheet `members`; it has `说明`, `会员`, `其他`",
            "{format}"
        );
    }
}

#[test]
fn formats_are_known_by_their_parts() {
    assert_eq!(format_of_archive("m", XLSX).ok(), Some(FileFormat::Xlsx));
    assert_eq!(format_of_archive("m", ODS).ok(), Some(FileFormat::Ods));
    let error = |bytes: &[u8]| format_of_archive("m", bytes).unwrap_err().to_string();
    assert_eq!(
        error(&archive(&[("members.csv", b"x")])),
        "`m` is an archive; unpack it and name the file in it"
    );
    assert_eq!(
        error(&archive(&[("xl/workbook.bin", b"x")])),
        "`m` is a binary workbook (.xlsb); save it as .xlsx"
    );
    assert_eq!(error(b"PK\x03\x04"), "`m` is a damaged spreadsheet or archive");
}

#[test]
fn two_cells_far_apart_take_no_more_room_than_two() {
    let rows =
        "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"B1048576\"><v>2</v></c></row>";
    let (columns, rows) = read(FileFormat::Xlsx, &workbook(rows), None).unwrap();
    assert_eq!(
        (columns.len(), rows[0].1, rows[0].2.join("|")),
        (1, 1_048_576, "|2".to_owned())
    );
    let wide = "<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"XFD1\"><v>2</v></c></row>";
    let error = read(FileFormat::Xlsx, &workbook(wide), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`m` has more than 1000 columns; save the list alone as `CSV UTF-8`"
    );
}

#[test]
fn what_unpacks_to_too_much_is_refused_by_what_comes_out() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    part(&mut writer, "xl/workbook.xml");
    writer.write_all(&vec![0; 1 << 20]).unwrap();
    part(&mut writer, "xl/styles.xml");
    writer.write_all(&vec![0; 1 << 20]).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    assert!(bytes.len() < 8 << 10);
    assert!(check_unpacked("m", &bytes, 2 << 20).is_ok());
    let error = check_unpacked("m", &bytes, (2 << 20) - 1).unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { .. }), "{error}");
}

/// An ODS with this content in its only table.
fn ods(table: &str) -> Vec<u8> {
    ods_of(&format!(
        "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\"><office:body><office:spreadsheet>\
         <table:table table:name=\"S\">{table}</table:table>\
         </office:spreadsheet></office:body></office:document-content>"
    ))
}

/// An ODS with this `content.xml`.
fn ods_of(content: &str) -> Vec<u8> {
    archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        (
            "META-INF/manifest.xml",
            b"<manifest:manifest xmlns:manifest=\"m\"/>",
        ),
        ("content.xml", content.as_bytes()),
    ])
}

#[test]
fn an_ods_whose_content_ends_early_is_damaged_and_read_to_an_end() {
    let whole = "<office:body><office:spreadsheet><table:table table:name=\"S\">\
                 <table:table-row table:number-rows-repeated=\"2\"><table:table-cell office:value-type=\"string\"><office:annotation><text:p>y</text:p></office:annotation>\
                 <text:p>x</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body>";
    read(FileFormat::Ods, &ods_of(whole), None).unwrap();
    for end in 1..whole.len() {
        let error = read(FileFormat::Ods, &ods_of(&whole[..end]), None).unwrap_err();
        assert!(
            error.to_string().contains("damaged"),
            "{}: {error}",
            &whole[..end]
        );
    }
    let crossed = whole.replace("</text:p></table:table-cell>", "</table:table-cell></text:p>");
    assert!(read(FileFormat::Ods, &ods_of(&crossed), None).is_err());
}

#[test]
fn repeated_cells_of_an_ods_are_counted_before_they_are_laid_out() {
    #[track_caller]
    fn check(table: &str, expect: Result<(usize, usize), &str>) {
        let found = read(FileFormat::Ods, &ods(table), None);
        match (found, expect) {
            (Ok((columns, rows)), Ok(expect)) => assert_eq!((columns.len(), rows.len()), expect),
            (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{error}"),
            (found, _) => panic!("{found:?}"),
        }
    }
    let cell = |columns: u32| {
        format!(
            "<table:table-cell table:number-columns-repeated=\"{columns}\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell>"
        )
    };
    let row = |rows: u32, cells: &str| {
        format!("<table:table-row table:number-rows-repeated=\"{rows}\">{cells}</table:table-row>")
    };
    let empty = "<table:table-cell table:number-columns-repeated=\"16000\"/>";
    // As office programs fill a sheet to its end.
    let usual = row(1, &(cell(3) + empty)) + &row(3, &(cell(2) + empty)) + &row(1_048_572, empty);
    check(&usual, Ok((3, 3)));
    check(&row(90_000, &cell(1000)), Err("more than 10 million cells"));
    check(
        &(row(1, &cell(20)) + &row(1_000_000, empty) + &row(1, &cell(1))),
        Err("more than 10 million cells"),
    );
    check(
        &(row(1, &cell(1)) + &row(1000, &format!("{empty}{}", cell(1)))),
        Err("more than 10 million cells"),
    );
    let spaces = "<table:table-cell table:number-columns-repeated=\"1000\" office:value-type=\"string\"><text:p><text:s text:c=\"1000000\"/></text:p></table:table-cell>";
    check(&row(2, spaces), Err("more than 256 MiB of text"));
    check(
        "<table:table-row><table:table-cell></table:table-row>",
        Err("damaged"),
    );
}

#[test]
fn far_cells_of_an_xls_are_counted_before_they_are_laid_out() {
    assert!(bounds::check_xls(XLS).is_ok());
    // Every other text, moved to the last row and column.
    let label = [0xFD, 0x00, 0x0A, 0x00];
    let places: Vec<usize> = XLS
        .windows(4)
        .enumerate()
        .filter(|(_, bytes)| *bytes == label)
        .map(|(place, _)| place + 4)
        .collect();
    let mut far = XLS.to_vec();
    for (index, &place) in places.iter().enumerate() {
        let cell: [u8; 4] = if index % 2 == 0 {
            [0; 4]
        } else {
            [0xFF, 0xFF, 0xFF, 0]
        };
        far[place..place + 4].copy_from_slice(&cell);
    }
    let error = read(FileFormat::Xls, &far, Some("会员")).unwrap_err().to_string();
    assert!(error.contains("more than 10 million cells"), "{error}");
}

#[test]
fn numbers_are_digits_or_marked() {
    for (number, text, mark) in [
        (13_800_138_000.0, "13800138000", Mark::Number),
        (999_999_999_999_999.0, "999999999999999", Mark::Number),
        (1e15, "1000000000000000", Mark::LostDigits),
        (-0.5, "-0.5", Mark::Fraction),
        (0.1 + 0.2, "0.30000000000000004", Mark::Fraction),
    ] {
        assert_eq!(number_text(number), (text.to_owned(), mark));
    }
    assert_eq!(number_text(f64::NAN).1, Mark::LostDigits);
}

#[test]
fn damaged_files_are_refused_and_nothing_panics() {
    for (format, bytes) in [
        (FileFormat::Xlsx, XLSX),
        (FileFormat::Xls, XLS),
        (FileFormat::Ods, ODS),
    ] {
        let step = bytes.len() / 60 + 1;
        for place in (0..bytes.len()).step_by(step) {
            let mut damaged = bytes.to_vec();
            damaged[place] ^= 0x55;
            let _ = read(format, &damaged, None);
            let _ = read(format, &bytes[..place], None);
        }
    }
    let error = read(FileFormat::Xls, &XLS[..1000], None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`m` cannot be read as a spreadsheet: it is damaged, or protected by a password"
    );
}
