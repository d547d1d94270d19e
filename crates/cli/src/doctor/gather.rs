//! Reads the files that a profile or a folder names. Says what is there, never whether it is right.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use wxmember::{Clock, Passphrase, SystemClock};
use wxmember_crypto::KeyFileKind;

use super::{
    facts::{Facts, Holds, KeyFile, Kind, Mode, SecretFile, SecretText, Settings},
    report::{Check, Report},
};
use crate::{
    failure::Failure,
    profile::{self, folder_of, key_pair_of, passphrase_of},
};

/// What was read.
pub(crate) struct Gathered {
    /// What the profile or the folder names; `None` when there is no profile to go by.
    pub(crate) facts: Option<Facts>,
    /// What is wrong with the configuration file itself.
    pub(crate) report: Report,
    /// The configuration file, when there is one.
    pub(crate) config: Option<PathBuf>,
}

/// Reads a folder: what its `wxmember.toml` names, or else the files that WeChat Pay's tool leaves.
pub(crate) fn folder(dir: &Path, name: &str) -> Result<Gathered, Failure> {
    if !dir.is_dir() {
        return Err(Failure::new(format!("{} is not a folder", dir.display()))
            .hint("make one to look at with `wxmember sandbox --dir DIR`"));
    }
    let config = dir.join("wxmember.toml");
    let mut gathered = if config.exists() {
        profile(&config, name)?
    } else {
        Gathered {
            facts: Some(usual_files(dir)),
            report: Report::default(),
            config: None,
        }
    };
    let Some(facts) = &mut gathered.facts else {
        return Ok(gathered);
    };
    let sandbox = dir.join(SANDBOX);
    if sandbox.exists() {
        facts
            .settings
            .push(sandbox_settings(&sandbox, &mut gathered.report));
    }
    for name in [SANDBOX, "sandbox_platform_key.pem", "apiclient_cert.p12"] {
        facts.modes.extend(mode(&dir.join(name)));
    }
    Ok(gathered)
}

/// Reads a profile and what it names.
pub(crate) fn profile(config: &Path, name: &str) -> Result<Gathered, Failure> {
    let text = profile::read_config(config)?;
    let mut report = Report::default();
    let at = config.display().to_string();
    let misread = profile::check(&text).err();
    if let Some(misread) = &misread {
        report.found(Check::Profile, &at, misread.to_string(), "correct the line");
    }
    // Whatever can be read in spite of that is looked at as well.
    let file: toml::Table = text.parse().unwrap_or_default();
    let profiles = file.get("profile").and_then(toml::Value::as_table);
    let Some(table) = profiles.and_then(|profiles| profiles.get(name)?.as_table()) else {
        if misread.is_none() {
            let names: Vec<_> = profiles
                .into_iter()
                .flat_map(|profiles| profiles.keys())
                .map(String::as_str)
                .collect();
            report.found(
                Check::Profile,
                &at,
                format!("there is no profile `{name}`"),
                format!("choose one with `--profile`; it has {}", names.join(", ")),
            );
        }
        return Ok(Gathered {
            facts: None,
            report,
            config: None,
        });
    };
    let setting = |name: &str| table.get(name).and_then(toml::Value::as_str);
    let path = |name: &str| setting(name).map(|path| folder_of(config).join(path));
    let mut facts = Facts::empty(at.clone());
    let passphrase = |name: &str| path(name).and_then(|path| passphrase_of(&path).ok());
    match (path("merchant_key"), path("merchant_p12")) {
        (Some(path), _) => {
            facts.merchant_key = Some(key_file(&path, Kind::PrivateKey));
            if let Some(passphrase) = passphrase("merchant_key_passphrase_file") {
                facts.merchant_key = Some(protected(&path, passphrase, Kind::PrivateKey));
            }
        }
        (None, Some(path)) => {
            // WeChat Pay's own file has the merchant id.
            let passphrase = || match table.contains_key("merchant_p12_passphrase_file") {
                true => passphrase("merchant_p12_passphrase_file"),
                false => setting("mchid").map(Passphrase::new),
            };
            let held = |wanted| passphrase().map(|passphrase| protected(&path, passphrase, wanted));
            facts.merchant_key = held(Kind::PrivateKey);
            facts.merchant_certificate = held(Kind::Certificate);
        }
        (None, None) => {}
    }
    if let Some(path) = path("merchant_certificate") {
        facts.merchant_certificate = Some(key_file(&path, Kind::Certificate));
    }
    facts.platform_key = path("platform_key").map(|path| key_file(&path, Kind::PublicKey));
    facts.platform_certificate = path("platform_certificate").map(|path| key_file(&path, Kind::Certificate));
    facts.apiv3_key = path("apiv3_key_file").map(|path| secret_file(&path));
    let secrets = [
        "merchant_key",
        "merchant_key_passphrase_file",
        "merchant_p12",
        "merchant_p12_passphrase_file",
        "apiv3_key_file",
    ];
    facts.modes = secrets
        .into_iter()
        .filter_map(path)
        .filter_map(|path| mode(&path))
        .collect();
    facts.settings = vec![settings(at, |name| setting(name).map(str::to_owned))];
    Ok(Gathered {
        facts: Some(facts),
        report,
        config: Some(config.to_owned()),
    })
}

