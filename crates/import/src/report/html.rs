//! A report as one HTML page: no script, no network, readable on a phone, in the dark, and by a screen reader.
//!
//! Everything that comes from outside (names, codes, messages) goes through the template's escaping.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::words::Words;
use super::job::{Language, Report};
use crate::ledger::RowState;

mod chart;
mod words;

/// The whole page.
pub(super) fn render(report: &Report, language: Language) -> String {
    let words = Words::of(language);
    let job = &report.job;
    let page = html! {
        (DOCTYPE)
        html lang=(words.lang) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (words.title) " " (job.id) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (words.title) }
                    p { (job.source_name) }
                }
                main {
                    (outcome(report, words))
                    (chart::section(report, words))
                    (reasons(report, words))
                    (facts(report, words))
                }
                footer { p { (words.footer) } }
            }
        }
    };
    page.into_string()
}

/// The sentence that matters most, the bar and the table of states.
fn outcome(report: &Report, words: &Words) -> Markup {
    let (job, counts) = (&report.job, &report.job.counts);
    let done = counts.imported + counts.present;
    let class = match (counts.unfinished(), counts.refused) {
        (0, 0) => "good",
        (0, _) => "warn",
        _ => "open",
    };
    html! {
        section #outcome {
            h2 { (words.outcome) }
            p class={ "verdict " (class) } {
                (words.standing(job))
                ": "
                (words.members(done, job.rows))
            }
            @if job.rows > 0 {
                (chart::stack(report, words))
            }
            table {
                caption { (words.rows_by_state) }
                thead { tr {
                    th scope="col" { (words.state) }
                    th scope="col" .number { (words.rows) }
                    th scope="col" .number { (words.share) }
                } }
                tbody {
                    @for (state, rows) in report.states() {
                        tr {
                            th scope="row" { span class={ "key " (state.name()) } {} (words.state_name(state)) }
                            td .number { (grouped(rows)) }
                            td .number { (share(rows, job.rows)) }
                        }
                    }
                }
                tfoot { tr {
                    th scope="row" { (words.all) }
                    td .number { (grouped(job.rows)) }
                    td .number { (share(job.rows, job.rows)) }
                } }
            }
        }
    }
}

/// Refusals, and whatever else has a code.
fn reasons(report: &Report, words: &Words) -> Markup {
    let lines: Vec<_> = report
        .explained()
        .into_iter()
        .filter(|(state, code, ..)| !code.is_empty() || *state == RowState::Refused)
        .collect();
    html! {
        section #codes {
            h2 { (words.codes) }
            @if lines.is_empty() {
                p { (words.no_codes) }
            } @else {
                div .wide { table {
                    caption { (words.codes_caption) }
                    thead { tr {
                        th scope="col" { (words.state) }
                        th scope="col" { (words.code) }
                        th scope="col" .number { (words.rows) }
                        th scope="col" { (words.message) }
                    } }
                    tbody {
                        @for (state, code, message, rows) in lines {
                            tr {
                                td { span class={ "key " (state.name()) } {} (words.state_name(state)) }
                                th scope="row" { code { (code) } }
                                td .number { (grouped(rows)) }
                                td { (message) }
                            }
                        }
                    }
                } }
            }
        }
    }
}

/// Which job it was.
fn facts(report: &Report, words: &Words) -> Markup {
    let job = &report.job;
    html! {
        section #job {
            h2 { (words.job) }
            div .wide { table {
                caption { (words.job_caption) }
                tbody {
                    @for (name, value) in [
                        (words.id, job.id.to_string()),
                        (words.source, job.source_name.clone()),
                        (words.mchid, job.mchid.clone()),
                        (words.brand, job.brand_id.clone()),
                        (words.card, job.card_id.clone()),
                        (words.platform, job.base_url.clone()),
                        (words.route, job.route.name().to_owned()),
                        (words.created, time(job.created_at)),
                        (words.updated, time(job.updated_at)),
                    ] {
                        tr { th scope="row" { (name) } td { (value) } }
                    }
                }
            } }
        }
    }
}

/// A moment in China's time, which the platform and most readers live in.
fn time(seconds: i64) -> String {
    let zone = jiff::tz::Offset::constant(8).to_time_zone();
    match (seconds, jiff::Timestamp::from_second(seconds)) {
        (1.., Ok(time)) => time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
        _ => "-".to_owned(),
    }
}

/// A number with a narrow blank between groups of three digits, which every country reads.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202F}');
        }
        text.push(digit);
    }
    text
}

/// A part of all in percent; never 100 % or 0 % of what is not all or nothing.
fn share(part: u64, all: u64) -> String {
    if all == 0 {
        return "-".to_owned();
    }
    let percent = part as f64 * 100.0 / all as f64;
    match percent {
        _ if part == 0 => "0 %".to_owned(),
        _ if part == all => "100 %".to_owned(),
        ..0.1 => "< 0.1 %".to_owned(),
        99.9.. => "> 99.9 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

/// Colours have a contrast of 4.5 to 1 and more for text, and states are named beside their colours.
const STYLE: &str = include_str!("html/style.css");

#[cfg(test)]
mod tests;
