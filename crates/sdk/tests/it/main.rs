//! The SDK against the sandbox, over real sockets, as a user of the crate sees it.

#[cfg(feature = "blocking")]
mod blocking;
mod harness;
mod keys;
mod notifications;
mod operations;
mod retry;
