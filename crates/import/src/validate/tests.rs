//! Rows against the rules.

use proptest::prelude::*;
use wxmember_crypto::Plaintext;

use super::*;
use crate::source::{FileSource, Flaw, Source, SourceOptions};

fn profile() -> Profile {
    Profile::new("1900000001", "1004", "card", "https://example.com")
}

fn validator(header: &str, defaults: Defaults) -> Validator {
    let columns: Vec<String> = header.split(',').map(str::to_owned).collect();
    Validator::new(
        profile(),
        Route::default(),
        Mapping::detect(&columns, Route::default(), &defaults).unwrap(),
        defaults,
    )
    .unwrap()
}

fn record(cells: &str) -> Record {
    Record {
        row: 7,
        line: 9,
        cells: cells.split(',').map(str::to_owned).collect(),
        ..Record::default()
    }
}

#[test]
fn codes_that_passed_for_numbers_are_refused() {
    for (code, expect) in [
        ("478515832665.0", Some("ROW_DECIMAL_POINT")),
        ("0.0", Some("ROW_DECIMAL_POINT")),
        ("4.785e11", Some("ROW_SCIENTIFIC_NOTATION")),
        ("4.785E+11", Some("ROW_SCIENTIFIC_NOTATION")),
        ("12E3", None),
        ("1.2.0", None),
        ("A1.0", None),
    ] {
        let defaults = Defaults {
            validity: Some(Validity::Permanent),
            ..Defaults::default()
        };
        let found = validator("手机号,卡号,领取时间", defaults)
            .member(&record(&format!("13800138000,{code},2024-01-02")))
            .err()
            .map(|problems| problems[0].kind.code());
        assert_eq!(found, expect, "{code}");
    }
}

#[test]
fn a_date_of_a_spreadsheet_is_taken_where_a_date_is_asked_for() {
    let header = "手机号,卡号,姓名,生日,领取时间,等级,积分";
    let defaults = Defaults {
        validity: Some(Validity::Permanent),
        custom_fields: vec!["积分".into()],
        ..Defaults::default()
    };
    let validator = validator(header, defaults);
    let mut record = record("13800138000,A1,张三,1990-01-02,2024-01-02,金卡,12.5");
    record.flaws = [3, 4]
        .map(|cell| Flaw::of_cell(cell, FlawKind::Date))
        .into_iter()
        .chain([Flaw::of_cell(6, FlawKind::Fraction)])
        .collect();
    assert!(validator.member(&record).is_ok());
    for (cell, column) in [(1, "卡号"), (2, "姓名"), (5, "等级"), (6, "积分")] {
        record.flaws = vec![Flaw::of_cell(cell, FlawKind::Date)];
        let problems = validator.member(&record).unwrap_err();
        assert_eq!(problems.len(), 1, "{column}");
        assert_eq!(problems[0].kind, ProblemKind::Flaw(FlawKind::Date));
        assert_eq!(problems[0].column.as_deref(), Some(column));
    }
    record.flaws = vec![Flaw::of_cell(1, FlawKind::Fraction)];
    let problems = validator.member(&record).unwrap_err();
    assert_eq!(problems[0].kind.code(), "ROW_CELL_FRACTION");
}

const HEADER: &str = "手机号,卡号,姓名,领取时间,有效期类型,有效期开始,有效期结束,有效期天数";

