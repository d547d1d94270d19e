//! The plain side: twins of the types that hold ciphertexts, their seal and open, the typed operations, the events.
//!
//! Everything is derived from the document: a field is sealed because it refers to `PlatformCiphertext`, and for no
//! other reason.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

mod answer;
mod blocking;
mod event;
mod example;
mod operation;
mod request;

pub(crate) use self::blocking::blocking;
use crate::codegen::{
    model::{Kind, Model, Property, Schema, Shape, Side},
    text::{doc_line, sentence},
};

/// Everything in `crates/sdk/src/generated.rs`.
pub(crate) fn sdk(model: &Model) -> TokenStream {
    let reachable = model.reachable();
    let (mut scalars, mut twins) = (Vec::new(), Vec::new());
    for schema in model.schemas.values() {
        if !reachable.contains(schema.name.as_str()) {
            continue;
        }
        match (&schema.kind, model.side_of(&schema.name)) {
            (Kind::Text { .. } | Kind::OpenEnum { .. }, _) => scalars.push(format_ident!("{}", schema.name)),
            (Kind::Object { .. }, Some(Side::Platform)) => twins.push(request::twin(model, schema)),
            (Kind::Object { .. }, Some(Side::Merchant)) => twins.push(answer::twin(model, schema)),
            (Kind::Object { .. } | Kind::Ciphertext(_) | Kind::Time, _) => {}
        }
    }
    let objects = model.shared_objects().into_iter().map(|schema| {
        let (raw, plain) = (format_ident!("{}", schema.name), plain_name(schema));
        if raw == plain {
            quote!(#raw)
        } else {
            quote!(#raw as #plain)
        }
    });
    let shared_answers = answer::shared(model);
    let queries = model
        .operations
        .iter()
        .map(|operation| request::query(model, operation));
    let groups = operation::groups(model);
    let constants = operation::constants(model);
    let events = event::events(model);
    quote! {
        use wxmember_client::types;
        use wxmember_crypto::{FormValue, PhoneNumber};
        use crate::seal::{FieldOpener, Path, Seal, SealError, Sealed, SealedField, Sealer, Unseal};
        use crate::{Client, Error, Operation, Reply};

        pub use wxmember_client::Time;
        pub use wxmember_client::scalars::{#(#scalars),*};
        pub use wxmember_client::types::{#(#objects),*};
        #constants
        #(#groups)*
        #(#queries)*
        #(#twins)*
        #shared_answers
        #events
    }
}

/// The name of a schema's type in the SDK.
fn plain_name(schema: &Schema) -> Ident {
    format_ident!("{}", schema.plain_name.as_ref().unwrap_or(&schema.name))
}

fn properties(schema: &Schema) -> &[Property] {
    match &schema.kind {
        Kind::Object { properties } => properties,
        _ => unreachable!("only objects have twins"),
    }
}

/// The type of a field in the SDK, without the `Option` around it.
fn plain_type(model: &Model, shape: &Shape) -> TokenStream {
    match shape {
        Shape::Secret { side, plaintext } => {
            let plaintext = format_ident!("{plaintext}");
            match side {
                Side::Platform => quote!(#plaintext),
                Side::Merchant => quote!(SealedField<#plaintext>),
            }
        }
        Shape::Named(name) => named_type(model, name),
        Shape::List(item) => {
            let item = plain_type(model, item);
            quote!(Vec<#item>)
        }
        Shape::Integer(ty) => {
            let ty = format_ident!("{ty}");
            quote!(#ty)
        }
        Shape::Boolean => quote!(bool),
        Shape::Any => quote!(serde_json::Value),
    }
}

fn named_type(model: &Model, name: &str) -> TokenStream {
    let name = plain_name(model.schema(name));
    quote!(#name)
}

/// The documentation of a field: its own words, or those of its type, and its limits.
fn field_doc(model: &Model, property: &Property) -> String {
    let doc = match (&property.shape, property.doc.as_str()) {
        (Shape::Named(name), "") => &model.schema(name).doc,
        (_, doc) => doc,
    };
    match &property.limits {
        Some(limits) => doc_line(&format!("{} {limits}", sentence(doc))),
        None => doc_line(doc),
    }
}
