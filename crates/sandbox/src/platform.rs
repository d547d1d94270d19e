//! The platform's keys: a public key, those that it has replaced, and any number of certificates, side by side (sections
//! 4.4 and 4.5).
//!
//! Which key opens a request and which one signs its answer is decided here and nowhere else. Nothing of a private key
//! may show up in `Debug`.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::{SystemTime, UNIX_EPOCH},
};

use thiserror::Error;
use time::{Duration, OffsetDateTime};
use wxmember_crypto::{Certificate, KeyId, PrivateKey, generate_rsa_2048_pem, party::Platform};

use crate::{
    clock::Clock,
    identity::{IdentityError, SecretText},
    issue,
    random::{DIGITS, characters},
};

/// A platform certificate (平台证书) as a merchant holds it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlatformCertificate {
    /// The serial number, 40 hexadecimal digits; `Wechatpay-Serial` in platform-certificate mode.
    pub serial: String,
    /// The certificate, PEM.
    pub pem: String,
    /// The first moment of validity.
    pub not_before: SystemTime,
    /// The last moment of validity.
    pub not_after: SystemTime,
}

/// The platform's public key (微信支付公钥) as a merchant holds it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlatformPublicKey {
    /// The id, `PUB_KEY_ID_…`; `Wechatpay-Serial` in public-key mode.
    pub id: String,
    /// The key, PEM.
    pub pem: String,
}

/// Why no public key of the platform is rotated, or taken away.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// The key is the one that signs.
    #[error("this public key signs now; rotate it first, and retire it then")]
    Current,
    /// There is no randomness, or no key could be made of it.
    #[error("no public key could be made")]
    NewKey(#[source] IdentityError),
    /// The sandbox was started in platform-certificate mode alone.
    #[error("the platform has no public key: the sandbox was started in platform-certificate mode alone")]
    NoPublicKey,
    /// The runtime was shut down meanwhile.
    #[error("the runtime was shut down while the key was made")]
    Stopped,
    /// No public key has this id.
    #[error("no such public key, or it is retired already")]
    Unknown,
}

/// Who has a key made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Maker {
    /// A command: the key stays until it is retired.
    Command,
    /// The fault `rotated-key`: the key stays while it is one of the [`LATEST`] of its mode.
    Fault,
}

/// One key pair of the platform, by the id that merchants know.
#[derive(Debug)]
pub(crate) struct KeyPair {
    pub(crate) id: KeyId,
    pub(crate) key: PrivateKey<Platform>,
    pub(crate) private_key_pem: SecretText,
    /// Absent in public-key mode.
    pub(crate) certificate: Option<PlatformCertificate>,
}

impl KeyPair {
    /// Reads a certificate and its private key.
    pub(crate) fn certified(certificate_pem: &str, private_key_pem: &str) -> Result<Self, IdentityError> {
        let key = PrivateKey::from_pem(private_key_pem).map_err(IdentityError::PlatformKey)?;
        let certificate =
            Certificate::from_pem(certificate_pem).map_err(IdentityError::PlatformCertificate)?;
        if !certificate.belongs_to(&key) {
            return Err(IdentityError::PlatformKeyMismatch);
        }
        Ok(Self {
            id: certificate.serial().clone(),
            key,
            private_key_pem: SecretText(private_key_pem.to_owned()),
            certificate: Some(PlatformCertificate {
                serial: certificate.serial().as_str().to_owned(),
                pem: certificate_pem.to_owned(),
                not_before: certificate.not_before(),
                not_after: certificate.not_after(),
            }),
        })
    }

    /// Makes a new key and a certificate that is valid from `not_before` on. It takes some 50 ms of a core.
    pub(crate) fn made(not_before: OffsetDateTime) -> Result<Self, IdentityError> {
        let private_key_pem = generate_rsa_2048_pem().map_err(IdentityError::NewKey)?;
        let key = PrivateKey::<Platform>::from_pem(&private_key_pem).map_err(IdentityError::PlatformKey)?;
        let certificate_pem = issue::issue(&key, "Tenpay.com sign", not_before)?;
        Self::certified(&certificate_pem, &private_key_pem)
    }

