//! The progress bar: on a terminal, and nowhere else.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::{sync::watch, task::JoinHandle};
use wxmember_import::Progress;

/// Draws progress until it is dropped.
pub(crate) struct Bar(Option<(ProgressBar, JoinHandle<()>)>);

impl Bar {
    /// Draws on stderr when it is a terminal.
    pub(crate) fn draw(mut progress: watch::Receiver<Progress>) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} ETA {eta}") {
            bar.set_style(style);
        }
        let drawn = bar.clone();
        let task = tokio::spawn(async move {
            while progress.changed().await.is_ok() {
                show(&drawn, &progress.borrow_and_update());
            }
        });
        Self(Some((bar, task)))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((bar, task)) = self.0.take() {
            task.abort();
            bar.finish_and_clear();
        }
    }
}

fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.rows);
    let message = if progress.is_loading {
        "rows read".to_owned()
    } else {
        bar.set_position(progress.rows - progress.queued - progress.unknown);
        let limit = progress
            .rate_limit
            .map(|limit| format!(" of {limit:.1}"))
            .unwrap_or_default();
        format!(
            "rows, {:.1}{limit} a second, {} refused, {} unknown,",
            progress.rate, progress.refused, progress.unknown
        )
    };
    bar.set_message(message);
}
