//! What may stand in no file and no output: the personal values of a list and the keys of the test account.

use std::{fs, path::PathBuf};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};

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

    /// The private keys of the merchant and the platform, and the APIv3 key.
    ///
    /// # Panics
    ///
    /// When the test keys are not there.
    #[must_use]
    pub fn with_keys(mut self) -> Self {
        self.add("the APIv3 key".to_owned(), "TestOnlyApiV3Key0123456789abcdef");
        for (what, name) in [
            ("the merchant's private key", "test_merchant_key.pem"),
            ("the platform's private key", "test_wechatpay_pubmode_key.pem"),
        ] {
            let pem = fs::read_to_string(root().join("tests/vectors").join(name)).expect("a test key");
            self.add_key(what, &pem);
        }
        self
    }

    /// Adds a private key: each line of its PEM text by itself, and what it stands for in bytes.
    ///
    /// # Panics
    ///
    /// When it is no PEM text.
    pub fn add_key(&mut self, what: &str, pem: &str) {
        let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        // The first line is the same for all keys of a kind, and the last one may be a few characters.
        for line in &lines[1..lines.len() - 1] {
            self.add(what.to_owned(), *line);
            self.add(
                what.to_owned(),
                BASE64_STANDARD.decode(line).expect("a line of PEM"),
            );
        }
    }

    /// Adds one that is known to the caller.
    pub fn add(&mut self, what: String, bytes: impl Into<Vec<u8>>) {
        self.0.push(Marker {
            what,
            bytes: bytes.into(),
        });
    }

    /// Each of them in every form that a program may give it: as it is, in base64 wherever it begins, in hexadecimal,
    /// escaped for a URL, for JSON and by `Debug`, and in UTF-16.
    #[must_use]
    pub fn in_every_form(self) -> Self {
        let mut markers = Self::default();
        for Marker { what, bytes } in self.0 {
            let mut forms = forms(&bytes);
            forms.sort();
            forms.dedup();
            for form in forms {
                markers.add(what.clone(), form);
            }
        }
        markers
    }

    /// Where any of them stands: each of them once for a file.
    #[must_use]
    pub fn found_in(&self, files: &[(PathBuf, Vec<u8>)]) -> Vec<String> {
        let index = Index::of(&self.0);
        let mut found = Vec::new();
        for (path, content) in files {
            let at = path.display();
            found.extend(
                index
                    .found_in(content)
                    .map(|what| format!("{what} stands in {at}")),
            );
        }
        found
    }

    /// What they are called of which one stands in these bytes.
    #[must_use]
    pub fn kinds_in(&self, content: &[u8]) -> Vec<String> {
        let mut kinds: Vec<_> = Index::of(&self.0).found_in(content).map(str::to_owned).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }
}

/// Markers by their first two bytes, so that one look at each place of a file is enough.
struct Index<'a> {
    markers: &'a [Marker],
    begins: Vec<Vec<usize>>,
}

impl<'a> Index<'a> {
    fn of(markers: &'a [Marker]) -> Self {
        let mut begins = vec![Vec::new(); 1 << 16];
        for (number, marker) in markers.iter().enumerate() {
            assert!(
                marker.bytes.len() >= 4,
                "{} is too short to search for",
                marker.what
            );
            begins[begin(&marker.bytes)].push(number);
        }
        Self { markers, begins }
    }

    fn found_in(&self, content: &[u8]) -> impl Iterator<Item = &'a str> {
        let mut is_found = vec![false; self.markers.len()];
        for at in 0..content.len().saturating_sub(1) {
            for number in &self.begins[begin(&content[at..])] {
                is_found[*number] |= content[at..].starts_with(&self.markers[*number].bytes);
            }
        }
        let found = self
            .markers
            .iter()
            .zip(is_found)
            .filter(|(_, is_found)| *is_found);
        found.map(|(marker, _)| marker.what.as_str())
    }
}

fn begin(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![bytes.to_vec()];
    for before in 0..3 {
        // What stands around it decides the first and the last characters.
        let shifted = [&vec![0; before], bytes].concat();
        let (first, last) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
        for text in [
            BASE64_STANDARD.encode(&shifted),
            BASE64_URL_SAFE_NO_PAD.encode(&shifted),
        ] {
            forms.push(text.as_bytes()[first..last].to_vec());
        }
    }
    let each = |byte: fn(u8) -> String| bytes.iter().copied().map(byte).collect::<String>();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escaped: String = bytes
        .iter()
        .map(|byte| match is_plain(*byte) {
            true => char::from(*byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect();
    forms.extend(
        [
            each(|byte| format!("{byte:02x}")),
            each(|byte| format!("{byte:02X}")),
            // As `Debug` shows bytes.
            each(|byte| format!("{byte}, ")).trim_end_matches(", ").to_owned(),
            escaped.to_lowercase(),
            escaped,
        ]
        .map(String::into_bytes),
    );
    if let Ok(text) = std::str::from_utf8(bytes) {
        let wide: Vec<u16> = text.encode_utf16().collect();
        forms.push(wide.iter().flat_map(|unit| unit.to_le_bytes()).collect());
        forms.push(wide.iter().flat_map(|unit| unit.to_be_bytes()).collect());
        forms.push(text.escape_unicode().to_string().into_bytes());
        forms.push(text.escape_default().to_string().into_bytes());
        let json = |is_upper: bool| -> String {
            let unit = |unit: &u16| match u8::try_from(*unit) {
                Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
                _ if is_upper => format!("\\u{unit:04X}"),
                _ => format!("\\u{unit:04x}"),
            };
            wide.iter().map(unit).collect()
        };
        forms.push(json(false).into_bytes());
        forms.push(json(true).into_bytes());
    }
    forms
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

    #[test]
    fn every_form_is_found_wherever_it_begins() {
        let name = "标记姓名";
        let mut markers = Markers::default();
        markers.add("the name".to_owned(), name);
        let raw = markers.clone();
        let markers = markers.in_every_form();
        let written = |before: &str| {
            let text = format!("{before}{name}~");
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            [
                text.clone().into_bytes(),
                BASE64_STANDARD.encode(&text).into_bytes(),
                BASE64_URL_SAFE_NO_PAD.encode(&text).into_bytes(),
                format!("{text:?}").into_bytes(),
                format!("{:?}", text.as_bytes()).into_bytes(),
                format!("{before}%e6%a0%87%e8%ae%b0%e5%a7%93%e5%90%8d").into_bytes(),
                format!("{before}\\u6807\\u8BB0\\u59D3\\u540D").into_bytes(),
                format!("{before}e6a087e8aeb0e5a793e5908d").into_bytes(),
                wide,
            ]
        };
        for before in ["", "x", "xy", "xyz"] {
            for (number, bytes) in written(before).iter().enumerate() {
                assert_eq!(markers.kinds_in(bytes), ["the name"], "{before} {number}");
            }
        }
        assert!(raw.kinds_in(&written("")[1]).is_empty());
        assert!(markers.kinds_in("标记姓".as_bytes()).is_empty());
    }
}
