//! What `wxmember sandbox` can say about itself without being started.

use clap::{Args, Subcommand};

use super::Format;

/// Verbs of `sandbox`.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Print every rule that the sandbox refuses by, with its source and how sure it is
    Rules(Rules),
}

/// Arguments of `sandbox rules`.
#[derive(Args)]
pub(crate) struct Rules {
    /// How to print the rules: a table with one rule a line, or one JSON object
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
