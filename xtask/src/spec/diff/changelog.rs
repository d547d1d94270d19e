//! Whether CHANGELOG.md tells the users of every breaking change.

use super::Change;
use crate::outcome::{Failure, Outcome};

/// Every breaking change needs an entry under `Unreleased` that says `breaking` and names it.
pub(super) fn check(changes: &[Change], changelog: &str) -> Outcome {
    let entries = announcements(changelog);
    let silent: Vec<_> = changes
        .iter()
        .filter(|change| change.is_breaking && !is_announced(change, &entries))
        .collect();
    let Some(first) = silent.first() else {
        return Ok(());
    };
    let list: Vec<_> = silent
        .iter()
        .map(|change| format!("  {}: {}", change.at, change.what))
        .collect();
    Err(Failure::Breaking {
        what: format!(
            "CHANGELOG.md does not say what breaks programs that used the API before:\n{}",
            list.join("\n")
        ),
        repair: format!(
            "write an entry under `Unreleased` in CHANGELOG.md for each, such as \"- Breaking: {} …\", then run \
             `cargo xtask spec diff` again",
            first.names.join(" of ")
        ),
    })
}

/// The entries under `Unreleased` that say `breaking`; an entry may go on over several lines.
fn announcements(changelog: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    let unreleased = changelog
        .lines()
        .skip_while(|line| !(line.starts_with("## ") && line.contains("Unreleased")))
        .skip(1)
        .take_while(|line| !line.starts_with("## "));
    for line in unreleased {
        match entries.last_mut() {
            Some(entry) if line.starts_with(' ') => {
                entry.push(' ');
                entry.push_str(line.trim());
            }
            _ => entries.push(line.to_owned()),
        }
    }
    entries.retain(|entry| entry.to_lowercase().contains("breaking"));
    entries
}

/// The innermost name is enough: it is the word that somebody whose program broke will look for.
fn is_announced(change: &Change, entries: &[String]) -> bool {
    let Some(name) = change.names.first() else {
        return false;
    };
    entries.iter().any(|entry| {
        entry
            .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
            .any(|word| word == name)
    })
}

#[cfg(test)]
mod tests {
    use super::{super::breaking, *};

    #[test]
    fn only_an_entry_under_unreleased_that_names_the_change_counts() {
        #[track_caller]
        fn check_entry(changelog: &str, is_enough: bool) {
            let changes = [breaking("#/x", "removed", &["level", "UserCard"])];
            assert_eq!(check(&changes, changelog).is_ok(), is_enough, "{changelog}");
        }
        check_entry("## Unreleased\n\n- Breaking: `UserCard.level` is gone.\n", true);
        check_entry("## Unreleased\n\n- Breaking: a field\n  `level` is gone.\n", true);
        check_entry("## Unreleased\n\n- `UserCard.level` is gone.\n", false);
        check_entry(
            "## Unreleased\n\n- Breaking: `UserCard.levels` are gone.\n",
            false,
        );
        check_entry(
            "## Unreleased\n\n## 0.1.0\n\n- Breaking: `level` is gone.\n",
            false,
        );
        check_entry("", false);
    }

    #[test]
    fn the_message_names_the_change_and_ends_with_the_repair() {
        let changes = [breaking("#/x", "removed", &["level", "UserCard"])];
        let message = check(&changes, "").unwrap_err().to_string();
        assert!(message.contains("#/x: removed"), "{message}");
        assert!(
            message.ends_with("\"- Breaking: level of UserCard …\", then run `cargo xtask spec diff` again"),
            "{message}"
        );
    }
}
