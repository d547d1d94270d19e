//! What a profile will say, and its text.

use std::path::{Path, PathBuf};

use crate::{args::init::Init, language::t};

/// A profile in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) mchid: Option<String>,
    pub(crate) merchant_key: Option<PathBuf>,
    pub(crate) merchant_key_passphrase_file: Option<PathBuf>,
    pub(crate) merchant_p12: Option<PathBuf>,
    pub(crate) merchant_p12_passphrase_file: Option<PathBuf>,
    pub(crate) merchant_certificate: Option<PathBuf>,
    pub(crate) platform_key: Option<PathBuf>,
    pub(crate) platform_key_id: Option<String>,
    pub(crate) platform_certificate: Option<PathBuf>,
    pub(crate) apiv3_key_file: Option<PathBuf>,
    pub(crate) brand_id: Option<String>,
    pub(crate) card_id: Option<String>,
    pub(crate) validity: Option<String>,
    pub(crate) base_url: Option<String>,
}

/// Something that a profile cannot do without.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Missing {
    Mchid,
    MerchantKey,
    MerchantCertificate,
    Platform,
    BrandId,
    CardId,
}

impl Missing {
    /// The flags that give it.
    pub(crate) fn flags(self) -> String {
        let flag = match self {
            Self::Mchid => "--mchid",
            Self::MerchantKey => "--merchant-key",
            Self::MerchantCertificate => "--merchant-certificate",
            Self::Platform => return t!("init-platform-flags"),
            Self::BrandId => "--brand-id",
            Self::CardId => "--card-id",
        };
        flag.to_owned()
    }
}

impl Draft {
    /// What the flags say.
    pub(crate) fn of(arguments: &Init) -> Self {
        Self {
            mchid: arguments.mchid.clone(),
            merchant_key: arguments.merchant_key.clone(),
            merchant_key_passphrase_file: arguments.merchant_key_passphrase_file.clone(),
            merchant_p12: arguments.merchant_p12.clone(),
            merchant_p12_passphrase_file: arguments.merchant_p12_passphrase_file.clone(),
            merchant_certificate: arguments.merchant_certificate.clone(),
            platform_key: arguments.platform_key.clone(),
            platform_key_id: arguments.platform_key_id.clone(),
            platform_certificate: arguments.platform_certificate.clone(),
            apiv3_key_file: arguments.apiv3_key_file.clone(),
            brand_id: arguments.brand_id.clone(),
            card_id: arguments.card_id.clone(),
            validity: arguments.validity.clone(),
            base_url: arguments.base_url.clone(),
        }
    }

    /// What is still missing, in the order of the questions.
    pub(crate) fn missing(&self) -> Vec<Missing> {
        let is_p12 = self.merchant_p12.is_some();
        let platform = self.platform_key.is_some()
            || self.platform_certificate.is_some()
            || self.apiv3_key_file.is_some();
        [
            (Missing::Mchid, self.mchid.is_some()),
            (Missing::MerchantKey, self.merchant_key.is_some() || is_p12),
            (
                Missing::MerchantCertificate,
                self.merchant_certificate.is_some() || is_p12,
            ),
            (Missing::Platform, platform),
            (Missing::BrandId, self.brand_id.is_some()),
            (Missing::CardId, self.card_id.is_some()),
        ]
        .into_iter()
        .filter_map(|(missing, is_there)| (!is_there).then_some(missing))
        .collect()
    }

