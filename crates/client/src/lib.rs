//! The raw client of the card-member API: generated operations behind a pipeline that signs and verifies.
//!
//! Must never hold a key or a policy: both come in through [`Pipeline`].
#![doc = include_str!("../README.md")]

mod exchange;
#[rustfmt::skip]
#[allow(
    missing_docs, unused_imports, unused_qualifications, unnameable_types, unreachable_pub,
    clippy::all, clippy::unwrap_used, clippy::use_self, clippy::manual_let_else, clippy::disallowed_methods,
)]
mod generated;
mod hooks;
mod open_enum;
#[rustfmt::skip]
#[allow(unused_qualifications)]
pub mod scalars;
mod pattern;
mod text;
mod time;
mod validity;

pub use crate::{
    exchange::{BodyFault, Pipeline, Refusal, Step, Unsigned},
    generated::types,
    open_enum::UnknownValue,
    text::{TextError, TextErrorKind},
    time::{InvalidTime, Time},
    validity::InvalidValidity,
};

/// The generated client.
pub mod raw {
    pub use crate::generated::Client;
    pub use progenitor_client::{Error, ResponseValue};
}

#[cfg(test)]
mod tests;
