//! `--map`, `--map-file`: which column is which field, and constants for all rows.
//!
//! ```toml
//! [columns]
//! phone_number = "联系方式"
//!
//! [constants]
//! pickup_time = "2026-01-01"
//! level = "普通会员"
//! ```

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use wxmember_import::{Assignment, Defaults, Field, MappingError, SourceOptions, Validity};

use crate::{
    args::source::{Reading, SourceArguments},
    failure::Failure,
    language::{list, t},
    misread,
    profile::{self, ValidityTable},
};

/// The text of a mapping file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    #[serde(default)]
    columns: BTreeMap<String, String>,
    #[serde(default)]
    constants: Constants,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Constants {
    card_color: Option<String>,
    card_picture_url: Option<String>,
    custom_fields: Option<Vec<String>>,
    level: Option<String>,
    pickup_time: Option<String>,
    time_zone: Option<String>,
    validity: Option<ValidityTable>,
}

/// What is not left to be found out about a file.
pub(crate) fn options(reading: &Reading) -> SourceOptions {
    let mut options = SourceOptions::default();
    options.encoding = reading.encoding;
    options.delimiter = reading.delimiter;
    options.sheet.clone_from(&reading.sheet);
    options.format = reading.input_format;
    options
}

/// What holds for all rows, with what the arguments say of it. A constant of the mapping file comes before the profile's.
pub(crate) fn defaults(mut defaults: Defaults, arguments: &SourceArguments) -> Result<Defaults, Failure> {
    let mut columns = arguments.map.clone();
    if let Some(path) = &arguments.map_file {
        let MappingFile {
            columns: more,
            constants,
        } = read(path)?;
        let wrong = |what: &str, why: &dyn std::error::Error| {
            Failure::because(format!("{}: `{what}`", path.display()), why)
        };
        for (field, column) in &more {
            if columns.iter().all(|assignment| assignment.field() != field) {
                columns.push(Assignment::new(field, column).map_err(|error| wrong(field, &error))?);
            }
        }
        if let Some(zone) = &constants.time_zone {
            let zone = profile::offset(zone).ok_or_else(|| {
                Failure::new(format!("{}: `time_zone` is no offset", path.display()))
                    .hint("write it like `time_zone = \"+08:00\"`")
            })?;
            defaults = defaults.with_time_zone(zone);
        }
        defaults = constants.put_into(defaults);
    }
    Ok(defaults.with_columns(columns))
}

/// What to put right when an assignment is wrong; `None` when the list itself is.
pub(crate) fn hint(error: &MappingError, file: &Path, arguments: &SourceArguments) -> Option<String> {
    let place = |field: &str| {
        let is_it = |assignment: &&Assignment| assignment.field() == field;
        match (arguments.map.iter().find(is_it), &arguments.map_file) {
            (Some(assignment), _) => format!("`--map {field}={}`", assignment.column()),
            (None, Some(path)) => path.display().to_string(),
            (None, None) => "`--map`".to_owned(),
        }
    };
    Some(match error {
        MappingError::UnknownField { field } => {
            let names: Vec<_> = Field::all().map(|field| format!("`{}`", field.name())).collect();
            t!("hint-map-field", place = place(field), fields = list(&names))
        }
        MappingError::NoSuchColumn { field, .. } => {
            t!("hint-map-column", place = place(field), file = file.display())
        }
        MappingError::AssignedTwice { column } => t!("hint-map-twice", place = place(column)),
        _ => return None,
    })
}

impl Constants {
    fn put_into(self, mut defaults: Defaults) -> Defaults {
        if let Some(names) = self.custom_fields {
            defaults = defaults.with_custom_fields(names);
        }
        if let Some(validity) = self.validity {
            defaults = defaults.with_validity(Validity::from(&validity));
        }
        if let Some(time) = self.pickup_time {
            defaults = defaults.with_pickup_time(time);
        }
        if let Some(level) = self.level {
            defaults = defaults.with_level(level);
        }
        if let Some(color) = self.card_color {
            defaults = defaults.with_card_color(color);
        }
        if let Some(url) = self.card_picture_url {
            defaults = defaults.with_card_picture_url(url);
        }
        defaults
    }
}

fn read(path: &Path) -> Result<MappingFile, Failure> {
    let text = profile::read(path)?;
    misread::read(&text).map_err(|misread| Failure::new(format!("{}: {misread}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: &MappingError, arguments: &SourceArguments, expected: Option<&str>) {
        let hint = hint(error, Path::new("m.csv"), arguments);
        match (&hint, expected) {
            (Some(hint), Some(expected)) => assert!(hint.starts_with(expected), "{hint}"),
            _ => assert_eq!(hint.as_deref(), expected),
        }
    }

    #[test]
    fn a_wrong_assignment_is_put_right_where_it_stands() {
        let by_flag = SourceArguments {
            map: vec!["levle=等级".parse().unwrap()],
            map_file: Some("map.toml".into()),
            ..SourceArguments::default()
        };
        let unknown = |field: &str| MappingError::UnknownField {
            field: field.to_owned(),
        };
        let known = "; the fields of a member are `phone_number`, ";
        check(
            &unknown("levle"),
            &by_flag,
            Some(&format!("correct `--map levle=等级`{known}")),
        );
        check(
            &unknown("codee"),
            &by_flag,
            Some(&format!("correct map.toml{known}")),
        );
        let no_column = MappingError::NoSuchColumn {
            line: 1,
            field: "levle".to_owned(),
            column: "等级".to_owned(),
            columns: 2,
        };
        let said = "correct `--map levle=等级`, or the name of the column in m.csv; nothing was sent";
        check(&no_column, &by_flag, Some(said));
        let twice = MappingError::AssignedTwice {
            column: "code".to_owned(),
        };
        check(
            &twice,
            &SourceArguments::default(),
            Some("correct `--map`: each field"),
        );
        check(&MappingError::NoHeader, &by_flag, None);
    }
}
