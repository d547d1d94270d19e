//! The table client by operation in `tests/clients/README.md`, compared with what was seen.

use super::Tried;

/// Panics with the column as it should be, when it is another.
#[track_caller]
pub(super) fn compare(column: &str, outcomes: &[Tried]) {
    let text = include_str!("../../clients/README.md");
    let mut rows = text.lines().filter(|line| line.starts_with('|')).map(|line| {
        line.trim_matches('|')
            .split('|')
            .map(str::trim)
            .collect::<Vec<_>>()
    });
    let titles = rows.next().unwrap();
    let place = titles.iter().position(|title| *title == column);
    let place = place.unwrap_or_else(|| panic!("no column `{column}` in {titles:?}"));
    let written: Vec<_> = rows.skip(1).map(|row| (row[0], row[place])).collect();
    let seen: Vec<_> = outcomes
        .iter()
        .map(|tried| (tried.what, if tried.is_done { "yes" } else { "no" }))
        .collect();
    let said: Vec<_> = outcomes
        .iter()
        .map(|tried| format!("{}: {}", tried.what, tried.said))
        .collect();
    assert_eq!(written, seen, "{column}\n{}", said.join("\n"));
}
