//! The blocking twins of the groups: the same methods, which wait for their own answer.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::operation::{
    Argument, accessor, answer, arguments, deprecation, facts, group_name, operations_by_tag,
};
use crate::codegen::{
    model::{Model, Operation, Tag},
    text::{doc_line, sentence},
};

/// Everything in `crates/sdk/src/blocking/generated.rs`.
pub(crate) fn blocking(model: &Model) -> TokenStream {
    let groups = operations_by_tag(model)
        .into_iter()
        .map(|(tag, operations)| group(model, tag, &operations));
    quote! {
        use super::Client;
        use crate::generated::*;
        use crate::{Error, Reply, Sealed};

        #(#groups)*
    }
}

fn group(model: &Model, tag: &Tag, operations: &[&Operation]) -> TokenStream {
    let (name, accessor) = (group_name(&tag.name), accessor(&tag.name));
    let doc = doc_line(&tag.doc);
    let twin = doc_line(&format!("The blocking twin of [`crate::{name}`]"));
    let twin = format!("{}.", twin.replace("\\[", "[").replace("\\]", "]"));
    let methods = operations.iter().map(|operation| {
        let plain = method(model, operation, false);
        let sealed = operation
            .sealed_part(model)
            .map(|_| method(model, operation, true));
        quote!(#plain #sealed)
    });
    quote! {
        #[doc = #doc]
        #[doc = ""]
        #[doc = #twin]
        #[derive(Clone, Copy, Debug)]
        pub struct #name<'a> { client: &'a Client }

        impl Client {
            #[doc = #doc]
            #[must_use]
            pub fn #accessor(&self) -> #name<'_> {
                #name { client: self }
            }
        }

        impl #name<'_> {
            #(#methods)*
        }
    }
}

fn method(model: &Model, operation: &Operation, sealed: bool) -> TokenStream {
    let (id, group) = (&operation.id, group_name(&operation.tag));
    let name = if sealed {
        format!("{id}_sealed")
    } else {
        id.clone()
    };
    let summary = if sealed {
        doc_line(&format!("`{id}` with a request that was sealed before."))
    } else {
        doc_line(&sentence(&operation.summary))
    };
    let twin = format!(
        " [`crate::{group}::{name}`], which waits. {}",
        doc_line(&facts(operation)).trim_start()
    );
    let errors = format!(" As [`crate::{group}::{name}`].");
    let deprecated = deprecation(operation);
    let expected = operation
        .deprecated
        .then(|| quote!(#[expect(deprecated, reason = "its twin is given up as well")]));
    let arguments = arguments(model, operation, sealed);
    let declarations = arguments.iter().map(Argument::declaration);
    let names = arguments.iter().map(|argument| &argument.name);
    let (name, accessor) = (format_ident!("{name}"), accessor(&operation.tag));
    let answer = answer(model, operation);
    quote! {
        #[doc = #summary]
        #[doc = ""]
        #[doc = #twin]
        #[doc = ""]
        #[doc = " # Errors"]
        #[doc = ""]
        #[doc = #errors]
        #deprecated
        #expected
        pub fn #name(&self, #(#declarations),*) -> Result<Reply<#answer>, Error> {
            self.client.wait(self.client.inner().#accessor().#name(#(#names),*))
        }
    }
}
