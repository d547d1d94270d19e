//! What is wrong with a TOML file of the user's, and where: the profiles of `wxmember.toml`, and a mapping file.
//!
//! The parser's own message is never shown: it quotes values, and it is English. Names of settings are shown when they look
//! like names. The sandbox reads its own files itself, in the same words, so that one translation serves both.

use std::fmt;

use serde::de::DeserializeOwned;

/// Where a file cannot be read, and why.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {flaw}")]
pub(crate) struct Misread {
    /// From 1, as `column`.
    line: usize,
    /// In characters.
    column: usize,
    flaw: Flaw,
}

/// Reads a file as a whole, and refuses what its type does not know.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Misread> {
    toml::from_str(text).map_err(|error| Misread::of(&error, text))
}

#[derive(Debug, Eq, PartialEq)]
enum Flaw {
    /// A backslash in a basic string, as in a path of Windows.
    Backslash,
    /// None of the few values that the setting can have.
    Choice {
        setting: String,
        choices: Vec<String>,
    },
    Missing {
        name: String,
        part: String,
    },
    NotToml,
    Type {
        setting: String,
        needed: &'static str,
    },
    /// No such setting; the name is empty when it does not look like one.
    Unknown {
        name: String,
        part: String,
        known: Vec<String>,
    },
}

impl Misread {
    fn of(error: &toml::de::Error, text: &str) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start));
        let before = before.unwrap_or_default();
        let start_of_line = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[start_of_line..].chars().count() + 1,
            flaw: match text.parse::<toml::Table>() {
                Ok(_) => Flaw::of_setting(error.message(), path(error)),
                Err(_) if ESCAPES.iter().any(|what| error.message().starts_with(what)) => Flaw::Backslash,
                Err(_) => Flaw::NotToml,
            },
        }
    }
}

impl Flaw {
    /// `path` names the parts that the setting stands in, and of a wrong value the setting itself.
    fn of_setting(message: &str, path: String) -> Self {
        // It has three forms, and the parser's words are about the one that it tried.
        if path.split('.').next_back() == Some("validity") {
            return Self::Type {
                setting: path,
                needed: VALIDITY,
            };
        }
        // What the file holds may hold the same words; the last ones are the parser's.
        let (found, expected) = message.rsplit_once(", expected ").unwrap_or((message, ""));
        let named = |prefix| {
            let name = found.strip_prefix(prefix)?.trim_end_matches('`');
            Some(if is_name(name) {
                name.to_owned()
            } else {
                String::new()
            })
        };
        if let Some(name) = named("missing field `") {
            Self::Missing { name, part: path }
        } else if let Some(name) = named("unknown field `") {
            Self::Unknown {
                name,
                part: path,
                known: in_backticks(expected),
            }
        } else if found.starts_with("unknown variant `") {
            Self::Choice {
                setting: path,
                choices: in_backticks(expected),
            }
        } else {
            Self::Type {
                setting: path,
                needed: needed(expected),
            }
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = |setting: &str| match setting {
            "" => "a setting here".to_owned(),
            setting => format!("the setting `{setting}`"),
        };
        let place = |part: &str| match part {
            "" => String::new(),
            part => format!(" in `{part}`"),
        };
        match self {
            Self::Backslash => f.write_str(
                "a backslash between quotation marks begins an escape; write it twice, or use single quotation marks",
            ),
            Self::Choice { setting, choices } => {
                write!(f, "{} can be {}", subject(setting), listed(choices))
            }
            Self::Missing { name, part } => {
                write!(f, "the setting `{name}` is missing{}", place(part))
            }
            Self::NotToml => f.write_str(
                "not TOML, where a setting is `name = \"text\"` or `name = 1`, and each name stands once in its part",
            ),
            Self::Type { setting, needed } => write!(f, "{} needs {needed}", subject(setting)),
            Self::Unknown { name, part, known } => {
                let name = match name.as_str() {
                    "" => String::new(),
                    name => format!(" `{name}`"),
                };
                write!(
                    f,
                    "unknown setting{name}{}; there are {}",
                    place(part),
                    listed(known)
                )
            }
        }
    }
}

/// The names that lead to an error, joined by dots. The parser tells them to who does not let it quote the file.
fn path(error: &toml::de::Error) -> String {
    let mut error = error.clone();
    error.set_input(None);
    let text = error.to_string();
    let path = text
        .rsplit_once("\nin `")
        .and_then(|(_, path)| path.trim_end().strip_suffix('`'));
    path.filter(|path| path.split('.').all(is_name))
        .unwrap_or_default()
        .to_owned()
}

/// Whether a text looks like the name of a setting or a profile, and not like a key or a number of somebody's.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (1..=LONGEST_NAME).contains(&text.len()) && digits <= MOST_DIGITS && text.bytes().all(fits)
}

