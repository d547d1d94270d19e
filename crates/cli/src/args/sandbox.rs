//! Arguments of `sandbox`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{Format, boolean};

/// Arguments of `sandbox`.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "It runs until ctrl-c or SIGTERM.\n\nExit codes: 0 stopped by a signal, 1 did not start, 2 wrong usage."
)]
pub(crate) struct Sandbox {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,

    /// The address of the API; port 0 takes a free one
    #[arg(long, env = "WXMEMBER_SANDBOX_LISTEN", default_value = "127.0.0.1:8765", value_parser = address)]
    pub(crate) listen: SocketAddr,

    /// The address of the control API; port 0 takes a free one
    #[arg(long, env = "WXMEMBER_SANDBOX_CONTROL", default_value = "127.0.0.1:0", value_parser = address)]
    pub(crate) control: SocketAddr,

    /// Write what a merchant would hold into this folder, or take the keys that are there; beside `--identities`, a folder
    /// a merchant for the keys that the file leaves out
    #[arg(long, env = "WXMEMBER_SANDBOX_DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Take merchants, brands, templates and keys from this TOML file
    #[arg(long, env = "WXMEMBER_SANDBOX_IDENTITIES", value_name = "FILE")]
    pub(crate) identities: Option<PathBuf>,

    /// What happens where the public documents are silent, for example `second-card=allow`; can be given several times
    #[arg(
        long,
        env = "WXMEMBER_SANDBOX_POLICY",
        value_name = "NAME=CHOICE",
        value_delimiter = ',',
        long_help = "What happens where the public documents are silent, for example `second-card=allow`. Can be given \
                     several times, and goes before what `--identities` says; `wxmember sandbox rules` lists every \
                     policy with its choices"
    )]
    pub(crate) policy: Vec<crate::commands::sandbox::PolicyChoice>,

    /// Send notifications to this `http` address, whatever `notify_url` a template has
    #[arg(long, env = "WXMEMBER_SANDBOX_NOTIFY_URL", value_name = "URL", value_parser = http_url)]
    pub(crate) notify_url: Option<String>,

    /// How many seconds the sandbox's clock is ahead; negative is behind, and 100 years either way are the most
    #[arg(
        long,
        env = "WXMEMBER_SANDBOX_CLOCK_SHIFT",
        value_name = "SECONDS",
        default_value_t = 0,
        allow_negative_numbers = true,
        value_parser = shift
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

    /// Spoil answers, for example a share that a seed chooses: `lost-answer=1%,seed=7`; can be given several times
    #[arg(
        long,
        env = "WXMEMBER_SANDBOX_FAULT",
        value_name = "FAULT=WHEN",
        value_delimiter = ';',
        long_help = "Spoil answers: a share that a seed chooses, `lost-answer=1%[,seed=N][,burst=N]`; a number of the \
                     next ones, `lost-answer=3`; or all of a time, `rate-limited=10s`. Options behind it: \
                     `operation=ID`, and the parameter of the faults that have one, `seconds=N` or \
                     `bytes_per_second=N`. Can be given several times; in the variable, `;` stands between two"
    )]
    pub(crate) fault: Vec<crate::commands::sandbox::FaultRule>,

    /// Begin with the faults of this TOML file, before those of `--fault`
    #[arg(long, env = "WXMEMBER_SANDBOX_FAULTS", value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,

    /// Do not let a request name the fault of its own answer by the header `Wechatpay-Negative-Test`
    #[arg(long, env = "WXMEMBER_SANDBOX_NO_NEGATIVE_TEST", value_parser = boolean)]
    pub(crate) no_negative_test: bool,
}

/// What `sandbox` can say about itself without being started.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Print every rule that the sandbox refuses by, with its source and how sure it is
    Rules(Rules),
    /// Take everything that identifies out of recorded exchanges, so that they can be given away as evidence
    #[command(after_help = "Examples:\n  wxmember sandbox scrub recorded.har\n  \
                            wxmember sandbox scrub exchanges.ndjson --unknown drop --output fixtures\n\n\
                            Exit codes: 0 every file is scrubbed, 1 one cannot be, 2 wrong usage.")]
    Scrub(Scrub),
    /// Replay scrubbed exchanges against the sandbox, and say which rules they confirm or contradict
    Replay(Replay),
}

