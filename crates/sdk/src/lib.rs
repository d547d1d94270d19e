//! SDK for WeChat Pay's card-member API.
//!
//! Must never expose the HTTP library, the code generator's types or a way around signing, verifying and sealing.
#![doc = include_str!("../README.md")]

mod client;
mod clock;
mod config;
mod error;
#[rustfmt::skip]
mod generated;
mod merchant;
mod operation;
mod pipeline;
mod reply;
mod seal;
mod trust;

pub use wxmember_client::{InvalidTime, InvalidValidity, TextError, TextErrorKind, UnknownValue};
pub use wxmember_crypto::{
    Certificate, CertificateError, FormValue, KeyError, KeyId, MerchantKey, OpenError, PhoneNumber,
    Plaintext, PlatformKey, party,
};
pub use wxmember_signing::{UnixSeconds, VerifyError};

pub use crate::{
    client::Client,
    clock::{Clock, FixedClock, SystemClock},
    config::{Builder, ConfigError, Ready, WantsMerchant, WantsTrust},
    error::{Delivery, Error, ErrorDetail, ErrorKind},
    generated::*,
    merchant::Merchant,
    operation::Operation,
    reply::Reply,
    seal::{Opener, Path, Seal, SealError, SealReason, Sealed, SealedField, Sealer, Unseal},
    trust::Trust,
};
