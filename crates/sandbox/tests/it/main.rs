//! The sandbox over real sockets, called by a client that is written here and uses `crypto` alone.
//!
//! No sleeps, no wall clock: the platform's clock stands still, ports are free ones of the loopback address.

#![expect(
    clippy::unwrap_used,
    reason = "the whole binary is a test; a helper that fails is a failed test"
)]

mod cards;
mod client;
mod explained;
mod faults;
mod folder;
mod hostile;
mod identities;
mod import;
mod notification;
mod others;
mod page;
mod platform;
mod recorded;
mod refusals;
mod rules;
mod sent;
mod user_cards;
