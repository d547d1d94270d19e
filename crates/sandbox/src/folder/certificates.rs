//! The platform's certificates in a sandbox folder: two files each, named by the serial number that `sandbox.json` lists.
//!
//! A serial number from a file becomes part of a path, so nothing but hexadecimal digits may pass.

use std::path::Path;

use crate::{
    folder::{Audience, FolderError, SETTINGS, json_text, parse_settings, read_text, write_file},
    identity::SecretText,
    platform::KeyPair,
};

/// Reads the key pairs of the listed serial numbers.
pub(super) fn read(folder: &Path, serials: &[String]) -> Result<Vec<KeyPair>, FolderError> {
    serials.iter().map(|serial| read_one(folder, serial)).collect()
}

fn read_one(folder: &Path, serial: &str) -> Result<KeyPair, FolderError> {
    let contradiction = |name: &str, what| FolderError::Contradiction {
        path: folder.join(name),
        what,
    };
    let is_serial = (1..=64).contains(&serial.len()) && serial.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_serial {
        let what = "`platform_certificates` lists something else than serial numbers";
        return Err(contradiction(SETTINGS, what));
    }
    let text = |name: String| {
        let path = folder.join(name);
        read_text(&path)?.ok_or(FolderError::Incomplete {
            path,
            found: SETTINGS,
        })
    };
    let certificate_pem = text(certificate_file(serial))?;
    let private_key_pem = text(private_key_file(serial))?;
    let pair =
        KeyPair::certified(&certificate_pem, &private_key_pem).map_err(|source| FolderError::Identity {
            path: folder.to_owned(),
            source,
        })?;
    if pair.id.as_str() != serial {
        let what = "not the certificate of the serial number in its name";
        return Err(contradiction(&certificate_file(serial), what));
    }
    Ok(pair)
}

/// Writes the two files of a certificate.
pub(super) fn write(folder: &Path, pair: &KeyPair) -> Result<(), FolderError> {
    let Some(certificate) = &pair.certificate else {
        return Ok(());
    };
    let SecretText(private_key_pem) = &pair.private_key_pem;
    let serial = pair.id.as_str();
    let private_key_file = private_key_file(serial);
    write_file(folder, &private_key_file, private_key_pem, Audience::Owner)?;
    write_file(
        folder,
        &certificate_file(serial),
        &certificate.pem,
        Audience::Everybody,
    )
}

/// Writes a new certificate and lists it.
pub(crate) fn add(folder: &Path, pair: &KeyPair) -> Result<(), FolderError> {
    write(folder, pair)?;
    change_list(folder, |serials| serials.push(pair.id.as_str().to_owned()))
}

/// Takes a certificate off the list; its files stay, so that what was sealed for it can still be looked at.
pub(crate) fn forget(folder: &Path, serial: &str) -> Result<(), FolderError> {
    change_list(folder, |serials| serials.retain(|listed| listed != serial))
}

fn change_list(folder: &Path, change: impl FnOnce(&mut Vec<String>)) -> Result<(), FolderError> {
    let path = folder.join(SETTINGS);
    let text = read_text(&path)?.ok_or(FolderError::Incomplete {
        path,
        found: "a running sandbox",
    })?;
    let mut settings = parse_settings(folder, &text)?;
    change(&mut settings.platform_certificates);
    write_file(folder, SETTINGS, &json_text(&settings), Audience::Owner)
}

/// What a merchant holds, under the name that the platform's own tool gives it.
fn certificate_file(serial: &str) -> String {
    format!("wechatpay_{serial}.pem")
}

fn private_key_file(serial: &str) -> String {
    format!("sandbox_platform_key_{serial}.pem")
}
