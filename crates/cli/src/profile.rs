//! `wxmember.toml`: profiles. Holds paths to secrets, never secrets.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use wxmember::{Certificate, Client, ConfigError, KeyError, Merchant, MerchantKey, PlatformKey, Trust};

use crate::{failure::Failure, serial};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    profile: BTreeMap<String, ProfileTable>,
}

/// One `[profile.NAME]` of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileTable {
    base_url: Option<String>,
    mchid: String,
    merchant_serial: Option<String>,
    merchant_key: PathBuf,
    merchant_certificate: Option<PathBuf>,
    platform_key_id: Option<String>,
    platform_key: Option<PathBuf>,
    platform_certificate: Option<PathBuf>,
    #[expect(
        dead_code,
        reason = "part of a profile; commands that open notifications read it"
    )]
    apiv3_key_file: Option<PathBuf>,
    brand_id: String,
    card_id: String,
    quota: Option<String>,
    validity: Option<ValidityTable>,
    pickup_time: Option<String>,
    custom_fields: Option<Vec<String>>,
}

/// The validity of rows that say nothing of it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ValidityTable {
    /// `validity = "permanent"`
    Permanent,
    /// `validity = { days = 365 }`
    Days(u32),
    /// `validity = { between = ["2026-01-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"] }`
    Between([String; 2]),
}

/// A profile that was read and whose keys fit together.
pub(crate) struct Profile {
    pub(crate) client: Client,
    pub(crate) base_url: String,
    pub(crate) brand_id: String,
    pub(crate) card_id: String,
    pub(crate) quota: Option<String>,
    pub(crate) validity: Option<ValidityTable>,
    pub(crate) pickup_time: Option<String>,
    pub(crate) custom_fields: Vec<String>,
}

impl Profile {
    /// Reads a profile and every file it names; nothing is sent.
    pub(crate) fn read(config: &Path, name: &str) -> Result<Self, Failure> {
        let text = read_config(config)?;
        Self::parse(&text, config, name)
    }

    /// The same for the text of a configuration file that will stand at `config`.
    pub(crate) fn parse(text: &str, config: &Path, name: &str) -> Result<Self, Failure> {
        let (table, folder) = (parse(text, config, name)?, folder_of(config));
        table.open(&At { config, folder })
    }
}

/// The text of a configuration file.
pub(crate) fn read_config(config: &Path) -> Result<String, Failure> {
    read(config).map_err(|failure| {
        failure.hint(
            "write one with `wxmember init`, or try the sandbox first with `wxmember import FILE --sandbox`",
        )
    })
}

/// Paths in a configuration file are relative to its folder.
pub(crate) fn folder_of(config: &Path) -> &Path {
    config.parent().unwrap_or(Path::new(""))
}

fn parse(text: &str, config: &Path, name: &str) -> Result<ProfileTable, Failure> {
    let file = strict(text).map_err(|misread| Failure::new(format!("{}, {misread}", config.display())))?;
    let names: Vec<_> = file.profile.keys().cloned().collect();
    let mut profiles = file.profile;
    profiles.remove(name).ok_or_else(|| {
        Failure::new(format!("{} has no profile `{name}`", config.display())).hint(format!(
            "choose one with `--profile`; it has {}",
            names.join(", ")
        ))
    })
}

/// What is wrong with the text of a configuration file.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {message}")]
pub(crate) struct Misread {
    line: usize,
    message: String,
}

/// Reads every profile of a file, and refuses what it does not know.
fn strict(text: &str) -> Result<ConfigFile, Misread> {
    toml::from_str(text).map_err(|error| Misread {
        line: error
            .span()
            .map_or(0, |span| text[..span.start].matches('\n').count() + 1),
        message: error.message().trim().to_owned(),
    })
}

/// Whether every setting of a file is known and has the right type.
pub(crate) fn check(text: &str) -> Result<(), Misread> {
    strict(text).map(drop)
}

/// Where a profile stands, for messages and for relative paths.
struct At<'a> {
    config: &'a Path,
    folder: &'a Path,
}

