//! Both sides with the public test keys of `tests/vectors`, so that a target can sign what it made up.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use wxmember_crypto::{
    ApiV3Key, Backend, Certificate, KeyId, MerchantKey, PlatformKey, PrivateKey, Signature,
    party::{Merchant, Platform},
};
use wxmember_sandbox::{Identity, IdentityParts};

/// When every clock stands still: 2026-11-30.
pub(crate) const NOW: i64 = 1_796_000_000;

pub(crate) const MCHID: &str = "1900000109";
pub(crate) const BRAND: &str = "1004";
pub(crate) const CARD: &str = "pbLatjvWOibDc5-TBnbUk1pD12o0";
pub(crate) const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026113000000000000001";
pub(crate) const APIV3_KEY: &str = "TestOnlyApiV3Key0123456789abcdef";

pub(crate) const MERCHANT_KEY: &str = include_str!("../../tests/vectors/test_merchant_key.pem");
pub(crate) const MERCHANT_CERTIFICATE: &str = include_str!("../../tests/vectors/test_merchant_cert.pem");
pub(crate) const PLATFORM_PRIVATE_KEY: &str =
    include_str!("../../tests/vectors/test_wechatpay_pubmode_key.pem");
const PLATFORM_KEY: &str = include_str!("../../tests/vectors/test_wechatpay_pubmode_pub_key.pem");
const CERTIFIED_PRIVATE_KEY: &str = include_str!("../../tests/vectors/test_wechatpay_certmode_key.pem");
const PLATFORM_CERTIFICATE: &str = include_str!("../../tests/vectors/test_wechatpay_certmode_cert.pem");
const VECTORS: &str = include_str!("../../tests/vectors/vectors.json");

/// Words of an input that stand for what no fuzzer can find.
pub mod tokens {
    /// The signature that fits, in the place of one.
    pub const SIGNATURE: &str = "{SIGNATURE}";
    /// A ciphertext that the merchant opens.
    pub const FOR_MERCHANT: &str = "{FOR_MERCHANT}";
    /// A ciphertext that the platform opens.
    pub const FOR_PLATFORM: &str = "{FOR_PLATFORM}";
    /// The platform's certificate in PEM.
    pub const CERTIFICATE: &str = "{CERTIFICATE}";
}

/// Both sides as the sandbox takes them.
pub(crate) fn identity() -> Identity {
    let identity = Identity::from_parts(IdentityParts {
        mchid: MCHID.to_owned(),
        merchant_key_pem: MERCHANT_KEY.to_owned(),
        merchant_certificate_pem: MERCHANT_CERTIFICATE.to_owned(),
        platform_key_id: PUBLIC_KEY_ID.to_owned(),
        platform_private_key_pem: PLATFORM_PRIVATE_KEY.to_owned(),
        apiv3_key: APIV3_KEY.to_owned(),
        brand_id: BRAND.to_owned(),
        card_id: CARD.to_owned(),
    });
    identity.expect("test keys")
}

/// What the platform signs with, in public-key mode.
pub(crate) static PLATFORM: LazyLock<PrivateKey<Platform>> = LazyLock::new(|| private(PLATFORM_PRIVATE_KEY));

/// The same in certificate mode.
static CERTIFIED: LazyLock<PrivateKey<Platform>> = LazyLock::new(|| private(CERTIFIED_PRIVATE_KEY));

pub(crate) static MERCHANT: LazyLock<MerchantKey> =
    LazyLock::new(|| MerchantKey::from_pem(MERCHANT_KEY).expect("a test key"));

/// Read by the other backend, so that no mistake of one of them hides in a claim.
static PLATFORM_ELSEWHERE: LazyLock<PlatformKey> =
    LazyLock::new(|| PlatformKey::from_pem_with(Backend::RustCrypto, PLATFORM_KEY).expect("a test key"));

static CERTIFIED_ELSEWHERE: LazyLock<Certificate<Platform>> = LazyLock::new(|| {
    Certificate::from_pem_with(Backend::RustCrypto, PLATFORM_CERTIFICATE).expect("a test certificate")
});

