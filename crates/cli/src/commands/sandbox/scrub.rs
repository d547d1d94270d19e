//! `wxmember sandbox scrub`: recordings in, fixtures out. It decides nothing; what is taken out is the sandbox's business.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use wxmember_sandbox::scrub::{Removed, ScrubError, Scrubbed, Unknown, scrub};

use crate::{
    args, exit,
    failure::{Failure, chain},
    language::{Language, current, known, t},
    print::{say, tell},
};

/// Scrubs every file, and writes nothing of one that cannot be scrubbed.
pub(crate) fn run(arguments: &args::sandbox::Scrub) -> Result<exit::Code, Failure> {
    let unknown = match arguments.unknown {
        args::sandbox::Unknown::Drop => Unknown::Drop,
        args::sandbox::Unknown::Refuse => Unknown::Refuse,
    };
    for file in &arguments.files {
        let text = read(file)?;
        let scrubbed = scrub(&text, unknown).map_err(|error| failed(file, &error))?;
        let path = write(&arguments.output, &scrubbed)?;
        say!("{}", path.display())?;
        tell!("{}", t!("scrubbed", exchanges = scrubbed.fixture.len()));
        for (kind, count) in &scrubbed.removed {
            tell!("  {count:5}  {}", meaning(*kind));
        }
        if scrubbed.skipped > 0 {
            tell!("{}", t!("scrub-skipped", exchanges = scrubbed.skipped));
        }
    }
    tell!("{}", t!("scrub-read-it"));
    Ok(exit::DONE)
}

fn meaning(kind: Removed) -> &'static str {
    match current() {
        Language::English => kind.meaning(),
        Language::Chinese => kind.meaning_zh(),
    }
}

fn failed(file: &Path, error: &ScrubError) -> Failure {
    let failure = Failure::new(t!(
        "scrub-failed",
        file = file.display(),
        why = known(&chain(error))
    ));
    match error {
        ScrubError::Empty => failure.hint(t!("scrub-empty-hint")),
        ScrubError::Unknown { .. } => failure.hint(t!("scrub-unknown-hint")),
        _ => failure,
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error: &io::Error| Failure::because(format!("failed to read {}", path.display()), error);
    let file = fs::File::open(path).map_err(|error| failed(&error))?;
    let mut text = String::new();
    file.take(LARGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| failed(&error))?;
    if text.len() as u64 > LARGEST {
        return Err(Failure::new(format!(
            "{} is larger than {LARGEST} bytes",
            path.display()
        )));
    }
    Ok(text)
}

/// Writes a fixture under the first free name, readable by its owner alone.
fn write(folder: &Path, scrubbed: &Scrubbed) -> Result<PathBuf, Failure> {
    let failed = |path: &Path, error: &io::Error| {
        Failure::because(format!("failed to write {}", path.display()), error)
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let name = scrubbed.fixture.name();
    let mut number = 1;
    loop {
        let end = if number == 1 {
            String::new()
        } else {
            format!("-{number}")
        };
        let path = folder.join(format!("{name}{end}.json"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => {
                let written = file.write_all(scrubbed.fixture.to_json().as_bytes());
                return written
                    .map(|()| path.clone())
                    .map_err(|error| failed(&path, &error));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MOST => number += 1,
            Err(error) => return Err(failed(&path, &error)),
        }
    }
}

/// 64 MiB: a browser's export of an hour.
const LARGEST: u64 = 64 << 20;
/// Fixtures of one name in one folder.
const MOST: u32 = 10_000;
