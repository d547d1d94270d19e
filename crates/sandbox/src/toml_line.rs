//! Where in a TOML file something is wrong. The parser's own message is not shown: it quotes the file, which may hold keys.

/// The line, from 1.
pub(crate) fn of(error: &toml::de::Error, text: &str) -> usize {
    let before = error.span().and_then(|span| text.get(..span.start));
    before.map_or(1, |before| before.matches('\n').count() + 1)
}
