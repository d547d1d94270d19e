//! The numbering plan of mainland China's mobile numbers, as a table.
//!
//! The plan is Google's, by way of the `phonenumber` crate. The crate reads the plans of the whole world and compiles
//! patterns before it answers for the first number: 0.15 s and 20 MB of every process. For eleven digits that begin with
//! 1 its answer depends on the first five alone, so the table holds those, and the tests hold the table against the
//! crate, beginning by beginning. After an update of the crate they say what the table should be.

/// Whether eleven digits are a mobile number.
pub(super) fn is_mobile(national: &str) -> bool {
    let beginning = national.get(..LOOKED_AT).and_then(|digits| digits.parse().ok());
    beginning.is_some_and(|beginning: u16| {
        let behind = MOBILE.partition_point(|(_, last)| *last < beginning);
        MOBILE.get(behind).is_some_and(|(first, _)| *first <= beginning)
    })
}

/// Digits that the plan looks at.
const LOOKED_AT: usize = 5;
/// The first and the last beginning of each range, in order.
const MOBILE: &[(u16, u16)] = &[
    (13_000, 13_999),
    (14_500, 14_599),
    (14_700, 14_799),
    (15_000, 15_399),
    (15_500, 15_999),
    (16_200, 16_299),
    (16_500, 16_799),
    (17_000, 17_405),
    (17_500, 17_899),
    (18_000, 19_399),
    (19_500, 19_999),
];

#[cfg(test)]
mod tests {
    use phonenumber::{Type, country, metadata::DATABASE};
    use proptest::prelude::*;

    use super::*;

    fn is_mobile_by_library(national: &str) -> bool {
        phonenumber::parse(Some(country::Id::CN), national).is_ok_and(|number| {
            number.country().code() == 86 && number.number_type(&DATABASE) == Type::Mobile
        })
    }

    #[test]
    fn the_table_is_the_plan_of_the_library() {
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for beginning in 10_000..20_000 {
            let verdicts =
                ["000000", "012345", "999999"].map(|end| is_mobile_by_library(&format!("{beginning}{end}")));
            assert!(
                verdicts.iter().all(|verdict| *verdict == verdicts[0]),
                "{beginning}: the plan looks at more than five digits"
            );
            match ranges.last_mut() {
                _ if !verdicts[0] => {}
                Some((_, last)) if *last + 1 == beginning => *last = beginning,
                _ => ranges.push((beginning, beginning)),
            }
        }
        assert_eq!(MOBILE, ranges, "write the right one into `MOBILE`");
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
        fn any_number_is_what_the_library_says(digits in "1[0-9]{10}") {
            prop_assert_eq!(is_mobile(&digits), is_mobile_by_library(&digits));
        }
    }
}
