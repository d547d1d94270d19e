//! The folder that holds what a merchant would hold, under WeChat Pay's own file names.
//!
//! A folder is either whole or refused: it is never repaired in silence, because other programs may hold its keys.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use wxmember_crypto::PublicKey;

use crate::identity::{Identity, IdentityError, IdentityParts, SecretText};

pub(crate) mod certificates;
mod home;
pub(crate) mod kept;
mod profile;

pub(crate) use self::home::Home;

/// Why a sandbox folder cannot be used. Every variant names the file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// Two files of the folder contradict each other.
    #[error("{path}: {what}; restore the file, or delete the folder to get new keys", path = .path.display())]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// A profile stands where the sandbox would write one, and somebody else wrote it.
    #[error("{path}: not written by the sandbox, which leaves it alone; move it away, or name another folder", path = .path.display())]
    ForeignProfile {
        /// The file.
        path: PathBuf,
    },
    /// The keys in the folder are unusable.
    #[error("{path}: the keys are unusable; restore the files, or delete the folder to get new keys", path = .path.display())]
    Identity {
        /// The folder.
        path: PathBuf,
        /// What is wrong with them.
        #[source]
        source: IdentityError,
    },
    /// Some of the files are there and others are not.
    #[error("{path}: missing, while {found} is there; restore it, or delete the folder to get new keys", path = .path.display())]
    Incomplete {
        /// The file that is missing.
        path: PathBuf,
        /// A file that is there.
        found: &'static str,
    },
    /// A file cannot be read.
    #[error("{path}: cannot be read", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// `sandbox.json` is damaged.
    #[error("{path}: not what the sandbox wrote (line {line}, column {column}); restore it, or delete the folder to get new keys", path = .path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// The line of the damage.
        line: usize,
        /// The column of the damage.
        column: usize,
    },
    /// A profile stands where the sandbox would write one, and nobody can tell who wrote it.
    #[error("{path}: cannot be read, so nothing says whether the sandbox wrote it; let it be read, or move it away", path = .path.display())]
    UnreadableProfile {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A file or the folder cannot be written.
    #[error("{path}: cannot be written", path = .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

/// What `sandbox.json` holds.
#[derive(Deserialize, Serialize)]
struct Settings {
    base_url: String,
    control_url: String,
    mchid: String,
    merchant_serial: String,
    /// Empty beside an identities file that takes the public key away.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    platform_key_id: String,
    apiv3_key: String,
    brand_id: String,
    card_id: String,
    /// The serial numbers of the platform's certificates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    platform_certificates: Vec<String>,
    /// Whether an identities file says who there is, and the folder only keeps keys for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    identities: bool,
}

/// Reads the identity that a folder holds, or `None` when there is no folder or none of the sandbox's files.
pub(crate) fn read(folder: &Path) -> Result<Option<Identity>, FolderError> {
    let mut texts = Vec::with_capacity(KEPT.len());
    for name in KEPT {
        texts.push(read_text(&folder.join(name))?);
    }
    let is_of_identities = texts
        .last()
        .cloned()
        .flatten()
        .map(|text| parse_settings(folder, &text));
    if is_of_identities
        .transpose()?
        .is_some_and(|settings| settings.identities)
    {
        return Err(FolderError::Contradiction {
            path: folder.join(SETTINGS),
            what: "the folder keeps the keys of an identities file; give that file as well",
        });
    }
    let Some(found) = KEPT
        .into_iter()
        .zip(&texts)
        .find_map(|(name, text)| text.as_ref().map(|_| name))
    else {
        return Ok(None);
    };
    let missing = KEPT.into_iter().zip(&texts).find(|(_, text)| text.is_none());
    if let Some((name, _)) = missing {
        let path = folder.join(name);
        return Err(FolderError::Incomplete { path, found });
    }
    let mut texts = texts.into_iter().flatten();
    let mut next = || texts.next().unwrap_or_default();
    let (merchant_key_pem, merchant_certificate_pem) = (next(), next());
    let (platform_key_pem, platform_private_key_pem) = (next(), next());
    let settings = parse_settings(folder, &next())?;
    let mut identity = Identity::from_parts(IdentityParts {
        mchid: settings.mchid,
        merchant_key_pem,
        merchant_certificate_pem,
        platform_key_id: settings.platform_key_id,
        platform_private_key_pem,
        apiv3_key: settings.apiv3_key,
        brand_id: settings.brand_id,
        card_id: settings.card_id,
    })
    .map_err(|source| FolderError::Identity {
        path: folder.to_owned(),
        source,
    })?;
    let contradiction = |name: &str, what| {
        Err(FolderError::Contradiction {
            path: folder.join(name),
            what,
        })
    };
    if PublicKey::from_pem(&platform_key_pem).ok().as_ref() != Some(identity.platform.key.public_key()) {
        return contradiction(
            PLATFORM_PUBLIC_KEY,
            "not the public half of the sandbox's platform key",
        );
    }
    if settings.merchant_serial != identity.credentials().merchant_serial {
        return contradiction(
            SETTINGS,
            "`merchant_serial` is not the certificate's serial number",
        );
    }
    identity.certified = certificates::read(folder, &settings.platform_certificates)?;
    Ok(Some(identity))
}

/// Writes every file, each whole or not at all; the settings last, since they make the folder complete. Returns the
/// profile.
pub(crate) fn write(
    folder: &Path,
    identity: &Identity,
    base_url: &str,
    control_url: &str,
) -> Result<Option<PathBuf>, FolderError> {
    create_folder(folder)?;
    profile::check(folder)?;
    let credentials = identity.credentials();
    let settings = Settings {
        base_url: base_url.to_owned(),
        control_url: control_url.to_owned(),
        mchid: credentials.mchid.clone(),
        merchant_serial: credentials.merchant_serial.clone(),
        platform_key_id: credentials.platform_key_id.clone(),
        apiv3_key: credentials.apiv3_key.clone(),
        brand_id: credentials.brand_id.clone(),
        card_id: credentials.card_id.clone(),
        platform_certificates: (identity.certified.iter())
            .map(|pair| pair.id.as_str().to_owned())
            .collect(),
        identities: false,
    };
    for pair in &identity.certified {
        certificates::write(folder, pair)?;
    }
    let SecretText(platform_private_key_pem) = &identity.platform.private_key_pem;
    let apiv3_key = format!("{}\n", credentials.apiv3_key);
    let settings_text = json_text(&settings);
    for (name, text, audience) in [
        (MERCHANT_KEY, &credentials.merchant_key_pem, Audience::Owner),
        (
            MERCHANT_CERTIFICATE,
            &credentials.merchant_certificate_pem,
            Audience::Everybody,
        ),
        (
            PLATFORM_PUBLIC_KEY,
            &credentials.platform_key_pem,
            Audience::Everybody,
        ),
        (PLATFORM_PRIVATE_KEY, platform_private_key_pem, Audience::Owner),
        (APIV3_KEY, &apiv3_key, Audience::Owner),
    ] {
        write_file(folder, name, text, audience)?;
    }
    let profile = profile::write(folder, &settings, identity.public_key_mode)?;
    write_file(folder, SETTINGS, &settings_text, Audience::Owner)?;
    Ok(profile)
}

fn json_text(settings: &Settings) -> String {
    let mut text = serde_json::to_string_pretty(settings).unwrap_or_default();
    text.push('\n');
    text
}

fn parse_settings(folder: &Path, text: &str) -> Result<Settings, FolderError> {
    serde_json::from_str(text).map_err(|error| FolderError::Settings {
        path: folder.join(SETTINGS),
        line: error.line(),
        column: error.column(),
    })
}

fn read_text(path: &Path) -> Result<Option<String>, FolderError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FolderError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

fn create_folder(folder: &Path) -> Result<(), FolderError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| FolderError::Write {
        path: folder.to_owned(),
        source,
    })
}

