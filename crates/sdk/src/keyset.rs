//! The platform keys of one moment: an immutable snapshot, by id.
//!
//! A request takes its key and the key's id from one snapshot, so the two cannot part while keys are exchanged.

use std::{
    collections::HashMap,
    time::{Duration, UNIX_EPOCH},
};

use wxmember_crypto::{Certificate, KeyId, PlatformKey, party};
use wxmember_signing::Keyring;

/// Keys that answers may be signed with, and the one that requests are sealed with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keyset {
    keys: HashMap<KeyId, Entry>,
    /// The public key that was given first; it outranks every certificate.
    preferred: Option<KeyId>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: PlatformKey,
    /// Begin and end of validity, since 1970; a public key has none.
    validity: Option<(Duration, Duration)>,
}

impl Keyset {
    pub(crate) fn insert_public_key(&mut self, id: KeyId, key: PlatformKey) {
        self.preferred.get_or_insert_with(|| id.clone());
        self.keys.insert(id, Entry { key, validity: None });
    }

    pub(crate) fn insert_certificate(&mut self, certificate: &Certificate<party::Platform>) {
        let since_1970 = |time: std::time::SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let entry = Entry {
            key: certificate.public_key().clone(),
            validity: Some((
                since_1970(certificate.not_before()),
                since_1970(certificate.not_after()),
            )),
        };
        self.keys.insert(certificate.serial().clone(), entry);
    }

    /// The key that seals at `now` (since 1970): the public key if there is one, else of the certificates that are valid the
    /// one that starts latest, as the platform's guide says.
    pub(crate) fn sealing(&self, now: Duration) -> Option<(&KeyId, &PlatformKey)> {
        if let Some(id) = &self.preferred {
            return self.keys.get_key_value(id).map(|(id, entry)| (id, &entry.key));
        }
        let valid = self.keys.iter().filter_map(|(id, entry)| {
            let (begin, end) = entry.validity?;
            (begin <= now && now <= end).then_some((begin, id, &entry.key))
        });
        valid
            .max_by(|left, right| (left.0, left.1).cmp(&(right.0, right.1)))
            .map(|(_, id, key)| (id, key))
    }

    /// When the first of the certificates that are still valid ends, since 1970.
    pub(crate) fn first_end(&self, now: Duration) -> Option<Duration> {
        let ends = self.keys.values().filter_map(|entry| entry.validity);
        ends.map(|(_, end)| end).filter(|end| *end >= now).min()
    }

    pub(crate) fn has(&self, id: &KeyId) -> bool {
        self.keys.contains_key(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&KeyId, &PlatformKey)> {
        self.keys.iter().map(|(id, entry)| (id, &entry.key))
    }
}

impl Keyring for Keyset {
    fn key(&self, id: &KeyId) -> Option<&PlatformKey> {
        self.keys.get(id).map(|entry| &entry.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = include_str!("../../../tests/vectors/test_wechatpay_certmode_cert.pem");
    const PUBLIC_KEY: &str = include_str!("../../../tests/vectors/test_wechatpay_pubmode_pub_key.pem");

    #[test]
    fn a_public_key_outranks_certificates_and_an_expired_certificate_seals_nothing() {
        let certificate = Certificate::from_pem(CERTIFICATE).unwrap();
        let since_1970 = |time: std::time::SystemTime| time.duration_since(UNIX_EPOCH).unwrap();
        let (begin, end) = (
            since_1970(certificate.not_before()),
            since_1970(certificate.not_after()),
        );
        let second = Duration::from_secs(1);
        let mut keys = Keyset::default();
        assert!(keys.sealing(begin).is_none());
        keys.insert_certificate(&certificate);
        assert_eq!(keys.sealing(begin).unwrap().0, certificate.serial());
        assert_eq!(keys.sealing(end).unwrap().0, certificate.serial());
        assert_eq!(keys.first_end(begin), Some(end));
        for moment in [begin - second, end + second] {
            assert!(keys.sealing(moment).is_none());
        }
        let id = KeyId::new("PUB_KEY_ID_01");
        keys.insert_public_key(id.clone(), PlatformKey::from_pem(PUBLIC_KEY).unwrap());
        assert_eq!(keys.sealing(end + second).unwrap().0, &id);
        assert!(keys.has(certificate.serial()));
    }
}
