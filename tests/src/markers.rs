//! What may stand in no file and no output: the personal values of a list and the keys of the test account.

use std::{fs, path::PathBuf};

use crate::{members::MemberList, root};

/// Something to be searched for, and what to call it without telling it.
#[derive(Clone, Debug)]
struct Marker {
    what: String,
    bytes: Vec<u8>,
}

/// Everything to be searched for.
#[derive(Clone, Debug, Default)]
pub struct Markers(Vec<Marker>);

impl Markers {
    /// Every phone number and every name of a list, those of its wrong rows too.
    #[must_use]
    pub fn of_list(list: MemberList) -> Self {
        let mut markers = Self::default();
        for row in list.rows() {
            markers.add(format!("the phone number of row {}", row.row), row.phone_number);
            markers.add(format!("the name of row {}", row.row), row.name);
        }
        markers
    }

    /// The private keys of the merchant and the platform, and the APIv3 key: each line of a PEM file by itself, and
    /// what it stands for in bytes.
    ///
    /// # Panics
    ///
    /// When the test keys are not there.
    #[must_use]
    pub fn with_keys(mut self) -> Self {
        self.add("the APIv3 key".to_owned(), "TestOnlyApiV3Key0123456789abcdef");
        for name in ["test_merchant_key.pem", "test_wechatpay_pubmode_key.pem"] {
            let pem = fs::read_to_string(root().join("tests/vectors").join(name)).expect("a test key");
            let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
            // The first line is the same for all keys of a kind, and the last one may be a few characters.
            for line in &lines[1..lines.len() - 1] {
                self.add(format!("a line of {name}"), *line);
            }
        }
        self
    }

    /// Adds one that is known to the caller.
    pub fn add(&mut self, what: String, bytes: impl Into<Vec<u8>>) {
        self.0.push(Marker {
            what,
            bytes: bytes.into(),
        });
    }

    /// Where any of them stands.
    #[must_use]
    pub fn found_in(&self, files: &[(PathBuf, Vec<u8>)]) -> Vec<String> {
        let mut found = Vec::new();
        for (path, content) in files {
            for Marker { what, bytes } in &self.0 {
                if is_in(bytes, content) {
                    found.push(format!("{what} stands in {}", path.display()));
                }
            }
        }
        found
    }
}

/// Whether bytes stand in others; looks for the first byte before it compares, so that megabytes take no time.
fn is_in(bytes: &[u8], content: &[u8]) -> bool {
    let Some((first, rest)) = bytes.split_first() else {
        return false;
    };
    let mut content = content;
    while let Some(at) = content.iter().position(|byte| byte == first) {
        content = &content[at + 1..];
        if content.starts_with(rest) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_there_is_found_and_not_told() {
        let list = MemberList::new(3, 1);
        let markers = Markers::of_list(list).with_keys();
        let row = list.row(2);
        let text = format!("xx1{}", row.phone_number);
        let files = vec![
            (PathBuf::from("a"), text.into_bytes()),
            (PathBuf::from("b"), row.phone_number.as_bytes()[..10].to_vec()),
        ];
        assert_eq!(
            markers.found_in(&files),
            ["the phone number of row 2 stands in a"]
        );
        let key = fs::read(root().join("tests/vectors/test_merchant_key.pem")).unwrap();
        assert!(!markers.found_in(&[(PathBuf::from("key"), key)]).is_empty());
    }
}
