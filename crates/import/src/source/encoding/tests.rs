//! The ladder, and text that is cut anywhere.

use proptest::prelude::*;

use super::*;

/// Gives its bytes in pieces of these sizes, again and again.
struct Pieces {
    bytes: Vec<u8>,
    start: usize,
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        let len = size.min(buffer.len()).min(self.bytes.len() - self.start);
        buffer[..len].copy_from_slice(&self.bytes[self.start..self.start + len]);
        self.start += len;
        Ok(len)
    }
}

fn detect(bytes: &[u8], piece: usize) -> Encoding {
    let mut detector = Detector::default();
    bytes.chunks(piece).for_each(|piece| detector.update(piece));
    detector.finish()
}

fn utf16(text: &str, to: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to).collect()
}

fn gb18030(text: &str) -> Vec<u8> {
    let (bytes, _, has_lost) = encoding_rs::GB18030.encode(text);
    assert!(!has_lost);
    bytes.into_owned()
}

fn decode(encoding: Encoding, bytes: &[u8], sizes: &[usize]) -> Vec<u8> {
    let pieces = Pieces {
        bytes: bytes.to_vec(),
        start: 0,
        sizes: sizes.to_vec(),
        turn: 0,
    };
    let mut text = Vec::new();
    encoding.decoded(pieces).read_to_end(&mut text).unwrap();
    text
}

#[test]
fn utf_8_is_known_wherever_it_is_cut() {
    for piece in 1..10 {
        assert_eq!(
            detect("手机号,姓名\n13800138000,张三🙂".as_bytes(), piece),
            Encoding::Utf8
        );
        assert_eq!(detect(b"phone,code", piece), Encoding::Utf8);
    }
    assert_eq!(detect(b"", 1), Encoding::Utf8);
}

#[test]
fn gbk_is_known_even_behind_megabytes_of_ascii() {
    let mut bytes = b"phone,code,name\n".to_vec();
    for row in 0..200_000 {
        bytes.extend(format!("1380013{row:04},A{row},\n").bytes());
    }
    bytes.extend(gb18030("13800138000,B1,欧阳娜娜\n"));
    assert!(bytes.len() > 3 << 20);
    assert_eq!(detect(&bytes, 64 * 1024), Encoding::Gb18030);
}

#[test]
fn utf_8_with_one_broken_byte_is_not_taken_for_gbk() {
    let mut bytes = "手机号,姓名\n13800138000,张三\n".as_bytes().to_vec();
    bytes.extend(b"13800138001,\xE5\xBC\n");
    assert_eq!(detect(&bytes, 7), Encoding::Utf8);
}

#[test]
fn marks_name_their_encoding() {
    assert_eq!(Encoding::of_mark("\u{FEFF}x".as_bytes()), Some(Encoding::Utf8));
    assert_eq!(
        Encoding::of_mark(&utf16("\u{FEFF}x", u16::to_le_bytes)),
        Some(Encoding::Utf16Le)
    );
    assert_eq!(
        Encoding::of_mark(&utf16("\u{FEFF}x", u16::to_be_bytes)),
        Some(Encoding::Utf16Be)
    );
    assert_eq!(Encoding::of_mark(&gb18030("\u{FEFF}x")), Some(Encoding::Gb18030));
    assert_eq!(Encoding::of_mark(b"phone"), None);
}

#[test]
fn what_is_malformed_comes_out_as_no_text() {
    let mut bytes = gb18030("张三,");
    bytes.extend(b"\xFF,");
    bytes.extend(gb18030("李四"));
    bytes.push(0x81);
    let text = decode(Encoding::Gb18030, &bytes, &[1]);
    assert_eq!(
        text,
        ["张三,".as_bytes(), b"\xFF,", "李四".as_bytes(), b"\xFF"].concat()
    );
    // Half of a surrogate pair, and half of a unit.
    assert_eq!(decode(Encoding::Utf16Le, b"\x00\xD8a\x00b", &[3]), b"\xFFa\xFF");
}

#[test]
fn encodings_are_named_as_people_name_them() {
    for (name, encoding) in [
        ("UTF-8", Encoding::Utf8),
        ("utf8", Encoding::Utf8),
        ("gbk", Encoding::Gb18030),
        ("GB2312", Encoding::Gb18030),
        ("utf_16le", Encoding::Utf16Le),
        ("UTF-16BE", Encoding::Utf16Be),
    ] {
        assert_eq!(name.parse(), Ok(encoding), "{name}");
        assert_eq!(encoding.name().parse(), Ok(encoding));
    }
    assert_eq!("latin1".parse::<Encoding>(), Err(UnknownEncoding));
}

proptest! {
    #[test]
    fn text_survives_every_encoding_and_every_cut(
        text in "[a-z,\n手机号张三龘𠮷🙂€]{0,60}",
        sizes in proptest::collection::vec(1..9usize, 1..6)
    ) {
        prop_assert_eq!(decode(Encoding::Gb18030, &gb18030(&text), &sizes), text.as_bytes());
        prop_assert_eq!(decode(Encoding::Utf16Le, &utf16(&text, u16::to_le_bytes), &sizes), text.as_bytes());
        prop_assert_eq!(decode(Encoding::Utf16Be, &utf16(&text, u16::to_be_bytes), &sizes), text.as_bytes());
        prop_assert_eq!(decode(Encoding::Utf8, text.as_bytes(), &sizes), text.as_bytes());
    }

    #[test]
    fn what_is_decided_does_not_depend_on_the_cuts(
        bytes in proptest::collection::vec(any::<u8>(), 0..200), piece in 1..40usize
    ) {
        prop_assert_eq!(detect(&bytes, piece), detect(&bytes, usize::MAX));
    }

    #[test]
    fn members_in_gbk_are_gbk(names in proptest::collection::vec("[\u{4E00}-\u{9FA5}]{2,4}", 1..20)) {
        let text = format!("手机号,会员卡号,姓名\n{}", names.join(",1,2\n"));
        prop_assert_eq!(detect(&gb18030(&text), 64), Encoding::Gb18030);
    }
}
