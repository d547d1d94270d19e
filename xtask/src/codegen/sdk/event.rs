//! Notifications: one enumeration of what they tell.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::plain_name;
use crate::codegen::{model::Model, text::doc_line};

pub(super) fn events(model: &Model) -> TokenStream {
    if model.notifications.is_empty() {
        return quote!();
    }
    let variants: Vec<_> = model
        .notifications
        .iter()
        .map(|event| format_ident!("{}", event.variant))
        .collect();
    let wires: Vec<_> = model
        .notifications
        .iter()
        .map(|event| &event.event_type)
        .collect();
    let docs = model
        .notifications
        .iter()
        .map(|event| doc_line(&format!("`{}`: {}", event.event_type, event.doc)));
    let types: Vec<_> = model
        .notifications
        .iter()
        .map(|event| plain_name(model.schema(&event.schema)))
        .collect();
    quote! {
        /// What a notification tells.
        ///
        /// Personal fields stay sealed until [`SealedField::open`] is called on them.
        #[derive(Clone)]
        #[non_exhaustive]
        pub enum Event {
            #(#[doc = #docs] #variants(#types),)*
            /// An event that this version does not know.
            Other {
                /// The type of the event, as the platform names it.
                event_type: String,
                /// What it tells, decrypted; it may hold personal data in clear.
                json: serde_json::Value,
            },
        }

        impl Event {
            /// The type of the event, as the platform names it.
            #[must_use]
            pub fn event_type(&self) -> &str {
                match self {
                    #(Self::#variants(_) => #wires,)*
                    Self::Other { event_type, .. } => event_type,
                }
            }

            /// Reads the decrypted resource of a notification. The text of the error may hold what the resource holds.
            #[doc(hidden)]
            pub fn from_resource(event_type: &str, json: &[u8], opener: &FieldOpener) -> Result<Self, serde_json::Error> {
                match event_type {
                    #(#wires => {
                        let raw: <#types as Unseal>::Raw = serde_json::from_slice(json)?;
                        Ok(Self::#variants(Unseal::from_raw(raw, opener)))
                    })*
                    other => Ok(Self::Other {
                        event_type: other.to_owned(),
                        json: serde_json::from_slice(json)?,
                    }),
                }
            }
        }

        /// An unknown event shows its type alone.
        impl std::fmt::Debug for Event {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    #(Self::#variants(told) => f.debug_tuple(stringify!(#variants)).field(told).finish(),)*
                    Self::Other { event_type, .. } => {
                        f.debug_struct("Other").field("event_type", event_type).finish_non_exhaustive()
                    }
                }
            }
        }
    }
}
