//! Who takes part: the merchant that calls, the platform that answers, the brand and the card template between them.
//!
//! Keys are parsed once, here. Nothing of a key may show up in `Debug` or in an error.

use std::fmt;

use thiserror::Error;
use time::Duration;
use wxmember_crypto::{
    ApiV3Key, Certificate, CertificateError, KeyError, KeyId, PrivateKey, generate_rsa_2048_pem,
    party::{Merchant, Platform},
};

use crate::{
    clock::Clock,
    issue,
    operations::Preloaded,
    platform::KeyPair,
    policy::PolicyChoice,
    random::{ALPHANUMERIC, DIGITS, characters},
};

/// What a merchant holds to call the platform: keys for tests, never to be used anywhere else.
#[derive(Clone)]
#[non_exhaustive]
pub struct Credentials {
    /// The service provider's merchant id.
    pub mchid: String,
    /// The serial number of the merchant's API certificate, in hexadecimal; `serial_no` of a request.
    pub merchant_serial: String,
    /// The merchant's API private key, PEM (`apiclient_key.pem`).
    pub merchant_key_pem: String,
    /// The merchant's API certificate, PEM (`apiclient_cert.pem`).
    pub merchant_certificate_pem: String,
    /// The id of the platform's public key; `Wechatpay-Serial` of a request.
    pub platform_key_id: String,
    /// The platform's public key, PEM (`pub_key.pem`).
    pub platform_key_pem: String,
    /// The APIv3 key, 32 characters.
    pub apiv3_key: String,
    /// A brand that the merchant may act for.
    pub brand_id: String,
    /// A card template of that brand.
    pub card_id: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("mchid", &self.mchid)
            .field("merchant_serial", &self.merchant_serial)
            .field("platform_key_id", &self.platform_key_id)
            .field("brand_id", &self.brand_id)
            .field("card_id", &self.card_id)
            .finish_non_exhaustive()
    }
}

/// The parts of an [`Identity`], as texts.
#[derive(Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "callers build it; a new part is a breaking change on purpose"
)]
pub struct IdentityParts {
    /// The service provider's merchant id.
    pub mchid: String,
    /// The merchant's API private key, PEM.
    pub merchant_key_pem: String,
    /// The merchant's API certificate, PEM.
    pub merchant_certificate_pem: String,
    /// The id of the platform's public key.
    pub platform_key_id: String,
    /// The platform's own private key, PEM.
    pub platform_private_key_pem: String,
    /// The APIv3 key, 32 characters.
    pub apiv3_key: String,
    /// A brand that the merchant may act for.
    pub brand_id: String,
    /// A card template of that brand.
    pub card_id: String,
}

impl fmt::Debug for IdentityParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityParts")
            .field("mchid", &self.mchid)
            .field("platform_key_id", &self.platform_key_id)
            .finish_non_exhaustive()
    }
}

/// The merchants and the platform that a sandbox plays with, keys parsed and checked.
#[derive(Debug)]
pub struct Identity {
    /// The merchants, at least one.
    pub(crate) parties: Vec<Party>,
    /// The templates that are there from the start.
    pub(crate) templates: Vec<Preloaded>,
    pub(crate) public_key_mode: PublicKeyMode,
    /// The platform's public key and the private key behind it.
    pub(crate) platform: KeyPair,
    /// The platform's certificates, if it has any.
    pub(crate) certified: Vec<KeyPair>,
    /// What an identities file says of policies.
    pub(crate) policies: Vec<PolicyChoice>,
}

/// One merchant: what it holds, and what the platform knows of it.
#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) credentials: Credentials,
    pub(crate) apiv3_key: ApiV3Key,
    pub(crate) certificates: Vec<Certificate<Merchant>>,
    pub(crate) brands: Vec<String>,
    pub(crate) keys: KeyPlace,
}

/// Where a merchant's keys are, for a sandbox with a folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyPlace {
    /// In the folder, under WeChat Pay's own file names.
    Kept,
    /// Where an identities file says, or under names that a profile does not know.
    Own,
}

