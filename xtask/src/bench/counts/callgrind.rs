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
    /// Those of calls from Rust into AWS-LC, with all that they called in turn.
    pub(super) foreign: u64,
}

impl Profile {
    /// Reads a profile; `None` when it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut profile = Self::default();
        let mut names = HashMap::new();
        let (mut from, mut to, mut is_call) = (Side::Neither, Side::Neither, false);
        let mut positions = 1;
        let mut has_events = false;
        for line in text.lines() {
            if let Some(named) = line.strip_prefix("positions: ") {
                positions = named.split_whitespace().count();
            } else if line.starts_with("events: ") {
                has_events = true;
            } else if let Some(name) = line.strip_prefix("fn=") {
                from = side(name, &mut names);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                to = side(name, &mut names);
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
                    true if (from, to) == (Side::Rust, Side::Foreign) => profile.foreign += cost,
                    true => {}
                }
            }
        }
        (has_events && profile.foreign <= profile.all).then_some(profile)
    }
}

/// Whose a function is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    Foreign,
    /// The C library's, or one that AWS-LC keeps to itself.
    Neither,
    Rust,
}

/// Whose a function is by its name: `name`, `(12) name` where it stands first, or `(12)`.
fn side(name: &str, names: &mut HashMap<String, Side>) -> Side {
    let of = |name: &str| match name {
        // The crate around the library begins like its functions.
        name if name.contains("::") => Side::Rust,
        name if name.starts_with(FOREIGN) => Side::Foreign,
        _ => Side::Neither,
    };
    let number = name.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    match number.filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit())) {
        Some((number, "")) => names.get(number).copied().unwrap_or(Side::Neither),
        Some((number, name)) => {
            let side = of(name.trim_start());
            names.insert(number.to_owned(), side);
            side
        }
        None => of(name),
    }
}

/// How every function begins that AWS-LC offers: `aws-lc-sys` puts its version in front. Rust can call no other one.
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
fn=(1) aws_lc_rs::rsa::key::KeyPair::sign
10 100
cfn=(2) aws_lc_0_42_0_EVP_DigestSign
calls=2 20
+3 1000
cfn=(4) memcpy
calls=1 1
* 30

fn=(2)
20 900
cfn=(3) pkey_rsa_sign
calls=2 7
20 100

fn=(3)
7 60
cfn=(5) aws_lc_0_42_0_RSA_sign
calls=2 7
7 40

fn=(5)
9 40

fn=(4)
1 80
totals: 1180
";
        let expected = Profile {
            all: 1180,
            foreign: 1000,
        };
        assert_eq!(Profile::read(compressed), Some(expected));
        let plain = "positions: instr line\nevents: Ir Dr\nfn=a::b\n0x1 1 5 1\ncfn=aws_lc_b\ncalls=1 0x9 2\n0x2 2 7 1\nfn=aws_lc_b\n0x9 2 7\n";
        assert_eq!(Profile::read(plain), Some(Profile { all: 12, foreign: 7 }));
    }

    #[test]
    fn what_is_no_profile_is_none() {
        assert_eq!(Profile::read(""), None);
        assert_eq!(Profile::read("events: Ir\nfn=a\n1 many\n"), None);
    }
}
