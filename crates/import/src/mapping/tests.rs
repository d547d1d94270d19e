//! Names of columns, and who wins.

use proptest::prelude::*;

use super::*;
use crate::{member::Validity, source::CsvRecords};

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
    insta::assert_snapshot!(error, @"columns 1 (`手机号`) and 3 (`Mobile`) both mean `phone_number`; rename or remove one, or choose with `--map phone_number=COLUMN`");
}

#[test]
fn a_file_without_a_header_is_refused_without_showing_it() {
    let columns = ["13800138000", "A1", "张三"].map(str::to_owned);
    let error = Mapping::detect(&columns, Route::default(), &defaults()).unwrap_err();
    insta::assert_snapshot!(error, @"there seems to be no header line: one of the names of the columns is a phone number");
    let columns = ["+86 138-0013-8000", "A1"].map(str::to_owned);
    let by_number =
        defaults().with_columns(["phone_number=#1", "user_card_code=#2"].map(|text| text.parse().unwrap()));
    assert_eq!(
        Mapping::detect(&columns, Route::default(), &by_number),
        Err(MappingError::NoHeader)
    );
}

#[test]
fn a_header_below_other_lines_is_found_and_not_used() {
    #[track_caller]
    fn check(list: &str, expect: &str) {
        let mut records = CsvRecords::new("m.csv", list.as_bytes()).unwrap();
        let error = Mapping::of_records(&mut records, Route::default(), &Defaults::default()).unwrap_err();
        assert_eq!(error.to_string(), expect);
    }
    let missing = |line, columns| {
        format!(
            "line {line}: none of the {columns} columns is `phone_number`; name it, for example, `手机号`"
        )
    };
    check(
        "\n会员名单\n\n手机号,卡号,姓名\n13800138000,A1,张三\n",
        "line 2 does not name the columns; the header seems to be on line 4: delete what stands above it",
    );
    check("\n会员名单,\n联系,卡号\n13800138000,A1\n", &missing(2, 2));
    let far = |lines: usize| format!("{}手机号,卡号\n", "会员名单\n".repeat(lines));
    check(
        &far(LOOK_BELOW),
        "line 1 does not name the columns; the header seems to be on line 21: delete what stands above it",
    );
    check(&far(LOOK_BELOW + 1), &missing(1, 1));
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

fn assigned(columns: &[&str], assignments: &[&str]) -> Result<Mapping, MappingError> {
    let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    let assignments = assignments.iter().map(|text| text.parse().unwrap());
    let defaults = defaults()
        .with_columns(assignments)
        .with_custom_fields(["喜欢的运动"]);
    Mapping::detect(&columns, Route::default(), &defaults)
}

#[test]
fn an_assigned_column_wins_over_names() {
    let mapping = assigned(&["手机号", "联系电话", "卡号", "x"], &["phone_number=联系电话"]).unwrap();
    assert_eq!(mapping.column_of(Field::PhoneNumber), Some(1));
    assert_eq!(mapping.ignored(), ["手机号", "x"]);
    let mapping = assigned(
        &["a", "b", "手机"],
        &["phone_number=#2", "会员卡号=A", "喜欢的运动=手机"],
    )
    .unwrap();
    assert_eq!(mapping.column_of(Field::PhoneNumber), Some(1));
    assert_eq!(mapping.column_of(Field::UserCardCode), Some(0));
    assert_eq!(mapping.custom_fields().collect::<Vec<_>>(), [("喜欢的运动", 2)]);
}

#[test]
fn assignments_that_cannot_be_are_refused() {
    #[track_caller]
    fn check(assignments: &[&str], expect: &str) {
        let error = assigned(&["手机号", "卡号"], assignments).unwrap_err();
        assert_eq!(error.to_string(), expect);
    }
    check(
        &["phone_number=Tel"],
        "line 1: none of the 2 columns is `Tel`, which is assigned to `phone_number`",
    );
    check(
        &["phone_number=#3"],
        "line 1: none of the 2 columns is `#3`, which is assigned to `phone_number`",
    );
    check(&["level=手机号", "phone_number=#1"], "`手机号` is assigned twice");
    check(&["level=手机号", "level=卡号"], "`level` is assigned twice");
    check(
        &["shoe_size=卡号"],
        "a member has no field `shoe_size`; a custom field has to be named in `custom_fields`",
    );
    for text in ["", "=", "phone_number", "phone_number= ", "=手机号"] {
        assert_eq!(text.parse::<Assignment>(), Err(AssignmentError), "{text}");
    }
}

#[test]
fn a_route_takes_what_it_has_a_use_for() {
    let columns = ["手机号", "卡号", "openid", "等级"].map(str::to_owned);
    let ignored = |route| {
        Mapping::detect(&columns, route, &defaults())
            .unwrap()
            .ignored()
            .to_vec()
    };
    assert_eq!(ignored(Route::ImportByPhone), ["openid"]);
    assert_eq!(ignored(Route::ImportByOpenid), [""; 0]);
    assert_eq!(ignored(Route::PhoneMembercard), ["openid", "等级"]);
    let error = Mapping::detect(&columns[..2], Route::ImportByOpenid, &defaults()).unwrap_err();
    insta::assert_snapshot!(error, @"line 1: none of the 2 columns is `openid`; name it, for example, `用户标识`");
    assert!(Mapping::detect(&columns[..1], Route::PhoneMembercard, &Defaults::default()).is_ok());
}

#[test]
fn traditional_characters_say_the_same() {
    check("入會時間", Field::PickupTime);
    check("會員等級", Field::Level);
    check("性別", Field::Common(CommonField::Sex));
    check("電子郵箱", Field::Common(CommonField::Email));
    check("有效期結束日期", Field::ValidityEnd);
}
