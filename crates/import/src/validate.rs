//! From the cells of a record to a member: every rule of the protocol's sections 1.3 to 1.5, before any request.
//!
//! A row reports all its problems at once, each with its column. No message holds a value.

use std::sync::Arc;

use thiserror::Error;
use wxmember_crypto::{FormValue, PhoneNumber};

use crate::{
    defaults::Defaults,
    job::{Profile, Route},
    mapping::{Field, Mapping},
    member::{CommonField, Member, Validity},
    report,
    source::{FlawKind, Record},
};

mod phone;
mod problem;
mod time;

pub use self::problem::{Problem, ProblemKind};
use self::time::{DayEdge, Moment};

/// The rules, with everything that is the same for all rows of a source.
#[derive(Clone, Debug)]
pub struct Validator {
    profile: Profile,
    route: Route,
    mapping: Mapping,
    defaults: Defaults,
    column_names: Vec<Arc<str>>,
}

impl Validator {
    /// Takes what is the same for all rows.
    ///
    /// # Errors
    ///
    /// [`DefaultsError`] when a default breaks the rules that hold for rows.
    pub fn new(
        profile: Profile,
        route: Route,
        mapping: Mapping,
        defaults: Defaults,
    ) -> Result<Self, DefaultsError> {
        let column_names = (0..mapping.columns())
            .map(|index| mapping.column_name(index).into())
            .collect();
        let validator = Self {
            profile,
            route,
            mapping,
            defaults: checked(defaults)?,
            column_names,
        };
        Ok(validator)
    }

    /// Which column means what.
    #[must_use]
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Checks one record.
    ///
    /// # Errors
    ///
    /// All the problems of the row, in the order of the fields; at least one.
    pub fn member(&self, record: &Record) -> Result<Member, Vec<Problem>> {
        let mut row = Row {
            validator: self,
            record,
            problems: Vec::new(),
        };
        for flaw in record.flaws.iter().filter(|flaw| flaw.cell.is_none()) {
            row.report(None, ProblemKind::Flaw(flaw.kind));
        }
        let columns = self.mapping.columns();
        let surplus = record.cells.get(columns..).unwrap_or_default();
        if record.cells.len() < columns || surplus.iter().any(|cell| !cell.trim().is_empty()) {
            let found = record.cells.len();
            row.report(
                None,
                ProblemKind::Ragged {
                    expected: columns,
                    found,
                },
            );
            return Err(row.problems);
        }
        let (phone_number, openid) = match self.route {
            Route::ImportByOpenid => (
                row.optional(Field::PhoneNumber, phone::normalize),
                row.needed(Field::Openid, openid),
            ),
            _ => (row.needed(Field::PhoneNumber, phone::normalize), None),
        };
        let user_card_code = match self.route {
            Route::PhoneMembercard => row.optional(Field::UserCardCode, code),
            _ => row.needed(Field::UserCardCode, code),
        };
        if self.route == Route::PhoneMembercard {
            let request_no = row.optional(Field::RequestNo, request_no);
            return row.finish(|| Member {
                brand_id: self.profile.brand_id.clone(),
                card_id: self.profile.card_id.clone(),
                phone_number: phone_number.map(PhoneNumber::new),
                openid: None,
                user_card_code,
                request_no,
                level: None,
                card_color: None,
                card_picture_url: None,
                common_fields: Vec::new(),
                custom_fields: Vec::new(),
                validity: None,
                pickup_time: None,
            });
        }
        let level = row
            .optional(Field::Level, level)
            .or_else(|| self.defaults.level.clone());
        let card_color = row
            .optional(Field::CardColor, color)
            .or_else(|| self.defaults.card_color.clone());
        let card_picture_url = row
            .optional(Field::CardPictureUrl, url)
            .or_else(|| self.defaults.card_picture_url.clone());
        let mut common_fields = Vec::new();
        for field in COMMON_FIELDS {
            let value = row.optional(Field::Common(field), |text| common(field, text));
            common_fields.extend(value.map(|value| (field, value)));
        }
        let custom_fields = row.custom_fields();
        let validity = row.validity();
        let pickup_time = match &self.defaults.pickup_time {
            Some(default) => row
                .optional(Field::PickupTime, |text| row_time(self, text))
                .or_else(|| Some(default.clone())),
            None => row.needed(Field::PickupTime, |text| row_time(self, text)),
        };
        row.finish(|| Member {
            brand_id: self.profile.brand_id.clone(),
            card_id: self.profile.card_id.clone(),
            phone_number: phone_number.map(PhoneNumber::new),
            openid,
            user_card_code,
            request_no: None,
            level,
            card_color,
            card_picture_url,
            common_fields,
            custom_fields,
            validity,
            pickup_time,
        })
    }

