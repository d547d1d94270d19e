//! The default backend: AWS-LC. Must never keep state between calls: keys are shared by threads.

use std::sync::Arc;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    encoding::{AsDer, Pkcs8V1Der},
    rand::{self, SystemRandom},
    rsa::{
        KeyPair, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
        PublicEncryptingKey,
    },
    signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256},
};
use zeroize::Zeroizing;

use crate::error::{AeadError, BadSignature, KeyError, OpenError, SealError, SignError};

/// What it gives is thrown away: the first one who asks pays for the gathering, all others get theirs for nothing.
pub(crate) fn gather_randomness() {
    // Whoever needs randomness is told when there is none.
    let _ = rand::fill(&mut [0; 1]);
}

pub(crate) struct Private {
    sign: KeyPair,
    open: OaepPrivateDecryptingKey,
}

impl Private {
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        KeyPair::from_pkcs8(der)
            .map_err(|_| KeyError::NotRsa)
            .and_then(Self::new)
    }

    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        KeyPair::from_der(der)
            .map_err(|_| KeyError::NotRsa)
            .and_then(Self::new)
    }

    fn new(sign: KeyPair) -> Result<Self, KeyError> {
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&sign).map_err(|_| KeyError::NotRsa)?;
        let open = PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref())
            .map_err(|_| KeyError::NotRsa)
            .and_then(|key| OaepPrivateDecryptingKey::new(key).map_err(|_| KeyError::NotRsa))?;
        Ok(Self { sign, open })
    }

    pub(crate) fn public_pkcs1(&self) -> &[u8] {
        self.sign.public_key().as_ref()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.sign.public_modulus_len()];
        self.sign
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SignError)?;
        Ok(signature)
    }

    pub(crate) fn open(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let mut out = Zeroizing::new(vec![0; self.open.min_output_size()]);
        let len = self
            .open
            .decrypt(&OAEP_SHA1_MGF1SHA1, ciphertext, &mut out, None)
            .map_err(|_| OpenError)?
            .len();
        out.truncate(len);
        Ok(out)
    }
}

#[derive(Clone)]
pub(crate) struct Public(Arc<PublicInner>);

struct PublicInner {
    verify: ParsedPublicKey,
    seal: OaepPublicEncryptingKey,
}

impl Public {
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let verify = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map_err(|_| KeyError::NotRsa)?;
        let spki = verify.as_der().map_err(|_| KeyError::NotRsa)?;
        let seal = PublicEncryptingKey::from_der(spki.as_ref())
            .map_err(|_| KeyError::NotRsa)
            .and_then(|key| OaepPublicEncryptingKey::new(key).map_err(|_| KeyError::NotRsa))?;
        Ok(Self(Arc::new(PublicInner { verify, seal })))
    }

    pub(crate) fn modulus_len(&self) -> usize {
        self.0.seal.key_size_bytes()
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.0
            .verify
            .verify_sig(message, signature)
            .map_err(|_| BadSignature)
    }

    pub(crate) fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut out = vec![0; self.0.seal.ciphertext_size()];
        let len = self
            .0
            .seal
            .encrypt(&OAEP_SHA1_MGF1SHA1, plaintext, &mut out, None)
            .map_err(|_| SealError::Backend)?
            .len();
        out.truncate(len);
        Ok(out)
    }
}

pub(crate) fn aead_open(
    key: &[u8; 32],
    nonce: &[u8],
    associated_data: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, AeadError> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| AeadError)?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let len = aead(key)?
        .open_in_place(nonce, Aad::from(associated_data), &mut buffer)
        .map_err(|_| AeadError)?
        .len();
    buffer.truncate(len);
    Ok(buffer)
}

pub(crate) fn aead_seal(
    key: &[u8; 32],
    nonce: &[u8],
    associated_data: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, AeadError> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| AeadError)?;
    let mut buffer = plaintext.to_vec();
    aead(key)?
        .seal_in_place_append_tag(nonce, Aad::from(associated_data), &mut buffer)
        .map_err(|_| AeadError)?;
    Ok(buffer)
}

fn aead(key: &[u8; 32]) -> Result<LessSafeKey, AeadError> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| AeadError)
}

#[cfg(feature = "generate")]
pub(crate) fn generate_pkcs8() -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let key = KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).map_err(|_| KeyError::NotRsa)?;
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).map_err(|_| KeyError::NotRsa)?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}
