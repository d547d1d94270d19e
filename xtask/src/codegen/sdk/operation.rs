//! Typed operations: one group a tag, one method an operation, and what is known of each without calling it.

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::{example, named_type, plain_type, request::query_name};
use crate::codegen::{
    model::{Model, Operation, Property, SealedPart, Shape, Tag},
    text::{doc_line, sentence},
};

/// The list of all operations.
pub(super) fn constants(model: &Model) -> TokenStream {
    let all = model.operations.iter().map(|operation| {
        let (group, constant) = (group_name(&operation.tag), constant(operation));
        quote!(#group::#constant)
    });
    quote! {
        /// Every operation, in the order of the API document.
        pub const OPERATIONS: &[Operation] = &[#(#all),*];
    }
}

/// Every group that has operations.
pub(super) fn groups(model: &Model) -> Vec<TokenStream> {
    operations_by_tag(model)
        .into_iter()
        .map(|(tag, operations)| group(model, tag, &operations))
        .collect()
}

/// The tags that have operations, with them.
pub(super) fn operations_by_tag(model: &Model) -> Vec<(&Tag, Vec<&Operation>)> {
    let tags = model.tags.iter().map(|tag| {
        let operations = model.operations.iter().filter(|o| o.tag == tag.name);
        (tag, operations.collect::<Vec<_>>())
    });
    tags.filter(|(_, operations)| !operations.is_empty()).collect()
}

pub(super) fn group_name(tag: &str) -> Ident {
    format_ident!("{}", tag.to_upper_camel_case())
}

pub(super) fn accessor(tag: &str) -> Ident {
    format_ident!("{}", tag.to_snake_case())
}

fn constant(operation: &Operation) -> Ident {
    format_ident!("{}", operation.id.to_shouty_snake_case())
}

fn group(model: &Model, tag: &Tag, operations: &[&Operation]) -> TokenStream {
    let (name, accessor) = (group_name(&tag.name), accessor(&tag.name));
    let doc = doc_line(&tag.doc);
    let constants = operations.iter().map(|operation| {
        let constant = constant(operation);
        let Operation {
            id,
            method,
            path,
            rate_limit,
            repeatable,
            ..
        } = operation;
        let rate_limit = Literal::u64_unsuffixed(*rate_limit);
        let doc = format!(" `{method} {path}`");
        let sealed = with_sealed(model, operation);
        quote! {
            #[doc = #doc]
            pub const #constant: Operation =
                Operation::new(#id, #method, #path, #rate_limit, #repeatable) #sealed;
        }
    });
    let methods = operations.iter().map(|operation| methods(model, operation));
    quote! {
        #[doc = #doc]
        #[doc = ""]
        #[doc = " Every call is signed anew, and its answer verified before it is read."]
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
            #(#constants)*
            #(#methods)*
        }
    }
}

/// What the request of an operation seals, for callers who write it as JSON.
fn with_sealed(model: &Model, operation: &Operation) -> TokenStream {
    let fields = operation.sealed_fields(model);
    let query = operation.sealed_query();
    if fields.is_empty() && query.is_empty() {
        return quote!();
    }
    quote!(.with_sealed(&[#(#fields),*], &[#(#query),*]))
}

/// One argument of a typed method.
pub(super) struct Argument {
    pub(super) name: Ident,
    pub(super) ty: TokenStream,
}

impl Argument {
    fn new(name: &str, ty: TokenStream) -> Self {
        Self {
            name: format_ident!("{name}"),
            ty,
        }
    }

    pub(super) fn declaration(&self) -> TokenStream {
        let Self { name, ty } = self;
        quote!(#name: #ty)
    }
}

/// The arguments of an operation's method: path in its order, query, body. `sealed` is the method that takes the
/// request as it was sealed before.
pub(super) fn arguments(model: &Model, operation: &Operation, sealed: bool) -> Vec<Argument> {
    let part = operation.sealed_part(model).filter(|_| sealed);
    let reference = |ty: TokenStream, this: SealedPart| {
        if part == Some(this) {
            quote!(&Sealed<#ty>)
        } else {
            quote!(&#ty)
        }
    };
    let path = operation.path_parameters.iter().map(|parameter| {
        let ty = plain_type(model, &parameter.shape);
        let ty = if is_copy(&parameter.shape) {
            ty
        } else {
            quote!(&#ty)
        };
        Argument::new(&parameter.field(), ty)
    });
    let query = (!operation.query.is_empty()).then(|| {
        let ty = query_name(operation);
        Argument::new("query", reference(quote!(#ty), SealedPart::Query))
    });
    let request = operation.request.as_ref().map(|body| {
        let ty = named_type(model, &body.schema);
        Argument::new("request", reference(ty, SealedPart::Body))
    });
    path.chain(query).chain(request).collect()
}

/// What a call answers.
pub(super) fn answer(model: &Model, operation: &Operation) -> TokenStream {
    match &operation.response {
        Some(body) => named_type(model, &body.schema),
        None => quote!(()),
    }
}

fn is_copy(shape: &Shape) -> bool {
    matches!(shape, Shape::Integer(_) | Shape::Boolean)
}

fn methods(model: &Model, operation: &Operation) -> TokenStream {
    let doc = method_doc(model, operation);
    let deprecated = deprecation(operation);
    let (method, constant) = (format_ident!("{}", operation.id), constant(operation));
    let answer = answer(model, operation);
    let declarations = |sealed| {
        let arguments = arguments(model, operation, sealed);
        arguments.iter().map(Argument::declaration).collect::<Vec<_>>()
    };
    let plain = declarations(false);
    let Some(part) = operation.sealed_part(model) else {
        let call = call(model, operation);
        return quote! {
            #(#[doc = #doc])*
            #deprecated
            pub async fn #method(&self, #(#plain),*) -> Result<Reply<#answer>, Error> {
                #call
            }
        };
    };
    let sealed_method = format_ident!("{}_sealed", operation.id);
    let to_seal = match part {
        SealedPart::Body => quote!(request),
        SealedPart::Query => quote!(query),
    };
    let passed = arguments(model, operation, false).into_iter().map(|argument| {
        let name = argument.name;
        if name == to_seal.to_string() {
            quote!(&sealed)
        } else {
            quote!(#name)
        }
    });
    let (sealed, call) = (declarations(true), call(model, operation));
    quote! {
        #(#[doc = #doc])*
        #deprecated
        pub async fn #method(&self, #(#plain),*) -> Result<Reply<#answer>, Error> {
            let sealed = self.client.sealed(&Self::#constant, #to_seal).await?;
            self.#sealed_method(#(#passed),*).await
        }

        #[doc = " The same with a request that was sealed before, for example by a job that stores what it will send."]
        #[doc = ""]
        #[doc = " # Errors"]
        #[doc = ""]
        #[doc = " As the method above, but nothing is sealed here."]
        #deprecated
        pub async fn #sealed_method(&self, #(#sealed),*) -> Result<Reply<#answer>, Error> {
            #call
        }
    }
}

/// Calls the raw client, which takes path, query, the key's id and the body, in this order.
fn call(model: &Model, operation: &Operation) -> TokenStream {
    let (method, constant) = (format_ident!("{}", operation.id), constant(operation));
    let part = operation.sealed_part(model);
    let sealed = match part {
        Some(SealedPart::Body) => quote!(let (body, serial) = (request.raw(), request.key_id().as_str());),
        Some(SealedPart::Query) => quote!(let (query, serial) = (query.raw(), query.key_id().as_str());),
        None => quote!(),
    };
    let path = operation.path_parameters.iter().map(|parameter| {
        let name = format_ident!("{}", parameter.field());
        quote!(#name,)
    });
    let query = operation.sorted_query().into_iter().map(query_argument);
    let body = operation.request.as_ref().map(|_| match part {
        Some(SealedPart::Body) => quote!(body),
        _ => quote!(request),
    });
    let serial = part.map(|_| quote!(serial,));
    quote! {
        #sealed
        self.client
            .call(&Self::#constant, |raw| async move { raw.#method(#(#path)* #(#query)* #serial #body).await })
            .await
    }
}

fn query_argument(property: &Property) -> TokenStream {
    let field = format_ident!("{}", property.field());
    match (property.required, is_copy(&property.shape)) {
        (_, true) => quote!(query.#field,),
        (true, false) => quote!(&query.#field,),
        (false, false) => quote!(query.#field.as_ref(),),
    }
}

/// The attribute of an operation that the platform gives up.
pub(super) fn deprecation(operation: &Operation) -> TokenStream {
    if operation.deprecated {
        quote!(#[deprecated = "the platform gives this operation up; its description says what replaces it"])
    } else {
        quote!()
    }
}

fn method_doc(model: &Model, operation: &Operation) -> Vec<String> {
    let repeat = if operation.repeatable {
        "An identical call may be sent again when the outcome of the first is unknown."
    } else {
        "Not to be sent again blindly when the outcome is unknown."
    };
    let mut doc = vec![
        doc_line(&sentence(&operation.summary)),
        String::new(),
        doc_line(&operation.doc),
        String::new(),
        doc_line(&facts(operation)),
        doc_line(repeat),
        String::new(),
        " # Errors".to_owned(),
        String::new(),
        " [`Error`]: its `kind` says what happened, its `delivery` whether the platform may have acted on it."
            .to_owned(),
    ];
    if let Some(lines) = example::lines(model, operation) {
        doc.extend([String::new(), " # Examples".to_owned(), String::new()]);
        doc.extend(lines);
    }
    doc
}

/// Method, path, limit and source in one line.
pub(super) fn facts(operation: &Operation) -> String {
    let Operation {
        method,
        path,
        rate_limit,
        source,
        ..
    } = operation;
    let source = match source {
        Some(url) => format!(" Source: {url}."),
        None => String::new(),
    };
    format!("`{method} {path}`, {rate_limit} calls a second and merchant id.{source}")
}
