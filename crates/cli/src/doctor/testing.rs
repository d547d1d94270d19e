//! Facts without files, for the tests of the checks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wxmember::KeyId;

use super::{
    facts::{CertificateFacts, Facts, Holds, Key, KeyFile, SecretFile, SecretText, Settings},
    report::Report,
};

/// Unix seconds that the tests call now.
pub(crate) const NOW: u64 = 1_796_000_000;

pub(crate) const MERCHANT_SERIAL: &str = "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6";
pub(crate) const PLATFORM_SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A72000C0DE5";
pub(crate) const KEY_ID: &str = "PUB_KEY_ID_0119000001092026113000000000000001";

/// Any key, told apart by its name.
pub(crate) fn key(name: &str) -> Key {
    Key(name.as_bytes().to_vec())
}

pub(crate) fn private(name: &str) -> Holds {
    Holds::PrivateKey(key(name))
}

pub(crate) fn public(name: &str) -> Holds {
    Holds::PublicKey(key(name))
}

pub(crate) fn certificate(name: &str, serial: &str) -> Holds {
    Holds::Certificate(CertificateFacts {
        serial: KeyId::new(serial),
        key: key(name),
        common_name: None,
        not_before: at(NOW - 86_400),
        not_after: at(NOW + 1000 * 86_400),
    })
}

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(crate) fn file(at: &str, holds: Holds) -> Option<KeyFile> {
    let at = at.to_owned();
    Some(KeyFile { at, holds })
}

/// A merchant without a fault, in public-key mode.
pub(crate) fn healthy() -> Facts {
    Facts {
        now: at(NOW),
        place: "d".to_owned(),
        merchant_key: file("key", private("merchant")),
        merchant_certificate: file("cert", certificate("merchant", MERCHANT_SERIAL)),
        platform_key: file("pub", public("platform")),
        platform_certificate: None,
        apiv3_key: Some(SecretFile {
            at: "apiv3".to_owned(),
            holds: Ok(SecretText {
                bytes: 32,
                has_blanks: false,
            }),
        }),
        settings: vec![Settings {
            at: "toml".to_owned(),
            mchid: Some("1900000109".to_owned()),
            merchant_serial: Some(MERCHANT_SERIAL.to_owned()),
            platform_key_id: Some(KEY_ID.to_owned()),
            ..Settings::default()
        }],
        modes: Vec::new(),
    }
}

/// Changes the healthy merchant and lists what every check finds.
#[track_caller]
pub(crate) fn check(change: impl FnOnce(&mut Facts), expected: &[&str]) {
    let mut facts = healthy();
    change(&mut facts);
    let mut report = Report::default();
    super::examine(&facts, &mut report);
    let found: Vec<_> = report
        .findings()
        .map(|finding| format!("{}: {}", finding.at, finding.problem))
        .collect();
    assert_eq!(found, expected, "{report}");
}
