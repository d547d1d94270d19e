//! Which column is which field: by the names people give their columns, in Chinese and English.
//!
//! Names are compared without case, spaces, full width, punctuation and anything in parentheses at the end, so
//! `*手机号（必填）` and `Phone Number` are found. A column that nobody knows is ignored and reported.

use thiserror::Error;

use crate::{defaults::Defaults, job::Route, member::CommonField, source::shown};

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
    /// Finds the fields among the names of the columns.
    ///
    /// The four columns that a file of refused rows has at its end are passed over, so that such a file is
    /// imported again as it is.
    ///
    /// # Errors
    ///
    /// [`MappingError`] when a needed field is missing, or has two columns.
    pub fn detect(columns: &[String], route: Route, defaults: &Defaults) -> Result<Self, MappingError> {
        let own = own_columns(columns);
        let mut mapping = Self {
            fields: Vec::new(),
            custom: Vec::new(),
            ignored: Vec::new(),
            names: columns.iter().map(|name| shown(name)).collect(),
            is_refused_file: own < columns.len(),
        };
        for (index, column) in columns[..own].iter().enumerate() {
            let key = key(column);
            let custom = defaults.custom_fields.iter().find(|name| self::key(name) == key);
            if let Some(name) = custom {
                if let Some(&(_, first)) = mapping.custom.iter().find(|(known, _)| known == name) {
                    return Err(mapping.ambiguous("custom field", first, index));
                }
                mapping.custom.push((name.clone(), index));
                continue;
            }
            let known = SYNONYMS.iter().find(|(_, names)| names.contains(&key.as_str()));
            match known {
                Some(&(field, _)) => {
                    if let Some(first) = mapping.column_of(field) {
                        return Err(mapping.ambiguous(field.name(), first, index));
                    }
                    mapping.fields.push((field, index));
                }
                None => mapping.ignored.push(mapping.names[index].clone()),
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
                return Err(MappingError::MissingColumn { field, columns: own });
            }
        }
        Ok(mapping)
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

/// Why the columns do not make a member.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum MappingError {
    /// Two columns for one field.
    #[error(
        "columns {first_column} (`{first}`) and {second_column} (`{second}`) both mean `{field}`; rename or remove one"
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
        "line 1: none of the {columns} columns is `{name}`; name it, for example, `{example}`{default}",
        name = field.name(), example = example(*field), default = default_hint(*field)
    )]
    MissingColumn {
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

/// A name without what people add to it.
fn key(name: &str) -> String {
    let half_width = name.chars().map(|c| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        other => other,
    });
    let mut text: String = half_width.flat_map(char::to_lowercase).collect();
    // A remark at the end, `(必填)`, unless it is the whole name.
    if let (true, Some(open)) = (text.trim_end().ends_with(')'), text.find('('))
        && !text[..open].trim().is_empty()
    {
        text.truncate(open);
    }
    text.retain(|c| c.is_alphanumeric());
    text
}