    /// A problem of a row that only its place among the others or its sealing shows.
    pub(crate) fn problem(&self, row: u64, line: u64, field: Option<Field>, kind: ProblemKind) -> Problem {
        let column = field
            .and_then(|field| self.mapping.column_of(field))
            .map(|index| self.column_names[index].clone());
        Problem {
            row,
            line,
            column,
            kind,
        }
    }
}

/// A default that breaks a rule.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("the default for `{field}` is unusable: {kind}")]
pub struct DefaultsError {
    /// The field.
    pub field: &'static str,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// The defaults with every text brought into its form.
fn checked(mut defaults: Defaults) -> Result<Defaults, DefaultsError> {
    let error = |field: Field| {
        move |kind| DefaultsError {
            field: field.name(),
            kind,
        }
    };
    let zone = defaults.time_zone;
    let time = |field: Field, text: &str, edge| time::moment(text, zone, edge).map_err(error(field));
    if let Some(text) = &mut defaults.pickup_time {
        *text = time(Field::PickupTime, text, DayEdge::First)?.text;
    }
    for (field, text, rule) in [
        (Field::Level, &defaults.level, level as fn(&str) -> _),
        (Field::CardColor, &defaults.card_color, color),
        (Field::CardPictureUrl, &defaults.card_picture_url, url),
    ] {
        text.as_deref()
            .map(|text| plain(text).and_then(|()| rule(text)))
            .transpose()
            .map_err(error(field))?;
    }
    match &mut defaults.validity {
        Some(Validity::FixTimeRange { begin, end }) => {
            let (first, last) = (
                time(Field::ValidityBegin, begin, DayEdge::First)?,
                time(Field::ValidityEnd, end, DayEdge::Last)?,
            );
            if last.timestamp <= first.timestamp {
                return Err(error(Field::ValidityEnd)(ProblemKind::ValidityReversed));
            }
            (*begin, *end) = (first.text, last.text);
        }
        Some(Validity::FixTerm { days }) if !(1..=MOST_DAYS).contains(days) => {
            return Err(error(Field::ValidityDays)(ProblemKind::BadDays));
        }
        _ => {}
    }
    Ok(defaults)
}

/// One row while it is checked.
struct Row<'a> {
    validator: &'a Validator,
    record: &'a Record,
    problems: Vec<Problem>,
}

