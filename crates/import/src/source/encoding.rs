//! Which encoding a text is in, and its way to UTF-8.
//!
//! A ladder: a byte order mark, then strict UTF-8, then GB18030, which holds GBK and GB2312. The whole text is looked
//! at, because the first megabytes of a member list can be ASCII. Text is never repaired: a malformed sequence comes
//! out as a byte that no UTF-8 has, and whoever splits the text into cells says where it stood.

use std::{
    fmt,
    io::{self, Read},
    str::FromStr,
};

use encoding_rs::{Decoder, DecoderResult};
use thiserror::Error;

/// The encoding of a text.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, the low byte first, as Excel's `Unicode text` is.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// GB18030, and with it GBK and GB2312: what spreadsheets on Chinese systems write as `CSV`.
    Gb18030,
}

impl Encoding {
    /// What a text begins with when it names its encoding.
    pub(super) fn of_mark(head: &[u8]) -> Option<Self> {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => Some(Self::Utf8),
            [0xFF, 0xFE, ..] => Some(Self::Utf16Le),
            [0xFE, 0xFF, ..] => Some(Self::Utf16Be),
            [0x84, 0x31, 0x95, 0x33, ..] => Some(Self::Gb18030),
            _ => None,
        }
    }

    /// The name people know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Gb18030 => "GB18030",
        }
    }

    /// The text as UTF-8; one that is UTF-8 already stays as it is, for its reader to check.
    pub(super) fn decoded(self, input: impl Read + Send + 'static) -> Box<dyn Read + Send> {
        let encoding = match self {
            Self::Utf8 => return Box::new(input),
            Self::Utf16Le => encoding_rs::UTF_16LE,
            Self::Utf16Be => encoding_rs::UTF_16BE,
            Self::Gb18030 => encoding_rs::GB18030,
        };
        Box::new(Decoded {
            input,
            // A byte order mark becomes the one of UTF-8, which the reader skips.
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: vec![0; BUFFER],
            raw_start: 0,
            raw_end: 0,
            at_end: false,
            is_finished: false,
            text: vec![0; BUFFER],
            text_start: 0,
            text_end: 0,
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(text: &str) -> Result<Self, UnknownEncoding> {
        match text.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
            "utf8" | "utf8bom" | "utf8sig" => Ok(Self::Utf8),
            "utf16le" | "utf16" | "unicode" => Ok(Self::Utf16Le),
            "utf16be" => Ok(Self::Utf16Be),
            "gb18030" | "gbk" | "gb2312" | "cp936" => Ok(Self::Gb18030),
            _ => Err(UnknownEncoding),
        }
    }
}

impl serde::Serialize for Encoding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A name that no known encoding has.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not one of utf-8, utf-16le, utf-16be, gbk, gb18030")]
pub struct UnknownEncoding;

/// Looks at a text without a byte order mark, piece by piece, and says at the end whether it is UTF-8.
#[derive(Debug, Default)]
pub(super) struct Detector {
    /// The beginning of a character whose end is in the next piece.
    cut: Vec<u8>,
    good: u64,
    bad: u64,
}

impl Detector {
    pub(super) fn update(&mut self, piece: &[u8]) {
        let joined;
        let mut rest = if self.cut.is_empty() {
            piece
        } else {
            joined = [std::mem::take(&mut self.cut).as_slice(), piece].concat();
            joined.as_slice()
        };
        loop {
            let (valid, invalid) = match std::str::from_utf8(rest) {
                Ok(_) => (rest.len(), Some(0)),
                Err(error) => (error.valid_up_to(), error.error_len()),
            };
            // Bytes that begin a character of several.
            self.good += rest[..valid].iter().filter(|&&byte| byte >= 0xC0).count() as u64;
            rest = &rest[valid..];
            match invalid {
                None => {
                    rest.clone_into(&mut self.cut);
                    return;
                }
                Some(0) => return,
                Some(len) => {
                    self.bad += 1;
                    rest = &rest[len..];
                }
            }
        }
    }

    /// Text that is UTF-8 but for a few bytes is damaged UTF-8 and not GB18030: it is left to fail where they stand.
    /// In Chinese text of GB18030 at most every fifth sequence looks like UTF-8.
    pub(super) fn finish(mut self) -> Encoding {
        self.bad += u64::from(!self.cut.is_empty());
        match self.bad == 0 || self.good > 4 * self.bad {
            true => Encoding::Utf8,
            false => Encoding::Gb18030,
        }
    }
}

/// Looks at a text taken for GB18030, piece by piece, and says at the end whether it reads like Chinese.
///
/// Nearly any bytes are characters of GB18030. What was written in another encoding comes out as characters that nobody
/// uses, while those of GB2312, some seven thousand, make up nearly all of what is written.
#[derive(Debug, Default)]
pub(super) struct Commonness {
    lead: Option<u8>,
    common: u64,
    rare: u64,
}

impl Commonness {
    pub(super) fn update(&mut self, piece: &[u8]) {
        for &byte in piece {
            match (self.lead.take(), byte) {
                (None, 0..=0x7F) => {}
                (None, byte) => self.lead = Some(byte),
                (Some(0xA1..=0xA9 | 0xB0..=0xF7), 0xA1..=0xFE) => self.common += 1,
                (Some(_), _) => self.rare += 1,
            }
        }
    }

    /// Traditional characters are beyond GB2312, so many of them are no reason to doubt.
    pub(super) fn is_doubtful(&self) -> bool {
        self.rare > 3 * self.common
    }
}

/// A text of another encoding as UTF-8. A malformed sequence comes out as [`MALFORMED`].
struct Decoded<R> {
    input: R,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_start: usize,
    raw_end: usize,
    at_end: bool,
    is_finished: bool,
    text: Vec<u8>,
    text_start: usize,
    text_end: usize,
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.text_start == self.text_end {
            if self.is_finished {
                return Ok(0);
            }
            self.decode()?;
        }
        let len = buffer.len().min(self.text_end - self.text_start);
        buffer[..len].copy_from_slice(&self.text[self.text_start..self.text_start + len]);
        self.text_start += len;
        Ok(len)
    }
}

impl<R: Read> Decoded<R> {
    fn decode(&mut self) -> io::Result<()> {
        if self.raw_start == self.raw_end && !self.at_end {
            (self.raw_end, self.raw_start) = (self.input.read(&mut self.raw)?, 0);
            self.at_end = self.raw_end == 0;
        }
        // One byte is kept for what is malformed.
        let room = self.text.len() - 1;
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.raw[self.raw_start..self.raw_end],
            &mut self.text[..room],
            self.at_end,
        );
        self.raw_start += read;
        (self.text_start, self.text_end) = (0, written);
        match result {
            DecoderResult::InputEmpty => self.is_finished = self.at_end,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => {
                self.text[written] = MALFORMED;
                self.text_end += 1;
            }
        }
        Ok(())
    }
}

/// A byte that is nowhere in UTF-8.
const MALFORMED: u8 = 0xFF;
const BUFFER: usize = 64 * 1024;

#[cfg(test)]
mod tests;
