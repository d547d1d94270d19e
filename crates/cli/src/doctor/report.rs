//! What the checks say: what is in order, what is wrong and what could not be looked at.

use std::fmt;

use serde::Serialize;

use crate::language::{known, t};

/// What was looked at. The names are part of the JSON output.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Check {
    Profile,
    MerchantKey,
    MerchantCertificate,
    PlatformKey,
    PlatformCertificate,
    MerchantSerial,
    PlatformKeyId,
    Mchid,
    Settings,
    Validity,
    Apiv3Key,
    Permissions,
    Clock,
    Online,
}

impl Check {
    /// The name for people.
    fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::MerchantKey => "merchant key",
            Self::MerchantCertificate => "merchant certificate",
            Self::PlatformKey => "platform key",
            Self::PlatformCertificate => "platform certificate",
            Self::MerchantSerial => "merchant serial",
            Self::PlatformKeyId => "platform key id",
            Self::Mchid => "merchant id",
            Self::Settings => "settings",
            Self::Validity => "validity",
            Self::Apiv3Key => "APIv3 key",
            Self::Permissions => "permissions",
            Self::Clock => "clock",
            Self::Online => "online",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    /// The file, or the address of the platform.
    pub(crate) at: String,
    pub(crate) problem: String,
    /// What to do about it.
    pub(crate) fix: String,
}

/// Everything that was found, in the order of the checks.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Entry>);

#[derive(Debug)]
enum Entry {
    Found(Finding),
    Passed(Note),
    Skipped(Note),
}

/// A check without a finding.
#[derive(Debug, Eq, PartialEq, Serialize)]
struct Note {
    check: Check,
    note: String,
}

impl Report {
    /// Notes what is wrong, where, and what to do about it.
    pub(crate) fn found(
        &mut self,
        check: Check,
        at: impl fmt::Display,
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.0.push(Entry::Found(Finding {
            check,
            at: at.to_string(),
            problem: problem.into(),
            fix: fix.into(),
        }));
    }

    /// Notes what is in order; the same note twice is one note.
    pub(crate) fn passed(&mut self, check: Check, note: impl Into<String>) {
        let note = Note {
            check,
            note: note.into(),
        };
        let is_known = self
            .0
            .iter()
            .any(|entry| matches!(entry, Entry::Passed(known) if *known == note));
        if !is_known {
            self.0.push(Entry::Passed(note));
        }
    }

    /// Notes what could not be looked at, and why.
    pub(crate) fn skipped(&mut self, check: Check, note: impl Into<String>) {
        self.0.push(Entry::Skipped(Note {
            check,
            note: note.into(),
        }));
    }

    /// Forgets why something could not be looked at, because it was after all.
    pub(crate) fn resume(&mut self, check: Check) {
        self.0
            .retain(|entry| !matches!(entry, Entry::Skipped(note) if note.check == check));
    }

    /// Everything that is wrong.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter_map(|entry| match entry {
            Entry::Found(finding) => Some(finding),
            Entry::Passed(_) | Entry::Skipped(_) => None,
        })
    }

    /// One JSON object.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let notes = |wanted: fn(&Entry) -> Option<&Note>| -> Vec<&Note> {
            self.0.iter().filter_map(wanted).collect()
        };
        let findings: Vec<_> = self.findings().collect();
        serde_json::json!({
            "format_version": 1,
            "healthy": findings.is_empty(),
            "findings": findings,
            "passed": notes(|entry| match entry {
                Entry::Passed(note) => Some(note),
                _ => None,
            }),
            "skipped": notes(|entry| match entry {
                Entry::Skipped(note) => Some(note),
                _ => None,
            }),
        })
    }
}

/// A line an entry.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.0 {
            match entry {
                Entry::Found(Finding {
                    check: _,
                    at,
                    problem,
                    fix,
                }) => {
                    let (at, problem, fix) = (known(at), known(problem), known(fix));
                    writeln!(
                        f,
                        "✗ {}",
                        t!("doctor-finding", at = at, problem = problem, fix = fix)
                    )?;
                }
                Entry::Passed(Note { check, note }) => {
                    writeln!(f, "✓ {}", noted(*check, note))?;
                }
                Entry::Skipped(Note { check, note }) => {
                    writeln!(f, "- {}", noted(*check, note))?;
                }
            }
        }
        Ok(())
    }
}

fn noted(check: Check, note: &str) -> String {
    t!("doctor-note", check = known(check.name()), note = known(note))
}
