//! Signatures that were made elsewhere, as they are and spoilt.

use serde_json::Value;

use super::*;

const PUBLIC_KEY: &str = include_str!("../../../../tests/vectors/test_wechatpay_pubmode_pub_key.pem");
const ID: &str = "PUB_KEY_ID_0119000001092026113000000000000001";
const NOW: UnixSeconds = UnixSeconds(1_796_000_000);

fn known(id: &str) -> Known {
    Known(vec![(KeyId::new(id), PlatformKey::from_pem(PUBLIC_KEY).unwrap())])
}

/// Headers and body of the first vector, which is right.
struct Answer {
    headers: [String; 4],
    body: String,
}

impl Answer {
    fn good() -> Self {
        let text = include_str!("../../../../tests/vectors/vectors.json");
        let vectors: Value = serde_json::from_str(text).unwrap();
        let vector = &vectors["response_verification"][0];
        Self {
            headers: SignatureHeaders::NAMES.map(|name| vector["headers"][name].as_str().unwrap().to_owned()),
            body: vector["body"].as_str().unwrap().to_owned(),
        }
    }

    fn judge(&self, now: UnixSeconds, known: &Known) -> Verdict {
        let [timestamp, nonce, serial, signature] = self.headers.each_ref().map(|text| Some(text.as_str()));
        let headers = SignatureHeaders {
            timestamp,
            nonce,
            serial,
            signature,
        };
        judge(&headers, self.body.as_bytes(), now, known)
    }
}

/// Which checks pass and which fail, and the hint.
#[track_caller]
fn check(verdict: &Verdict, expected: &str, hint: Option<&str>) {
    let steps: Vec<_> = verdict
        .steps
        .iter()
        .map(|step| format!("{}{}", if step.ok { "" } else { "!" }, step.check))
        .collect();
    assert_eq!(steps.join(" "), expected, "{verdict:?}");
    assert_eq!(verdict.verified, !expected.contains('!'));
    match (hint, &verdict.hint) {
        (Some(hint), Some(given)) => assert!(given.contains(hint), "{given}"),
        (hint, given) => assert_eq!(hint, given.as_deref()),
    }
}

#[test]
fn a_right_answer_passes_every_check() {
    let verdict = Answer::good().judge(NOW, &known(ID));
    check(&verdict, "headers timestamp key signature", None);
}

#[test]
fn a_wrong_time_does_not_hide_whether_the_rest_is_right() {
    let verdict = Answer::good().judge(UnixSeconds(NOW.0 + 600), &known(ID));
    check(
        &verdict,
        "headers !timestamp key signature",
        Some("--received-at"),
    );
    assert_eq!(
        verdict.steps[1].note,
        "signed 600 s before it was received (limit 300 s)"
    );
    let mut tampered = Answer::good();
    tampered.body = tampered.body.replace('4', "5");
    let verdict = tampered.judge(UnixSeconds(NOW.0 - 300), &known(ID));
    let raw = "never re-serialise";
    check(&verdict, "headers !timestamp key !signature", Some(raw));
}

#[test]
fn a_header_that_is_absent_or_no_number_is_named() {
    let headers = SignatureHeaders::default();
    let verdict = judge(&headers, b"", NOW, &known(ID));
    check(&verdict, "!headers", Some("all four"));
    let mut odd = Answer::good();
    odd.headers[0] = "yesterday".to_owned();
    check(&odd.judge(NOW, &known(ID)), "headers !timestamp", None);
}

#[test]
fn what_happened_to_the_body_is_found_out() {
    let spoilt = |change: fn(&str) -> String| {
        let mut answer = Answer::good();
        answer.body = change(&answer.body);
        answer.judge(NOW, &known(ID))
    };
    let wrong = "headers timestamp key !signature";
    check(
        &spoilt(|body| format!("{body}\n")),
        wrong,
        Some("without the line break at the end"),
    );
    check(
        &spoilt(|body| format!("{body}\r\n")),
        wrong,
        Some("without the line break at the end"),
    );
    check(
        &spoilt(|body| format!("\u{feff}{body}")),
        wrong,
        Some("without the byte order mark"),
    );
    check(
        &spoilt(|body| format!(" {}\n", body.replace("\",", "\", "))),
        wrong,
        Some("without blanks between the tokens"),
    );
    check(
        &spoilt(|body| body.replace("EFFECTIVE", "effective")),
        wrong,
        Some("save the raw bytes, for example with `curl -o`; never re-serialise"),
    );
    check(
        &spoilt(|_| String::new()),
        wrong,
        Some("the body is empty; save the raw bytes"),
    );
}

#[test]
fn a_key_under_another_id_is_found_out() {
    let verdict = Answer::good().judge(NOW, &known("PUB_KEY_ID_02"));
    check(
        &verdict,
        "headers timestamp !key",
        Some("configured as PUB_KEY_ID_02"),
    );
    let mut renamed = Answer::good();
    renamed.headers[2] = "5157F09EFDC096DE15EBE81A47057A72000C0DE5".to_owned();
    check(
        &renamed.judge(NOW, &known(ID)),
        "headers timestamp !key",
        Some(ID),
    );
}

#[test]
fn a_probe_and_a_signature_that_is_none_are_told_apart() {
    let signed = |signature: &str| {
        let mut answer = Answer::good();
        answer.headers[3] = signature.to_owned();
        answer.judge(NOW, &known(ID))
    };
    let wrong = "headers timestamp key !signature";
    check(
        &signed("WECHATPAY/SIGNTEST/x"),
        wrong,
        Some("send the request again"),
    );
    check(&signed("***"), wrong, None);
}