static MERCHANT_ELSEWHERE: LazyLock<Certificate<Merchant>> = LazyLock::new(|| {
    Certificate::from_pem_with(Backend::RustCrypto, MERCHANT_CERTIFICATE).expect("a test certificate")
});

/// The ciphertexts of the test vectors: of `13800138000` both.
static SEALED: LazyLock<[String; 2]> = LazyLock::new(|| {
    let vectors: Value = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    let find = |direction: &str| {
        let mut listed = vectors["oaep"].as_array().expect("a list").iter();
        let found = listed
            .find(|one| one["direction"] == direction)
            .expect("a vector");
        found["ciphertext"].as_str().expect("a text").to_owned()
    };
    [find("to_merchant"), find("to_wechatpay")]
});

pub(crate) fn platform_key() -> PlatformKey {
    PlatformKey::from_pem(PLATFORM_KEY).expect("a test key")
}

pub(crate) fn platform_certificate() -> Certificate<Platform> {
    Certificate::from_pem(PLATFORM_CERTIFICATE).expect("a test certificate")
}

pub(crate) fn merchant_certificate() -> Certificate<Merchant> {
    Certificate::from_pem(MERCHANT_CERTIFICATE).expect("a test certificate")
}

pub(crate) fn apiv3_key() -> ApiV3Key {
    ApiV3Key::new(APIV3_KEY).expect("a test key")
}

/// Puts ciphertexts and a certificate where an input asks for them.
pub(crate) fn filled(text: &[u8]) -> Vec<u8> {
    let [for_merchant, for_platform] = &*SEALED;
    let mut filled = crate::input::replaced(text, tokens::FOR_MERCHANT, for_merchant.as_bytes());
    filled = crate::input::replaced(&filled, tokens::FOR_PLATFORM, for_platform.as_bytes());
    crate::input::replaced(&filled, tokens::CERTIFICATE, PLATFORM_CERTIFICATE.as_bytes())
}

/// The platform's signature over an answer or a notification, by the key that the serial names: the certificate's if it
/// is that one, else the public key.
pub(crate) fn platform_signature(serial: &str, timestamp: &str, nonce: &str, body: &[u8]) -> String {
    let key = match KeyId::new(serial) == *CERTIFIED_ELSEWHERE.serial() {
        true => &*CERTIFIED,
        false => &*PLATFORM,
    };
    let signature = key.sign(&answer_message(timestamp, nonce, body));
    signature.expect("a test key signs").to_base64()
}

/// Whether a signature of the platform fits and is fresh, by other code than the product's default.
pub(crate) fn is_the_platforms(
    [timestamp, nonce, serial, signature]: [Option<&str>; 4],
    body: &[u8],
) -> bool {
    let (Some(timestamp), Some(nonce), Some(serial), Some(signature)) = (timestamp, nonce, serial, signature)
    else {
        return false;
    };
    let id = KeyId::new(serial);
    let key = match () {
        () if id == KeyId::new(PUBLIC_KEY_ID) => &*PLATFORM_ELSEWHERE,
        () if id == *CERTIFIED_ELSEWHERE.serial() => CERTIFIED_ELSEWHERE.public_key(),
        () => return false,
    };
    let is_number = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let is_fresh = is_number && timestamp.parse().is_ok_and(|at: i64| at.abs_diff(NOW) < 300);
    let Ok(signature) = BASE64_STANDARD.decode(signature) else {
        return false;
    };
    let signature = Signature::from_bytes(signature);
    is_fresh
        && key
            .verify(&answer_message(timestamp, nonce, body), &signature)
            .is_ok()
}

/// Whether a signature of the merchant fits a request, by other code than the product's default.
pub(crate) fn is_the_merchants(message: &[u8], signature: &str) -> bool {
    let Ok(signature) = BASE64_STANDARD.decode(signature) else {
        return false;
    };
    let key = MERCHANT_ELSEWHERE.public_key();
    key.verify(message, &Signature::from_bytes(signature)).is_ok()
}

fn answer_message(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat()
}

fn private(pem: &str) -> PrivateKey<Platform> {
    PrivateKey::from_pem(pem).expect("a test key")
}