/// Arguments of `sandbox scrub`.
#[derive(Args)]
pub(crate) struct Scrub {
    /// Recordings: HAR 1.2, or JSON or NDJSON with `request` and `response`; each one becomes one fixture
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The folder for the fixtures; a file that is there is never replaced
    #[arg(
        long,
        short,
        env = "WXMEMBER_SCRUB_OUTPUT",
        value_name = "FOLDER",
        default_value = "."
    )]
    pub(crate) output: PathBuf,

    /// What becomes of members and parameters that the API document lacks
    #[arg(long, env = "WXMEMBER_SCRUB_UNKNOWN", value_enum, default_value_t = Unknown::Refuse)]
    pub(crate) unknown: Unknown,
}

/// How strictly a recording is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Unknown {
    // Left out and counted.
    Drop,
    // The recording is refused with their place.
    Refuse,
}

/// Arguments of `sandbox replay`.
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 the sandbox answers as was recorded, 1 it does not, or a file cannot be replayed or was not \
                  scrubbed, 2 wrong usage."
)]
pub(crate) struct Replay {
    /// Fixtures, as `sandbox scrub` writes them
    #[arg(required = true, value_name = "FIXTURE")]
    pub(crate) files: Vec<PathBuf>,

    /// How to print what came of it: a list, or one JSON object
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Arguments of `sandbox rules`.
#[derive(Args)]
#[command(
    after_help = "One rule a line goes to stdout and nothing else; the head of the table, the policies and the legend go to \
                  stderr. Everything in one page, or all of it for a program:\n\n  \
                  wxmember sandbox rules 2>&1 | less -S\n  wxmember sandbox rules --format json\n\n\
                  Exit codes: 0 printed, 1 failed, 2 wrong usage."
)]
pub(crate) struct Rules {
    /// How to print the rules: a table with one rule a line, or one JSON object
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// No names: what they lead to is found out at another time than this.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let wrong = "an IP address with a port, such as `127.0.0.1:8765`, is needed; port 0 takes a free one";
    text.trim().parse().map_err(|_| wrong)
}

fn shift(text: &str) -> Result<i64, &'static str> {
    let wrong = "a whole number of seconds such as `600` is needed, or `-600` for a clock that is behind";
    text.trim().parse().map_err(|_| wrong)
}

/// The sandbox speaks no TLS, so that it says so at once.
fn http_url(text: &str) -> Result<String, String> {
    match text.strip_prefix("http://") {
        Some(rest) if !rest.is_empty() => Ok(text.to_owned()),
        _ => Err(
            "an address such as `http://127.0.0.1:9000/notify` is needed; the sandbox speaks no TLS"
                .to_owned(),
        ),
    }
}

/// Each one is a key to be made, and a merchant sees two at most for long.
fn platform_certificates(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 0..=8) => Ok(count),
        _ => Err("a number from 0 to 8 is needed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_port() {
        assert_eq!(address(" 127.0.0.1:0 ").map(|address| address.port()), Ok(0));
        assert!(address("[::1]:8765").is_ok_and(|address| address.is_ipv6()));
        for text in [
            "",
            "8765",
            ":8765",
            "127.0.0.1",
            "localhost:8765",
            "127.0.0.1:70000",
        ] {
            assert!(
                address(text).is_err_and(|why| why.contains("`127.0.0.1:8765`")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_clock_is_shifted_by_whole_seconds() {
        assert_eq!((shift("600"), shift("-600")), (Ok(600), Ok(-600)));
        for text in ["", "10m", "1.5", "99999999999999999999"] {
            assert!(shift(text).is_err_and(|why| why.contains("`-600`")), "{text}");
        }
    }
}
