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
use wxmember_import::{Assignment, Defaults, SourceOptions, Validity};

use crate::{
    args::source::{Reading, SourceArguments},
    failure::Failure,
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
    toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        Failure::new(format!(
            "{}, line {line}: {}",
            path.display(),
            error.message().trim()
        ))
    })
}
