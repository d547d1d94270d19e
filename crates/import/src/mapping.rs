//! Which column is which field: by the names people give their columns, in Chinese and English.
//!
//! Names are compared without case, spaces, full width, punctuation and anything in parentheses at the end, and in
//! simplified characters, so `*手机号（必填）`, `手機號` and `Phone Number` are found. What somebody assigned by hand wins. A
//! column that nobody knows is ignored and reported, and so is one that the route has no use for.

use thiserror::Error;

pub use self::assignment::{Assignment, AssignmentError};
use self::names::{SYNONYMS, key};
use crate::{
    defaults::Defaults,
    job::Route,
    member::CommonField,
    source::{Record, Records, shown},
    validate::is_phone_number,
};

mod assignment;
mod names;

/// What a column can hold.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Field {
    /// `phone_number`.
    PhoneNumber,
    /// `openid`.
    Openid,
    /// `user_card_code`.
    UserCardCode,
    /// `out_request_no`.
    RequestNo,
    /// `level`.
    Level,
    /// `card_color`.
    CardColor,
    /// `card_picture_url`.
    CardPictureUrl,
    /// A value of the form.
    Common(CommonField),
    /// `pickup_time`.
    PickupTime,
    /// The type of the validity.
    ValidityType,
    /// The first moment of the validity.
    ValidityBegin,
    /// The last moment of the validity.
    ValidityEnd,
    /// The days of the validity.
    ValidityDays,
}

impl Field {
    /// Every field, in the order of messages.
    pub fn all() -> impl Iterator<Item = Self> {
        SYNONYMS.iter().map(|(field, _)| *field)
    }

    /// Whether an operation takes it.
    #[must_use]
    pub fn is_of(self, route: Route) -> bool {
        match route {
            Route::ImportByPhone => !matches!(self, Self::Openid | Self::RequestNo),
            Route::ImportByOpenid => self != Self::RequestNo,
            Route::PhoneMembercard => {
                matches!(self, Self::PhoneNumber | Self::UserCardCode | Self::RequestNo)
            }
        }
    }

    /// The name in messages and in options.
    #[must_use]
    pub fn name(self) -> &'static str {
        SYNONYMS
            .iter()
            .find(|(field, _)| *field == self)
            .map_or("unknown", |(_, names)| names[0])
    }
}

/// The columns of one source, each with its meaning.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mapping {
    fields: Vec<(Field, usize)>,
    custom: Vec<(String, usize)>,
    ignored: Vec<String>,
    names: Vec<String>,
    is_refused_file: bool,
}

