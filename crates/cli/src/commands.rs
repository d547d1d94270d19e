//! One module a command.

pub(crate) mod import;
pub(crate) mod sandbox;
