//! Does each place hold the key that belongs there? A merchant has four files that all look alike.
//!
//! A mix-up is told once, at the file that has to be replaced.

use super::{
    facts::{CertificateFacts, Facts, Holds, Key, KeyFile},
    report::{Check, Report},
};
use crate::profile::{
    FETCH_CERTIFICATE, FETCH_KEY, NAME_CERTIFICATE, NAME_KEY, RESTORE_CERTIFICATE, RESTORE_KEY,
};

/// Looks at the four places of keys.
pub(crate) fn check(facts: &Facts, report: &mut Report) {
    let places = Places::of(facts);
    match &facts.merchant_key {
        Some(file) => places.merchant_key(file, report),
        None => report.found(
            Check::MerchantKey,
            &facts.place,
            "no merchant key is set, or its passphrase cannot be read",
            "set `merchant_key` to the path of apiclient_key.pem, or `merchant_p12` to that of apiclient_cert.p12",
        ),
    }
    if let Some(file) = &facts.merchant_certificate {
        places.merchant_certificate(file, report);
    }
    if let Some(file) = &facts.platform_key {
        places.platform_key(file, report);
    }
    if let Some(file) = &facts.platform_certificate {
        places.platform_certificate(file, report);
    }
    if facts.platform_key.is_none() && facts.platform_certificate.is_none() {
        if facts.apiv3_key.is_some() {
            return report.skipped(
                Check::PlatformCertificate,
                "none is set, so they are downloaded and opened with the APIv3 key; not tried yet",
            );
        }
        report.found(
            Check::PlatformKey,
            &facts.place,
            "there is no key of WeChat Pay, so no answer could be believed and no field sealed",
            FETCH_KEY,
        );
    }
}

/// The keys by the place in which they were found.
struct Places<'a> {
    /// The private key in the merchant's place.
    private: Option<&'a Key>,
    certificate: Option<&'a CertificateFacts>,
    /// What the two places of the platform hold.
    platform: [Option<&'a Key>; 2],
}

impl<'a> Places<'a> {
    fn of(facts: &'a Facts) -> Self {
        let key = |file: &'a Option<KeyFile>| file.as_ref().and_then(|file| file.holds.key());
        Self {
            private: facts
                .merchant_key
                .as_ref()
                .and_then(|file| file.holds.private_key()),
            certificate: facts.merchant_certificate(),
            platform: [key(&facts.platform_key), key(&facts.platform_certificate)],
        }
    }

    fn stands_in_the_platforms_place(&self, key: &Key) -> bool {
        self.platform.into_iter().flatten().any(|other| other == key)
    }

    fn is_the_certificates(&self, key: &Key) -> bool {
        self.certificate
            .is_some_and(|certificate| certificate.key == *key)
    }

    /// The merchant's key, as far as the merchant's own two places agree.
    fn merchants(&self) -> Option<&Key> {
        let certificate = self.certificate.map(|certificate| &certificate.key);
        match (self.private, certificate) {
            (Some(private), Some(certificate)) => (private == certificate).then_some(private),
            (private, certificate) => private.or(certificate),
        }
    }

    fn merchant_key(&self, file: &KeyFile, report: &mut Report) {
        let mut found = |problem: String| report.found(Check::MerchantKey, &file.at, problem, RESTORE_KEY);
        let what = match &file.holds {
            Holds::Unreadable(why) => return found(format!("the merchant's private key {why}")),
            Holds::Unusable(why) => return found(format!("holds no private key: {why}")),
            Holds::Encrypted => {
                return report.found(
                    Check::MerchantKey,
                    &file.at,
                    "the private key is encrypted with a passphrase",
                    "name a file that holds the passphrase with `merchant_key_passphrase_file`",
                );
            }
            Holds::PrivateKey(key) => {
                let Some(certificate) = self.certificate else {
                    return report.passed(
                        Check::MerchantKey,
                        "an RSA private key; without the certificate nothing says whose",
                    );
                };
                if certificate.key == *key {
                    return report.passed(
                        Check::MerchantKey,
                        format!("belongs to the certificate {}", certificate.serial),
                    );
                }
                if !self.stands_in_the_platforms_place(key) {
                    // The certificate's place reports it when the platform's certificate stands there.
                    if !self.stands_in_the_platforms_place(&certificate.key) {
                        found(format!(
                            "the private key does not belong to the certificate {}",
                            certificate.serial
                        ));
                    }
                    return;
                }
                "private key"
            }
            Holds::PublicKey(key) if self.is_the_certificates(key) => {
                return found("holds the merchant's public key, not the private one".to_owned());
            }
            Holds::PublicKey(key) if !self.stands_in_the_platforms_place(key) => {
                return found("holds a public key, not the merchant's private key".to_owned());
            }
            Holds::PublicKey(_) => "public key",
            Holds::Certificate(certificate) if self.stands_in_the_platforms_place(&certificate.key) => {
                "certificate"
            }
            Holds::Certificate(_) => {
                return found("holds a certificate, not the merchant's private key".to_owned());
            }
        };
        found(format!(
            "the platform's key is in the merchant's place (WeChat Pay's {what}, as in the platform's own file)"
        ));
    }