/// Who may read a file, where the system knows users.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Audience {
    Everybody,
    Owner,
}

fn write_file(folder: &Path, name: &str, text: &str, audience: Audience) -> Result<(), FolderError> {
    let path = folder.join(name);
    let unfinished = folder.join(format!(".{name}.{}.part", std::process::id()));
    let written = write_new(&unfinished, text, audience).and_then(|()| fs::rename(&unfinished, &path));
    written.map_err(|source| {
        // The error that is reported is the first one; a leftover is overwritten next time.
        let _ = fs::remove_file(&unfinished);
        FolderError::Write { path, source }
    })
}

fn write_new(path: &Path, text: &str, audience: Audience) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if audience == Audience::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()
}

pub(crate) const MERCHANT_KEY: &str = "apiclient_key.pem";
pub(crate) const MERCHANT_CERTIFICATE: &str = "apiclient_cert.pem";
const PLATFORM_PUBLIC_KEY: &str = "pub_key.pem";
pub(crate) const PLATFORM_PRIVATE_KEY: &str = "sandbox_platform_key.pem";
pub(crate) const APIV3_KEY: &str = "apiv3_key.txt";
const SETTINGS: &str = "sandbox.json";

/// The files that are read back, in the order in which `read` takes them.
const KEPT: [&str; 5] = [
    MERCHANT_KEY,
    MERCHANT_CERTIFICATE,
    PLATFORM_PUBLIC_KEY,
    PLATFORM_PRIVATE_KEY,
    SETTINGS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, platform, testing};

    fn written() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            &testing::identity(),
            "http://127.0.0.1:1",
            "http://127.0.0.1:2",
        )
        .unwrap();
        folder
    }

    #[test]
    fn what_was_written_is_read_back() {
        let folder = written();
        let identity = read(folder.path()).unwrap().unwrap();
        let (read, made) = (identity.credentials(), testing::identity().credentials().clone());
        assert_eq!(read.merchant_serial, made.merchant_serial);
        assert_eq!(read.platform_key_pem, made.platform_key_pem);
        assert_eq!(read.apiv3_key, made.apiv3_key);
    }

    #[test]
    fn platform_certificates_are_read_back_and_forgotten() {
        let folder = written();
        let mut pairs = Vec::new();
        platform::fill_up(&mut pairs, 2, &Clock::manual(1_796_000_000)).unwrap();
        for pair in &pairs {
            certificates::add(folder.path(), pair).unwrap();
        }
        let serials = || {
            let identity = read(folder.path()).unwrap().unwrap();
            let ids = identity.certified.iter().map(|pair| pair.id.clone());
            ids.collect::<Vec<_>>()
        };
        assert_eq!(serials(), [pairs[0].id.clone(), pairs[1].id.clone()]);
        certificates::forget(folder.path(), pairs[0].id.as_str()).unwrap();
        assert_eq!(serials(), [pairs[1].id.clone()]);

        let missing = format!("sandbox_platform_key_{}.pem", pairs[1].id);
        fs::remove_file(folder.path().join(&missing)).unwrap();
        let message = read(folder.path()).unwrap_err().to_string();
        assert!(message.contains(&missing), "{message}");
    }

    #[test]
    fn a_serial_number_is_no_way_out_of_the_folder() {
        let folder = written();
        let path = folder.path().join(SETTINGS);
        let mut settings = parse_settings(folder.path(), &fs::read_to_string(&path).unwrap()).unwrap();
        settings.platform_certificates = vec!["../../MARKER".to_owned()];
        fs::write(&path, json_text(&settings)).unwrap();
        let message = read(folder.path()).unwrap_err().to_string();
        assert!(
            message.contains(SETTINGS) && !message.contains("MARKER"),
            "{message}"
        );
    }

    #[test]
    fn an_empty_or_absent_folder_holds_nobody() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_none());
        assert!(read(&folder.path().join("absent")).unwrap().is_none());
    }

    #[test]
    fn the_profile_is_as_the_command_line_reads_it() {
        let folder = written();
        let text = fs::read_to_string(folder.path().join(profile::PROFILE)).unwrap();
        let expected = r#"# Written by `wxmember sandbox --dir`. Test keys: never use them anywhere else.
[profile.default]
base_url = "http://127.0.0.1:1"
mchid = "1900000109"
merchant_serial = "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6"
merchant_key = "apiclient_key.pem"
merchant_certificate = "apiclient_cert.pem"
platform_key_id = "PUB_KEY_ID_0119000001092026113000000000000001"
platform_key = "pub_key.pem"
apiv3_key_file = "apiv3_key.txt"
brand_id = "1004"
card_id = "pbLatjvWOibDc5-TBnbUk1pD12o0"
# For lists without a column of validity.
validity = "permanent"
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn a_damaged_folder_is_refused_with_the_file_and_the_way_out() {
        for name in KEPT {
            let folder = written();
            fs::remove_file(folder.path().join(name)).unwrap();
            let message = read(folder.path()).unwrap_err().to_string();
            assert!(
                message.contains(name) && message.contains("delete the folder"),
                "{message}"
            );
        }
        for (name, text) in [
            (SETTINGS, "{\"apiv3_key\": \"MARKER"),
            (SETTINGS, "[]"),
            (PLATFORM_PUBLIC_KEY, "MARKER"),
            (MERCHANT_KEY, "MARKER"),
            (MERCHANT_CERTIFICATE, "MARKER"),
        ] {
            let folder = written();
            fs::write(folder.path().join(name), text).unwrap();
            let error = read(folder.path()).unwrap_err();
            let message = error.to_string();
            assert!(message.contains(folder.path().to_str().unwrap()), "{message}");
            assert!(message.contains("delete the folder"), "{message}");
            assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn private_files_are_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt;

        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("new");
        write(
            &folder,
            &testing::identity(),
            "http://127.0.0.1:1",
            "http://127.0.0.1:2",
        )
        .unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for name in [MERCHANT_KEY, PLATFORM_PRIVATE_KEY, APIV3_KEY, SETTINGS] {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 7);
    }
}
