//! Running other programs: one way to start them, one way to report that they failed.

use std::{
    env,
    ffi::OsString,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::outcome::{Failure, Outcome};

/// The cargo that runs us, in the root of the workspace, so that every step uses one toolchain.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(root);
    // What `cargo run` says about this package is no business of the packages that are built next.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command with our own output streams and no input; `repair` is printed when it fails.
pub(crate) fn run(command: &mut Command, repair: &str) -> Outcome {
    let shown = show(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| cannot_start(&shown, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::failed(format!("`{shown}` failed ({status})"), repair))
    }
}

/// Runs a test runner, whose own words are the last ones when it fails.
pub(crate) fn run_tests(command: &mut Command) -> Outcome {
    let shown = show(command);
    eprintln!("running `{shown}`");
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| cannot_start(&shown, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Told)
    }
}

/// Runs a command on `input` and returns what it printed, whatever its exit code.
pub(crate) fn output(command: &mut Command, input: &[u8]) -> Outcome<Output> {
    let shown = show(command);
    let failed = |error: std::io::Error| cannot_start(&shown, &error);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that refuses its arguments closes the pipe early; its exit code tells more than our error.
        let _ = stdin.write_all(input);
    }
    child.wait_with_output().map_err(failed)
}

/// What a program says of its version; nothing when it is not there.
pub(crate) fn version(program: &str) -> Option<String> {
    let output = output(Command::new(program).arg("--version"), &[]).ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// True if the command can be started and succeeds.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as one would type it; the path of the program is left out.
pub(crate) fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut shown = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        shown.push(' ');
        shown.push_str(&argument.to_string_lossy());
    }
    shown
}

fn cannot_start(shown: &str, error: &std::io::Error) -> Failure {
    let program = shown.split(' ').next().unwrap_or_default();
    Failure::failed(
        format!("cannot run `{shown}`: {error}"),
        format!("install `{program}`, or run `cargo xtask test`, which says how"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_is_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["fmt", "--all"]);
        assert_eq!(show(&command), "cargo fmt --all");
    }

    #[test]
    fn a_missing_program_is_named_with_what_to_do() {
        let failure = run(&mut Command::new("no-such-program-here"), "unused")
            .unwrap_err()
            .to_string();
        assert!(
            failure.starts_with("error: cannot run `no-such-program-here`"),
            "{failure}"
        );
        assert!(
            failure.contains("hint: install `no-such-program-here`"),
            "{failure}"
        );
    }

    #[test]
    fn a_failing_program_ends_with_the_repair() {
        let failure = run(&mut Command::new("false"), "run `true`")
            .unwrap_err()
            .to_string();
        assert!(failure.ends_with("hint: run `true`"), "{failure}");
    }
}
