//! Where the ledger is. The password of a database is never an argument.

use std::path::PathBuf;

use clap::{ArgMatches, Args, parser::ValueSource};

use super::boolean;

/// A ledger.
#[derive(Args, Clone, Debug)]
pub(crate) struct LedgerAt {
    /// The ledger, where the state of every row is kept: a file, or `postgres://…` to share it between hosts
    /// [default: in the user's state folder]
    #[arg(
        long,
        env = "WXMEMBER_LEDGER",
        hide_env_values = true,
        value_name = "FILE|URL"
    )]
    pub(crate) ledger: Option<String>,

    /// The file with the key of a `postgres://…` ledger's hashes, the same on every host that loads lists [default: in
    /// the user's state folder]
    #[arg(
        long,
        env = "WXMEMBER_LEDGER_KEY",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(crate) ledger_key: Option<PathBuf>,

    /// A file with the password of a `postgres://…` ledger and nothing else [default: the variable `PGPASSWORD`, or what
    /// the URL in `WXMEMBER_LEDGER` holds]
    #[arg(
        long,
        env = "WXMEMBER_LEDGER_PASSWORD_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(crate) ledger_password_file: Option<PathBuf>,
}

/// The ledger of jobs that are there already.
#[derive(Args, Clone, Debug)]
pub(crate) struct JobLedger {
    #[command(flatten)]
    pub(crate) at: LedgerAt,

    /// Take the ledger of `import --sandbox`
    #[arg(long, env = "WXMEMBER_SANDBOX", value_parser = boolean)]
    pub(crate) sandbox: bool,
}

/// Whether a password stands in `--ledger` on the command line, where every user of the machine sees it.
pub(crate) fn has_password_in_arguments(matches: &ArgMatches) -> bool {
    let is_argument = |matches: &ArgMatches| {
        matches.try_contains_id("ledger").unwrap_or(false)
            && matches.value_source("ledger") == Some(ValueSource::CommandLine)
    };
    let mut matches = matches;
    while let Some((_, below)) = matches.subcommand() {
        matches = below;
    }
    is_argument(matches)
        && matches
            .get_one::<String>("ledger")
            .is_some_and(|ledger| has_password(ledger))
}

/// Whether a URL holds a password, between the user and the host or among its parameters.
pub(crate) fn has_password(ledger: &str) -> bool {
    let Some((scheme, rest)) = ledger.split_once("://") else {
        return false;
    };
    if !is_postgres(scheme) {
        return false;
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = rest.split('/').next().unwrap_or_default();
    // A password may hold an `@` itself, so the last one counts.
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    let in_query = query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        name.eq_ignore_ascii_case("password") || name.eq_ignore_ascii_case("sslpassword")
    });
    user.is_some_and(|user| user.contains(':') || user.contains("%3a") || user.contains("%3A")) || in_query
}

/// Whether the scheme of a URL is PostgreSQL's.
pub(crate) fn is_postgres(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("postgres") || scheme.eq_ignore_ascii_case("postgresql")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ledger: &str, expected: bool) {
        assert_eq!(has_password(ledger), expected, "{ledger}");
    }

    #[test]
    fn a_password_is_found_wherever_it_stands() {
        check("postgres://anna:secret@host/db", true);
        check("POSTGRESQL://anna:s@cret@host:5432/db", true);
        check("postgres://host/db?user=anna&password=secret", true);
        check("postgres://anna@host:5432/db?sslmode=require", false);
        check("postgres://host:5432/db", false);
        check("postgres:///db?host=/run/postgresql", false);
        check("C:/ledgers/a:b@c.db", false);
        check("ledger.db", false);
    }
}
