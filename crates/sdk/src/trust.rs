//! Whom we believe: the platform's keys that are known from the start, and whether more are downloaded.

use wxmember_crypto::{ApiV3Key, Certificate, KeyId, PlatformKey, party};

use crate::{ConfigError, keyset::Keyset};

/// The platform keys that answers may be signed with, and the one that requests are sealed with.
///
/// WeChat Pay has two modes, and both can stand side by side, as they must while a merchant changes from one to the other:
/// the public key (微信支付公钥, [`public_key`](Self::public_key)), which never expires, and platform certificates (平台证书),
/// given as files ([`certificate`](Self::certificate)) or downloaded ([`downloaded_certificates`](Self::downloaded_certificates)).
///
/// ```
/// use wxmember::{ApiV3Key, ConfigError, PlatformKey, Trust};
///
/// # fn demo(pub_key: PlatformKey, apiv3_key: ApiV3Key) -> Result<(), ConfigError> {
/// let both = Trust::public_key("PUB_KEY_ID_0119000001092026113000000000000001", pub_key)?
///     .and_downloaded_certificates(apiv3_key);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Trust {
    pub(crate) keys: Keyset,
    pub(crate) download: Option<ApiV3Key>,
}

impl Trust {
    /// Trusts WeChat Pay's public key (`pub_key.pem`) under its id (`PUB_KEY_ID_…`).
    ///
    /// # Errors
    ///
    /// [`ConfigError::PublicKeyId`] when the id does not begin with `PUB_KEY_ID_`.
    pub fn public_key(id: &str, key: PlatformKey) -> Result<Self, ConfigError> {
        Self::nobody().and_public_key(id, key)
    }

    /// Trusts a platform certificate.
    #[must_use]
    pub fn certificate(certificate: &Certificate<party::Platform>) -> Self {
        Self::nobody().and_certificate(certificate)
    }

    /// Trusts the platform certificates that `GET /v3/certificates` answers, opened with the APIv3 key (APIv3密钥).
    ///
    /// They are downloaded before the first call, again before they expire, and when an answer names a certificate that
    /// is not known, at most once a minute. Building a client needs no network, and a download that fails keeps what is
    /// there. The first answer is verified with the certificates inside it, which only the holder of the APIv3 key can
    /// have made; every later one in the same way.
    #[must_use]
    pub fn downloaded_certificates(key: ApiV3Key) -> Self {
        Self::nobody().and_downloaded_certificates(key)
    }

    /// Trusts one more public key. Requests are sealed with the first one given, even when certificates are there.
    ///
    /// # Errors
    ///
    /// As [`public_key`](Self::public_key).
    pub fn and_public_key(mut self, id: &str, key: PlatformKey) -> Result<Self, ConfigError> {
        self.keys.insert_public_key(public_key_id(id)?, key);
        Ok(self)
    }

    /// Trusts one more certificate; of several that are valid, requests are sealed with the one that starts latest.
    #[must_use]
    pub fn and_certificate(mut self, certificate: &Certificate<party::Platform>) -> Self {
        self.keys.insert_certificate(certificate);
        self
    }

    /// Downloads certificates as well, as [`downloaded_certificates`](Self::downloaded_certificates).
    #[must_use]
    pub fn and_downloaded_certificates(mut self, key: ApiV3Key) -> Self {
        self.download = Some(key);
        self
    }

    fn nobody() -> Self {
        Self {
            keys: Keyset::default(),
            download: None,
        }
    }
}

fn public_key_id(id: &str) -> Result<KeyId, ConfigError> {
    let id = KeyId::new(id);
    let fits =
        id.is_public_key_id() && id.as_str().len() <= 64 && id.as_str().bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(id)
    } else {
        Err(ConfigError::PublicKeyId)
    }
}
