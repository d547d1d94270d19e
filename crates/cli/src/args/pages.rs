//! Arguments of `completions` and `man`, for who packages the program.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `completions`.
#[derive(Args)]
#[command(
    after_help = "For example `wxmember completions bash > /usr/share/bash-completion/completions/wxmember`.\n\n\
                  Exit codes: 0 written, 1 failed, 2 wrong usage."
)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// The shells.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Fish,
    #[value(name = "powershell")]
    Pwsh,
    Zsh,
}

/// Arguments of `man`.
#[derive(Args)]
#[command(
    after_help = "One page a command, in the language of `--lang`: wxmember.1, wxmember-import.1 and so on.\n\n\
                  Exit codes: 0 written, 1 failed, 2 wrong usage."
)]
pub(crate) struct Man {
    /// The folder, made when it is not there
    #[arg(short, long, env = "WXMEMBER_MAN_OUTPUT", value_name = "DIR")]
    pub(crate) output: PathBuf,
}
