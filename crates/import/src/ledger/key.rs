//! The key of a ledger's hashes: 32 random bytes in a file beside it, which is also the lock of the ledger.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use wxmember_crypto::KeyedHash;

use super::LedgerError;

/// Opens or creates the key. The ledger is locked for other processes as long as the file returned lives.
///
/// `may_create` is whether the ledger is new: one that has rows is worth nothing without its key.
pub(super) fn open(ledger: &Path, may_create: bool) -> Result<(KeyedHash, File), LedgerError> {
    let path = beside(ledger);
    let io_error = |source| LedgerError::Io {
        path: path.clone(),
        source,
    };
    if !may_create && !path.exists() {
        return Err(LedgerError::Key { path });
    }
    let mut file = private().truncate(false).open(&path).map_err(io_error)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(LedgerError::Busy {
                path: ledger.to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(io_error(source)),
    }
    let mut bytes = Vec::with_capacity(KEY_BYTES);
    // One byte more shows a file that is too long.
    (&mut file)
        .take(KEY_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(io_error)?;
    if bytes.is_empty() && may_create {
        bytes.resize(KEY_BYTES, 0);
        getrandom::fill(&mut bytes).map_err(|error| io_error(error.into()))?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .map_err(io_error)?;
    }
    match <[u8; KEY_BYTES]>::try_from(bytes) {
        Ok(key) => Ok((KeyedHash::new(key), file)),
        Err(_) => Err(LedgerError::Key { path }),
    }
}

/// Options for a file that only its owner may read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".key");
    name.into()
}

const KEY_BYTES: usize = 32;