fn in_backticks(list: &str) -> Vec<String> {
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn listed(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// What the parser expects, in the words of who writes the file.
fn needed(expected: &str) -> &'static str {
    match expected {
        "a sequence" => "a list, such as `[\"text\"]` or parts under `[[name]]`",
        "a string" | "path string" => "text in quotation marks",
        "u32" => "a whole number from 0 on",
        _ if expected.starts_with("struct ") || expected == "a map" => "a part of settings, under `[name]`",
        _ => "a value of another type",
    }
}

const VALIDITY: &str = "`\"permanent\"`, or days as in `validity.days = 365`, or two times as in \
                        `validity.between = [\"2026-01-01T00:00:00+08:00\", \"2027-01-01T00:00:00+08:00\"]`";
/// How the parser begins to say that an escape is none.
const ESCAPES: [&str; 3] = [
    "invalid value, expected unicode",
    "missing escaped value",
    "too few unicode",
];
/// An APIv3 key has 32 characters.
const LONGEST_NAME: usize = 31;
/// A year; a phone number or a merchant id has more.
const MOST_DIGITS: usize = 4;

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::profile::check as read_profiles;

    #[track_caller]
    fn check(text: &str, said: &str) {
        let error = read_profiles(text).unwrap_err();
        assert_eq!(error.to_string(), said);
        assert!(!format!("{error:?}").contains("SECRET"), "{error:?}");
    }

    /// A profile to the line before the one that is wrong, which is the fourth.
    fn profile(line: &str) -> String {
        format!("[profile.store-2026]\nmchid = \"1\"\nbrand_id = \"2\"\n{line}\ncard_id = \"p\"\n")
    }

    #[test]
    fn a_setting_that_is_missing_or_unknown_is_named() {
        check(
            "[profile.default]\nmchid = \"1\"\ncard_id = \"p\"\n",
            "line 1, column 1: the setting `brand_id` is missing in `profile.default`",
        );
        check("", "line 1, column 1: the setting `profile` is missing");
        check(
            "[profile]\n[profiles.default]\n",
            "line 2, column 2: unknown setting `profiles`; there are `profile`",
        );
        for (name, said) in [
            ("brandid", "unknown setting `brandid` in `profile.store-2026`"),
            ("13800138000", "unknown setting in `profile.store-2026`"),
            (
                "SECRETSECRETSECRETSECRETSECRET12",
                "unknown setting in `profile.store-2026`",
            ),
            (
                "\"SECRET, expected `x`\"",
                "unknown setting in `profile.store-2026`",
            ),
        ] {
            let error = read_profiles(&profile(&format!("  {name} = 1"))).unwrap_err();
            let whole = format!("line 4, column 3: {said}; there are `base_url`, `mchid`, ");
            assert!(error.to_string().starts_with(&whole), "{error}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_said_without_the_value() {
        check(
            &profile("level = 13800138000"),
            "line 4, column 9: the setting `profile.store-2026.level` needs text in quotation marks",
        );
        check(
            &profile("custom_fields = \"SECRET, expected u32\""),
            "line 4, column 17: the setting `profile.store-2026.custom_fields` needs a list, such as `[\"text\"]` or parts \
             under `[[name]]`",
        );
        for value in [
            "365",
            "\"SECRET\"",
            "{}",
            "{ days = -1 }",
            "{ days = 5000000000 }",
            "{ days = 1, between = [] }",
            "{ between = [\"SECRET\"] }",
        ] {
            let error = read_profiles(&profile(&format!("validity = {value}"))).unwrap_err();
            let flaw = format!("the setting `profile.store-2026.validity` needs {VALIDITY}");
            assert_eq!((error.line, error.flaw.to_string()), (4, flaw), "{value}");
        }
        check(
            "profile = \"SECRET\"",
            "line 1, column 11: the setting `profile` needs a part of settings, under `[name]`",
        );
    }

    #[test]
    fn what_is_not_toml_is_said_with_its_place() {
        let said = "not TOML, where a setting is `name = \"text\"` or `name = 1`, and each name stands once in its part";
        check(&profile("level = SECRET"), &format!("line 4, column 9: {said}"));
        check(
            &profile("mchid = \"SECRET\""),
            &format!("line 4, column 1: {said}"),
        );
        let said = "a backslash between quotation marks begins an escape; write it twice, or use single quotation marks";
        for path in ["C:\\SECRET.pem", "C:\\Users\\SECRET.pem", "C:\\Uffffffff"] {
            let error = read_profiles(&profile(&format!("merchant_key = \"{path}\""))).unwrap_err();
            assert_eq!(error.flaw.to_string(), said, "{path}");
            assert_eq!(error.line, 4);
        }
    }

    #[test]
    fn a_column_counts_characters() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only read into")]
        struct File {
            a: Vec<String>,
        }
        let error = read::<File>("a = [\"会员\", 1]").unwrap_err();
        assert_eq!((error.line, error.column), (1, 12));
    }
}