    /// The text of a configuration file with this one profile. `relative` says how a path is written down.
    pub(crate) fn to_toml(&self, name: &str, relative: impl Fn(&Path) -> PathBuf) -> String {
        let path = |path: &Option<PathBuf>| {
            let path = path.as_ref().map(|path| relative(path));
            path.map(|path| path.to_string_lossy().into_owned())
        };
        let is_bare = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        let name = if is_bare { name.to_owned() } else { quoted(name) };
        let mut text = format!(
            "# Written by `wxmember init`. Secrets are files, never values in here; paths are relative to this file.\n\
             # `wxmember doctor` says whether everything fits together.\n[profile.{name}]\n"
        );
        for (comment, setting, value) in [
            ("Where requests go.", "base_url", self.base_url.clone()),
            (
                "The service provider's merchant id (商户号).",
                "mchid",
                self.mchid.clone(),
            ),
            (
                "The merchant's private key: signs requests and opens answers.",
                "merchant_key",
                path(&self.merchant_key),
            ),
            (
                "A file with the passphrase of that key.",
                "merchant_key_passphrase_file",
                path(&self.merchant_key_passphrase_file),
            ),
            (
                "The merchant's private key and certificate: signs requests and opens answers.",
                "merchant_p12",
                path(&self.merchant_p12),
            ),
            (
                "A file with the passphrase of that file; without it, the merchant id is tried.",
                "merchant_p12_passphrase_file",
                path(&self.merchant_p12_passphrase_file),
            ),
            (
                "The certificate of that key; its serial number goes into every request.",
                "merchant_certificate",
                path(&self.merchant_certificate),
            ),
            (
                "WeChat Pay's public key (微信支付公钥): verifies answers and seals requests.",
                "platform_key",
                path(&self.platform_key),
            ),
            (
                "The id that the merchant platform shows beside it.",
                "platform_key_id",
                self.platform_key_id.clone(),
            ),
            (
                "A platform certificate (平台证书).",
                "platform_certificate",
                path(&self.platform_certificate),
            ),
            (
                "The APIv3 key (APIv3密钥): opens notifications and downloaded certificates.",
                "apiv3_key_file",
                path(&self.apiv3_key_file),
            ),
            (
                "The brand (品牌ID) and its card template (会员卡模板ID).",
                "brand_id",
                self.brand_id.clone(),
            ),
            ("", "card_id", self.card_id.clone()),
        ] {
            if let Some(value) = value {
                if !comment.is_empty() {
                    text.push_str(&format!("\n# {comment}\n"));
                }
                text.push_str(&format!("{setting} = {}\n", quoted(&value)));
            }
        }
        text.push_str("\n# Validity of rows that say nothing of it: \"permanent\", { days = 365 } or { between = [BEGIN, END] }.\n");
        match &self.validity {
            Some(validity) => text.push_str(&format!("validity = {}\n", validity_value(validity))),
            None => text.push_str("# validity = \"permanent\"\n"),
        }
        text.push_str(
            "\n# Requests to send at most. The API allows 5 a second and merchant id.\n# quota = \"5/s\"\n",
        );
        text
    }
}

/// What the flag says, as a value of the file.
fn validity_value(text: &str) -> String {
    let text = text.trim();
    if let Ok(days) = text.parse::<u32>() {
        return format!("{{ days = {days} }}");
    }
    match text.split_once('/') {
        Some((begin, end)) => format!(
            "{{ between = [{}, {}] }}",
            quoted(begin.trim()),
            quoted(end.trim())
        ),
        None => quoted(text),
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    // TOML wants one character escaped that JSON does not.
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Draft {
        Draft {
            mchid: Some("1900000109".to_owned()),
            merchant_key: Some("keys/apiclient_key.pem".into()),
            merchant_certificate: Some("keys/apiclient_cert.pem".into()),
            platform_key: Some("keys/pub_key.pem".into()),
            platform_key_id: Some("PUB_KEY_ID_01".to_owned()),
            brand_id: Some("1004".to_owned()),
            card_id: Some("p".to_owned()),
            ..Draft::default()
        }
    }

    #[test]
    fn what_is_missing_is_told_by_its_flags() {
        let flags: Vec<_> = Draft::default()
            .missing()
            .into_iter()
            .map(Missing::flags)
            .collect();
        assert_eq!(
            flags,
            [
                "--mchid",
                "--merchant-key",
                "--merchant-certificate",
                "--platform-key with --platform-key-id (or --platform-certificate, or --apiv3-key-file alone)",
                "--brand-id",
                "--card-id"
            ]
        );
        assert!(whole().missing().is_empty());
    }

    #[track_caller]
    fn check(draft: &Draft, name: &str) -> toml::Table {
        let text = draft.to_toml(name, Path::to_owned);
        let mut file: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
        let mut profiles = file.remove("profile").unwrap();
        let profile = profiles.as_table_mut().unwrap().remove(name).unwrap();
        profile.as_table().unwrap().clone()
    }

    #[test]
    fn odd_names_and_paths_are_written_so_that_they_are_read_back() {
        for odd in ["a \"b\" \\ c", "C:\\keys\\k.pem", "名\u{7f}\t\u{1}", "default"] {
            let draft = Draft {
                merchant_key: Some(odd.into()),
                ..whole()
            };
            assert_eq!(check(&draft, odd)["merchant_key"].as_str(), Some(odd));
        }
    }

    #[test]
    fn validity_is_written_as_the_profile_reads_it() {
        let validity = |text: &str| {
            let draft = Draft {
                validity: Some(text.to_owned()),
                ..whole()
            };
            check(&draft, "default")["validity"].clone()
        };
        assert_eq!(validity("permanent").as_str(), Some("permanent"));
        assert_eq!(validity("365")["days"].as_integer(), Some(365));
        let between = validity("2026-01-01T00:00:00+08:00 / 2027-01-01T00:00:00+08:00");
        assert_eq!(between["between"][0].as_str(), Some("2026-01-01T00:00:00+08:00"));
        assert_eq!(between["between"][1].as_str(), Some("2027-01-01T00:00:00+08:00"));
        assert!(!check(&whole(), "default").contains_key("validity"));
    }
}
