//! What is wrong with a TOML file of settings, and where. The parser's own message is never shown: it repeats what the file
//! holds, which may be keys. Names of settings are no secret, and only what looks like one is taken for one.

use serde::de::DeserializeOwned;
use thiserror::Error;

/// Where a TOML file of settings cannot be read, and why; no value of it is repeated.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("line {line}, column {column}: {flaw}")]
#[non_exhaustive]
pub struct TomlMisread {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub flaw: TomlFlaw,
}

impl TomlMisread {
    /// Reads a whole file of settings.
    ///
    /// # Errors
    ///
    /// [`TomlMisread`] for what is no TOML, and for what `T` does not take.
    ///
    /// # Examples
    ///
    /// ```
    /// use wxmember_sandbox::TomlMisread;
    ///
    /// let read = TomlMisread::read::<std::collections::HashMap<String, u16>>("a = 1\nport = \"secret\"");
    /// let said = read.unwrap_err().to_string();
    /// assert_eq!(said, "line 2, column 8: the setting `port` needs a whole number from 0 on");
    /// ```
    pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Self> {
        toml::from_str(text).map_err(|error| Self::of(&error, text))
    }

    fn of(error: &toml::de::Error, text: &str) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start));
        let before = before.unwrap_or_default();
        let start_of_line = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[start_of_line..].chars().count() + 1,
            flaw: match text.parse::<toml::Table>() {
                Ok(_) => TomlFlaw::of_setting(error.message(), path(error)),
                Err(_) if ESCAPES.iter().any(|what| error.message().starts_with(what)) => TomlFlaw::Backslash,
                Err(_) => TomlFlaw::NotToml,
            },
        }
    }
}

/// What is wrong with a TOML file of settings. It names settings, and no value.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum TomlFlaw {
    /// A backslash in a basic string begins no escape, as in a path of Windows.
    #[error(
        "a backslash between quotation marks begins an escape; write it twice, or use single quotation marks"
    )]
    Backslash,
    /// A setting has none of the few values that it can have.
    #[error("{setting} can be {choices}", setting = subject(.setting), choices = listed(.choices))]
    Choice {
        /// The setting with the parts that it stands in, such as `merchants.state`; empty when that is not known.
        setting: String,
        /// What it can be.
        choices: Vec<String>,
    },
    /// A setting that is needed is not there.
    #[error("the setting `{name}` is missing{place}", place = place(.part))]
    Missing {
        /// The setting.
        name: String,
        /// The part of the file that lacks it; empty for the file itself.
        part: String,
    },
    /// The text is not TOML.
    #[error(
        "not TOML, where a setting is `name = \"text\"` or `name = 1`, and each name stands once in its part"
    )]
    NotToml,
    /// A setting has another type than it needs.
    #[error("{setting} needs {needed}", setting = subject(.setting))]
    Type {
        /// The setting with the parts that it stands in; empty when that is not known.
        setting: String,
        /// What it needs.
        needed: &'static str,
    },
    /// There is no such setting.
    #[error("unknown setting{name}{place}; there are {known}", name = quoted(.name), place = place(.part), known = listed(.known))]
    Unknown {
        /// Its name; empty when it does not look like a name.
        name: String,
        /// The part of the file that it stands in; empty for the file itself.
        part: String,
        /// The settings that can stand there.
        known: Vec<String>,
    },
}

impl TomlFlaw {
    fn of_setting(message: &str, path: String) -> Self {
        // The last one is the parser's own: what stands behind it is never of the file.
        let (found, expected) = message.rsplit_once(", expected ").unwrap_or((message, ""));
        let found_name = |prefix| {
            let name = found.strip_prefix(prefix)?.trim_end_matches('`');
            Some(if is_name(name) {
                name.to_owned()
            } else {
                String::new()
            })
        };
        if let Some(name) = found_name("missing field `") {
            return Self::Missing { name, part: path };
        }
        if let Some(name) = found_name("unknown field `") {
            return Self::Unknown {
                name,
                part: path,
                known: names(expected),
            };
        }
        if found.starts_with("unknown variant `") {
            return Self::Choice {
                setting: path,
                choices: names(expected),
            };
        }
        Self::Type {
            setting: path,
            needed: needed(expected),
        }
    }
}

/// The names of the parts that an error lies in, joined by dots; of a value, its own name too.
fn path(error: &toml::de::Error) -> String {
    // The parser tells them to who does not let it quote the file.
    let mut error = error.clone();
    error.set_input(None);
    let text = error.to_string();
    let path = text
        .rsplit_once("\nin `")
        .and_then(|(_, path)| path.trim_end().strip_suffix('`'));
    let is_path = |path: &&str| path.split('.').all(is_name);
    path.filter(is_path).unwrap_or_default().to_owned()
}

/// Whether a text looks like a name of a setting. A key is longer, and a phone number has more digits.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (1..=LONGEST_NAME).contains(&text.len()) && digits <= MOST_DIGITS && text.bytes().all(fits)
}

