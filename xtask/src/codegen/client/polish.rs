//! What is changed in progenitor's output: builders for the types that the SDK shows, and paths that cannot be bent.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Fields, File, ItemStruct, Type, parse_quote,
    visit_mut::{self, VisitMut},
};

use crate::codegen::model::Model;

pub(super) fn polish(tokens: TokenStream, model: &Model) -> Result<TokenStream, String> {
    let mut file: File = syn::parse2(checked_paths(tokens))
        .map_err(|error| format!("progenitor's code does not parse: {error}"))?;
    let shown = model.shared_objects();
    Builders {
        shown: shown.into_iter().map(|schema| schema.name.clone()).collect(),
    }
    .visit_file_mut(&mut file);
    Ok(file.into_token_stream())
}

/// Gives the types that the SDK shows as they are what its own types have.
struct Builders {
    shown: BTreeSet<String>,
}

impl VisitMut for Builders {
    fn visit_item_struct_mut(&mut self, item: &mut ItemStruct) {
        visit_mut::visit_item_struct_mut(self, item);
        if !self.shown.contains(&item.ident.to_string()) {
            return;
        }
        item.attrs.push(parse_quote!(#[derive(bon::Builder)]));
        item.attrs.push(parse_quote!(#[non_exhaustive]));
        let Fields::Named(fields) = &mut item.fields else {
            return;
        };
        for field in &mut fields.named {
            if is_list(&field.ty) && field.attrs.iter().any(may_be_absent) {
                field.attrs.push(parse_quote!(#[builder(default)]));
            }
        }
    }
}

fn is_list(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Vec"))
}

/// progenitor's mark of a list that may be absent.
fn may_be_absent(attribute: &Attribute) -> bool {
    attribute.path().is_ident("serde")
        && attribute
            .to_token_stream()
            .into_iter()
            .any(|token| contains_ident(token, "default"))
}

fn contains_ident(token: TokenTree, name: &str) -> bool {
    match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => group
            .stream()
            .into_iter()
            .any(|token| contains_ident(token, name)),
        _ => false,
    }
}

/// Replaces every call of `encode_path`: `.` and `..` in a path are navigation, however they are encoded, and such a
/// value would reach another operation. The calls stand inside `format!`, so this works on tokens.
fn checked_paths(tokens: TokenStream) -> TokenStream {
    let mut checked = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "encode_path" => match tokens.peek() {
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                    let argument = group.stream();
                    checked.extend(quote!(crate::text::path_segment(#argument)?));
                    tokens.next();
                }
                _ => checked.extend([TokenTree::Ident(ident)]),
            },
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), checked_paths(group.stream()));
                inner.set_span(group.span());
                checked.extend([TokenTree::Group(inner)]);
            }
            token => checked.extend([token]),
        }
    }
    checked
}
