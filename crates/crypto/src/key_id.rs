//! The name of a key on the wire: the value of `Wechatpay-Serial`, or of `serial_no`.

use std::{
    borrow::Cow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize};

/// The id of a key: `PUB_KEY_ID_…`, or a certificate's serial number in upper-case hexadecimal.
///
/// Any text is tolerated, because an answer may name any key; what is not configured is simply not found.
/// Hexadecimal serials are kept in upper case without `0x` and separators, and compared without leading zeros, as tools print
/// them in several ways. Leading zeros that were given are sent: WeChat Pay prints 40 digits.
///
/// ```
/// use wxmember_crypto::KeyId;
/// assert_eq!(KeyId::new("0a1b"), KeyId::new("A1B"));
/// assert_eq!(KeyId::new("0a:1b"), KeyId::new("A1B"));
/// assert_eq!(KeyId::new("0a1b").as_str(), "0A1B");
/// assert_ne!(KeyId::new("PUB_KEY_ID_01"), KeyId::new("pub_key_id_01"));
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "String")]
pub struct KeyId(String);

impl KeyId {
    /// Takes the text of a header or of a configuration file.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        match hex_digits(text) {
            Some(digits) => {
                // Some tools write a byte of zeros before a number; WeChat Pay's have 40 digits at most.
                let surplus = digits.len().saturating_sub(SERIAL_DIGITS);
                let zeros = digits.bytes().take_while(|byte| *byte == b'0').count();
                Self(digits[zeros.min(surplus)..].to_ascii_uppercase())
            }
            None => Self(text.to_owned()),
        }
    }

    /// What is compared: a hexadecimal number without leading zeros, any other text as it is.
    fn significant(&self) -> &str {
        if self.0.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.0.trim_start_matches('0')
        } else {
            &self.0
        }
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

impl PartialEq for KeyId {
    fn eq(&self, other: &Self) -> bool {
        self.significant() == other.significant()
    }
}

impl Eq for KeyId {}

impl Hash for KeyId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.significant().hash(state);
    }
}

impl Ord for KeyId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.significant().cmp(other.significant())
    }
}

impl PartialOrd for KeyId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
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

/// Hexadecimal digits of the longest serial number (RFC 5280, section 4.1.2.2: 20 bytes).
const SERIAL_DIGITS: usize = 40;
