//! Requests: twins with secrets in clear, and how they are sealed; queries as types of their own.

use heck::ToUpperCamelCase;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::{field_doc, plain_name, plain_type, properties};
use crate::codegen::{
    model::{Model, Operation, Property, Schema, SealedPart, Shape, Side},
    text::doc_line,
};

/// The twin of a body or of a part of one.
pub(super) fn twin(model: &Model, schema: &Schema) -> TokenStream {
    let (name, raw) = (plain_name(schema), format_ident!("{}", schema.name));
    let (doc, properties) = (doc_line(&schema.doc), properties(schema));
    let structure = structure(model, &name, &doc, properties);
    let seal = seal(model, &name, &quote!(types::#raw), properties);
    quote!(#structure #seal)
}

/// The name of the type that holds an operation's query.
pub(super) fn query_name(operation: &Operation) -> Ident {
    format_ident!("{}Query", operation.id.to_upper_camel_case())
}

/// The type that holds an operation's query, if it has one.
pub(super) fn query(model: &Model, operation: &Operation) -> TokenStream {
    if operation.query.is_empty() {
        return quote!();
    }
    let name = query_name(operation);
    let doc = doc_line(&format!("The query of `{}`.", operation.id));
    let structure = structure(model, &name, &doc, &operation.query);
    if operation.sealed_part(model) != Some(SealedPart::Query) {
        return structure;
    }
    let raw = format_ident!("Sealed{name}");
    let seal = seal(model, &name, &quote!(#raw), &operation.query);
    let raw_doc = doc_line(&format!("[`{name}`] as it goes over the wire."));
    let fields = operation.query.iter().map(|property| {
        let field = format_ident!("{}", property.field());
        let ty = match &property.shape {
            Shape::Secret { .. } => quote!(wxmember_crypto::PlatformCiphertext),
            shape => plain_type(model, shape),
        };
        let ty = if property.required {
            ty
        } else {
            quote!(Option<#ty>)
        };
        quote!(#field: #ty)
    });
    quote! {
        #structure
        #[doc = #raw_doc]
        #[doc(hidden)]
        #[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
        pub struct #raw { #(#fields),* }
        #seal
    }
}

fn structure(model: &Model, name: &Ident, doc: &str, properties: &[Property]) -> TokenStream {
    let fields = properties.iter().map(|property| {
        let (field, doc) = (format_ident!("{}", property.field()), field_doc(model, property));
        let plain = plain_type(model, &property.shape);
        let (ty, default) = if property.is_option() {
            (quote!(Option<#plain>), quote!())
        } else if property.required {
            (plain, quote!())
        } else {
            (plain, quote!(#[builder(default)]))
        };
        quote! { #[doc = #doc] #default pub #field: #ty }
    });
    let default = if properties.iter().all(|property| !property.required) {
        quote!(Default,)
    } else {
        quote!()
    };
    quote! {
        #[doc = #doc]
        #[derive(bon::Builder, Clone, Debug, #default PartialEq)]
        #[non_exhaustive]
        pub struct #name { #(#fields),* }
    }
}

fn seal(model: &Model, name: &Ident, raw: &TokenStream, properties: &[Property]) -> TokenStream {
    let seals = properties.iter().map(|property| {
        let sealed = seal_field(model, property);
        let field = format_ident!("{}", property.field());
        quote!(#field: #sealed)
    });
    quote! {
        impl Seal for #name {
            type Raw = #raw;

            fn seal_with(&self, sealer: &Sealer<'_>, path: &Path<'_>) -> Result<Self::Raw, SealError> {
                Ok(#raw { #(#seals),* })
            }
        }
    }
}

fn seal_field(model: &Model, property: &Property) -> TokenStream {
    let (field, wire) = (format_ident!("{}", property.field()), &property.wire);
    if !model.shape_holds_secret(&property.shape, Side::Platform) {
        return match property.shape {
            Shape::Integer(_) | Shape::Boolean => quote!(self.#field),
            _ => quote!(self.#field.clone()),
        };
    }
    if property.is_option() {
        let seal = seal_expression(&property.shape, &Place::reference("value"), &quote!(&path));
        return quote!(match &self.#field {
            Some(value) => { let path = path.field(#wire); Some(#seal) }
            None => None,
        });
    }
    let place = Place {
        path: quote!(self.#field),
        reference: quote!(&self.#field),
    };
    seal_expression(&property.shape, &place, &quote!(&path.field(#wire)))
}

/// Where a plain value stands, as a path for method calls and as a reference for arguments.
struct Place {
    path: TokenStream,
    reference: TokenStream,
}

impl Place {
    /// A variable that is a reference already.
    fn reference(variable: &str) -> Self {
        let variable = format_ident!("{variable}");
        Self {
            path: quote!(#variable),
            reference: quote!(#variable),
        }
    }
}

/// The expression that seals what stands at `place`; `at` names it in errors.
fn seal_expression(shape: &Shape, place: &Place, at: &TokenStream) -> TokenStream {
    let Place { path, reference } = place;
    match shape {
        Shape::Secret { .. } => quote!(sealer.seal(#reference, #at)?),
        Shape::Named(_) => quote!(#path.seal_with(sealer, #at)?),
        Shape::List(item) => {
            let item = seal_expression(item, &Place::reference("item"), &quote!(&path.item(index)));
            quote!({
                let path = #at;
                let mut list = Vec::with_capacity(#path.len());
                for (index, item) in #path.iter().enumerate() { list.push(#item); }
                list
            })
        }
        Shape::Integer(_) | Shape::Boolean | Shape::Any => unreachable!("holds no secret"),
    }
}
