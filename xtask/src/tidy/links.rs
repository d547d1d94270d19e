//! Relative links between pages lead to files of the repository.

use std::collections::BTreeSet;

use super::{Finding, line_of};

/// Looks at the links of one Markdown page; `files` are all files of the repository.
pub(super) fn check(path: &str, text: &str, files: &BTreeSet<&str>) -> Vec<Finding> {
    let prose = without_code(text);
    targets(&prose)
        .filter_map(|(offset, target)| {
            let file = target.split(['#', '?']).next().unwrap_or_default();
            if is_elsewhere(target) || file.is_empty() {
                return None;
            }
            let place = resolve(path, file);
            let exists = place.as_deref().is_some_and(|place| exists(place, files));
            (!exists).then(|| {
                Finding::error(
                    path,
                    line_of(text, offset),
                    format!("the link `{target}` leads nowhere"),
                    "link to a file that git knows, relative to this page",
                )
            })
        })
        .collect()
}

/// Targets of `[text](target)` and of `[name]: target`, with their offsets.
fn targets(prose: &str) -> impl Iterator<Item = (usize, &str)> {
    let inline = prose.match_indices("](").filter_map(|(at, mark)| {
        let start = at + mark.len();
        let end = prose[start..].find([')', '\n'])?;
        Some((start, &prose[start..start + end]))
    });
    let named = prose.match_indices("]: ").filter_map(|(at, mark)| {
        let line = prose[..at].rfind('\n').map_or(0, |end| end + 1);
        let start = at + mark.len();
        let end = prose[start..].find('\n').unwrap_or(prose.len() - start);
        prose[line..at]
            .trim_start()
            .starts_with('[')
            .then(|| (start, &prose[start..start + end]))
    });
    inline.chain(named).map(|(offset, target)| {
        // What follows a space is a title.
        let target = target.trim().split(' ').next().unwrap_or_default();
        (offset, target.trim_start_matches('<').trim_end_matches('>'))
    })
}

/// The page with fenced blocks and code spans blanked; offsets stay.
fn without_code(text: &str) -> String {
    let mut prose = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                for (index, part) in line.split('`').enumerate() {
                    if index > 0 {
                        prose.push('`');
                    }
                    if index % 2 == 0 {
                        prose.push_str(part)
                    } else {
                        blank(&mut prose, part)
                    }
                }
                continue;
            }
            _ => {}
        }
        blank(&mut prose, line);
    }
    prose
}

fn blank(prose: &mut String, part: &str) {
    prose.extend(part.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
}

/// True for addresses, and for the items that rustdoc resolves in a crate's front page.
fn is_elsewhere(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:") || target.contains("::")
}

/// The file that a target means, seen from the page; none if it leaves the repository.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    (!target.starts_with('/')).then(|| parts.join("/"))
}

fn exists(place: &str, files: &BTreeSet<&str>) -> bool {
    let folder = format!("{place}/");
    place.is_empty()
        || files.contains(place)
        || files
            .range(folder.as_str()..)
            .next()
            .is_some_and(|file| file.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_page(path: &str, text: &str, expect: &[(usize, &str)]) {
        let files = BTreeSet::from(["README.md", "crates/crypto/README.md", "spec/card-member.yaml"]);
        let findings = check(path, text, &files);
        let found: Vec<_> = findings
            .iter()
            .map(|finding| (finding.line, finding.what.split('`').nth(1).unwrap()))
            .collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        check_page(
            "README.md",
            "[a](spec/card-member.yaml), [b](crates/crypto), [c](./spec/#top) [d](#here)",
            &[],
        );
        check_page(
            "crates/crypto/README.md",
            "[a](../../README.md \"title\")\n\n[b]: ../../spec\n",
            &[],
        );
        check_page(
            "README.md",
            "[a](https://host/x) [b](mailto:a@b) [c](crate::Key)",
            &[],
        );
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        check_page("README.md", "x\n[a](SPEC.md)", &[(2, "SPEC.md")]);
        check_page("README.md", "![a](a.png) [b](spec)", &[(1, "a.png")]);
        check_page("README.md", "[a]\n\n[a]: docs/a.md\n", &[(3, "docs/a.md")]);
        check_page(
            "crates/crypto/README.md",
            "[a](spec/card-member.yaml#x)",
            &[(1, "spec/card-member.yaml#x")],
        );
        check_page(
            "README.md",
            "[a](../README.md) [b](/spec)",
            &[(1, "../README.md"), (1, "/spec")],
        );
    }

    #[test]
    fn code_is_not_a_link() {
        check_page(
            "README.md",
            "`[a](b.md)`\n\n```md\n[a](b.md)\n```\n[c](d.md)",
            &[(6, "d.md")],
        );
        check_page("README.md", "中文 `会员[a](b.md)` [c](d.md)", &[(1, "d.md")]);
    }
}
