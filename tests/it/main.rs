//! The end-to-end tests, in one binary.
#![expect(clippy::unwrap_used, reason = "everything here is a test, its helpers too")]

mod call;
mod clients;
mod config;
mod control;
mod doctor;
mod downloaded;
mod engine;
mod evidence;
mod examples;
mod faults;
mod fields;
mod formats;
mod identities;
mod init;
mod interop;
mod jobs;
mod kill;
mod language;
mod ledger;
mod outputs;
mod page;
mod permissions;
mod postgres;
mod program;
mod report;
mod routes;
mod sandbox;
mod secrets;
mod shared;
mod worker;
