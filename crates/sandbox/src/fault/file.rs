//! The file of faults: a list in TOML. `faults.toml` beside this crate's source shows all that can stand there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use thiserror::Error;

use super::rule::{FaultRule, FaultRuleError, Written};
use crate::toml_flaw::{TomlFlaw, TomlMisread};

/// Why a file of faults cannot be used. Every variant names the file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FaultsFileError {
    /// The file cannot be read.
    #[error("{path}: cannot be read", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// One of the faults is none.
    #[error("{path}: faults[{index}]", path = .path.display())]
    Rule {
        /// The file.
        path: PathBuf,
        /// Which one; the first is 0.
        index: usize,
        /// What is wrong with it.
        #[source]
        source: FaultRuleError,
    },
    /// The file is no TOML, or has a setting that is unknown, missing or of another type.
    #[error("{path}: line {line}: {flaw}", path = .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        flaw: TomlFlaw,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    faults: Vec<Written>,
}

/// Reads a file; the faults come in its order.
pub(crate) fn read(path: &Path) -> Result<Vec<FaultRule>, FaultsFileError> {
    let text = fs::read_to_string(path).map_err(|source| FaultsFileError::Read {
        path: path.to_owned(),
        source,
    })?;
    let file: File = TomlMisread::read(&text).map_err(|TomlMisread { line, flaw, .. }| {
        let path = path.to_owned();
        FaultsFileError::Syntax { path, line, flaw }
    })?;
    let rules = file.faults.into_iter().enumerate().map(|(index, written)| {
        FaultRule::try_from(written).map_err(|source| FaultsFileError::Rule {
            path: path.to_owned(),
            index,
            source,
        })
    });
    rules.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    fn rules(text: &str) -> Result<Vec<FaultRule>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faults.toml");
        fs::write(&path, text).unwrap();
        read(&path).map_err(|error| {
            let source = std::error::Error::source(&error);
            let source = source.map_or(String::new(), |source| format!(": {source}"));
            format!("{error}{source}")
        })
    }

    #[test]
    fn the_example_shows_every_way_in_which_a_fault_comes() {
        let rules = rules(include_str!("../faults.toml")).unwrap();
        let by_phone = |rule: FaultRule| rule.with_operation("import_by_phone").unwrap();
        let slow = Fault::SlowBody { bytes_per_second: 20 };
        let expected = [
            FaultRule::next(Fault::LostRequest, 1),
            by_phone(FaultRule::next(Fault::RateLimited, 10)),
            FaultRule::during(Fault::ServiceUnavailable, std::time::Duration::from_secs(30)),
            FaultRule::share(Fault::LostAnswer, 10_000, 7),
            FaultRule::share(Fault::RateLimited, 5_000, 0).with_burst(10),
            FaultRule::share(slow, 1_000, 0),
        ];
        assert_eq!(rules, expected);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, parts) in [
            ("faults = 1", "line 1: the setting `faults` needs a list"),
            ("", "line 1: the setting `faults` is missing"),
            (
                "[[faults]]\nfault = \"unsigned\"\nansers = 1",
                "line 3: unknown setting `ansers` in `faults`; there are `fault`, ",
            ),
            (
                "[[faults]]\nfault = \"unsigned\"\n[[faults]]\nfault = \"lost\"",
                "faults[1]: no such fault; there are",
            ),
            (
                "[[faults]]\nfault = \"unsigned\"\nseconds = 1",
                "faults[0]: `unsigned` takes no `seconds`",
            ),
        ] {
            let error = rules(text).unwrap_err();
            assert!(error.contains(parts) && error.contains("faults.toml"), "{error}");
        }
    }
}
