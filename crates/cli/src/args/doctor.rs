//! Arguments of `doctor`.

use std::path::PathBuf;

use clap::Args;

use super::{Chosen, Format, boolean};

/// Arguments of `doctor`.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 healthy, 1 something was found, 2 wrong usage.")]
pub(crate) struct Doctor {
    /// Look at this folder and not at `--config`: as `wxmember sandbox --dir` or WeChat Pay's certificate tool leaves
    /// it; its `wxmember.toml` is read when it is there
    #[arg(long, env = "WXMEMBER_DOCTOR_DIR")]
    pub(crate) dir: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) chosen: Chosen,

    /// Make one signed call that changes nothing, and compare the clocks; done unasked when the profile's address is
    /// on this machine
    #[arg(long, env = "WXMEMBER_ONLINE", value_parser = boolean)]
    pub(crate) online: bool,

    /// How to print what was found
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
