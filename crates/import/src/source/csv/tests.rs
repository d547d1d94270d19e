//! Lines, encodings and bounds of CSV.

use proptest::prelude::*;

use super::*;

/// Row, line and cells.
type Row = (u64, u64, Vec<String>);

fn all(text: &[u8]) -> Result<(Vec<String>, Vec<Row>), SourceError> {
    let mut records = CsvRecords::new("members.csv", text)?;
    let mut record = Record::default();
    let mut rows = Vec::new();
    while records.read(&mut record)? {
        rows.push((record.row, record.line, record.cells.clone()));
    }
    assert!(records.digest().is_some());
    Ok((records.columns().to_vec(), rows))
}

#[track_caller]
fn check_error(text: &[u8], expect: &str) {
    assert_eq!(all(text).unwrap_err().to_string(), expect);
}

#[test]
fn lines_are_right_after_blank_lines_and_inside_quotes() {
    for end in ["\n", "\r\n", "\r"] {
        for last in ["", end] {
            let text = format!("a,b{end}1,2{end}{end}{end}3,4{end}\"x{end}y\",5{end},{end}6,7{last}");
            let (columns, rows) = all(text.as_bytes()).unwrap();
            assert_eq!(columns, ["a", "b"]);
            let lines: Vec<_> = rows.iter().map(|(row, line, _)| (*row, *line)).collect();
            assert_eq!(lines, [(1, 2), (2, 5), (3, 6), (4, 9)], "{text:?}");
        }
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_name() {
    assert_eq!(all("\u{FEFF}手机号\n1\n".as_bytes()).unwrap().0, ["手机号"]);
}

#[test]
fn rows_may_have_any_number_of_cells() {
    let (_, rows) = all(b"a,b\n1\n1,2,3\n").unwrap();
    assert_eq!(
        rows.iter().map(|(_, _, cells)| cells.len()).collect::<Vec<_>>(),
        [1, 3]
    );
}

#[test]
fn unusable_files_are_named() {
    check_error(
        b"",
        "`members.csv` is empty; its first line must name the columns",
    );
    check_error(
        b"\xEF\xBB\xBF",
        "`members.csv` is empty; its first line must name the columns",
    );
    check_error(
        b"a,b\n\n",
        "`members.csv` has a header on line 1 and no row below it",
    );
    check_error(
        b"a\0,\0b",
        "`members.csv` is not CSV text but binary, or UTF-16; save it as `CSV UTF-8`",
    );
    check_error(
        b"PK\x03\x04...",
        "`members.csv` is not CSV text but a spreadsheet or an archive; save it as `CSV UTF-8`",
    );
    check_error(
        b"\xFF\xFEa\0",
        "`members.csv` is not CSV text but UTF-16; save it as `CSV UTF-8`",
    );
}

#[test]
fn another_encoding_is_named_with_line_and_column_and_without_the_cell() {
    // 张三 in GBK.
    check_error(
        b"phone,name\n1,x\n2,\xD5\xC5\xC8\xFD\n",
        "`members.csv`, line 3, column `name`: not UTF-8; it looks like GBK: convert it with \
         `iconv -f GB18030 -t UTF-8 FILE > FILE2`, or save it as `CSV UTF-8`",
    );
    check_error(
        b"phone,name\n1,\xC5 \xFF\n",
        "`members.csv`, line 2, column `name`: not UTF-8; save it as `CSV UTF-8` and try again",
    );
}

#[test]
fn a_quote_that_never_closes_is_noticed_before_memory_grows() {
    let endless = b"a,b\n1,2\n\"3"
        .iter()
        .copied()
        .chain(std::iter::repeat_n(b'x', 10_000_000));
    let text: Vec<u8> = endless.collect();
    check_error(
        &text,
        "`members.csv`: the record that starts near line 3 does not end; is a quotation mark not closed?",
    );
}

#[test]
fn a_file_that_ends_inside_a_quote_is_refused_with_the_line_of_the_mark() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("a,b,c{end}1,2,3{end}{end}4,5,\"x{end}6,7,8{end}9,10,11{end}");
        check_error(
            text.as_bytes(),
            "`members.csv`: the quotation mark on line 4 is not closed",
        );
    }
    check_error(
        b"a,b\n1,\"2\"\"",
        "`members.csv`: the quotation mark on line 2 is not closed",
    );
    check_error(
        b"a,\"b",
        "`members.csv`: the quotation mark on line 1 is not closed",
    );
    assert!(all(b"a,b\n1,\"2\"\n3,4\"\n5,\"6\"\"\"").is_ok());
}

#[test]
fn a_cell_that_swallowed_records_is_marked_and_an_address_is_not() {
    #[track_caller]
    fn check(text: &str, expect: &[Flaw]) {
        let mut records = CsvRecords::new("members.csv", text.as_bytes()).unwrap();
        let mut record = Record::default();
        let mut flaws = Vec::new();
        while records.read(&mut record).unwrap() {
            flaws.append(&mut record.flaws);
        }
        assert_eq!(flaws, expect, "{text:?}");
    }
    let spans = |first, last| [Flaw::of_row(FlawKind::SpansLines { first, last })];
    check("a,b,c\n1,2,3\n4,5,\"x\n6,7,8\n9,10,\"y\n11,12,13\n", &spans(3, 5));
    check("a,b,c\r\n4,5,\"x\r\n6,7,\"y\r\n", &spans(2, 3));
    check("a,b,c\r4,5,\"x\r6,7,\"y\r", &spans(2, 3));
    check("a,b,c\n1,2,\"Lane 3,\nHouse 4, Floor\n5\"\n", &[]);
    let lines = |n: usize| format!("a,b,c\n1,2,\"{}\"\n3,4,5\n", "x\n".repeat(n));
    check(&lines(CELL_LINES - 1), &[]);
    check(&lines(CELL_LINES), &spans(2, 22));
}

#[test]
fn long_records_grow_the_buffers() {
    let cells = vec!["x".repeat(700); 100];
    let text = format!("{}\n{}\n", cells.join(","), cells.join(","));
    assert_eq!(all(text.as_bytes()).unwrap().1[0].2, cells);
}

#[test]
fn the_file_and_its_records_have_one_digest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("members.csv");
    std::fs::write(&path, "a\n1\n").unwrap();
    let file = CsvFile::new(&path);
    let mut records = file.open().unwrap();
    while records.read(&mut Record::default()).unwrap() {}
    assert_eq!(records.digest(), Some(file.digest().unwrap()));
    assert_eq!(file.name(), "members.csv");
}

proptest! {
    #[test]
    fn no_bytes_panic(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = all(&text);
    }

    #[test]
    fn no_text_panics(text in "[a,\"\r\n手🙂]{0,200}") {
        let _ = all(text.as_bytes());
    }
}
