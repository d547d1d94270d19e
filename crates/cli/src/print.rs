//! Where the program writes: data to stdout, talk to stderr. Must never panic because nobody reads.
//!
//! A reader that has gone, as in `wxmember doctor | head -1`, is no failure: the work was done all the same, and the
//! exit code still says how it ended.

use std::{
    fmt,
    io::{self, Write},
};

use crate::{failure::Failure, log};

/// Writes a line of data to stdout: `say!("{name}")?`.
macro_rules! say {
    ($($argument:tt)*) => {
        $crate::print::line(format_args!($($argument)*))
    };
}

/// Writes a line of talk to stderr.
macro_rules! tell {
    ($($argument:tt)*) => {
        $crate::print::talk(format_args!($($argument)*))
    };
}

pub(crate) use {say, tell};

/// A line of data.
pub(crate) fn line(text: fmt::Arguments<'_>) -> Result<(), Failure> {
    write(&mut io::stdout().lock(), |stdout| writeln!(stdout, "{text}"))
}

/// Data as it is, with a line break at its end.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    write(&mut io::stdout().lock(), |stdout| {
        stdout.write_all(bytes)?;
        match bytes.ends_with(b"\n") {
            true => Ok(()),
            false => stdout.write_all(b"\n"),
        }
    })
}

/// A line of talk. When that cannot be written there is no place left to say so.
pub(crate) fn talk(text: fmt::Arguments<'_>) {
    if log::is_json() {
        tracing::info!(target: "wxmember", "{}", text.to_string().trim());
    } else {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// Why the program ends without having done what was asked.
pub(crate) fn failure(failure: &Failure) {
    if log::is_json() {
        let (code, hint) = (failure.code(), failure.advice());
        tracing::error!(target: "wxmember", exit_code = code, hint, "{}", failure.what());
    } else {
        talk(format_args!("{failure}"));
    }
}

fn write<W: Write>(to: &mut W, write: impl FnOnce(&mut W) -> io::Result<()>) -> Result<(), Failure> {
    match write(to).and_then(|()| to.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::because("failed to print", &error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails every write in the same way.
    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[track_caller]
    fn check(kind: io::ErrorKind, fails: bool) {
        let done = write(&mut Failing(kind), |to| writeln!(to, "x"));
        assert_eq!(done.is_err(), fails, "{kind}");
    }

    #[test]
    fn only_a_reader_that_has_gone_is_no_failure() {
        check(io::ErrorKind::BrokenPipe, false);
        check(io::ErrorKind::StorageFull, true);
        check(io::ErrorKind::PermissionDenied, true);
    }
}
