//! For the raw client's tests: one call of every operation with the values of the document's examples.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::codegen::model::{Model, Operation, Property, Shape};

/// Everything in `crates/client/src/tests/calls.rs`.
pub(crate) fn calls(model: &Model) -> TokenStream {
    let ids = model.operations.iter().map(|operation| &operation.id);
    let arms = model.operations.iter().map(|operation| arm(model, operation));
    quote! {
        use super::requests::{Example, done};
        use crate::raw::Client;

        /// The id of every operation, in the order of the document.
        pub(super) const OPERATIONS: &[&str] = &[#(#ids),*];

        /// Calls the operation that the example is of.
        pub(super) async fn call(client: &Client, example: &Example<'_>) {
            match example.operation() {
                #(#arms)*
                other => panic!("{other} is no operation"),
            }
        }
    }
}

fn arm(model: &Model, operation: &Operation) -> TokenStream {
    let id = &operation.id;
    let method = format_ident!("{id}");
    let path = operation.path_parameters.iter().map(argument);
    let query = operation.sorted_query().into_iter().map(argument);
    let body = operation.request.as_ref().map(|_| quote!(&example.body()));
    let serial = operation.sealed_part(model).map(|_| quote!(example.serial(),));
    quote!(#id => done(client.#method(#(#path,)* #(#query,)* #serial #body).await),)
}

fn argument(parameter: &Property) -> TokenStream {
    let wire = &parameter.wire;
    let by_value = matches!(parameter.shape, Shape::Integer(_) | Shape::Boolean);
    match (parameter.required, by_value) {
        (true, true) => quote!(example.parameter(#wire)),
        (true, false) => quote!(&example.parameter(#wire)),
        (false, true) => quote!(Some(example.parameter(#wire))),
        (false, false) => quote!(Some(&example.parameter(#wire))),
    }
}
