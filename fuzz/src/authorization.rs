//! Requests as the sandbox reads them: the header `Authorization`, what is signed, and everything behind it.
//!
//! The first byte chooses the way, then comes a request: `METHOD target`, header lines, an empty line, a body.
//!
//! - *headers*: every header comes from the input; `{SIGNATURE}` in `Authorization` stands for the signature that fits.
//! - *signed*: the headers that a good client sends are added, so that what stands behind them is reached.

use std::sync::LazyLock;

use serde_json::Value;
use tokio::runtime::Runtime;
use wxmember_sandbox::{
    Clock, Sandbox,
    fuzzing::{Answered, answer},
};

use crate::{
    claims::{MARKER, contains, has_marker},
    input::{choice, first, headers, line, replaced},
    parties::{
        APIV3_KEY, MCHID, MERCHANT, MERCHANT_KEY, NOW, PLATFORM_PRIVATE_KEY, PUBLIC_KEY_ID, filled, identity,
        is_the_merchants, is_the_platforms, merchant_certificate, tokens,
    },
    workplace::runtime,
};

/// Asks the sandbox once, or twice when the first answer was a success.
pub fn run(data: &[u8]) {
    let Some((way, operation, rest)) = choice(data) else {
        return;
    };
    let (start, rest) = line(rest);
    let (mut head, body) = headers(rest);
    let body = filled(body);
    let start = String::from_utf8_lossy(&filled(start)).into_owned();
    let (method, target) = start.split_once(' ').unwrap_or(("POST", &start));
    // A target with a ciphertext in it.
    let target = target.replace('+', "%2B");
    let (method, target) = match REQUESTS.get(operation % (2 * REQUESTS.len())) {
        Some((method, path)) if way % 2 == 1 => (*method, format!("{path}{target}")),
        _ => (method, target),
    };
    if way % 2 == 1 {
        let own = [
            ("Accept", "application/json"),
            ("User-Agent", "fuzz"),
            ("Content-Type", "application/json"),
            ("Wechatpay-Serial", PUBLIC_KEY_ID),
        ];
        for (name, value) in own {
            if first(&head, name).is_none() {
                head.push((name.to_owned(), value.into()));
            }
        }
        let serial = merchant_certificate().serial().as_str().to_owned();
        let value = format!(
            r#"WECHATPAY2-SHA256-RSA2048 mchid="{MCHID}",nonce_str="n",timestamp="{NOW}",serial_no="{serial}",signature="{}""#,
            tokens::SIGNATURE
        );
        head.retain(|(name, _)| !name.eq_ignore_ascii_case("Authorization"));
        head.push(("Authorization".to_owned(), value.into_bytes()));
    }
    for (name, value) in &mut head {
        if name.eq_ignore_ascii_case("Authorization") && contains(value, tokens::SIGNATURE.as_bytes()) {
            let text = String::from_utf8_lossy(value).into_owned();
            let message = message(method, &target, &text, &body);
            let signature = MERCHANT.sign(&message).expect("a test key signs").to_base64();
            *value = replaced(value, tokens::SIGNATURE, signature.as_bytes());
        }
    }
    SANDBOX.reset();
    let Some(answered) = answer(&SANDBOX, method.as_bytes(), &target, &head, &body) else {
        return;
    };
    look(&answered, method, &target, &head, &body);
    if matches!(answered.status, Some(200 | 204)) && !answered.is_faulty {
        // The nonce was used.
        let again = answer(&SANDBOX, method.as_bytes(), &target, &head, &body).expect("the same request");
        assert_eq!(again.status, Some(401), "{again:?}");
    }
}