impl<'a> Row<'a> {
    /// The text of a cell without what surrounds it; `None` when it is empty or has no column.
    fn cell(&self, index: usize) -> Option<&'a str> {
        let cell = self.record.cells.get(index)?;
        let cell = match self.validator.mapping.is_refused_file() {
            true => report::without_guard(cell),
            false => cell,
        };
        Some(cell.trim_matches(is_margin)).filter(|text| !text.is_empty())
    }

    fn field(&self, field: Field) -> Option<&'a str> {
        self.validator
            .mapping
            .column_of(field)
            .and_then(|index| self.cell(index))
    }

    fn report(&mut self, index: Option<usize>, kind: ProblemKind) {
        let column = index.map(|index| self.validator.column_names[index].clone());
        self.problems.push(Problem {
            row: self.record.row,
            line: self.record.line,
            column,
            kind,
        });
    }

    fn report_field(&mut self, field: Field, kind: ProblemKind) {
        self.report(self.validator.mapping.column_of(field), kind);
    }

    /// What the source knows to be wrong with a cell that holds this field; none is a custom one.
    fn flaw(&self, index: usize, field: Option<Field>) -> Option<ProblemKind> {
        let mut flaws = self.record.flaws.iter();
        flaws
            .find(|flaw| flaw.cell == Some(index) && !takes(field, flaw.kind))
            .map(|flaw| ProblemKind::Flaw(flaw.kind))
    }

    fn optional<T>(&mut self, field: Field, rule: impl Fn(&str) -> Result<T, ProblemKind>) -> Option<T> {
        let index = self.validator.mapping.column_of(field)?;
        if let Some(kind) = self.flaw(index, Some(field)) {
            self.report(Some(index), kind);
            return None;
        }
        let text = self.cell(index)?;
        plain(text)
            .and_then(|()| rule(text))
            .map_err(|kind| self.report_field(field, kind))
            .ok()
    }

    fn needed<T>(&mut self, field: Field, rule: impl Fn(&str) -> Result<T, ProblemKind>) -> Option<T> {
        let is_flawed = self
            .validator
            .mapping
            .column_of(field)
            .is_some_and(|index| self.flaw(index, Some(field)).is_some());
        if self.field(field).is_none() && !is_flawed {
            self.report_field(field, ProblemKind::Missing);
        }
        self.optional(field, rule)
    }

    /// The member, unless something was wrong.
    fn finish(self, member: impl FnOnce() -> Member) -> Result<Member, Vec<Problem>> {
        match self.problems.is_empty() {
            true => Ok(member()),
            false => Err(self.problems),
        }
    }

    fn custom_fields(&mut self) -> Vec<(String, Vec<FormValue>)> {
        let mut fields = Vec::new();
        for (name, index) in self.validator.mapping.custom_fields() {
            if let Some(kind) = self.flaw(index, None) {
                self.report(Some(index), kind);
                continue;
            }
            let Some(text) = self.cell(index) else { continue };
            let choices: Vec<&str> = text
                .split([';', '；', '|'])
                .map(|choice| choice.trim_matches(is_margin))
                .filter(|c| !c.is_empty())
                .collect();
            let values: Result<Vec<FormValue>, ProblemKind> = if choices.len() > MOST_CHOICES {
                Err(ProblemKind::TooManyChoices {
                    found: choices.len(),
                    limit: MOST_CHOICES,
                })
            } else {
                choices
                    .into_iter()
                    .map(|choice| plain(choice).and_then(|()| sealable(choice)))
                    .collect()
            };
            match values {
                Ok(values) if values.is_empty() => {}
                Ok(values) => fields.push((name.to_owned(), values)),
                Err(kind) => self.report(Some(index), kind),
            }
        }
        fields
    }

    /// The row's own validity, or the default when the row says nothing of it.
    fn validity(&mut self) -> Option<Validity> {
        let has = |field| self.field(field).is_some();
        let (begin, end, days) = (
            has(Field::ValidityBegin),
            has(Field::ValidityEnd),
            has(Field::ValidityDays),
        );
        let default = &self.validator.defaults.validity;
        let kind = match self.optional(Field::ValidityType, validity_type) {
            Some(kind) => kind,
            // A type that cannot be read was reported.
            None if self.field(Field::ValidityType).is_some() => return None,
            None if !begin && !end && !days => {
                if default.is_none() {
                    self.report_field(Field::ValidityType, ProblemKind::Missing);
                }
                return default.clone();
            }
            // Without a type, it is the one that the values belong to; the default's when they belong to both.
            None => match (begin || end, days, default.as_ref().map(Validity::wire_name)) {
                (false, _, _) | (true, true, Some("FIX_TERM")) => "FIX_TERM",
                (true, _, _) => "FIX_TIME_RANGE",
            },
        };
        let fields = [
            (Field::ValidityBegin, begin, "FIX_TIME_RANGE"),
            (Field::ValidityEnd, end, "FIX_TIME_RANGE"),
            (Field::ValidityDays, days, "FIX_TERM"),
        ];
        let problems = self.problems.len();
        for (field, is_given, owner) in fields {
            if is_given && owner != kind {
                self.report_field(field, ProblemKind::ValidityContradiction { validity_type: kind });
            }
        }
        // A type without values of its own takes the default's, if that has the same type.
        let takes_default = !fields.iter().any(|(_, is_given, _)| *is_given);
        if takes_default && let Some(default) = default.as_ref().filter(|default| default.wire_name() == kind)
        {
            return Some(default.clone());
        }
        for (field, is_given, owner) in fields {
            if !is_given && owner == kind {
                self.report_field(field, ProblemKind::ValidityIncomplete { validity_type: kind });
            }
        }
        let validity = match kind {
            "FIX_TIME_RANGE" => self.time_range(),
            "FIX_TERM" => self
                .optional(Field::ValidityDays, term)
                .map(|days| Validity::FixTerm { days }),
            _ => Some(Validity::Permanent),
        };
        validity.filter(|_| self.problems.len() == problems)
    }

    fn time_range(&mut self) -> Option<Validity> {
        let zone = self.validator.defaults.time_zone;
        let begin = self.optional(Field::ValidityBegin, |text| {
            time::moment(text, zone, DayEdge::First)
        });
        let end = self.optional(Field::ValidityEnd, |text| time::moment(text, zone, DayEdge::Last));
        let (
            Moment {
                text: begin,
                timestamp: first,
            },
            Moment {
                text: end,
                timestamp: last,
            },
        ) = (begin?, end?);
        if last <= first {
            self.report_field(Field::ValidityEnd, ProblemKind::ValidityReversed);
        }
        Some(Validity::FixTimeRange { begin, end })
    }
}

/// Whether what a source marks is no flaw of this field.
fn takes(field: Option<Field>, flaw: FlawKind) -> bool {
    match flaw {
        FlawKind::Date => matches!(
            field,
            Some(
                Field::PickupTime
                    | Field::ValidityBegin
                    | Field::ValidityEnd
                    | Field::Common(CommonField::Birthday)
            )
        ),
        FlawKind::Fraction => !matches!(
            field,
            Some(Field::UserCardCode | Field::Openid | Field::RequestNo)
        ),
        _ => false,
    }
}

