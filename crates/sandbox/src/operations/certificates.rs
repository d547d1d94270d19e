//! `GET /v3/certificates`: the platform's certificates, encrypted with the APIv3 key (section 4.5).

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    clock::rfc_3339,
    operations::{Call, Outcome, Scene},
    platform::PlatformCertificate,
    policy::NoCertificates,
    refusal::Refusal,
    rule,
};

/// Every certificate that has not expired; one that starts later is among them, as merchants are to learn about it.
pub(crate) fn list(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let algorithm = call.parameters.get("algorithm_type").and_then(Value::as_str);
    let now = scene.clock.date_time();
    let mut certificates = scene.registry.platform.certificates();
    // The sandbox has no certificate of the other algorithm.
    certificates.retain(|certificate| certificate.not_after >= now && algorithm != Some("SM2"));
    if certificates.is_empty() {
        return Err(match scene.policies.no_certificates {
            NoCertificates::NotFound => (&rule::NO_CERTIFICATES_AS_NOT_FOUND).into(),
            NoCertificates::ResourceNotExists => (&rule::NO_CERTIFICATES).into(),
        });
    }
    let data = certificates
        .iter()
        .map(|certificate| listed(certificate, scene))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Outcome::plain(json!({ "data": data })))
}

fn listed(certificate: &PlatformCertificate, scene: &Scene<'_>) -> Result<Value, Refusal> {
    let mut nonce = scene.tokens.token().to_ascii_lowercase();
    nonce.truncate(12);
    let sealed = (scene.caller.apiv3_key).seal(
        nonce.as_bytes(),
        ASSOCIATED_DATA.as_bytes(),
        certificate.pem.as_bytes(),
    );
    let sealed = sealed.map_err(|_| &rule::SYSTEM_ERROR)?;
    Ok(json!({
        "serial_no": certificate.serial,
        "effective_time": rfc_3339(certificate.not_before.into()),
        "expire_time": rfc_3339(certificate.not_after.into()),
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": ASSOCIATED_DATA,
            "ciphertext": STANDARD.encode(sealed),
        },
    }))
}

const ASSOCIATED_DATA: &str = "certificate";
