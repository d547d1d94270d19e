//! Keys, signatures and field encryption of WeChat Pay APIv3.
//!
//! Never does I/O, never knows HTTP, never reads a clock: bytes go in, bytes come out.
#![cfg_attr(feature = "generate", doc = include_str!("../README.md"))]

mod backend;
mod certificate;
mod chunk;
mod ciphertext;
mod digest;
mod error;
mod file_kind;
mod key;
mod key_id;
pub mod party;
#[cfg(feature = "encrypted-keys")]
mod passphrase;
#[cfg(feature = "encrypted-keys")]
mod pkcs12;
mod resource;
mod secret;

#[cfg(feature = "generate")]
pub use crate::backend::generate_rsa_2048_pem;
pub use crate::{
    backend::Backend,
    certificate::Certificate,
    chunk::ChunkKey,
    ciphertext::{Ciphertext, MerchantCiphertext, PlatformCiphertext},
    digest::{Fingerprint, KeyedHash, SourceHasher},
    error::{
        AeadError, BadSignature, CertificateError, KeyError, OpenError, ResourceError, SealError, SignError,
    },
    file_kind::KeyFileKind,
    key::{MerchantKey, PlatformKey, PrivateKey, PublicKey, Signature},
    key_id::KeyId,
    resource::SealedResource,
    secret::{ApiV3Key, FormValue, PhoneNumber, Plaintext},
};
#[cfg(feature = "encrypted-keys")]
pub use crate::{error::Pkcs12Error, passphrase::Passphrase, pkcs12::Pkcs12};

#[cfg(test)]
mod tests;
