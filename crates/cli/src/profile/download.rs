//! The platform certificates of a profile that names none, only the APIv3 key that opens them.

use serde::Deserialize;
use wxmember::{ApiV3Key, Certificate, KeyId, RetryPolicy, party::Platform};
use wxmember_crypto::SealedResource;

use super::Profile;
use crate::{advice, failure::Failure};

/// Downloads them; the one that requests are sealed with comes first.
///
/// The SDK downloads and judges them first, so that the list is read from an answer that was verified.
pub(super) async fn certificates(
    profile: &Profile,
    key: &ApiV3Key,
) -> Result<Vec<Certificate<Platform>>, Failure> {
    let failure = |error: &wxmember::Error| {
        let failure = Failure::new(advice::what(error));
        match advice::of(error, profile) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    };
    let client = profile.client.with_retry(RetryPolicy::never());
    client
        .refresh_certificates()
        .await
        .map_err(|error| failure(&error))?;
    let reply = client
        .chain("v3/certificates")
        .get()
        .await
        .map_err(|error| failure(&error))?;
    let listed: Listed = serde_json::from_slice(reply.bytes())
        .map_err(|_| Failure::new("the list of platform certificates cannot be read"))?;
    let opened = listed
        .data
        .iter()
        .filter_map(|item| item.encrypt_certificate.open(key));
    let mut certificates: Vec<_> = opened.collect();
    let sealing: Option<KeyId> = client.sealing_key_id();
    certificates.sort_by_key(|certificate| Some(certificate.serial()) != sealing.as_ref());
    Ok(certificates)
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    encrypt_certificate: Sealed,
}

#[derive(Deserialize)]
struct Sealed {
    algorithm: String,
    nonce: String,
    #[serde(default)]
    associated_data: Option<String>,
    ciphertext: String,
}

impl Sealed {
    /// `None` for what does not open or is no RSA certificate: others may be good.
    fn open(&self, key: &ApiV3Key) -> Option<Certificate<Platform>> {
        let pem = key
            .open_resource(&SealedResource {
                algorithm: &self.algorithm,
                nonce: &self.nonce,
                associated_data: self.associated_data.as_deref(),
                ciphertext: &self.ciphertext,
            })
            .ok()?;
        Certificate::from_pem(std::str::from_utf8(&pem).ok()?).ok()
    }
}
