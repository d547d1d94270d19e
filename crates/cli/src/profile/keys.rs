//! The platform's keys that a profile or a flag names: public key, certificate, or the key to download certificates.

use std::path::Path;

use wxmember::{ApiV3Key, Certificate, KeyError, KeyId, PlatformKey, Trust, party};
use wxmember_signing::Keyring;

use super::{At, ProfileTable, read, without_line_break};
use crate::failure::Failure;

/// The keys that answers are verified and requests sealed with.
pub(crate) struct PlatformKeys {
    public_key: Option<(KeyId, PlatformKey)>,
    certificate: Option<Certificate<party::Platform>>,
    /// Opens downloaded certificates.
    download: Option<ApiV3Key>,
}

impl PlatformKeys {
    /// A file of either kind. `id` is the id of a public key; a certificate brings its own.
    pub(crate) fn of_file(path: &Path, id: Option<&str>) -> Result<Self, Failure> {
        let text = read(path)?;
        let certificate = Certificate::from_pem(&text).ok();
        let public_key = match &certificate {
            Some(_) => None,
            None => {
                let key = PlatformKey::from_pem(&text).map_err(|error| key_failure(path, &error))?;
                Some((KeyId::new(id.unwrap_or_default()), key))
            }
        };
        Ok(Self {
            public_key,
            certificate,
            download: None,
        })
    }

    /// The key that requests are sealed with, and its id, which is empty when nobody said it.
    pub(crate) fn sealing(&self) -> Option<(&KeyId, &PlatformKey)> {
        self.all().next()
    }

    /// Every key with its id.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&KeyId, &PlatformKey)> {
        let public_key = self.public_key.as_ref().map(|(id, key)| (id, key));
        let certificate = self
            .certificate
            .as_ref()
            .map(|certificate| (certificate.serial(), certificate.public_key()));
        public_key.into_iter().chain(certificate)
    }

    pub(super) fn trust(self, at: &At<'_>) -> Result<Trust, Failure> {
        let Self {
            public_key,
            certificate,
            download,
        } = self;
        let mut trust = match public_key {
            Some((id, key)) => {
                Some(Trust::public_key(id.as_str(), key).map_err(|error| at.wrong(&error.to_string()))?)
            }
            None => None,
        };
        if let Some(certificate) = certificate {
            trust = Some(match trust {
                Some(trust) => trust.and_certificate(&certificate),
                None => Trust::certificate(&certificate),
            });
        }
        if let Some(key) = download {
            trust = Some(match trust {
                Some(trust) => trust.and_downloaded_certificates(key),
                None => Trust::downloaded_certificates(key),
            });
        }
        trust.ok_or_else(|| {
            at.wrong("no platform key is set, so no answer could be believed").hint(
                "set `platform_key` to the path of pub_key.pem and `platform_key_id` to its PUB_KEY_ID_…, or \
                 `apiv3_key_file` alone to download platform certificates",
            )
        })
    }
}

impl Keyring for PlatformKeys {
    fn key(&self, id: &KeyId) -> Option<&PlatformKey> {
        self.all().find_map(|(known, key)| (known == id).then_some(key))
    }
}

/// Whom to believe.
pub(super) fn platform(table: &ProfileTable, at: &At<'_>) -> Result<PlatformKeys, Failure> {
    let public_key = match (&table.platform_key, &table.platform_key_id) {
        (Some(path), Some(id)) => {
            let path = at.folder.join(path);
            let key = PlatformKey::from_pem(&read(&path)?).map_err(|error| key_failure(&path, &error))?;
            Some((KeyId::new(id), key))
        }
        (None, None) => None,
        _ => return Err(at.wrong("`platform_key` and `platform_key_id` go together: set both")),
    };
    let certificate = match &table.platform_certificate {
        Some(path) => Some(certificate_of(&at.folder.join(path))?),
        None => None,
    };
    // Who has the public key needs no certificates.
    let download = match (&table.apiv3_key_file, &public_key) {
        (Some(path), None) => Some(apiv3_key(&at.folder.join(path))?),
        _ => None,
    };
    Ok(PlatformKeys {
        public_key,
        certificate,
        download,
    })
}

pub(super) fn certificate_of<P: party::Party>(path: &Path) -> Result<Certificate<P>, Failure> {
    Certificate::from_pem(&read(path)?).map_err(|error| Failure::because(path.display(), &error))
}

fn apiv3_key(path: &Path) -> Result<ApiV3Key, Failure> {
    ApiV3Key::new(without_line_break(&read(path)?)).map_err(|_| {
        Failure::new(format!("{}: an APIv3 key has 32 bytes", path.display()))
            .hint("write the APIv3 key (APIv3密钥) of the merchant platform into it and nothing else")
    })
}

pub(super) fn key_failure(path: &Path, error: &KeyError) -> Failure {
    Failure::because(path.display(), error)
}
