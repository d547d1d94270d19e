//! Are the names right: merchant id, serial number, id of the platform's key? The two serials are mixed up most.

use super::{
    facts::{Facts, Settings},
    report::{Check, Report},
};
use crate::serial::{self, Written};

/// Looks at what each file of settings says.
pub(crate) fn check(facts: &Facts, report: &mut Report) {
    for (index, settings) in facts.settings.iter().enumerate() {
        // What a sandbox's folder says a second time is told only when it is wrong.
        let report = &mut Told {
            report,
            passes: index == 0,
        };
        if let (0, Some(mchid)) = (index, &settings.mchid) {
            check_mchid(facts, settings, mchid, report);
        }
        if let Some(text) = &settings.merchant_serial {
            check_merchant_serial(facts, settings, text, report);
        }
        if let Some(text) = &settings.platform_key_id {
            check_platform_key_id(facts, settings, text, report);
        }
    }
    check_agreement(&facts.settings, report);
}

/// A report that may leave out what is in order.
struct Told<'a> {
    report: &'a mut Report,
    passes: bool,
}

impl Told<'_> {
    fn passed(&mut self, check: Check, note: impl Into<String>) {
        if self.passes {
            self.report.passed(check, note);
        }
    }

    fn found(&mut self, check: Check, at: &str, problem: impl Into<String>, fix: impl Into<String>) {
        self.report.found(check, at, problem, fix);
    }
}

fn check_mchid(facts: &Facts, settings: &Settings, mchid: &str, report: &mut Told<'_>) {
    if !(matches!(mchid.len(), 1..=32) && is_number(mchid)) {
        return report.found(
            Check::Mchid,
            &settings.at,
            "`mchid` is not 1 to 32 digits",
            "set it to the merchant id (商户号) of the certificate",
        );
    }
    // WeChat Pay's authority writes the merchant id there.
    let name = facts
        .merchant_certificate()
        .and_then(|certificate| certificate.common_name.as_deref());
    match name {
        Some(name) if is_number(name) && name != mchid => report.found(
            Check::Mchid,
            &settings.at,
            format!("`mchid` is {mchid}, and the certificate is the merchant {name}'s"),
            format!("set it to {name}, or take the certificate of {mchid}"),
        ),
        Some(name) if name == mchid => report.passed(Check::Mchid, format!("{mchid}, the certificate's")),
        _ => report.passed(Check::Mchid, mchid),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn check_merchant_serial(facts: &Facts, settings: &Settings, text: &str, report: &mut Told<'_>) {
    let certificate = facts.merchant_certificate();
    let problem = match Written::read(text) {
        Written::Empty => "`merchant_serial` is empty".to_owned(),
        Written::PublicKeyId(_) | Written::PublicKeyIdMisspelt => {
            "`merchant_serial` holds the id of WeChat Pay's public key".to_owned()
        }
        _ if certificate.is_some_and(|certificate| serial::decimal(&certificate.serial) == text.trim()) => {
            "`merchant_serial` is in decimal, it has to be in hexadecimal".to_owned()
        }
        Written::Hexadecimal(id) => match certificate {
            None => {
                let note = format!("{id}; without the certificate nothing says whether it is right");
                return report.passed(Check::MerchantSerial, note);
            }
            Some(certificate) if certificate.serial == id => {
                return report.passed(Check::MerchantSerial, format!("{id}, the certificate's"));
            }
            Some(_)
                if facts
                    .platform_certificate()
                    .is_some_and(|platform| platform.serial == id) =>
            {
                "`merchant_serial` is the serial number of the platform's certificate".to_owned()
            }
            Some(_) => format!("`merchant_serial` ({id}) is not the serial number of the certificate"),
        },
        Written::TooLong { digits } => {
            format!("`merchant_serial` has {digits} hexadecimal digits, a serial number at most 40")
        }
        Written::Other => "`merchant_serial` is not hexadecimal".to_owned(),
    };
    let fix = match certificate {
        Some(certificate) => format!("set it to {}, or leave it out", certificate.serial),
        None => {
            "set it to what `openssl x509 -in apiclient_cert.pem -noout -serial` prints, or name the certificate \
             with `merchant_certificate`"
                .to_owned()
        }
    };
    report.found(Check::MerchantSerial, &settings.at, problem, fix);
}

fn check_platform_key_id(facts: &Facts, settings: &Settings, text: &str, report: &mut Told<'_>) {
    let mut found = |problem: &str, fix: &str| {
        report.found(Check::PlatformKeyId, &settings.at, problem, fix);
    };
    match Written::read(text) {
        Written::PublicKeyId(id) => report.passed(Check::PlatformKeyId, id.as_str()),
        Written::PublicKeyIdMisspelt => found(
            "`platform_key_id` is not `PUB_KEY_ID_` in capitals and digits after it",
            COPY_ID,
        ),
        Written::Hexadecimal(id) => {
            let merchants = facts
                .merchant_certificate()
                .is_some_and(|certificate| certificate.serial == id)
                || settings.merchant_serial.as_deref().map(Written::read)
                    == Some(Written::Hexadecimal(id.clone()));
            let platforms = facts
                .platform_certificate()
                .is_some_and(|certificate| certificate.serial == id);
            if merchants {
                found(
                    "`platform_key_id` holds the serial number of the merchant's certificate",
                    COPY_ID,
                );
            } else if platforms {
                found(
                    "`platform_key_id` holds the serial number of the platform's certificate",
                    "leave it out: a certificate brings its own number",
                );
            } else {
                found(
                    "`platform_key_id` holds a certificate's serial number",
                    "name a platform certificate with `platform_certificate`; the id of a public key begins with \
                     `PUB_KEY_ID_`",
                );
            }
        }
        Written::Empty => found("`platform_key_id` is empty", COPY_ID),
        Written::Other | Written::TooLong { .. } => {
            found("`platform_key_id` is not the id of a public key", COPY_ID);
        }
    }
}

/// A sandbox's folder says everything twice, and a profile that was copied out of another one contradicts it.
fn check_agreement(settings: &[Settings], report: &mut Report) {
    let [profile, sandbox] = settings else { return };
    type Field = fn(&Settings) -> &Option<String>;
    let fields: [(&str, Field); 5] = [
        ("base_url", |settings| &settings.base_url),
        ("mchid", |settings| &settings.mchid),
        ("platform_key_id", |settings| &settings.platform_key_id),
        ("brand_id", |settings| &settings.brand_id),
        ("card_id", |settings| &settings.card_id),
    ];
    for (name, field) in fields {
        if let (Some(ours), Some(theirs)) = (field(profile), field(sandbox))
            && ours != theirs
        {
            report.found(
                Check::Settings,
                &profile.at,
                format!("`{name}` is another one than in {}", sandbox.at),
                format!("set it to {theirs}"),
            );
        }
    }
}

const COPY_ID: &str = "copy the id (PUB_KEY_ID_…) that the merchant platform shows beside the public key";

#[cfg(test)]
mod tests;
