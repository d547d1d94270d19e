//! What stands between the cells of a line: the candidate under which the header says most.
//!
//! The names of the columns decide, since they are known; then which candidate gives records as wide as the header.

use csv_core::{ReadRecordResult, ReaderBuilder};

use crate::mapping;

/// Chooses a delimiter by the beginning of a text in UTF-8. `usual` wins when nothing speaks for another one.
pub(super) fn sniff(head: &[u8], usual: u8) -> u8 {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let others = CANDIDATES.into_iter().filter(|&candidate| candidate != usual);
    let mut best = (score(head, usual), usual);
    for candidate in others {
        let score = score(head, candidate);
        if score > best.0 {
            best = (score, candidate);
        }
    }
    best.1
}

/// Known names, then records as wide as the header, then cells of the header.
fn score(head: &[u8], delimiter: u8) -> (usize, usize, usize) {
    let records = records(head, delimiter);
    let Some((header, rows)) = records.split_first() else {
        return (0, 0, 0);
    };
    let known = header.iter().filter(|name| mapping::is_known(name)).count();
    if header.len() < 2 {
        return (known, 0, 0);
    }
    let even = rows.iter().filter(|row| row.len() == header.len()).count();
    (known, even, header.len())
}

/// The first complete records. A head that ends inside a record loses it.
fn records(head: &[u8], delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    let (mut text, mut ends) = (vec![0; head.len() + 1], vec![0; head.len() + 1]);
    let mut rest = head;
    let mut records = Vec::new();
    while records.len() < MOST_RECORDS {
        let (result, read, written, fields) = reader.read_record(rest, &mut text, &mut ends);
        rest = &rest[read..];
        let is_whole = matches!(result, ReadRecordResult::Record);
        // A header without a line break is a record all the same.
        let is_header = records.is_empty() && matches!(result, ReadRecordResult::InputEmpty);
        if !is_whole && !is_header {
            break;
        }
        let mut start = 0;
        let mut cells: Vec<String> = ends[..fields]
            .iter()
            .map(|&end| {
                let cell = String::from_utf8_lossy(&text[start..end]).into_owned();
                start = end;
                cell
            })
            .collect();
        if !is_whole {
            cells.push(String::from_utf8_lossy(&text[start..written]).into_owned());
        }
        records.push(cells);
        if !is_whole {
            break;
        }
    }
    records
}

const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
const MOST_RECORDS: usize = 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: u8) {
        assert_eq!(
            char::from(sniff(text.as_bytes(), b',')),
            char::from(expect),
            "{text:?}"
        );
    }

    #[test]
    fn known_names_decide() {
        check("手机号,会员卡号\n", b',');
        check("手机号;会员卡号\n1,2;3,4\n", b';');
        check("手机号\t会员卡号\t姓名\n13800138000\tA1\t张,三\n", b'\t');
        check("\u{FEFF}phone|code|name\n1|2|3\n", b'|');
        check("\"手机号\";\"备注, 其他, 更多\"\n", b';');
        check("手机号\t卡号", b'\t');
    }

    #[test]
    fn even_records_decide_between_names_nobody_knows() {
        check("a;b\n1,5;2\n3,5;4\n", b';');
        check("a|b,c\n1|2,3\n4|5,6\n", b',');
        check("x\n1\n", b',');
        check("", b',');
        assert_eq!(sniff(b"a b\nc d\n", b'\t'), b'\t');
    }

    proptest! {
        #[test]
        fn lists_are_read_as_they_were_written(
            delimiter in proptest::sample::select(CANDIDATES.to_vec()),
            rows in proptest::collection::vec(proptest::collection::vec("[a-z0-9 ,;|张]{0,6}", 3), 1..8)
        ) {
            let line = |cells: &[String]| cells.iter()
                .map(|cell| format!("\"{cell}\""))
                .collect::<Vec<_>>()
                .join(&char::from(delimiter).to_string()) + "\n";
            let mut text = line(&["手机号", "卡号", "备注"].map(str::to_owned));
            rows.iter().for_each(|row| text += &line(row));
            prop_assert_eq!(sniff(text.as_bytes(), b','), delimiter);
        }

        #[test]
        fn no_bytes_panic(head in proptest::collection::vec(any::<u8>(), 0..300)) {
            sniff(&head, b',');
        }
    }
}
