//! The ready profile of the command line, `wxmember.toml`. A file of that name that the sandbox did not write is
//! somebody's own, and is neither replaced nor removed: the first line tells them apart.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use super::{APIV3_KEY, Audience, FolderError, MERCHANT_CERTIFICATE, MERCHANT_KEY, PLATFORM_PUBLIC_KEY};
use super::{Settings, write_file};
use crate::{identities::is_folder_name, identity::PublicKeyMode};

/// Refuses a folder in which somebody else's profile stands.
pub(super) fn check(folder: &Path) -> Result<(), FolderError> {
    let path = folder.join(PROFILE);
    match writer_of(&path)? {
        Writer::Nobody | Writer::Sandbox => Ok(()),
        Writer::SomebodyElse => Err(FolderError::ForeignProfile { path }),
    }
}

/// Writes the profile, and returns where it is if it can import.
pub(super) fn write(
    folder: &Path,
    settings: &Settings,
    mode: PublicKeyMode,
) -> Result<Option<PathBuf>, FolderError> {
    check(folder)?;
    write_file(folder, PROFILE, &text(settings, mode), Audience::Everybody)?;
    Ok(has_card(settings).then(|| folder.join(PROFILE)))
}

/// Removes the profiles that earlier starts wrote for merchants who have none now: their keys may be others by now, and
/// their addresses are. The keys stay, in case the merchant comes back.
pub(super) fn remove_others(folder: &Path, merchants: &[&str]) -> Result<(), FolderError> {
    let unreadable = |source| FolderError::Read {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let is_there = merchants.iter().any(|mchid| name == *mchid);
        // What is no merchant's folder, such as `lost+found`, need not be readable.
        let can_be_a_merchants = name.to_str().is_some_and(is_folder_name);
        let path = entry.path().join(PROFILE);
        // Nor need a folder that is somebody else's: ours can be entered.
        let can_be_entered =
            !fs::symlink_metadata(&path).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
        if !is_there && can_be_a_merchants && can_be_entered && writer_of(&path)? == Writer::Sandbox {
            fs::remove_file(&path).map_err(|source| FolderError::Write { path, source })?;
        }
    }
    Ok(())
}

/// The profile's text; paths are relative to the folder. Without the public key it names none, and the command line
/// downloads the platform's certificates.
fn text(settings: &Settings, mode: PublicKeyMode) -> String {
    let of_mode = |text| match mode {
        PublicKeyMode::On => text,
        PublicKeyMode::Off => "",
    };
    let mut text = format!("{FIRST_LINE}\n[profile.default]\n");
    for (name, value) in [
        ("base_url", settings.base_url.as_str()),
        ("mchid", &settings.mchid),
        ("merchant_serial", &settings.merchant_serial),
        ("merchant_key", MERCHANT_KEY),
        ("merchant_certificate", MERCHANT_CERTIFICATE),
        ("platform_key_id", of_mode(&settings.platform_key_id)),
        ("platform_key", of_mode(PLATFORM_PUBLIC_KEY)),
        ("apiv3_key_file", APIV3_KEY),
        ("brand_id", &settings.brand_id),
        ("card_id", &settings.card_id),
    ] {
        if value.is_empty() {
            continue;
        }
        // Every text is visible ASCII, for which a JSON string is a TOML basic string.
        let quoted = serde_json::Value::from(value);
        text.push_str(&format!("{name} = {quoted}\n"));
    }
    if !has_card(settings) {
        text.push_str("# Not complete: the identities file has no template of this merchant's for `brand_id` and `card_id`.\n");
    }
    text.push_str("# For lists without a column of validity.\nvalidity = \"permanent\"\n");
    text
}

fn has_card(settings: &Settings) -> bool {
    !settings.brand_id.is_empty() && !settings.card_id.is_empty()
}

/// Who wrote a profile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Writer {
    /// There is none.
    Nobody,
    Sandbox,
    SomebodyElse,
}

fn writer_of(path: &Path) -> Result<Writer, FolderError> {
    let mut start = [0; FIRST_LINE.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    match read {
        Ok(()) if start == *FIRST_LINE.as_bytes() => Ok(Writer::Sandbox),
        Ok(()) => Ok(Writer::SomebodyElse),
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(Writer::Nobody),
            // Shorter than the line, or a folder of that name.
            ErrorKind::UnexpectedEof | ErrorKind::IsADirectory => Ok(Writer::SomebodyElse),
            _ => Err(FolderError::UnreadableProfile {
                path: path.to_owned(),
                source: error,
            }),
        },
    }
}

pub(super) const PROFILE: &str = "wxmember.toml";
const FIRST_LINE: &str = "# Written by `wxmember sandbox --dir`. Test keys: never use them anywhere else.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_sandbox_wrote_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        for (mchid, text) in [
            ("1", FIRST_LINE),
            ("2", FIRST_LINE),
            ("3", "[profile.default]\n"),
            ("4", ""),
        ] {
            let own = folder.path().join(mchid);
            fs::create_dir(&own).unwrap();
            fs::write(own.join("apiclient_key.pem"), "key").unwrap();
            fs::write(own.join(PROFILE), text).unwrap();
        }
        fs::write(folder.path().join("sandbox.json"), "{}").unwrap();
        fs::write(folder.path().join(PROFILE), FIRST_LINE).unwrap();
        remove_others(folder.path(), &["2"]).unwrap();
        let there = |mchid: &str| folder.path().join(mchid).join(PROFILE).exists();
        assert_eq!(
            ["1", "2", "3", "4"].map(there),
            [false, true, true, true],
            "one of a merchant who is gone"
        );
        assert!(folder.path().join("1/apiclient_key.pem").exists());
        assert!(folder.path().join(PROFILE).exists());
    }

    #[test]
    fn a_profile_of_somebody_elses_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        check(folder.path()).unwrap();
        for text in [
            "",
            "[profile.default]\n",
            "# Written by hand, and longer than the other first line is: one, two, three.",
        ] {
            fs::write(folder.path().join(PROFILE), text).unwrap();
            let error = check(folder.path()).unwrap_err();
            assert!(
                error.to_string().contains("not written by the sandbox"),
                "{error}"
            );
        }
        fs::write(folder.path().join(PROFILE), FIRST_LINE).unwrap();
        check(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_in_the_place_of_the_profile_is_somebody_elses() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(PROFILE)).unwrap();
        let error = check(folder.path()).unwrap_err();
        assert!(matches!(error, FolderError::ForeignProfile { .. }), "{error}");
    }

    /// A link to itself fails for everybody, as a file without the right to read does for all but root.
    #[cfg(unix)]
    #[test]
    fn a_profile_that_cannot_be_read_is_said_to_be_so() {
        let folder = tempfile::tempdir().unwrap();
        let make = |own: &str| {
            let own = folder.path().join(own);
            fs::create_dir(&own).unwrap();
            std::os::unix::fs::symlink(PROFILE, own.join(PROFILE)).unwrap();
            own
        };
        let own = make("1900000109");
        for error in [
            check(&own).unwrap_err(),
            remove_others(folder.path(), &[]).unwrap_err(),
        ] {
            let FolderError::UnreadableProfile { path, .. } = &error else {
                panic!("{error}");
            };
            assert_eq!(*path, own.join(PROFILE));
            assert!(
                error.to_string().contains("let it be read, or move it away"),
                "{error}"
            );
        }
        fs::remove_dir_all(own).unwrap();
        make("lost+found");
        remove_others(folder.path(), &[]).unwrap();
    }
}
