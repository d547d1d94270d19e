//! The merchant's key and certificate, from PEM or PKCS#12, under a passphrase or not.
//!
//! A private key and a passphrase go into their own types and nowhere else.

use std::{path::Path, sync::Arc};

use wxmember::{
    Certificate, ConfigError, KeyError, Merchant, MerchantKey, Passphrase, Pkcs12, Pkcs12Error, Signer, party,
};
use wxmember_crypto::KeyFileKind;

use super::{
    At, ProfileTable, keys::certificate_of, place::Place, read, read_bytes, readers::tell_readers,
    without_line_break,
};
use crate::{failure::Failure, serial};

/// A private key, with its certificate when that came in the same file.
pub(crate) struct KeyPair {
    pub(crate) key: MerchantKey,
    pub(crate) certificate: Option<Certificate<party::Merchant>>,
}

/// Who calls.
pub(super) fn merchant(
    table: &ProfileTable,
    at: &At<'_>,
    signer: impl FnOnce(Arc<MerchantKey>) -> Arc<dyn Signer>,
) -> Result<Merchant, Failure> {
    let KeyPair { key, certificate } = key_pair(table, at)?;
    let key = Arc::new(key);
    let config = |error: ConfigError| at.wrong(&error.to_string());
    let certificate = match &table.merchant_certificate {
        Some(path) => Some(certificate_of::<party::Merchant>(
            &at.folder.join(path),
            Place::MerchantCertificate,
        )?),
        None => certificate,
    };
    let serial = match (certificate, &table.merchant_serial) {
        (Some(certificate), written) => {
            if !certificate.belongs_to(&key) {
                return Err(config(ConfigError::CertificateMismatch {
                    serial: certificate.serial().clone(),
                }));
            }
            let differs = |written: &String| serial::canonical(written) != certificate.serial().as_str();
            if written.as_ref().is_some_and(differs) {
                return Err(at
                    .wrong("`merchant_serial` is not the serial number of the merchant's certificate")
                    .hint(format!(
                        "leave `merchant_serial` out, or set it to {}",
                        certificate.serial()
                    )));
            }
            certificate.serial().as_str().to_owned()
        }
        (None, Some(written)) => serial::canonical(written),
        (None, None) => {
            return Err(at
                .wrong("neither `merchant_certificate` nor `merchant_serial` is set")
                .hint("set `merchant_certificate` to the path of apiclient_cert.pem"));
        }
    };
    Merchant::with_signer(&table.mchid, &serial, signer(Arc::clone(&key)), key).map_err(config)
}

/// What signs requests and opens answers.
pub(super) fn key_pair(table: &ProfileTable, at: &At<'_>) -> Result<KeyPair, Failure> {
    let path = |path: &Path| {
        let path = at.folder.join(path);
        tell_readers(&path);
        path
    };
    match (&table.merchant_key, &table.merchant_p12) {
        (Some(_), Some(_)) => {
            Err(at.wrong("`merchant_key` and `merchant_p12` are both set; one of them is enough"))
        }
        (None, None) => Err(at
            .wrong("neither `merchant_key` nor `merchant_p12` is set")
            .hint("set `merchant_key` to the path of apiclient_key.pem")),
        (Some(key), None) => {
            let passphrase = match &table.merchant_key_passphrase_file {
                Some(file) => Some(passphrase_of(&path(file))?),
                None => None,
            };
            key_pair_of(&path(key), passphrase)
        }
        (None, Some(p12)) => {
            let passphrase = match &table.merchant_p12_passphrase_file {
                Some(file) => passphrase_of(&path(file))?,
                // What WeChat Pay's own file has.
                None => Passphrase::new(&table.mchid),
            };
            key_pair_of(&path(p12), Some(passphrase))
        }
    }
}

/// A private key of the merchant from a file of any kind that is read.
pub(crate) fn key_pair_of(path: &Path, passphrase: Option<Passphrase>) -> Result<KeyPair, Failure> {
    let bytes = read_bytes(path)?;
    match (KeyFileKind::of(&bytes), passphrase) {
        (KeyFileKind::Pkcs12, Some(passphrase)) => {
            let opened = Pkcs12::open(&bytes, &passphrase).map_err(|error| pkcs12_failure(path, &error))?;
            let (key, certificate) = opened.into_parts();
            Ok(KeyPair {
                key,
                certificate: Some(certificate),
            })
        }
        (KeyFileKind::Pkcs12, None) => Err(Failure::new(format!(
            "{}: a PKCS#12 file needs a passphrase",
            path.display()
        ))
        .hint(
            "name it with `merchant_p12` in the profile (`init --merchant-p12`), or a file that holds its passphrase \
             with `open --passphrase-file`; WeChat Pay's own file has the merchant id",
        )),
        (KeyFileKind::EncryptedPrivateKey, Some(passphrase)) => {
            let text = String::from_utf8_lossy(&bytes);
            let key = MerchantKey::from_encrypted_pem(&text, &passphrase);
            key.map(KeyPair::alone)
                .map_err(|error| Failure::because(path.display(), &error))
        }
        _ => match MerchantKey::from_pem(&String::from_utf8_lossy(&bytes)) {
            Err(KeyError::Encrypted) => Err(Failure::new(format!(
                "{}: the private key is encrypted with a passphrase",
                path.display()
            ))
            .hint(
                "name a file that holds the passphrase: `merchant_key_passphrase_file` in the profile \
                 (`init --merchant-key-passphrase-file`), or `open --passphrase-file`",
            )),
            key => key
                .map(KeyPair::alone)
                .map_err(|error| Place::MerchantKey.unusable(path, &bytes, &error)),
        },
    }
}

/// A passphrase from a file of its own.
pub(crate) fn passphrase_of(path: &Path) -> Result<Passphrase, Failure> {
    Ok(Passphrase::new(without_line_break(&read(path)?)))
}

impl KeyPair {
    fn alone(key: MerchantKey) -> Self {
        Self {
            key,
            certificate: None,
        }
    }
}

fn pkcs12_failure(path: &Path, error: &Pkcs12Error) -> Failure {
    Failure::because(path.display(), error)
}
