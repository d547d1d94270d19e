//! Signing and verifying of WeChat Pay APIv3, without I/O, clock or knowledge of any operation.
#![doc = include_str!("../README.md")]

mod answer;
mod authorization;
mod nonce;
mod time;

pub use crate::{
    answer::{Keyring, SignatureHeaders, Verified, VerifyError, verify},
    authorization::{Authorization, Identity, Request, Scheme, authorization},
    nonce::{InvalidNonce, Nonce},
    time::{TIME_WINDOW, UnixSeconds},
};

#[cfg(test)]
mod tests;
