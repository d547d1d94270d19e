//! Reads what callgrind writes, as far as it is needed: how many instructions, and how many of them below AWS-LC.
//!
//! The format is that of the manual of valgrind, "Callgrind Format Specification". The first event counts; names may be
//! compressed to numbers or not.

use std::collections::HashMap;

/// What a profile comes to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Profile {
    /// Instructions of everything that was counted.
    pub(super) all: u64,
    /// Those of calls from elsewhere into AWS-LC, with all that they called in turn.
    pub(super) foreign: u64,
}

impl Profile {
    /// Reads a profile; `None` when it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut profile = Self::default();
        let mut names = HashMap::new();
        let (mut in_foreign, mut into_foreign, mut is_call) = (false, false, false);
        let mut positions = 1;
        let mut has_events = false;
        for line in text.lines() {
            if let Some(named) = line.strip_prefix("positions: ") {
                positions = named.split_whitespace().count();
            } else if line.starts_with("events: ") {
                has_events = true;
            } else if let Some(name) = line.strip_prefix("fn=") {
                in_foreign = is_foreign(name, &mut names);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                into_foreign = is_foreign(name, &mut names);
            } else if line.starts_with("calls=") {
                is_call = true;
            } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
                // A line without costs has none of them.
                let cost = match line.split_whitespace().nth(positions) {
                    Some(cost) => cost.parse::<u64>().ok()?,
                    None => 0,
                };
                match std::mem::take(&mut is_call) {
                    false => profile.all += cost,
                    true if into_foreign && !in_foreign => profile.foreign += cost,
                    true => {}
                }
            }
        }
        (has_events && profile.foreign <= profile.all).then_some(profile)
    }
}

/// Whether a function is AWS-LC's by its name: `name`, `(12) name` where it stands first, or `(12)`.
fn is_foreign(name: &str, names: &mut HashMap<String, bool>) -> bool {
    let number = name.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    match number.filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit())) {
        Some((number, "")) => names.get(number).copied().unwrap_or(false),
        Some((number, name)) => {
            let is_foreign = name.trim_start().starts_with(FOREIGN);
            names.insert(number.to_owned(), is_foreign);
            is_foreign
        }
        None => name.starts_with(FOREIGN),
    }
}

/// How every function begins that AWS-LC offers: `aws-lc-sys` puts its version in front. What is not offered is called by
/// these alone.
const FOREIGN: &str = "aws_lc_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_into_the_backend_are_told_from_the_rest() {
        let compressed = "\
# callgrind format
version: 1
positions: line
events: Ir
summary: 1180

fl=(1) stage.rs
fn=(1) wxmember_instructions::stage::Stage::sign
10 100
cfn=(2) aws_lc_0_42_0_RSA_sign
calls=2 20
+3 1000
cfn=(4) memcpy
calls=1 1
* 30

fn=(2)
20 900
cfn=(3) rsa_blinding
calls=2 7
20 100

fn=(3)
7 100

fn=(4)
1 80
totals: 1180
";
        let expected = Profile {
            all: 1180,
            foreign: 1000,
        };
        assert_eq!(Profile::read(compressed), Some(expected));
        let plain = "positions: instr line\nevents: Ir Dr\nfn=a\n0x1 1 5 1\ncfn=aws_lc_b\ncalls=1 0x9 2\n0x2 2 7 1\nfn=aws_lc_b\n0x9 2 7\n";
        assert_eq!(Profile::read(plain), Some(Profile { all: 12, foreign: 7 }));
    }

    #[test]
    fn what_is_no_profile_is_none() {
        assert_eq!(Profile::read(""), None);
        assert_eq!(Profile::read("events: Ir\nfn=a\n1 many\n"), None);
    }
}
