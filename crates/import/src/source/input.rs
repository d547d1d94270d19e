//! The bytes of a source: from a file or from a stream that comes once, packed or not, digested as they pass.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use flate2::bufread::MultiGzDecoder;
use wxmember_crypto::{Fingerprint, SourceHasher};

use super::{
    SourceError,
    spool::{Spool, read_full},
};

/// Where the bytes are.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    File(PathBuf),
    Stream(Arc<Spool>),
}

/// The bytes of a source, and what is known about them.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) is_packed: bool,
}

impl Input {
    /// Finds the file, or reads the stream to its end. `-` is standard input; so is anything that cannot be read
    /// twice, such as a pipe with a name.
    pub(super) fn new(path: &Path) -> Result<Self, SourceError> {
        if path == Path::new("-") {
            return Self::stream("standard input", io::stdin().lock());
        }
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        let io_error = |source| SourceError::Io {
            source_name: name.clone(),
            source,
        };
        let metadata = std::fs::metadata(path).map_err(io_error)?;
        if metadata.is_dir() {
            return Err(SourceError::Unsupported {
                source_name: name,
                found: "a folder; name a file in it",
            });
        }
        if !metadata.is_file() {
            return Self::stream(&name, File::open(path).map_err(io_error)?);
        }
        Self::from_origin(name, Origin::File(path.to_owned()))
    }

    pub(super) fn stream(name: &str, input: impl Read) -> Result<Self, SourceError> {
        let name = name.to_owned();
        match Spool::fill(input, STREAM_LIMIT) {
            Ok(Some(spool)) => Self::from_origin(name, Origin::Stream(spool)),
            Ok(None) => Err(SourceError::TooLarge {
                source_name: name,
                limit: "4 GiB, which is the most a stream may have; save it as a file",
            }),
            Err(source) => Err(SourceError::Io {
                source_name: name,
                source,
            }),
        }
    }

    fn from_origin(name: String, origin: Origin) -> Result<Self, SourceError> {
        let mut input = Self {
            name,
            origin,
            is_packed: false,
        };
        input.is_packed = input.head(3)?.starts_with(&[0x1F, 0x8B, 8]);
        Ok(input)
    }

    /// The first bytes, unpacked.
    pub(super) fn head(&self, bytes: usize) -> Result<Vec<u8>, SourceError> {
        let mut head = vec![0; bytes];
        let (mut reader, _) = self.open()?;
        let read = read_full(&mut reader, &mut head).map_err(|error| self.io_error(error))?;
        head.truncate(read);
        Ok(head)
    }

    /// Starts to read it, unpacked. The second result holds the digest of the bytes as they are in the file, once all
    /// of them were read.
    pub(super) fn open(&self) -> Result<(Box<dyn Read + Send>, Digest), SourceError> {
        let (raw, digest) = self.open_raw()?;
        if !self.is_packed {
            return Ok((raw, digest));
        }
        let raw = Counted {
            input: raw,
            bytes: Arc::default(),
        };
        let packed = Arc::clone(&raw.bytes);
        let unpacked = Unpacked {
            input: MultiGzDecoder::new(BufReader::with_capacity(BUFFER, raw)),
            packed,
            unpacked: 0,
        };
        Ok((Box::new(unpacked), digest))
    }

    /// The same without unpacking it.
    pub(super) fn open_raw(&self) -> Result<(Box<dyn Read + Send>, Digest), SourceError> {
        let input: Box<dyn Read + Send> = match &self.origin {
            Origin::File(path) => Box::new(File::open(path).map_err(|error| self.io_error(error))?),
            Origin::Stream(spool) => Box::new(spool.reader()),
        };
        let digest = Digest::default();
        let digested = Digested {
            input,
            hasher: Some(SourceHasher::new()),
            digest: digest.clone(),
        };
        Ok((Box::new(digested), digest))
    }

    /// Bytes as they are in the file.
    pub(super) fn bytes(&self) -> Result<u64, SourceError> {
        match &self.origin {
            Origin::File(path) => match std::fs::metadata(path) {
                Ok(metadata) => Ok(metadata.len()),
                Err(error) => Err(self.io_error(error)),
            },
            Origin::Stream(spool) => Ok(spool.bytes()),
        }
    }

    pub(super) fn io_error(&self, source: io::Error) -> SourceError {
        SourceError::Io {
            source_name: self.name.clone(),
            source,
        }
    }
}

/// The digest of a file, there when its last byte was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Digest(Arc<OnceLock<Fingerprint>>);

impl Digest {
    pub(super) fn take(&self) -> Option<Fingerprint> {
        self.0.get().copied()
    }
}

struct Digested<R> {
    input: R,
    hasher: Option<SourceHasher>,
    digest: Digest,
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        match &mut self.hasher {
            Some(hasher) if read > 0 => hasher.update(&buffer[..read]),
            Some(_) if !buffer.is_empty() => {
                if let Some(hasher) = self.hasher.take() {
                    let _ = self.digest.0.set(hasher.finish());
                }
            }
            _ => {}
        }
        Ok(read)
    }
}

/// Counts what is read, for a reader further up.
struct Counted<R> {
    input: R,
    bytes: Arc<std::sync::atomic::AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes
            .fetch_add(read as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(read)
    }
}

/// Unpacks, and ends with an error when far more comes out than a member list can shrink by: a few bytes must not
/// become work for days.
struct Unpacked<R> {
    input: R,
    packed: Arc<std::sync::atomic::AtomicU64>,
    unpacked: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.unpacked += read as u64;
        let packed = self.packed.load(std::sync::atomic::Ordering::Relaxed);
        if self.unpacked > UNPACKED_FREE + packed.saturating_mul(UNPACKED_RATIO) {
            return Err(io::Error::other(
                "it unpacks to more than a hundred times its size, as no member list does",
            ));
        }
        Ok(read)
    }
}

const BUFFER: usize = 64 * 1024;
const STREAM_LIMIT: u64 = 4 << 30;
/// What may come out of any number of bytes.
const UNPACKED_FREE: u64 = 64 << 20;
/// Text of members shrinks to a fifth or a tenth.
const UNPACKED_RATIO: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_bytes_do_not_become_work_for_days() {
        let mut bomb = Unpacked {
            input: io::repeat(b'1'),
            packed: Arc::new(1000.into()),
            unpacked: 0,
        };
        let error = io::copy(&mut bomb, &mut io::sink()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "it unpacks to more than a hundred times its size, as no member list does"
        );
        assert!(bomb.unpacked < UNPACKED_FREE + 1000 * UNPACKED_RATIO + (1 << 20));
    }
}