/// The files under the names that WeChat Pay gives them.
fn usual_files(dir: &Path) -> Facts {
    let mut facts = Facts::empty(dir.display().to_string());
    let there = |name: &str| Some(dir.join(name)).filter(|path| path.exists());
    let key = dir.join("apiclient_key.pem");
    facts.modes.extend(mode(&key));
    facts.merchant_key = Some(key_file(&key, Kind::PrivateKey));
    facts.merchant_certificate = Some(key_file(&dir.join("apiclient_cert.pem"), Kind::Certificate));
    facts.platform_key = there("pub_key.pem").map(|path| key_file(&path, Kind::PublicKey));
    facts.platform_certificate = platform_certificate(dir).map(|path| key_file(&path, Kind::Certificate));
    if let Some(path) = there("apiv3_key.txt") {
        facts.modes.extend(mode(&path));
        facts.apiv3_key = Some(secret_file(&path));
    }
    facts
}

/// WeChat Pay's downloader calls it `wechatpay_` and its serial number.
fn platform_certificate(dir: &Path) -> Option<PathBuf> {
    let names = fs::read_dir(dir).ok()?.filter_map(Result::ok);
    let mut found: Vec<_> = names
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("wechatpay_") && name.ends_with(".pem")
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found.pop()
}

fn sandbox_settings(path: &Path, report: &mut Report) -> Settings {
    let at = path.display().to_string();
    let value: serde_json::Value = read(path)
        .ok()
        .and_then(|content| serde_json::from_slice(&content).ok())
        .unwrap_or_default();
    if !value.is_object() {
        report.found(
            Check::Settings,
            &at,
            "not what the sandbox wrote",
            "restore it, or delete the folder and let `wxmember sandbox --dir` write it anew",
        );
    }
    settings(at, |name| Some(value.get(name)?.as_str()?.to_owned()))
}

fn settings(at: String, setting: impl Fn(&str) -> Option<String>) -> Settings {
    Settings {
        at,
        base_url: setting("base_url"),
        mchid: setting("mchid"),
        merchant_serial: setting("merchant_serial"),
        platform_key_id: setting("platform_key_id"),
        brand_id: setting("brand_id"),
        card_id: setting("card_id"),
    }
}

fn key_file(path: &Path, wanted: Kind) -> KeyFile {
    KeyFile {
        at: path.display().to_string(),
        holds: match read(path) {
            Ok(content) => Holds::read(&content, wanted),
            Err(why) => Holds::Unreadable(why),
        },
    }
}

/// A file that is read with a passphrase: `wanted` is the half of it that this place is for.
fn protected(path: &Path, passphrase: Passphrase, wanted: Kind) -> KeyFile {
    let unprotected = key_file(path, wanted);
    let is_protected = match &unprotected.holds {
        Holds::Encrypted => true,
        Holds::Unusable(_) => {
            fs::read(path).is_ok_and(|bytes| KeyFileKind::of(&bytes) == KeyFileKind::Pkcs12)
        }
        _ => false,
    };
    if !is_protected {
        return unprotected;
    }
    let holds = match key_pair_of(path, Some(passphrase)) {
        Ok(pair) => Holds::of_pair(&pair, wanted),
        Err(failure) => {
            let what = failure.what();
            Holds::Unusable(
                what.strip_prefix(&format!("{}: ", path.display()))
                    .unwrap_or(what)
                    .to_owned(),
            )
        }
    };
    KeyFile { holds, ..unprotected }
}

fn secret_file(path: &Path) -> SecretFile {
    SecretFile {
        at: path.display().to_string(),
        holds: read(path).map(|content| {
            let text = content.strip_suffix(b"\n").unwrap_or(&content);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            SecretText {
                bytes: text.len(),
                has_blanks: !text.iter().all(u8::is_ascii_graphic),
            }
        }),
    }
}

/// Reads a file that has to be small, or says in the predicate of a sentence why not.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let reason = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => "is not there".to_owned(),
        _ => format!("cannot be read ({error})"),
    };
    let mut content = Vec::new();
    let file = fs::File::open(path).map_err(|error| reason(&error))?;
    match file.take(LARGEST + 1).read_to_end(&mut content) {
        Ok(read) if read as u64 > LARGEST => Err(format!("is larger than {LARGEST} bytes")),
        Ok(_) => Ok(content),
        Err(error) => Err(reason(&error)),
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<Mode> {
    use std::os::unix::fs::PermissionsExt;

    let bits = fs::metadata(path).ok()?.permissions().mode();
    Some(Mode {
        at: path.display().to_string(),
        bits,
    })
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<Mode> {
    None
}

impl Facts {
    /// Nothing but the time.
    fn empty(place: String) -> Self {
        Self {
            now: UNIX_EPOCH
                .checked_add(SystemClock::new().since_1970())
                .unwrap_or(UNIX_EPOCH),
            place,
            merchant_key: None,
            merchant_certificate: None,
            platform_key: None,
            platform_certificate: None,
            apiv3_key: None,
            settings: Vec::new(),
            modes: Vec::new(),
        }
    }
}

const SANDBOX: &str = "sandbox.json";

/// No key, certificate or setting is near it.
const LARGEST: u64 = 64 * 1024;
