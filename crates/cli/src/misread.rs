//! What is wrong with a TOML file of the user's, and where: the profiles of `wxmember.toml`, and a mapping file. The sandbox
//! reads its own files by the same reader, so that one translation serves all.

use serde::de::DeserializeOwned;

use crate::commands::sandbox::{TomlFlaw, TomlMisread};

/// Reads a file as a whole, and refuses what its type does not know. No value of it is repeated.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, TomlMisread> {
    TomlMisread::read(text).map_err(|mut misread| {
        if let TomlFlaw::Choice { setting, .. } | TomlFlaw::Type { setting, .. } = &misread.flaw
            && setting.split('.').next_back() == Some("validity")
            // There it is the name of a column's field.
            && !setting.starts_with("columns.")
        {
            // It has three forms, and the parser's words are about the one that it tried.
            misread.flaw = TomlFlaw::Type {
                setting: setting.clone(),
                needed: VALIDITY,
            };
        }
        misread
    })
}

const VALIDITY: &str = "`\"permanent\"`, or days as in `validity.days = 365`, or two times as in \
                        `validity.between = [\"2026-01-01T00:00:00+08:00\", \"2027-01-01T00:00:00+08:00\"]`";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::check as read_profiles;

    #[track_caller]
    fn check(text: &str, said: &str) {
        let error = read_profiles(text).unwrap_err();
        assert_eq!(error.to_string(), said);
        assert!(!format!("{error:?}").contains("SECRET"), "{error:?}");
    }

    /// A profile to the line before the one that is wrong, which is the fourth.
    fn profile(line: &str) -> String {
        format!("[profile.store-2026]\nmchid = \"1\"\nbrand_id = \"2\"\n{line}\ncard_id = \"p\"\n")
    }

    #[test]
    fn a_setting_that_is_missing_or_unknown_is_named() {
        check(
            "[profile.default]\nmchid = \"1\"\ncard_id = \"p\"\n",
            "line 1, column 1: the setting `brand_id` is missing in `profile.default`",
        );
        check("", "line 1, column 1: the setting `profile` is missing");
        check(
            "[profile]\n[profiles.default]\n",
            "line 2, column 2: unknown setting `profiles`; there are `profile`",
        );
        for (name, said) in [
            ("brandid", "unknown setting `brandid` in `profile.store-2026`"),
            ("13800138000", "unknown setting in `profile.store-2026`"),
            (
                "SECRETSECRETSECRETSECRETSECRET12",
                "unknown setting in `profile.store-2026`",
            ),
            (
                "\"SECRET, expected `x`\"",
                "unknown setting in `profile.store-2026`",
            ),
        ] {
            let error = read_profiles(&profile(&format!("  {name} = 1"))).unwrap_err();
            let whole = format!("line 4, column 3: {said}; there are `base_url`, `mchid`, ");
            assert!(error.to_string().starts_with(&whole), "{error}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_said_without_the_value() {
        check(
            &profile("level = 13800138000"),
            "line 4, column 9: the setting `profile.store-2026.level` needs text in quotation marks",
        );
        check(
            &profile("custom_fields = \"SECRET, expected u32\""),
            "line 4, column 17: the setting `profile.store-2026.custom_fields` needs a list, such as `[\"text\"]` or parts \
             under `[[name]]`",
        );
        for value in [
            "365",
            "\"SECRET\"",
            "{}",
            "{ days = -1 }",
            "{ days = 5000000000 }",
            "{ days = 1, between = [] }",
            "{ between = [\"SECRET\"] }",
        ] {
            let error = read_profiles(&profile(&format!("validity = {value}"))).unwrap_err();
            let flaw = format!("the setting `profile.store-2026.validity` needs {VALIDITY}");
            assert_eq!((error.line, error.flaw.to_string()), (4, flaw), "{value}");
        }
        check(
            "profile = \"SECRET\"",
            "line 1, column 11: the setting `profile` needs a part of settings, under `[name]`",
        );
    }

    #[test]
    fn a_column_is_no_validity() {
        type Columns = std::collections::HashMap<String, std::collections::HashMap<String, String>>;
        let error = read::<Columns>("[columns]\nvalidity = 3").unwrap_err();
        assert_eq!(
            error.flaw.to_string(),
            "the setting `columns.validity` needs text in quotation marks"
        );
    }
}
