//! A look at a whole source that sends nothing and keeps nothing: what an import of it would refuse.
//!
//! Duplicates are found by keyed hashes in a private temporary database that is gone with the look; its key lives in
//! memory only. So memory does not grow with rows, and nothing of a member is written anywhere.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use tokio_util::sync::CancellationToken;
use wxmember_crypto::{Fingerprint, FormValue, KeyedHash};

use crate::{
    defaults::Defaults,
    job::{LoadError, Profile, Route},
    load::hash_of,
    mapping::{Field, Mapping},
    member::Member,
    source::{Record, Source, SourceError},
    validate::{Problem, ProblemKind, Validator},
};

/// What a look at a source found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Checked {
    /// Which column means what.
    pub mapping: Mapping,
    /// Rows, without the header and without empty lines.
    pub rows: u64,
    /// Rows that an import would send.
    pub good: u64,
    /// Rows that an import would refuse, by the code of their first problem.
    pub refused: BTreeMap<&'static str, u64>,
    /// The first problems, in the order of the source.
    pub problems: Vec<Problem>,
    /// Whether a code is a number of a spreadsheet. What its format shows before the first digit is not in the file.
    pub has_number_codes: bool,
}

impl Checked {
    /// Rows that an import would refuse.
    #[must_use]
    pub fn refused_rows(&self) -> u64 {
        self.rows - self.good
    }

    /// What is not wrong and yet worth a look.
    #[must_use]
    pub fn notes(&self) -> Vec<&'static str> {
        Vec::from_iter(self.has_number_codes.then_some(NUMBER_CODES))
    }
}

/// Reads, maps and validates every row of a source, and finds rows that repeat others of it.
///
/// Keeps the first `problems` problems. Blocks; gives up when `cancel` is cancelled.
///
/// ```
/// use tokio_util::sync::CancellationToken;
/// use wxmember_import::{Defaults, FileSource, Route, SourceOptions, Validity, check};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("members.csv");
/// std::fs::write(&path, "手机号,卡号,入会时间\n13800138000,A1,2024-01-02\n13800138001,A1,2024-01-02\n")?;
/// let source = FileSource::open(&path, SourceOptions::default())?;
/// let defaults = Defaults::default().with_validity(Validity::Permanent);
/// let checked = check(&source, Route::default(), &defaults, 10, &CancellationToken::new())?;
/// assert_eq!((checked.rows, checked.good), (2, 1));
/// assert_eq!(checked.problems[0].to_string(), "row 2 (line 3), column `卡号`: the same code is in row 1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`LoadError`] when the source as a whole is unusable, its columns make no member, or a default breaks a rule.
pub fn check(
    source: &dyn Source,
    route: Route,
    defaults: &Defaults,
    problems: usize,
    cancel: &CancellationToken,
) -> Result<Checked, LoadError> {
    let mut records = source.open()?;
    let mapping =
        Mapping::of_records(records.as_mut(), route, defaults).map_err(|error| LoadError::Mapping {
            source_name: source.name().to_owned(),
            error,
        })?;
    // For whom members are is no matter of the rows.
    let profile = Profile::new("", "", "", "");
    let validator = Validator::new(profile, route, mapping.clone(), defaults.clone())?;
    let mut seen = Seen::new()?;
    let mut checked = Checked {
        mapping,
        rows: 0,
        good: 0,
        refused: BTreeMap::new(),
        problems: Vec::new(),
        has_number_codes: false,
    };
    let code = checked.mapping.column_of(Field::UserCardCode);
    let mut record = Record::default();
    while records.read(&mut record)? {
        if cancel.is_cancelled() {
            return Err(LoadError::Cancelled { rows: checked.rows });
        }
        checked.rows += 1;
        checked.has_number_codes |= code.is_some_and(|place| record.numbers.contains(&place));
        let found = match validator.member(&record) {
            Err(found) => found,
            Ok(member) => seen.repeated(&validator, &record, route, &member)?,
        };
        match found.first() {
            None => checked.good += 1,
            Some(first) => *checked.refused.entry(first.kind.code()).or_default() += 1,
        }
        let room = problems - checked.problems.len().min(problems);
        checked.problems.extend(found.into_iter().take(room));
    }
    match records.digest() == Some(source.digest()?) {
        true => Ok(checked),
        false => Err(SourceError::Changed {
            source_name: source.name().to_owned(),
        }
        .into()),
    }
}

/// The codes and members of the good rows so far.
struct Seen {
    database: Connection,
    hash: KeyedHash,
}

