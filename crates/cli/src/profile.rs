//! `wxmember.toml`: profiles. Holds paths to secrets, never secrets.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::tz::Offset;
use serde::Deserialize;
use wxmember::{Client, KeyId, MerchantKey, Signer};
use wxmember_import::{Route, UnknownRoute, Validity};

use crate::{failure::Failure, misread};

mod download;
mod keys;
mod merchant;
mod place;
mod readers;

pub(crate) use self::{
    keys::PlatformKeys,
    merchant::{KeyPair, key_pair_of, passphrase_of},
    place::{FETCH_CERTIFICATE, FETCH_KEY, NAME_CERTIFICATE, NAME_KEY, RESTORE_CERTIFICATE, RESTORE_KEY},
};

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
    merchant_key: Option<PathBuf>,
    merchant_key_passphrase_file: Option<PathBuf>,
    merchant_p12: Option<PathBuf>,
    merchant_p12_passphrase_file: Option<PathBuf>,
    merchant_certificate: Option<PathBuf>,
    platform_key_id: Option<String>,
    platform_key: Option<PathBuf>,
    platform_certificate: Option<PathBuf>,
    apiv3_key_file: Option<PathBuf>,
    brand_id: String,
    card_id: String,
    quota: Option<String>,
    validity: Option<ValidityTable>,
    pickup_time: Option<String>,
    custom_fields: Option<Vec<String>>,
    level: Option<String>,
    card_color: Option<String>,
    card_picture_url: Option<String>,
    time_zone: Option<String>,
    via: Option<String>,
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

impl From<&ValidityTable> for Validity {
    fn from(table: &ValidityTable) -> Self {
        match table {
            ValidityTable::Permanent => Self::Permanent,
            ValidityTable::Days(days) => Self::FixTerm { days: *days },
            ValidityTable::Between([begin, end]) => Self::FixTimeRange {
                begin: begin.clone(),
                end: end.clone(),
            },
        }
    }
}

/// A profile that was read and whose keys fit together.
pub(crate) struct Profile {
    pub(crate) client: Client,
    /// Whether the merchant's key was held against its certificate.
    pub(crate) has_certificate: bool,
    pub(crate) base_url: String,
    pub(crate) brand_id: String,
    pub(crate) card_id: String,
    pub(crate) quota: Option<String>,
    pub(crate) validity: Option<ValidityTable>,
    pub(crate) pickup_time: Option<String>,
    pub(crate) custom_fields: Vec<String>,
    pub(crate) level: Option<String>,
    pub(crate) card_color: Option<String>,
    pub(crate) card_picture_url: Option<String>,
    /// Of times that are written without one.
    pub(crate) time_zone: Option<Offset>,
    /// The operation that brings members in.
    pub(crate) via: Option<Route>,
}

impl Profile {
    /// Reads a profile and every file it names; nothing is sent.
    pub(crate) fn read(config: &Path, name: &str) -> Result<Self, Failure> {
        let text = read_config(config)?;
        Self::parse(&text, config, name)
    }

    /// The same with another signer around the merchant's key.
    pub(crate) fn read_watched(
        config: &Path,
        name: &str,
        signer: impl FnOnce(Arc<MerchantKey>) -> Arc<dyn Signer>,
    ) -> Result<Self, Failure> {
        let text = read_config(config)?;
        let (table, folder) = (parse(&text, config, name)?, folder_of(config));
        table.open(&At { config, folder }, signer)
    }

    /// The same for the text of a configuration file that will stand at `config`.
    pub(crate) fn parse(text: &str, config: &Path, name: &str) -> Result<Self, Failure> {
        let (table, folder) = (parse(text, config, name)?, folder_of(config));
        table.open(&At { config, folder }, |key| key)
    }
}

