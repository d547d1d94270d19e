//! What went wrong with a call, and what to do about it, for people. Decides by kind, status and code.

use std::{error::Error as _, sync::Arc};

use wxmember::{Certificates, Error, ErrorKind, SealError, SealReason, VerifyError};

use crate::{failure::chain, message::escaped, profile::Profile};

/// What happened, with the platform's own words, its code and the request's id.
pub(crate) fn what(error: &Error) -> String {
    let mut text = chain(error);
    // What the SDK calls an operation that the API document does not know.
    if let Some(rest) = text.strip_prefix("chain: ") {
        text = rest.to_owned();
    }
    let error = deciding(error);
    if let Some(message) = error.message() {
        let shown: String = message.chars().take(LONGEST_MESSAGE).collect();
        text.push_str(&format!(": {}", escaped(shown.as_bytes())));
    }
    if let Some(detail) = error.detail() {
        let parts = [&detail.location, &detail.field, &detail.issue];
        let parts: Vec<_> = parts
            .into_iter()
            .flatten()
            .map(|part| escaped(part.as_bytes()))
            .collect();
        if !parts.is_empty() {
            text.push_str(&format!(" ({})", parts.join(" ")));
        }
    }
    text
}

/// The error to decide by: of a call without a key, the download that failed.
pub(crate) fn deciding(error: &Error) -> &Error {
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<Arc<Error>>());
    source.map_or(error, |download| download)
}

/// The causes alone, such as a refused connection.
pub(crate) fn causes(error: &Error) -> String {
    let mut text = String::new();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}

/// What can be done about it; `None` when there is nothing more to say than the error says itself.
pub(crate) fn of(error: &Error, profile: &Profile) -> Option<String> {
    let error = deciding(error);
    if let Some(hint) = of_certificates(error) {
        return Some(hint.to_owned());
    }
    let (mchid, serial) = (
        profile.client.merchant().mchid(),
        profile.client.merchant().serial(),
    );
    Some(match error.kind() {
        ErrorKind::Unauthorized => match error.clock_offset() {
            Some(offset) if offset.unsigned_abs() >= 300 => format!(
                "set this machine's clock: it is {} s {} the platform's",
                offset.unsigned_abs(),
                if offset > 0 { "behind" } else { "ahead of" }
            ),
            _ => format!(
                "see in the merchant platform whether the certificate {serial} is the merchant {mchid}'s and in \
                 force; the private key is the certificate's if `wxmember doctor` says so"
            ),
        },
        ErrorKind::Forbidden => {
            "ask WeChat Pay to open this API for the merchant id, and the brand to authorise it".to_owned()
        }
        ErrorKind::NotFound if error.code().is_none() => {
            "check the path; a right path that is unknown is not open for this merchant id".to_owned()
        }
        ErrorKind::NotFound => "check the ids: they belong to another brand, or to nobody".to_owned(),
        ErrorKind::Refused if error.status() == Some(405) => {
            "the path is right and the method is not".to_owned()
        }
        ErrorKind::RateLimited => match error.retry_after() {
            Some(wait) => format!("wait {} s and send it again", wait.as_secs()),
            None => "send it again later: the API allows 5 calls a second and merchant id".to_owned(),
        },
        ErrorKind::NotProcessed | ErrorKind::Platform | ErrorKind::Interrupted | ErrorKind::Undecodable => {
            "it may have taken effect: look it up, or send the same once more".to_owned()
        }
        ErrorKind::Unverified => match error.verify_error() {
            Some(VerifyError::Stale { .. }) => "set this machine's clock, best by NTP".to_owned(),
            Some(VerifyError::UnknownKey { key }) if key.is_public_key_id() => {
                format!("set `platform_key_id` to {key} and `platform_key` to that key")
            }
            Some(VerifyError::UnknownKey { .. }) => {
                "the platform signs with a certificate: set `platform_certificate`, or `apiv3_key_file` to \
                 download it"
                    .to_owned()
            }
            Some(VerifyError::Mismatch { key }) => {
                format!("download the public key of {key} in the merchant platform once more")
            }
            _ => "it may have taken effect: look it up, or send the same once more".to_owned(),
        },
        ErrorKind::Request => {
            "give a part of the path with `--param NAME=VALUE`, a query with `--query NAME=VALUE`".to_owned()
        }
        ErrorKind::Connect => "check the address, the network and the proxy".to_owned(),
        _ => return None,
    })
}

/// The same for who can change the call itself. `is_of_query` says whether a parameter of the query has a name.
pub(crate) fn of_call(
    error: &Error,
    profile: &Profile,
    is_of_query: impl Fn(&str) -> bool,
) -> Option<String> {
    match error.kind() {
        ErrorKind::BadRequest => Some(
            "see the field that the message names; a sealed field needs `--seal`, a query parameter `--query` or `--seal-query`"
                .to_owned(),
        ),
        ErrorKind::Seal => {
            let seal = error.source()?.downcast_ref::<SealError>()?;
            let field = seal.field();
            match seal.reason() {
                reason if field.strip_prefix('/').is_some_and(&is_of_query) => match reason {
                    SealReason::NotSealed => Some(format!("seal it with `--seal-query {}=@FILE`", &field[1..])),
                    _ => None,
                },
                SealReason::NotSealed => Some(format!("seal it with `--seal {field}`")),
                SealReason::Crypto(_) | SealReason::FourByteCharacter | SealReason::NoKey => None,
                _ => Some(format!(
                    "give the text in the body and seal it with `--seal {field}`, or give both with `--seal {field}=@FILE`"
                )),
            }
        }
        _ => of(error, profile),
    }
}

/// What is special about the download of platform certificates.
fn of_certificates(error: &Error) -> Option<&'static str> {
    // The text of an error begins with its operation.
    if !error
        .to_string()
        .starts_with(Certificates::LIST_CERTIFICATES.id())
    {
        return None;
    }
    match (error.kind(), error.verify_error()) {
        (ErrorKind::NotFound, _) => {
            Some("this merchant has no platform certificate; set `platform_key` and `platform_key_id`")
        }
        // An answer is verified with the certificates inside it, once they are opened.
        (ErrorKind::Unverified, Some(VerifyError::UnknownKey { key })) if !key.is_public_key_id() => Some(
            "no certificate of the answer opens: write the APIv3 key (APIv3密钥) that is set in the merchant \
             platform into the file of `apiv3_key_file`",
        ),
        _ => None,
    }
}

/// Characters of the platform's message that are shown.
const LONGEST_MESSAGE: usize = 300;
