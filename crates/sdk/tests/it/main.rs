//! The SDK against the sandbox, over real sockets, as a user of the crate sees it.
#![expect(clippy::unwrap_used, reason = "everything here is a test, its helpers too")]

mod answers;
#[cfg(feature = "blocking")]
mod blocking;
mod harness;
mod keys;
mod lessons;
mod loopback;
mod mistakes;
mod notifications;
mod observe;
mod operations;
mod retry;
mod secrets;
mod styles;