/// Whether a text is a phone number, which no column is called.
pub(crate) fn is_phone_number(text: &str) -> bool {
    phone::normalize(text.trim_matches(is_margin)).is_ok()
}

/// The rule for every text: three bytes a character at most.
fn plain(text: &str) -> Result<(), ProblemKind> {
    match text.chars().position(|c| c.len_utf8() > 3) {
        Some(position) => Err(ProblemKind::FourByteCharacter {
            position: position + 1,
        }),
        None => Ok(()),
    }
}

fn code(text: &str) -> Result<String, ProblemKind> {
    phone::whole(text)?;
    if let Some(position) = text.chars().position(|c| !c.is_ascii_graphic()) {
        return Err(ProblemKind::CodeCharacter {
            position: position + 1,
        });
    }
    limited(text, 32)
}

fn openid(text: &str) -> Result<String, ProblemKind> {
    match text
        .chars()
        .position(|c| !matches!(c, '0'..='9' | 'a'..='z' | 'A'..='Z' | '-' | '_'))
    {
        Some(position) => Err(ProblemKind::OpenidCharacter {
            position: position + 1,
        }),
        None => limited(text, 128),
    }
}

fn request_no(text: &str) -> Result<String, ProblemKind> {
    match text
        .chars()
        .position(|c| !matches!(c, '0'..='9' | 'a'..='z' | 'A'..='Z' | '-' | '_' | '|' | '*'))
    {
        Some(position) => Err(ProblemKind::RequestNoCharacter {
            position: position + 1,
        }),
        None => limited(text, 32),
    }
}

fn level(text: &str) -> Result<String, ProblemKind> {
    limited(text, 10)
}

fn limited(text: &str, limit: usize) -> Result<String, ProblemKind> {
    match text.chars().count() {
        length if length > limit => Err(ProblemKind::TooLong { length, limit }),
        _ => Ok(text.to_owned()),
    }
}

fn color(text: &str) -> Result<String, ProblemKind> {
    match text.strip_prefix('#') {
        Some(digits) if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Ok(text.to_owned())
        }
        _ => Err(ProblemKind::BadColor),
    }
}

fn url(text: &str) -> Result<String, ProblemKind> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            limited(text, 256)
        }
        _ => Err(ProblemKind::BadUrl),
    }
}

fn common(field: CommonField, text: &str) -> Result<FormValue, ProblemKind> {
    match field {
        CommonField::Sex => match text.to_lowercase().as_str() {
            "男" | "男性" | "male" | "m" => Ok(FormValue::new("男")),
            "女" | "女性" | "female" | "f" => Ok(FormValue::new("女")),
            _ => Err(ProblemKind::UnknownSex),
        },
        CommonField::Birthday => time::birthday(text).map(FormValue::new),
        _ => sealable(text),
    }
}

/// The rule for every text that is encrypted: it fits into one RSA-OAEP ciphertext.
fn sealable(text: &str) -> Result<FormValue, ProblemKind> {
    match text.len() {
        bytes if bytes > SEALABLE_BYTES => Err(ProblemKind::TooLongToSeal {
            bytes,
            limit: SEALABLE_BYTES,
        }),
        _ => Ok(FormValue::new(text)),
    }
}

fn row_time(validator: &Validator, text: &str) -> Result<String, ProblemKind> {
    time::moment(text, validator.defaults.time_zone, DayEdge::First).map(|moment| moment.text)
}

fn validity_type(text: &str) -> Result<&'static str, ProblemKind> {
    match text.to_uppercase().as_str() {
        "FIX_TIME_RANGE" | "固定时间" | "固定时间范围" | "固定时间范围内有效" => {
            Ok("FIX_TIME_RANGE")
        }
        "FIX_TERM" | "固定天数" | "相对时间" | "相对时间范围内有效" => Ok("FIX_TERM"),
        "PERMANENT" | "永久" | "永久有效" | "长期" | "长期有效" => Ok("PERMANENT"),
        _ => Err(ProblemKind::UnknownValidityType),
    }
}

fn term(text: &str) -> Result<u32, ProblemKind> {
    text.parse()
        .ok()
        .filter(|days| (1..=MOST_DAYS).contains(days))
        .ok_or(ProblemKind::BadDays)
}

/// White space and the invisible marks that come with numbers copied from address books.
fn is_margin(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

const COMMON_FIELDS: [CommonField; 6] = [
    CommonField::Sex,
    CommonField::Name,
    CommonField::Birthday,
    CommonField::Address,
    CommonField::Email,
    CommonField::City,
];
/// What RSA-OAEP with SHA-1 has room for under a key of 2048 bits.
const SEALABLE_BYTES: usize = 214;
const MOST_DAYS: u32 = 10_958;
const MOST_CHOICES: usize = 10;

#[cfg(test)]
mod tests;
