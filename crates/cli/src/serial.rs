//! Serial numbers and key ids as people write them: copied from a tool, a web page or another program's settings.
//!
//! Only reads texts; which key is the right one is for others to say.

use wxmember::KeyId;

/// What a text is when it is read as the name of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Written {
    /// Nothing, or blanks.
    Empty,
    /// A certificate's serial number. `0x` before it, colons and blanks in it, lower case and leading zeros are taken.
    Hexadecimal(KeyId),
    /// Something else.
    Other,
    /// The id of WeChat Pay's public key.
    PublicKeyId(KeyId),
    /// Meant as the id of a public key, but not written as WeChat Pay writes it.
    PublicKeyIdMisspelt,
    /// More digits than a serial number has.
    TooLong {
        /// Hexadecimal digits found.
        digits: usize,
    },
}

impl Written {
    /// Reads a text.
    pub(crate) fn read(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Empty;
        }
        if let Some(number) = text.strip_prefix(PUBLIC_KEY_ID) {
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            return if is_number {
                Self::PublicKeyId(KeyId::new(text))
            } else {
                Self::PublicKeyIdMisspelt
            };
        }
        if text.to_ascii_lowercase().starts_with("pub_key") {
            return Self::PublicKeyIdMisspelt;
        }
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .unwrap_or(text);
        let digits: String = digits
            .chars()
            .filter(|digit| !matches!(digit, ':' | ' '))
            .collect();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Self::Other;
        }
        let id = KeyId::new(&digits);
        match id.as_str().len() {
            0..=LONGEST_SERIAL => Self::Hexadecimal(id),
            digits => Self::TooLong { digits },
        }
    }
}

/// The merchant's serial number as it goes into a header, or the text itself when it is no serial number.
pub(crate) fn canonical(text: &str) -> String {
    match Written::read(text) {
        Written::Hexadecimal(id) => id.as_str().to_owned(),
        _ => text.to_owned(),
    }
}

/// A serial number in decimal, as Java's `BigInteger` and some web pages print it.
pub(crate) fn decimal(serial: &KeyId) -> String {
    // Decimal digits, the lowest first.
    let mut decimal = vec![0_u32];
    for digit in serial.as_str().chars().filter_map(|digit| digit.to_digit(16)) {
        let mut carry = digit;
        for place in &mut decimal {
            let value = *place * 16 + carry;
            *place = value % 10;
            carry = value / 10;
        }
        while carry > 0 {
            decimal.push(carry % 10);
            carry /= 10;
        }
    }
    let digits = decimal.iter().rev();
    digits.filter_map(|digit| char::from_digit(*digit, 10)).collect()
}

const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_";

/// 20 bytes (RFC 5280, section 4.1.2.2).
const LONGEST_SERIAL: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &Written) {
        assert_eq!(Written::read(text), *expected, "{text}");
    }

    #[test]
    fn a_serial_is_understood_in_every_form_that_tools_print() {
        let serial = Written::Hexadecimal(KeyId::new("4D3C2B1A"));
        for text in [
            "4D3C2B1A",
            "4d3c2b1a",
            "0x4D3C2B1A",
            "0X4d3c2b1a",
            "4D:3C:2B:1A",
            " 4D 3C 2B 1A ",
            "004D3C2B1A",
        ] {
            check(text, &serial);
            assert_eq!(canonical(text).trim_start_matches('0'), "4D3C2B1A");
        }
    }

    #[test]
    fn what_is_no_serial_is_told_apart() {
        check("", &Written::Empty);
        check(" ", &Written::Empty);
        check("serial", &Written::Other);
        check(":", &Written::Other);
        check(
            "PUB_KEY_ID_0119",
            &Written::PublicKeyId(KeyId::new("PUB_KEY_ID_0119")),
        );
        for text in ["pub_key_id_0119", "PUB_KEY_ID_", "PUB_KEY_ID_01X", "PUB_KEY_0119"] {
            check(text, &Written::PublicKeyIdMisspelt);
        }
        check(&"A".repeat(41), &Written::TooLong { digits: 41 });
        assert_eq!(canonical("serial"), "serial");
    }

    #[test]
    fn decimal_is_what_other_tools_print() {
        assert_eq!(decimal(&KeyId::new("0")), "0");
        assert_eq!(decimal(&KeyId::new("FF")), "255");
        assert_eq!(
            decimal(&KeyId::new("4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6")),
            "440934088754239530225063104289291825430545098198"
        );
    }
}
