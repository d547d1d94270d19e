//! PKCS#12, the form in which WeChat Pay hands out the merchant's key and certificate: `apiclient_cert.p12`.
//!
//! Only reading, only files under a passphrase, and only one key with the certificate that belongs to it. The work a
//! file can cause is bounded by its size and by the rounds it may ask for.

use hmac::{
    Mac, SimpleHmac,
    digest::{Digest, FixedOutputReset, core_api::BlockSizeUser},
};
use pkcs12::{
    cert_type::CertBag,
    kdf::{Pkcs12KeyType, derive_key},
    mac_data::MacData,
    pbe_params::EncryptedPrivateKeyInfo,
    pfx::Pfx,
};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use x509_cert::der::{
    self, AnyRef, Decode, Reader, SliceReader,
    asn1::{ObjectIdentifier, OctetString},
};
use zeroize::Zeroizing;

use crate::{
    Backend, Certificate, KeyFileKind, PrivateKey,
    error::Pkcs12Error,
    party::Party,
    passphrase::{Budget, Passphrase, PassphraseError, decrypt},
};

/// A private key and the certificate that belongs to it, from one file.
///
/// ```no_run
/// use wxmember_crypto::{Passphrase, Pkcs12, party::Merchant};
///
/// let file = std::fs::read("apiclient_cert.p12")?;
/// let (key, certificate) = Pkcs12::<Merchant>::open(&file, &Passphrase::new("1900000109"))?.into_parts();
/// assert!(certificate.belongs_to(&key));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pkcs12<P: Party> {
    key: PrivateKey<P>,
    certificate: Certificate<P>,
}

impl<P: Party> Pkcs12<P> {
    /// Opens a file of at most 16 KiB. WeChat Pay's has the merchant id as its passphrase.
    ///
    /// Read are PBES2, which OpenSSL 3 writes, and the triple DES and RC2 of older tools. Certificates of authorities
    /// that the file may hold as well are left aside.
    ///
    /// # Errors
    ///
    /// [`Pkcs12Error::WrongPassphrase`] for a wrong passphrase or a changed file, which PKCS#12 cannot tell apart;
    /// otherwise what was found instead, what is missing, or why it cannot be decrypted.
    pub fn open(der: &[u8], passphrase: &Passphrase) -> Result<Self, Pkcs12Error> {
        Self::open_with(Backend::default(), der, passphrase)
    }

    /// The same as [`open`](Self::open) with a chosen backend.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(backend: Backend, der: &[u8], passphrase: &Passphrase) -> Result<Self, Pkcs12Error> {
        let contents = Contents::read(der, passphrase)?;
        let pkcs8 = match contents.keys.as_slice() {
            [] => return Err(Pkcs12Error::NoKey),
            [one] => one,
            _ => return Err(Pkcs12Error::SeveralKeys),
        };
        let key = PrivateKey::from_pkcs8_der_with(backend, pkcs8).map_err(Pkcs12Error::Key)?;
        let certificate = contents
            .certificates
            .iter()
            .filter_map(|der| Certificate::from_der_with(backend, der).ok())
            .find(|certificate| certificate.belongs_to(&key))
            .ok_or(Pkcs12Error::NoCertificate)?;
        Ok(Self { key, certificate })
    }

    /// The private key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey<P> {
        &self.key
    }

    /// The certificate of the key.
    #[must_use]
    pub fn certificate(&self) -> &Certificate<P> {
        &self.certificate
    }

    /// The key and its certificate.
    #[must_use]
    pub fn into_parts(self) -> (PrivateKey<P>, Certificate<P>) {
        (self.key, self.certificate)
    }
}

/// What the bags of a file hold, decrypted and not yet parsed.
#[derive(Default)]
struct Contents {
    keys: Vec<Zeroizing<Vec<u8>>>,
    certificates: Vec<Vec<u8>>,
}

impl Contents {
    fn read(file: &[u8], passphrase: &Passphrase) -> Result<Self, Pkcs12Error> {
        if file.len() > MAX_LEN {
            return Err(Pkcs12Error::TooLarge { limit: MAX_LEN });
        }
        let pfx = Pfx::from_der(file).map_err(|_| unreadable(file))?;
        if pfx.auth_safe.content_type != DATA {
            return Err(Pkcs12Error::Unsupported {
                algorithm: pfx.auth_safe.content_type.to_string(),
            });
        }
        let safe: OctetString = pfx.auth_safe.content.decode_as().map_err(damaged)?;
        let mut budget = Budget::new();
        if let Some(mac) = &pfx.mac_data {
            verify(mac, safe.as_bytes(), passphrase, &mut budget)?;
        }
        let mut opener = Opener {
            passphrase,
            budget,
            is_verified: pfx.mac_data.is_some(),
        };
        let mut contents = Self::default();
        for info in Vec::<cms::content_info::ContentInfo>::from_der(safe.as_bytes()).map_err(damaged)? {
            match info.content_type {
                DATA => {
                    let bags: OctetString = info.content.decode_as().map_err(damaged)?;
                    contents.take(bags.as_bytes(), &mut opener)?;
                }
                ENCRYPTED_DATA => {
                    let data: cms::encrypted_data::EncryptedData =
                        info.content.decode_as().map_err(damaged)?;
                    let data = data.enc_content_info;
                    let Some(ciphertext) = data.encrypted_content else {
                        return Err(Pkcs12Error::Damaged);
                    };
                    let bags = opener.open(&data.content_enc_alg, ciphertext.as_bytes())?;
                    contents.take(&bags, &mut opener)?;
                }
                other => {
                    return Err(Pkcs12Error::Unsupported {
                        algorithm: other.to_string(),
                    });
                }
            }
        }
        Ok(contents)
    }

