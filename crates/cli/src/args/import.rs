//! Arguments of `import`.

use std::path::PathBuf;

use clap::Args;
use wxmember_import::Route;

use super::{EXIT_CODES, Format, boolean, ledger::LedgerAt, running::Running, source::SourceArguments};

/// Arguments of `import`.
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Import {
    /// The member list: CSV, TSV, XLSX, XLS, ODS or NDJSON, or `-` for standard input
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) source: SourceArguments,

    /// Import into a sandbox inside this process: nothing to configure, no real member is touched
    #[arg(long, env = "WXMEMBER_SANDBOX", value_parser = boolean)]
    pub(crate) sandbox: bool,

    /// The configuration file, not with `--sandbox` [default: wxmember.toml]
    #[arg(long, env = "WXMEMBER_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// The profile in the configuration file, not with `--sandbox` [default: default]
    #[arg(long, env = "WXMEMBER_PROFILE")]
    pub(crate) profile: Option<String>,

    /// The operation that brings the members in: `import-by-phone`, `import-by-openid` or `phone-membercard` [default:
    /// the profile's, else import-by-phone]
    #[arg(long, env = "WXMEMBER_VIA", value_name = "ROUTE")]
    pub(crate) via: Option<Route>,

    #[command(flatten)]
    pub(crate) ledger: LedgerAt,

    #[command(flatten)]
    pub(crate) running: Running,

    /// How to print the result
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
