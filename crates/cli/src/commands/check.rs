//! `wxmember check`: reads, maps and validates a member list, and says what an import of it would refuse.

use std::{collections::BTreeMap, num::NonZeroU32, path::Path, sync::Arc};

use serde::Serialize;
use wxmember_import::{
    Checked, Defaults, Description, FileSource, LoadError, Problem, Quota, Route, Source, Validity,
};

use super::import::{described, load_failure, open, target::defaults};
use crate::{
    args::{Format, check::Check},
    exit,
    failure::{Failure, chain},
    language::{known, list, t},
    mapping,
    print::{say, tell},
    profile::Profile,
    signals, table,
};

/// Checks a file and returns the exit code.
pub(crate) async fn run(arguments: &Check) -> Result<exit::Code, Failure> {
    let profile = profile(arguments)?;
    let common = match &profile {
        Some(profile) => defaults(profile),
        // As `import --sandbox` has it, the other command that needs no profile.
        None => Defaults::default().with_validity(Validity::Permanent),
    };
    let common = mapping::defaults(common, &arguments.source)?;
    let via = profile.as_ref().and_then(|profile| profile.via);
    let route = arguments.via.or(via).unwrap_or_default();
    let quota = quota(arguments, profile.as_ref(), route)?;
    let source = Arc::new(open(&arguments.file, mapping::options(&arguments.source.reading)).await?);
    let cancel = signals::cancel_on_signal(t!("check-stopping"));
    let checked = {
        let (source, problems) = (Arc::clone(&source), arguments.problems);
        let look = move || wxmember_import::check(source.as_ref(), route, &common, problems, &cancel);
        let checked = tokio::task::spawn_blocking(look).await;
        checked.unwrap_or(Err(LoadError::Thread))
    };
    let checked = match checked {
        Ok(checked) => checked,
        Err(error @ LoadError::Cancelled { .. }) => return Err(Failure::new(chain(&error))),
        Err(error) => return Err(load_failure(&error, &arguments.file, &arguments.source)),
    };
    let found = Found {
        source: &source,
        checked: &checked,
        route,
        seconds: checked.good as f64 / quota.per_second(),
        quota,
        has_profile: profile.is_some(),
    };
    match arguments.format {
        Format::Json => found.print_json()?,
        Format::Text => found.print_text()?,
    }
    Ok(match checked.refused_rows() {
        0 => exit::DONE,
        _ => exit::REFUSED_ROWS,
    })
}

/// The profile that was asked for; else the usual one, when it is there and usable.
fn profile(arguments: &Check) -> Result<Option<Profile>, Failure> {
    let config = arguments.config.as_deref().unwrap_or(Path::new("wxmember.toml"));
    let is_asked_for = arguments.config.is_some() || arguments.profile.is_some();
    if !is_asked_for && !config.exists() {
        return Ok(None);
    }
    match Profile::read(config, arguments.profile.as_deref().unwrap_or("default")) {
        Ok(profile) => Ok(Some(profile)),
        Err(failure) if is_asked_for => Err(failure),
        Err(failure) => {
            tell!("{}", t!("check-profile-unusable", why = known(failure.what())));
            Ok(None)
        }
    }
}

fn quota(arguments: &Check, profile: Option<&Profile>, route: Route) -> Result<Quota, Failure> {
    if let Some(quota) = arguments.quota {
        return Ok(quota);
    }
    match profile.and_then(|profile| profile.quota.as_deref()) {
        Some(text) => text.parse().map_err(|error| Failure::because("`quota`", &error)),
        None => Ok(Quota::each_second(
            NonZeroU32::new(route.rate_limit()).unwrap_or(NonZeroU32::MIN),
        )),
    }
}

/// Everything there is to tell.
struct Found<'a> {
    source: &'a FileSource,
    checked: &'a Checked,
    route: Route,
    quota: Quota,
    seconds: f64,
    has_profile: bool,
}

#[derive(Serialize)]
struct Printed<'a> {
    format_version: u32,
    file: &'a str,
    source: &'a Description,
    route: &'static str,
    columns: Vec<PrintedColumn<'a>>,
    ignored_columns: &'a [String],
    notes: Vec<&'static str>,
    rows: u64,
    good: u64,
    refused: u64,
    refused_by_code: &'a BTreeMap<&'static str, u64>,
    problems: Vec<PrintedProblem<'a>>,
    requests_per_second: f64,
    seconds: f64,
}

