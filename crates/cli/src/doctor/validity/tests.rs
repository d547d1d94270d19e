//! Dates around the limits, by a clock that the test holds.

use super::super::testing::{KEY_ID, NOW, at, check};
use super::*;

#[test]
fn a_certificate_is_in_force_between_its_dates() {
    // `healthy` begins a day before and ends a thousand days after.
    check(|facts| facts.now = at(NOW - 86_400), &[]);
    check(
        |facts| facts.now = at(NOW - 86_401),
        &["cert: the certificate is valid from 2026-11-29 on, and this machine's clock shows 2026-11-29"],
    );
    check(|facts| facts.now = at(NOW + 910 * DAY), &[]);
    check(
        |facts| facts.now = at(NOW + 910 * DAY + 1),
        &["cert: the certificate expires on 2029-08-26, in 89 days"],
    );
    check(
        |facts| facts.now = at(NOW + 1000 * DAY),
        &["cert: the certificate expires on 2029-08-26, in 0 days"],
    );
    check(
        |facts| facts.now = at(NOW + 1000 * DAY + 1),
        &["cert: the certificate has expired on 2029-08-26"],
    );
}

#[test]
fn a_clock_before_this_program_is_wrong() {
    check(
        |facts| {
            facts.now = at(0);
            assert_eq!(facts.settings[0].platform_key_id.as_deref(), Some(KEY_ID));
        },
        &[
            "this machine: the clock shows 1970-01-01, before this program was written",
            "cert: the certificate is valid from 2026-11-29 on, and this machine's clock shows 1970-01-01",
        ],
    );
}
