//! A message that is signed, shown line by line: what a signature covers, byte for byte.
//!
//! Personal fields of a request are sealed before it is signed, and those of an answer are sealed as they come, so a
//! message holds ciphertext. A body is shown up to a limit; its length and digest stand for the rest.

use std::fmt::Write;

use wxmember_crypto::SourceHasher;

/// The five lines of a request's message, or the three of an answer's, each with its name.
pub(crate) fn lines(message: &[u8]) -> Vec<String> {
    // A body can hold line breaks itself, so that only the first line tells the two apart.
    let heads: &[&str] = if message.first().is_some_and(u8::is_ascii_digit) {
        &["timestamp", "nonce"]
    } else {
        &["method", "target", "timestamp", "nonce"]
    };
    let mut rest = message;
    let mut lines = Vec::new();
    for name in heads {
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        lines.push(format!("{name:<10} {}", escaped(line)));
        rest = after;
    }
    let body = rest.strip_suffix(b"\n").unwrap_or(rest);
    let shown = match body.len() {
        0..=LONGEST_SHOWN => escaped(rest),
        _ => format!(
            "{} … {}",
            escaped(&body[..LONGEST_SHOWN / 2]),
            escaped(&rest[rest.len() - LONGEST_SHOWN / 8..])
        ),
    };
    lines.push(format!("{:<10} {shown}", "body"));
    lines.push(format!(
        "{:<10} {} bytes, sha256 {}",
        "",
        body.len(),
        digest(body)
    ));
    lines
}

/// The SHA-256 digest of a body, in hexadecimal.
pub(crate) fn digest(body: &[u8]) -> String {
    let mut hasher = SourceHasher::new();
    hasher.update(body);
    hasher.finish().to_string()
}

/// Bytes as text, with everything visible that a terminal hides.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\'' => text.push(character),
                // Line breaks, control characters, invisible ones and the backslash itself.
                _ => text.extend(character.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Bytes of a body that are shown.
const LONGEST_SHOWN: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &[u8], expected: &[&str]) {
        assert_eq!(lines(message), expected);
    }

    const EMPTY: &str =
        "           0 bytes, sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn every_line_is_named_and_ends_visibly() {
        check(
            b"GET\n/v3/certificates?a=b%20c\n1796000000\nN0NCE\n\n",
            &[
                "method     GET\\n",
                "target     /v3/certificates?a=b%20c\\n",
                "timestamp  1796000000\\n",
                "nonce      N0NCE\\n",
                "body       \\n",
                EMPTY,
            ],
        );
        check(
            "1796000000\nn\n{\"a\":\"男\"}\r\n\n".as_bytes(),
            &[
                "timestamp  1796000000\\n",
                "nonce      n\\n",
                "body       {\"a\":\"男\"}\\r\\n\\n",
                "           13 bytes, sha256 3a1937b58f1b07e2ea7d6aafd36a81a32d9727c8ff343dd1f22c1fc1e6fc5fe7",
            ],
        );
    }

    #[test]
    fn what_a_terminal_hides_is_shown() {
        assert_eq!(
            escaped("\u{feff}{\t\u{200b}}\\".as_bytes()),
            "\\u{feff}{\\t\\u{200b}}\\\\"
        );
        assert_eq!(escaped(b"a\xff\x00b"), "a\\xff\\0b");
    }

    #[test]
    fn a_long_body_is_shown_in_part_and_counted_whole() {
        let mut message = b"1\nn\n".to_vec();
        message.extend(vec![b'x'; 3000]);
        message.push(b'\n');
        let lines = lines(&message);
        assert!(lines[2].len() < 1400 && lines[2].contains(" … "), "{}", lines[2]);
        assert!(lines[3].contains("3000 bytes"));
    }
}
