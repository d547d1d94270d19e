//! Mobile numbers of mainland China, as people and spreadsheets write them.
//!
//! The numbering plan is in [`plan`]; a number of another country, or of a landline, is refused.

use super::problem::ProblemKind;

mod plan;

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
    if national.len() != LENGTH || !national.starts_with('1') {
        return Err(ProblemKind::BadPhoneNumber);
    }
    match plan::is_mobile(national) {
        true => Ok(national.to_owned()),
        false => Err(ProblemKind::BadPhoneNumber),
    }
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

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,24}") {
            let _ = normalize(&text);
        }
    }
}
