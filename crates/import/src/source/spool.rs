//! A stream that comes once, kept so that it can be read again: in a temporary file without a name, sealed.
//!
//! A member list is personal data, so nothing of it may lie on a disk in clear, not even in a file that nobody can
//! open by name: disks are imaged and swapped out. The key lives in memory and dies with the process. Memory is one
//! piece of [`PIECE`] bytes.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    sync::{Arc, Mutex, PoisonError},
};

use wxmember_crypto::ChunkKey;

/// A stream that was read to its end.
pub(super) struct Spool {
    file: Mutex<File>,
    key: ChunkKey,
    bytes: u64,
}

impl Spool {
    /// Reads the stream to its end; `None` when it has more than `limit` bytes.
    pub(super) fn fill(mut input: impl Read, limit: u64) -> io::Result<Option<Arc<Self>>> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let key = ChunkKey::new(key);
        // Gone from its folder, and its owner's alone, before the first byte is written.
        let mut file = tempfile::tempfile()?;
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        let mut piece = vec![0; PIECE];
        let mut bytes = 0;
        for number in 0.. {
            let read = read_full(&mut input, &mut piece)?;
            bytes += read as u64;
            if bytes > limit {
                return Ok(None);
            }
            if read > 0 {
                let sealed = key.seal(number, &piece[..read]).map_err(io::Error::other)?;
                file.write_all(&sealed)?;
            }
            if read < PIECE {
                break;
            }
        }
        Ok(Some(Arc::new(Self {
            file: Mutex::new(file),
            key,
            bytes,
        })))
    }

    /// Bytes of the stream.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads it again from its beginning.
    pub(super) fn reader(self: &Arc<Self>) -> SpoolReader {
        SpoolReader {
            spool: Arc::clone(self),
            next: 0,
            piece: Vec::new().into(),
            start: 0,
        }
    }

    fn piece(&self, number: u64) -> io::Result<zeroize::Zeroizing<Vec<u8>>> {
        let len = self.bytes.saturating_sub(number * PIECE as u64).min(PIECE as u64) as usize;
        if len == 0 {
            return Ok(Vec::new().into());
        }
        let mut sealed = vec![0; len + ChunkKey::OVERHEAD];
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(number * (PIECE + ChunkKey::OVERHEAD) as u64))?;
            file.read_exact(&mut sealed)?;
        }
        self.key.open(number, &sealed).map_err(io::Error::other)
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spool({} bytes)", self.bytes)
    }
}

/// One reading of a [`Spool`].
pub(super) struct SpoolReader {
    spool: Arc<Spool>,
    next: u64,
    piece: zeroize::Zeroizing<Vec<u8>>,
    start: usize,
}

impl Read for SpoolReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.start == self.piece.len() {
            self.piece = self.spool.piece(self.next)?;
            self.next += 1;
            self.start = 0;
        }
        let len = buffer.len().min(self.piece.len() - self.start);
        buffer[..len].copy_from_slice(&self.piece[self.start..self.start + len]);
        self.start += len;
        Ok(len)
    }
}

/// Fills the buffer unless the input ends before.
pub(super) fn read_full(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: usize) {
        let content: Vec<u8> = (0..bytes).map(|index| (index % 251) as u8).collect();
        let spool = Spool::fill(content.as_slice(), u64::MAX).unwrap().unwrap();
        assert_eq!(spool.bytes(), bytes as u64);
        for _ in 0..2 {
            let mut read = Vec::new();
            spool.reader().read_to_end(&mut read).unwrap();
            assert!(read == content, "{bytes} bytes");
        }
    }

    #[test]
    fn what_went_in_comes_out_as_often_as_it_is_read() {
        for bytes in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7] {
            check(bytes);
        }
    }

    #[test]
    fn a_stream_beyond_the_limit_is_not_kept() {
        assert!(Spool::fill([0; 10].as_slice(), 9).unwrap().is_none());
        assert!(Spool::fill([0; 10].as_slice(), 10).unwrap().is_some());
    }

    #[test]
    fn nothing_is_on_the_disk_in_clear() {
        let content = "13800138000,MARKERNAME\n".repeat(10_000);
        let spool = Spool::fill(content.as_bytes(), u64::MAX).unwrap().unwrap();
        let mut file = spool.file.lock().unwrap();
        let mut written = Vec::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_end(&mut written).unwrap();
        assert!(written.len() > content.len());
        for marker in ["MARKERNAME", "13800138000"] {
            assert!(memchr::memmem::find(&written, marker.as_bytes()).is_none());
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_file_has_no_name_and_is_the_owners() {
        use std::os::unix::fs::MetadataExt;
        let spool = Spool::fill([1; 3].as_slice(), u64::MAX).unwrap().unwrap();
        let metadata = spool.file.lock().unwrap().metadata().unwrap();
        assert_eq!((metadata.nlink(), metadata.mode() & 0o777), (0, 0o600));
    }
}
