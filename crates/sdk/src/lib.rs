//! SDK for WeChat Pay's card-member API.
//!
//! Must never expose the HTTP library, the code generator's types or a way around signing, verifying and sealing.
#![doc = include_str!("../README.md")]

mod answer;
mod attempt;
#[cfg(feature = "blocking")]
pub mod blocking;
mod chain;
mod client;
mod clock;
mod config;
mod core;
mod download;
mod endpoint;
mod error;
#[rustfmt::skip]
mod generated;
mod keys;
mod keyset;
mod merchant;
pub mod notification;
mod observe;
mod operation;
mod pipeline;
mod reply;
mod resource;
mod retry;
mod seal;
mod signer;
mod trust;

pub use wxmember_client::scalars::ErrorCode;
pub use wxmember_client::{InvalidTime, InvalidValidity, TextError, TextErrorKind, UnknownValue};
pub use wxmember_crypto::{
    ApiV3Key, Certificate, CertificateError, FormValue, KeyError, KeyFileKind, KeyId, MerchantCiphertext,
    MerchantKey, OpenError, PhoneNumber, Plaintext, PlatformKey, PublicKey, ResourceError,
    SealError as PlaintextError, Signature, party,
};
#[cfg(feature = "encrypted-keys")]
pub use wxmember_crypto::{Passphrase, Pkcs12, Pkcs12Error};
pub use wxmember_signing::{UnixSeconds, VerifyError};

pub use crate::{
    answer::{Answer, AnswerError},
    chain::{Chain, ChainError},
    client::Client,
    clock::{Clock, FixedClock, Sleep, SystemClock},
    config::{Builder, ConfigError, Ready, WantsMerchant, WantsTrust},
    endpoint::Endpoint,
    error::{Delivery, Error, ErrorDetail, ErrorKind},
    generated::*,
    merchant::Merchant,
    operation::Operation,
    reply::Reply,
    retry::RetryPolicy,
    seal::{FieldOpener, Path, Seal, SealError, SealReason, Sealed, SealedField, Sealer, Unseal},
    signer::{Opener, Signer, SignerError, Signing},
    trust::Trust,
};
