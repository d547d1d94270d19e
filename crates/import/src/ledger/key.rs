//! The key of a ledger's hashes: 32 random bytes in a file. Beside a file ledger it is also what says which processes
//! have the ledger open.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use wxmember_crypto::{FormValue, KeyedHash};

use super::LedgerError;

/// This process, at a ledger in a file: every process holds a shared lock on the key's file while it has the ledger
/// open, and one that can have the lock for itself is alone.
#[derive(Debug)]
pub(super) struct Presence {
    ledger: PathBuf,
    path: PathBuf,
    file: File,
    is_alone: bool,
}

impl Presence {
    /// Opens or creates the key's file and finds out who else is there.
    pub(super) fn enter(ledger: &Path) -> Result<Self, LedgerError> {
        let mut tries = 0;
        Self::enter_within(ledger, || {
            tries += 1;
            thread::sleep(LOCK_PAUSE);
            tries < LOCK_TRIES
        })
    }

    /// As [`enter`](Self::enter); `wait` says whether to try again after a while.
    pub(super) fn enter_within(ledger: &Path, mut wait: impl FnMut() -> bool) -> Result<Self, LedgerError> {
        let path = beside(ledger);
        let file = private()
            .truncate(false)
            .open(&path)
            .map_err(|source| LedgerError::Io {
                path: path.clone(),
                source,
            })?;
        let mut presence = Self {
            ledger: ledger.to_owned(),
            path,
            file,
            is_alone: false,
        };
        // A process of this version holds the lock for itself only while it opens the ledger; one of the first version
        // holds it for good.
        while !presence.lock()? {
            if !wait() {
                return Err(LedgerError::Busy {
                    path: presence.ledger,
                });
            }
        }
        Ok(presence)
    }

    fn lock(&mut self) -> Result<bool, LedgerError> {
        match self.file.try_lock() {
            Ok(()) => {
                self.is_alone = true;
                return Ok(true);
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(self.io_error(source)),
        }
        match self.file.try_lock_shared() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => Err(self.io_error(source)),
        }
    }

    /// Whether no other process has the ledger open.
    pub(super) fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Reads the key, or makes it. `may_create` is whether the ledger is new: one that has rows is worth nothing
    /// without its key.
    ///
    /// What is in the file decides, now that it is locked. The file is never removed: another process may make or
    /// restore the key at any moment.
    pub(super) fn key(&mut self, may_create: bool) -> Result<KeyedHash, LedgerError> {
        read_or_create(&mut self.file, &self.path, may_create)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Stays with the others, as long as the file returned lives.
    pub(super) fn stay(self) -> Result<File, LedgerError> {
        if self.is_alone {
            // Who comes in between is alone as well, and takes nothing away: nothing was leased yet.
            self.file
                .unlock()
                .and_then(|()| self.file.lock_shared())
                .map_err(|source| self.io_error(source))?;
        }
        Ok(self.file)
    }

    fn io_error(&self, source: std::io::Error) -> LedgerError {
        LedgerError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

/// Opens the key in a file of its own, for a ledger that is elsewhere. `may_create` is whether the ledger is new.
pub(super) fn open(path: &Path, may_create: bool) -> Result<KeyedHash, LedgerError> {
    if !may_create && !path.exists() {
        return Err(LedgerError::KeyElsewhere {
            path: path.to_owned(),
        });
    }
    let io_error = |source| LedgerError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = private()
        .create(may_create)
        .truncate(false)
        .open(path)
        .map_err(io_error)?;
    // Two processes of a host may make it at the same time.
    file.lock().map_err(io_error)?;
    read_or_create(&mut file, path, may_create)
}

fn read_or_create(file: &mut File, path: &Path, may_create: bool) -> Result<KeyedHash, LedgerError> {
    let io_error = |source| LedgerError::Io {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::with_capacity(KEY_BYTES);
    file.seek(SeekFrom::Start(0)).map_err(io_error)?;
    // One byte more shows a file that is too long.
    (&mut *file)
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
        Ok(key) => {
            // Only what looks like a key: a path may be a mistake.
            close_to_others(path);
            Ok(KeyedHash::new(key))
        }
        Err(_) => Err(LedgerError::Key {
            path: path.to_owned(),
        }),
    }
}

/// What a ledger keeps to know its key again; says nothing about the key.
pub(super) fn check_value(hash: &KeyedHash) -> [u8; 32] {
    *hash.of("ledger-key", &FormValue::new("")).as_bytes()
}

/// Options for a file that only its owner may read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Takes from everybody else what the mode of a file lets them do: one that was restored or copied may be open to all.
/// Where that is not the system's way, and for who does not own the file, nothing happens.
///
/// By name: a file of SQLite's that this process closes loses the locks that SQLite has on it.
pub(super) fn close_to_others(path: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = fs::metadata(path) {
        use std::os::unix::fs::PermissionsExt;

        let mut permissions = metadata.permissions();
        if permissions.mode() & 0o077 != 0 {
            permissions.set_mode(permissions.mode() & 0o700);
            // Only its owner and root may; whoever was let in works on.
            let _ = fs::set_permissions(path, permissions);
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

fn beside(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".key");
    name.into()
}

const KEY_BYTES: usize = 32;
const LOCK_TRIES: u32 = 500;
const LOCK_PAUSE: Duration = Duration::from_millis(10);
