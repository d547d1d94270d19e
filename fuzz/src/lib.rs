//! What the fuzz targets do with an input, apart from libFuzzer, so that a stored input also runs as an ordinary test.
//!
//! Every target is a function that returns for whatever it is given. What it claims it asserts; `README.md` lists the
//! claims. Nothing here is shipped.

pub mod answer;
pub mod authorization;
mod claims;
mod input;
pub mod keys;
pub mod ledger;
pub mod list;
pub mod notification;
mod parties;
pub mod recording;
pub mod spreadsheet;
mod workplace;

pub use crate::{claims::MARKER, parties::tokens};

/// The signature over the one body that a raw answer may be believed with, for the stored inputs.
#[must_use]
pub fn stored_signature() -> String {
    let timestamp = parties::NOW.to_string();
    parties::platform_signature(parties::PUBLIC_KEY_ID, &timestamp, "nonce", answer::STORED_BODY)
}