/// The platform's keys of a profile whose every file is usable.
///
/// Certificates are downloaded when the profile asks for it and `wanted` is not there; without a name, when no key is
/// there that seals now.
pub(crate) async fn platform_keys(
    config: &Path,
    name: &str,
    wanted: Option<&KeyId>,
) -> Result<PlatformKeys, Failure> {
    let text = read_config(config)?;
    // Opened as a whole first: it may be the merchant's own key that stands in the platform's place.
    let profile = Profile::parse(&text, config, name)?;
    let (table, folder) = (parse(&text, config, name)?, folder_of(config));
    let mut keys = keys::platform(&table, &At { config, folder })?;
    let is_known = match wanted {
        Some(wanted) => keys.all().any(|(id, _)| id == wanted),
        None => profile.client.sealing_key_id().is_some(),
    };
    if let (false, Some(key)) = (is_known, keys.download()) {
        let certificates = download::certificates(&profile, key).await?;
        keys.learn(certificates);
    }
    Ok(keys)
}

/// The merchant's private key of a profile.
pub(crate) fn merchant_key(config: &Path, name: &str) -> Result<MerchantKey, Failure> {
    let text = read_config(config)?;
    let (table, folder) = (parse(&text, config, name)?, folder_of(config));
    merchant::key_pair(&table, &At { config, folder }).map(|pair| pair.key)
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
    let file: ConfigFile =
        misread::read(text).map_err(|misread| Failure::new(format!("{}: {misread}", config.display())))?;
    let names: Vec<_> = file.profile.keys().cloned().collect();
    let mut profiles = file.profile;
    profiles.remove(name).ok_or_else(|| {
        Failure::new(format!("{} has no profile `{name}`", config.display())).hint(format!(
            "choose one with `--profile`; it has {}",
            names.join(", ")
        ))
    })
}

/// Whether every setting of a file is known and has the right type.
pub(crate) fn check(text: &str) -> Result<(), crate::commands::sandbox::TomlMisread> {
    misread::read::<ConfigFile>(text).map(drop)
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
    fn open(
        self,
        at: &At<'_>,
        signer: impl FnOnce(Arc<MerchantKey>) -> Arc<dyn Signer>,
    ) -> Result<Profile, Failure> {
        let builder = Client::builder()
            .merchant(merchant::merchant(&self, at, signer)?)
            .trust(keys::platform(&self, at)?.trust(at)?);
        // Only WeChat Pay's own host has a backup host.
        let builder = match &self.base_url {
            Some(url) => builder.with_base_url(url),
            None => builder,
        };
        let client = builder.build().map_err(|error| at.wrong(&error.to_string()))?;
        let time_zone = match &self.time_zone {
            Some(zone) => Some(offset(zone).ok_or_else(|| {
                at.wrong("`time_zone` is no offset")
                    .hint("write it like `time_zone = \"+08:00\"`")
            })?),
            None => None,
        };
        let via = match &self.via {
            Some(via) => Some(
                via.parse()
                    .map_err(|error: UnknownRoute| at.wrong(&format!("`via`: {error}")))?,
            ),
            None => None,
        };
        Ok(Profile {
            client,
            has_certificate: self.merchant_certificate.is_some() || self.merchant_p12.is_some(),
            base_url: self.base_url.unwrap_or_else(|| MAIN_HOST.to_owned()),
            brand_id: self.brand_id,
            card_id: self.card_id,
            quota: self.quota,
            validity: self.validity,
            pickup_time: self.pickup_time,
            custom_fields: self.custom_fields.unwrap_or_default(),
            level: self.level,
            card_color: self.card_color,
            card_picture_url: self.card_picture_url,
            time_zone,
            via,
        })
    }
}

/// `+08:00`.
pub(crate) fn offset(text: &str) -> Option<Offset> {
    jiff::fmt::strtime::parse("%:z", text).ok()?.offset()
}

/// A file of a profile.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read_bytes(path)?)
        .map_err(|_| Failure::new(format!("{}: not text in UTF-8", path.display())))
}

/// The same, of any content.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::because(format!("failed to read {}", path.display()), &error))
}

/// A secret without the line break that an editor puts at its end.
pub(crate) fn without_line_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

const MAIN_HOST: &str = "https://api.mch.weixin.qq.com";
