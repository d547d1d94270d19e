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
        let expect = [
            vec![Flaw::of_cell(5, FlawKind::Boolean)],
            if format == FileFormat::Ods {
                vec![]
            } else {
                vec![error]
            },
            vec![
                Flaw::of_cell(1, FlawKind::LostDigits),
                Flaw::of_cell(3, FlawKind::Duration),
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
            "`m` has a header on line 1 and no row below it",
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

#[test]
fn numbers_are_digits_or_marked() {
    for (number, text, flaw) in [
        (13_800_138_000.0, "13800138000", None),
        (999_999_999_999_999.0, "999999999999999", None),
        (1e15, "1000000000000000", Some(FlawKind::LostDigits)),
        (-0.5, "-0.5", None),
        (0.1 + 0.2, "0.30000000000000004", None),
    ] {
        assert_eq!(number_text(number), (text.to_owned(), flaw));
    }
    assert_eq!(number_text(f64::NAN).1, Some(FlawKind::LostDigits));
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
