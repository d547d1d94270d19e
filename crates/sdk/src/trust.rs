//! Whom we believe: the platform's keys, by id.

use std::{collections::HashMap, time::SystemTime};

use wxmember_crypto::{Certificate, KeyId, PlatformKey, party};
use wxmember_signing::Keyring;

use crate::ConfigError;

/// The platform keys that answers may be signed with, and the one that requests are sealed with.
///
/// WeChat Pay's public key (public-key mode) and platform certificates (certificate mode) can stand side by side, as
/// they must while a merchant changes from one mode to the other.
#[derive(Clone, Debug)]
pub struct Trust {
    keys: HashMap<KeyId, PlatformKey>,
    sealing: KeyId,
    /// Start of validity when `sealing` is a certificate; a public key outranks every certificate.
    sealing_since: Option<SystemTime>,
}

impl Trust {
    /// Trusts WeChat Pay's public key (微信支付公钥, `pub_key.pem`) under its id (`PUB_KEY_ID_…`).
    ///
    /// # Errors
    ///
    /// [`ConfigError::PublicKeyId`] when the id does not begin with `PUB_KEY_ID_`.
    pub fn public_key(id: &str, key: PlatformKey) -> Result<Self, ConfigError> {
        let id = public_key_id(id)?;
        Ok(Self {
            keys: HashMap::from([(id.clone(), key)]),
            sealing: id,
            sealing_since: None,
        })
    }

    /// Trusts a platform certificate (平台证书).
    #[must_use]
    pub fn certificate(certificate: &Certificate<party::Platform>) -> Self {
        let id = certificate.serial().clone();
        Self {
            keys: HashMap::from([(id.clone(), certificate.public_key().clone())]),
            sealing: id,
            sealing_since: Some(certificate.not_before()),
        }
    }

    /// Trusts one more public key; requests are sealed with it from now on when only certificates were there.
    ///
    /// # Errors
    ///
    /// As [`public_key`](Self::public_key).
    pub fn and_public_key(mut self, id: &str, key: PlatformKey) -> Result<Self, ConfigError> {
        let id = public_key_id(id)?;
        if self.sealing_since.take().is_some() {
            self.sealing = id.clone();
        }
        self.keys.insert(id, key);
        Ok(self)
    }

    /// Trusts one more certificate; of several, requests are sealed with the one that starts latest.
    #[must_use]
    pub fn and_certificate(mut self, certificate: &Certificate<party::Platform>) -> Self {
        let id = certificate.serial().clone();
        if self
            .sealing_since
            .is_some_and(|since| since < certificate.not_before())
        {
            self.sealing = id.clone();
            self.sealing_since = Some(certificate.not_before());
        }
        self.keys.insert(id, certificate.public_key().clone());
        self
    }

    /// The id of the key that requests are sealed with.
    #[must_use]
    pub fn sealing_key_id(&self) -> &KeyId {
        &self.sealing
    }

    pub(crate) fn sealing_key(&self) -> (&KeyId, &PlatformKey) {
        (&self.sealing, &self.keys[&self.sealing])
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = (&KeyId, &PlatformKey)> {
        self.keys.iter()
    }
}

impl Keyring for Trust {
    fn key(&self, id: &KeyId) -> Option<&PlatformKey> {
        self.keys.get(id)
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
