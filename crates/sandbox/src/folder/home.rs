//! Where a running sandbox writes what a merchant would hold: for one merchant at the top, for several in a folder each.

use std::path::{Path, PathBuf};

use super::{
    APIV3_KEY, Audience, FolderError, MERCHANT_CERTIFICATE, MERCHANT_KEY, PLATFORM_PUBLIC_KEY, PROFILE,
    SETTINGS, Settings, certificates, create_folder, json_text, profile, write, write_file,
};
use crate::identity::{Credentials, Identity};

/// A folder, and what is written there.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) folder: PathBuf,
    /// With an identities file, how many of the platform's certificates the file speaks of.
    of_file: Option<usize>,
}

impl Home {
    /// The folder of a single merchant, which holds everything.
    pub(crate) fn of_one(folder: PathBuf) -> Self {
        Self {
            folder,
            of_file: None,
        }
    }

    /// The folder beside an identities file.
    pub(crate) fn of_identities(folder: PathBuf, of_file: usize) -> Self {
        Self {
            folder,
            of_file: Some(of_file),
        }
    }

    /// Writes addresses, profiles and whatever is not there yet.
    pub(crate) fn write(
        &self,
        identity: &Identity,
        base_url: &str,
        control_url: &str,
    ) -> Result<(), FolderError> {
        let folder = &self.folder;
        let Some(of_file) = self.of_file else {
            return write(folder, identity, base_url, control_url);
        };
        let more = identity.certified.get(of_file..).unwrap_or_default();
        for pair in more {
            certificates::write(folder, pair)?;
        }
        let mut first = None;
        for held in identity.merchants() {
            let settings = settings(held, base_url, control_url);
            // Who keeps keys of his own knows where they are.
            if is_kept(folder, held) {
                let own = folder.join(&held.mchid);
                for (name, text) in [
                    (PLATFORM_PUBLIC_KEY, &held.platform_key_pem),
                    (PROFILE, &profile(&settings)),
                ] {
                    write_file(&own, name, text, Audience::Everybody)?;
                }
            }
            first.get_or_insert(settings);
        }
        let Some(mut settings) = first else {
            return Ok(());
        };
        settings.platform_certificates = more.iter().map(|pair| pair.id.as_str().to_owned()).collect();
        write_file(folder, SETTINGS, &json_text(&settings), Audience::Owner)
    }
}

/// Whether every file that a profile names is in the merchant's own folder.
fn is_kept(folder: &Path, held: &Credentials) -> bool {
    let own = folder.join(&held.mchid);
    let names = [MERCHANT_KEY, MERCHANT_CERTIFICATE, APIV3_KEY];
    create_folder(&own).is_ok() && names.iter().all(|name| own.join(name).is_file())
}

fn settings(held: &Credentials, base_url: &str, control_url: &str) -> Settings {
    Settings {
        base_url: base_url.to_owned(),
        control_url: control_url.to_owned(),
        mchid: held.mchid.clone(),
        merchant_serial: held.merchant_serial.clone(),
        platform_key_id: held.platform_key_id.clone(),
        apiv3_key: held.apiv3_key.clone(),
        brand_id: held.brand_id.clone(),
        card_id: held.card_id.clone(),
        platform_certificates: Vec::new(),
        identities: true,
    }
}
