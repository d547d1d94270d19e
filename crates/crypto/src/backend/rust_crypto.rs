//! The portable backend: the `rsa` crate and its family, pure Rust.
//!
//! RUSTSEC-2023-0071 (timing of private-key operations) applies: see SECURITY.md for the argument why a remote
//! attacker cannot use it here. `rsa` blinds with fresh randomness on every private-key operation.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use rsa::{
    BigUint, Oaep, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey,
    pkcs1::{DecodeRsaPrivateKey, EncodeRsaPublicKey},
    pkcs8::DecodePrivateKey,
    rand_core::OsRng,
    traits::PublicKeyParts,
};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{AeadError, BadSignature, KeyError, OpenError, SealError, SignError};

pub(crate) struct Private {
    key: RsaPrivateKey,
    public: Vec<u8>,
}

impl Private {
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        RsaPrivateKey::from_pkcs8_der(der)
            .map_err(|_| KeyError::NotRsa)
            .and_then(Self::new)
    }

    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        RsaPrivateKey::from_pkcs1_der(der)
            .map_err(|_| KeyError::NotRsa)
            .and_then(Self::new)
    }

    fn new(key: RsaPrivateKey) -> Result<Self, KeyError> {
        let public = key
            .to_public_key()
            .to_pkcs1_der()
            .map_err(|_| KeyError::NotRsa)?
            .into_vec();
        Ok(Self { key, public })
    }

    pub(crate) fn public_pkcs1(&self) -> &[u8] {
        &self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.key
            .sign_with_rng(
                &mut OsRng,
                Pkcs1v15Sign::new::<Sha256>(),
                &Sha256::digest(message),
            )
            .map_err(|_| SignError)
    }

    pub(crate) fn open(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.key
            .decrypt_blinded(&mut OsRng, Oaep::new::<Sha1>(), ciphertext)
            .map(Zeroizing::new)
            .map_err(|_| OpenError)
    }
}

#[derive(Clone)]
pub(crate) struct Public(RsaPublicKey);

impl Public {
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let parts = rsa::pkcs1::RsaPublicKey::try_from(der).map_err(|_| KeyError::NotRsa)?;
        let [n, e] =
            [parts.modulus, parts.public_exponent].map(|number| BigUint::from_bytes_be(number.as_bytes()));
        // The crate's own reader stops at 4096 bits, the other backend at 8192.
        RsaPublicKey::new_with_max_size(n, e, MOST_BITS)
            .map(Self)
            .map_err(|_| KeyError::NotRsa)
    }

    pub(crate) fn modulus_len(&self) -> usize {
        self.0.size()
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.0
            .verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature)
            .map_err(|_| BadSignature)
    }

    pub(crate) fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        self.0
            .encrypt(&mut OsRng, Oaep::new::<Sha1>(), plaintext)
            .map_err(|_| SealError::Backend)
    }
}

pub(crate) fn aead_open(
    key: &[u8; 32],
    nonce: &[u8],
    associated_data: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, AeadError> {
    let nonce: &[u8; 12] = nonce.try_into().map_err(|_| AeadError)?;
    Aes256Gcm::new(key.into())
        .decrypt(
            nonce.into(),
            Payload {
                msg: ciphertext,
                aad: associated_data,
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| AeadError)
}

pub(crate) fn aead_seal(
    key: &[u8; 32],
    nonce: &[u8],
    associated_data: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, AeadError> {
    let nonce: &[u8; 12] = nonce.try_into().map_err(|_| AeadError)?;
    Aes256Gcm::new(key.into())
        .encrypt(
            nonce.into(),
            Payload {
                msg: plaintext,
                aad: associated_data,
            },
        )
        .map_err(|_| AeadError)
}

const MOST_BITS: usize = 8192;

#[cfg(feature = "generate")]
pub(crate) fn generate_pkcs8() -> Result<Zeroizing<Vec<u8>>, KeyError> {
    use rsa::pkcs8::EncodePrivateKey;
    let key = RsaPrivateKey::new(&mut OsRng, 2048).map_err(|_| KeyError::NotRsa)?;
    let der = key.to_pkcs8_der().map_err(|_| KeyError::NotRsa)?;
    Ok(Zeroizing::new(der.as_bytes().to_vec()))
}
