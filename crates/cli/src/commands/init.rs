//! `wxmember init`: writes a profile, once it is known to be usable.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use crate::{
    args::init::Init,
    exit,
    failure::Failure,
    init::{Dialogue, Draft, Missing, complete},
    language::{list, t},
    print::tell,
    profile::{Profile, folder_of},
};

/// Asks for what the flags do not say, checks everything, and writes the file.
pub(crate) fn run(arguments: &Init) -> Result<exit::Code, Failure> {
    let config = &arguments.chosen.config;
    if config.exists() && !arguments.force {
        return Err(Failure::new(format!("{} is there already", config.display()))
            .hint("name another file with `--config`, or replace this one with `--force`"));
    }
    let mut draft = Draft::of(arguments);
    let missing = draft.missing();
    if !missing.is_empty() {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            let flags: Vec<_> = missing.into_iter().map(Missing::flags).collect();
            return Err(
                Failure::new("there is no terminal to ask on, and something is missing")
                    .hint(t!("init-give", flags = list(&flags))),
            );
        }
        let mut dialogue = Dialogue {
            answers: io::stdin().lock(),
            questions: io::stderr(),
        };
        complete(&mut draft, &mut dialogue)
            .map_err(|error| Failure::because("not everything was answered", &error))?;
    }
    let name = &arguments.chosen.profile;
    let folder = absolute(folder_of(config))?;
    let text = draft.to_toml(name, |path| relative_to(&folder, path));
    Profile::parse(&text, config, name).map_err(|failure| {
        let failed = Failure::new(format!("nothing was written: {}", failure.what()));
        match failure.advice() {
            Some(advice) => failed.hint(advice),
            None => failed,
        }
    })?;
    let written = if arguments.force {
        replace(config, &text)
    } else {
        create(config, &text)
    };
    written.map_err(|error| Failure::because(format!("failed to write {}", config.display()), &error))?;
    tell!("{}", t!("init-written", config = config.display(), name = name));
    let profile = match name.as_str() {
        "default" => String::new(),
        name => format!(" --profile {name}"),
    };
    let command = format!("wxmember doctor --online --config {}{profile}", config.display());
    tell!(
        "\n{}{}",
        t!("hint-prefix"),
        t!("init-written-hint", command = command)
    );
    Ok(exit::DONE)
}

fn absolute(folder: &Path) -> Result<PathBuf, Failure> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    std::path::absolute(folder)
        .map_err(|error| Failure::because(format!("failed to find the folder {}", folder.display()), &error))
}

/// A path as the configuration file says it: relative when it lies below the file's folder.
fn relative_to(folder: &Path, path: &Path) -> PathBuf {
    let Ok(absolute) = std::path::absolute(path) else {
        return path.to_owned();
    };
    absolute
        .strip_prefix(folder)
        .map_or_else(|_| absolute.clone(), Path::to_owned)
}

/// Writes a file that must not be there yet, for its owner alone.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all())
}

/// Writes a file whole or not at all, in the place of what is there.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let unfinished = path.with_file_name(name);
    create(&unfinished, text)
        .and_then(|()| fs::rename(&unfinished, path))
        .inspect_err(|_| {
            // The error that is reported is the first one.
            let _ = fs::remove_file(&unfinished);
        })
}
