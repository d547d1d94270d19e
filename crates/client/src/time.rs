//! Moments of the API: RFC 3339, kept as they were written.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A moment in RFC 3339 with offset, with or without fractions of a second.
///
/// The text is kept: offset, milliseconds and `Z` come back as they came. Two texts of one moment are not equal;
/// compare [`instant`](Self::instant)s for that.
///
/// ```
/// use wxmember_client::Time;
/// let time: Time = "2020-05-20T13:29:35.120+08:00".parse()?;
/// assert_eq!(time.to_string(), "2020-05-20T13:29:35.120+08:00");
/// assert_eq!(time.instant().unwrap().to_string(), "2020-05-20T05:29:35.12Z");
/// # Ok::<(), wxmember_client::InvalidTime>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Time(Box<str>);

impl Time {
    /// Checks a text.
    ///
    /// # Errors
    ///
    /// [`InvalidTime`] when it is not RFC 3339 with an offset.
    pub fn new(text: &str) -> Result<Self, InvalidTime> {
        parse(text).map(|_| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The moment on the time line, or `None` when an answer held a text that is no RFC 3339.
    #[must_use]
    pub fn instant(&self) -> Option<jiff::Timestamp> {
        parse(&self.0).ok()
    }
}

/// RFC 3339 is stricter than what `jiff` reads: a `T`, seconds and an offset must be there.
fn parse(text: &str) -> Result<jiff::Timestamp, InvalidTime> {
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let shaped = bytes.len() <= 35 && separators.iter().all(|&(at, byte)| bytes.get(at) == Some(&byte));
    let offset = bytes.last() == Some(&b'Z')
        || bytes
            .len()
            .checked_sub(6)
            .is_some_and(|at| matches!(bytes[at], b'+' | b'-') && bytes[at + 3] == b':');
    if !(shaped && offset) {
        return Err(InvalidTime);
    }
    text.parse().map_err(|_| InvalidTime)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Time({})", self.0)
    }
}

impl FromStr for Time {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Takes any text: an answer must not become unreadable for one odd time.
impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer).map(Self)
    }
}

impl schemars::JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "wechatpay-time", "maxLength": 35 })
    }
}

/// A text that is not a moment in RFC 3339.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not a moment in RFC 3339 with offset, such as `2020-05-20T13:29:35+08:00`")]
pub struct InvalidTime;