/// The first name of each field is the API's, for messages; the second is the example in them. All but the first are
/// written as [`key`] leaves a name.
const SYNONYMS: &[(Field, &[&str])] = &[
    (
        Field::PhoneNumber,
        &[
            "phone_number",
            "手机号",
            "手机",
            "手机号码",
            "电话",
            "电话号码",
            "联系电话",
            "移动电话",
            "会员手机号",
            "会员手机",
            "注册手机号",
            "phonenumber",
            "phone",
            "mobile",
            "mobilephone",
            "mobilenumber",
            "cellphone",
            "tel",
            "telephone",
        ],
    ),
    (
        Field::Openid,
        &["openid", "用户标识", "openid", "wxopenid", "微信openid"],
    ),
    (
        Field::RequestNo,
        &[
            "out_request_no",
            "商家请求单号",
            "请求单号",
            "outrequestno",
            "requestno",
        ],
    ),
    (
        Field::UserCardCode,
        &[
            "user_card_code",
            "会员卡号",
            "会员卡code",
            "会员号",
            "会员编号",
            "卡号",
            "会员code",
            "usercardcode",
            "code",
            "cardcode",
            "cardno",
            "cardnumber",
            "membercode",
            "memberno",
            "membernumber",
            "memberid",
            "会员id",
        ],
    ),
    (
        Field::Level,
        &[
            "level",
            "等级",
            "会员等级",
            "会员级别",
            "级别",
            "memberlevel",
            "tier",
            "level",
        ],
    ),
    (
        Field::CardColor,
        &[
            "card_color",
            "卡颜色",
            "卡背景颜色",
            "颜色",
            "cardcolor",
            "color",
            "colour",
        ],
    ),
    (
        Field::CardPictureUrl,
        &[
            "card_picture_url",
            "卡图片",
            "图片",
            "卡图片地址",
            "cardpictureurl",
            "pictureurl",
        ],
    ),
    (
        Field::Common(CommonField::Name),
        &[
            "name",
            "姓名",
            "名字",
            "会员姓名",
            "客户姓名",
            "fullname",
            "membername",
            "name",
        ],
    ),
    (
        Field::Common(CommonField::Sex),
        &["sex", "性别", "会员性别", "gender", "sex"],
    ),
    (
        Field::Common(CommonField::Birthday),
        &[
            "birthday",
            "生日",
            "出生日期",
            "会员生日",
            "birthdate",
            "dateofbirth",
            "birthday",
        ],
    ),
    (
        Field::Common(CommonField::City),
        &["city", "城市", "所在城市", "city"],
    ),
    (
        Field::Common(CommonField::Address),
        &[
            "address",
            "地址",
            "联系地址",
            "住址",
            "详细地址",
            "通讯地址",
            "address",
        ],
    ),
    (
        Field::Common(CommonField::Email),
        &[
            "email",
            "邮箱",
            "电子邮箱",
            "电子邮件",
            "邮件",
            "emailaddress",
            "mail",
            "email",
        ],
    ),
    (
        Field::PickupTime,
        &[
            "pickup_time",
            "领取时间",
            "领卡时间",
            "入会时间",
            "入会日期",
            "开卡时间",
            "开卡日期",
            "注册时间",
            "注册日期",
            "领取日期",
            "pickuptime",
            "joinedat",
            "joinedon",
            "jointime",
            "joindate",
            "registeredat",
        ],
    ),
    (
        Field::ValidityType,
        &[
            "validity_type",
            "有效期类型",
            "有效类型",
            "validitytype",
            "validdatetype",
        ],
    ),
    (
        Field::ValidityBegin,
        &[
            "available_begin_time",
            "有效期开始",
            "有效期开始时间",
            "有效期开始日期",
            "生效时间",
            "生效日期",
            "availablebegintime",
            "validfrom",
            "validitybegin",
        ],
    ),
    (
        Field::ValidityEnd,
        &[
            "available_end_time",
            "有效期结束",
            "有效期结束时间",
            "有效期结束日期",
            "失效时间",
            "失效日期",
            "到期时间",
            "到期日期",
            "availableendtime",
            "validuntil",
            "validto",
            "validityend",
        ],
    ),
    (
        Field::ValidityDays,
        &[
            "available_day_after_receive",
            "有效期天数",
            "有效天数",
            "领取后有效天数",
            "availabledayafterreceive",
            "validdays",
            "validitydays",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::member::Validity;

    fn defaults() -> Defaults {
        Defaults {
            validity: Some(Validity::Permanent),
            pickup_time: Some("2024-01-01T00:00:00+08:00".into()),
            ..Defaults::default()
        }
    }

    #[track_caller]
    fn check(header: &str, field: Field) {
        let columns = ["手机", "卡号", header].map(str::to_owned);
        let mapping = Mapping::detect(&columns, Route::default(), &defaults()).unwrap();
        assert_eq!(mapping.column_of(field), Some(2), "{header}");
    }

    #[test]
    fn names_are_found_however_people_write_them() {
        check("姓名（必填）", Field::Common(CommonField::Name));
        check(" Ｎａｍｅ ", Field::Common(CommonField::Name));
        check("*入会 时间(YYYY-MM-DD)", Field::PickupTime);
        check("Joined At", Field::PickupTime);
        check("E-mail", Field::Common(CommonField::Email));
        check("available_end_time", Field::ValidityEnd);
        check("validity_type", Field::ValidityType);
        check("LEVEL", Field::Level);
    }

    #[test]
    fn every_synonym_is_written_as_it_is_compared_and_belongs_to_one_field() {
        let mut seen = std::collections::HashMap::new();
        for (field, names) in SYNONYMS {
            for name in &names[1..] {
                assert_eq!(key(name), *name);
                assert_eq!(*seen.entry(*name).or_insert(field), field, "{name}");
            }
            assert!(
                names[1..].contains(&key(names[0]).as_str()) || names[1..].contains(&names[0]),
                "{names:?}"
            );
        }
    }

    #[test]
    fn two_columns_for_one_field_are_refused() {
        let columns = ["手机号", "卡号", "Mobile"].map(str::to_owned);
        let error = Mapping::detect(&columns, Route::default(), &defaults()).unwrap_err();
        insta::assert_snapshot!(error, @"columns 1 (`手机号`) and 3 (`Mobile`) both mean `phone_number`; rename or remove one");
    }

    #[test]
    fn a_file_without_a_header_is_refused_without_showing_it() {
        let columns = ["13800138000", "A1", "张三"].map(str::to_owned);
        let error = Mapping::detect(&columns, Route::default(), &defaults()).unwrap_err();
        insta::assert_snapshot!(error, @"line 1: none of the 3 columns is `phone_number`; name it, for example, `手机号`");
    }

    #[test]
    fn what_has_no_column_needs_a_default() {
        let columns = ["手机号", "卡号"].map(str::to_owned);
        let error = Mapping::detect(&columns, Route::default(), &Defaults::default()).unwrap_err();
        insta::assert_snapshot!(error, @"line 1: none of the 2 columns is `pickup_time`; name it, for example, `领取时间`, or set a default for all rows");
    }

    #[test]
    fn a_file_of_refused_rows_is_known_by_its_last_columns() {
        let columns = ["手机号", "卡号", "row", "code", "message", "request_id"].map(str::to_owned);
        let mapping = Mapping::detect(&columns, Route::default(), &defaults()).unwrap();
        assert!(mapping.is_refused_file());
        assert_eq!(mapping.column_of(Field::UserCardCode), Some(1));
        assert_eq!(mapping.ignored(), &[] as &[String]);
    }

    proptest! {
        #[test]
        fn no_header_panics(columns in proptest::collection::vec(".{0,20}", 0..12)) {
            let _ = Mapping::detect(&columns, Route::default(), &defaults());
        }
    }
}
