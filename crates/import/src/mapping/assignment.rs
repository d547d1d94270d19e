//! A column that somebody assigned to a field by hand: `phone_number=手机号`.

use std::{fmt, str::FromStr};

use thiserror::Error;

use super::{
    Field,
    names::{SYNONYMS, key},
};

/// One assignment of a column to a field.
///
/// The field is one of the API's names, such as `phone_number`, or the name of a custom field. The column is its name in
/// the header, or `#3` for the third one.
///
/// ```
/// use wxmember_import::Assignment;
///
/// let assignment: Assignment = "phone_number=联系方式".parse()?;
/// assert_eq!((assignment.field(), assignment.column()), ("phone_number", "联系方式"));
/// # Ok::<(), wxmember_import::AssignmentError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Assignment {
    field: String,
    column: String,
}

impl Assignment {
    /// Takes the name of a field and of a column.
    ///
    /// # Errors
    ///
    /// [`AssignmentError`] when one of them is empty.
    pub fn new(field: &str, column: &str) -> Result<Self, AssignmentError> {
        let (field, column) = (field.trim(), column.trim());
        if field.is_empty() || column.is_empty() {
            return Err(AssignmentError);
        }
        Ok(Self {
            field: field.to_owned(),
            column: column.to_owned(),
        })
    }

    /// The name of the field.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The name of the column, or `#` and its number from 1.
    #[must_use]
    pub fn column(&self) -> &str {
        &self.column
    }

    pub(super) fn known_field(&self) -> Option<Field> {
        let key = key(&self.field);
        SYNONYMS
            .iter()
            .find(|(field, names)| field.name() == self.field || names.contains(&key.as_str()))
            .map(|(field, _)| *field)
    }

    /// The column of exactly this name, else of a name that says the same, else of this number.
    pub(super) fn place(&self, columns: &[String]) -> Option<usize> {
        let exact = columns.iter().position(|name| name.trim() == self.column);
        let wanted = key(&self.column);
        let similar = || {
            columns
                .iter()
                .position(|name| !wanted.is_empty() && key(name) == wanted)
        };
        let number = || {
            let number: usize = self.column.strip_prefix('#')?.parse().ok()?;
            number.checked_sub(1).filter(|place| *place < columns.len())
        };
        exact.or_else(number).or_else(similar)
    }
}

impl FromStr for Assignment {
    type Err = AssignmentError;

    fn from_str(text: &str) -> Result<Self, AssignmentError> {
        let (field, column) = text.split_once('=').ok_or(AssignmentError)?;
        Self::new(field, column)
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.field, self.column)
    }
}

/// A text that assigns no column to a field.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not `FIELD=COLUMN`, such as `phone_number=手机号`")]
pub struct AssignmentError;
