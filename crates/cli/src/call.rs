//! The pieces of `wxmember call`: its body, what is told of the signature, and why a signature may have been refused.

mod body;
mod explain;
mod watched;

pub(crate) use self::{
    body::put,
    explain::{Caller, explain},
    watched::Watched,
};
