//! Arguments of `check`.

use std::path::PathBuf;

use clap::Args;
use wxmember_import::{Quota, Route};

use super::{Format, source::SourceArguments};

/// Arguments of `check`.
#[derive(Args)]
#[command(
    after_help = "Nothing is sent and nothing is kept. A profile is not needed; the one of `wxmember.toml` is used when it \
                  is there, for its constants and its quota.\n\nExit codes: 0 every row is good, 1 the file as a whole is \
                  unusable, 2 wrong usage, 3 some rows would be refused."
)]
pub(crate) struct Check {
    /// The member list: CSV, TSV, XLSX, XLS, ODS or NDJSON, or `-` for standard input
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) source: SourceArguments,

    /// The operation that would bring the members in: import-by-phone, import-by-openid or phone-membercard
    /// [default: import-by-phone]
    #[arg(long, env = "WXMEMBER_VIA", value_name = "ROUTE")]
    pub(crate) via: Option<Route>,

    /// The configuration file [default: wxmember.toml when it is there]
    #[arg(long, env = "WXMEMBER_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// The profile in the configuration file [default: default]
    #[arg(long, env = "WXMEMBER_PROFILE")]
    pub(crate) profile: Option<String>,

    /// Requests that an import would send at most, for example `5/s` [default: the profile's, else the API's]
    #[arg(long, env = "WXMEMBER_QUOTA")]
    pub(crate) quota: Option<Quota>,

    /// How many problems are shown
    #[arg(long, env = "WXMEMBER_PROBLEMS", value_name = "NUMBER", default_value_t = 20)]
    pub(crate) problems: usize,

    /// How to print the result
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