    /// The first and the last second of validity; a public key has no end.
    fn validity(&self) -> (i64, i64) {
        self.certificate
            .as_ref()
            .map_or((i64::MIN, i64::MAX), |certificate| {
                (
                    unix_seconds(certificate.not_before),
                    unix_seconds(certificate.not_after),
                )
            })
    }

    /// As a merchant holds it in public-key mode.
    pub(crate) fn as_public_key(&self) -> PlatformPublicKey {
        PlatformPublicKey {
            id: self.id.as_str().to_owned(),
            pem: self.key.public_key().to_pem(),
        }
    }

    fn is_valid(&self, now: i64) -> bool {
        let (first, last) = self.validity();
        (first..=last).contains(&now)
    }
}

/// The keys that take part in one request.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// Opens what was sealed.
    pub(crate) opens: Arc<KeyPair>,
    /// Signs the answer.
    pub(crate) signs: Arc<KeyPair>,
}

/// Every key that the platform holds now. Retired ones are gone.
#[derive(Debug)]
pub(crate) struct PlatformKeys {
    /// From the first to the newest, which signs. There is more than one only after it was rotated.
    public_keys: RwLock<Ring>,
    /// From the one that starts first to the one that starts last.
    certified: RwLock<Ring>,
}

/// The keys of one mode.
#[derive(Debug)]
struct Ring {
    pairs: Vec<Arc<KeyPair>>,
    /// Those that a fault had made, oldest first. A retired one may be among them.
    of_fault: VecDeque<KeyId>,
}

impl Ring {
    fn new(pairs: Vec<Arc<KeyPair>>) -> Self {
        Self {
            pairs,
            of_fault: VecDeque::new(),
        }
    }

    /// Takes in a key; of those that faults had made, the oldest goes when there are too many.
    fn push(&mut self, pair: &Arc<KeyPair>, maker: Maker) {
        self.pairs.push(Arc::clone(pair));
        if maker == Maker::Fault {
            self.of_fault.push_back(pair.id.clone());
            if self.of_fault.len() > LATEST
                && let Some(oldest) = self.of_fault.pop_front()
            {
                self.retire(&oldest);
            }
        }
    }

    fn retire(&mut self, id: &KeyId) -> bool {
        let before = self.pairs.len();
        self.pairs.retain(|pair| pair.id != *id);
        self.pairs.len() < before
    }
}

impl PlatformKeys {
    pub(crate) fn new(public_key: Option<KeyPair>, certified: Vec<KeyPair>) -> Self {
        let mut certified: Vec<_> = certified.into_iter().map(Arc::new).collect();
        certified.sort_by_key(|pair| pair.validity());
        Self {
            public_keys: RwLock::new(Ring::new(public_key.map(Arc::new).into_iter().collect())),
            certified: RwLock::new(Ring::new(certified)),
        }
    }

    /// The keys for a request that names one, or none; `None` when the one it names is unknown, retired or expired.
    ///
    /// The answer's mode is the one that the request names. In platform-certificate mode the newest certificate signs,
    /// so that a merchant who still seals with an older one learns about it; without a name, platform certificates win.
    pub(crate) fn choose(&self, named: Option<&KeyId>, now: i64) -> Option<Chosen> {
        let both = |pair: &Arc<KeyPair>| Chosen {
            opens: Arc::clone(pair),
            signs: Arc::clone(pair),
        };
        let public_keys = self.public_keys();
        let public_key = public_keys.pairs.last();
        let certified = self.certified();
        let newest = certified.pairs.iter().rev().find(|pair| pair.is_valid(now));
        match named {
            None => newest.or(public_key).map(both),
            Some(id) => {
                if let Some(named) = public_keys.pairs.iter().find(|pair| pair.id == *id) {
                    return Some(Chosen {
                        opens: Arc::clone(named),
                        signs: Arc::clone(public_key?),
                    });
                }
                let named = certified
                    .pairs
                    .iter()
                    .find(|pair| pair.id == *id && pair.is_valid(now))?;
                Some(Chosen {
                    opens: Arc::clone(named),
                    signs: Arc::clone(newest?),
                })
            }
        }
    }

