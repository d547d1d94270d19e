//! Scalars: one type for every named text and enumeration of the document, whose limits stand in one macro.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::codegen::{
    model::{Kind, Model, Schema, Variant},
    text::doc_line,
};

/// Everything in `crates/client/src/scalars.rs`.
pub(crate) fn scalars(model: &Model) -> TokenStream {
    let items = model.schemas.values().filter_map(|schema| match &schema.kind {
        Kind::Text { min, max, pattern } => Some(text(schema, min.unwrap_or(0), *max, pattern.as_deref())),
        Kind::OpenEnum { variants } => Some(open_enum(schema, variants)),
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

fn text(schema: &Schema, min: u64, max: Option<u64>, pattern: Option<&str>) -> TokenStream {
    let name = format_ident!("{}", schema.name);
    let mut limits = match (min, max) {
        (0, None) => "Of any length".to_owned(),
        (_, None) => format!("At least {min} characters"),
        (0, Some(max)) => format!("At most {max} characters"),
        (_, Some(max)) if min == max => format!("Exactly {max} characters"),
        (_, Some(max)) => format!("{min} to {max} characters"),
    };
    if let Some(pattern) = pattern {
        limits += &format!(", pattern `{pattern}`");
    }
    let (doc, limits) = (doc_line(&schema.doc), doc_line(&(limits + ".")));
    let pattern = match pattern {
        Some(pattern) => quote!(Some(#pattern)),
        None => quote!(None),
    };
    let max = match max {
        Some(max) => {
            let max = unsuffixed(max);
            quote!(Some(#max))
        }
        None => quote!(None),
    };
    let min = unsuffixed(min);
    quote! {
        #[doc = #doc]
        #[doc = ""]
        #[doc = #limits]
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct #name(Box<str>);
        crate::text::bounded_text!(#name, #min, #max, #pattern);
    }
}

fn open_enum(schema: &Schema, variants: &[Variant]) -> TokenStream {
    let name = format_ident!("{}", schema.name);
    let doc = doc_line(&schema.doc);
    let names: Vec<_> = variants.iter().map(|v| format_ident!("{}", v.name)).collect();
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

fn unsuffixed(number: u64) -> proc_macro2::Literal {
    proc_macro2::Literal::u64_unsuffixed(number)
}
