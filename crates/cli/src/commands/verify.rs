//! `wxmember verify`: says whether WeChat Pay signed this, and if not, which check failed and why.

use wxmember::{Clock, KeyId, SystemClock, UnixSeconds};
use wxmember_signing::SignatureHeaders;

use crate::{
    args::{Chosen, Format, fields::Verify},
    exit,
    failure::Failure,
    headers::Headers,
    input,
    language::{self, t},
    message,
    print::{say, tell},
    profile::{self, PlatformKeys},
    verdict::{Known, judge},
};

/// Reads headers and body, verifies, and returns the exit code.
pub(crate) async fn run(arguments: &Verify) -> Result<exit::Code, Failure> {
    let read = match &arguments.headers {
        Some(path) => {
            let text = input::text(input::file(path, "the headers")?, "the file of headers")?;
            Headers::parse(&text)
        }
        None => Headers::default(),
    };
    let given = |flag: &Option<String>, name| flag.clone().or_else(|| read.find(name).map(str::to_owned));
    let [timestamp_name, nonce_name, serial_name, signature_name] = SignatureHeaders::NAMES;
    let timestamp = given(&arguments.timestamp, timestamp_name);
    let nonce = given(&arguments.nonce, nonce_name);
    let serial = given(&arguments.serial, serial_name);
    let signature = given(&arguments.signature, signature_name);
    let headers = SignatureHeaders {
        timestamp: timestamp.as_deref(),
        nonce: nonce.as_deref(),
        serial: serial.as_deref(),
        signature: signature.as_deref(),
    };
    let body = input::file(&arguments.body, "the body")?;
    let known = known(arguments, headers.serial).await?;
    let now = arguments
        .received_at
        .map_or_else(|| SystemClock::new().now(), UnixSeconds);
    if arguments.verbose
        && let (Some(timestamp), Some(nonce)) = (headers.timestamp, headers.nonce)
    {
        let mut signed = format!("{timestamp}\n{nonce}\n").into_bytes();
        signed.extend_from_slice(&body);
        signed.push(b'\n');
        tell!("{}", t!("message-to-cover"));
        for line in message::lines(&signed) {
            tell!("  {line}");
        }
    }
    let mut verdict = judge(&headers, &body, now, &known);
    if let Some(status @ 300..) = read.status()
        && !verdict.verified
    {
        verdict.hint = Some(format!(
            "an answer with status {status} need not be signed: WeChat Pay's errors mostly are not"
        ));
    }
    match arguments.format {
        Format::Text => {
            for step in &verdict.steps {
                let mark = if step.ok { '✓' } else { '✗' };
                say!(
                    "{mark} {}: {}",
                    language::known(step.check),
                    language::known(&step.note)
                )?;
            }
            say!(
                "{}",
                if verdict.verified {
                    t!("verified")
                } else {
                    t!("not-verified")
                }
            )?;
        }
        Format::Json => {
            let text = serde_json::to_string(&verdict)
                .map_err(|error| Failure::because("failed to write the verdict as JSON", &error))?;
            say!("{text}")?;
        }
    }
    if let (Some(hint), Format::Text) = (&verdict.hint, arguments.format) {
        tell!("\n{}{}", t!("hint-prefix"), language::known(hint));
    }
    Ok(if verdict.verified {
        exit::DONE
    } else {
        exit::FAILED
    })
}

/// The keys to verify with. A public key without an id is taken for the one that the header names.
async fn known(arguments: &Verify, serial: Option<&str>) -> Result<Known, Failure> {
    let keys = match &arguments.key {
        Some(path) => PlatformKeys::of_file(path, arguments.key_id.as_deref().or(serial))?,
        None => {
            let Chosen { config, profile } = &arguments.chosen;
            let wanted = KeyId::new(serial.unwrap_or_default());
            profile::platform_keys(config, profile, Some(&wanted)).await?
        }
    };
    let known: Vec<_> = keys
        .all()
        .map(|(id, key)| (KeyId::clone(id), key.clone()))
        .collect();
    if known.is_empty() {
        return Err(
            Failure::new("the profile names no key of WeChat Pay to verify with")
                .hint("give one with `--key`: pub_key.pem, or a platform certificate"),
        );
    }
    Ok(Known(known))
}
