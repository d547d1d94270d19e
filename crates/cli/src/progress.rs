//! Progress on stderr: a bar on a terminal, a line every ten seconds elsewhere, an event when stderr takes JSON.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::{Timestamp, tz::Offset};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval_at},
};
use wxmember_import::{Progress, Waiting};

use crate::{language::t, log, print::tell};

/// Shows progress until it is dropped.
pub(crate) struct Shown {
    bar: Option<ProgressBar>,
    task: JoinHandle<()>,
}

impl Shown {
    /// Begins to show it, in the way that stderr can take.
    pub(crate) fn begin(progress: watch::Receiver<Progress>) -> Self {
        if log::is_json() {
            let task = tokio::spawn(each(progress, EVERY, log_event));
            return Self { bar: None, task };
        }
        if !std::io::stderr().is_terminal() {
            let task = tokio::spawn(each(progress, EVERY, |progress| tell!("{}", line(progress))));
            return Self { bar: None, task };
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {wide_msg}") {
            bar.set_style(style);
        }
        let task = tokio::spawn(draw(bar.clone(), progress));
        Self { bar: Some(bar), task }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Redraws the bar whenever something moved.
async fn draw(bar: ProgressBar, mut progress: watch::Receiver<Progress>) {
    while progress.changed().await.is_ok() {
        let progress = *progress.borrow_and_update();
        bar.set_length(progress.rows);
        if !progress.is_loading {
            bar.set_position(progress.done().saturating_sub(progress.unknown));
        }
        bar.set_message(line(&progress));
    }
}

/// Shows progress at every interval, whether it moved or not: who reads a log wants to see that it lives.
async fn each(progress: watch::Receiver<Progress>, every: Duration, show: impl Fn(&Progress)) {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = *progress.borrow();
        if now.rows > 0 || now.waiting.is_some() {
            show(&now);
        }
    }
}

fn log_event(progress: &Progress) {
    let Progress {
        is_loading,
        rows,
        imported,
        present,
        refused,
        unknown,
        queued,
        rate,
        rate_limit,
        sent,
        ..
    } = *progress;
    let remaining = progress.remaining().map(|time| time.as_secs());
    let waiting = progress.waiting.map(reason);
    tracing::info!(
        target: "wxmember",
        is_loading,
        rows,
        imported,
        present,
        refused,
        unknown,
        queued,
        rate,
        rate_limit,
        sent,
        remaining_seconds = remaining,
        waiting,
        "progress"
    );
}

/// Where it stands, in one line.
fn line(progress: &Progress) -> String {
    if progress.is_loading {
        return t!(
            "progress-loading",
            rows = progress.rows,
            refused = progress.refused
        );
    }
    let mut parts = vec![t!(
        "progress-rows",
        done = progress.done().saturating_sub(progress.unknown),
        rows = progress.rows
    )];
    let rate = format!("{:.1}", progress.rate);
    parts.push(match progress.rate_limit {
        Some(limit) => t!("progress-rate-of", rate = &rate, limit = format!("{limit:.1}")),
        None => t!("progress-rate", rate = &rate),
    });
    parts.push(t!("progress-refused", rows = progress.refused));
    parts.push(t!("progress-unknown", rows = progress.unknown));
    if let Some(left) = progress.remaining().filter(|_| progress.queued > 0) {
        parts.push(t!("progress-left", time = duration(left)));
    }
    if let Some(waiting) = progress.waiting {
        parts.push(why(waiting));
    }
    parts.join(&t!("progress-comma"))
}

/// Why nothing leaves at the moment.
fn why(waiting: Waiting) -> String {
    match waiting {
        Waiting::BackOff => t!("waiting-back-off"),
        Waiting::Leases => t!("waiting-leases"),
        Waiting::Ledger => t!("waiting-ledger"),
        Waiting::Load => t!("waiting-load"),
        Waiting::RateLimit => t!("waiting-rate-limit"),
        Waiting::Work => t!("waiting-work"),
        Waiting::Window { until } => t!("waiting-window", until = china(until)),
        _ => t!("waiting-other"),
    }
}

/// The same for programs.
fn reason(waiting: Waiting) -> &'static str {
    match waiting {
        Waiting::BackOff => "back-off",
        Waiting::Leases => "leases",
        Waiting::Ledger => "ledger",
        Waiting::Load => "load",
        Waiting::RateLimit => "rate-limit",
        Waiting::Work => "work",
        Waiting::Window { .. } => "window",
        _ => "other",
    }
}

/// A time span in the two units that matter.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => t!("time-seconds", seconds = seconds),
        (0, minutes) => t!("time-minutes", minutes = minutes),
        (hours, minutes) => t!("time-hours", hours = hours, minutes = minutes),
    }
}

/// A moment in China's time, which the platform and most users live in.
fn china(seconds: i64) -> String {
    let zone = Offset::constant(8).to_time_zone();
    Timestamp::from_second(seconds).map_or_else(
        |_| "-".to_owned(),
        |time| time.to_zoned(zone).strftime("%Y-%m-%d %H:%M %:z").to_string(),
    )
}

const EVERY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn running() -> Progress {
        let mut progress = Progress::default();
        progress.rows = 1000;
        progress.imported = 390;
        progress.refused = 7;
        progress.unknown = 3;
        progress.queued = 600;
        progress.rate = 4.96;
        progress.rate_limit = Some(5.0);
        progress
    }

    #[test]
    fn a_line_tells_rate_quota_rest_and_what_it_waits_for() {
        let mut progress = running();
        assert_eq!(
            line(&progress),
            "397 of 1000 rows, 5.0 of 5.0 a second, 7 refused, 3 unknown, 2 min left"
        );
        progress.rate_limit = None;
        progress.waiting = Some(Waiting::Window { until: 1_796_000_000 });
        assert!(
            line(&progress).ends_with(", waiting for the window until 2026-11-30 08:53 +08:00"),
            "{}",
            line(&progress)
        );
        progress.is_loading = true;
        assert_eq!(line(&progress), "1000 rows read, 7 refused");
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_comes_every_ten_seconds_and_not_before_there_is_anything() {
        let (sender, receiver) = watch::channel(Progress::default());
        let shown = Arc::new(Mutex::new(0));
        let task = {
            let shown = Arc::clone(&shown);
            tokio::spawn(each(receiver, EVERY, move |_| *shown.lock().unwrap() += 1))
        };
        let count = || *shown.lock().unwrap();
        tokio::time::sleep(Duration::from_secs(15)).await;
        assert_eq!(count(), 0);
        sender.send_replace(running());
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(count(), 3);
        task.abort();
    }
}
