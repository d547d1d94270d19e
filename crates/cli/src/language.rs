//! What the program says, in English and in Chinese. Data in machine formats never depends on the language.
//!
//! Texts of the program's own stand in `locales/en.ftl` and `locales/zh.ftl` and are said with [`t!`]. Texts that come
//! from the libraries are English; [`known`] finds their translation by their English template. Help texts are English
//! in the doc comments of the arguments, and [`help`] puts the Chinese ones in their place.

use std::{
    borrow::Borrow,
    ffi::{OsStr, OsString},
    sync::OnceLock,
};

use clap::ValueEnum;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};

mod choice;
mod errors;
pub(crate) mod help;
mod known;

pub(crate) use self::{choice::chosen, errors::usage_error, known::known};

/// A language that the program speaks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Language {
    // English.
    #[default]
    #[value(name = "en")]
    English,
    // Simplified Chinese.
    #[value(name = "zh")]
    Chinese,
}

impl Language {
    /// What stands between two names of a list.
    fn comma(self) -> &'static str {
        match self {
            Self::English => ", ",
            Self::Chinese => "、",
        }
    }
}

/// A text by its key, with its parameters: `t!("job-rows", rows = 3)`.
macro_rules! t {
    ($key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::language::text($key, &[$((stringify!($name), $crate::language::value($value))),*])
    };
}

pub(crate) use t;

/// Decides the language once, from the arguments and the environment, before anything is said.
pub(crate) fn begin() -> Language {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let language = chosen(&arguments, |name| std::env::var_os(name));
    // Only the first call counts; there is one.
    let _ = CATALOGUE.set(Catalogue::of(language));
    language
}

/// The language that was decided; English where nobody decided, as in unit tests.
pub(crate) fn current() -> Language {
    CATALOGUE
        .get()
        .map_or(Language::English, |catalogue| catalogue.language)
}

/// Names one after the other, for a text of our own. A text that [`known`] translates keeps its English commas.
pub(crate) fn list<S: Borrow<str>>(names: &[S]) -> String {
    names.join(current().comma())
}

/// A text by its key. A key that is not there is shown itself; a test sees to it that there is none.
pub(crate) fn text(key: &str, parameters: &[(&str, FluentValue<'_>)]) -> String {
    CATALOGUE
        .get_or_init(|| Catalogue::of(Language::English))
        .text(key, parameters)
}

/// A parameter: a number, so that a text can choose its plural, or anything that is shown.
pub(crate) fn value<'a>(value: impl Parameter<'a>) -> FluentValue<'a> {
    value.into_value()
}

/// What can stand in a text.
pub(crate) trait Parameter<'a> {
    fn into_value(self) -> FluentValue<'a>;
}

macro_rules! parameters {
    ($($number:ty),*) => {
        $(impl Parameter<'_> for $number {
            fn into_value(self) -> FluentValue<'static> {
                FluentValue::from(self)
            }
        })*
    };
}

parameters!(u32, u64, usize);

impl<'a> Parameter<'a> for &'a str {
    fn into_value(self) -> FluentValue<'a> {
        FluentValue::from(self)
    }
}

impl<'a> Parameter<'a> for &'a String {
    fn into_value(self) -> FluentValue<'a> {
        FluentValue::from(self.as_str())
    }
}

impl Parameter<'_> for String {
    fn into_value(self) -> FluentValue<'static> {
        FluentValue::from(self)
    }
}

impl<'a> Parameter<'a> for std::path::Display<'a> {
    fn into_value(self) -> FluentValue<'a> {
        FluentValue::from(self.to_string())
    }
}

/// The texts of one language.
struct Catalogue {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl Catalogue {
    fn of(language: Language) -> Self {
        let source = match language {
            Language::English => EN,
            Language::Chinese => ZH,
        };
        let locale: unic_langid::LanguageIdentifier = match language {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
        .parse()
        .unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // The marks would show in files and in other programs.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource(source));
        Self { language, bundle }
    }

    fn text(&self, key: &str, parameters: &[(&str, FluentValue<'_>)]) -> String {
        let pattern = self.bundle.get_message(key).and_then(|message| message.value());
        let Some(pattern) = pattern else {
            return key.to_owned();
        };
        let arguments: FluentArgs<'_> = parameters
            .iter()
            .map(|(name, value)| (*name, value.clone()))
            .collect();
        let mut errors = Vec::new();
        self.bundle
            .format_pattern(pattern, Some(&arguments), &mut errors)
            .into_owned()
    }
}

/// What could be read of a catalogue; a test reads them strictly.
fn resource(source: &str) -> FluentResource {
    FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource)
}

static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();

const EN: &str = include_str!("../locales/en.ftl");
const ZH: &str = include_str!("../locales/zh.ftl");

/// Whether a variable says anything.
fn is_set(value: &OsStr) -> bool {
    !value.is_empty()
}

#[cfg(test)]
mod tests;
