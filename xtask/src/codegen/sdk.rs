//! The plain side: twins of the types that hold ciphertexts, their seal and open, and the typed operations.
//!
//! Everything is derived from the document: a field is sealed because it refers to `PlatformCiphertext`, and for no
//! other reason.

use std::collections::BTreeSet;

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::codegen::{
    client::doc_line,
    model::{Kind, Model, Operation, Property, Schema, Shape, Side},
};

/// Everything in `crates/sdk/src/generated.rs`.
pub(crate) fn sdk(model: &Model) -> TokenStream {
    let reachable = reachable_from_operations(model);
    let (mut shared, mut twins) = (Vec::new(), Vec::new());
    for schema in model
        .schemas
        .values()
        .filter(|schema| reachable.contains(schema.name.as_str()))
    {
        match side_of(model, &schema.name) {
            Some(_) if matches!(schema.kind, Kind::Ciphertext(_)) => {}
            Some(Side::Platform) => twins.push(request_twin(model, schema)),
            Some(Side::Merchant) => twins.push(answer_twin(model, schema)),
            None => shared.push(schema),
        }
    }
    let scalars = shared
        .iter()
        .filter(|s| matches!(s.kind, Kind::Text { .. } | Kind::OpenEnum { .. }));
    let scalars = scalars.map(|schema| format_ident!("{}", schema.name));
    let objects = shared.iter().filter(|s| matches!(s.kind, Kind::Object { .. }));
    let objects = objects.map(|schema| format_ident!("{}", schema.name));
    let groups = model.tags.iter().map(|tag| {
        let operations: Vec<_> = model.operations.iter().filter(|o| o.tag == tag.name).collect();
        group(model, &tag.name, &tag.doc, &operations)
    });
    quote! {
        use wxmember_client::types;
        use wxmember_crypto::{FormValue, PhoneNumber};
        use crate::seal::{Opener, Path, Seal, SealError, Sealed, SealedField, Sealer, Unseal};
        use crate::{Client, Error, Operation, Reply};

        pub use wxmember_client::Time;
        pub use wxmember_client::scalars::{#(#scalars),*};
        pub use wxmember_client::types::{#(#objects),*};
        #(#twins)*
        #(#groups)*
    }
}

/// The names of the schemas that an operation sends or answers.
fn reachable_from_operations(model: &Model) -> BTreeSet<&str> {
    let mut reached = BTreeSet::new();
    let mut todo: Vec<&str> = model
        .operations
        .iter()
        .flat_map(|o| o.request.iter().chain(&o.response))
        .map(String::as_str)
        .collect();
    while let Some(name) = todo.pop() {
        if !reached.insert(name) {
            continue;
        }
        if let Kind::Object { properties } = &model.schema(name).kind {
            for property in properties {
                let mut shape = &property.shape;
                while let Shape::List(item) = shape {
                    shape = item;
                }
                if let Shape::Named(name) = shape {
                    todo.push(name);
                }
            }
        }
    }
    reached
}

fn side_of(model: &Model, name: &str) -> Option<Side> {
    [Side::Merchant, Side::Platform]
        .into_iter()
        .find(|&side| model.holds_secret(name, side))
}

fn plain_name(schema: &Schema) -> Ident {
    format_ident!("{}", schema.plain_name.as_ref().unwrap_or(&schema.name))
}

fn properties(schema: &Schema) -> &[Property] {
    match &schema.kind {
        Kind::Object { properties } => properties,
        _ => unreachable!("only objects and ciphertexts hold secrets"),
    }
}

// --- Requests: plain to sealed. ---

fn request_twin(model: &Model, schema: &Schema) -> TokenStream {
    let (name, raw) = (plain_name(schema), format_ident!("{}", schema.name));
    let doc = doc_line(&schema.doc);
    let properties = properties(schema);
    let fields = properties.iter().map(|property| {
        let (field, doc) = (format_ident!("{}", property.field()), field_doc(model, property));
        let plain = plain_type(model, &property.shape);
        let is_list = matches!(property.shape, Shape::List(_));
        let (ty, default) = match (property.required, is_list) {
            (true, _) => (plain, quote!()),
            (false, true) => (plain, quote!(#[builder(default)])),
            (false, false) => (quote!(Option<#plain>), quote!()),
        };
        quote! { #[doc = #doc] #default pub #field: #ty }
    });
    let seals = properties.iter().map(|property| {
        let (field, wire) = (format_ident!("{}", property.field()), &property.wire);
        let optional = !property.required && !matches!(property.shape, Shape::List(_));
        let sealed = if !model.shape_holds_secret(&property.shape, Side::Platform) {
            quote!(self.#field.clone())
        } else if optional {
            let seal = seal_expression(&property.shape, &Place::reference("value"), &quote!(&path));
            quote!(match &self.#field {
                Some(value) => { let path = path.field(#wire); Some(#seal) }
                None => None,
            })
        } else {
            let place = Place {
                path: quote!(self.#field),
                reference: quote!(&self.#field),
            };
            let seal = seal_expression(&property.shape, &place, &quote!(&path.field(#wire)));
            quote!(#seal)
        };
        quote!(#field: #sealed)
    });
    quote! {
        #[doc = #doc]
        #[derive(bon::Builder, Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct #name { #(#fields),* }

        impl Seal for #name {
            type Raw = types::#raw;

            fn seal_with(&self, sealer: &Sealer<'_>, path: &Path<'_>) -> Result<Self::Raw, SealError> {
                Ok(types::#raw { #(#seals),* })
            }
        }
    }
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
        Shape::Integer(_) | Shape::Any => unreachable!("holds no secret"),
    }
}

fn plain_type(model: &Model, shape: &Shape) -> TokenStream {
    match shape {
        Shape::Secret {
            side: Side::Platform,
            plaintext,
        } => {
            let plaintext = format_ident!("{plaintext}");
            quote!(#plaintext)
        }
        Shape::Secret {
            side: Side::Merchant,
            plaintext,
        } => {
            let plaintext = format_ident!("{plaintext}");
            quote!(SealedField<#plaintext>)
        }
        Shape::Named(name) => {
            let schema = model.schema(name);
            let name = plain_name(schema);
            quote!(#name)
        }
        Shape::List(item) => {
            let item = plain_type(model, item);
            quote!(Vec<#item>)
        }
        Shape::Integer(ty) => {
            let ty = format_ident!("{ty}");
            quote!(#ty)
        }
        Shape::Any => quote!(serde_json::Value),
    }
}

fn field_doc(model: &Model, property: &Property) -> String {
    match (&property.shape, property.doc.as_str()) {
        (Shape::Named(name), "") => doc_line(&model.schema(name).doc),
        (_, doc) => doc_line(doc),
    }
}

// --- Answers: sealed to plain, field by field, when somebody asks. ---

fn answer_twin(model: &Model, schema: &Schema) -> TokenStream {
    let (name, raw) = (plain_name(schema), format_ident!("{}", schema.name));
    let doc = doc_line(&schema.doc);
    let properties = properties(schema);
    let fields = properties.iter().map(|property| {
        let (field, doc) = (format_ident!("{}", property.field()), field_doc(model, property));
        let plain = plain_type(model, &property.shape);
        let optional = !property.required && !matches!(property.shape, Shape::List(_));
        let ty = if optional { quote!(Option<#plain>) } else { plain };
        quote! { #[doc = #doc] pub #field: #ty }
    });
    let opens = properties.iter().map(|property| {
        let field = format_ident!("{}", property.field());
        let optional = !property.required && !matches!(property.shape, Shape::List(_));
        let opened = if !model.shape_holds_secret(&property.shape, Side::Merchant) {
            quote!(raw.#field)
        } else if optional {
            let open = open_expression(&property.shape, &quote!(value));
            quote!(raw.#field.map(|value| #open))
        } else {
            open_expression(&property.shape, &quote!(raw.#field))
        };
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

            fn from_raw(raw: Self::Raw, opener: &Opener) -> Self {
                Self { #(#opens),* }
            }
        }
    }
}

fn open_expression(shape: &Shape, value: &TokenStream) -> TokenStream {
    match shape {
        Shape::Secret { .. } => quote!(SealedField::new(#value, opener)),
        Shape::Named(_) => quote!(Unseal::from_raw(#value, opener)),
        Shape::List(item) => {
            let item = open_expression(item, &quote!(item));
            quote!(#value.into_iter().map(|item| #item).collect())
        }
        Shape::Integer(_) | Shape::Any => unreachable!("holds no secret"),
    }
}

// --- Operations. ---

fn group(model: &Model, tag: &str, doc: &str, operations: &[&Operation]) -> TokenStream {
    let name = format_ident!("{}", tag.to_upper_camel_case());
    let accessor = format_ident!("{}", tag.to_snake_case());
    let doc = doc_line(doc);
    let constants = operations.iter().map(|operation| {
        let constant = format_ident!("{}", operation.id.to_shouty_snake_case());
        let Operation {
            id,
            method,
            path,
            rate_limit,
            ..
        } = operation;
        let rate_limit = proc_macro2::Literal::u64_unsuffixed(*rate_limit);
        let doc = format!(" `{method} {path}`");
        quote! {
            #[doc = #doc]
            pub const #constant: Operation = Operation::new(#id, #method, #path, #rate_limit);
        }
    });
    let methods = operations.iter().map(|operation| typed_call(model, operation));
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

fn typed_call(model: &Model, operation: &Operation) -> TokenStream {
    let method = format_ident!("{}", operation.id.to_snake_case());
    let sealed_method = format_ident!("{}_sealed", operation.id.to_snake_case());
    let constant = format_ident!("{}", operation.id.to_shouty_snake_case());
    let (summary, doc) = (doc_line(&operation.summary), doc_line(&operation.doc));
    let rate = doc_line(&format!(
        "`{} {}`, {} calls a second and merchant id.{}",
        operation.method,
        operation.path,
        operation.rate_limit,
        operation
            .source
            .as_ref()
            .map(|url| format!(" Source: <{url}>."))
            .unwrap_or_default(),
    ));
    let answer = operation
        .response
        .as_ref()
        .map(|name| plain_name(model.schema(name)));
    let (Some(request), Some(answer)) = (&operation.request, answer) else {
        unreachable!("checked by `codegen::supported`")
    };
    let request = plain_name(model.schema(request));
    quote! {
        #[doc = #summary]
        #[doc = ""]
        #[doc = #doc]
        #[doc = ""]
        #[doc = #rate]
        #[doc = ""]
        #[doc = " # Errors"]
        #[doc = ""]
        #[doc = " [`Error`]: its `kind` says what happened, its `delivery` whether the platform may have acted on it."]
        pub async fn #method(&self, request: &#request) -> Result<Reply<#answer>, Error> {
            self.#sealed_method(&self.client.seal(request)?).await
        }

        #[doc = " The same with a request that was sealed before, for example by a job that stores what it will send."]
        #[doc = ""]
        #[doc = " # Errors"]
        #[doc = ""]
        #[doc = " As the method above, but nothing is sealed here."]
        pub async fn #sealed_method(&self, request: &Sealed<#request>) -> Result<Reply<#answer>, Error> {
            let attempt = || {
                self.client
                    .raw()
                    .#method()
                    .wechatpay_serial(request.key_id().as_str())
                    .body(request.raw().clone())
                    .send()
            };
            self.client.call(&Self::#constant, attempt).await
        }
    }
}

/// What the templates above can express; says so instead of writing code that does not compile.
pub(crate) fn supported(model: &Model) -> Result<(), String> {
    for operation in &model.operations {
        let seals = operation
            .request
            .as_ref()
            .is_some_and(|name| model.holds_secret(name, Side::Platform));
        let answers = operation
            .response
            .as_ref()
            .is_some_and(|name| model.holds_secret(name, Side::Merchant));
        if !(seals && answers) {
            return Err(format!(
                "operation `{}`: only operations that seal their request and answer a sealed object are generated so far",
                operation.id
            ));
        }
    }
    Ok(())
}
