//! How an error is shown: what, why, and what to do next.

use std::{error::Error, fmt};

use crate::{
    exit,
    language::{known, t},
};

/// An error for the user: one line with its causes, then an optional hint.
#[derive(Debug)]
pub(crate) struct Failure {
    code: exit::Code,
    what: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure in words of our own.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            code: exit::FAILED,
            what: what.into(),
            hint: None,
        }
    }

    /// Arguments that do not go together, found after they were read one by one.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self {
            code: exit::USAGE,
            ..Self::new(what)
        }
    }

    /// A failure with everything that led to it; the chain is printed once, here.
    pub(crate) fn because(what: impl fmt::Display, error: &dyn Error) -> Self {
        Self::new(format!("{what}: {}", chain(error)))
    }

    /// What the user can do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What went wrong, in one line.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// What the user can do about it, when something was said.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The exit code.
    pub(crate) fn code(&self) -> exit::Code {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", t!("error-prefix"), known(&self.what))?;
        match &self.hint {
            Some(hint) => write!(f, "\n\n{}{}", t!("hint-prefix"), known(hint)),
            None => Ok(()),
        }
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // A transparent error repeats its source.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
