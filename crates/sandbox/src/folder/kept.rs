//! Keys that an identities file leaves out, kept in a folder so that the next start has the same ones.
//!
//! What belongs together is either whole or refused, as in every folder of the sandbox.

use std::path::PathBuf;

use super::{
    Audience, FolderError, Home, SETTINGS, certificates, create_folder, parse_settings, read_text, write_file,
};
use crate::platform::KeyPair;

/// The folder beside an identities file.
#[derive(Debug)]
pub(crate) struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// Takes a folder that is new, or that kept the keys of an identities file before.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, FolderError> {
        let path = folder.join(SETTINGS);
        let text = read_text(&path)?;
        let settings = text.map(|text| parse_settings(&folder, &text)).transpose()?;
        if settings.is_some_and(|settings| !settings.identities) {
            let what = "the folder was made without an identities file; name another folder";
            return Err(FolderError::Contradiction { path, what });
        }
        create_folder(&folder)?;
        Ok(Self { folder })
    }

    /// The texts of files that belong together; `None` when none of them is there.
    pub(crate) fn texts<const N: usize>(
        &self,
        names: &[String; N],
    ) -> Result<Option<[String; N]>, FolderError> {
        let mut texts = Vec::with_capacity(N);
        for name in names {
            texts.push(read_text(&self.folder.join(name))?);
        }
        let Some(missing) = texts.iter().position(Option::is_none) else {
            return Ok(<[String; N]>::try_from(texts.into_iter().flatten().collect::<Vec<_>>()).ok());
        };
        match texts.iter().any(Option::is_some) {
            true => Err(FolderError::Incomplete {
                path: self.folder.join(&names[missing]),
                found: "the file that belongs to it",
            }),
            false => Ok(None),
        }
    }

    /// Keeps them, for their owner alone.
    pub(crate) fn keep<const N: usize>(
        &self,
        names: &[String; N],
        texts: &[String; N],
    ) -> Result<(), FolderError> {
        for (name, text) in names.iter().zip(texts) {
            let (below, name) = name.rsplit_once('/').unwrap_or(("", name));
            let folder = self.folder.join(below);
            create_folder(&folder)?;
            write_file(&folder, name, text, Audience::Owner)?;
        }
        Ok(())
    }

    /// The platform's certificates that the file does not speak of: those that were made by command.
    pub(crate) fn rotated(&self) -> Result<Vec<KeyPair>, FolderError> {
        let text = read_text(&self.folder.join(SETTINGS))?;
        let settings = text.map(|text| parse_settings(&self.folder, &text)).transpose()?;
        let serials = settings
            .map(|settings| settings.platform_certificates)
            .unwrap_or_default();
        certificates::read(&self.folder, &serials)
    }

    pub(crate) fn into_home(self, of_file: usize) -> Home {
        Home::of_identities(self.folder, of_file)
    }
}