impl Seen {
    fn new() -> Result<Self, LoadError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(scratch)?;
        // Without a name it is a temporary file of its own, removed when it is closed.
        let database = Connection::open("").map_err(scratch)?;
        database
            .execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384;
                 CREATE TABLE seen (hash BLOB PRIMARY KEY, row INTEGER NOT NULL) STRICT, WITHOUT ROWID;
                 BEGIN",
            )
            .map_err(scratch)?;
        Ok(Self {
            database,
            hash: KeyedHash::new(key),
        })
    }

    /// The problems of a row that repeats an earlier good one; a row that repeats none is remembered.
    fn repeated(
        &mut self,
        validator: &Validator,
        record: &Record,
        route: Route,
        member: &Member,
    ) -> Result<Vec<Problem>, LoadError> {
        let problem = |field, kind| validator.problem(record.row, record.line, Some(field), kind);
        let code = member
            .user_card_code
            .as_ref()
            .or(member.request_no.as_ref())
            .map(|code| self.hash.of("code", &FormValue::new(code)));
        let person = hash_of(&self.hash, member);
        let mut found = Vec::new();
        if let Some(first_row) = code.map(|code| self.row_of(&code)).transpose()?.flatten() {
            found.push(problem(
                Field::UserCardCode,
                ProblemKind::DuplicateCode { first_row },
            ));
        }
        if let Some(first_row) = self.row_of(&person)? {
            found.push(match route {
                Route::ImportByOpenid => problem(Field::Openid, ProblemKind::DuplicateOpenid { first_row }),
                _ => problem(
                    Field::PhoneNumber,
                    ProblemKind::DuplicatePhoneNumber { first_row },
                ),
            });
        }
        if found.is_empty() {
            for hash in code.iter().chain([&person]) {
                let mut insert = self
                    .database
                    .prepare_cached("INSERT INTO seen VALUES (?1, ?2)")
                    .map_err(scratch)?;
                insert
                    .execute((&hash.as_bytes()[..SHORT], record.row))
                    .map_err(scratch)?;
            }
        }
        Ok(found)
    }

    fn row_of(&self, hash: &Fingerprint) -> Result<Option<u64>, LoadError> {
        let mut query = self
            .database
            .prepare_cached("SELECT row FROM seen WHERE hash = ?1")
            .map_err(scratch)?;
        let row = query
            .query_row([&hash.as_bytes()[..SHORT]], |row| row.get(0))
            .optional();
        row.map_err(scratch)
    }
}

fn scratch(error: impl std::error::Error + Send + Sync + 'static) -> LoadError {
    LoadError::Scratch(Box::new(error))
}

const NUMBER_CODES: &str = "codes are numbers in the spreadsheet: leading zeros are lost";
/// Bytes of a hash that are kept: enough that no two of a billion rows are taken for each other.
const SHORT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        member::Validity,
        source::{FileSource, SourceOptions},
    };

    #[track_caller]
    fn check_list(text: &str, route: Route, good: u64, expect: &[&str]) {
        let source = FileSource::from_stream("m.csv", text.as_bytes(), SourceOptions::default()).unwrap();
        let defaults = Defaults::default()
            .with_validity(Validity::Permanent)
            .with_pickup_time("2024-01-01");
        let checked = check(&source, route, &defaults, 4, &CancellationToken::new()).unwrap();
        let problems: Vec<String> = checked.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems, expect);
        assert_eq!(checked.good, good);
        assert_eq!(checked.refused.values().sum::<u64>(), checked.refused_rows());
    }

    #[test]
    fn rows_that_repeat_good_ones_are_told_with_their_first_row() {
        check_list(
            "手机号,卡号\n13800138000,A1\n123,A2\n+86 138-0013-8000,A2\n13800138001,A1\n13800138002,A2\n",
            Route::ImportByPhone,
            2,
            &[
                "row 2 (line 3), column `手机号`: not a mobile number of mainland China",
                "row 3 (line 4), column `手机号`: the same phone number is in row 1",
                "row 4 (line 5), column `卡号`: the same code is in row 1",
            ],
        );
    }

    #[test]
    fn every_route_has_rules_of_its_own() {
        check_list(
            "openid,卡号,手机号\no-1,A1,\no-1,A2,\no-2,A3,13800138000\no 3,A4,\n",
            Route::ImportByOpenid,
            2,
            &[
                "row 2 (line 3), column `openid`: the same openid is in row 1",
                "row 4 (line 5), column `openid`: character 2 is not allowed; an openid has digits, English letters, `-` and `_`",
            ],
        );
        check_list(
            "手机号,卡号,out_request_no\n13800138000,,\n13800138001,A1,R|1\n13800138002,,R 2\n",
            Route::PhoneMembercard,
            2,
            &[
                "row 3 (line 4), column `out_request_no`: character 2 is not allowed; a request number has digits, English letters and `|`, `_`, `*`, `-`",
            ],
        );
    }

    #[test]
    fn a_row_that_swallowed_others_is_refused_even_when_only_an_ignored_column_did() {
        check_list(
            "手机号,卡号,备注\n13800138000,A1,\n13800138001,A2,\"好客户\n13800138002,A3,\n13800138003,A4,\"新客\n13800138004,A5,\n",
            Route::ImportByPhone,
            2,
            &["row 2 (line 3): spans lines 3 to 5; is a quotation mark not closed?"],
        );
    }

    #[test]
    fn codes_that_are_numbers_of_a_spreadsheet_are_told() {
        let list = include_bytes!("../fixtures/list.xlsx").as_slice();
        let source = FileSource::from_stream("list.xlsx", list, SourceOptions::default()).unwrap();
        let defaults = Defaults::default().with_validity(Validity::Permanent);
        let look = |defaults: &Defaults| {
            check(&source, Route::default(), defaults, 0, &CancellationToken::new()).unwrap()
        };
        assert_eq!(look(&defaults).notes(), [NUMBER_CODES]);
        let by_name = defaults
            .clone()
            .with_columns(["user_card_code=姓名".parse().unwrap()]);
        assert_eq!(look(&by_name).notes(), [""; 0]);
    }

    #[test]
    fn only_the_first_problems_are_kept_and_all_rows_are_counted() {
        let text = format!("手机号,卡号\n{}", "1,2\n".repeat(100));
        let problem = |row| {
            format!(
                "row {row} (line {}), column `手机号`: not a mobile number of mainland China",
                row + 1
            )
        };
        let expect: Vec<String> = (1..=4).map(problem).collect();
        check_list(
            &text,
            Route::ImportByPhone,
            0,
            &expect.iter().map(String::as_str).collect::<Vec<_>>(),
        );
    }
}
