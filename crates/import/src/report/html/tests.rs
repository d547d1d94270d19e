//! What stands on the page of a report, and what never does.

use super::*;
use crate::{
    job::{JobId, Route},
    ledger::{CodeCount, Counts, JobReport, Slot},
};

fn report() -> Report {
    let counts = Counts {
        queued: 0,
        leased: 0,
        imported: 1180,
        present: 10,
        refused: 8,
        unknown: 2,
    };
    let outcome = |state, code: &str, message: &str, rows| CodeCount {
        state,
        code: code.to_owned(),
        message: message.to_owned(),
        rows,
    };
    Report {
        job: JobReport {
            id: JobId::of(&[0x3f, 0x2a, 1, 2, 3, 4]),
            source_name: "<members> & \"friends\".csv".to_owned(),
            mchid: "1900000109".to_owned(),
            brand_id: "1004".to_owned(),
            card_id: "pbLatjvWOibDc5-TBnbUk1pD12o0".to_owned(),
            base_url: "https://api.mch.weixin.qq.com".to_owned(),
            route: Route::ImportByPhone,
            rows: 1200,
            is_loaded: true,
            is_paused: false,
            is_purged: false,
            counts,
            created_at: 1_796_000_000,
            updated_at: 1_796_000_240,
            key: 1,
        },
        outcomes: vec![
            outcome(RowState::Imported, "", "", 1180),
            outcome(RowState::Refused, "PARAM_ERROR", "=cmd|' /C calc'!A0", 3),
            outcome(
                RowState::Refused,
                "ROW_BAD_PHONE_NUMBER",
                "column `<script>`: is empty",
                5,
            ),
        ],
        timeline: (0..240)
            .step_by(2)
            .map(|second| Slot {
                at: 1_796_000_000 + second,
                seconds: 2,
                imported: 10,
                refused: u64::from(second % 60 == 0),
                ..Slot::default()
            })
            .collect(),
    }
}

/// The times of a ledger that came to harm on the disk.
#[test]
fn a_page_has_times_without_end_too() {
    let mut report = report();
    report.timeline = vec![Slot {
        at: i64::MAX - 1,
        seconds: i64::MAX,
        unknown: 1,
        ..Slot::default()
    }];
    report.job.created_at = i64::MIN;
    report.job.updated_at = i64::MAX;
    assert!(report.to_html(Language::English).contains("From - to -"));
}

#[test]
fn a_page_tells_the_outcome_the_rate_and_the_refusals() {
    let page = report().to_html(Language::English);
    for words in [
        "1190 of 1200 members have the card",
        "ROW_BAD_PHONE_NUMBER",
        "From 2026-11-30 08:53:20 +08:00 to 2026-11-30 08:57:20 +08:00; at most 5.5 rows a second",
        "<html lang=\"en\">",
        "98.3 %",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let page = report().to_html(Language::Chinese);
    for words in [
        "名单共 1200 人，其中 1190 人已有会员卡",
        "<html lang=\"zh-CN\">",
        "错误码",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

/// The one file is all there is: nothing is fetched, nothing runs, and no name breaks out of its place.
#[test]
fn nothing_from_outside_is_markup_and_nothing_is_fetched() {
    let page = report().to_html(Language::English);
    assert!(
        page.contains("&lt;members&gt; &amp; &quot;friends&quot;.csv"),
        "{page}"
    );
    assert!(page.contains("column `&lt;script&gt;`: is empty"));
    for forbidden in [
        "<script", "<link", "<img", "<iframe", "src=", "href=", "@import", "url(",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn a_job_without_rows_or_time_has_a_page_too() {
    let mut report = report();
    report.job.counts = Counts::default();
    report.job.rows = 0;
    report.job.is_loaded = false;
    report.job.created_at = 0;
    report.outcomes.clear();
    report.timeline.clear();
    let page = report.to_html(Language::English);
    assert!(page.contains("Still being loaded") && page.contains("Nothing has come to an end yet."));
    assert!(
        page.contains("No row was refused.") && !page.contains("NaN"),
        "{page}"
    );
}

#[test]
fn csv_adds_up_and_holds_no_formula() {
    let csv = report().to_csv();
    let text = csv.strip_prefix('\u{FEFF}').unwrap();
    insta::assert_snapshot!(text.replace("\r\n", "\n"), @r"
    state,code,rows,message
    imported,,1180,
    present,,10,
    refused,PARAM_ERROR,3,'=cmd|' /C calc'!A0
    refused,ROW_BAD_PHONE_NUMBER,5,column `<script>`: is empty
    unknown,,2,
    ");
}

#[test]
fn json_has_a_version_and_everything() {
    let json: serde_json::Value = serde_json::from_str(&report().to_json().unwrap()).unwrap();
    assert_eq!(json["format_version"], 1);
    assert_eq!(json["job"]["counts"]["imported"], 1180);
    assert_eq!(json["job"]["route"], "import-by-phone");
    assert_eq!(json["outcomes"][1]["state"], "refused");
    assert_eq!(json["timeline"][0]["seconds"], 2);
}

#[track_caller]
fn check_share(part: u64, all: u64, expected: &str) {
    assert_eq!(share(part, all), expected);
}

#[test]
fn a_share_is_never_rounded_to_all_or_nothing() {
    check_share(0, 1000, "0 %");
    check_share(1, 1_000_000, "< 0.1 %");
    check_share(1, 3, "33.3 %");
    check_share(999_999, 1_000_000, "> 99.9 %");
    check_share(5, 5, "100 %");
    check_share(0, 0, "-");
}

#[test]
fn numbers_are_grouped_by_thousands() {
    for (number, expected) in [
        (0, "0"),
        (999, "999"),
        (1000, "1\u{202F}000"),
        (1_234_567, "1\u{202F}234\u{202F}567"),
    ] {
        assert_eq!(grouped(number), expected);
    }
}
