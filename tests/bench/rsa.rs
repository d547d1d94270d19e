//! The four RSA operations, each on values that were made before.

use wxmember::{FormValue, MerchantCiphertext, MerchantKey, OpenError, Signature};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    Sign,
    Open,
    Verify,
    Seal,
}

/// The key that they are measured with: RSA-2048, as every merchant's.
pub(crate) fn key() -> Result<MerchantKey, String> {
    MerchantKey::from_pem(include_str!("../vectors/test_merchant_key.pem")).map_err(|error| error.to_string())
}

/// Does one operation when asked to.
pub(crate) fn operations_of(
    key: &MerchantKey,
) -> Result<impl Fn(Operation) -> Result<(), String> + use<'_>, String> {
    let refused = |error: &dyn std::error::Error| error.to_string();
    let message = vec![b'm'; MESSAGE];
    let value = FormValue::new("13800138000");
    let signature: Signature = key.sign(&message).map_err(|error| refused(&error))?;
    let sealed: MerchantCiphertext = key.public_key().seal(&value).map_err(|error| refused(&error))?;
    Ok(move |operation| {
        match operation {
            Operation::Sign => drop(key.sign(&message).map_err(|error| refused(&error))?),
            Operation::Open => {
                let opened: Result<FormValue, OpenError> = key.open(&sealed);
                drop(opened.map_err(|error| refused(&error))?);
            }
            Operation::Verify => {
                let verified = key.public_key().verify(&message, &signature);
                verified.map_err(|error| refused(&error))?;
            }
            Operation::Seal => drop(key.public_key().seal(&value).map_err(|error| refused(&error))?),
        }
        Ok(())
    })
}

/// Bytes that are signed: a request with three sealed fields has some more.
pub(crate) const MESSAGE: usize = 2048;
