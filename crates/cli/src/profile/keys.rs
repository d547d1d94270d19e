//! The platform's keys that a profile or a flag names: public key, certificate, or the key to download certificates.

use std::path::Path;

use wxmember::{ApiV3Key, Certificate, KeyId, MerchantKey, PlatformKey, Trust, party};
use wxmember_signing::Keyring;

use super::{
    At, ProfileTable,
    place::{FETCH_KEY, Place},
    read_bytes,
    readers::tell_readers,
    without_line_break,
};
use crate::failure::Failure;

/// The keys that answers are verified and requests sealed with.
pub(crate) struct PlatformKeys {
    public_key: Option<(KeyId, PlatformKey)>,
    /// The one to seal with comes first.
    certificates: Vec<Certificate<party::Platform>>,
    /// Opens downloaded certificates.
    download: Option<ApiV3Key>,
}

impl PlatformKeys {
    /// A file of either kind. `id` is the id of a public key; a certificate brings its own.
    pub(crate) fn of_file(path: &Path, id: Option<&str>) -> Result<Self, Failure> {
        let content = read_bytes(path)?;
        let text = String::from_utf8_lossy(&content);
        let certificate = Certificate::from_pem(&text).ok();
        let public_key = match &certificate {
            Some(_) => None,
            None => {
                let key = PlatformKey::from_pem(&text)
                    .map_err(|error| Place::Platform.unusable(path, &content, &error))?;
                Some((KeyId::new(id.unwrap_or_default()), key))
            }
        };
        // Of a merchant's or a brand's certificate it is the id, of the platform's it is a name.
        let subject = certificate.as_ref().and_then(Certificate::subject_common_name);
        if let Some(owner) = subject.filter(|name| is_number(name)) {
            return Err(Failure::new(format!(
                "{}: the certificate of {owner}, a merchant or a brand, is in the platform's place",
                path.display()
            ))
            .hint(FETCH_KEY));
        }
        Ok(Self {
            public_key,
            certificates: certificate.into_iter().collect(),
            download: None,
        })
    }

    /// The same, unless it is one of the merchant's own.
    pub(crate) fn of_others_file(
        path: &Path,
        id: Option<&str>,
        merchants: &[MerchantKey],
    ) -> Result<Self, Failure> {
        let keys = Self::of_file(path, id)?;
        let is_own = |key: &PlatformKey| {
            let mut own = merchants.iter().map(MerchantKey::public_key);
            own.any(|own| own.pkcs1_der() == key.pkcs1_der())
        };
        if keys.all().any(|(_, key)| is_own(key)) {
            return Err(Failure::new(format!(
                "{}: the merchant's own key is in the platform's place",
                path.display()
            ))
            .hint(FETCH_KEY));
        }
        Ok(keys)
    }

    /// What opens downloaded certificates, when the profile asks for them.
    pub(super) fn download(&self) -> Option<&ApiV3Key> {
        self.download.as_ref()
    }

    /// Adds certificates that were downloaded, and seals with the first of them from now on.
    pub(super) fn learn(&mut self, mut certificates: Vec<Certificate<party::Platform>>) {
        certificates.append(&mut self.certificates);
        self.certificates = certificates;
    }

    /// The key that requests are sealed with, and its id, which is empty when nobody said it.
    pub(crate) fn sealing(&self) -> Option<(&KeyId, &PlatformKey)> {
        self.all().next()
    }

    /// Every key with its id.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&KeyId, &PlatformKey)> {
        let public_key = self.public_key.as_ref().map(|(id, key)| (id, key));
        let certificates = self.certificates.iter();
        let certificates = certificates.map(|certificate| (certificate.serial(), certificate.public_key()));
        public_key.into_iter().chain(certificates)
    }

    pub(super) fn trust(self, at: &At<'_>) -> Result<Trust, Failure> {
        let Self {
            public_key,
            certificates,
            download,
        } = self;
        let mut trust = match public_key {
            Some((id, key)) => {
                Some(Trust::public_key(id.as_str(), key).map_err(|error| at.wrong(&error.to_string()))?)
            }
            None => None,
        };
        for certificate in &certificates {
            trust = Some(match trust {
                Some(trust) => trust.and_certificate(certificate),
                None => Trust::certificate(certificate),
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
            let content = read_bytes(&path)?;
            let key = PlatformKey::from_pem(&String::from_utf8_lossy(&content))
                .map_err(|error| Place::PlatformKey.unusable(&path, &content, &error))?;
            Some((KeyId::new(id), key))
        }
        (None, None) => None,
        _ => return Err(at.wrong("`platform_key` and `platform_key_id` go together: set both")),
    };
    let certificates = match &table.platform_certificate {
        Some(path) => vec![certificate_of(&at.folder.join(path), Place::PlatformCertificate)?],
        None => Vec::new(),
    };
    // Who has the public key needs no certificates.
    let download = match (&table.apiv3_key_file, &public_key) {
        (Some(path), None) => Some(apiv3_key(&at.folder.join(path))?),
        _ => None,
    };
    Ok(PlatformKeys {
        public_key,
        certificates,
        download,
    })
}

pub(super) fn certificate_of<P: party::Party>(path: &Path, place: Place) -> Result<Certificate<P>, Failure> {
    let content = read_bytes(path)?;
    Certificate::from_pem(&String::from_utf8_lossy(&content))
        .map_err(|error| place.unusable(path, &content, &error))
}

fn apiv3_key(path: &Path) -> Result<ApiV3Key, Failure> {
    tell_readers(path);
    let content = read_bytes(path)?;
    ApiV3Key::new(without_line_break(&String::from_utf8_lossy(&content))).map_err(|_| {
        Failure::new(format!("{}: an APIv3 key has 32 bytes", path.display()))
            .hint("write the APIv3 key (APIv3密钥) of the merchant platform into it and nothing else")
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
