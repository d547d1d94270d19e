//! One JSON object a line; its keys are the columns.
//!
//! The columns are the keys of the first [`LOOK_AHEAD`] objects, in the order they come up. Numbers are taken digit by
//! digit as they are written, never through a float. Memory is bounded by one line of [`LINE_LIMIT`] bytes.

use std::{
    collections::HashMap,
    fmt,
    io::{self, BufRead, BufReader, Read},
};

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Encoding, EncodingGuess, Flaw, FlawKind, Record, Records, SourceError};

/// The records of NDJSON text.
pub(super) struct NdjsonRecords {
    lines: Lines,
    columns: Vec<String>,
    index: HashMap<String, usize>,
    rows: u64,
}

impl NdjsonRecords {
    /// Finds the columns in `ahead`; `input` gives the same text from its beginning.
    pub(super) fn new(
        name: &str,
        ahead: Box<dyn Read + Send>,
        input: Box<dyn Read + Send>,
        encoding: Encoding,
    ) -> Result<Self, SourceError> {
        let mut records = Self {
            lines: Lines::new(name, ahead, encoding),
            columns: Vec::new(),
            index: HashMap::new(),
            rows: 0,
        };
        let mut objects = 0;
        while objects < LOOK_AHEAD && records.lines.next()? {
            objects += 1;
            let Self {
                lines,
                columns,
                index,
                ..
            } = &mut records;
            lines.object(|key, _| {
                if !index.contains_key(key) && columns.len() < MOST_COLUMNS {
                    index.insert(key.to_owned(), columns.len());
                    columns.push(key.to_owned());
                }
            })?;
        }
        if objects == 0 {
            return Err(SourceError::Empty {
                source_name: name.to_owned(),
            });
        }
        records.lines = Lines::new(name, input, encoding);
        Ok(records)
    }
}

impl Records for NdjsonRecords {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, SourceError> {
        while self.lines.next()? {
            record.flaws.clear();
            record.numbers.clear();
            record.cells.iter_mut().for_each(String::clear);
            record.cells.resize(self.columns.len(), String::new());
            record.line = self.lines.line;
            let mut seen = vec![false; self.columns.len()];
            let Self { lines, index, .. } = self;
            lines.object(|key, value| {
                let Some(&place) = index.get(key) else {
                    let flaw = Flaw::of_row(FlawKind::UnknownKey);
                    if !matches!(value.get(), "null" | "\"\"") && !record.flaws.contains(&flaw) {
                        record.flaws.push(flaw);
                    }
                    return;
                };
                if std::mem::replace(&mut seen[place], true) {
                    record.flaws.push(Flaw::of_cell(place, FlawKind::RepeatedKey));
                }
                let (text, flaw) = cell(value.get());
                record.cells[place] = text;
                record.flaws.extend(flaw.map(|kind| Flaw::of_cell(place, kind)));
            })?;
            if record.cells.iter().any(|cell| !cell.trim().is_empty()) || !record.flaws.is_empty() {
                self.rows += 1;
                record.row = self.rows;
                return Ok(true);
            }
        }
        if self.rows == 0 {
            return Err(SourceError::Empty {
                source_name: self.lines.name.clone(),
            });
        }
        Ok(false)
    }

    fn digest(&self) -> Option<wxmember_crypto::Fingerprint> {
        None
    }
}

/// The lines that are not blank.
struct Lines {
    name: String,
    input: BufReader<Box<dyn Read + Send>>,
    encoding: Encoding,
    bytes: Vec<u8>,
    line: u64,
}

impl Lines {
    fn new(name: &str, input: Box<dyn Read + Send>, encoding: Encoding) -> Self {
        Self {
            name: name.to_owned(),
            input: BufReader::with_capacity(BUFFER, input),
            encoding,
            bytes: Vec::new(),
            line: 0,
        }
    }

