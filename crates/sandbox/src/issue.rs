//! Issues self-signed certificates as the platform's authority would. For tests only: nobody vouches for them.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, PublicKeyData, SerialNumber, SignatureAlgorithm, SigningKey,
};
use time::{Duration, OffsetDateTime};
use wxmember_crypto::{PrivateKey, PublicKey, party::Party};

use crate::identity::IdentityError;

/// Five years, as real ones have.
pub(crate) const LIFETIME: Duration = Duration::days(5 * 365);

/// A certificate of `key` in PEM, with a serial number of 40 hexadecimal digits, valid for [`LIFETIME`].
pub(crate) fn issue<P: Party>(
    key: &PrivateKey<P>,
    common_name: &str,
    not_before: OffsetDateTime,
) -> Result<String, IdentityError> {
    let mut serial = [0; 20];
    getrandom::fill(&mut serial).map_err(IdentityError::Random)?;
    // A positive number (RFC 5280, section 4.1.2.2) whose first digit is not 0, so that it prints as 40 digits.
    serial[0] = 0x40 | serial[0] & 0x3f;
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = not_before;
    params.not_after = not_before.saturating_add(LIFETIME);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
        .distinguished_name
        .push(DnType::OrganizationName, "wxmember sandbox, for tests only");
    let certificate = params
        .self_signed(&CertificateKey(key))
        .map_err(IdentityError::Issue)?;
    Ok(certificate.pem().replace("\r\n", "\n"))
}

/// Lends our key to the certificate writer, so that no second backend is needed.
struct CertificateKey<'a, P: Party>(&'a PrivateKey<P>);

impl<P: Party> PublicKeyData for CertificateKey<'_, P> {
    fn der_bytes(&self) -> &[u8] {
        PublicKey::pkcs1_der(self.0.public_key())
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl<P: Party> SigningKey for CertificateKey<'_, P> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature = self.0.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)?;
        Ok(signature.as_bytes().to_vec())
    }
}
