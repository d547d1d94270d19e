//! Where a running sandbox writes what a merchant would hold: for one merchant at the top, for several in a folder each.

use std::path::PathBuf;

use super::{
    Audience, FolderError, PLATFORM_PUBLIC_KEY, SETTINGS, Settings, certificates, create_folder, json_text,
    profile, write, write_file,
};
use crate::identity::{Credentials, Identity, KeyPlace, PublicKeyMode};

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

    /// Writes addresses, profiles and whatever is not there yet, and removes profiles of earlier starts for whom there is
    /// none now. Returns the first profile that can import.
    pub(crate) fn write(
        &self,
        identity: &Identity,
        base_url: &str,
        control_url: &str,
    ) -> Result<Option<PathBuf>, FolderError> {
        let folder = &self.folder;
        let Some(of_file) = self.of_file else {
            return write(folder, identity, base_url, control_url);
        };
        let mode = identity.public_key_mode;
        let more = identity.certified.get(of_file..).unwrap_or_default();
        for pair in more {
            certificates::write(folder, pair)?;
        }
        let (mut first, mut first_profile) = (None, None);
        let mut merchants = Vec::new();
        for party in &identity.parties {
            let held = &party.credentials;
            let settings = settings(held, base_url, control_url, mode);
            let own = folder.join(&held.mchid);
            // Who keeps keys of his own knows where they are.
            if party.keys == KeyPlace::Kept {
                create_folder(&own)?;
                if mode == PublicKeyMode::On {
                    write_file(
                        &own,
                        PLATFORM_PUBLIC_KEY,
                        &held.platform_key_pem,
                        Audience::Everybody,
                    )?;
                }
                let profile = profile::write(&own, &settings, mode)?;
                first_profile = first_profile.or(profile);
                merchants.push(held.mchid.as_str());
            }
            first.get_or_insert(settings);
        }
        profile::remove_others(folder, &merchants)?;
        let Some(mut settings) = first else {
            return Ok(None);
        };
        settings.platform_certificates = more.iter().map(|pair| pair.id.as_str().to_owned()).collect();
        write_file(folder, SETTINGS, &json_text(&settings), Audience::Owner)?;
        Ok(first_profile)
    }
}

fn settings(held: &Credentials, base_url: &str, control_url: &str, mode: PublicKeyMode) -> Settings {
    Settings {
        base_url: base_url.to_owned(),
        control_url: control_url.to_owned(),
        mchid: held.mchid.clone(),
        merchant_serial: held.merchant_serial.clone(),
        platform_key_id: match mode {
            PublicKeyMode::On => held.platform_key_id.clone(),
            PublicKeyMode::Off => String::new(),
        },
        apiv3_key: held.apiv3_key.clone(),
        brand_id: held.brand_id.clone(),
        card_id: held.card_id.clone(),
        platform_certificates: Vec::new(),
        identities: true,
    }
}