#[derive(Serialize)]
struct PrintedColumn<'a> {
    number: usize,
    name: &'a str,
    field: &'a str,
}

#[derive(Serialize)]
struct PrintedProblem<'a> {
    row: u64,
    line: u64,
    column: Option<&'a str>,
    code: &'static str,
    message: String,
}

impl Found<'_> {
    /// The columns that mean something, in the order of the file.
    fn columns(&self) -> Vec<PrintedColumn<'_>> {
        let mapping = &self.checked.mapping;
        let fields = mapping.fields().map(|(field, index)| (field.name(), index));
        let mut columns: Vec<_> = fields
            .chain(mapping.custom_fields())
            .map(|(field, index)| PrintedColumn {
                number: index + 1,
                name: mapping.column_name(index),
                field,
            })
            .collect();
        columns.sort_by_key(|column| column.number);
        columns
    }

    fn print_json(&self) -> Result<(), Failure> {
        let printed = Printed {
            format_version: FORMAT_VERSION,
            file: self.source.name(),
            source: self.source.description(),
            route: self.route.name(),
            columns: self.columns(),
            ignored_columns: self.checked.mapping.ignored(),
            notes: self.checked.notes(),
            rows: self.checked.rows,
            good: self.checked.good,
            refused: self.checked.refused_rows(),
            refused_by_code: &self.checked.refused,
            problems: self.checked.problems.iter().map(printed).collect(),
            requests_per_second: self.quota.per_second(),
            seconds: self.seconds,
        };
        let text =
            serde_json::to_string(&printed).map_err(|error| Failure::because(t!("json-failed"), &error))?;
        say!("{text}")
    }

    fn print_text(&self) -> Result<(), Failure> {
        let checked = self.checked;
        say!("{}", described(self.source))?;
        if !self.has_profile {
            tell!("{}", t!("check-no-profile"));
        }
        say!("")?;
        let mut rows = vec![vec![t!("column-number"), t!("column-column"), t!("column-field")]];
        rows.extend(self.columns().iter().map(|column| {
            vec![
                column.number.to_string(),
                column.name.to_owned(),
                column.field.to_owned(),
            ]
        }));
        for line in table::lines(&rows, &[true]) {
            say!("{line}")?;
        }
        if !checked.mapping.ignored().is_empty() {
            say!(
                "{}",
                t!("ignored-columns", columns = list(checked.mapping.ignored()))
            )?;
        }
        for note in checked.notes() {
            say!("{}", known(note))?;
        }
        if !checked.problems.is_empty() {
            say!("")?;
        }
        for problem in &checked.problems {
            let PrintedProblem {
                row,
                line,
                code,
                column,
                message,
            } = printed(problem);
            let message = match column {
                Some(column) => format!("column `{column}`: {message}"),
                None => message,
            };
            let line = t!(
                "refused-row",
                row = row.to_string(),
                line = line.to_string(),
                code = code,
                message = known(&message)
            );
            say!("{line}")?;
        }
        say!("")?;
        let mut pairs = vec![
            (t!("label-route"), self.route.to_string()),
            (t!("label-rows"), checked.rows.to_string()),
            (t!("label-good"), checked.good.to_string()),
            (t!("label-refused"), checked.refused_rows().to_string()),
        ];
        let codes = checked.refused.iter();
        pairs.extend(codes.map(|(code, rows)| (format!("  {code}"), rows.to_string())));
        let rate = self.quota.per_second();
        pairs.push((
            t!("label-takes"),
            t!(
                "check-takes",
                time = duration(self.seconds),
                rate = format!("{rate}")
            ),
        ));
        for line in table::pairs(&pairs) {
            say!("{line}")?;
        }
        Ok(())
    }
}

fn printed(problem: &Problem) -> PrintedProblem<'_> {
    PrintedProblem {
        row: problem.row,
        line: problem.line,
        column: problem.column.as_deref(),
        code: problem.kind.code(),
        message: problem.kind.to_string(),
    }
}

/// Whole minutes above a minute, since nobody plans by seconds then.
fn duration(seconds: f64) -> String {
    let whole = seconds.ceil() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Of the JSON.
const FORMAT_VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_as_exact_as_it_is_of_use() {
        for (seconds, expect) in [
            (0.0, "0 s"),
            (0.2, "1 s"),
            (59.0, "59 s"),
            (60.0, "1 min"),
            (3599.0, "59 min"),
            (200_000.0, "55 h 33 min"),
        ] {
            assert_eq!(duration(seconds), expect);
        }
    }
}
