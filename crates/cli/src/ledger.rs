//! Which ledger is meant, how it is opened, and what to do when it cannot be.
//!
//! The password of a database comes from the environment or a file, and is never shown.

use std::path::PathBuf;

use wxmember_import::{JobReport, Ledger, LedgerError};

use crate::{
    args::ledger::{JobLedger, LedgerAt, has_password, is_postgres},
    failure::{Failure, chain},
    language::t,
    places, profile,
};

/// Opens the ledger that the arguments mean; `name` is the file's in the state folder when they say nothing.
pub(crate) async fn open(at: &LedgerAt, name: &str) -> Result<Ledger, Failure> {
    match place(at, name)? {
        Place::File(path) => {
            Ledger::open(&path).map_err(|error| failure(&error, &path.display().to_string()))
        }
        Place::Postgres { url, key } => Ledger::connect(&url, &key)
            .await
            .map_err(|error| failure(&error, &shown(&url))),
    }
}

/// The same for a command that loads nothing: it needs no key, and makes none.
pub(crate) async fn open_without_key(at: &LedgerAt, name: &str) -> Result<Ledger, Failure> {
    match place(at, name)? {
        Place::File(_) => open(at, name).await,
        Place::Postgres { url, .. } => Ledger::connect_without_key(&url)
            .await
            .map_err(|error| failure(&error, &shown(&url))),
    }
}

/// The ledger of jobs that are there already.
pub(crate) async fn of_jobs(arguments: &JobLedger) -> Result<Ledger, Failure> {
    let name = if arguments.sandbox { SANDBOX } else { OWN };
    // A ledger that is not there has no job; to make one only to say so would leave a file behind.
    if let Place::File(path) = place(&arguments.at, name)?
        && !path.exists()
    {
        return Err(Failure::new(t!("ledger-missing", ledger = path.display())).hint(
            match arguments.sandbox {
                true => t!("ledger-missing-hint-sandbox"),
                false => t!("ledger-missing-hint"),
            },
        ));
    }
    open_without_key(&arguments.at, name).await
}

/// Finds a job by the beginning of its id, or the last one.
pub(crate) async fn job(ledger: &Ledger, name: &str, arguments: &JobLedger) -> Result<JobReport, Failure> {
    let found = if name == LAST {
        let jobs = ledger.jobs().await.map_err(|error| said(&error))?;
        let last = jobs
            .into_iter()
            .max_by_key(|job| (job.updated_at, job.created_at));
        last.ok_or_else(|| Failure::new(t!("no-jobs")))
    } else {
        ledger.job(name).await.map_err(|error| said(&error))
    };
    found.map_err(|failure| match (failure.advice(), arguments.sandbox) {
        (None, false) => failure.hint(t!("no-jobs-hint")),
        _ => failure,
    })
}

/// What an open ledger could not do, and what to do about it.
pub(crate) fn said(error: &LedgerError) -> Failure {
    hinted(Failure::new(chain(error)), error)
}

/// Why a ledger was not opened. Most errors name it themselves.
fn failure(error: &LedgerError, ledger: &str) -> Failure {
    match error {
        LedgerError::Closed | LedgerError::Database { .. } | LedgerError::Newer { .. } => {
            let failure = Failure::because(t!("ledger-unusable", ledger = ledger), error);
            match (error, ledger.contains("://")) {
                (LedgerError::Database { .. }, true) => failure.hint(t!("hint-ledger-postgres")),
                _ => hinted(failure, error),
            }
        }
        _ => said(error),
    }
}

/// The hint that belongs to an error of the ledger.
pub(crate) fn hinted(failure: Failure, error: &LedgerError) -> Failure {
    let hint = match error {
        LedgerError::AmbiguousJob { .. } => t!("hint-ambiguous-job"),
        LedgerError::Busy { .. } => t!("hint-ledger-busy"),
        LedgerError::Database { .. } if is_damaged(error) => t!("hint-ledger-damaged"),
        LedgerError::Database { .. } => t!("hint-ledger-database"),
        LedgerError::Foreign { .. } => t!("hint-ledger-foreign"),
        LedgerError::Io { .. } => t!("hint-ledger-io"),
        LedgerError::Key { .. } => t!("hint-ledger-key"),
        LedgerError::Newer { .. } => t!("hint-ledger-newer"),
        LedgerError::NoSuchJob { .. } => t!("hint-no-such-job"),
        LedgerError::Purged { .. } => t!("hint-purged"),
        LedgerError::Unfinished { .. } => t!("hint-unfinished"),
        LedgerError::Url => t!("hint-ledger-url"),
        LedgerError::WrongKey { .. } => t!("hint-ledger-wrong-key"),
        _ => return failure,
    };
    failure.hint(hint)
}

/// Whether the file itself is broken, as SQLite says it.
fn is_damaged(error: &LedgerError) -> bool {
    let text = chain(error);
    text.contains("malformed") || text.contains("not a database")
}

enum Place {
    File(PathBuf),
    Postgres { url: String, key: PathBuf },
}

fn place(at: &LedgerAt, name: &str) -> Result<Place, Failure> {
    match at.ledger.as_deref().filter(|ledger| !ledger.is_empty()) {
        Some(url)
            if url
                .split_once("://")
                .is_some_and(|(scheme, _)| is_postgres(scheme)) =>
        {
            let key = match &at.ledger_key {
                Some(key) => key.clone(),
                None => places::state_folder()?.join("ledger.key"),
            };
            Ok(Place::Postgres {
                url: with_password(url, password(at)?.as_deref()),
                key,
            })
        }
        // Not repeated, since a password may stand in it.
        Some(text) if is_connection(text) => {
            Err(Failure::usage(t!("ledger-no-file")).hint(t!("hint-ledger-url")))
        }
        Some(path) => Ok(Place::File(path.into())),
        None => Ok(Place::File(places::state_folder()?.join(name))),
    }
}

