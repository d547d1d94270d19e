//! `wxmember completions` and `wxmember man`: what a package of the program brings beside it.

use std::{fs, io};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{
    args::{Arguments, pages},
    exit,
    failure::Failure,
    language::{self, t},
    print::{self, tell},
};

/// Writes completions to stdout.
pub(crate) fn completions(arguments: &pages::Completions) -> Result<exit::Code, Failure> {
    let shell = match arguments.shell {
        pages::Shell::Bash => Shell::Bash,
        pages::Shell::Fish => Shell::Fish,
        pages::Shell::Pwsh => Shell::PowerShell,
        pages::Shell::Zsh => Shell::Zsh,
    };
    let mut text = Vec::new();
    let mut command = language::help::in_language(Arguments::command(), language::current());
    clap_complete::generate(shell, &mut command, "wxmember", &mut text);
    print::bytes(&text)?;
    Ok(exit::DONE)
}

/// Writes one page a command.
pub(crate) fn man(arguments: &pages::Man) -> Result<exit::Code, Failure> {
    let folder = &arguments.output;
    let unwritable = |error: &io::Error| Failure::because(t!("unwritable", path = folder.display()), error);
    fs::create_dir_all(folder).map_err(|error| unwritable(&error))?;
    let command = language::help::in_language(Arguments::command(), language::current());
    let pages = pages_of(&command);
    clap_mangen::generate_to(command, folder).map_err(|error| unwritable(&error))?;
    tell!("{}", t!("man-written", pages = pages, folder = folder.display()));
    Ok(exit::DONE)
}

/// Commands below commands have pages of their own.
fn pages_of(command: &clap::Command) -> usize {
    1 + command.get_subcommands().map(pages_of).sum::<usize>()
}
