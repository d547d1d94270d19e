//! The raw client: progenitor's output, and the scalar types that replace the ones it would make.
//!
//! progenitor's own newtypes check their limits when they read an answer, so an answer with a value longer than
//! documented would be unreadable. Ours check what the caller writes and take what the platform answers.

use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TypeImpl};
use quote::quote;
use serde_yaml_ng::Value;

mod calls;
mod document;
mod polish;
mod scalars;

pub(crate) use self::{calls::calls, scalars::scalars};
use crate::codegen::model::{Kind, Model, Schema, Side};

/// Everything in `crates/client/src/generated.rs`.
pub(crate) fn raw_client(value: &Value, model: &Model) -> Result<TokenStream, String> {
    let document = document::for_progenitor(value, model)?;
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(std::sync::Arc<dyn crate::Pipeline>))
        .with_derive("::schemars::JsonSchema")
        .with_derive("PartialEq");
    for schema in model.schemas.values() {
        if let Some(path) = replacement(schema) {
            let traits = [TypeImpl::Display, TypeImpl::FromStr];
            let count = if matches!(schema.kind, Kind::Ciphertext(_)) {
                0
            } else {
                2
            };
            settings.with_replacement(&schema.name, path, traits.into_iter().take(count));
        }
    }
    let tokens = Generator::new(&settings)
        .generate_tokens(&document)
        .map_err(|error| format!("progenitor refuses the document: {error}"))?;
    polish::polish(tokens, model)
}

/// The type that stands for a named schema in the raw client, when progenitor is not to make one.
fn replacement(schema: &Schema) -> Option<String> {
    match schema.kind {
        Kind::Text { .. } | Kind::OpenEnum { .. } => Some(format!("crate::scalars::{}", schema.name)),
        Kind::Time => Some("crate::Time".to_owned()),
        Kind::Ciphertext(Side::Platform) => Some("::wxmember_crypto::PlatformCiphertext".to_owned()),
        Kind::Ciphertext(Side::Merchant) => Some("::wxmember_crypto::MerchantCiphertext".to_owned()),
        Kind::Object { .. } => None,
    }
}