    fn next(&mut self) -> Result<bool, SourceError> {
        loop {
            self.bytes.clear();
            let mut limited = (&mut self.input).take(LINE_LIMIT + 1);
            let read = limited.read_until(b'\n', &mut self.bytes);
            let read = read.map_err(|source: io::Error| SourceError::Io {
                source_name: self.name.clone(),
                source,
            })?;
            if read == 0 {
                return Ok(false);
            }
            self.line += 1;
            if read as u64 > LINE_LIMIT {
                return Err(SourceError::RecordTooLong {
                    source_name: self.name.clone(),
                    line: self.line,
                });
            }
            if self.line == 1 && self.bytes.starts_with(b"\xEF\xBB\xBF") {
                self.bytes.drain(..3);
            }
            if !self.bytes.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    /// Gives every member of the line's object to `member`.
    fn object(&self, member: impl FnMut(&str, &RawValue)) -> Result<(), SourceError> {
        let source_name = || self.name.clone();
        let text = std::str::from_utf8(&self.bytes).map_err(|error| {
            let column = format!("byte {}", error.valid_up_to() + 1);
            match self.encoding {
                Encoding::Utf8 => SourceError::NotUtf8 {
                    source_name: source_name(),
                    line: self.line,
                    column,
                    guess: EncodingGuess::Nothing,
                },
                encoding => SourceError::Undecodable {
                    source_name: source_name(),
                    line: self.line,
                    column,
                    encoding,
                },
            }
        })?;
        let mut parser = serde_json::Deserializer::from_str(text);
        let done = parser
            .deserialize_map(Members(member))
            .and_then(|()| parser.end());
        // The parser's own message may repeat what it found.
        done.map_err(|error| SourceError::NotJson {
            source_name: source_name(),
            line: self.line,
            byte: error.column().max(1),
        })
    }
}

struct Members<F>(F);

impl<'de, F: FnMut(&str, &RawValue)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            let value: &RawValue = map.next_value()?;
            (self.0)(&key, value);
        }
        Ok(())
    }
}

/// The cell that a value stands for.
fn cell(json: &str) -> (String, Option<FlawKind>) {
    match json.as_bytes().first() {
        Some(b'n') => (String::new(), None),
        Some(b't' | b'f') => (json.to_owned(), Some(FlawKind::Boolean)),
        Some(b'"') => match serde_json::from_str(json) {
            Ok(text) => (text, None),
            // Half of a surrogate pair is JSON and no text.
            Err(_) => (json.to_owned(), Some(FlawKind::NoText)),
        },
        Some(b'[') => match choices(json) {
            Some(text) => (text, None),
            None => (json.to_owned(), Some(FlawKind::Nested)),
        },
        Some(b'{') | None => (json.to_owned(), Some(FlawKind::Nested)),
        Some(_) => (json.to_owned(), None),
    }
}

/// Several choices of a custom field, as one cell holds them.
fn choices(json: &str) -> Option<String> {
    let choices: Vec<String> = serde_json::from_str(json).ok()?;
    let is_separated = choices.iter().any(|choice| choice.contains([';', '；', '|']));
    (!is_separated).then(|| choices.join(";"))
}

