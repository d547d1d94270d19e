//! Mobile numbers of mainland China, as people and spreadsheets write them.
//!
//! The numbering plan is Google's, through the `phonenumber` crate.

use phonenumber::{Type, country, metadata::DATABASE};

use super::problem::ProblemKind;

/// The eleven digits of a mobile number, from whatever spelling.
pub(super) fn normalize(text: &str) -> Result<String, ProblemKind> {
    if is_scientific(text) {
        return Err(ProblemKind::ScientificNotation);
    }
    let mut digits = String::with_capacity(16);
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '０'..='９' => digits.extend(char::from_u32(c as u32 - '０' as u32 + '0' as u32)),
            '+' | '＋' if digits.is_empty() => digits.push('+'),
            ' ' | '-' | '(' | ')' | '（' | '）' | '－' | '–' | '—' | '\u{A0}' | '\u{3000}' => {}
            _ => return Err(ProblemKind::BadPhoneNumber),
        }
    }
    let national = ["+86", "0086", "86", "086"]
        .iter()
        .find_map(|prefix| digits.strip_prefix(prefix).filter(|rest| rest.len() == LENGTH))
        .unwrap_or(&digits);
    // Only what has the right shape is worth the library's time.
    if national.len() != LENGTH || !national.starts_with('1') {
        return Err(ProblemKind::BadPhoneNumber);
    }
    let number =
        phonenumber::parse(Some(country::Id::CN), national).map_err(|_| ProblemKind::BadPhoneNumber)?;
    match number.number_type(&DATABASE) {
        Type::Mobile if number.country().code() == 86 => Ok(national.to_owned()),
        _ => Err(ProblemKind::BadPhoneNumber),
    }
}

/// Whether a spreadsheet wrote the number as `1.38E+10`.
pub(super) fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let Some(exponent) = exponent.strip_prefix('+') else {
        return false;
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    whole.len() == 1
        && all_digits(whole)
        && all_digits(fraction)
        && exponent.len() <= 2
        && all_digits(exponent)
}

const LENGTH: usize = 11;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_usual_spelling_is_one_number() {
        for text in [
            "13800138000",
            "+8613800138000",
            "+86 138 0013 8000",
            "86-138-0013-8000",
            "0086 13800138000",
            "１３８００１３８０００",
            "(+86)13800138000",
            "138 0013 8000",
        ] {
            assert_eq!(normalize(text).as_deref(), Ok("13800138000"), "{text}");
        }
    }

    #[test]
    fn what_is_no_mainland_mobile_is_refused() {
        for text in [
            "",
            "1380013800",
            "138001380001",
            "12345678901",
            "10000000000",
            "01062345678",
            "+85261234567",
            "400-800-1234",
            "abc",
            "+",
            "138o0138000",
            "+113800138000",
            "13800138000.0",
        ] {
            assert_eq!(normalize(text), Err(ProblemKind::BadPhoneNumber), "{text}");
        }
    }

    #[test]
    fn numbers_that_lost_digits_are_named() {
        for text in ["1.38E+10", "1.38001e+10", "1E+10"] {
            assert_eq!(normalize(text), Err(ProblemKind::ScientificNotation), "{text}");
        }
        assert!(!is_scientific("A1E+10") && !is_scientific("12E+1") && !is_scientific("1E10"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,24}") {
            let _ = normalize(&text);
        }
    }
}
