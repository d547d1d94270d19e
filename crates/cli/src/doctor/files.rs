//! Files beside the keys: the APIv3 key, and who may read what is secret.

use super::{
    facts::{Facts, SecretText},
    report::{Check, Report},
};

/// Looks at lengths and permissions, never at content.
pub(crate) fn check(facts: &Facts, report: &mut Report) {
    check_apiv3_key(facts, report);
    check_modes(facts, report);
}

fn check_apiv3_key(facts: &Facts, report: &mut Report) {
    let Some(file) = &facts.apiv3_key else {
        return report.skipped(
            Check::Apiv3Key,
            "not set; notifications and the download of certificates need it",
        );
    };
    let problem = match &file.holds {
        Ok(SecretText {
            bytes: 32,
            has_blanks: false,
        }) => return report.passed(Check::Apiv3Key, "32 bytes"),
        Ok(SecretText { has_blanks: true, .. }) => {
            "the APIv3 key holds a blank or a character that is not ASCII".to_owned()
        }
        Ok(SecretText { bytes, .. }) => format!("the APIv3 key has {bytes} bytes, it must have 32"),
        Err(why) => format!("the APIv3 key {why}"),
    };
    report.found(
        Check::Apiv3Key,
        &file.at,
        problem,
        "write the APIv3 key (APIv3密钥) of the merchant platform into it and nothing else",
    );
}

fn check_modes(facts: &Facts, report: &mut Report) {
    let mut is_tight = true;
    for mode in facts.modes.iter().filter(|mode| mode.bits & 0o077 != 0) {
        is_tight = false;
        report.found(
            Check::Permissions,
            &mode.at,
            format!("others may read it (mode {:03o})", mode.bits & 0o777),
            format!("run `chmod 600 {}`", shell_word(&mode.at)),
        );
    }
    if is_tight && !facts.modes.is_empty() {
        report.passed(Check::Permissions, "secret files are their owner's alone");
    }
}

/// A path as a shell takes it.
pub(crate) fn shell_word(path: &str) -> String {
    let is_plain = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/._-+=:@,".contains(&byte));
    if is_plain {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests;
