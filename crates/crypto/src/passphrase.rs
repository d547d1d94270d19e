//! Decryption under a passphrase: what encrypted PKCS#8 and PKCS#12 have in common.
//!
//! PBES2 (PBKDF2 or scrypt, AES or triple DES) and the PKCS#12 schemes of old files (triple DES, RC2) are opened; the
//! algorithms come from the RustCrypto crates. Never encrypts, and never works longer than [`Budget`] allows: how
//! much work a file asks for is written in the file.

use std::fmt;

use cbc::cipher::{BlockCipher, BlockDecryptMut, KeyInit, KeyIvInit, block_padding::Pkcs7};
use pkcs5::pbes2;
use pkcs12::{
    kdf::{Pkcs12KeyType, derive_key},
    pbe_params::Pkcs12PbeParams,
};
use sha1::Sha1;
use x509_cert::{
    der::{self, AnyRef, ErrorKind},
    spki::AlgorithmIdentifierOwned,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A passphrase of a key file. Of `apiclient_cert.p12` it is the merchant id.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

impl Passphrase {
    /// Takes the passphrase, without a line feed at its end.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// UTF-16, big endian, with a zero at the end: the form that PKCS#12's own derivation takes.
    pub(crate) fn to_utf16(&self) -> Zeroizing<Vec<u8>> {
        // Room for all, so that nothing is copied and left behind while it grows.
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * self.0.len() + 2));
        for unit in self.0.encode_utf16().chain([0]) {
            bytes.extend_from_slice(&unit.to_be_bytes());
        }
        bytes
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Why something under a passphrase was not opened.
#[derive(Debug)]
pub(crate) enum PassphraseError {
    /// The parameters make no sense.
    Malformed,
    /// Wrong passphrase or changed content.
    Mismatch,
    /// Out of [`Budget`].
    TooCostly,
    /// An algorithm that is not opened, as a dotted object identifier.
    Unsupported { algorithm: String },
}

/// The work that one file may cause, in rounds of PBKDF2 or of PKCS#12's derivation.
///
/// OpenSSL writes 2,048 rounds by default; 600,000 for each of the three parts of a modern PKCS#12 file still fit. All
/// of it takes about a second in an optimised build. The memory of scrypt is bounded apart, at 128 MiB (OpenSSL: 16).
pub(crate) struct Budget {
    rounds: u64,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { rounds: MAX_ROUNDS }
    }

    pub(crate) fn spend(&mut self, rounds: u64) -> Result<(), PassphraseError> {
        self.rounds = self
            .rounds
            .checked_sub(rounds)
            .ok_or(PassphraseError::TooCostly)?;
        Ok(())
    }

    /// The cost of scrypt, in rounds of about equal time: each step mixes a block twice.
    fn spend_scrypt(&mut self, params: &pbes2::ScryptParams<'_>) -> Result<(), PassphraseError> {
        let (n, r, p) = (
            params.cost_parameter,
            u64::from(params.block_size),
            u64::from(params.parallelization),
        );
        if !n.is_power_of_two() || n < 2 || r == 0 || p == 0 {
            return Err(PassphraseError::Malformed);
        }
        let steps = n.checked_mul(r).ok_or(PassphraseError::TooCostly)?;
        if steps > MAX_SCRYPT_MEMORY / 128 {
            return Err(PassphraseError::TooCostly);
        }
        self.spend(steps.saturating_mul(2 * p))
    }
}

/// Decrypts what `algorithm` names. The padding is checked, which tells a wrong passphrase in 255 of 256 cases.
pub(crate) fn decrypt(
    algorithm: &AlgorithmIdentifierOwned,
    ciphertext: &[u8],
    passphrase: &Passphrase,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, PassphraseError> {
    let parameters = algorithm.parameters.as_ref().ok_or(PassphraseError::Malformed)?;
    match algorithm.oid {
        pbes2::PBES2_OID => decrypt_pbes2(parameters.into(), ciphertext, passphrase, budget),
        pkcs12::PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC => {
            decrypt_pkcs12::<des::TdesEde3>(24, parameters.into(), ciphertext, passphrase, budget)
        }
        pkcs12::PKCS_12_PBE_WITH_SHAAND128_BIT_RC2_CBC => {
            decrypt_pkcs12::<rc2::Rc2>(16, parameters.into(), ciphertext, passphrase, budget)
        }
        pkcs12::PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC => {
            decrypt_pkcs12::<rc2::Rc2>(5, parameters.into(), ciphertext, passphrase, budget)
        }
        other => Err(PassphraseError::Unsupported {
            algorithm: other.to_string(),
        }),
    }
}

fn decrypt_pbes2(
    parameters: AnyRef<'_>,
    ciphertext: &[u8],
    passphrase: &Passphrase,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, PassphraseError> {
    let parameters = pbes2::Parameters::try_from(parameters).map_err(unreadable)?;
    match &parameters.kdf {
        pbes2::Kdf::Pbkdf2(params) => budget.spend(params.iteration_count.into())?,
        pbes2::Kdf::Scrypt(params) => budget.spend_scrypt(params)?,
        other => {
            return Err(PassphraseError::Unsupported {
                algorithm: other.oid().to_string(),
            });
        }
    }
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let len = parameters
        .decrypt_in_place(&passphrase.0, &mut buffer)
        .map_err(|error| match error {
            pkcs5::Error::AlgorithmParametersInvalid { .. } => PassphraseError::Malformed,
            pkcs5::Error::UnsupportedAlgorithm { oid } => PassphraseError::Unsupported {
                algorithm: oid.to_string(),
            },
            _ => PassphraseError::Mismatch,
        })?
        .len();
    buffer.truncate(len);
    Ok(buffer)
}

/// RFC 7292, appendix B: key and initial vector are derived from one salt, with SHA-1.
fn decrypt_pkcs12<C: BlockCipher + BlockDecryptMut + KeyInit>(
    key_len: usize,
    parameters: AnyRef<'_>,
    ciphertext: &[u8],
    passphrase: &Passphrase,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, PassphraseError> {
    let Pkcs12PbeParams { salt, iterations } = parameters.decode_as().map_err(unreadable)?;
    let rounds = u64::try_from(iterations).map_err(|_| PassphraseError::Malformed)?;
    budget.spend(3 * rounds)?; // Two blocks of SHA-1 for the longest key, one for the vector.
    let passphrase = passphrase.to_utf16();
    let derive = |kind, len| {
        Zeroizing::new(derive_key::<Sha1>(
            &passphrase,
            salt.as_bytes(),
            kind,
            iterations,
            len,
        ))
    };
    let key = derive(Pkcs12KeyType::EncryptionKey, key_len);
    let vector = derive(Pkcs12KeyType::Iv, 8);
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let len = cbc::Decryptor::<C>::new_from_slices(&key, &vector)
        .map_err(|_| PassphraseError::Malformed)?
        .decrypt_padded_mut::<Pkcs7>(&mut buffer)
        .map_err(|_| PassphraseError::Mismatch)?
        .len();
    buffer.truncate(len);
    Ok(buffer)
}

fn unreadable(error: der::Error) -> PassphraseError {
    match error.kind() {
        ErrorKind::OidUnknown { oid } => PassphraseError::Unsupported {
            algorithm: oid.to_string(),
        },
        _ => PassphraseError::Malformed,
    }
}

/// See [`Budget`]. The texts of the errors name it.
const MAX_ROUNDS: u64 = 2_500_000;

/// Bytes.
const MAX_SCRYPT_MEMORY: u64 = 128 * 1024 * 1024;
