//! Answers: twins whose personal fields stay sealed until somebody asks, and what is answered without a secret.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{field_doc, plain_name, plain_type, properties};
use crate::codegen::{
    model::{Model, Property, Schema, Shape, Side},
    text::doc_line,
};

pub(super) fn twin(model: &Model, schema: &Schema) -> TokenStream {
    let (name, raw) = (plain_name(schema), format_ident!("{}", schema.name));
    let doc = doc_line(&schema.doc);
    let fields = properties(schema).iter().map(|property| {
        let (field, doc) = (format_ident!("{}", property.field()), field_doc(model, property));
        let plain = plain_type(model, &property.shape);
        let ty = if property.is_option() {
            quote!(Option<#plain>)
        } else {
            plain
        };
        quote! { #[doc = #doc] pub #field: #ty }
    });
    let opens = properties(schema).iter().map(|property| {
        let opened = open_field(model, property);
        let field = format_ident!("{}", property.field());
        quote!(#field: #opened)
    });
    quote! {
        #[doc = #doc]
        #[doc = ""]
        #[doc = " Personal fields stay sealed until [`SealedField::open`] is called on them."]
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub struct #name { #(#fields),* }

        impl Unseal for #name {
            type Raw = types::#raw;

            fn from_raw(raw: Self::Raw, opener: &FieldOpener) -> Self {
                Self { #(#opens),* }
            }
        }
    }
}

fn open_field(model: &Model, property: &Property) -> TokenStream {
    let field = format_ident!("{}", property.field());
    if !model.shape_holds_secret(&property.shape, Side::Merchant) {
        return quote!(raw.#field);
    }
    if property.is_option() {
        let open = open_expression(&property.shape, &quote!(value));
        return quote!(raw.#field.map(|value| #open));
    }
    open_expression(&property.shape, &quote!(raw.#field))
}

fn open_expression(shape: &Shape, value: &TokenStream) -> TokenStream {
    match shape {
        Shape::Secret { .. } => quote!(SealedField::new(#value, opener)),
        Shape::Named(_) => quote!(Unseal::from_raw(#value, opener)),
        Shape::List(item) => {
            let item = open_expression(item, &quote!(item));
            quote!(#value.into_iter().map(|item| #item).collect())
        }
        Shape::Integer(_) | Shape::Boolean | Shape::Any => unreachable!("holds no secret"),
    }
}

/// What is answered, or told by a notification, without a secret is its own plain view.
pub(super) fn shared(model: &Model) -> TokenStream {
    let answers = model
        .operations
        .iter()
        .filter_map(|operation| operation.response.as_ref())
        .map(|body| &body.schema);
    let told = model.notifications.iter().map(|event| &event.schema);
    let names: BTreeSet<_> = answers
        .chain(told)
        .filter(|name| model.side_of(name).is_none())
        .collect();
    let plain = names.into_iter().map(|name| plain_name(model.schema(name)));
    quote! {
        #(impl Unseal for #plain {
            type Raw = Self;

            fn from_raw(raw: Self, _: &FieldOpener) -> Self {
                raw
            }
        })*
    }
}
