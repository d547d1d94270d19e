//! The committed counts: how the file is written and read, and what has changed since.

use std::{collections::BTreeSet, fmt};

use toml::{Table, Value};

use super::Counts;

/// Instructions of one piece of work.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Count {
    /// Everything outside the kernel.
    pub(super) all: u64,
    /// Without the calls into AWS-LC.
    pub(super) own: u64,
}

/// What was counted once, and with what.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Baseline {
    pub(super) with: Vec<(&'static str, String)>,
    pub(super) counts: Counts,
}

/// What the committed file says.
#[derive(Debug)]
pub(super) struct Committed {
    with: Table,
    counts: Counts,
}

impl Baseline {
    pub(super) fn text(&self) -> String {
        let mut text = HEADER.to_owned();
        text.push_str("\n[with]\n");
        for (name, value) in &self.with {
            text.push_str(&format!("{name} = {}\n", serde_json::Value::from(value.as_str())));
        }
        text.push_str("\n[instructions]\n");
        for (name, Count { all, own }) in &self.counts {
            text.push_str(&format!("{name} = {{ all = {all}, own = {own} }}\n"));
        }
        text
    }

    pub(super) fn read(text: &str) -> Result<Committed, String> {
        let mut file: Table = text
            .parse()
            .map_err(|error: toml::de::Error| error.message().to_owned())?;
        let mut part = |name: &str| match file.remove(name) {
            Some(Value::Table(table)) => Ok(table),
            _ => Err(format!("it has no `[{name}]`")),
        };
        let with = part("with")?;
        let counts = part("instructions")?.into_iter().map(|(name, value)| {
            let number = |part: &str| value.get(part).and_then(Value::as_integer)?.try_into().ok();
            match (number("all"), number("own")) {
                (Some(all), Some(own)) => Ok((name, Count { all, own })),
                _ => Err(format!("`{name}` has not two numbers")),
            }
        });
        Ok(Committed {
            with,
            counts: counts.collect::<Result<_, _>>()?,
        })
    }
}

impl Committed {
    /// What is not as it was: its name, then and now.
    pub(super) fn measured_otherwise<'a>(
        &self,
        with: &'a [(&'static str, String)],
    ) -> Vec<(&'static str, String, &'a str)> {
        with.iter()
            .filter_map(|(name, now)| {
                let then = self.with.get(*name).and_then(Value::as_str).unwrap_or("unknown");
                (then != now).then(|| (*name, then.to_owned(), now.as_str()))
            })
            .collect()
    }

    /// Both numbers of every benchmark, in the order of their names.
    pub(super) fn compare(&self, now: &Counts) -> Vec<Change> {
        let names: BTreeSet<&String> = self.counts.keys().chain(now.keys()).collect();
        let change = |name: &str, part, of: fn(&Count) -> u64| Change {
            name: name.to_owned(),
            part,
            then: self.counts.get(name).map(of),
            now: now.get(name).map(of),
        };
        let both = |name: &String| {
            [
                change(name, "all", |count| count.all),
                change(name, "own", |count| count.own),
            ]
        };
        names.into_iter().flat_map(both).collect()
    }
}

/// One number then and now; none where the benchmark is not there.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) name: String,
    pub(super) part: &'static str,
    pub(super) then: Option<u64>,
    pub(super) now: Option<u64>,
}

impl Change {
    pub(super) fn is_slower(&self) -> bool {
        let more = |(then, now)| now * 100 > then * (100 + TOLERATED);
        self.then.zip(self.now).is_some_and(more)
    }

    pub(super) fn is_faster(&self) -> bool {
        let less = |(then, now)| now * 100 < then * (100 - TOLERATED);
        self.then.zip(self.now).is_some_and(less)
    }

    pub(super) fn is_new_or_gone(&self) -> bool {
        self.then.is_none() || self.now.is_none()
    }

    fn per_cent(&self) -> Option<f64> {
        Some(per_cent(self.then?, self.now?))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            part,
            then,
            now,
        } = self;
        match (then, now, self.per_cent()) {
            (Some(then), Some(now), Some(change)) => {
                write!(f, "{name}, {part}: {then} -> {now} ({change:+.2}%)")
            }
            (None, ..) => write!(f, "{name}, {part} is new"),
            _ => write!(f, "{name}, {part} is gone"),
        }
    }
}

/// For the reader: everything, whether it changed or not.
pub(super) fn table(changes: &[Change]) -> String {
    let shown = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let mut text = format!(
        "{:<14} {:>12} {:>12} {:>9}\n",
        "instructions", "committed", "now", "change"
    );
    for change in changes {
        let name = format!("{}, {}", change.name, change.part);
        let per_cent = change
            .per_cent()
            .map_or_else(String::new, |change| format!("{change:+.2}%"));
        let verdict = match change {
            change if change.is_slower() => "  slower",
            change if change.is_faster() => "  faster",
            _ => "",
        };
        let line = format!(
            "{name:<14} {:>12} {:>12} {per_cent:>9}{verdict}",
            shown(change.then),
            shown(change.now)
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// How much more the second number is.
pub(super) fn per_cent(then: u64, now: u64) -> f64 {
    (now as f64 / (then as f64).max(1.0) - 1.0) * 100.0
}

/// Per cent that a number may move by: some times what the runs are apart, and less than any mistake worth finding.
const TOLERATED: u64 = 3;

const HEADER: &str = "\
# Written by `cargo xtask bench --write`, compared by `cargo xtask bench --check` within 3 per cent.
# Instructions of one piece of work outside the kernel, as callgrind counts them: `all` of them, and `own`, which leaves out
# the calls into AWS-LC. `tests/instructions/main.rs` says what each piece is.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(all: u64, own: u64) -> Counts {
        Counts::from([("call".to_owned(), Count { all, own })])
    }

    #[test]
    fn what_is_written_is_read_again() {
        let with = vec![("rustc", "rustc 1.95.0 (\"quoted\")".to_owned())];
        let baseline = Baseline {
            with: with.clone(),
            counts: counts(2_000_000, 90_000),
        };
        let committed = Baseline::read(&baseline.text()).unwrap();
        assert_eq!(committed.counts, baseline.counts);
        assert!(committed.measured_otherwise(&with).is_empty());
        let other = [("rustc", "rustc 1.96.0".to_owned())];
        assert_eq!(committed.measured_otherwise(&other).len(), 1);
    }

    #[test]
    fn a_file_that_is_not_one_is_refused_with_what_is_missing() {
        for (text, expected) in [
            ("", "it has no `[with]`"),
            ("[with]\n", "it has no `[instructions]`"),
            (
                "[with]\n[instructions]\ncall = { all = 1 }\n",
                "`call` has not two numbers",
            ),
        ] {
            assert_eq!(Baseline::read(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn each_number_is_compared_by_itself() {
        let text = Baseline {
            with: Vec::new(),
            counts: counts(1_000_000, 10_000),
        }
        .text();
        let committed = Baseline::read(&text).unwrap();
        // A tenth more of our own, a thousandth more of all.
        let compared = committed.compare(&counts(1_001_000, 11_000));
        let shown = table(&compared);
        let expected = "\
instructions      committed          now    change
call, all           1000000      1001000    +0.10%
call, own             10000        11000   +10.00%  slower
";
        assert_eq!(shown, expected);
        assert!(compared[1].is_slower() && !compared[0].is_slower());
        let compared = committed.compare(&Counts::new());
        assert!(compared.iter().all(Change::is_new_or_gone));
        assert_eq!(compared[0].to_string(), "call, all is gone");
    }
}
