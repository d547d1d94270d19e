//! Text of the document as documentation comments of Rust.

/// One line of a comment: white space joined, and nothing in it that rustdoc would take for markup.
pub(crate) fn doc_line(text: &str) -> String {
    let mut line = String::new();
    let mut in_code = false;
    for word in text.split_whitespace() {
        line.push(' ');
        if let Some(url) = bare_url(word).filter(|_| !in_code) {
            line.push_str(&word.replacen(url, &format!("<{url}>"), 1));
            continue;
        }
        for character in word.chars() {
            match character {
                '`' => in_code = !in_code,
                '[' | ']' | '<' | '*' if !in_code => line.push('\\'),
                _ => {}
            }
            line.push(character);
        }
    }
    line
}

/// The URL in a word, without the punctuation around it.
fn bare_url(word: &str) -> Option<&str> {
    let start = word.find("https://")?;
    if word[..start].contains(['<', '`']) {
        return None;
    }
    let url = &word[start..];
    let end = url.find([')', '，', '。', '>']).unwrap_or(url.len());
    Some(url[..end].trim_end_matches(['.', ',', ';', ':']))
}

/// The text, with a full stop if it ends in a letter.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?', '。', ':']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text_and_urls_are_links() {
        #[track_caller]
        fn check(text: &str, expect: &str) {
            assert_eq!(doc_line(text), expect);
        }
        check("a  list [of]\n <T>", r" a list \[of\] \<T>");
        check("`a[0]` b[0]", r" `a[0]` b\[0\]");
        check("see https://a.example/b.", " see <https://a.example/b>.");
        check(
            "(see https://a.example/b) <https://c.example>",
            r" (see <https://a.example/b>) \<https://c.example>",
        );
    }

    #[test]
    fn a_sentence_ends_once() {
        assert_eq!(sentence("Cards"), "Cards.");
        assert_eq!(sentence("Cards."), "Cards.");
    }
}