impl Mapping {
    /// Finds the fields among the names of the columns; the assignments of `defaults` come first.
    ///
    /// The four columns that a file of refused rows has at its end are passed over, so that such a file is
    /// imported again as it is.
    ///
    /// # Errors
    ///
    /// [`MappingError`] when a needed field is missing or has two columns, or an assigned column is not there.
    pub fn detect(columns: &[String], route: Route, defaults: &Defaults) -> Result<Self, MappingError> {
        let own = own_columns(columns);
        if columns.iter().any(|name| is_phone_number(name)) {
            return Err(MappingError::NoHeader);
        }
        let mut mapping = Self {
            fields: Vec::new(),
            custom: Vec::new(),
            ignored: Vec::new(),
            names: columns.iter().map(|name| shown(name)).collect(),
            is_refused_file: own < columns.len(),
        };
        let mut is_taken = vec![false; own];
        for assignment in &defaults.columns {
            let index = assignment
                .place(&columns[..own])
                .ok_or_else(|| MappingError::NoSuchColumn {
                    field: assignment.field().to_owned(),
                    column: shown(assignment.column()),
                    columns: own,
                    line: 1,
                })?;
            if std::mem::replace(&mut is_taken[index], true) {
                return Err(MappingError::AssignedTwice {
                    column: mapping.names[index].clone(),
                });
            }
            match assignment.known_field() {
                Some(field) if mapping.column_of(field).is_none() => mapping.fields.push((field, index)),
                None if defaults
                    .custom_fields
                    .iter()
                    .any(|name| name == assignment.field()) =>
                {
                    mapping.custom.push((assignment.field().to_owned(), index));
                }
                Some(_) => {
                    return Err(MappingError::AssignedTwice {
                        column: assignment.field().to_owned(),
                    });
                }
                None => {
                    return Err(MappingError::UnknownField {
                        field: assignment.field().to_owned(),
                    });
                }
            }
        }
        let assigned = mapping.clone();
        for (index, column) in columns[..own].iter().enumerate() {
            if is_taken[index] {
                continue;
            }
            let key = key(column);
            let custom = defaults
                .custom_fields
                .iter()
                .find(|name| self::key(name) == key && route != Route::PhoneMembercard);
            if let Some(name) = custom
                && !assigned.custom.iter().any(|(known, _)| known == name)
            {
                if let Some(&(_, first)) = mapping.custom.iter().find(|(known, _)| known == name) {
                    return Err(mapping.ambiguous("custom field", first, index));
                }
                mapping.custom.push((name.clone(), index));
                continue;
            }
            let known = SYNONYMS.iter().find(|(_, names)| names.contains(&key.as_str()));
            match known {
                Some(&(field, _)) if field.is_of(route) && assigned.column_of(field).is_none() => {
                    if let Some(first) = mapping.column_of(field) {
                        return Err(mapping.ambiguous(field.name(), first, index));
                    }
                    mapping.fields.push((field, index));
                }
                _ => mapping.ignored.push(mapping.names[index].clone()),
            }
        }
        let default_validity = defaults.validity.is_some()
            || mapping.column_of(Field::ValidityEnd).is_some()
            || mapping.column_of(Field::ValidityDays).is_some();
        let needed: &[(Field, bool)] = match route {
            Route::ImportByPhone => &[
                (Field::PhoneNumber, false),
                (Field::UserCardCode, false),
                (Field::PickupTime, defaults.pickup_time.is_some()),
                (Field::ValidityType, default_validity),
            ],
            Route::ImportByOpenid => &[
                (Field::Openid, false),
                (Field::UserCardCode, false),
                (Field::PickupTime, defaults.pickup_time.is_some()),
                (Field::ValidityType, default_validity),
            ],
            Route::PhoneMembercard => &[(Field::PhoneNumber, false)],
        };
        for &(field, has_default) in needed {
            if mapping.column_of(field).is_none() && !has_default {
                // The header itself is not shown: without one, the first member would stand here.
                return Err(MappingError::MissingColumn {
                    field,
                    columns: own,
                    line: 1,
                });
            }
        }
        Ok(mapping)
    }

    /// The same with records at hand: the error names the line of the header, and another line that looks like one.
    ///
    /// Reads records only when there is an error.
    pub(crate) fn of_records(
        records: &mut dyn Records,
        route: Route,
        defaults: &Defaults,
    ) -> Result<Self, MappingError> {
        let mut error = match Self::detect(records.columns(), route, defaults) {
            Ok(mapping) => return Ok(mapping),
            Err(error) => error,
        };
        let header = records.header_line();
        match &mut error {
            MappingError::NoSuchColumn { line, .. } | MappingError::MissingColumn { line, .. } => {
                *line = header;
            }
            _ => return Err(error),
        }
        let mut record = Record::default();
        for _ in 0..LOOK_BELOW {
            if !matches!(records.read(&mut record), Ok(true)) {
                break;
            }
            match Self::detect(&record.cells, route, defaults) {
                Ok(_)
                | Err(MappingError::MissingColumn {
                    field: Field::PickupTime | Field::ValidityType,
                    ..
                }) => {
                    return Err(MappingError::HeaderBelow {
                        line: header,
                        below: record.line,
                    });
                }
                Err(_) => {}
            }
        }
        Err(error)
    }

    /// The place of a field's column, from 0.
    #[must_use]
    pub fn column_of(&self, field: Field) -> Option<usize> {
        self.fields
            .iter()
            .find(|(known, _)| *known == field)
            .map(|&(_, index)| index)
    }

