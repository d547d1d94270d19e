//! The two sides of the protocol, as types.
//!
//! A key or a ciphertext carries the side it belongs to, so that the compiler refuses the mix-up
//! of merchant and platform keys that users of other SDKs report most often.

use std::fmt::Debug;

/// The caller: the service provider's merchant id and its API certificate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Merchant {}

/// WeChat Pay: its public key, or its platform certificates.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Platform {}

/// A side of the protocol; sealed, implemented by [`Merchant`] and [`Platform`].
pub trait Party: private::Sealed + Copy + Debug + Send + Sync + 'static {
    /// The name of the side, as error texts use it.
    const NAME: &'static str;
}

impl Party for Merchant {
    const NAME: &'static str = "merchant";
}

impl Party for Platform {
    const NAME: &'static str = "platform";
}

mod private {
    /// Keeps `Party` closed.
    #[expect(
        unnameable_types,
        reason = "a sealed trait is public and out of reach on purpose"
    )]
    pub trait Sealed {}
    impl Sealed for super::Merchant {}
    impl Sealed for super::Platform {}
}
