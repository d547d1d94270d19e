//! Rust source split into code and comments, so that no rule stumbles over a string or a remark.
//!
//! Not a parser: it knows comments, strings, raw strings, characters and lifetimes, and keeps every byte offset. What
//! does not belong to a part is a space there, line feeds stay.

/// A source file in two texts of the same length as the file.
pub(super) struct Parts {
    /// The code; comments and the inside of literals are blank.
    pub(super) code: String,
    /// The comments; everything else is blank.
    pub(super) comments: String,
}

/// Splits a source file.
pub(super) fn split(text: &str) -> Parts {
    let mut code = blank(text);
    let mut comments = code.clone();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let token = token(rest, at.checked_sub(1).map(|before| bytes[before]));
        let range = at..(at + token.length()).min(bytes.len());
        match token {
            Token::Comment(_) => comments[range.clone()].copy_from_slice(&bytes[range.clone()]),
            Token::Code(_) => code[range.clone()].copy_from_slice(&bytes[range.clone()]),
            Token::Literal(_) => {}
        }
        at = range.end;
    }
    // Both texts hold whole tokens of the source, and a token never ends inside a character.
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Parts {
        code: text(code),
        comments: text(comments),
    }
}

/// The offset behind the bracket that closes the one at `open`; the end of the text if none does.
pub(super) fn closing(code: &str, open: usize) -> usize {
    let bytes = code.as_bytes();
    let (opens, closes) = match bytes[open] {
        b'[' => (b'[', b']'),
        b'(' => (b'(', b')'),
        _ => (b'{', b'}'),
    };
    let mut depth = 0_usize;
    for (offset, &byte) in bytes.iter().enumerate().skip(open) {
        if byte == opens {
            depth += 1;
        } else if byte == closes {
            depth -= 1;
            if depth == 0 {
                return offset + 1;
            }
        }
    }
    bytes.len()
}

/// The lines of each `#[cfg(test)] mod … { … }`, as byte ranges.
pub(super) fn inline_tests(code: &str) -> Vec<std::ops::Range<usize>> {
    code.match_indices("#[cfg(test)]")
        .filter_map(|(start, attribute)| {
            let rest = &code[start + attribute.len()..];
            let open = start + attribute.len() + rest.find(['{', ';'])?;
            let is_module = rest.trim_start().starts_with("mod ") && code.as_bytes()[open] == b'{';
            is_module.then(|| start..closing(code, open))
        })
        .collect()
}

enum Token {
    Code(usize),
    Comment(usize),
    Literal(usize),
}

impl Token {
    fn length(&self) -> usize {
        match *self {
            Self::Code(length) | Self::Comment(length) | Self::Literal(length) => length,
        }
    }
}

fn token(rest: &[u8], before: Option<u8>) -> Token {
    let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match rest {
        [b'/', b'/', ..] => Token::Comment(find(rest, b"\n").unwrap_or(rest.len())),
        [b'/', b'*', ..] => Token::Comment(block_comment(rest)),
        [b'"', ..] => Token::Literal(quoted(rest, b'"')),
        [b'r', b'"' | b'#', ..] if !in_word => raw(rest, 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !in_word => raw(rest, 2),
        [b'\'', ..] => character(rest),
        [first, ..] => Token::Code(width(*first)),
        [] => Token::Code(0),
    }
}

/// A raw string, or the raw identifier that begins like one.
fn raw(rest: &[u8], prefix: usize) -> Token {
    let hashes = rest[prefix..].iter().take_while(|&&byte| byte == b'#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&b'"') {
        return Token::Code(prefix);
    }
    let mut end = vec![b'"'];
    end.resize(1 + hashes, b'#');
    let length = find(&rest[open + 1..], &end).map_or(rest.len(), |inside| open + 1 + inside + end.len());
    Token::Literal(length)
}

/// A character literal, or a lifetime.
fn character(rest: &[u8]) -> Token {
    match rest {
        [_, b'\\', ..] => Token::Literal(quoted(rest, b'\'')),
        [_, first, ..] if rest.get(1 + width(*first)) == Some(&b'\'') => Token::Literal(width(*first) + 2),
        _ => Token::Code(1),
    }
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Bytes of the character that begins with `first`.
fn width(first: u8) -> usize {
    match first {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    }
}

fn blank(text: &str) -> Vec<u8> {
    text.bytes()
        .map(|byte| if byte == b'\n' { b'\n' } else { b' ' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str, comments: &str) {
        let parts = split(text);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&parts.code), code, "code of {text}");
        assert_eq!(words(&parts.comments), comments, "comments of {text}");
        assert_eq!(
            (parts.code.len(), parts.comments.len()),
            (text.len(), text.len()),
            "length of {text}"
        );
    }

    #[test]
    fn comments_are_told_from_code() {
        check("let a = 1; // one\nlet b;", "let a = 1; let b;", "// one");
        check("a /* b /* c */ d */ e", "a e", "/* b /* c */ d */");
        check("/// doc\nfn f() {}", "fn f() {}", "/// doc");
    }

    #[test]
    fn literals_are_blank() {
        check(r#"f("// not a comment \" still", x)"#, "f( , x)", "");
        check(r##"f(r#"a "quoted" // b"#, x)"##, "f( , x)", "");
        check("f(b\"x\", br\"\\\", c)", "f(b , , c)", "");
        check("f('\"', '\\'', '中', '/')", "f( , , , )", "");
    }

    #[test]
    fn lifetimes_and_raw_identifiers_are_code() {
        check("fn f<'a>(x: &'a str) {} // x", "fn f<'a>(x: &'a str) {}", "// x");
        check("r#type + r \"s\"", "r#type + r", "");
    }

    #[test]
    fn wide_characters_keep_their_offsets() {
        check(
            "let 会员 = 1; // 会员卡\nlet b;",
            "let 会员 = 1; let b;",
            "// 会员卡",
        );
    }

    #[test]
    fn an_unclosed_literal_ends_with_the_file() {
        check("f(\"abc", "f(", "");
        check("/* abc", "", "/* abc");
    }

    #[test]
    fn inline_test_modules_are_found_and_files_of_tests_are_not() {
        let code = "fn f() {}\n#[cfg(test)]\nmod tests {\n fn g() { }\n}\n";
        assert_eq!(inline_tests(code).len(), 1);
        assert!(code[inline_tests(code).remove(0)].ends_with("}\n}"));
        assert!(inline_tests("#[cfg(test)]\nmod tests;\nfn f() {}").is_empty());
        assert!(inline_tests("#[cfg(test)]\nfn f() { }").is_empty());
    }
}
