//! What is logged, and how stderr is written: as text for people, or as one JSON object a line.
//!
//! A log holds operations, counts, codes and request ids; what the libraries put into their events is theirs to keep
//! free of personal data, and a test looks for markers.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing::level_filters::LevelFilter;

use crate::args::{Global, LogFormat, LogLevel};

/// Sets up logging, once.
pub(crate) fn begin(global: &Global) {
    let is_json = global.log_format == LogFormat::Json;
    IS_JSON.store(is_json, Ordering::Relaxed);
    let level = match (global.log, is_json) {
        (Some(level), _) => filter(level),
        (None, true) => LevelFilter::INFO,
        (None, false) => LevelFilter::OFF,
    };
    if level == LevelFilter::OFF && !is_json {
        return;
    }
    // What the program itself says comes through whatever is chosen, since there is no other way out of it.
    let level = if is_json {
        level.max(LevelFilter::INFO)
    } else {
        level
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr);
    // A second call would be the only reason to fail.
    if is_json {
        let _ = tracing::subscriber::set_global_default(builder.json().flatten_event(true).finish());
    } else {
        let _ = tracing::subscriber::set_global_default(builder.with_ansi(false).finish());
    }
}

/// Whether stderr takes JSON and nothing else.
pub(crate) fn is_json() -> bool {
    IS_JSON.load(Ordering::Relaxed)
}

static IS_JSON: AtomicBool = AtomicBool::new(false);

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    }
}
