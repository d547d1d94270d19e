//! Mobile numbers of mainland China, as people and spreadsheets write them.
//!
//! The numbering plan is Google's, through the `phonenumber` crate. It costs some 16 us a number, and for eleven digits
//! that begin with 1 it looks at five of them at most: the rest are any digits. So its verdict is remembered by those
//! five, and the library is asked for each of the 10,000 beginnings once. A test holds every beginning against it.

use std::sync::atomic::{AtomicU8, Ordering};

use phonenumber::{Type, country, metadata::DATABASE};

use super::problem::ProblemKind;

/// The eleven digits of a mobile number, from whatever spelling.
pub(super) fn normalize(text: &str) -> Result<String, ProblemKind> {
    whole(text)?;
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
    match is_mobile(national) {
        true => Ok(national.to_owned()),
        false => Err(ProblemKind::BadPhoneNumber),
    }
}

/// What the library says of eleven digits that begin with 1.
fn is_mobile(national: &str) -> bool {
    let place = national
        .get(1..LOOKED_AT)
        .and_then(|digits| digits.parse::<usize>().ok());
    let Some(known) = place.and_then(|place| VERDICTS.get(place)) else {
        return is_mobile_by_plan(national);
    };
    match known.load(Ordering::Relaxed) {
        MOBILE => true,
        OTHER => false,
        _ => {
            let is_mobile = is_mobile_by_plan(national);
            known.store(if is_mobile { MOBILE } else { OTHER }, Ordering::Relaxed);
            is_mobile
        }
    }
}

fn is_mobile_by_plan(national: &str) -> bool {
    phonenumber::parse(Some(country::Id::CN), national)
        .is_ok_and(|number| number.country().code() == 86 && number.number_type(&DATABASE) == Type::Mobile)
}

/// Refuses what a program wrote that took a number of digits for a number.
pub(super) fn whole(text: &str) -> Result<(), ProblemKind> {
    if is_scientific(text) {
        Err(ProblemKind::ScientificNotation)
    } else if is_float(text) {
        Err(ProblemKind::DecimalPoint)
    } else {
        Ok(())
    }
}

/// Whether a number was written as `1.38E+10` by a spreadsheet, `1.38e+10` or `1.38E10` by another program.
///
/// `1E10` is none of these: it has neither point nor sign, and codes of hexadecimal digits look like it.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let has_sign_or_point = digits.len() < exponent.len() || whole.len() < mantissa.len();
    has_sign_or_point && whole.len() == 1 && [whole, fraction, digits].into_iter().all(is_digits)
}

/// Whether a number was written as `13800138000.0`, as programs write a column with an empty cell in it.
fn is_float(text: &str) -> bool {
    text.split_once('.').is_some_and(|(whole, fraction)| {
        is_digits(whole) && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0')
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

const LENGTH: usize = 11;
/// Digits that the plan looks at.
const LOOKED_AT: usize = 5;
const MOBILE: u8 = 1;
const OTHER: u8 = 2;
/// By the second to the fifth digit.
static VERDICTS: [AtomicU8; 10_000] = [const { AtomicU8::new(0) }; 10_000];

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
            "13800138000.5",
        ] {
            assert_eq!(normalize(text), Err(ProblemKind::BadPhoneNumber), "{text}");
        }
    }

    #[test]
    fn numbers_that_lost_digits_are_named() {
        for text in ["1.38E+10", "1.38001e+10", "1E+10", "4.785e11", "1.38E10", "1e-3"] {
            assert_eq!(normalize(text), Err(ProblemKind::ScientificNotation), "{text}");
        }
        for text in ["13800138000.0", "13800138000.00"] {
            assert_eq!(normalize(text), Err(ProblemKind::DecimalPoint), "{text}");
        }
        assert!(!is_float("1.05") && !is_float("A1.0") && !is_float("1."));
        assert!(!is_scientific("A1E+10") && !is_scientific("12E+1") && !is_scientific("1E10"));
    }

    #[test]
    fn the_plan_looks_at_five_digits_at_most() {
        for beginning in 10_000..20_000 {
            let verdicts =
                ["000000", "012345", "999999"].map(|end| is_mobile_by_plan(&format!("{beginning}{end}")));
            assert!(
                verdicts.iter().all(|verdict| *verdict == verdicts[0]),
                "{beginning}"
            );
        }
    }

    #[test]
    fn every_end_of_the_plan_for_mobiles_is_any_digits() {
        let china = DATABASE.by_id("CN").unwrap();
        let mobile = china.descriptors().mobile().unwrap();
        let plan: String = mobile.national_number().as_str().split_whitespace().collect();
        assert_eq!(
            plan,
            r"1740[0-5]\d{6}|1(?:[38]\d|4[57]|[59][0-35-9]|6[25-7]|7[0-35-8])\d{8}"
        );
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_what_the_library_says(digits in "1[0-9]{10}") {
            prop_assert_eq!(is_mobile(&digits), is_mobile_by_plan(&digits));
            prop_assert_eq!(is_mobile(&digits), is_mobile_by_plan(&digits));
        }

        #[test]
        fn no_text_panics(text in ".{0,24}") {
            let _ = normalize(&text);
        }
    }
}
