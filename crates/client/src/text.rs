//! Bounded texts: ids, codes, names.
//!
//! Strict where the caller makes one, lenient where an answer is read; see the crate's front page.

use std::fmt;

use thiserror::Error;

use crate::{pattern::Pattern, raw};

/// A text that breaks a rule of its type. Never holds the text.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{type_name}: {kind}")]
pub struct TextError {
    type_name: &'static str,
    kind: TextErrorKind,
}

impl TextError {
    /// The type that refused, for example `UserCardCode`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The rule that is broken.
    #[must_use]
    pub fn kind(&self) -> &TextErrorKind {
        &self.kind
    }
}

/// The rules of bounded texts. Lengths count characters.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum TextErrorKind {
    /// Fewer characters than the type needs.
    #[error("has {len} characters, at least {min} are needed")]
    TooShort {
        /// Characters given.
        len: usize,
        /// Characters needed.
        min: usize,
    },
    /// More characters than the type takes.
    #[error("has {len} characters, at most {max} are allowed")]
    TooLong {
        /// Characters given.
        len: usize,
        /// Characters allowed.
        max: usize,
    },
    /// The API takes characters of one to three bytes of UTF-8 only.
    #[error(
        "character {position} needs four bytes of UTF-8 (an emoji or a rare Han character), which the API refuses"
    )]
    FourByteCharacter {
        /// The first such character, counted from 1.
        position: usize,
    },
    /// The text does not match the documented pattern.
    #[error("does not match `{pattern}`")]
    Pattern {
        /// The regular expression.
        pattern: &'static str,
    },
}

/// The limits of one type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) type_name: &'static str,
    pub(crate) min: usize,
    pub(crate) max: Option<usize>,
    pub(crate) pattern: Option<(&'static str, &'static std::sync::LazyLock<Pattern>)>,
}

impl Limits {
    pub(crate) fn check(&self, text: &str) -> Result<(), TextError> {
        let refuse = |kind| {
            Err(TextError {
                type_name: self.type_name,
                kind,
            })
        };
        // Most texts are ASCII, where characters are bytes.
        let len = match text.is_ascii() {
            true => text.len(),
            false => text.chars().count(),
        };
        if len < self.min {
            return refuse(TextErrorKind::TooShort { len, min: self.min });
        }
        if let Some(max) = self.max.filter(|&max| len > max) {
            return refuse(TextErrorKind::TooLong { len, max });
        }
        if !text.is_ascii()
            && let Some(index) = text.chars().position(|c| c.len_utf8() == 4)
        {
            return refuse(TextErrorKind::FourByteCharacter { position: index + 1 });
        }
        if let Some((pattern, compiled)) = self.pattern
            && !compiled.is_match(text)
        {
            return refuse(TextErrorKind::Pattern { pattern });
        }
        Ok(())
    }

    pub(crate) fn json_schema(&self) -> schemars::Schema {
        let mut schema = schemars::json_schema!({ "type": "string" });
        if let Some(max) = self.max {
            schema.insert("maxLength".to_owned(), max.into());
        }
        if self.min > 0 {
            schema.insert("minLength".to_owned(), self.min.into());
        }
        if let Some((pattern, _)) = self.pattern {
            schema.insert("pattern".to_owned(), pattern.into());
        }
        schema
    }
}

/// Implements everything of a bounded text that `scalars.rs` declares as `pub struct Name(Box<str>)`.
macro_rules! bounded_text {
    ($name:ident, $min:literal, $max:expr, $pattern:expr) => {
        impl $name {
            const PATTERN: Option<&'static str> = $pattern;

            fn limits() -> crate::text::Limits {
                static COMPILED: ::std::sync::LazyLock<crate::pattern::Pattern> =
                    ::std::sync::LazyLock::new(|| crate::pattern::Pattern::compile($name::PATTERN));
                crate::text::Limits {
                    type_name: stringify!($name),
                    min: $min,
                    max: $max,
                    pattern: Self::PATTERN.map(|pattern| (pattern, &COMPILED)),
                }
            }

            /// Checks a text against the limits of this type.
            ///
            /// # Errors
            ///
            /// [`TextError`](crate::TextError) names the rule that is broken, never the text.
            pub fn new(text: &str) -> ::std::result::Result<Self, crate::TextError> {
                Self::limits().check(text)?;
                Ok(Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                crate::text::debug(f, stringify!($name), &self.0)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = crate::TextError;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl ::std::convert::TryFrom<&str> for $name {
            type Error = crate::TextError;

            fn try_from(text: &str) -> ::std::result::Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl ::std::convert::TryFrom<String> for $name {
            type Error = crate::TextError;

            fn try_from(text: String) -> ::std::result::Result<Self, Self::Error> {
                Self::new(&text)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                Box::<str>::deserialize(deserializer).map(Self)
            }
        }

        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                Self::limits().json_schema()
            }
        }
    };
}
pub(crate) use bounded_text;

/// One segment of a path, percent-encoded. `.`, `..` and nothing at all are refused: they navigate, however they are
/// encoded, and the request would reach another operation.
pub(crate) fn path_segment<E>(text: &str) -> Result<String, raw::Error<E>> {
    match text {
        "" | "." | ".." => Err(raw::Error::InvalidRequest(
            "a path parameter is empty, `.` or `..`".to_owned(),
        )),
        // URLs take a backslash for a slash, and the encoder leaves it alone.
        _ => Ok(progenitor_client::encode_path(text).replace('\\', "%5C")),
    }
}

/// Shows the type and the text. Bounded texts are ids and labels, no personal data in the API's sense; what a person
/// filled in has a secret type instead.
pub(crate) fn debug(f: &mut fmt::Formatter<'_>, type_name: &str, text: &str) -> fmt::Result {
    write!(f, "{type_name}({text:?})")
}