    /// A key by its id, valid or not.
    pub(crate) fn find(&self, id: &KeyId) -> Option<Arc<KeyPair>> {
        let (public_keys, certified) = (self.public_keys(), self.certified());
        let mut pairs = public_keys.pairs.iter().chain(certified.pairs.iter());
        pairs.find(|pair| pair.id == *id).cloned()
    }

    /// The public key (微信支付公钥) that signs now, if there is one.
    pub(crate) fn public_key(&self) -> Option<PlatformPublicKey> {
        let public_keys = self.public_keys();
        public_keys.pairs.last().map(|pair| pair.as_public_key())
    }

    /// The ids that a request may name at a time, the public key's first.
    pub(crate) fn usable(&self, now: i64) -> Vec<String> {
        let (public_keys, certified) = (self.public_keys(), self.certified());
        let pairs = public_keys.pairs.iter().chain(certified.pairs.iter());
        pairs
            .filter(|pair| pair.is_valid(now))
            .map(|pair| pair.id.as_str().to_owned())
            .collect()
    }

    /// Every certificate, from the one that starts first to the one that starts last.
    pub(crate) fn certificates(&self) -> Vec<PlatformCertificate> {
        let certified = self.certified();
        certified
            .pairs
            .iter()
            .filter_map(|pair| pair.certificate.clone())
            .collect()
    }

    /// Takes in a new certificate that starts after every other one, and so signs from now on.
    pub(crate) fn rotate(&self, clock: &Clock, maker: Maker) -> Result<Arc<KeyPair>, IdentityError> {
        let newest = self.certified().pairs.last().map(|pair| pair.validity().0);
        let pair = Arc::new(KeyPair::made(next_start(newest, clock))?);
        let mut certified = self.certified.write().unwrap_or_else(PoisonError::into_inner);
        certified.push(&pair, maker);
        certified.pairs.sort_by_key(|pair| pair.validity());
        Ok(pair)
    }

    /// Takes in a new public key, which signs from now on in public-key mode.
    pub(crate) fn rotate_public_key(&self, mchid: &str, maker: Maker) -> Result<Arc<KeyPair>, IdentityError> {
        let private_key_pem = generate_rsa_2048_pem().map_err(IdentityError::NewKey)?;
        let key = PrivateKey::<Platform>::from_pem(&private_key_pem).map_err(IdentityError::PlatformKey)?;
        let digits = characters(DIGITS, 16).map_err(IdentityError::Random)?;
        let pair = Arc::new(KeyPair {
            id: KeyId::new(&format!("PUB_KEY_ID_01{mchid}{digits}")),
            key,
            private_key_pem: SecretText(private_key_pem.to_string()),
            certificate: None,
        });
        let mut public_keys = self.public_keys.write().unwrap_or_else(PoisonError::into_inner);
        public_keys.push(&pair, maker);
        Ok(pair)
    }

    /// Forgets a certificate; `false` when it is not there.
    pub(crate) fn retire(&self, serial: &KeyId) -> bool {
        let mut certified = self.certified.write().unwrap_or_else(PoisonError::into_inner);
        certified.retire(serial)
    }

    /// Forgets a public key that was replaced.
    pub(crate) fn retire_public_key(&self, id: &KeyId) -> Result<(), PublicKeyError> {
        let mut public_keys = self.public_keys.write().unwrap_or_else(PoisonError::into_inner);
        let current = public_keys.pairs.last().ok_or(PublicKeyError::NoPublicKey)?;
        if current.id == *id {
            return Err(PublicKeyError::Current);
        }
        match public_keys.retire(id) {
            true => Ok(()),
            false => Err(PublicKeyError::Unknown),
        }
    }

