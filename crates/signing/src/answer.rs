//! The other side's signature: answers and notifications.
//!
//! The body is verified as it came, before anything reads it. Only successful answers carry a signature; that errors
//! are not verified is the caller's rule, because a status is HTTP and this crate does not know HTTP.

use thiserror::Error;
use wxmember_crypto::{KeyId, PlatformKey, Signature};

use crate::UnixSeconds;

/// The platform keys that are trusted, by id.
pub trait Keyring {
    /// The key of this id, when it is trusted.
    fn key(&self, id: &KeyId) -> Option<&PlatformKey>;
}

/// One trusted key; handy for tests and small tools.
impl Keyring for (KeyId, PlatformKey) {
    fn key(&self, id: &KeyId) -> Option<&PlatformKey> {
        (self.0 == *id).then_some(&self.1)
    }
}

/// The headers that carry a signature, as they came; `None` where one is absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignatureHeaders<'a> {
    /// `Wechatpay-Timestamp`: Unix seconds.
    pub timestamp: Option<&'a str>,
    /// `Wechatpay-Nonce`.
    pub nonce: Option<&'a str>,
    /// `Wechatpay-Serial`: the id of the key that signed.
    pub serial: Option<&'a str>,
    /// `Wechatpay-Signature`: base64.
    pub signature: Option<&'a str>,
}

impl<'a> SignatureHeaders<'a> {
    /// The names of the headers, in the order of the fields.
    pub const NAMES: [&'static str; 4] = [
        "Wechatpay-Timestamp",
        "Wechatpay-Nonce",
        "Wechatpay-Serial",
        "Wechatpay-Signature",
    ];

    /// Collects the headers through a look-up by name.
    pub fn collect(look_up: impl Fn(&'static str) -> Option<&'a str>) -> Self {
        let [timestamp, nonce, serial, signature] = Self::NAMES.map(look_up);
        Self {
            timestamp,
            nonce,
            serial,
            signature,
        }
    }

    /// The message that the platform signed: timestamp, nonce and body, each ended by a line feed.
    fn message(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
        let mut message = Vec::with_capacity(timestamp.len() + nonce.len() + body.len() + 3);
        for part in [timestamp.as_bytes(), nonce.as_bytes(), body] {
            message.extend_from_slice(part);
            message.push(b'\n');
        }
        message
    }
}

/// What is known of a message whose signature is right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    /// The key that signed.
    pub key: KeyId,
    /// How far the platform's clock was ahead of ours, in seconds; negative when behind.
    pub clock_ahead: i64,
}

/// Verifies a signature over the raw body.
///
/// # Errors
///
/// The first reason found, in the order of [`VerifyError`]'s variants.
pub fn verify(
    headers: &SignatureHeaders<'_>,
    body: &[u8],
    now: UnixSeconds,
    keys: &impl Keyring,
) -> Result<Verified, VerifyError> {
    let given = [
        headers.timestamp,
        headers.nonce,
        headers.serial,
        headers.signature,
    ];
    for (value, name) in given.into_iter().zip(SignatureHeaders::NAMES) {
        if value.is_none() {
            return Err(VerifyError::MissingHeader { name });
        }
    }
    let [timestamp, nonce, serial, signature] = given.map(Option::unwrap_or_default);

    let signed_at = match timestamp.parse() {
        Ok(seconds) if timestamp.bytes().all(|b| b.is_ascii_digit()) => UnixSeconds(seconds),
        _ => return Err(VerifyError::MalformedTimestamp),
    };
    let clock_ahead = signed_at.ahead_of(now);
    if !signed_at.is_within_window_of(now) {
        return Err(VerifyError::Stale { clock_ahead });
    }

    let id = KeyId::new(serial);
    let Some(key) = keys.key(&id) else {
        return Err(VerifyError::UnknownKey { key: id });
    };

    // A probe fails like any other wrong signature; it is only named, so that it can be counted.
    if signature.starts_with(PROBE_PREFIX) {
        return Err(VerifyError::Probe { key: id });
    }
    let Ok(signature) = Signature::from_base64(signature) else {
        return Err(VerifyError::NotBase64 { key: id });
    };
    match key.verify(&SignatureHeaders::message(timestamp, nonce, body), &signature) {
        Ok(()) => Ok(Verified { key: id, clock_ahead }),
        Err(_) => Err(VerifyError::Mismatch { key: id }),
    }
}

/// Why a signature was not accepted.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum VerifyError {
    /// A header is absent: the message is not signed, or a proxy dropped it.
    #[error("the header `{name}` is missing, so nothing says who wrote this")]
    MissingHeader {
        /// The name of the header.
        name: &'static str,
    },
    /// `Wechatpay-Timestamp` is not a number of seconds.
    #[error("`Wechatpay-Timestamp` is not a number of seconds")]
    MalformedTimestamp,
    /// The clocks differ by 300 seconds or more: a replayed message, or a wrong clock here.
    #[error("the clocks differ by {} seconds (limit 300); check this machine's clock", clock_ahead.unsigned_abs())]
    Stale {
        /// How far the platform's clock was ahead of ours, in seconds; negative when behind.
        clock_ahead: i64,
    },
    /// `Wechatpay-Serial` names a key that is not trusted here.
    #[error("signed with the key `{key}`, which is not configured")]
    UnknownKey {
        /// The id that the message names.
        key: KeyId,
    },
    /// A deliberately wrong signature, by which WeChat Pay finds out who does not verify.
    #[error("a signature probe of WeChat Pay (`WECHATPAY/SIGNTEST/`), rejected as it must be")]
    Probe {
        /// The id that the message names.
        key: KeyId,
    },
    /// The signature is not base64.
    #[error("the signature is not base64")]
    NotBase64 {
        /// The id that the message names.
        key: KeyId,
    },
    /// The signature does not belong to this body, timestamp and nonce under this key.
    #[error(
        "the signature does not match under the key `{key}`: the body was changed, or the key is not the platform's"
    )]
    Mismatch {
        /// The id that the message names.
        key: KeyId,
    },
}

const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";
