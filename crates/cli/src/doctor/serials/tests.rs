//! Every way to write a name wrong.

use super::super::facts::Holds;
use super::super::testing::{KEY_ID, MERCHANT_SERIAL, PLATFORM_SERIAL, certificate, check, file};

#[track_caller]
fn check_serial(text: &str, expected: &[&str]) {
    check(
        |facts| facts.settings[0].merchant_serial = Some(text.to_owned()),
        expected,
    );
}

#[track_caller]
fn check_id(text: &str, expected: &[&str]) {
    check(
        |facts| facts.settings[0].platform_key_id = Some(text.to_owned()),
        expected,
    );
}

#[test]
fn the_forms_of_one_serial_are_all_right() {
    check_serial(&MERCHANT_SERIAL.to_lowercase(), &[]);
    check_serial(&format!("0x{MERCHANT_SERIAL}"), &[]);
    check_serial(&format!("00{MERCHANT_SERIAL}"), &[]);
    check_serial("4D:3C:2B:1A:09:F8:E7:D6:C5:B4:A3:92:81:70:61:52:43:F4:E5:D6", &[]);
}

#[test]
fn a_wrong_merchant_serial_is_named() {
    check_serial(
        "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D7",
        &[
            "toml: `merchant_serial` (4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D7) is not the serial number of the certificate",
        ],
    );
    check_serial(
        KEY_ID,
        &["toml: `merchant_serial` holds the id of WeChat Pay's public key"],
    );
    check_serial("", &["toml: `merchant_serial` is empty"]);
    check_serial("the serial", &["toml: `merchant_serial` is not hexadecimal"]);
    check_serial(
        &"A".repeat(41),
        &["toml: `merchant_serial` has 41 hexadecimal digits, a serial number at most 40"],
    );
    check_serial(
        "440934088754239530225063104289291825430545098198",
        &["toml: `merchant_serial` is in decimal, it has to be in hexadecimal"],
    );
    check(
        |facts| {
            facts.settings[0].merchant_serial = Some(PLATFORM_SERIAL.to_owned());
            facts.platform_certificate = file("plat", certificate("platform", PLATFORM_SERIAL));
        },
        &["toml: `merchant_serial` is the serial number of the platform's certificate"],
    );
}

#[test]
fn a_serial_without_a_certificate_is_read_all_the_same() {
    check(
        |facts| {
            facts.merchant_certificate = None;
            facts.settings[0].merchant_serial = Some("AB".to_owned());
        },
        &[],
    );
    check(
        |facts| {
            facts.merchant_certificate = None;
            facts.settings[0].merchant_serial = Some("XY".to_owned());
        },
        &["toml: `merchant_serial` is not hexadecimal"],
    );
}

#[test]
fn a_wrong_id_of_the_platforms_key_is_named() {
    check_id("", &["toml: `platform_key_id` is empty"]);
    check_id(
        "my key",
        &["toml: `platform_key_id` is not the id of a public key"],
    );
    check_id(
        &KEY_ID.to_lowercase(),
        &["toml: `platform_key_id` is not `PUB_KEY_ID_` in capitals and digits after it"],
    );
    check_id(
        PLATFORM_SERIAL,
        &["toml: `platform_key_id` holds a certificate's serial number"],
    );
    check_id(
        &MERCHANT_SERIAL.to_lowercase(),
        &["toml: `platform_key_id` holds the serial number of the merchant's certificate"],
    );
    check(
        |facts| {
            facts.settings[0].platform_key_id = Some(PLATFORM_SERIAL.to_owned());
            facts.platform_certificate = file("plat", certificate("platform", PLATFORM_SERIAL));
        },
        &["toml: `platform_key_id` holds the serial number of the platform's certificate"],
    );
}

#[test]
fn exchanged_names_are_both_named() {
    check(
        |facts| {
            facts.settings[0].merchant_serial = Some(KEY_ID.to_owned());
            facts.settings[0].platform_key_id = Some(MERCHANT_SERIAL.to_owned());
        },
        &[
            "toml: `merchant_serial` holds the id of WeChat Pay's public key",
            "toml: `platform_key_id` holds the serial number of the merchant's certificate",
        ],
    );
}

#[test]
fn a_wrong_merchant_id_is_named() {
    for mchid in ["", "190000010 9", "wx1900000109", "1900000109１", &"1".repeat(33)] {
        check(
            |facts| facts.settings[0].mchid = Some(mchid.to_owned()),
            &["toml: `mchid` is not 1 to 32 digits"],
        );
    }
}

#[test]
fn a_merchant_id_of_another_certificate_is_named() {
    let named = |name: &str, expected: &[&str]| {
        check(
            |facts| {
                let file = facts.merchant_certificate.as_mut().unwrap();
                if let Holds::Certificate(certificate) = &mut file.holds {
                    certificate.common_name = Some(name.to_owned());
                }
            },
            expected,
        );
    };
    named("1900000109", &[]);
    named("somebody", &[]);
    named(
        "1900000110",
        &["toml: `mchid` is 1900000109, and the certificate is the merchant 1900000110's"],
    );
}

#[test]
fn a_profile_that_contradicts_its_sandbox_is_named() {
    check(
        |facts| {
            let mut sandbox = facts.settings[0].clone();
            sandbox.at = "json".to_owned();
            sandbox.mchid = Some("1900000110".to_owned());
            sandbox.base_url = Some("http://127.0.0.1:1".to_owned());
            facts.settings.push(sandbox);
        },
        &["toml: `mchid` is another one than in json"],
    );
}
