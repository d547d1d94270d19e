//! A sandbox, and clients that believe it in one way or another.

use std::sync::Arc;

use wxmember::{
    ApiV3Key, Builder, Client, Error, FixedClock, ImportByPhone, Merchant, MerchantKey, PhoneNumber,
    PlatformKey, Ready, Reply, Trust, UserCard, Validity,
};
use wxmember_sandbox::{Clock, Identity, IdentityParts, Sandbox, SandboxBuilder};

/// When the fixed clocks of both sides stand still: 2026-11-30.
pub(crate) const NOW: i64 = 1_796_000_000;

/// The id of the public key of [`still`].
pub(crate) const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026113000000000000001";

/// A sandbox whose clock stands still, with the public test keys, so that no test waits for new ones.
pub(crate) fn still() -> SandboxBuilder {
    let identity = Identity::from_parts(IdentityParts {
        mchid: "1900000109".to_owned(),
        merchant_key_pem: include_str!("../../../../tests/vectors/test_merchant_key.pem").to_owned(),
        merchant_certificate_pem: include_str!("../../../../tests/vectors/test_merchant_cert.pem").to_owned(),
        platform_key_id: PUBLIC_KEY_ID.to_owned(),
        platform_private_key_pem: include_str!("../../../../tests/vectors/test_wechatpay_pubmode_key.pem")
            .to_owned(),
        apiv3_key: "TestOnlyApiV3Key0123456789abcdef".to_owned(),
        brand_id: "1004".to_owned(),
        card_id: "pbLatjvWOibDc5-TBnbUk1pD12o0".to_owned(),
    });
    Sandbox::builder()
        .with_identity(identity.unwrap())
        .with_clock(Clock::manual(NOW))
}

/// The same with a platform certificate beside the public key.
pub(crate) fn certified() -> SandboxBuilder {
    still().with_platform_certificates(1)
}

/// The merchant whom the sandbox knows.
pub(crate) fn merchant(sandbox: &Sandbox) -> Merchant {
    let credentials = sandbox.credentials();
    let key = MerchantKey::from_pem(&credentials.merchant_key_pem).unwrap();
    Merchant::new(&credentials.mchid, &credentials.merchant_serial, key).unwrap()
}

/// Trust in the sandbox's public key.
pub(crate) fn public_key(sandbox: &Sandbox) -> Trust {
    let credentials = sandbox.credentials();
    let key = PlatformKey::from_pem(&credentials.platform_key_pem).unwrap();
    Trust::public_key(&credentials.platform_key_id, key).unwrap()
}

/// Trust in whatever the sandbox's certificates are.
pub(crate) fn downloaded(sandbox: &Sandbox) -> Trust {
    Trust::downloaded_certificates(ApiV3Key::new(&sandbox.credentials().apiv3_key).unwrap())
}

/// A client that can be built, with a clock that waits for nobody.
pub(crate) fn builder(sandbox: &Sandbox, trust: Trust) -> (Builder<Ready>, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::at(NOW));
    let builder = Client::builder()
        .merchant(merchant(sandbox))
        .trust(trust)
        .with_base_url(sandbox.base_url())
        .with_clock(clock.clone());
    (builder, clock)
}

/// A client that trusts the public key.
pub(crate) fn client(sandbox: &Sandbox) -> Client {
    builder(sandbox, public_key(sandbox)).0.build().unwrap()
}

/// A member of the sandbox's card.
pub(crate) fn member(sandbox: &Sandbox, number: u64) -> ImportByPhone {
    let credentials = sandbox.credentials();
    ImportByPhone::builder()
        .brand_id(credentials.brand_id.parse().unwrap())
        .card_id(credentials.card_id.parse().unwrap())
        .phone_number(PhoneNumber::new(format!("{}", 13_800_000_000 + number)))
        .user_card_code(format!("code-{number}").parse().unwrap())
        .date_information(Validity::permanent())
        .pickup_time("2020-05-20T13:29:35.120+08:00".parse().unwrap())
        .build()
}

/// Imports one member.
pub(crate) async fn import(
    client: &Client,
    sandbox: &Sandbox,
    number: u64,
) -> Result<Reply<UserCard>, Error> {
    client
        .user_cards()
        .import_by_phone(&member(sandbox, number))
        .await
}

/// Waits for something that another task does, such as a download that no call waits for.
pub(crate) async fn until(what: impl Fn() -> bool) {
    let reached = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, reached)
        .await
        .expect("it never came");
}
