//! The end-to-end tests, in one binary.

mod config;
mod engine;
mod faults;
mod interop;
mod program;
mod secrets;
