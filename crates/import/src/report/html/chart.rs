//! The pictures of a report, as SVG inside the page: how the rows are shared between the states, and the rate over time.
//!
//! Each has a title and a description for who does not see it, and the figures stand in a table below.

use maud::{Markup, html};

use super::{grouped, share, time, words::Words};
use crate::{
    ledger::{RowState, Slot},
    report::job::Report,
};

/// All rows as one bar, a piece for each state.
pub(super) fn stack(report: &Report, words: &Words) -> Markup {
    let all = report.job.rows.max(1) as f64;
    let mut x = 0.0;
    let pieces: Vec<_> = report
        .states()
        .into_iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(state, rows)| {
            let width = rows as f64 / all * WIDTH;
            let piece = (state, rows, x, width);
            x += width;
            piece
        })
        .collect();
    let description: Vec<_> = report
        .states()
        .into_iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(state, rows)| format!("{} {}", words.state_name(state), share(rows, report.job.rows)))
        .collect();
    html! {
        svg #stack viewBox={ "0 0 " (WIDTH) " 24" } role="img" aria-labelledby="stack-title stack-text" preserveAspectRatio="none" {
            title #stack-title { (words.rows_by_state) }
            desc #stack-text { (description.join(", ")) }
            @for (state, _, x, width) in pieces {
                rect class=(state.name()) x=(number(x)) y="0" width=(number(width)) height="24" {}
            }
        }
    }
}

/// The rate over time, and its figures.
pub(super) fn section(report: &Report, words: &Words) -> Markup {
    let slots = &report.timeline;
    html! {
        section #rate {
            h2 { (words.rate) }
            @if let (Some(first), Some(last)) = (slots.first(), slots.last()) {
                div .wide { (bars(slots, first, last, words)) }
                details {
                    summary { (words.figures) }
                    div .wide { (figures(slots, words)) }
                }
            } @else {
                p { (words.no_rate) }
            }
        }
    }
}

fn bars(slots: &[Slot], first: &Slot, last: &Slot, words: &Words) -> Markup {
    let highest = slots.iter().map(rate).fold(0.0, f64::max);
    let top = rounded_up(highest);
    let step = (WIDTH - LEFT) / slots.len() as f64;
    // One second of work would otherwise be one bar as wide as the page.
    let step = step.min(WIDEST);
    let height = |rows: u64, slot: &Slot| rows as f64 / seconds(slot) / top * HEIGHT;
    let mut pieces = Vec::new();
    for (index, slot) in slots.iter().enumerate() {
        let mut y = TOP + HEIGHT;
        for (state, rows) in parts(slot) {
            if rows > 0 {
                y -= height(rows, slot);
                let gap = if step > 3.0 { 1.0 } else { 0.0 };
                let x = LEFT + index as f64 * step;
                pieces.push((state, x, y, step - gap, height(rows, slot)));
            }
        }
    }
    // What a damaged ledger says of times need not be one.
    let end = last.at.saturating_add(last.seconds);
    let description = words.rate_text(&decimal(highest), &time(first.at), &time(end));
    let bottom = TOP + HEIGHT;
    html! {
        svg #chart viewBox={ "0 0 " (WIDTH) " " (bottom + 24.0) } role="img" aria-labelledby="chart-title chart-text" {
            title #chart-title { (words.rate_title) }
            desc #chart-text { (description) }
            line .axis x1=(LEFT) x2=(WIDTH) y1=(number(TOP)) y2=(number(TOP)) {}
            line .axis x1=(LEFT) x2=(WIDTH) y1=(number(TOP + HEIGHT / 2.0)) y2=(number(TOP + HEIGHT / 2.0)) {}
            text x=(LEFT - 6.0) y=(number(TOP + 4.0)) text-anchor="end" { (decimal(top)) }
            text x=(LEFT - 6.0) y=(number(TOP + HEIGHT / 2.0 + 4.0)) text-anchor="end" { (decimal(top / 2.0)) }
            text x=(LEFT - 6.0) y=(number(bottom)) text-anchor="end" { "0" }
            @for (state, x, y, width, height) in pieces {
                rect class=(state.name()) x=(number(x)) y=(number(y)) width=(number(width)) height=(number(height)) {}
            }
            line .axis x1=(LEFT) x2=(WIDTH) y1=(number(bottom)) y2=(number(bottom)) {}
            text x=(LEFT) y=(number(bottom + 18.0)) { (time(first.at)) }
            text x=(WIDTH) y=(number(bottom + 18.0)) text-anchor="end" { (time(end)) }
            text x=(LEFT) y="12" { (words.rate_unit) }
        }
    }
}

fn figures(slots: &[Slot], words: &Words) -> Markup {
    html! {
        table {
            caption { (words.rate_title) }
            thead { tr {
                th scope="col" { (words.from) }
                @for state in [RowState::Imported, RowState::Present, RowState::Refused, RowState::Unknown] {
                    th scope="col" .number { (words.state_name(state)) }
                }
                th scope="col" .number { (words.rate_unit) }
            } }
            tbody {
                @for slot in slots.iter().filter(|slot| rate(slot) > 0.0) {
                    tr {
                        th scope="row" { (time(slot.at)) }
                        @for (_, rows) in parts(slot) {
                            td .number { (grouped(rows)) }
                        }
                        td .number { (decimal(rate(slot))) }
                    }
                }
            }
        }
    }
}

fn parts(slot: &Slot) -> [(RowState, u64); 4] {
    [
        (RowState::Imported, slot.imported),
        (RowState::Present, slot.present),
        (RowState::Refused, slot.refused),
        (RowState::Unknown, slot.unknown),
    ]
}

/// Rows a second.
fn rate(slot: &Slot) -> f64 {
    let rows: u64 = parts(slot).iter().map(|(_, rows)| rows).sum();
    rows as f64 / seconds(slot)
}

fn seconds(slot: &Slot) -> f64 {
    slot.seconds.max(1) as f64
}

/// The next 1, 2 or 5 with zeros, so that the axis has round numbers.
fn rounded_up(rate: f64) -> f64 {
    if rate <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(rate.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * power >= rate * 0.999_999);
    factor.unwrap_or(10.0) * power
}

/// As many digits as a reader needs.
fn decimal(rate: f64) -> String {
    match rate {
        ..0.1 => format!("{rate:.3}"),
        ..10.0 => format!("{rate:.1}"),
        _ => grouped(rate.round() as u64),
    }
}

/// A length in the picture.
fn number(length: f64) -> String {
    format!("{length:.2}")
}

/// Lengths in the picture's own unit.
const WIDTH: f64 = 720.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 24.0;
const HEIGHT: f64 = 180.0;
const WIDEST: f64 = 48.0;
