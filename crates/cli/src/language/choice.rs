//! Which language is meant: by the flag, by its variable, else by the locale as POSIX orders its variables.

use std::ffi::{OsStr, OsString};

use super::{Language, is_set};

/// Decides before the arguments are read, since the help and the errors of reading them have a language too.
///
/// A value that is no language is left to the reader of arguments, which refuses it.
pub(crate) fn chosen(arguments: &[OsString], variable: impl Fn(&str) -> Option<OsString>) -> Language {
    if let Some(language) = flag(arguments) {
        return language;
    }
    let variable = |name| variable(name).filter(|value| is_set(value));
    if let Some(language) = variable("WXMEMBER_LANG").and_then(|value| named(&value)) {
        return language;
    }
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(variable)
        .map_or(Language::English, |locale| of_locale(&locale))
}

fn flag(arguments: &[OsString]) -> Option<Language> {
    let mut arguments = arguments.iter().map(OsString::as_os_str);
    let mut language = None;
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            break;
        }
        if argument == "--lang" {
            language = arguments.next().and_then(named);
        } else if let Some(value) = argument.to_str().and_then(|text| text.strip_prefix("--lang=")) {
            language = named(OsStr::new(value));
        }
    }
    language
}

fn named(value: &OsStr) -> Option<Language> {
    match value.to_str()?.trim() {
        "en" => Some(Language::English),
        "zh" => Some(Language::Chinese),
        _ => None,
    }
}

/// `zh_CN.UTF-8`, `zh-Hans` and `zh` are Chinese, everything else is English.
fn of_locale(locale: &OsStr) -> Language {
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    let language = locale.split(['_', '-', '.', '@']).next();
    match language {
        Some("zh") => Language::Chinese,
        _ => Language::English,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &[&str], variables: &[(&str, &str)], expected: Language) {
        let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        assert_eq!(chosen(&arguments, variable), expected, "{variables:?}");
    }

    #[test]
    fn the_flag_counts_before_its_variable_and_that_before_the_locale() {
        use Language::{Chinese, English};
        check(&[], &[], English);
        check(&[], &[("LANG", "zh_CN.UTF-8")], Chinese);
        check(&[], &[("LANG", "zh")], Chinese);
        check(&[], &[("LANG", "zha")], English);
        check(&[], &[("LC_ALL", "C"), ("LANG", "zh_CN")], English);
        check(&[], &[("LC_ALL", ""), ("LC_MESSAGES", "zh_TW")], Chinese);
        check(&[], &[("LC_ALL", "zh_CN"), ("WXMEMBER_LANG", "en")], English);
        check(&[], &[("LC_ALL", "zh_CN"), ("WXMEMBER_LANG", "")], Chinese);
        check(&["jobs", "--lang", "zh"], &[("WXMEMBER_LANG", "en")], Chinese);
        check(&["--lang=en"], &[("WXMEMBER_LANG", "zh")], English);
        check(&["--", "--lang=zh"], &[], English);
        check(&["--lang"], &[], English);
        check(&["--lang", "fr"], &[("LANG", "zh_CN")], Chinese);
    }
}
