//! Plays WeChat Pay's side, read from the protocol a second time. Must never use the crates that play the merchant's
//! side: a shared parser would share its mistakes. Start at `gateway.rs`, which holds the order of the checks.
#![doc = include_str!("../README.md")]

mod authorization;
mod body;
mod check;
mod clock;
mod control;
mod explanation;
mod fault;
pub mod fixture;
mod folder;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod identities;
mod identity;
mod issue;
mod journal;
mod lock;
mod member;
mod misbehave;
mod nonce;
mod notification;
mod operations;
mod outbox;
mod people;
mod platform;
mod policy;
mod quota;
mod random;
mod refusal;
mod registry;
pub mod replay;
mod reply;
mod rule;
mod sandbox;
pub mod scrub;
mod server;
mod spec;
#[cfg(test)]
mod testing;
mod toml_flaw;

pub use crate::{
    check::Check,
    clock::{Clock, ClockShiftError},
    fault::{Fault, FaultKind, FaultParameter, FaultRule, FaultRuleError, FaultsFileError, fault_kinds},
    folder::FolderError,
    identities::IdentitiesError,
    identity::{Credentials, Identity, IdentityError, IdentityParts},
    journal::JournalEntry,
    member::Member,
    notification::{
        NotificationError, NotificationOptions, NotificationSignature, PersonalFields, SignedNotification,
    },
    outbox::{Attempt, AttemptOutcome, Delivery, DeliveryState, Sending},
    platform::{PlatformCertificate, PlatformPublicKey, PublicKeyError},
    policy::{
        Choice, NoCertificates, Policies, Policy, PolicyChoice, PolicyError, RepeatedMember, SecondCard,
        TakenCode, UnpaidMember, ValidityType, policies,
    },
    quota::Quota,
    rule::{Evidence, Page, Rule, Sureness, pages, rules, rules_as_json},
    sandbox::{Sandbox, SandboxBuilder, StartError},
    spec::SpecError,
    toml_flaw::{TomlFlaw, TomlMisread},
};