/// Why an identity cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The APIv3 key does not have 32 characters.
    #[error("the APIv3 key is unusable")]
    ApiV3Key(#[source] KeyError),
    /// The certificate could not be made.
    #[error("a certificate could not be made")]
    Issue(#[source] rcgen::Error),
    /// The certificate is another key's.
    #[error("the merchant certificate does not belong to the merchant key")]
    KeyMismatch,
    /// The merchant certificate is unusable.
    #[error("the merchant certificate is unusable")]
    MerchantCertificate(#[source] CertificateError),
    /// The merchant key is unusable.
    #[error("the merchant key is unusable")]
    MerchantKey(#[source] KeyError),
    /// A new key could not be made.
    #[error("a new key could not be made")]
    NewKey(#[source] KeyError),
    /// A platform certificate is unusable.
    #[error("a platform certificate is unusable")]
    PlatformCertificate(#[source] CertificateError),
    /// A platform key is unusable.
    #[error("a private key of the platform is unusable")]
    PlatformKey(#[source] KeyError),
    /// A platform certificate is another key's.
    #[error("a platform certificate does not belong to its private key")]
    PlatformKeyMismatch,
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// A text that goes into headers is empty, or has characters that a header cannot hold.
    #[error("`{name}` is empty or holds other characters than visible ASCII")]
    Text {
        /// The name of the part.
        name: &'static str,
    },
}

impl Identity {
    /// Makes new keys, a certificate and ids. Two RSA keys take some 100 ms.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] when the system gives no randomness.
    pub fn generate(clock: &Clock) -> Result<Self, IdentityError> {
        let merchant_key_pem = generate_rsa_2048_pem().map_err(IdentityError::NewKey)?;
        let platform_private_key_pem = generate_rsa_2048_pem().map_err(IdentityError::NewKey)?;
        let merchant_key =
            PrivateKey::<Merchant>::from_pem(&merchant_key_pem).map_err(IdentityError::MerchantKey)?;
        let digits = characters(DIGITS, 16).map_err(IdentityError::Random)?;
        Self::from_parts(IdentityParts {
            mchid: MCHID.to_owned(),
            merchant_certificate_pem: issue::issue(
                &merchant_key,
                MCHID,
                clock.date_time().saturating_sub(Duration::DAY),
            )?,
            merchant_key_pem: merchant_key_pem.to_string(),
            platform_key_id: format!("PUB_KEY_ID_01{MCHID}{digits}"),
            platform_private_key_pem: platform_private_key_pem.to_string(),
            apiv3_key: characters(ALPHANUMERIC, 32).map_err(IdentityError::Random)?,
            brand_id: BRAND_ID.to_owned(),
            card_id: CARD_ID.to_owned(),
        })
    }

    /// Parses and checks given parts.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] says which part is unusable, and never quotes it.
    pub fn from_parts(parts: IdentityParts) -> Result<Self, IdentityError> {
        for (name, text) in [
            ("mchid", &parts.mchid),
            ("platform_key_id", &parts.platform_key_id),
            ("brand_id", &parts.brand_id),
            ("card_id", &parts.card_id),
        ] {
            if !is_id(text) {
                return Err(IdentityError::Text { name });
            }
        }
        let apiv3_key = ApiV3Key::new(&parts.apiv3_key).map_err(IdentityError::ApiV3Key)?;
        let merchant_key =
            PrivateKey::<Merchant>::from_pem(&parts.merchant_key_pem).map_err(IdentityError::MerchantKey)?;
        let merchant_certificate = Certificate::from_pem(&parts.merchant_certificate_pem)
            .map_err(IdentityError::MerchantCertificate)?;
        if !merchant_certificate.belongs_to(&merchant_key) {
            return Err(IdentityError::KeyMismatch);
        }
        let platform_key = PrivateKey::<Platform>::from_pem(&parts.platform_private_key_pem)
            .map_err(IdentityError::PlatformKey)?;
        let credentials = Credentials {
            mchid: parts.mchid,
            merchant_serial: merchant_certificate.serial().as_str().to_owned(),
            merchant_key_pem: parts.merchant_key_pem,
            merchant_certificate_pem: parts.merchant_certificate_pem,
            platform_key_id: parts.platform_key_id.clone(),
            platform_key_pem: platform_key.public_key().to_pem(),
            apiv3_key: parts.apiv3_key,
            brand_id: parts.brand_id,
            card_id: parts.card_id,
        };
        Ok(Self {
            templates: vec![Preloaded {
                card_id: credentials.card_id.clone(),
                brand_id: credentials.brand_id.clone(),
                notify_url: None,
            }],
            parties: vec![Party {
                brands: vec![credentials.brand_id.clone()],
                credentials,
                apiv3_key,
                certificates: vec![merchant_certificate],
                keys: KeyPlace::Kept,
            }],
            public_key_mode: PublicKeyMode::On,
            platform: KeyPair {
                id: KeyId::new(&parts.platform_key_id),
                key: platform_key,
                private_key_pem: SecretText(parts.platform_private_key_pem),
                certificate: None,
            },
            certified: Vec::new(),
            policies: Vec::new(),
        })
    }

    /// What the first merchant holds.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.parties[0].credentials
    }

    /// What every merchant holds, as the identities file lists them.
    pub fn merchants(&self) -> impl Iterator<Item = &Credentials> {
        self.parties.iter().map(|party| &party.credentials)
    }

    /// Lets the first merchant's template send notifications to an address, such as `http://127.0.0.1:9000/notify`.
    #[must_use]
    pub fn with_notify_url(mut self, url: &str) -> Self {
        if let Some(template) = self.templates.first_mut() {
            template.notify_url = Some(url.to_owned());
        }
        self
    }

    /// Adds a platform certificate, PEM, with its private key, PEM. The one that starts last signs.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] when one of them is unusable, or they do not belong together.
    pub fn with_platform_certificate(
        mut self,
        certificate_pem: &str,
        private_key_pem: &str,
    ) -> Result<Self, IdentityError> {
        self.certified
            .push(KeyPair::certified(certificate_pem, private_key_pem)?);
        Ok(self)
    }
}

/// Whether the platform has a public key (微信支付公钥) beside its certificates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PublicKeyMode {
    Off,
    On,
}

/// A text that `Debug` does not show.
#[derive(Clone)]
pub(crate) struct SecretText(pub(crate) String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// Whether a text may stand in a header as an id.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The merchant id and the ids below are the ones of the public documentation's examples.
const MCHID: &str = "1900000109";
const BRAND_ID: &str = "1004";
const CARD_ID: &str = "pbLatjvWOibDc5-TBnbUk1pD12o0";

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use wxmember_crypto::PublicKey;

    use super::*;
    use crate::testing;

    #[test]
    fn a_generated_identity_is_whole() {
        let identity = Identity::generate(&Clock::manual(1_796_000_000)).unwrap();
        let credentials = identity.credentials();
        assert_eq!(credentials.merchant_serial.len(), 40);
        assert_eq!(credentials.apiv3_key.len(), 32);
        assert_eq!(credentials.platform_key_id.len(), "PUB_KEY_ID_".len() + 28);
        let now = UNIX_EPOCH + Duration::from_secs(1_796_000_000);
        let certificate = &identity.parties[0].certificates[0];
        assert!(certificate.not_before() < now);
        assert!(certificate.not_after() > now + Duration::from_secs(4 * 365 * 86_400));
        let platform = PublicKey::<Platform>::from_pem(&credentials.platform_key_pem).unwrap();
        assert_eq!(&platform, identity.platform.key.public_key());
    }

    #[test]
    fn unusable_parts_are_named_and_not_quoted() {
        let marker = "MARKER-KEY-TEXT";
        let parts = |change: fn(&mut IdentityParts)| {
            let mut parts = testing::parts();
            change(&mut parts);
            Identity::from_parts(parts).unwrap_err()
        };
        let errors = [
            parts(|parts| parts.merchant_key_pem = "MARKER-KEY-TEXT".to_owned()),
            parts(|parts| parts.platform_private_key_pem = "MARKER-KEY-TEXT".to_owned()),
            parts(|parts| parts.merchant_certificate_pem = "MARKER-KEY-TEXT".to_owned()),
            parts(|parts| parts.apiv3_key = "MARKER-KEY-TEXT".to_owned()),
            parts(|parts| parts.brand_id = "MARKER-KEY-TEXT\n".to_owned()),
            parts(|parts| parts.merchant_key_pem = parts.platform_private_key_pem.clone()),
        ];
        for error in &errors {
            assert!(!format!("{error} {error:?}").contains(marker), "{error}");
        }
        assert!(matches!(errors[5], IdentityError::KeyMismatch));
    }

    #[test]
    fn debug_shows_no_key() {
        let identity = testing::identity();
        let shown = format!("{identity:?} {:?} {:?}", identity.credentials(), testing::parts());
        for secret in ["TestOnlyApiV3Key", "PRIVATE KEY"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
