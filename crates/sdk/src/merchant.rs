//! Who calls: the service provider's merchant id, its certificate serial and its private keys.

use std::{fmt, sync::Arc};

use wxmember_crypto::{
    Certificate, FormValue, KeyId, MerchantCiphertext, MerchantKey, OpenError, PublicKey, party,
};
use wxmember_signing::Identity;

use crate::{ConfigError, Opener, Signer};

/// A service provider (服务商) that signs its calls.
///
/// WeChat Pay lets a merchant have several API certificates at once, as it must while one replaces another. The first
/// one given signs; every key given opens, since an answer may be sealed for any of them.
///
/// ```no_run
/// use wxmember::{Certificate, Merchant, MerchantKey};
///
/// # fn demo() -> Result<(), Box<dyn std::error::Error>> {
/// let key = MerchantKey::from_pem(&std::fs::read_to_string("apiclient_key.pem")?)?;
/// let certificate = Certificate::from_pem(&std::fs::read_to_string("apiclient_cert.pem")?)?;
/// let merchant = Merchant::with_certificate("1900000109", &certificate, key)?;
/// println!("{} signs with {}", merchant.mchid(), merchant.serial());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Merchant {
    identity: Identity,
    signer: Arc<dyn Signer>,
    openers: Vec<Arc<dyn Opener>>,
    public_keys: Vec<PublicKey<party::Merchant>>,
}

impl Merchant {
    /// Takes the merchant id (商户号), the serial number of the API certificate (证书序列号) and its private key.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Mchid`] when the id is not 1 to 32 digits, [`ConfigError::MerchantSerial`] when the serial is not
    /// hexadecimal: a `PUB_KEY_ID_…` is the platform's and belongs into [`Trust`](crate::Trust).
    pub fn new(mchid: &str, serial: &str, key: MerchantKey) -> Result<Self, ConfigError> {
        let key = Arc::new(key);
        Self::with_signer(mchid, serial, key.clone(), key)
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

    /// The same with keys that are not in this process.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_signer(
        mchid: &str,
        serial: &str,
        signer: Arc<dyn Signer>,
        opener: Arc<dyn Opener>,
    ) -> Result<Self, ConfigError> {
        if !(matches!(mchid.len(), 1..=32) && mchid.bytes().all(|b| b.is_ascii_digit())) {
            return Err(ConfigError::Mchid);
        }
        if !(matches!(serial.len(), 1..=40) && serial.bytes().all(|b| b.is_ascii_hexdigit())) {
            return Err(ConfigError::MerchantSerial);
        }
        Ok(Self {
            identity: Identity::partner(mchid, KeyId::new(serial)),
            public_keys: signer.public_key().cloned().into_iter().collect(),
            signer,
            openers: vec![opener],
        })
    }

    /// Adds the private key of another API certificate of the same merchant. It opens and never signs.
    #[must_use]
    pub fn and_key(mut self, key: MerchantKey) -> Self {
        self.public_keys.push(key.public_key().clone());
        self.openers.push(Arc::new(key));
        self
    }

    /// Adds another opener, as [`and_key`](Self::and_key).
    #[must_use]
    pub fn and_opener(mut self, opener: Arc<dyn Opener>) -> Self {
        self.openers.push(opener);
        self
    }

    /// The merchant id.
    #[must_use]
    pub fn mchid(&self) -> &str {
        self.identity.id()
    }

    /// The serial number of the API certificate that signs.
    #[must_use]
    pub fn serial(&self) -> &KeyId {
        self.identity.serial()
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    /// Opens with the keys in their order. The signing key comes first, since its certificate is what the platform sees.
    pub(crate) fn open(&self, ciphertext: &MerchantCiphertext) -> Result<FormValue, OpenError> {
        let mut opened = self.openers.iter().map(|opener| opener.open(ciphertext));
        opened.find(Result::is_ok).unwrap_or(Err(OpenError))
    }

    pub(crate) fn owns(&self, platform: &[u8]) -> bool {
        self.public_keys.iter().any(|key| key.pkcs1_der() == platform)
    }
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Merchant({}, certificate {}, …)", self.mchid(), self.serial())
    }
}