fn problems(validator: &Validator, cells: &str) -> Vec<String> {
    validator
        .member(&record(cells))
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[track_caller]
fn check_validity(default: Option<Validity>, cells: &str, expect: Result<&str, &[ProblemKind]>) {
    let defaults = Defaults {
        validity: default,
        ..Defaults::default()
    };
    let member = validator(HEADER, defaults).member(&record(&format!("13800138000,A1,,2024-01-02,{cells}")));
    match (member, expect) {
        (Ok(member), Ok(expect)) => assert_eq!(member.validity.unwrap().to_string(), expect),
        (Err(problems), Err(expect)) => {
            assert_eq!(
                problems
                    .iter()
                    .map(|problem| problem.kind.clone())
                    .collect::<Vec<_>>(),
                expect
            );
        }
        (found, _) => panic!("{found:?} is not {expect:?}"),
    }
}

#[test]
fn a_good_row_is_a_member() {
    let defaults = Defaults::default()
        .with_validity(Validity::Permanent)
        .with_custom_fields(["喜欢的运动"]);
    let validator = validator("手机号,卡号,性别,生日,领取时间,喜欢的运动,备注", defaults);
    let member = validator
        .member(&record(
            "\u{202D}+86 138 0013 8000\u{202C},A-1, Male ,1990年1月2日,2024/1/2,篮球；跑步|,x",
        ))
        .unwrap();
    assert_eq!(member.phone_number.as_ref().unwrap().expose(), "13800138000");
    assert_eq!(
        (member.brand_id.as_str(), member.card_id.as_str()),
        ("1004", "card")
    );
    let common: Vec<_> = member
        .common_fields
        .iter()
        .map(|(field, value)| (field.wire_name(), value.expose()))
        .collect();
    assert_eq!(
        common,
        [
            ("USER_FORM_FLAG_SEX", "男"),
            ("USER_FORM_FLAG_BIRTHDAY", "1990-01-02")
        ]
    );
    let custom: Vec<_> = member.custom_fields[0].1.iter().map(Plaintext::expose).collect();
    assert_eq!(
        (member.custom_fields[0].0.as_str(), custom),
        ("喜欢的运动", vec!["篮球", "跑步"])
    );
    assert_eq!(member.pickup_time.as_deref(), Some("2024-01-02T00:00:00+08:00"));
    assert_eq!(validator.mapping().ignored(), ["备注"]);
}

#[test]
fn a_row_tells_all_its_problems_with_row_line_and_column() {
    let validator = validator(HEADER, Defaults::default());
    assert_eq!(
        problems(&validator, "123,A 1,🙂,,,,,"),
        [
            "row 7 (line 9), column `手机号`: not a mobile number of mainland China",
            "row 7 (line 9), column `卡号`: character 2 is not allowed; a code has digits, English letters and half-width punctuation",
            "row 7 (line 9), column `姓名`: character 1 is an emoji or a rare character of four bytes, which the platform refuses",
            "row 7 (line 9), column `有效期类型`: is empty",
            "row 7 (line 9), column `领取时间`: is empty",
        ]
    );
}

#[test]
fn rows_of_another_width_are_refused_unless_what_is_too_much_is_empty() {
    let validator = validator(
        "手机号,卡号,领取时间",
        Defaults::default().with_validity(Validity::Permanent),
    );
    assert_eq!(
        problems(&validator, "13800138000,A1"),
        ["row 7 (line 9): has 2 cells where the header has 3"]
    );
    assert_eq!(
        problems(&validator, "13800138000,A1,2024-01-02,x"),
        ["row 7 (line 9): has 4 cells where the header has 3"]
    );
    assert!(validator.member(&record("13800138000,A1,2024-01-02,, ")).is_ok());
}

#[test]
fn a_validity_has_what_its_type_needs_and_nothing_else() {
    use ProblemKind::{
        BadDays, UnknownValidityType, ValidityContradiction, ValidityIncomplete, ValidityReversed,
    };
    let range = "FIX_TIME_RANGE 2024-01-01T00:00:00+08:00 2024-12-31T23:59:59+08:00";
    check_validity(None, "永久有效,,,", Ok("PERMANENT"));
    check_validity(None, "fix_term,,,365", Ok("FIX_TERM 365"));
    check_validity(None, "固定时间,2024-01-01,2024-12-31,", Ok(range));
    check_validity(None, ",2024-01-01,2024-12-31,", Ok(range));
    check_validity(None, ",,,30", Ok("FIX_TERM 30"));
    check_validity(Some(Validity::Permanent), ",,,", Ok("PERMANENT"));
    check_validity(
        Some(Validity::FixTerm { days: 9 }),
        "FIX_TERM,,,",
        Ok("FIX_TERM 9"),
    );
    check_validity(Some(Validity::FixTerm { days: 9 }), ",,,10", Ok("FIX_TERM 10"));
    check_validity(Some(Validity::Permanent), ",,,10", Ok("FIX_TERM 10"));
    check_validity(Some(Validity::Permanent), ",2024-01-01,2024-12-31,", Ok(range));
    check_validity(
        Some(Validity::FixTerm { days: 9 }),
        ",2024-01-01,2024-12-31,",
        Ok(range),
    );
    check_validity(
        Some(Validity::Permanent),
        ",,2024-12-31,",
        Err(&[ValidityIncomplete {
            validity_type: "FIX_TIME_RANGE",
        }]),
    );
    check_validity(
        Some(Validity::Permanent),
        "永久有效,,,10",
        Err(&[ValidityContradiction {
            validity_type: "PERMANENT",
        }]),
    );
    check_validity(None, "两年,,,", Err(&[UnknownValidityType]));
    check_validity(
        None,
        "FIX_TERM,,,",
        Err(&[ValidityIncomplete {
            validity_type: "FIX_TERM",
        }]),
    );
    check_validity(None, "FIX_TERM,,,0", Err(&[BadDays]));
    check_validity(None, "FIX_TERM,,,10958", Ok("FIX_TERM 10958"));
    check_validity(None, "FIX_TERM,,,10959", Err(&[BadDays]));
    check_validity(
        None,
        "FIX_TIME_RANGE,2024-01-01,,",
        Err(&[ValidityIncomplete {
            validity_type: "FIX_TIME_RANGE",
        }]),
    );
    check_validity(
        None,
        "FIX_TIME_RANGE,2024-12-31,2024-01-01,",
        Err(&[ValidityReversed]),
    );
    check_validity(
        None,
        "FIX_TIME_RANGE,2024-01-01,2024-12-31,200",
        Err(&[ValidityContradiction {
            validity_type: "FIX_TIME_RANGE",
        }]),
    );
}

#[test]
fn lengths_end_where_the_platform_says() {
    let kind = |header: &str, value: String| {
        let header = if header == "卡号" {
            "手机号,卡号"
        } else {
            &format!("手机号,{header},卡号")
        };
        let cells = if header == "手机号,卡号" {
            format!("13800138000,{value}")
        } else {
            format!("13800138000,{value},A1")
        };
        let defaults = Defaults::default()
            .with_validity(Validity::Permanent)
            .with_pickup_time("2024-01-01");
        validator(header, defaults)
            .member(&record(&cells))
            .err()
            .map(|problems| problems[0].kind.clone())
    };
    assert_eq!(kind("卡号", "x".repeat(32)), None);
    assert_eq!(
        kind("卡号", "x".repeat(33)),
        Some(ProblemKind::TooLong {
            length: 33,
            limit: 32
        })
    );
    assert_eq!(
        kind("卡号", "4.78516E+11".into()),
        Some(ProblemKind::ScientificNotation)
    );
    assert_eq!(kind("等级", "钻".repeat(10)), None);
    assert_eq!(
        kind("等级", "钻".repeat(11)),
        Some(ProblemKind::TooLong {
            length: 11,
            limit: 10
        })
    );
    assert_eq!(kind("地址", "x".repeat(214)), None);
    assert_eq!(
        kind("地址", "x".repeat(215)),
        Some(ProblemKind::TooLongToSeal {
            bytes: 215,
            limit: 214
        })
    );
    assert_eq!(kind("颜色", "#FFff00".into()), None);
    assert_eq!(kind("颜色", "#FFff0".into()), Some(ProblemKind::BadColor));
    assert_eq!(kind("图片", format!("https://{}", "x".repeat(248))), None);
    assert_eq!(
        kind("图片", format!("https://{}", "x".repeat(249))),
        Some(ProblemKind::TooLong {
            length: 257,
            limit: 256
        })
    );
    assert_eq!(kind("图片", "javascript:x".into()), Some(ProblemKind::BadUrl));
}

#[test]
fn defaults_obey_the_rules_of_rows() {
    let check = |defaults: Defaults| {
        let columns = ["手机号", "卡号", "领取时间", "有效期类型"].map(str::to_owned);
        let mapping = Mapping::detect(&columns, Route::default(), &defaults).unwrap();
        Validator::new(profile(), Route::default(), mapping, defaults)
            .err()
            .map(|error| error.to_string())
    };
    assert_eq!(check(Defaults::default()), None);
    assert_eq!(
        check(Defaults::default().with_pickup_time("soon")).as_deref(),
        Some(
            "the default for `pickup_time` is unusable: not a time; write it as 2024-01-31 or 2024-01-31 08:30:00"
        )
    );
    assert!(check(Defaults::default().with_validity(Validity::FixTerm { days: 0 })).is_some());
    assert!(
        check(Defaults {
            level: Some("🙂".into()),
            ..Defaults::default()
        })
        .is_some()
    );
}

#[test]
fn nothing_that_is_shown_holds_a_value() {
    const MARKER: &str = "MARKER";
    let validator = validator(HEADER, Defaults::default());
    let row = record(&[MARKER; 8].join(","));
    let shown = format!("{:?} {row:?}", validator.member(&row).unwrap_err());
    assert!(
        !shown.contains(MARKER)
            && !problems(&validator, &[MARKER; 8].join(","))
                .concat()
                .contains(MARKER)
    );
    let member = validator
        .member(&record("13800138000,A1,MARKER,2024-01-02,PERMANENT,,,"))
        .unwrap();
    let shown = format!("{member:?}");
    assert!(!shown.contains(MARKER) && !shown.contains("13800138000"));
}

proptest! {
    #[test]
    fn no_cells_panic_and_what_passes_can_be_sealed(
        cells in proptest::collection::vec(prop_oneof![
            ".{0,12}", "[0-9年月日:/ .+-]{0,20}", Just("13800138000".to_owned()), Just("A1".to_owned()),
            Just("2024-01-02".to_owned()), Just("PERMANENT".to_owned()), Just(String::new()),
        ], 0..10)
    ) {
        let validator = validator(HEADER, Defaults::default().with_validity(Validity::Permanent));
        match validator.member(&Record { row: 1, line: 2, cells, ..Record::default() }) {
            Ok(member) => {
                prop_assert_eq!(member.phone_number.as_ref().unwrap().expose().len(), 11);
                prop_assert!(member.user_card_code.is_some_and(|code| (1..=32).contains(&code.len()) && code.is_ascii()));
                prop_assert!(member.common_fields.iter().all(|(_, value)| (1..=214).contains(&value.expose().len())));
            }
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }
}

#[test]
fn the_examples_hold_the_same_members_in_every_format() {
    let members = |name: &str| -> Vec<Member> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let source = FileSource::open(path.join(name), SourceOptions::default()).unwrap();
        let mut records = source.open().unwrap();
        let defaults = Defaults::default().with_validity(Validity::Permanent);
        let mapping = Mapping::detect(records.columns(), Route::default(), &defaults).unwrap();
        let validator = Validator::new(profile(), Route::default(), mapping, defaults).unwrap();
        let mut record = Record::default();
        let mut members = Vec::new();
        while records.read(&mut record).unwrap() {
            members.push(validator.member(&record).unwrap());
        }
        members
    };
    let plain = members("members.csv");
    assert_eq!(plain.len(), 1000);
    for name in ["members-gbk.csv", "members.xlsx", "members.ndjson"] {
        assert!(members(name) == plain, "{name}");
    }
}
