//! The exit codes, for scripts. They are part of the interface.

/// An exit code.
pub(crate) type Code = u8;

/// Everything was done.
pub(crate) const DONE: Code = 0;

/// It failed; the message says where and what to do.
pub(crate) const FAILED: Code = 1;

/// Wrong usage. The reader of arguments uses the same code.
pub(crate) const USAGE: Code = 2;

/// Every row has a known end, and some rows were refused; of `check`, some would be.
pub(crate) const REFUSED_ROWS: Code = 3;

/// Stopped before the end, by a signal or by the platform, or outcomes are still unknown: the same command continues.
pub(crate) const RESUMABLE: Code = 75;
