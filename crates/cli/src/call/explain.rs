//! A refused signature, line by line: what was signed, and what the platform must have seen for it to match.

use crate::message::{digest, escaped};

/// What of the header stands beside the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) mchid: &'a str,
    pub(crate) serial: &'a str,
    /// Whether the key was held against a certificate.
    pub(crate) has_certificate: bool,
}

/// A line for each thing that has to agree. `clock_offset` is how far the platform's clock is ahead, when it is known.
pub(crate) fn explain(message: &[u8], clock_offset: Option<i64>, caller: Caller<'_>) -> Vec<String> {
    let mut parts = message.splitn(5, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let [method, target, timestamp, _nonce, body] = [next(), next(), next(), next(), next()];
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let ours: Option<i64> = std::str::from_utf8(timestamp)
        .ok()
        .and_then(|text| text.parse().ok());
    let timestamp = match (ours, clock_offset) {
        (Some(ours), Some(offset)) if offset.unsigned_abs() >= LIMIT => format!(
            "✗ timestamp: {ours} was signed, and the platform's clock shows {}: the line needs a value less than \
             {LIMIT} s from that, so this machine's clock is {} s {}",
            ours.saturating_add(offset),
            offset.unsigned_abs(),
            if offset > 0 { "behind" } else { "ahead" }
        ),
        (Some(ours), Some(offset)) => {
            format!(
                "✓ timestamp: {ours}, {} s from the platform's clock",
                offset.unsigned_abs()
            )
        }
        _ => format!(
            "- timestamp: {}; the answer does not say what time it is there",
            escaped(timestamp)
        ),
    };
    let key = if caller.has_certificate {
        "✓ key: the private key is the certificate's".to_owned()
    } else {
        "- key: no certificate is set, so nothing here says whether the key belongs to that serial number"
            .to_owned()
    };
    let body = match body.len() {
        0 => "- body: signed as empty, so the platform must receive none".to_owned(),
        length => format!(
            "- body: {length} bytes with sha256 {} were signed; the platform must receive these bytes",
            digest(body)
        ),
    };
    vec![
        timestamp,
        format!(
            "- method and target: {} {} were signed; a proxy that changes path or query breaks the signature",
            escaped(method),
            escaped(target)
        ),
        body,
        format!(
            "- caller: mchid {} with serial_no {}; the platform must know this certificate as this merchant's",
            caller.mchid, caller.serial
        ),
        key,
    ]
}

/// Seconds from which on a timestamp is refused.
const LIMIT: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: Caller<'static> = Caller {
        mchid: "1900000109",
        serial: "4D3C",
        has_certificate: true,
    };

    #[track_caller]
    fn check(message: &[u8], offset: Option<i64>, caller: Caller<'_>, expected: &[&str]) {
        assert_eq!(explain(message, offset, caller), expected);
    }

    #[test]
    fn a_wrong_clock_is_the_line_that_is_marked() {
        let message = b"GET\n/v3/certificates\n1796000000\nN\n\n";
        check(
            message,
            Some(600),
            CALLER,
            &[
                "✗ timestamp: 1796000000 was signed, and the platform's clock shows 1796000600: the line needs a value \
                 less than 300 s from that, so this machine's clock is 600 s behind",
                "- method and target: GET /v3/certificates were signed; a proxy that changes path or query breaks the \
                 signature",
                "- body: signed as empty, so the platform must receive none",
                "- caller: mchid 1900000109 with serial_no 4D3C; the platform must know this certificate as this \
                 merchant's",
                "✓ key: the private key is the certificate's",
            ],
        );
        let lines = explain(message, Some(-300), CALLER);
        assert!(
            lines[0].starts_with('✗') && lines[0].ends_with("300 s ahead"),
            "{}",
            lines[0]
        );
        let lines = explain(message, Some(299), CALLER);
        assert_eq!(
            lines[0],
            "✓ timestamp: 1796000000, 299 s from the platform's clock"
        );
        let lines = explain(message, None, CALLER);
        assert!(lines[0].starts_with("- timestamp: 1796000000;"), "{}", lines[0]);
    }

    #[test]
    fn a_body_is_told_by_length_and_digest_and_never_whole() {
        let lines = explain(
            b"POST\n/a\n1\nN\n{\"a\":\n1}\n",
            None,
            Caller {
                has_certificate: false,
                ..CALLER
            },
        );
        assert!(lines[2].contains("8 bytes with sha256 "), "{}", lines[2]);
        assert!(!lines[2].contains('{'));
        assert!(lines[4].starts_with("- key: no certificate"), "{}", lines[4]);
    }

    #[test]
    fn no_message_breaks_it() {
        for message in [b"".as_slice(), b"\n", b"\n\n\n\n\n\n", b"\xff"] {
            assert_eq!(explain(message, Some(i64::MIN), CALLER).len(), 5);
        }
    }
}