fn look(answered: &Answered, method: &str, target: &str, head: &[(String, Vec<u8>)], body: &[u8]) {
    let explanation: Value = serde_json::from_str(&answered.explanation).expect("an explanation is JSON");
    assert!(explanation.is_object());
    for secret in [APIV3_KEY, MERCHANT_KEY, PLATFORM_PRIVATE_KEY] {
        assert!(
            !answered.explanation.contains(secret),
            "an explanation holds a key"
        );
    }
    // What was opened is not shown.
    let is_personal_elsewhere = contains(body, b"13800138000")
        || target.contains("13800138000")
        || head.iter().any(|(_, value)| contains(value, b"13800138000"));
    assert!(is_personal_elsewhere || !answered.explanation.contains("13800138000"));
    if answered.is_faulty {
        return;
    }
    let status = answered.status.expect("without a fault there is an answer");
    match status {
        200 | 204 => {
            assert!(answered.rule.is_none());
            let given = first(head, "Authorization").expect("what is taken is signed");
            let signature = parameter(given, "signature").expect("a signature");
            assert!(given.trim_start().starts_with("WECHATPAY2-SHA256-RSA2048"));
            assert_eq!(parameter(given, "mchid"), Some(MCHID));
            assert!(
                is_the_merchants(&message(method, target, given, body), signature),
                "{given}"
            );
            let header = |name: &str| {
                let mut headers = answered.headers.iter();
                headers.find_map(|(own, value)| own.eq_ignore_ascii_case(name).then_some(value.as_str()))
            };
            let names = [
                "Wechatpay-Timestamp",
                "Wechatpay-Nonce",
                "Wechatpay-Serial",
                "Wechatpay-Signature",
            ];
            assert!(
                is_the_platforms(names.map(header), &answered.body),
                "an answer does not verify"
            );
        }
        400..=499 => {
            assert!(answered.rule.is_some(), "a refusal has a rule");
            if !answered.body.is_empty() {
                let refusal: Value = serde_json::from_slice(&answered.body).expect("a refusal is JSON");
                assert!(
                    refusal["code"].is_string() && refusal["message"].is_string(),
                    "{refusal}"
                );
            }
            // A value of the body is not repeated; a path may be.
            if has_marker(body) && !target.contains(MARKER) {
                assert!(
                    !contains(&answered.body, MARKER.as_bytes()),
                    "{}",
                    String::from_utf8_lossy(&answered.body)
                );
            }
        }
        _ => panic!("{status} by {:?}", answered.rule),
    }
}

/// The five lines, with the time and the nonce that the header names.
fn message(method: &str, target: &str, authorization: &str, body: &[u8]) -> Vec<u8> {
    let [timestamp, nonce] =
        ["timestamp", "nonce_str"].map(|name| parameter(authorization, name).unwrap_or_default());
    let mut message = format!("{method}\n{target}\n{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    message
}

/// A parameter by a search that knows nothing of the grammar.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = header;
    loop {
        let at = rest.find(name)?;
        let behind = &rest[at + name.len()..];
        let value = behind.trim_start_matches([' ', '\t']).strip_prefix('=');
        let value = value.and_then(|value| value.trim_start_matches([' ', '\t']).strip_prefix('"'));
        match value {
            Some(value) => return value.split('"').next(),
            None => rest = behind,
        }
    }
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(runtime);

/// Its clock stands still, and nobody uses its sockets.
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    let sandbox = Sandbox::builder()
        .with_identity(identity())
        .with_clock(Clock::manual(NOW));
    RUNTIME.block_on(sandbox.start()).expect("a sandbox")
});

/// Operations that an input names by a number; what it writes itself comes behind the path.
const REQUESTS: [(&str, &str); 15] = [
    ("POST", "/v3/brand/partner/card-member/user-cards/import-by-phone"),
    (
        "POST",
        "/v3/brand/partner/card-member/user-cards/import-by-openid",
    ),
    ("GET", "/v3/brand/partner/card-member/user-cards"),
    ("PATCH", "/v3/brand/partner/card-member/user-cards/478515832665"),
    (
        "POST",
        "/v3/brand/partner/card-member/user-cards/478515832665/confirm",
    ),
    (
        "POST",
        "/v3/brand/partner/card-member/user-cards/478515832665/invalidate",
    ),
    ("POST", "/v3/brand/partner/card-member/cards"),
    (
        "PATCH",
        "/v3/brand/partner/card-member/cards/pbLatjvWOibDc5-TBnbUk1pD12o0",
    ),
    ("GET", "/v3/brand/partner/card-member/cards"),
    ("GET", "/v3/certificates"),
    (
        "POST",
        "/v3/marketing/membercard-open/cards/pbLatjvWOibDc5-TBnbUk1pD12o0/phone-membercard/import",
    ),
    ("GET", "/v3/marketing/membercard-open/phonenumber-member/search"),
    ("POST", "/v3/brand/partner/card-member/user-points/sync"),
    ("POST", "/v3/brand/partner/card-member/membership-activities"),
    // Its success has no body.
    ("POST", "/v3/marketing/membercard-open/phonenumber-member/import"),
];
