//! The name of a key on the wire: the value of `Wechatpay-Serial`, or of `serial_no`.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// The id of a key: `PUB_KEY_ID_…`, or a certificate's serial number in upper-case hexadecimal.
///
/// Any text is tolerated, because an answer may name any key; what is not configured is simply not found.
/// Hexadecimal serials are compared in upper case without leading zeros, `0x` and separators, as tools print them in
/// several ways.
///
/// ```
/// use wxmember_crypto::KeyId;
/// assert_eq!(KeyId::new("0a1b"), KeyId::new("A1B"));
/// assert_eq!(KeyId::new("0a:1b"), KeyId::new("A1B"));
/// assert_ne!(KeyId::new("PUB_KEY_ID_01"), KeyId::new("pub_key_id_01"));
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(from = "String")]
pub struct KeyId(String);

impl KeyId {
    /// Takes the text of a header or of a configuration file.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        let Some(digits) = hex_digits(text) else {
            return Self(text.to_owned());
        };
        let significant = digits.trim_start_matches('0');
        Self(if significant.is_empty() {
            "0".to_owned()
        } else {
            significant.to_ascii_uppercase()
        })
    }

    /// Whether this names WeChat Pay's public key (public-key mode) and not a certificate.
    #[must_use]
    pub fn is_public_key_id(&self) -> bool {
        self.0.starts_with("PUB_KEY_ID_")
    }

    /// The text as it goes into a header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for KeyId {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The digits of a hexadecimal number, written in one piece or in pairs with one separator between them.
fn hex_digits(text: &str) -> Option<Cow<'_, str>> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(Cow::Borrowed(digits));
    }
    let separator = [':', ' ']
        .into_iter()
        .find(|separator| text.contains(*separator))?;
    let is_pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(separator)
        .all(is_pair)
        .then(|| Cow::Owned(text.replace(separator, "")))
}
