//! What each vector claims, and whether `openssl` agrees. A reader of the protocol for this purpose alone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::openssl::Openssl;
use crate::outcome::Outcome;

/// How many claims were looked at, and those that do not hold.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) checks: usize,
    pub(super) failures: Vec<String>,
}

impl Tally {
    fn expect(&mut self, holds: bool, claim: impl Into<String>) {
        self.checks += 1;
        if !holds {
            self.failures.push(claim.into());
        }
    }
}

/// Checks every section but the AES-256-GCM parts, which `openssl` cannot do on the command line.
pub(super) fn count(vectors: &Value, openssl: &Openssl) -> Outcome<Tally> {
    let mut tally = Tally::default();
    let known: BTreeSet<&str> = SECTIONS.iter().copied().collect();
    let found: BTreeSet<&str> = vectors
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    tally.expect(
        found == known,
        format!("the sections are {found:?}, expected {known:?}"),
    );

    let keys = &vectors["keys"];
    check_keys(&mut tally, keys, openssl)?;
    for vector in list(vectors, "request_signing", &mut tally) {
        check_request(&mut tally, vector, keys, openssl)?;
    }
    for vector in list(vectors, "response_verification", &mut tally) {
        check_answer(
            &mut tally,
            "response",
            vector,
            text(vector, "expect"),
            keys,
            openssl,
        )?;
    }
    for vector in list(vectors, "oaep", &mut tally) {
        check_seal(&mut tally, vector, openssl)?;
    }
    let too_long = &vectors["oaep_too_long"];
    tally.expect(
        text(too_long, "plaintext").len() == 215
            && !openssl.seals(text(keys, "wechatpay_public_key"), text(too_long, "plaintext"))?,
        "oaep_too_long: 215 bytes must not fit the key",
    );
    for vector in list(vectors, "notifications", &mut tally) {
        check_answer(&mut tally, "notification", vector, "ok", keys, openssl)?;
    }
    check_answer(
        &mut tally,
        "certificates",
        &vectors["certificates_download"],
        "ok",
        keys,
        openssl,
    )?;
    Ok(tally)
}

/// Serial numbers are those of the certificates, and the halves of each key belong together.
fn check_keys(tally: &mut Tally, keys: &Value, openssl: &Openssl) -> Outcome {
    for (certificate, serial) in [
        ("merchant_certificate", "merchant_serial_no"),
        ("brand_certificate", "brand_serial_no"),
        ("wechatpay_certificate", "wechatpay_cert_serial_no"),
    ] {
        let found = openssl.serial(text(keys, certificate))?;
        tally.expect(
            found == text(keys, serial),
            format!("keys: {serial} is {found} in the certificate"),
        );
    }
    for (private, public) in [
        ("merchant_private_key", "merchant_certificate"),
        ("brand_private_key", "brand_certificate"),
        ("wechatpay_private_key", "wechatpay_public_key"),
        ("wechatpay_cert_private_key", "wechatpay_certificate"),
    ] {
        let halves = (
            openssl.public_half(text(keys, private))?,
            openssl.public_text(text(keys, public))?,
        );
        tally.expect(
            halves.0.trim() == halves.1.trim(),
            format!("keys: {private} and {public} do not belong together"),
        );
    }
    for key in ["apiv3_key", "brand_api_key"] {
        tally.expect(
            text(keys, key).len() == 32,
            format!("keys: {key} does not have 32 bytes"),
        );
    }
    Ok(())
}

/// The message is built from the request; a correct signer makes the signature bit for bit.
fn check_request(tally: &mut Tally, vector: &Value, keys: &Value, openssl: &Openssl) -> Outcome {
    let name = format!("request `{}`", text(vector, "name"));
    // An upload signs its description, not the multipart body.
    let body = vector
        .get("signed_body")
        .unwrap_or(&vector["body"])
        .as_str()
        .unwrap_or_default();
    let (method, url) = (text(vector, "method"), text(vector, "canonical_url"));
    let (timestamp, nonce) = (&vector["timestamp"], text(vector, "nonce"));
    let message = format!("{method}\n{url}\n{timestamp}\n{nonce}\n{body}\n");
    let signature = text(vector, "signature");
    tally.expect(message == text(vector, "message"), format!("{name}: message"));
    let host_and_path = text(vector, "url").strip_prefix("https://").unwrap_or_default();
    let path = host_and_path
        .find('/')
        .map_or("", |slash| &host_and_path[slash..]);
    tally.expect(path == url, format!("{name}: canonical_url"));
    tally.expect(
        openssl.sign(text(vector, "private_key"), &message)? == signature,
        format!("{name}: signature"),
    );
    let certificate = if vector.get("brand_id").is_some() {
        "brand_certificate"
    } else {
        "merchant_certificate"
    };
    tally.expect(
        openssl.verify(text(keys, certificate), &message, signature)?,
        format!("{name}: verification"),
    );

    let authorization = text(vector, "authorization");
    let scheme = format!("{} ", text(vector, "scheme"));
    let parameters: BTreeSet<&str> = authorization
        .strip_prefix(&scheme)
        .unwrap_or_default()
        .split(',')
        .collect();
    for (parameter, value) in [
        ("nonce_str", nonce.to_owned()),
        ("serial_no", text(vector, "serial_no").to_owned()),
        ("signature", signature.to_owned()),
        ("timestamp", timestamp.to_string()),
    ] {
        let expected = format!("{parameter}=\"{value}\"");
        tally.expect(
            parameters.contains(expected.as_str()),
            format!("{name}: {parameter} of the header"),
        );
    }
    Ok(())
}

