//! The arguments. Every flag has an environment variable; secrets are never arguments, only paths to them are.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::language::Language;

pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod fields;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod jobs;
pub(crate) mod ledger;
pub(crate) mod pages;
pub(crate) mod running;
pub(crate) mod sandbox;
pub(crate) mod source;
pub(crate) mod variables;

pub(crate) use self::sandbox::Sandbox;

/// Import members into WeChat member cards, and rehearse it in a sandbox.
#[derive(Parser)]
#[command(
    name = "wxmember",
    version,
    about,
    disable_help_subcommand = true,
    after_help = ALL_EXIT_CODES
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What holds for every command.
#[derive(Args)]
pub(crate) struct Global {
    /// The language of messages [default: by the locale]
    #[arg(
        long,
        global = true,
        env = "WXMEMBER_LANG",
        help_heading = GLOBAL,
        value_enum,
        value_name = "LANGUAGE"
    )]
    pub(crate) lang: Option<Language>,

    /// Log what is done on stderr, down to this level [default: off, with `--log-format json` info]
    #[arg(long, global = true, env = "WXMEMBER_LOG",
        help_heading = GLOBAL, value_enum, value_name = "LEVEL")]
    pub(crate) log: Option<LogLevel>,

    /// How stderr is written; `json` is one object a line, messages and progress too
    #[arg(
        long,
        global = true,
        env = "WXMEMBER_LOG_FORMAT",
        help_heading = GLOBAL,
        value_enum,
        value_name = "FORMAT",
        default_value_t = LogFormat::Text
    )]
    pub(crate) log_format: LogFormat,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

/// How stderr is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum LogFormat {
    // For people.
    Text,
    // One JSON object a line.
    Json,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make any signed call, and see what is signed
    Call(call::Call),
    /// Look at a member list and say what an import would refuse; sends nothing
    Check(check::Check),
    /// Write completions for a shell to stdout
    Completions(pages::Completions),
    /// Find out what is wrong with keys, serial numbers, files and the clock
    Doctor(doctor::Doctor),
    /// Write the rows of a job in one state as CSV
    Export(jobs::Export),
    /// Import a member list; the same command again continues where it was
    Import(import::Import),
    /// Write a profile, after checking that its keys belong together
    Init(init::Init),
    /// List the jobs of a ledger
    Jobs(jobs::Jobs),
    /// Write the man pages into a folder
    Man(pages::Man),
    /// Open one sealed value of an answer
    Open(fields::Open),
    /// Let no process send more of a job, until `resume`
    Pause(jobs::OneJob),
    /// Delete what was sealed of a job's members; states and counts stay
    Purge(jobs::Purge),
    /// Report what became of a job: for people, for programs, or as a page to open in a browser
    Report(jobs::Report),
    /// Let a paused job go on
    Resume(jobs::OneJob),
    /// Queue rows of a job once more
    Retry(jobs::Retry),
    /// Seal one value for WeChat Pay
    Seal(fields::Seal),
    /// Tell where a job stands
    Status(jobs::OneJob),
    /// Say whether WeChat Pay signed an answer or a notification, and if not, why
    Verify(fields::Verify),
    /// Play WeChat Pay's side on this machine, for tests
    Sandbox(Sandbox),
    /// Share the work on the jobs of a ledger with other processes and hosts; needs no source file
    Worker(running::Worker),
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
    // For people.
    Text,
    // One JSON object.
    Json,
}

/// What an environment variable says of a flag; empty is the same as not set.
fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("`1` or `true`, `0` or `false` is needed".to_owned()),
    }
}

/// The heading of what holds for every command, in the help.
pub(crate) const GLOBAL: &str = "Global options";

/// What exit codes mean wherever they are used; `exit.rs` holds the numbers.
const ALL_EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage; of `import` and `worker` also 3 done with \
                              refused rows, and 75 stopped and can be resumed with the same command; of `check` also 3 \
                              some rows would be refused.";

/// The exit codes of an import.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with refused rows, 75 stopped and can be \
                          resumed with the same command.";

#[cfg(test)]
mod tests;
