//! Plays WeChat Pay's side, read from the protocol a second time. Must never use the crates that play the merchant's
//! side: a shared parser would share its mistakes. Start at `gateway.rs`, which holds the order of the checks.
#![doc = include_str!("../README.md")]

mod authorization;
mod body;
mod clock;
mod control;
mod fault;
mod folder;
mod gateway;
mod identity;
mod import_by_phone;
mod lock;
mod member;
mod nonce;
mod policy;
mod quota;
mod random;
mod refusal;
mod registry;
mod reply;
mod rule;
mod sandbox;
mod server;
mod spec;
#[cfg(test)]
mod testing;

pub use crate::{
    clock::Clock,
    fault::Fault,
    folder::FolderError,
    identity::{Credentials, Identity, IdentityError, IdentityParts},
    member::Member,
    policy::{Policies, RepeatedMember, SecondCard, TakenCode},
    quota::Quota,
    rule::{Rule, Sureness, rules},
    sandbox::{Sandbox, SandboxBuilder, StartError},
    spec::SpecError,
};