    /// Takes the keys and certificates of a list of bags; other kinds of bag are left aside.
    fn take(&mut self, der: &[u8], opener: &mut Opener<'_>) -> Result<(), Pkcs12Error> {
        for (kind, value) in bags(der).map_err(|_| opener.does_not_read())? {
            match kind {
                pkcs12::PKCS_12_KEY_BAG_OID => self.keys.push(Zeroizing::new(value.to_vec())),
                pkcs12::PKCS_12_PKCS8_KEY_BAG_OID => {
                    let info = EncryptedPrivateKeyInfo::from_der(value).map_err(damaged)?;
                    let key = opener.open(&info.encryption_algorithm, info.encrypted_data.as_bytes())?;
                    self.keys.push(key);
                }
                pkcs12::PKCS_12_CERT_BAG_OID => {
                    let bag = CertBag::from_der(value).map_err(damaged)?;
                    if bag.cert_id == pkcs12::PKCS_12_X509_CERT_OID {
                        self.certificates.push(bag.cert_value.into_bytes());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The kinds of the bags and what is inside their `[0]`. Attributes are skipped unread: to read a set is to sort it.
fn bags(der: &[u8]) -> der::Result<Vec<(ObjectIdentifier, &[u8])>> {
    let mut reader = SliceReader::new(der)?;
    let bags = reader.sequence(|list| {
        let mut bags = Vec::new();
        while !list.is_finished() {
            bags.push(list.sequence(|bag| {
                let kind = ObjectIdentifier::decode(bag)?;
                let value = AnyRef::decode(bag)?;
                while !bag.is_finished() {
                    AnyRef::decode(bag)?;
                }
                Ok((kind, value.value()))
            })?);
        }
        Ok(bags)
    })?;
    reader.finish(bags)
}

/// The passphrase, and what may still be spent on it.
struct Opener<'a> {
    passphrase: &'a Passphrase,
    budget: Budget,
    /// The file's code was right, so the passphrase is right and what fails now is the file's fault.
    is_verified: bool,
}

impl Opener<'_> {
    fn open(
        &mut self,
        algorithm: &x509_cert::spki::AlgorithmIdentifierOwned,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
        decrypt(algorithm, ciphertext, self.passphrase, &mut self.budget).map_err(|error| match error {
            PassphraseError::Mismatch => self.does_not_read(),
            other => other.into(),
        })
    }

    fn does_not_read(&self) -> Pkcs12Error {
        if self.is_verified {
            Pkcs12Error::Damaged
        } else {
            Pkcs12Error::WrongPassphrase
        }
    }
}

impl From<PassphraseError> for Pkcs12Error {
    fn from(error: PassphraseError) -> Self {
        match error {
            PassphraseError::Malformed => Self::Damaged,
            PassphraseError::Mismatch => Self::WrongPassphrase,
            PassphraseError::TooCostly => Self::TooCostly,
            PassphraseError::Unsupported { algorithm } => Self::Unsupported { algorithm },
        }
    }
}

/// Checks the code over the content, in constant time.
fn verify(
    mac: &MacData,
    content: &[u8],
    passphrase: &Passphrase,
    budget: &mut Budget,
) -> Result<(), Pkcs12Error> {
    budget.spend(u64::try_from(mac.iterations).map_err(|_| Pkcs12Error::Damaged)?)?;
    match mac.mac.algorithm.oid {
        SHA1 => verify_with::<Sha1>(mac, content, passphrase),
        SHA224 => verify_with::<Sha224>(mac, content, passphrase),
        SHA256 => verify_with::<Sha256>(mac, content, passphrase),
        SHA384 => verify_with::<Sha384>(mac, content, passphrase),
        SHA512 => verify_with::<Sha512>(mac, content, passphrase),
        other => Err(Pkcs12Error::Unsupported {
            algorithm: other.to_string(),
        }),
    }
}

fn verify_with<D: BlockSizeUser + Digest + FixedOutputReset>(
    mac: &MacData,
    content: &[u8],
    passphrase: &Passphrase,
) -> Result<(), Pkcs12Error> {
    let key = Zeroizing::new(derive_key::<D>(
        &passphrase.to_utf16(),
        mac.mac_salt.as_bytes(),
        Pkcs12KeyType::Mac,
        mac.iterations,
        <D as Digest>::output_size(),
    ));
    let mut code = SimpleHmac::<D>::new_from_slice(&key).map_err(|_| Pkcs12Error::Damaged)?;
    code.update(content);
    code.verify_slice(mac.mac.digest.as_bytes())
        .map_err(|_| Pkcs12Error::WrongPassphrase)
}

/// Says what was given instead of a readable PKCS#12 file.
fn unreadable(file: &[u8]) -> Pkcs12Error {
    match KeyFileKind::of(file) {
        KeyFileKind::Pkcs12 if file.get(1) == Some(&0x80) => Pkcs12Error::IndefiniteLength,
        KeyFileKind::Pkcs12 => Pkcs12Error::Damaged,
        found => Pkcs12Error::NotPkcs12 { found },
    }
}

fn damaged(_: der::Error) -> Pkcs12Error {
    Pkcs12Error::Damaged
}

/// Bytes of a file; one with three certificates has about 6,000. Sets in it are sorted, which takes quadratic time.
const MAX_LEN: usize = 16 * 1024;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA224: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.4");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

#[cfg(test)]
mod tests;
