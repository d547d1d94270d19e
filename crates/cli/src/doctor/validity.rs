//! Are the certificates in force, and can this machine's clock be right?

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{
    facts::{CertificateFacts, Facts},
    report::{Check, Report},
};

/// Looks at dates only; the time comes with the facts.
pub(crate) fn check(facts: &Facts, report: &mut Report) {
    let seconds = facts
        .now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    if seconds < WRITTEN_AT {
        report.found(
            Check::Clock,
            "this machine",
            format!(
                "the clock shows {}, before this program was written",
                date(facts.now)
            ),
            SET_CLOCK,
        );
    }
    let files = [&facts.merchant_certificate, &facts.platform_certificate];
    for file in files.into_iter().flatten() {
        if let Some(certificate) = file.holds.certificate() {
            check_certificate(&file.at, certificate, facts.now, report);
        }
    }
}

fn check_certificate(at: &str, certificate: &CertificateFacts, now: SystemTime, report: &mut Report) {
    let CertificateFacts {
        serial,
        not_before,
        not_after,
        ..
    } = certificate;
    if let Ok(early) = not_before.duration_since(now)
        && !early.is_zero()
    {
        report.found(
            Check::Clock,
            at,
            format!(
                "the certificate is valid from {} on, and this machine's clock shows {}",
                date(*not_before),
                date(now)
            ),
            SET_CLOCK,
        );
        return;
    }
    match not_after.duration_since(now) {
        Err(_) => report.found(
            Check::Validity,
            at,
            format!("the certificate has expired on {}", date(*not_after)),
            RENEW,
        ),
        Ok(left) if left < SOON => report.found(
            Check::Validity,
            at,
            format!(
                "the certificate expires on {}, in {} days",
                date(*not_after),
                left.as_secs() / DAY
            ),
            RENEW,
        ),
        Ok(_) => report.passed(
            Check::Validity,
            format!("{serial} is valid until {}", date(*not_after)),
        ),
    }
}

/// Year, month and day, in UTC.
pub(crate) fn date(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(
        |_| "a date far away".to_owned(),
        |time| time.strftime("%Y-%m-%d").to_string(),
    )
}

const DAY: u64 = 86_400;
const SOON: Duration = Duration::from_secs(90 * DAY);

/// 2026-11-26, in Unix seconds. No clock that is right shows less.
const WRITTEN_AT: u64 = 1_795_651_200;

const SET_CLOCK: &str = "set the clock, best by NTP";
const RENEW: &str = "get the next one in the merchant platform and change over while both are valid";

#[cfg(test)]
mod tests;