impl At<'_> {
    fn wrong(&self, what: &str) -> Failure {
        Failure::new(format!("{}: {what}", self.config.display()))
    }
}

impl ProfileTable {
    fn open(self, at: &At<'_>) -> Result<Profile, Failure> {
        let merchant = self.merchant(at)?;
        let trust = self.trust(at)?;
        let base_url = self
            .base_url
            .unwrap_or_else(|| "https://api.mch.weixin.qq.com".to_owned());
        let client = Client::builder()
            .merchant(merchant)
            .trust(trust)
            .with_base_url(&base_url)
            .build()
            .map_err(|error| at.wrong(&error.to_string()))?;
        Ok(Profile {
            client,
            base_url,
            brand_id: self.brand_id,
            card_id: self.card_id,
            quota: self.quota,
            validity: self.validity,
            pickup_time: self.pickup_time,
            custom_fields: self.custom_fields.unwrap_or_default(),
        })
    }

    fn merchant(&self, at: &At<'_>) -> Result<Merchant, Failure> {
        let path = at.folder.join(&self.merchant_key);
        let key = MerchantKey::from_pem(&read(&path)?).map_err(|error| key_failure(&path, &error))?;
        let config = |error: ConfigError| at.wrong(&error.to_string());
        match (&self.merchant_certificate, &self.merchant_serial) {
            (Some(certificate), written) => {
                let path = at.folder.join(certificate);
                let certificate = Certificate::from_pem(&read(&path)?)
                    .map_err(|error| Failure::because(path.display(), &error))?;
                let merchant = Merchant::with_certificate(&self.mchid, &certificate, key).map_err(config)?;
                let differs = |written: &String| serial::canonical(written) != certificate.serial().as_str();
                if written.as_ref().is_some_and(differs) {
                    return Err(at
                        .wrong("`merchant_serial` is not the serial number of `merchant_certificate`")
                        .hint(format!(
                            "leave `merchant_serial` out, or set it to {}",
                            certificate.serial()
                        )));
                }
                Ok(merchant)
            }
            (None, Some(written)) => {
                Merchant::new(&self.mchid, &serial::canonical(written), key).map_err(config)
            }
            (None, None) => Err(at
                .wrong("neither `merchant_certificate` nor `merchant_serial` is set")
                .hint("set `merchant_certificate` to the path of apiclient_cert.pem")),
        }
    }

    fn trust(&self, at: &At<'_>) -> Result<Trust, Failure> {
        let public_key = match (&self.platform_key, &self.platform_key_id) {
            (Some(path), Some(id)) => {
                let path = at.folder.join(path);
                Some((
                    id,
                    PlatformKey::from_pem(&read(&path)?).map_err(|error| key_failure(&path, &error))?,
                ))
            }
            (None, None) => None,
            _ => return Err(at.wrong("`platform_key` and `platform_key_id` go together: set both")),
        };
        let certificate = match &self.platform_certificate {
            Some(path) => {
                let path = at.folder.join(path);
                let read = Certificate::from_pem(&read(&path)?);
                Some(read.map_err(|error| Failure::because(path.display(), &error))?)
            }
            None => None,
        };
        let config = |error: ConfigError| at.wrong(&error.to_string());
        match (public_key, certificate) {
            (Some((id, key)), None) => Trust::public_key(id, key).map_err(config),
            (None, Some(certificate)) => Ok(Trust::certificate(&certificate)),
            (Some((id, key)), Some(certificate)) => Trust::public_key(id, key)
                .map(|trust| trust.and_certificate(&certificate))
                .map_err(config),
            (None, None) => Err(at
                .wrong("no platform key is set, so no answer could be believed")
                .hint(
                    "set `platform_key` to the path of pub_key.pem and `platform_key_id` to its PUB_KEY_ID_…",
                )),
        }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::because(format!("failed to read {}", path.display()), &error))
}

fn key_failure(path: &Path, error: &KeyError) -> Failure {
    Failure::because(path.display(), error)
}