    /// The fields found, each with the place of its column, from 0.
    pub fn fields(&self) -> impl Iterator<Item = (Field, usize)> + '_ {
        self.fields.iter().copied()
    }

    /// The custom fields found, each with the place of its column, from 0.
    pub fn custom_fields(&self) -> impl Iterator<Item = (&str, usize)> {
        self.custom.iter().map(|(name, index)| (name.as_str(), *index))
    }

    /// The names of the columns that mean nothing here.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The name of a column as messages show it.
    #[must_use]
    pub fn column_name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    /// How many columns there are.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.names.len()
    }

    /// Whether the source is a file of refused rows that an import wrote.
    #[must_use]
    pub fn is_refused_file(&self) -> bool {
        self.is_refused_file
    }

    fn ambiguous(&self, field: &'static str, first: usize, second: usize) -> MappingError {
        MappingError::Ambiguous {
            field,
            first: self.names[first].clone(),
            first_column: first + 1,
            second: self.names[second].clone(),
            second_column: second + 1,
        }
    }
}

/// Whether a column of this name means something, or is one that a file of refused rows adds.
pub(crate) fn is_known(name: &str) -> bool {
    let key = key(name);
    ADDED_COLUMNS.contains(&name.trim()) || SYNONYMS.iter().any(|(_, names)| names.contains(&key.as_str()))
}

/// How many of the columns are the source's own, without those that a file of refused rows adds.
pub(crate) fn own_columns(columns: &[String]) -> usize {
    match columns.len().checked_sub(ADDED_COLUMNS.len()) {
        Some(own) if columns[own..].iter().map(|name| name.trim()).eq(ADDED_COLUMNS) => own,
        _ => columns.len(),
    }
}

/// What a file of refused rows has after the source's own columns.
pub(crate) const ADDED_COLUMNS: [&str; 4] = ["row", "code", "message", "request_id"];

/// Records among which a header is looked for when the first line is none.
const LOOK_BELOW: usize = 20;

/// Why the columns do not make a member.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum MappingError {
    /// A column or a field that is assigned twice.
    #[error("`{column}` is assigned twice")]
    AssignedTwice {
        /// The column or the field.
        column: String,
    },
    /// A column that was assigned and is not there.
    #[error("line {line}: none of the {columns} columns is `{column}`, which is assigned to `{field}`")]
    NoSuchColumn {
        /// The line of the header, from 1.
        line: u64,
        /// The field.
        field: String,
        /// The column asked for.
        column: String,
        /// How many columns there are.
        columns: usize,
    },
    /// The line taken for the header names nothing, and one below it does.
    #[error(
        "line {line} does not name the columns; the header seems to be on line {below}: delete what stands above it"
    )]
    HeaderBelow {
        /// The line taken for the header, from 1.
        line: u64,
        /// The line that names the columns.
        below: u64,
    },
    /// A member where the names of the columns are expected.
    #[error("there seems to be no header line: one of the names of the columns is a phone number")]
    NoHeader,
    /// A field that members do not have.
    #[error("a member has no field `{field}`; a custom field has to be named in `custom_fields`")]
    UnknownField {
        /// What was asked for.
        field: String,
    },
    /// Two columns for one field.
    #[error(
        "columns {first_column} (`{first}`) and {second_column} (`{second}`) both mean `{field}`; rename or remove one, or choose with `--map {field}=COLUMN`"
    )]
    Ambiguous {
        /// The field.
        field: &'static str,
        /// The name of the first column.
        first: String,
        /// The place of the first column, from 1.
        first_column: usize,
        /// The name of the second column.
        second: String,
        /// The place of the second column, from 1.
        second_column: usize,
    },
    /// A needed field has no column and no default.
    #[error(
        "line {line}: none of the {columns} columns is `{name}`; name it, for example, `{example}`{default}",
        name = field.name(), example = example(*field), default = default_hint(*field)
    )]
    MissingColumn {
        /// The line of the header, from 1.
        line: u64,
        /// The field.
        field: Field,
        /// How many columns there are.
        columns: usize,
    },
}

fn example(field: Field) -> &'static str {
    let names = SYNONYMS
        .iter()
        .find(|(known, _)| *known == field)
        .map(|(_, names)| *names);
    names.and_then(|names| names.get(1).copied()).unwrap_or("unknown")
}

fn default_hint(field: Field) -> &'static str {
    match field {
        Field::PickupTime | Field::ValidityType => ", or set a default for all rows",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
