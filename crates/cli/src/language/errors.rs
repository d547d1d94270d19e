//! What the reader of arguments says, in Chinese. It has one language of its own.
//!
//! Never repeats a value that our own rules refuse.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Language, current, t};

/// An error of usage in the language of the program; `None` when the reader's own words are to be shown.
pub(crate) fn usage_error(error: &clap::Error) -> Option<String> {
    // Of a value that is refused by us, we say in both languages what to do.
    if current() == Language::English && error.kind() != ErrorKind::ValueValidation {
        return None;
    }
    let context = |kind| error.get(kind).map(shown).unwrap_or_default();
    let (argument, value) = (
        context(ContextKind::InvalidArg),
        context(ContextKind::InvalidValue),
    );
    let what = match error.kind() {
        ErrorKind::UnknownArgument => t!("usage-unknown", argument = argument),
        ErrorKind::InvalidSubcommand => {
            t!("usage-command", command = context(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingRequiredArgument => t!("usage-missing", arguments = argument),
        ErrorKind::ArgumentConflict => {
            t!(
                "usage-conflict",
                first = argument,
                second = context(ContextKind::PriorArg)
            )
        }
        ErrorKind::InvalidValue if value.is_empty() => t!("usage-no-value", argument = argument),
        ErrorKind::InvalidValue => t!(
            "usage-value",
            argument = argument,
            values = context(ContextKind::ValidValue)
        ),
        ErrorKind::ValueValidation => t!(
            "usage-value-because",
            argument = argument,
            why = std::error::Error::source(error)
                .map_or_else(String::new, |why| super::known(&why.to_string()))
        ),
        _ => return None,
    };
    let hint = t!("usage-hint");
    Some(format!(
        "{}{what}\n\n{}{hint}",
        t!("error-prefix"),
        t!("hint-prefix")
    ))
}

fn shown(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => super::list(texts),
        other => other.to_string(),
    }
}
