//! One module a command.

pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod jobs;
pub(crate) mod open;
pub(crate) mod pages;
pub(crate) mod report;
pub(crate) mod sandbox;
pub(crate) mod seal;
pub(crate) mod verify;
pub(crate) mod worker;
