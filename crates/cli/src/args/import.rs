//! Arguments of `import`.

use std::path::PathBuf;

use clap::Args;

use super::{EXIT_CODES, Format, boolean, ledger::LedgerAt, running::Running};

/// Arguments of `import`.
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Import {
    /// The member list, a CSV file in UTF-8 with a header line
    pub(crate) file: PathBuf,

    /// Import into a sandbox inside this process: nothing to configure, no real member is touched
    #[arg(long, env = "WXMEMBER_SANDBOX", value_parser = boolean)]
    pub(crate) sandbox: bool,

    /// The configuration file, not with `--sandbox` [default: wxmember.toml]
    #[arg(long, env = "WXMEMBER_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// The profile in the configuration file, not with `--sandbox` [default: default]
    #[arg(long, env = "WXMEMBER_PROFILE")]
    pub(crate) profile: Option<String>,

    #[command(flatten)]
    pub(crate) ledger: LedgerAt,

    #[command(flatten)]
    pub(crate) running: Running,

    /// How to print the result
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
