//! Entrances for the targets in `fuzz/` to what has no other. No part of the interface; nothing else may use it.

use std::borrow::Cow;

use wxmember_crypto::KeyId;

use crate::wechat::stored;

/// Packs a request as it is stored.
#[must_use]
pub fn pack(json: Vec<u8>, key_id: &KeyId) -> Vec<u8> {
    stored::pack(json, key_id)
}

/// Unpacks a stored request; `None` when it is damaged.
#[must_use]
pub fn unpack<'a>(stored: &'a [u8], key_id: &KeyId) -> Option<Cow<'a, [u8]>> {
    stored::unpack(stored, key_id)
}
