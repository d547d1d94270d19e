//! Takes an input apart. The formats are such that a person can read and write a stored input.

/// The first two bytes, which choose, and the rest.
pub(crate) fn choice(data: &[u8]) -> Option<(usize, usize, &[u8])> {
    match data {
        [first, second, rest @ ..] => Some((usize::from(*first), usize::from(*second), rest)),
        _ => None,
    }
}

/// What stands before the first line feed, and what behind.
pub(crate) fn line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[]),
    }
}

/// Lines `Name: value` up to an empty one, and what is behind it. A line without a colon is a header without a value.
pub(crate) fn headers(mut data: &[u8]) -> (Vec<(String, Vec<u8>)>, &[u8]) {
    let mut headers = Vec::new();
    while !data.is_empty() && headers.len() < MOST_HEADERS {
        let (head, rest) = line(data);
        data = rest;
        if head.is_empty() {
            break;
        }
        let colon = head.iter().position(|byte| *byte == b':').unwrap_or(head.len());
        let value = head.get(colon + 1..).unwrap_or_default().trim_ascii();
        headers.push((
            String::from_utf8_lossy(&head[..colon]).into_owned(),
            value.to_vec(),
        ));
    }
    (headers, data)
}

/// The value of the first header of this name, as text.
pub(crate) fn first<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    str::from_utf8(value).ok()
}

/// Replaces every `token` of a text.
pub(crate) fn replaced(text: &[u8], token: &str, by: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest
        .windows(token.len())
        .position(|window| window == token.as_bytes())
    {
        made.extend_from_slice(&rest[..at]);
        made.extend_from_slice(by);
        rest = &rest[at + token.len()..];
    }
    made.extend_from_slice(rest);
    made
}

/// More are no test of anything.
const MOST_HEADERS: usize = 64;