/// What stands between backticks.
fn names(list: &str) -> Vec<String> {
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What the parser expects, in the words of who writes the file.
fn needed(expected: &str) -> &'static str {
    match expected {
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list, such as `[\"text\"]` or parts under `[[name]]`",
        "a string" | "path string" => "text in quotation marks",
        "i64" => "a whole number",
        "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on",
        _ if expected.starts_with("struct ") || expected == "a map" => "a part of settings, under `[name]`",
        _ => "a value of another type",
    }
}

fn listed(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn place(part: &str) -> String {
    match part {
        "" => String::new(),
        part => format!(" in `{part}`"),
    }
}

fn quoted(name: &str) -> String {
    match name {
        "" => String::new(),
        name => format!(" `{name}`"),
    }
}

fn subject(setting: &str) -> String {
    match setting {
        "" => "a setting here".to_owned(),
        setting => format!("the setting `{setting}`"),
    }
}

/// How the parser begins to say that an escape is none.
const ESCAPES: [&str; 3] = [
    "invalid value, expected unicode",
    "missing escaped value",
    "too few unicode",
];
/// An APIv3 key has 32 characters.
const LONGEST_NAME: usize = 24;
/// A year; a phone number or a merchant id has more.
const MOST_DIGITS: usize = 4;

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read into")]
    struct File {
        parts: Vec<Part>,
        #[serde(default)]
        on: bool,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read into")]
    struct Part {
        name: String,
        state: Option<State>,
        list: Option<Vec<String>>,
        count: Option<u64>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum State {
        First,
        NotFirst,
    }

    #[track_caller]
    fn check(text: &str, line: usize, said: &str) {
        let error = TomlMisread::read::<File>(text).unwrap_err();
        assert_eq!((error.line, error.flaw.to_string().as_str()), (line, said));
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
    }

    #[test]
    fn a_missing_setting_is_named_with_its_part() {
        check("on = true", 1, "the setting `parts` is missing");
        check(
            "\n[[parts]]\nlist = []",
            2,
            "the setting `name` is missing in `parts`",
        );
    }

    #[test]
    fn an_unknown_setting_is_named_with_those_that_there_are() {
        check("of = 1", 1, "unknown setting `of`; there are `parts`, `on`");
        let part = "[[parts]]\nname = \"n\"\n";
        let known = "there are `name`, `state`, `list`, `count`";
        check(
            &format!("{part}nam = \"SECRET\""),
            3,
            &format!("unknown setting `nam` in `parts`; {known}"),
        );
        check(
            &format!("{part}\"SECRET, expected `x` = 1\" = 1"),
            3,
            &format!("unknown setting in `parts`; {known}"),
        );
        // What stands in the place of a name and looks like a value is not shown either.
        for value in ["13800138000", "SECRETabcdefghijklmnopqrst", "\"SECRET SECRET\""] {
            check(
                &format!("{part}{value} = 1"),
                3,
                &format!("unknown setting in `parts`; {known}"),
            );
        }
    }

    #[test]
    fn another_type_is_said_without_the_value() {
        check(
            "on = \"SECRET\"\nparts = []",
            1,
            "the setting `on` needs `true` or `false`",
        );
        check(
            "parts = \"SECRET\"",
            1,
            "the setting `parts` needs a list, such as `[\"text\"]` or parts under `[[name]]`",
        );
        check(
            "parts = [\"SECRET, expected a boolean\"]",
            1,
            "the setting `parts` needs a part of settings, under `[name]`",
        );
        check(
            "[[parts]]\nname = 1",
            2,
            "the setting `parts.name` needs text in quotation marks",
        );
        let part = "[[parts]]\nname = \"n\"\n";
        check(
            &format!("{part}list = ['''\nSECRET = ''', 1]"),
            4,
            "the setting `parts.list` needs text in quotation marks",
        );
        check(
            &format!("{part}count = -1"),
            3,
            "the setting `parts.count` needs a whole number from 0 on",
        );
        check(
            &format!("{part}state = \"SECRET`, expected `x\\nin `y`\""),
            3,
            "the setting `parts.state` can be `first`, `not_first`",
        );
    }

    #[test]
    fn what_is_not_toml_is_said_so() {
        let said = "not TOML, where a setting is `name = \"text\"` or `name = 1`, and each name stands once in its part";
        check("on = SECRET", 1, said);
        check("on = true\non = true", 2, said);
        check("\n[parts\nx = 1", 2, said);
        let said = "a backslash between quotation marks begins an escape; write it twice, or use single quotation marks";
        for path in ["C:\\SECRET.pem", "C:\\Users\\SECRET.pem", "C:\\Uffffffff"] {
            check(&format!("on = true\nof = \"{path}\""), 2, said);
        }
    }

    #[test]
    fn a_column_counts_characters() {
        let error = TomlMisread::read::<File>("on = true\nparts = [\"会员\", 1]").unwrap_err();
        assert_eq!((error.line, error.column), (2, 10));
        let error = TomlMisread::read::<File>("parts = []\n'会员' = 1").unwrap_err();
        assert_eq!((error.line, error.column), (2, 1));
        let list = "[[parts]]\nname = \"n\"\nlist = [\"会员\", 1]";
        let error = TomlMisread::read::<File>(list).unwrap_err();
        assert_eq!((error.line, error.column), (3, 15));
    }
}
