//! One module a command.

pub(crate) mod doctor;
pub(crate) mod import;
pub(crate) mod sandbox;
