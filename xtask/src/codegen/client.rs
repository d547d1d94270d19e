//! The raw client: progenitor's output, and the scalar types that replace the ones it would make.
//!
//! progenitor's own newtypes check their limits when they read an answer, so an answer with a value longer than
//! documented would be unreadable. Ours check what the caller writes and take what the platform answers.

use heck::ToUpperCamelCase;
use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TypeImpl};
use quote::{format_ident, quote};

use crate::codegen::model::{Kind, Model, Schema, Side};

/// Everything in `crates/client/src/generated.rs`.
pub(crate) fn raw_client(document: &OpenAPI, model: &Model) -> Result<TokenStream, String> {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
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
    Generator::new(&settings)
        .generate_tokens(document)
        .map_err(|error| format!("progenitor refuses the document: {error}"))
}

/// Everything in `crates/client/src/scalars.rs`.
pub(crate) fn scalars(model: &Model) -> TokenStream {
    let items = model.schemas.values().filter_map(|schema| match &schema.kind {
        Kind::Text { min, max, pattern } => Some(text(schema, min.unwrap_or(0), *max, pattern.as_deref())),
        Kind::OpenEnum { .. } => Some(open_enum(schema)),
        Kind::Time | Kind::Ciphertext(_) | Kind::Object { .. } => None,
    });
    let names = model
        .schemas
        .values()
        .filter(|schema| !matches!(schema.kind, Kind::Ciphertext(_)));
    let inserts = names.map(|schema| {
        let (name, ident) = (&schema.name, format_ident!("{}", schema.name));
        let path = match schema.kind {
            Kind::Object { .. } => quote!(crate::types::#ident),
            Kind::Time => quote!(crate::Time),
            _ => quote!(#ident),
        };
        quote!((#name, generator.subschema_for::<#path>()))
    });
    quote! {
        #(#items)*

        /// The JSON Schema of every type of the wire, under the definitions of one document.
        #[must_use]
        pub fn json_schemas() -> schemars::Schema {
            let mut generator = schemars::SchemaGenerator::default();
            let roots = [#(#inserts),*];
            let mut document = schemars::json_schema!({ "$defs": generator.take_definitions(true) });
            for (name, schema) in roots {
                if schema.get("$ref").is_none()
                    && let Some(definitions) = document.get_mut("$defs").and_then(|defs| defs.as_object_mut())
                {
                    definitions.insert(name.to_owned(), schema.to_value());
                }
            }
            document
        }
    }
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

fn text(schema: &Schema, min: u64, max: u64, pattern: Option<&str>) -> TokenStream {
    let name = format_ident!("{}", schema.name);
    let limits = match (min, pattern) {
        (0, None) => format!("At most {max} characters."),
        (_, None) => format!("{min} to {max} characters."),
        (_, Some(pattern)) => format!("At most {max} characters, pattern `{pattern}`."),
    };
    let (doc, limits) = (doc_line(&schema.doc), doc_line(&limits));
    let pattern = match pattern {
        Some(pattern) => quote!(Some(#pattern)),
        None => quote!(None),
    };
    let (min, max) = (unsuffixed(min), unsuffixed(max));
    quote! {
        #[doc = #doc]
        #[doc = ""]
        #[doc = #limits]
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct #name(Box<str>);
        crate::text::bounded_text!(#name, #min, #max, #pattern);
    }
}

fn open_enum(schema: &Schema) -> TokenStream {
    let Kind::OpenEnum { variants } = &schema.kind else {
        unreachable!("called for enumerations only")
    };
    let name = format_ident!("{}", schema.name);
    let doc = doc_line(&schema.doc);
    let names: Vec<_> = variants
        .iter()
        .map(|v| format_ident!("{}", v.name.to_upper_camel_case()))
        .collect();
    let wires: Vec<_> = variants.iter().map(|v| v.wire.as_str()).collect();
    let docs: Vec<_> = variants
        .iter()
        .map(|v| doc_line(&format!("`{}`: {}", v.wire, v.doc)))
        .collect();
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum #name {
            #(#[doc = #docs] #names,)*
            /// A value that this version does not know; it survives a round trip.
            Other(crate::UnknownValue),
        }
        crate::open_enum::open_enum!(#name { #(#names = #wires),* });
    }
}

pub(crate) fn doc_line(text: &str) -> String {
    format!(" {}", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn unsuffixed(number: u64) -> proc_macro2::Literal {
    proc_macro2::Literal::u64_unsuffixed(number)
}