    fn public_keys(&self) -> RwLockReadGuard<'_, Ring> {
        self.public_keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn certified(&self) -> RwLockReadGuard<'_, Ring> {
        self.certified.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes certificates until there are as many as wanted.
pub(crate) fn fill_up(
    certified: &mut Vec<KeyPair>,
    wanted: usize,
    clock: &Clock,
) -> Result<(), IdentityError> {
    while certified.len() < wanted {
        let newest = certified.iter().map(|pair| pair.validity().0).max();
        certified.push(KeyPair::made(next_start(newest, clock))?);
    }
    Ok(())
}

/// A start after every other one's, and as far in the past as that allows, so that many fit before now.
fn next_start(newest: Option<i64>, clock: &Clock) -> OffsetDateTime {
    let day_ago = clock.date_time().saturating_sub(Duration::DAY);
    let day_ago = day_ago.replace_nanosecond(0).unwrap_or(day_ago);
    let after_newest = newest
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds.saturating_add(1)).ok())
        .unwrap_or(day_ago);
    day_ago.max(after_newest)
}

pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    let seconds = |duration: std::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    time.duration_since(UNIX_EPOCH)
        .map_or_else(|before| -seconds(before.duration()), seconds)
}

/// How many keys that were made by the fault `rotated-key` are kept, in each mode.
const LATEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const NOW: i64 = 1_796_000_000;

    fn keys(certificates: usize, public_key: bool) -> (PlatformKeys, Clock) {
        let clock = Clock::manual(NOW);
        let mut certified = Vec::new();
        fill_up(&mut certified, certificates, &clock).unwrap();
        let public_key = public_key.then(|| testing::identity().platform);
        (PlatformKeys::new(public_key, certified), clock)
    }

    fn serials(keys: &PlatformKeys) -> Vec<KeyId> {
        let certificates = keys.certificates();
        certificates.iter().map(|one| KeyId::new(&one.serial)).collect()
    }

    /// The ids of the keys that open and sign.
    fn chosen(keys: &PlatformKeys, named: Option<&KeyId>, now: i64) -> Option<(KeyId, KeyId)> {
        let chosen = keys.choose(named, now)?;
        Some((chosen.opens.id.clone(), chosen.signs.id.clone()))
    }

    #[test]
    fn the_request_names_the_mode_and_the_newest_certificate_signs() {
        let (keys, _) = keys(2, true);
        let [old, new] = &serials(&keys)[..] else {
            panic!("not two certificates");
        };
        let public_key = KeyId::new(&testing::parts().platform_key_id);
        let both = |id: &KeyId| Some((id.clone(), id.clone()));
        assert_eq!(chosen(&keys, Some(&public_key), NOW), both(&public_key));
        assert_eq!(chosen(&keys, Some(old), NOW), Some((old.clone(), new.clone())));
        assert_eq!(chosen(&keys, Some(new), NOW), both(new));
        assert_eq!(chosen(&keys, None, NOW), both(new));
        assert_eq!(chosen(&keys, Some(&KeyId::new("AB")), NOW), None);
        assert_eq!(old.as_str().len(), 40);
    }

    #[test]
    fn without_certificates_the_public_key_signs() {
        let (keys, _) = keys(0, true);
        let public_key = KeyId::new(&testing::parts().platform_key_id);
        assert_eq!(
            chosen(&keys, None, NOW),
            Some((public_key.clone(), public_key.clone()))
        );
    }

    #[test]
    fn a_rotated_key_signs_and_a_retired_one_opens_nothing() {
        let (keys, clock) = keys(1, false);
        let old = serials(&keys)[0].clone();
        let new = keys.rotate(&clock, Maker::Command).unwrap().id.clone();
        assert_eq!(chosen(&keys, Some(&old), NOW), Some((old.clone(), new.clone())));
        assert!(keys.retire(&old));
        assert!(!keys.retire(&old));
        assert_eq!(chosen(&keys, Some(&old), NOW), None);
        assert_eq!(chosen(&keys, None, NOW), Some((new.clone(), new)));
    }

    #[test]
    fn a_replaced_public_key_can_be_retired_and_the_current_one_not() {
        let (keys, _) = keys(0, true);
        let old = KeyId::new(&testing::parts().platform_key_id);
        assert!(matches!(
            keys.retire_public_key(&old),
            Err(PublicKeyError::Current)
        ));
        let new = keys
            .rotate_public_key("1900000109", Maker::Command)
            .unwrap()
            .id
            .clone();
        assert_eq!(chosen(&keys, Some(&old), NOW), Some((old.clone(), new.clone())));
        assert!(matches!(
            keys.retire_public_key(&new),
            Err(PublicKeyError::Current)
        ));
        keys.retire_public_key(&old).unwrap();
        assert_eq!(chosen(&keys, Some(&old), NOW), None);
        assert!(matches!(
            keys.retire_public_key(&old),
            Err(PublicKeyError::Unknown)
        ));
        assert_eq!(chosen(&keys, Some(&new), NOW), Some((new.clone(), new)));
    }

    /// Keys of one's own stay, however many a fault makes.
    #[test]
    fn the_keys_that_faults_make_are_bounded_and_the_others_stay() {
        let pair = || Arc::new(testing::identity().platform);
        let mut ring = Ring::new(vec![pair()]);
        let named = |id: &str| {
            let mut pair = testing::identity().platform;
            pair.id = KeyId::new(id);
            Arc::new(pair)
        };
        ring.push(&named("F1"), Maker::Fault);
        ring.push(&named("C"), Maker::Command);
        for number in 2..=LATEST + 3 {
            ring.push(&named(&format!("F{number}")), Maker::Fault);
        }
        let ids: Vec<_> = ring.pairs.iter().map(|pair| pair.id.as_str()).collect();
        assert_eq!(ids.len(), LATEST + 2);
        assert_eq!(ids[..3], [&*testing::parts().platform_key_id, "C", "F4"]);
        assert_eq!(ids.last().copied(), Some("F19"));
    }

    /// The writer of certificates panics outside of the years 0 to 9999, and the reader knows none before 1970.
    #[test]
    fn a_certificate_is_made_or_refused_at_every_time_that_a_clock_shows() {
        let largest = Clock::LARGEST_SHIFT_SECONDS;
        for (seconds, shift, is_made) in [
            (NOW, largest, true),
            (NOW, -largest, false),
            (i64::MIN, -largest, false),
            (i64::MAX, largest, true),
        ] {
            let clock = Clock::manual(seconds);
            clock.set_shift(shift).unwrap();
            let mut certified = Vec::new();
            match fill_up(&mut certified, 1, &clock) {
                Ok(()) => assert!(certified[0].is_valid(unix_seconds(clock.date_time().into()))),
                Err(error) => assert!(matches!(error, IdentityError::PlatformCertificate(_)), "{error}"),
            }
            assert_eq!(certified.len(), usize::from(is_made), "{seconds} {shift}");
        }
    }

    #[test]
    fn an_expired_certificate_neither_opens_nor_signs() {
        let (keys, _) = keys(1, false);
        let serial = serials(&keys)[0].clone();
        let end = NOW + issue::LIFETIME.whole_seconds();
        assert!(chosen(&keys, Some(&serial), end - 86_400).is_some());
        assert_eq!(chosen(&keys, Some(&serial), end), None);
        assert_eq!(chosen(&keys, None, end), None);
        assert_eq!(chosen(&keys, None, NOW - 2 * 86_400), None);
    }

    #[test]
    fn debug_shows_no_private_key() {
        let (keys, _) = keys(1, true);
        assert!(!format!("{keys:?}").contains("PRIVATE KEY"));
    }
}
