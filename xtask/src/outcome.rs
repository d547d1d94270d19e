//! How a verb ends: the exit code, and the command that repairs what was found.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage (clap's own), 4 what is there is not what a committed file says: generated
//! code, the changelog, or what a hot path costs.

use std::{fmt, process::ExitCode};

/// What every verb returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a verb did not succeed.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Failure {
    /// Something is wrong; `repair` is the command, or the one thing to do, that helps.
    Failed {
        /// What is wrong and where.
        what: String,
        /// What to run or do next.
        repair: String,
    },
    /// A committed file no longer follows from its source; `repair` writes it anew.
    Stale {
        /// Which file, and what it should follow from.
        what: String,
        /// The command that writes it anew.
        repair: String,
    },
    /// A change breaks programs and is not announced; `repair` is the line that announces it.
    Breaking {
        /// What breaks, and where.
        what: String,
        /// What to write, and where.
        repair: String,
    },
    /// A path takes more instructions than the committed file says; `repair` is what to do about it.
    Slower {
        /// Which path, then and now.
        what: String,
        /// What to look for, or the command that accepts it.
        repair: String,
    },
    /// A test runner failed and has said so itself; its summary stays the last thing on the terminal.
    Told,
}

impl Failure {
    /// A failure with the command that repairs it.
    pub(crate) fn failed(what: impl Into<String>, repair: impl Into<String>) -> Self {
        Self::Failed {
            what: what.into(),
            repair: repair.into(),
        }
    }

    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Failed { .. } | Self::Told => FAILED,
            Self::Breaking { .. } | Self::Slower { .. } | Self::Stale { .. } => STALE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { what, repair } => write!(f, "error: {what}\n\nhint: {repair}"),
            Self::Stale { what, repair } => write!(f, "stale: {what}\n\nhint: {repair}"),
            Self::Breaking { what, repair } => write!(f, "breaking: {what}\n\nhint: {repair}"),
            Self::Slower { what, repair } => write!(f, "slower: {what}\n\nhint: {repair}"),
            Self::Told => Ok(()),
        }
    }
}

/// Something is wrong.
const FAILED: u8 = 1;

/// A committed file is stale, the changelog is behind the document, or a path became slower.
const STALE: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_has_its_own_exit_code() {
        let stale = Failure::Stale {
            what: "a.rs".into(),
            repair: "run `cargo xtask codegen`".into(),
        };
        assert_eq!(stale.code(), 4);
        assert_eq!(Failure::failed("a", "b").code(), 1);
        assert_eq!(Failure::Told.code(), 1);
    }

    #[test]
    fn a_failure_ends_with_its_repair() {
        let shown = Failure::failed("`a.rs` is not formatted", "run `cargo fmt --all`").to_string();
        assert_eq!(
            shown,
            "error: `a.rs` is not formatted\n\nhint: run `cargo fmt --all`"
        );
    }
}