/// The verdict of a correct verifier is the one the vector expects.
fn check_answer(
    tally: &mut Tally,
    kind: &str,
    vector: &Value,
    expect: &str,
    keys: &Value,
    openssl: &Openssl,
) -> Outcome {
    let verdict = judge(vector, keys, openssl)?;
    let name = text(vector, "name");
    tally.expect(
        verdict == expect,
        format!("{kind} `{name}`: the verdict is `{verdict}`, expected `{expect}`"),
    );
    Ok(())
}

fn judge(vector: &Value, keys: &Value, openssl: &Openssl) -> Outcome<&'static str> {
    if !(200..300).contains(&vector.get("status").and_then(Value::as_u64).unwrap_or(200)) {
        return Ok("api_error");
    }
    let header = |name: &str| {
        vector["headers"]
            .get(format!("Wechatpay-{name}"))
            .and_then(Value::as_str)
    };
    let (Some(timestamp), Some(nonce), Some(serial), Some(signature)) = (
        header("Timestamp"),
        header("Nonce"),
        header("Serial"),
        header("Signature"),
    ) else {
        return Ok("missing_header");
    };
    let clock = vector["verifier_clock"].as_i64().unwrap_or_default();
    if timestamp
        .parse()
        .map_or(u64::MAX, |timestamp: i64| timestamp.abs_diff(clock))
        >= WINDOW_SECONDS
    {
        return Ok("expired_timestamp");
    }
    let key = if serial == text(keys, "wechatpay_pub_key_id") {
        "wechatpay_public_key"
    } else if serial == text(keys, "wechatpay_cert_serial_no") {
        "wechatpay_certificate"
    } else {
        return Ok("unknown_serial");
    };
    let message = format!("{timestamp}\n{nonce}\n{}\n", text(vector, "body"));
    Ok(if openssl.verify(text(keys, key), &message, signature)? {
        "ok"
    } else {
        "bad_signature"
    })
}

fn check_seal(tally: &mut Tally, vector: &Value, openssl: &Openssl) -> Outcome {
    let name = format!("oaep `{}`", text(vector, "name"));
    let (plaintext, ciphertext) = (text(vector, "plaintext"), text(vector, "ciphertext"));
    let opened = openssl.open(text(vector, "decrypt_with"), ciphertext)?;
    tally.expect(
        opened.as_deref() == Some(plaintext.as_bytes()),
        format!("{name}: plaintext"),
    );
    tally.expect(
        Some(plaintext.len()) == number(vector, "plaintext_len_bytes"),
        format!("{name}: length of the plaintext"),
    );
    tally.expect(
        ciphertext.len() == 344 && number(vector, "ciphertext_len_chars") == Some(344),
        format!("{name}: length of the ciphertext"),
    );
    Ok(())
}

/// A section's vectors. An empty or missing section is a failure: a check of nothing passes too easily.
fn list<'a>(vectors: &'a Value, section: &str, tally: &mut Tally) -> &'a [Value] {
    let list = vectors[section].as_array().map(Vec::as_slice).unwrap_or_default();
    tally.expect(!list.is_empty(), format!("{section} holds no vector"));
    list
}

/// A text of the vector; a missing one is empty and fails the check that reads it.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn number(value: &Value, key: &str) -> Option<usize> {
    value[key]
        .as_u64()
        .and_then(|number| usize::try_from(number).ok())
}

/// How far a clock may be off. Implementations differ at exactly this value, and no vector stands there.
const WINDOW_SECONDS: u64 = 300;

/// The sections of `vectors.json`.
const SECTIONS: &[&str] = &[
    "certificates_download",
    "keys",
    "notice",
    "notifications",
    "oaep",
    "oaep_too_long",
    "request_signing",
    "response_verification",
];

#[cfg(test)]
mod tests;
