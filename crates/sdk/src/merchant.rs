//! Who calls: the service provider's merchant id, its certificate serial and its private key.

use std::{fmt, sync::Arc};

use wxmember_crypto::{Certificate, KeyId, MerchantKey, party};
use wxmember_signing::Identity;

use crate::ConfigError;

/// A service provider (服务商) that signs its calls.
#[derive(Clone)]
pub struct Merchant {
    identity: Identity,
    key: Arc<MerchantKey>,
}

impl Merchant {
    /// Takes the merchant id (商户号), the serial number of the API certificate (证书序列号) and its private key.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Mchid`] when the id is not 1 to 32 digits, [`ConfigError::MerchantSerial`] when the serial is not
    /// hexadecimal: a `PUB_KEY_ID_…` is the platform's and belongs into [`Trust`](crate::Trust).
    pub fn new(mchid: &str, serial: &str, key: MerchantKey) -> Result<Self, ConfigError> {
        if !(matches!(mchid.len(), 1..=32) && mchid.bytes().all(|b| b.is_ascii_digit())) {
            return Err(ConfigError::Mchid);
        }
        if !(matches!(serial.len(), 1..=40) && serial.bytes().all(|b| b.is_ascii_hexdigit())) {
            return Err(ConfigError::MerchantSerial);
        }
        Ok(Self {
            identity: Identity::partner(mchid, KeyId::new(serial)),
            key: Arc::new(key),
        })
    }

    /// The same with the certificate (`apiclient_cert.pem`), from which the serial is taken.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`ConfigError::CertificateMismatch`] when the key is not the certificate's.
    pub fn with_certificate(
        mchid: &str,
        certificate: &Certificate<party::Merchant>,
        key: MerchantKey,
    ) -> Result<Self, ConfigError> {
        if !certificate.belongs_to(&key) {
            return Err(ConfigError::CertificateMismatch {
                serial: certificate.serial().clone(),
            });
        }
        Self::new(mchid, certificate.serial().as_str(), key)
    }

    /// The merchant id.
    #[must_use]
    pub fn mchid(&self) -> &str {
        self.identity.id()
    }

    /// The serial number of the API certificate.
    #[must_use]
    pub fn serial(&self) -> &KeyId {
        self.identity.serial()
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn key(&self) -> &Arc<MerchantKey> {
        &self.key
    }
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Merchant({}, certificate {}, …)", self.mchid(), self.serial())
    }
}
