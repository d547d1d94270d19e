//! The identities file: merchants, brands, templates and keys in TOML. `identities.toml` shows all that can stand there.
//!
//! A file is either whole or refused, with the place and the remedy. An error never repeats a value of the file.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use thiserror::Error;
use time::{Duration, OffsetDateTime};
use wxmember_crypto::{
    ApiV3Key, Certificate, KeyId, PrivateKey, generate_rsa_2048_pem,
    party::{Merchant, Platform},
};

use crate::{
    clock::Clock,
    folder::{APIV3_KEY, FolderError, MERCHANT_CERTIFICATE, MERCHANT_KEY, PLATFORM_PRIVATE_KEY, kept::Kept},
    identity::{Credentials, Identity, IdentityError, KeyPlace, Party, PublicKeyMode, SecretText, is_id},
    issue,
    operations::Preloaded,
    platform::KeyPair,
    policy::{PolicyChoice, PolicyError},
    random::{ALPHANUMERIC, DIGITS, characters},
    toml_flaw::{TomlFlaw, TomlMisread},
};

/// Why an identities file cannot be used. Every variant names the file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentitiesError {
    /// Two parts of the file contradict each other, or a part is missing.
    #[error("{path}: {at}: {what}", path = .path.display())]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// The part, such as `templates[1]`; the first is 0.
        at: String,
        /// What does not fit, and what to do.
        what: &'static str,
    },
    /// What the file leaves out cannot be kept in the folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A key or certificate that the file names, or that is made for it, is unusable.
    #[error("{path}: {at}: unusable key or certificate", path = .path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// The part.
        at: String,
        /// What is wrong with it.
        #[source]
        source: IdentityError,
    },
    /// A policy cannot be chosen.
    #[error("{path}: policies", path = .path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// What can be chosen.
        #[source]
        source: PolicyError,
    },
    /// The file, or one that it names, cannot be read.
    #[error("{path}: cannot be read", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The file is no TOML, or has a setting that is unknown, missing or of another type.
    #[error("{path}: line {line}: {flaw}", path = .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        flaw: TomlFlaw,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    platform: PlatformPart,
    merchants: Vec<MerchantPart>,
    #[serde(default)]
    templates: Vec<TemplatePart>,
    /// By name, where the default is not wanted.
    #[serde(default)]
    policies: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PlatformPart {
    public_key: bool,
    public_key_id: Option<String>,
    private_key: Option<PathBuf>,
    certificates: Vec<CertificatePart>,
}