    fn merchant_certificate(&self, file: &KeyFile, report: &mut Report) {
        let mut found = |problem: String| {
            report.found(Check::MerchantCertificate, &file.at, problem, RESTORE_CERTIFICATE);
        };
        match &file.holds {
            Holds::Unreadable(why) => found(format!("the merchant's certificate {why}")),
            Holds::Unusable(why) => found(format!("holds no certificate: {why}")),
            Holds::Encrypted | Holds::PrivateKey(_) => {
                found("holds a private key, not the merchant's certificate".to_owned());
            }
            Holds::PublicKey(_) => found("holds a public key, not the merchant's certificate".to_owned()),
            Holds::Certificate(certificate) => {
                let is_another = self.private.is_some_and(|key| *key != certificate.key);
                if is_another && self.stands_in_the_platforms_place(&certificate.key) {
                    found("the platform's certificate is in the merchant's place".to_owned());
                } else {
                    report.passed(
                        Check::MerchantCertificate,
                        format!("serial {}", certificate.serial),
                    );
                }
            }
        }
    }

    fn platform_key(&self, file: &KeyFile, report: &mut Report) {
        let is_merchants = |key: &Key| self.merchants() == Some(key);
        let (problem, fix) = match &file.holds {
            Holds::Unreadable(why) => (format!("WeChat Pay's public key {why}"), FETCH_KEY),
            Holds::Unusable(why) => (format!("holds no public key: {why}"), FETCH_KEY),
            Holds::PrivateKey(key) if is_merchants(key) => (
                "the merchant's private key is in the platform's place".to_owned(),
                FETCH_KEY,
            ),
            Holds::Encrypted | Holds::PrivateKey(_) => (
                "holds a private key; WeChat Pay gives its public key only".to_owned(),
                FETCH_KEY,
            ),
            Holds::PublicKey(key) if is_merchants(key) => (
                "the merchant's own public key is in the platform's place".to_owned(),
                FETCH_KEY,
            ),
            Holds::Certificate(certificate) if is_merchants(&certificate.key) => (
                "the merchant's own certificate is in the platform's place".to_owned(),
                FETCH_KEY,
            ),
            Holds::Certificate(_) => (
                "holds a certificate, not a public key".to_owned(),
                NAME_CERTIFICATE,
            ),
            Holds::PublicKey(_) => {
                return report.passed(Check::PlatformKey, "a public key, not the merchant's");
            }
        };
        report.found(Check::PlatformKey, &file.at, problem, fix);
    }

    fn platform_certificate(&self, file: &KeyFile, report: &mut Report) {
        let (problem, fix) = match &file.holds {
            Holds::Unreadable(why) => (format!("the platform's certificate {why}"), FETCH_CERTIFICATE),
            Holds::Unusable(why) => (format!("holds no certificate: {why}"), FETCH_CERTIFICATE),
            Holds::Encrypted | Holds::PrivateKey(_) => (
                "holds a private key, not the platform's certificate".to_owned(),
                FETCH_CERTIFICATE,
            ),
            Holds::PublicKey(_) => ("holds a public key, not a certificate".to_owned(), NAME_KEY),
            Holds::Certificate(certificate) if self.merchants() == Some(&certificate.key) => (
                "the merchant's own certificate is in the platform's place".to_owned(),
                FETCH_CERTIFICATE,
            ),
            Holds::Certificate(certificate) => {
                return report.passed(
                    Check::PlatformCertificate,
                    format!("serial {}", certificate.serial),
                );
            }
        };
        report.found(Check::PlatformCertificate, &file.at, problem, fix);
    }
}

#[cfg(test)]
mod tests;
