//! One module a command.

pub(crate) mod doctor;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod sandbox;
