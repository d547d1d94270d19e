//! What a caller does who has the same HTTP library and the SDK's keys, and writes the rest by hand: untyped JSON, no limits,
//! no retries and no errors to speak of. What the SDK costs beyond it is the SDK's own.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use wxmember::{
    Clock, ImportByPhone, MerchantCiphertext, MerchantKey, PhoneNumber, Plaintext, PlatformKey, Signature,
    SystemClock,
};

use crate::{calls::Opening, platform::Account, request::PICKUP_TIME};

/// Who signs and sends by hand.
pub(crate) struct Bare {
    account: Account,
    http: reqwest::Client,
    url: String,
    clock: SystemClock,
    nonces: AtomicU64,
}

impl Bare {
    pub(crate) fn new(account: Account) -> Result<Self, String> {
        // As the SDK has it.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .tls_certs_only([]);
        let clock = SystemClock::new();
        Ok(Self {
            http: http.build().map_err(|error| error.to_string())?,
            url: format!("{}{PATH}", account.base_url),
            // Of this second, so that no two runs against one sandbox use a nonce twice.
            nonces: AtomicU64::new((clock.now().0 as u64) << 32),
            clock,
            account,
        })
    }

    /// Seals, signs, sends, verifies, and opens the answer's phone number or not.
    pub(crate) async fn call(&self, member: &ImportByPhone, opening: Opening) -> Result<(), String> {
        let Account {
            key,
            platform,
            mchid,
            merchant_serial,
            platform_key_id,
            ..
        } = &self.account;
        let body = self.body(member)?;
        let (now, nonce) = (self.clock.now().0, self.nonces.fetch_add(1, Ordering::Relaxed));
        let message = format!("POST\n{PATH}\n{now}\n{nonce:032X}\n{body}\n");
        let signature = signed(key, &message)?;
        let authorization = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"{nonce:032X}\",signature=\"{signature}\",\
             timestamp=\"{now}\",serial_no=\"{merchant_serial}\""
        );
        let request = self
            .http
            .post(&self.url)
            .header("Authorization", authorization)
            .header("Accept", "application/json")
            .header("Content-Type", "application/json")
            .header("User-Agent", "wxmember-bench")
            .header("Wechatpay-Serial", platform_key_id)
            .body(body);
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let header = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned).ok_or(format!("no {name}"))
        };
        let (at, nonce, signature) = (
            header("Wechatpay-Timestamp")?,
            header("Wechatpay-Nonce")?,
            header("Wechatpay-Signature")?,
        );
        if !answer.status().is_success() || header("Wechatpay-Serial")? != *platform_key_id {
            return Err(format!("not a good answer: {}", answer.status()));
        }
        let body = answer.bytes().await.map_err(|error| error.to_string())?;
        let message = [at.as_bytes(), nonce.as_bytes(), &body, b""].join(&b'\n');
        verified(platform, &message, &signature)?;
        let card: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        if opening == Opening::Yes {
            let sealed: MerchantCiphertext =
                serde_json::from_value(card["phone_number"].clone()).map_err(|error| error.to_string())?;
            let phone: PhoneNumber = key.open(&sealed).map_err(|error| error.to_string())?;
            if phone.expose() != member.phone_number.expose() {
                return Err("the answer has another phone number".to_owned());
            }
        }
        Ok(())
    }

    /// The request of the SDK, written by hand.
    fn body(&self, member: &ImportByPhone) -> Result<String, String> {
        let platform = &self.account.platform;
        let phone = sealed(platform, &member.phone_number)?;
        let fields = member.user_information.iter();
        let fields = fields.flat_map(|information| &information.common_field_list);
        let fields = fields
            .map(|field| Ok(json!({"name": field.name, "value": sealed(platform, &field.value)?})))
            .collect::<Result<Vec<_>, String>>()?;
        let body = json!({
            "brand_id": self.account.brand_id,
            "card_id": self.account.card_id,
            "phone_number": phone,
            "user_card_code": member.user_card_code,
            "date_information": {"type": "PERMANENT"},
            "pickup_time": PICKUP_TIME,
            "level": member.level,
            "user_information": {"common_field_list": fields},
        });
        Ok(body.to_string())
    }
}

fn sealed<T: Plaintext>(key: &PlatformKey, value: &T) -> Result<String, String> {
    let sealed = key.seal(value).map_err(|error| error.to_string())?;
    Ok(sealed.as_str().to_owned())
}

fn signed(key: &MerchantKey, message: &str) -> Result<String, String> {
    let signature = key.sign(message.as_bytes()).map_err(|error| error.to_string())?;
    Ok(signature.to_base64())
}

fn verified(key: &PlatformKey, message: &[u8], signature: &str) -> Result<(), String> {
    let signature = Signature::from_base64(signature).map_err(|error| error.to_string())?;
    key.verify(message, &signature).map_err(|error| error.to_string())
}

const PATH: &str = "/v3/brand/partner/card-member/user-cards/import-by-phone";
