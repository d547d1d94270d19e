//! The header `Authorization` of a request, read strictly. Must never panic: it reads whatever a stranger sends.

use crate::rule::{self, Rule};

/// The five parameters of the header, as texts of the header.
///
/// Their order is free and blanks around commas and equals signs are let through; a parameter that is missing, double,
/// empty or unknown is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Authorization<'a> {
    pub(crate) mchid: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) serial: &'a str,
    pub(crate) signature: &'a str,
    /// As it is signed.
    pub(crate) timestamp: &'a str,
    pub(crate) unix_seconds: i64,
}

impl<'a> Authorization<'a> {
    pub(crate) fn parse(header: &'a str) -> Result<Self, &'static Rule> {
        let header = header.trim_matches(BLANKS);
        let (scheme, parameters) = header.split_once(BLANKS).unwrap_or((header, ""));
        if scheme != SCHEME {
            return Err(&rule::AUTHORIZATION_SCHEME);
        }
        Self::from_parameters(parameters).ok_or(&rule::AUTHORIZATION_MALFORMED)
    }

    fn from_parameters(mut rest: &'a str) -> Option<Self> {
        let [mut mchid, mut nonce, mut serial, mut signature, mut timestamp] = [None; 5];
        loop {
            let (name, after_name) = rest.split_once('=')?;
            let quoted = after_name.trim_start_matches(BLANKS).strip_prefix('"')?;
            let (value, after_value) = quoted.split_once('"')?;
            let slot = match name.trim_matches(BLANKS) {
                "mchid" => &mut mchid,
                "nonce_str" => &mut nonce,
                "serial_no" => &mut serial,
                "signature" => &mut signature,
                "timestamp" => &mut timestamp,
                _ => return None,
            };
            if value.is_empty() || slot.replace(value).is_some() {
                return None;
            }
            rest = after_value.trim_matches(BLANKS);
            if rest.is_empty() {
                break;
            }
            rest = rest.strip_prefix(',')?;
        }
        let (nonce, timestamp) = (nonce?, timestamp?);
        let decimal = timestamp.bytes().all(|byte| byte.is_ascii_digit());
        if !decimal || nonce.len() > LONGEST_NONCE {
            return None;
        }
        Some(Self {
            mchid: mchid?,
            nonce,
            serial: serial?,
            signature: signature?,
            timestamp,
            unix_seconds: timestamp.parse().ok()?,
        })
    }
}

/// The scheme of the service-provider family.
pub(crate) const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

const BLANKS: [char; 2] = [' ', '\t'];

/// The documents show 32 characters and state no limit.
const LONGEST_NONCE: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = r#"WECHATPAY2-SHA256-RSA2048 mchid="19",nonce_str="n",timestamp="1796000000",serial_no="4D",signature="aa==""#;

    #[test]
    fn the_order_is_free_and_blanks_do_no_harm() {
        let good = Authorization::parse(GOOD).unwrap();
        assert_eq!(
            (good.mchid, good.nonce, good.serial, good.signature),
            ("19", "n", "4D", "aa==")
        );
        assert_eq!((good.timestamp, good.unix_seconds), ("1796000000", 1_796_000_000));
        let shuffled = "  WECHATPAY2-SHA256-RSA2048   signature = \"aa==\" ,\tserial_no=\"4D\", timestamp=\"1796000000\" ,mchid=\"19\",nonce_str=\"n\"  ";
        assert_eq!(Authorization::parse(shuffled), Ok(good));
    }

    #[track_caller]
    fn check(header: &str, expected: &'static Rule) {
        assert_eq!(Authorization::parse(header), Err(expected), "{header}");
    }

    #[test]
    fn another_scheme_is_refused() {
        check("", &rule::AUTHORIZATION_SCHEME);
        check("Bearer x", &rule::AUTHORIZATION_SCHEME);
        check(&GOOD.to_lowercase(), &rule::AUTHORIZATION_SCHEME);
        check(&GOOD.replace("PAY2", "PAY-BRAND"), &rule::AUTHORIZATION_SCHEME);
    }

    #[test]
    fn a_malformed_header_is_refused() {
        check("WECHATPAY2-SHA256-RSA2048", &rule::AUTHORIZATION_MALFORMED);
        for (from, to) in [
            (r#"mchid="19","#, ""),
            (r#"mchid="19""#, r#"mchid="""#),
            (r#"mchid="19""#, r#"mchid="19",mchid="19""#),
            (r#"mchid="19""#, r#"mchid="19",brand_id="1004""#),
            (r#"mchid="19""#, "mchid=19"),
            ("1796000000", "1796000000.5"),
            ("1796000000", "-1796000000"),
            ("1796000000", "99999999999999999999"),
            (r#"aa==""#, "aa=="),
            (r#"aa==""#, r#"aa==","#),
            (r#",serial_no"#, r#";serial_no"#),
        ] {
            check(&GOOD.replacen(from, to, 1), &rule::AUTHORIZATION_MALFORMED);
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(header in any::<String>(), at in 0..GOOD.len(), insert in any::<char>()) {
            let _ = Authorization::parse(&header);
            let _ = Authorization::parse(&format!("{SCHEME} {header}"));
            let mut damaged = GOOD.to_owned();
            damaged.insert(at, insert);
            let _ = Authorization::parse(&damaged);
            let _ = Authorization::parse(&GOOD[..at]);
        }
    }
}
