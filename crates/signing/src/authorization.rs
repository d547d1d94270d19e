//! The request side: the message to sign and the `Authorization` header.

use std::fmt;

use wxmember_crypto::{KeyId, MerchantKey, SignError, Signature};

use crate::{Nonce, UnixSeconds};

/// The signature scheme, which names the caller in its own way.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// `WECHATPAY2-SHA256-RSA2048`, the caller is a merchant id. Every `/v3/…` path.
    Merchant,
    /// `WECHATPAY-BRAND-SHA256-RSA2048`, the caller is a brand id. The `/brand/…` paths.
    Brand,
}

impl Scheme {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Merchant => "WECHATPAY2-SHA256-RSA2048",
            Self::Brand => "WECHATPAY-BRAND-SHA256-RSA2048",
        }
    }

    /// The name of the parameter that carries the caller's id.
    #[must_use]
    pub fn id_parameter(self) -> &'static str {
        match self {
            Self::Merchant => "mchid",
            Self::Brand => "brand_id",
        }
    }
}

/// Who signs: the scheme, the caller's id and the serial number of the caller's certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    scheme: Scheme,
    id: String,
    serial: KeyId,
}

impl Identity {
    /// A service provider or merchant, by merchant id (商户号) and API certificate serial (证书序列号).
    #[must_use]
    pub fn partner(mchid: &str, serial: KeyId) -> Self {
        Self {
            scheme: Scheme::Merchant,
            id: mchid.to_owned(),
            serial,
        }
    }

    /// A brand that calls for itself, by brand id (品牌ID) and API certificate serial.
    #[must_use]
    pub fn brand(brand_id: &str, serial: KeyId) -> Self {
        Self {
            scheme: Scheme::Brand,
            id: brand_id.to_owned(),
            serial,
        }
    }

    /// The scheme this identity signs with.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The merchant id or brand id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The serial number of the certificate; never the platform's `Wechatpay-Serial`.
    #[must_use]
    pub fn serial(&self) -> &KeyId {
        &self.serial
    }
}

/// What of a request is signed.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method in upper case.
    pub method: &'a str,
    /// Path and query exactly as they go over the wire, percent-encoding included; no scheme, host or fragment.
    pub target: &'a str,
    /// The bytes of the body that are sent; empty when there is none.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// The five lines that are signed, each ended by a line feed, the last one too.
    #[must_use]
    pub fn message(&self, timestamp: UnixSeconds, nonce: &Nonce) -> Vec<u8> {
        let head = format!("{}\n{}\n{timestamp}\n{nonce}\n", self.method, self.target);
        let mut message = Vec::with_capacity(head.len() + self.body.len() + 1);
        message.extend_from_slice(head.as_bytes());
        message.extend_from_slice(self.body);
        message.push(b'\n');
        message
    }
}

/// A body may hold personal data in other APIs; only sizes are shown.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Request({} {}, {} bytes)",
            self.method,
            self.target,
            self.body.len()
        )
    }
}

/// The value of an `Authorization` header.
#[derive(Clone, Eq, PartialEq)]
pub struct Authorization(String);

impl Authorization {
    /// Puts a signature that was made elsewhere, in a hardware module or a key service, into the header.
    ///
    /// The signature is over [`Request::message`] of the same `timestamp` and `nonce`. It is not verified here: a
    /// wrong one is refused by the platform with 401 `SIGN_ERROR`.
    ///
    /// ```
    /// use wxmember_crypto::{KeyId, Signature};
    /// use wxmember_signing::{Authorization, Identity, Nonce, Request, UnixSeconds};
    ///
    /// fn key_service(message: &[u8]) -> Vec<u8> {
    ///     assert!(message.starts_with(b"GET\n/v3/certificates\n1796000000\n"));
    ///     vec![7; 256]
    /// }
    ///
    /// let identity = Identity::partner("1900000109", KeyId::new("4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6"));
    /// let request = Request { method: "GET", target: "/v3/certificates", body: b"" };
    /// let (timestamp, nonce) = (UnixSeconds(1_796_000_000), Nonce::from_random([7; 16]));
    /// let signature = Signature::from_bytes(key_service(&request.message(timestamp, &nonce)));
    /// let header = Authorization::from_signature(&identity, timestamp, &nonce, &signature);
    /// assert!(header.as_str().ends_with("BwcHBw==\""));
    /// ```
    #[must_use]
    pub fn from_signature(
        identity: &Identity,
        timestamp: UnixSeconds,
        nonce: &Nonce,
        signature: &Signature,
    ) -> Self {
        let Identity { scheme, id, serial } = identity;
        Self(format!(
            "{} {}=\"{id}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",serial_no=\"{serial}\",signature=\"{}\"",
            scheme.name(),
            scheme.id_parameter(),
            signature.to_base64(),
        ))
    }

    /// The text of the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Good for 300 seconds for one request, so it is not shown.
impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(…)")
    }
}

/// Signs a request. Sign each attempt anew, when it is sent and not when it is queued.
///
/// # Errors
///
/// [`SignError`] when the backend fails.
pub fn authorization(
    identity: &Identity,
    key: &MerchantKey,
    request: &Request<'_>,
    timestamp: UnixSeconds,
    nonce: &Nonce,
) -> Result<Authorization, SignError> {
    let signature = key.sign(&request.message(timestamp, nonce))?;
    Ok(Authorization::from_signature(
        identity, timestamp, nonce, &signature,
    ))
}
