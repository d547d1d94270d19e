//! The patterns of the API document, as they are checked.
//!
//! Most say which characters a text may have, `^[…]+$`. Those are looked up, a few nanoseconds a character; a regular
//! expression takes a microsecond, which a million members notice. Whatever else a pattern says is left to `regex-lite`.

/// A pattern, ready to check.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// At least one character, each in one of these ranges.
    Characters(Vec<(char, char)>),
    /// Anything else.
    Expression(regex_lite::Regex),
}

impl Pattern {
    /// Compiles a pattern of the document; an absent one matches everything.
    pub(crate) fn compile(pattern: Option<&str>) -> Self {
        let pattern = pattern.unwrap_or_default();
        if let Some(ranges) = characters(pattern) {
            return Self::Characters(ranges);
        }
        #[expect(
            clippy::expect_used,
            reason = "the patterns are constants; a test compiles every one of them"
        )]
        let regex = regex_lite::Regex::new(pattern).expect("the document's patterns are regular expressions");
        Self::Expression(regex)
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Characters(ranges) => {
                let is_in = |c: char| ranges.iter().any(|(first, last)| (*first..=*last).contains(&c));
                !text.is_empty() && text.chars().all(is_in)
            }
            Self::Expression(regex) => regex.is_match(text),
        }
    }
}

/// The ranges of `^[…]+$`; nothing when the class has anything special in it.
fn characters(pattern: &str) -> Option<Vec<(char, char)>> {
    let class = pattern.strip_prefix("^[")?.strip_suffix("]+$")?;
    if class.is_empty()
        || class.starts_with('^')
        || class.contains(['\\', '[', ']', '&', '~']) && class != "!-~"
    {
        return None;
    }
    let mut ranges = Vec::new();
    let mut rest = class.chars();
    while let Some(first) = rest.next() {
        let mut behind = rest.clone();
        match (behind.next(), behind.next()) {
            (Some('-'), Some(last)) if first <= last => {
                ranges.push((first, last));
                rest = behind;
            }
            (Some('-'), Some(_)) => return None,
            _ => ranges.push((first, first)),
        }
    }
    Some(ranges)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLASSES: [&str; 5] = [
        "^[0-9A-Za-z|_*-]+$",
        "^[0-9A-Za-z_-]+$",
        "^[!-~]+$",
        "^[ -ÿ一-龥]+$",
        "^[-a]+$",
    ];

    #[test]
    fn classes_are_looked_up_and_nothing_else_is() {
        for class in CLASSES {
            assert!(
                matches!(Pattern::compile(Some(class)), Pattern::Characters(_)),
                "{class}"
            );
        }
        for other in [
            r"^[\d]+$",
            "^[^a]+$",
            "^[a]*$",
            r"^[\]]+$",
            "^[[:alpha:]]+$",
            "^#[0-9A-Fa-f]{6}$",
            "^https://[^?]+$",
        ] {
            assert!(
                matches!(Pattern::compile(Some(other)), Pattern::Expression(_)),
                "{other}"
            );
        }
        assert!(Pattern::compile(None).is_match("anything"));
    }

    proptest! {
        #[test]
        fn a_class_is_what_the_expression_says(text in "[ -~é一㐀\n]{0,8}", any in ".{0,4}") {
            for class in CLASSES {
                let regex = regex_lite::Regex::new(class).unwrap();
                for text in [&text, &any] {
                    prop_assert_eq!(Pattern::compile(Some(class)).is_match(text), regex.is_match(text), "{}", class);
                }
            }
        }
    }
}