/// Whether a text is meant for a database, in a form that is not understood: a URL of another scheme, or the
/// `host=… password=…` of PostgreSQL's own programs. As the name of a file it would put a password on the disk.
fn is_connection(text: &str) -> bool {
    let is_url = text.contains("://")
        || text
            .split_once(':')
            .is_some_and(|(scheme, _)| is_postgres(scheme.trim()));
    let is_pair = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| {
            CONNECTION_WORDS
                .iter()
                .any(|known| name.trim().eq_ignore_ascii_case(known))
        })
    };
    is_url || text.split_whitespace().any(is_pair) || is_pair(text)
}

/// The password, when a file or PostgreSQL's own variable has it.
fn password(at: &LedgerAt) -> Result<Option<String>, Failure> {
    match &at.ledger_password_file {
        Some(path) => {
            let text = profile::read(path)?;
            Ok(Some(profile::without_line_break(&text).to_owned()))
        }
        None => Ok(std::env::var("PGPASSWORD")
            .ok()
            .filter(|password| !password.is_empty())),
    }
}

/// The URL with a password among its parameters, unless it has one.
fn with_password(url: &str, password: Option<&str>) -> String {
    match password {
        Some(password) if !has_password(url) => {
            let mut url = url.to_owned();
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str("password=");
            for byte in password.bytes() {
                match byte {
                    b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => url.push(char::from(byte)),
                    _ => url.push_str(&format!("%{byte:02X}")),
                }
            }
            url
        }
        _ => url.to_owned(),
    }
}

/// The files that a ledger consists of, which nothing else may be written into.
pub(crate) fn files(arguments: &JobLedger) -> Result<Vec<PathBuf>, Failure> {
    let name = if arguments.sandbox { SANDBOX } else { OWN };
    Ok(match place(&arguments.at, name)? {
        Place::File(path) => ["", "-wal", "-shm", ".key"]
            .iter()
            .map(|end| {
                let mut name = path.clone().into_os_string();
                name.push(end);
                name.into()
            })
            .collect(),
        Place::Postgres { key, .. } => vec![key],
    })
}

/// The file beside which the sandbox's keys are kept.
pub(crate) fn sandbox_file(at: &LedgerAt) -> Result<PathBuf, Failure> {
    match place(at, SANDBOX)? {
        Place::File(path) => Ok(path),
        Place::Postgres { .. } => Ok(places::state_folder()?.join(SANDBOX)),
    }
}

/// Host and database of a URL, and nothing that could hold a password.
fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let rest = rest.split('?').next().unwrap_or_default();
    // Everything before the last `@`, since a password may hold any other character.
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{place}")
}

/// The ledger's name in the state folder.
pub(crate) const OWN: &str = "ledger.db";

/// The same for `import --sandbox`, whose jobs are nobody's.
pub(crate) const SANDBOX: &str = "sandbox.db";

/// What a connection in the form of PostgreSQL's own programs is made of.
const CONNECTION_WORDS: [&str; 9] = [
    "dbname", "host", "hostaddr", "passfile", "password", "port", "service", "sslmode", "user",
];

/// Stands for the job that changed last.
const LAST: &str = "last";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_added_once_whatever_it_holds() {
        let with = |url: &str| with_password(url, Some("a b&%?"));
        assert_eq!(
            with("postgres://u@h/d"),
            "postgres://u@h/d?password=a%20b%26%25%3F"
        );
        assert_eq!(
            with("postgres://u@h/d?sslmode=require"),
            "postgres://u@h/d?sslmode=require&password=a%20b%26%25%3F"
        );
        assert_eq!(with("postgres://u:p@h/d"), "postgres://u:p@h/d");
        assert_eq!(with_password("postgres://u@h/d", None), "postgres://u@h/d");
    }

    #[test]
    fn only_a_name_of_a_file_is_taken_for_one() {
        for text in [
            "pg://u:MARKER@h/db",
            "postgress://u:MARKER@h/db",
            "mysql://u:MARKER@h/db",
            "postgres:u:MARKER@h/db",
            "PostgreSQL:/u:MARKER@h/db",
            "host=x password=MARKER",
            "password = MARKER",
            "dbname=x",
        ] {
            let at = LedgerAt {
                ledger: Some(text.to_owned()),
                ledger_key: None,
                ledger_password_file: None,
            };
            let failure = place(&at, OWN).err().expect(text);
            assert_eq!(failure.code(), crate::exit::USAGE, "{text}");
            assert!(!failure.to_string().contains("MARKER"), "{failure}");
            assert!(failure.advice().is_some());
        }
        for text in [
            "ledger.db",
            "C:/ledgers/a:b@c.db",
            "year=2026/ledger.db",
            "postgres.db",
        ] {
            assert!(!is_connection(text), "{text}");
        }
    }

    #[track_caller]
    fn check(url: &str, expected: &str) {
        assert_eq!(shown(url), expected);
    }

    #[test]
    fn a_url_is_shown_without_what_could_be_a_password() {
        check(
            "postgres://anna:se@cr/et@host:5432/db?sslmode=require",
            "postgres://host:5432/db",
        );
        check("postgres://host/db?password=secret", "postgres://host/db");
        check("postgres://anna@host/db", "postgres://host/db");
    }
}
