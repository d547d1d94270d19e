//! The arguments. Every flag has an environment variable; secrets are never arguments, only paths to them are.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) mod call;
pub(crate) mod doctor;
pub(crate) mod fields;
pub(crate) mod init;
pub(crate) mod sandbox;

/// Import members into WeChat member cards, and rehearse it in a sandbox.
#[derive(Parser)]
#[command(name = "wxmember", version, about, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make any signed call, and see what is signed
    Call(call::Call),
    /// Find out what is wrong with keys, serial numbers, files and the clock
    Doctor(doctor::Doctor),
    /// Import a member list; the same command again continues where it was
    Import(Import),
    /// Write a profile, after checking that its keys belong together
    Init(init::Init),
    /// Open one sealed value of an answer
    Open(fields::Open),
    /// Seal one value for WeChat Pay
    Seal(fields::Seal),
    /// Say whether WeChat Pay signed an answer or a notification, and if not, why
    Verify(fields::Verify),
    /// Play WeChat Pay's side on this machine, for tests
    Sandbox(Sandbox),
}

/// Arguments of `import`.
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with refused rows, 75 stopped and can be \
                        resumed with the same command."
)]
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

    /// The ledger, where the state of every row is kept [default: in the user's state folder]
    #[arg(long, env = "WXMEMBER_LEDGER")]
    pub(crate) ledger: Option<PathBuf>,

    /// Requests to send at most, for example `5/s` or `300/m` [default: the API's 5/s; none for `--sandbox`]
    #[arg(long, env = "WXMEMBER_QUOTA")]
    pub(crate) quota: Option<wxmember_import::Quota>,

    /// Requests under way at once [default: 32, or twice the quota a second when that is less]
    #[arg(long, env = "WXMEMBER_CONCURRENCY")]
    pub(crate) concurrency: Option<NonZeroUsize>,

    /// How to print the result
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// A profile, for commands that need one.
#[derive(Args)]
pub(crate) struct Chosen {
    /// The configuration file
    #[arg(long, env = "WXMEMBER_CONFIG", default_value = "wxmember.toml")]
    pub(crate) config: PathBuf,

    /// The profile in the configuration file
    #[arg(long, env = "WXMEMBER_PROFILE", default_value = "default")]
    pub(crate) profile: String,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Arguments of `sandbox`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Sandbox {
    #[command(subcommand)]
    pub(crate) verb: Option<sandbox::Verb>,

    /// The address of the API; port 0 takes a free one
    #[arg(long, env = "WXMEMBER_SANDBOX_LISTEN", default_value = "127.0.0.1:8765")]
    pub(crate) listen: SocketAddr,

    /// The address of the control API; port 0 takes a free one
    #[arg(long, env = "WXMEMBER_SANDBOX_CONTROL", default_value = "127.0.0.1:0")]
    pub(crate) control: SocketAddr,

    /// Write what a merchant would hold into this folder, or take the keys that are there
    #[arg(long, env = "WXMEMBER_SANDBOX_DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Take merchants, brands, templates and keys from this TOML file
    #[arg(
        long,
        env = "WXMEMBER_SANDBOX_IDENTITIES",
        value_name = "FILE",
        conflicts_with = "dir"
    )]
    pub(crate) identities: Option<PathBuf>,

    /// How many seconds the sandbox's clock is ahead; negative is behind
    #[arg(
        long,
        env = "WXMEMBER_SANDBOX_CLOCK_SHIFT",
        value_name = "SECONDS",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub(crate) clock_shift: i64,

    /// Platform certificates (平台证书) beside the public key; those of `--dir` count
    #[arg(
        long,
        env = "WXMEMBER_SANDBOX_PLATFORM_CERTIFICATES",
        value_name = "NUMBER",
        default_value_t = 0,
        value_parser = platform_certificates
    )]
    pub(crate) platform_certificates: usize,

    /// Requests that the sandbox allows, for example `5/s` [default: any number]
    #[arg(long, env = "WXMEMBER_SANDBOX_QUOTA")]
    pub(crate) quota: Option<wxmember_import::Quota>,

    /// Spoil a share of the answers, chosen by a seed, for example `lost-answer=1%,seed=7`; can be given several times
    #[arg(
        long,
        env = "WXMEMBER_SANDBOX_FAULT",
        value_name = "FAULT=SHARE",
        value_delimiter = ';',
        long_help = "Spoil a share of the answers, chosen by a seed: `FAULT=SHARE[,seed=N][,operation=ID][,seconds=N]`, \
                     for example `lost-answer=1%,seed=7`. Can be given several times; in the variable, `;` stands \
                     between two"
    )]
    pub(crate) fault: Vec<crate::commands::sandbox::FaultRate>,
}

/// What an environment variable says of a flag; empty is the same as not set.
fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("`1` or `true`, `0` or `false` is needed".to_owned()),
    }
}

/// Each one is a key to be made, and a merchant sees two at most for long.
fn platform_certificates(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 0..=8) => Ok(count),
        _ => Err("a number from 0 to 8 is needed".to_owned()),
    }
}