const BUFFER: usize = 64 * 1024;
const LINE_LIMIT: u64 = 1024 * 1024;
/// Objects whose keys are columns.
const LOOK_AHEAD: usize = 1000;
/// A key of a later object that is no column refuses its row, and so does one beyond these.
const MOST_COLUMNS: usize = 1000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Row = (u64, u64, Vec<String>, Vec<Flaw>);

    fn all(text: &str) -> Result<(Vec<String>, Vec<Row>), SourceError> {
        let reader = || -> Box<dyn Read + Send> { Box::new(io::Cursor::new(text.as_bytes().to_vec())) };
        let mut records = NdjsonRecords::new("m.ndjson", reader(), reader(), Encoding::Utf8)?;
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

    #[track_caller]
    fn check_cell(json: &str, text: &str, flaw: Option<FlawKind>) {
        let (_, rows) = all(&format!("{{\"a\":{json},\"b\":\"x\"}}\n")).unwrap();
        assert_eq!(rows[0].2[0], text);
        assert_eq!(rows[0].3, Vec::from_iter(flaw.map(|kind| Flaw::of_cell(0, kind))));
    }

    #[test]
    fn keys_are_columns_in_the_order_they_come_up() {
        let text = "\u{FEFF}{\"手机号\":\"1\",\"卡号\":\"2\"}\r\n\n{\"姓名\":\"张\",\"手机号\":\"3\"}\n{}\n{\"手机号\":null}";
        let (columns, rows) = all(text).unwrap();
        assert_eq!(columns, ["手机号", "卡号", "姓名"]);
        let rows: Vec<_> = rows
            .iter()
            .map(|(row, line, cells, _)| (*row, *line, cells.join("|")))
            .collect();
        assert_eq!(rows, [(1, 1, "1|2|".to_owned()), (2, 3, "3||张".to_owned())]);
    }

    #[test]
    fn values_become_cells_without_loss() {
        check_cell("13800138000", "13800138000", None);
        check_cell("478515832665478515832665", "478515832665478515832665", None);
        check_cell("1.38E+10", "1.38E+10", None);
        check_cell("-0.50", "-0.50", None);
        check_cell("\"a\\u5f20\\n\"", "a张\n", None);
        check_cell("null", "", None);
        check_cell("[\"篮球\",\"跑步\"]", "篮球;跑步", None);
        check_cell("[\"a;b\"]", "[\"a;b\"]", Some(FlawKind::Nested));
        check_cell("[1]", "[1]", Some(FlawKind::Nested));
        check_cell("{\"c\": 1}", "{\"c\": 1}", Some(FlawKind::Nested));
        check_cell("true", "true", Some(FlawKind::Boolean));
        check_cell("\"\\ud800\"", "\"\\ud800\"", Some(FlawKind::NoText));
    }

    #[test]
    fn keys_that_repeat_or_come_late_refuse_their_row() {
        let (_, rows) = all("{\"a\":1,\"a\":2}").unwrap();
        assert_eq!(rows[0].3, [Flaw::of_cell(0, FlawKind::RepeatedKey)]);
        let text = "{\"a\":1}\n".repeat(LOOK_AHEAD) + "{\"a\":1,\"b\":null}\n{\"a\":1,\"b\":2,\"c\":3}\n";
        let (columns, rows) = all(&text).unwrap();
        assert_eq!(columns, ["a"]);
        assert_eq!(rows[LOOK_AHEAD].3, []);
        assert_eq!(rows[LOOK_AHEAD + 1].3, [Flaw::of_row(FlawKind::UnknownKey)]);
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place() {
        #[track_caller]
        fn check(text: &str, expect: &str) {
            assert_eq!(all(text).unwrap_err().to_string(), expect);
        }
        check("", "`m.ndjson` is empty; its first line must name the columns");
        check(
            "{\"a\":1}\n[1]\n",
            "`m.ndjson`, line 2, near byte 1: not a JSON object on one line",
        );
        check(
            "{\"a\":MARKER}\n",
            "`m.ndjson`, line 1, near byte 6: not a JSON object on one line",
        );
        check(
            "{\"a\":1} {\"a\":2}\n",
            "`m.ndjson`, line 1, near byte 9: not a JSON object on one line",
        );
        check(
            "{\n\"a\":1}\n",
            "`m.ndjson`, line 1, near byte 1: not a JSON object on one line",
        );
    }

    #[test]
    fn a_line_without_an_end_is_refused() {
        let text = format!("{{\"a\":\"{}", "x".repeat(LINE_LIMIT as usize));
        assert!(matches!(
            all(&text),
            Err(SourceError::RecordTooLong { line: 1, .. })
        ));
    }

    proptest! {
        #[test]
        fn strings_come_back_as_they_were(cells in proptest::collection::vec(".{1,20}", 1..20)) {
            let line = |cell: &String| serde_json::json!({ "a": cell, "b": "x" }).to_string() + "\n";
            let (_, rows) = all(&cells.iter().map(line).collect::<String>()).unwrap();
            prop_assert_eq!(rows.iter().map(|row| &row.2[0]).collect::<Vec<_>>(), cells.iter().collect::<Vec<_>>());
        }

        #[test]
        fn no_text_panics(text in "(\\{|\\}|\\[|\\]|\"a\"|:|,|1|\n|null|.){0,40}") {
            let _ = all(&text);
        }
    }
}
