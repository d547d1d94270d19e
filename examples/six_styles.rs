//! One import in six styles: typed, chained and indexed, each async and blocking, against a sandbox in this process.
//!
//!     cargo run --example six_styles

#![expect(clippy::print_stdout, reason = "an example shows its outcome")]

use std::error::Error;

use serde_json::json;
use wxmember::{
    Answer, Client, CommonField, CommonFieldName, FormValue, ImportByPhone, Merchant, MerchantKey,
    PhoneNumber, PlatformKey, Reply, Trust, UserCard, UserInformation, Validity, blocking,
};
use wxmember_sandbox::Sandbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let sandbox = Sandbox::start().await?;
    let credentials = sandbox.credentials();
    let (brand_id, card_id) = (credentials.brand_id.clone(), credentials.card_id.clone());
    let client = client(&sandbox)?;

    // The typed style takes plain values; what must be sealed is sealed on the way.
    let member = ImportByPhone::builder()
        .brand_id(brand_id.parse()?)
        .card_id(card_id.parse()?)
        .phone_number(PhoneNumber::new("13800138000"))
        .user_card_code("478515832665".parse()?)
        .user_information(
            UserInformation::builder()
                .common_field_list(vec![
                    CommonField::builder()
                        .name(CommonFieldName::City)
                        .value(FormValue::new("广州"))
                        .build(),
                ])
                .build(),
        )
        .date_information(Validity::permanent())
        .pickup_time("2020-05-20T13:29:35.120+08:00".parse()?)
        .build();
    // The generic styles take JSON, and are told by JSON Pointer what to seal.
    let json = json!({
        "brand_id": brand_id,
        "card_id": card_id,
        "phone_number": "13800138000",
        "user_card_code": "478515832665",
        "user_information": { "common_field_list": [{ "name": "USER_FORM_FLAG_CITY", "value": "广州" }] },
        "date_information": { "type": "PERMANENT" },
        "pickup_time": "2020-05-20T13:29:35.120+08:00",
    });

    let card = client.user_cards().import_by_phone(&member).await?;
    println!("typed, async       {}", typed(&card));

    let answer = client.chain(PATH).seal(PHONE).seal(VALUES).post(&json).await?;
    println!("chained, async     {}", generic(&answer)?);

    let answer = client[PATH].seal(PHONE).seal(VALUES).post(&json).await?;
    println!("indexed, async     {}", generic(&answer)?);

    // Blocking calls belong on a thread of their own; a program without async needs no `spawn_blocking`.
    let blocking = blocking::Client::new(client)?;
    tokio::task::spawn_blocking(move || {
        let card = blocking.user_cards().import_by_phone(&member)?;
        println!("typed, blocking    {}", typed(&card));

        let answer = blocking.chain(PATH).seal(PHONE).seal(VALUES).post(&json)?;
        println!("chained, blocking  {}", generic(&answer)?);

        let answer = blocking[PATH].seal(PHONE).seal(VALUES).post(&json)?;
        println!("indexed, blocking  {}", generic(&answer)?);
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    })
    .await??;

    sandbox.shutdown().await;
    Ok(())
}

fn client(sandbox: &Sandbox) -> Result<Client, Box<dyn Error + Send + Sync>> {
    let credentials = sandbox.credentials();
    let key = MerchantKey::from_pem(&credentials.merchant_key_pem)?;
    let platform = PlatformKey::from_pem(&credentials.platform_key_pem)?;
    let client = Client::builder()
        .merchant(Merchant::new(
            &credentials.mchid,
            &credentials.merchant_serial,
            key,
        )?)
        .trust(Trust::public_key(&credentials.platform_key_id, platform)?)
        .with_base_url(sandbox.base_url())
        .build()?;
    Ok(client)
}

fn typed(card: &Reply<UserCard>) -> String {
    format!(
        "{} {} {}",
        card.status(),
        card.user_card_code,
        card.user_card_state
    )
}

fn generic(answer: &Reply<Answer>) -> Result<String, Box<dyn Error + Send + Sync>> {
    let card = answer.value()?;
    let text = |name: &str| card[name].as_str().unwrap_or_default().to_owned();
    Ok(format!(
        "{} {} {}",
        answer.status(),
        text("user_card_code"),
        text("user_card_state")
    ))
}

const PATH: &str = "v3/brand/partner/card-member/user-cards/import-by-phone";
const PHONE: &str = "/phone_number";
const VALUES: &str = "/user_information/common_field_list/*/value";