impl Default for PlatformPart {
    fn default() -> Self {
        Self {
            public_key: true,
            public_key_id: None,
            private_key: None,
            certificates: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificatePart {
    state: Option<State>,
    certificate: Option<PathBuf>,
    private_key: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MerchantPart {
    mchid: String,
    #[serde(default)]
    brands: Vec<String>,
    #[serde(default)]
    certificates: Vec<PathBuf>,
    private_key: Option<PathBuf>,
    apiv3_key_file: Option<PathBuf>,
    state: Option<State>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplatePart {
    card_id: String,
    brand_id: String,
    notify_url: Option<String>,
}

/// When a certificate that is made is valid.
#[derive(Clone, Copy, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
enum State {
    Expired,
    NotYetValid,
    #[default]
    Valid,
}

impl State {
    /// What the name of a kept file has for it, so that another state means another file.
    fn suffix(self) -> &'static str {
        match self {
            Self::Expired => ".expired",
            Self::NotYetValid => ".not_yet_valid",
            Self::Valid => "",
        }
    }

    fn starts_at(self, clock: &Clock) -> OffsetDateTime {
        let now = clock.date_time();
        match self {
            Self::Expired => now.saturating_sub(issue::LIFETIME + Duration::DAY),
            // A folder keeps it for longer than a day.
            Self::NotYetValid => now.saturating_add(issue::LIFETIME * 2),
            Self::Valid => now.saturating_sub(Duration::DAY),
        }
    }
}

/// Reads a file and every file that it names; what it leaves out is taken from a folder or kept there, if there is one.
/// A key that is made takes some 50 ms of a core.
pub(crate) fn read(path: &Path, clock: &Clock, kept: Option<&Kept>) -> Result<Identity, IdentitiesError> {
    let file = parse(path, &read_text(path)?)?;
    let reader = Reader { path, clock, kept };
    reader.check(&file)?;
    reader.identity(file)
}

/// Reads a file as far as that makes no key and reads no other file.
#[cfg(feature = "fuzzing")]
pub(crate) fn look(path: &Path, text: &str, clock: &Clock) -> Result<(), IdentitiesError> {
    let file = parse(path, text)?;
    let reader = Reader {
        path,
        clock,
        kept: None,
    };
    reader.check(&file)?;
    reader.policies(&file).map(drop)
}

fn parse(path: &Path, text: &str) -> Result<File, IdentitiesError> {
    TomlMisread::read(text).map_err(|TomlMisread { line, flaw, .. }| {
        let path = path.to_owned();
        IdentitiesError::Syntax { path, line, flaw }
    })
}

fn read_text(path: &Path) -> Result<String, IdentitiesError> {
    fs::read_to_string(path).map_err(|source| IdentitiesError::Read {
        path: path.to_owned(),
        source,
    })
}

struct Reader<'a> {
    path: &'a Path,
    clock: &'a Clock,
    kept: Option<&'a Kept>,
}

impl Reader<'_> {
    /// What can be wrong without looking at a key.
    fn check(&self, file: &File) -> Result<(), IdentitiesError> {
        if file.merchants.is_empty() {
            return Err(self.contradiction("merchants", "at least one is needed"));
        }
        for (index, merchant) in file.merchants.iter().enumerate() {
            let at = format!("merchants[{index}]");
            if !is_id(&merchant.mchid) || !merchant.brands.iter().all(|brand| is_id(brand)) {
                return Err(self.contradiction(&at, "`mchid` and `brands` are visible ASCII and not empty"));
            }
            if self.kept.is_some() && !is_folder_name(&merchant.mchid) {
                let what = "its `mchid` names a folder, so it may hold letters, digits, `-` and `_` only";
                return Err(self.contradiction(&at, what));
            }
            let earlier = &file.merchants[..index];
            if earlier.iter().any(|other| other.mchid == merchant.mchid) {
                return Err(self.contradiction(
                    &at,
                    "its `mchid` is there already; give all its brands at one place",
                ));
            }
            if !merchant.certificates.is_empty() && merchant.state.is_some() {
                let what =
                    "`state` is for a certificate that is made; leave it out, or leave out `certificates`";
                return Err(self.contradiction(&at, what));
            }
            if merchant.certificates.is_empty() && merchant.private_key.is_some() {
                return Err(
                    self.contradiction(&at, "`private_key` without `certificates`; give both or neither")
                );
            }
        }
        for (index, template) in file.templates.iter().enumerate() {
            let at = format!("templates[{index}]");
            if !is_id(&template.card_id) {
                return Err(self.contradiction(&at, "`card_id` is visible ASCII and not empty"));
            }
            let mut merchants = file.merchants.iter();
            if !merchants.any(|merchant| merchant.brands.contains(&template.brand_id)) {
                let what = "no merchant has its `brand_id`; add it to `brands` of one";
                return Err(self.contradiction(&at, what));
            }
            let earlier = &file.templates[..index];
            if earlier.iter().any(|other| other.card_id == template.card_id) {
                return Err(self.contradiction(&at, "its `card_id` is there already"));
            }
        }
        let platform = &file.platform;
        if platform.public_key_id.as_deref().is_some_and(|id| !is_id(id)) {
            let what = "`public_key_id` is visible ASCII and not empty";
            return Err(self.contradiction("platform", what));
        }
        if !platform.public_key && platform.certificates.is_empty() {
            let what = "without a public key it needs a certificate; add `[[platform.certificates]]`";
            return Err(self.contradiction("platform", what));
        }
        Ok(())
    }

    fn identity(&self, file: File) -> Result<Identity, IdentitiesError> {
        let policies = self.policies(&file)?;
        let first = file.merchants.first().map_or("", |merchant| &merchant.mchid);
        let platform = self.public_key(&file.platform, first)?;
        let certified = file.platform.certificates.iter().enumerate();
        let certified = certified
            .map(|(index, part)| self.certified(index, part))
            .collect::<Result<Vec<_>, _>>()?;
        let parties = file.merchants.into_iter().enumerate();
        let parties = parties
            .map(|(index, part)| {
                let of_its_brand = |template: &&TemplatePart| part.brands.contains(&template.brand_id);
                let template = file.templates.iter().find(of_its_brand);
                let card_id = template.map_or(String::new(), |template| template.card_id.clone());
                let brand_id = template.map(|template| template.brand_id.clone());
                let brand_id = brand_id.or_else(|| part.brands.first().cloned());
                let ids = (brand_id.unwrap_or_default(), card_id);
                self.party(&format!("merchants[{index}]"), part, &platform, ids)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let templates = file.templates.into_iter().map(|template| Preloaded {
            card_id: template.card_id,
            brand_id: template.brand_id,
            notify_url: template.notify_url,
        });
        Ok(Identity {
            parties,
            templates: templates.collect(),
            public_key_mode: match file.platform.public_key {
                true => PublicKeyMode::On,
                false => PublicKeyMode::Off,
            },
            platform,
            certified,
            policies,
        })
    }

    fn policies(&self, file: &File) -> Result<Vec<PolicyChoice>, IdentitiesError> {
        let chosen = file
            .policies
            .iter()
            .map(|(name, choice)| PolicyChoice::named(name, choice));
        chosen
            .collect::<Result<_, _>>()
            .map_err(|source| IdentitiesError::Policy {
                path: self.path.to_owned(),
                source,
            })
    }

    /// What the folder keeps under these names, or what is made, which it keeps from now on.
    fn kept<const N: usize>(
        &self,
        at: &str,
        names: [String; N],
        make: impl FnOnce() -> Result<[String; N], IdentityError>,
    ) -> Result<[String; N], IdentitiesError> {
        if let Some(texts) = self.kept.map(|kept| kept.texts(&names)).transpose()?.flatten() {
            return Ok(texts);
        }
        let made = make().map_err(|source| self.failed(at, source))?;
        if let Some(kept) = self.kept {
            kept.keep(&names, &made)?;
        }
        Ok(made)
    }

    fn public_key(&self, part: &PlatformPart, mchid: &str) -> Result<KeyPair, IdentitiesError> {
        let failed = |source| self.failed("platform", source);
        let private_key_pem = match &part.private_key {
            Some(name) => self.text(name)?,
            None => {
                let [pem] = self.kept("platform", [PLATFORM_PRIVATE_KEY.to_owned()], || Ok([new_key()?]))?;
                pem
            }
        };
        let key = PrivateKey::<Platform>::from_pem(&private_key_pem);
        let key = key.map_err(|error| failed(IdentityError::PlatformKey(error)))?;
        let id = match &part.public_key_id {
            Some(id) => id.clone(),
            None => {
                let [id] = self.kept("platform", ["public_key_id.txt".to_owned()], || {
                    let digits = characters(DIGITS, 16).map_err(IdentityError::Random)?;
                    Ok([format!("PUB_KEY_ID_01{mchid}{digits}")])
                })?;
                if !is_id(&id) {
                    let what = "`public_key_id.txt` of the folder holds no id; delete it to get a new one";
                    return Err(self.contradiction("platform", what));
                }
                id
            }
        };
        Ok(KeyPair {
            id: KeyId::new(&id),
            key,
            private_key_pem: SecretText(private_key_pem),
            certificate: None,
        })
    }

    fn certified(&self, index: usize, part: &CertificatePart) -> Result<KeyPair, IdentitiesError> {
        let at = &format!("platform.certificates[{index}]");
        let pair = match (&part.certificate, &part.private_key, part.state) {
            (Some(certificate), Some(private_key), None) => {
                KeyPair::certified(&self.text(certificate)?, &self.text(private_key)?)
            }
            (None, None, state) => {
                let state = state.unwrap_or_default();
                let names = ["platform_certificate", "sandbox_platform_key"];
                let names = names.map(|name| format!("{name}_{index}{}.pem", state.suffix()));
                let [certificate, key] = self.kept(at, names, || {
                    let made = KeyPair::made(state.starts_at(self.clock))?;
                    let SecretText(key) = made.private_key_pem;
                    let certificate = made.certificate.map(|certificate| certificate.pem);
                    Ok([certificate.unwrap_or_default(), key])
                })?;
                KeyPair::certified(&certificate, &key)
            }
            _ => {
                let what = "give `certificate` and `private_key`, or nothing but `state`";
                return Err(self.contradiction(at, what));
            }
        };
        pair.map_err(|source| self.failed(at, source))
    }

    fn party(
        &self,
        at: &str,
        part: MerchantPart,
        platform: &KeyPair,
        (brand_id, card_id): (String, String),
    ) -> Result<Party, IdentitiesError> {
        let failed = |source| self.failed(at, source);
        let is_kept = part.certificates.is_empty()
            && part.apiv3_key_file.is_none()
            && part.state.unwrap_or_default() == State::Valid;
        let apiv3_key = match &part.apiv3_key_file {
            Some(name) => self.text(name)?.trim().to_owned(),
            None => {
                let [key] = self.kept(at, [format!("{}/{APIV3_KEY}", part.mchid)], || {
                    let key = characters(ALPHANUMERIC, 32).map_err(IdentityError::Random)?;
                    Ok([format!("{key}\n")])
                })?;
                key.trim().to_owned()
            }
        };
        let (key_pem, certificate_pems) = if part.certificates.is_empty() {
            let state = part.state.unwrap_or_default();
            let names = [MERCHANT_KEY, MERCHANT_CERTIFICATE];
            let names = names.map(|name| {
                let stem = name.trim_end_matches(".pem");
                format!("{}/{stem}{}.pem", part.mchid, state.suffix())
            });
            let [key_pem, certificate_pem] = self.kept(at, names, || {
                let key_pem = new_key()?;
                let key = PrivateKey::from_pem(&key_pem).map_err(IdentityError::MerchantKey)?;
                let starts_at = state.starts_at(self.clock);
                let certificate = issue::issue::<Merchant>(&key, &part.mchid, starts_at)?;
                Ok([key_pem, certificate])
            })?;
            (key_pem, vec![certificate_pem])
        } else {
            let key_pem = part
                .private_key
                .as_deref()
                .map(|name| self.text(name))
                .transpose()?;
            let pems = part.certificates.iter().map(|name| self.text(name));
            (key_pem.unwrap_or_default(), pems.collect::<Result<Vec<_>, _>>()?)
        };
        let certificates = certificate_pems
            .iter()
            .map(|pem| Certificate::from_pem(pem))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed(IdentityError::MerchantCertificate(error)))?;
        if !key_pem.is_empty() {
            let key = PrivateKey::from_pem(&key_pem);
            let key = key.map_err(|error| failed(IdentityError::MerchantKey(error)))?;
            if !certificates
                .first()
                .is_some_and(|certificate| certificate.belongs_to(&key))
            {
                return Err(failed(IdentityError::KeyMismatch));
            }
        }
        let serial = certificates
            .first()
            .map(|certificate| certificate.serial().as_str().to_owned());
        Ok(Party {
            credentials: Credentials {
                mchid: part.mchid,
                merchant_serial: serial.unwrap_or_default(),
                merchant_key_pem: key_pem,
                merchant_certificate_pem: certificate_pems.into_iter().next().unwrap_or_default(),
                platform_key_id: platform.id.as_str().to_owned(),
                platform_key_pem: platform.key.public_key().to_pem(),
                apiv3_key: apiv3_key.clone(),
                brand_id,
                card_id,
            },
            apiv3_key: ApiV3Key::new(&apiv3_key).map_err(|error| failed(IdentityError::ApiV3Key(error)))?,
            certificates,
            brands: part.brands,
            keys: match is_kept {
                true => KeyPlace::Kept,
                false => KeyPlace::Own,
            },
        })
    }

    /// A file that the file names.
    fn text(&self, name: &Path) -> Result<String, IdentitiesError> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        read_text(&folder.join(name))
    }

    fn contradiction(&self, at: &str, what: &'static str) -> IdentitiesError {
        IdentitiesError::Contradiction {
            path: self.path.to_owned(),
            at: at.to_owned(),
            what,
        }
    }

    fn failed(&self, at: &str, source: IdentityError) -> IdentitiesError {
        IdentitiesError::Identity {
            path: self.path.to_owned(),
            at: at.to_owned(),
            source,
        }
    }
}

/// Whether a merchant id can be the name of a folder: of one everywhere, and of none outside.
pub(crate) fn is_folder_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

fn new_key() -> Result<String, IdentityError> {
    let pem = generate_rsa_2048_pem().map_err(IdentityError::NewKey)?;
    Ok(pem.to_string())
}

#[cfg(test)]
mod tests;
