//! What the benchmarks work on, and the work itself. Everything is the same in every run but what must be random:
//! nonces, the padding of sealed fields, and the blinding of private keys.

use std::{hint::black_box, sync::Arc};

use tokio::runtime::Runtime;
use wxmember::{
    Client, CommonField, CommonFieldName, FixedClock, FormValue, ImportByPhone, Merchant, MerchantKey,
    PhoneNumber, PlatformKey, RetryPolicy, Trust, UserCard, UserInformation, Validity,
};
use wxmember_client::types;
use wxmember_crypto::KeyId;
use wxmember_import::{
    CsvRecords, Defaults, Gateway, Mapping, Profile, Record, Records, Route, Validator,
    Validity as RowValidity, WechatGateway,
};
use wxmember_signing::{Identity, Nonce, Request, SignatureHeaders, UnixSeconds, authorization, verify};
use wxmember_tests::members::MemberList;

use crate::server;

/// Everything that is made before the counting begins.
pub(crate) struct Stage {
    times: u32,
    runtime: Runtime,
    client: Client,
    member: ImportByPhone,
    key: MerchantKey,
    identity: Identity,
    keyring: (KeyId, PlatformKey),
    /// The body of a request with two sealed fields.
    request: Vec<u8>,
    answer: Answer,
    card: Option<UserCard>,
    list: Vec<u8>,
}

/// An answer with the headers that sign it.
struct Answer {
    body: Vec<u8>,
    timestamp: String,
    signature: String,
}

impl Stage {
    /// Makes everything, and does once what is slow the first time.
    pub(crate) fn set_up(times: u32) -> Self {
        let key = MerchantKey::from_pem(include_str!("../vectors/test_merchant_key.pem"));
        let key = key.expect("the merchant's key");
        let answer = Answer::made(&key);
        let address = server::start(answer.on_the_wire());
        let client = client(&address);
        let member = member();
        // The backend gathers randomness before its first seal.
        let sealed = client.seal(&member).expect("a request");
        let sealed = serde_json::to_value(&sealed).expect("a request");
        let mut list = Vec::new();
        let rows = MemberList::new(u64::from(times), SEED);
        rows.write(&mut list).expect("a list");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self {
            times,
            runtime: runtime.expect("a runtime"),
            client,
            member,
            key,
            identity: Identity::partner(MCHID, KeyId::new(MERCHANT_SERIAL)),
            keyring: (KeyId::new(PLATFORM_KEY_ID), platform_key()),
            request: sealed["request"].to_string().into_bytes(),
            answer,
            card: None,
            list,
        }
    }

    /// The same with a connection that is open, and an answer to look at.
    pub(crate) fn after_a_call(times: u32) -> Self {
        let mut stage = Self::set_up(2);
        stage.call();
        stage.times = times;
        stage
    }

    pub(crate) fn seal(&self) {
        for _ in 0..self.times {
            drop(black_box(self.client.seal(&self.member).expect("a request")));
        }
    }

    pub(crate) fn sign(&self) {
        let nonce = Nonce::from_random([7; 16]);
        for _ in 0..self.times {
            let request = Request {
                method: "POST",
                target: TARGET,
                body: &self.request,
            };
            let header = authorization(&self.identity, &self.key, &request, NOW, &nonce);
            drop(black_box(header.expect("a signature")));
        }
    }

    pub(crate) fn verify(&self) {
        for _ in 0..self.times {
            let headers = SignatureHeaders {
                timestamp: Some(&self.answer.timestamp),
                nonce: Some(NONCE),
                serial: Some(PLATFORM_KEY_ID),
                signature: Some(&self.answer.signature),
            };
            let verified = verify(&headers, &self.answer.body, NOW, &self.keyring);
            drop(black_box(verified.expect("a right signature")));
        }
    }

    pub(crate) fn parse(&self) {
        for _ in 0..self.times {
            let card: Result<types::UserCard, _> = serde_json::from_slice(&self.answer.body);
            drop(black_box(card.expect("a card")));
        }
    }

    pub(crate) fn open(&self) {
        let card = self.card.as_ref().expect("an answer");
        let phone_number = card.phone_number.as_ref().expect("a phone number");
        for _ in 0..self.times {
            drop(black_box(phone_number.open().expect("a phone number")));
        }
    }

    pub(crate) fn call(&mut self) {
        let user_cards = self.client.user_cards();
        let calls = async {
            let mut card = None;
            for _ in 0..self.times {
                let reply = user_cards.import_by_phone(black_box(&self.member)).await;
                card = Some(reply.expect("an answer").into_inner());
            }
            card
        };
        self.card = self.runtime.block_on(calls);
    }

    pub(crate) fn rows(&self) {
        let mut records = CsvRecords::new("members.csv", self.list.as_slice()).expect("a header");
        let defaults = Defaults::default().with_validity(RowValidity::Permanent);
        let route = Route::ImportByPhone;
        let mapping = Mapping::detect(records.columns(), route, &defaults).expect("known columns");
        let profile = Profile::new(MCHID, BRAND_ID, CARD_ID, "https://api.mch.weixin.qq.com");
        let validator = Validator::new(profile, route, mapping, defaults).expect("right defaults");
        let gateway = WechatGateway::new(self.client.clone());
        let mut rows = 0;
        loop {
            let mut record = Record::default();
            if !records.read(&mut record).expect("a record") {
                break;
            }
            let member = validator.member(&record).expect("a good row");
            drop(black_box(gateway.seal(route, &member).expect("a request")));
            rows += 1;
        }
        assert_eq!(rows, self.times);
    }
}

impl Answer {
    fn made(merchant: &MerchantKey) -> Self {
        let phone_number = merchant.public_key().seal(&PhoneNumber::new("13800138000"));
        let phone_number = phone_number.expect("a sealed field");
        let body = format!(
            "{{\"user_card_code\":\"478515832665\",\"card_id\":\"{CARD_ID}\",\"openid\":\"obLatjnx9gnqzS4myYGmLZ7LgLBA\",\
             \"card_color\":\"#8B4513\",\"card_picture_url\":\"https://example.com/card.png\",\"brand_id\":\"{BRAND_ID}\",\
             \"card_type\":\"NORMAL\",\"phone_number\":\"{}\",\"level\":\"金卡\",\
             \"valid_date_information\":{{\"type\":\"PERMANENT\"}},\"pickup_time\":\"2020-05-20T13:29:35+08:00\",\
             \"user_card_state\":\"EFFECTIVE\",\"create_time\":\"2026-11-26T10:00:00+08:00\",\
             \"modify_time\":\"2026-11-26T10:00:00+08:00\"}}",
            phone_number.as_str()
        );
        // Who signs is no matter of the type here.
        let platform = MerchantKey::from_pem(wxmember_tests::folder::PLATFORM_PRIVATE_KEY);
        let message = format!("{NOW}\n{NONCE}\n{body}\n");
        let signature = platform.expect("the platform's key").sign(message.as_bytes());
        Self {
            body: body.into_bytes(),
            timestamp: NOW.to_string(),
            signature: signature.expect("a signature").to_base64(),
        }
    }

    fn on_the_wire(&self) -> Vec<u8> {
        let head = format!(
            "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 30 Nov 2026 00:53:20 GMT\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: keep-alive\r\nCache-Control: no-cache, must-revalidate\r\n\
             X-Content-Type-Options: nosniff\r\nRequest-ID: 08F78BB4A20610AC0218D3F8D9FC0120BF2A28E7FA01-0\r\n\
             Content-Language: zh-CN\r\nWechatpay-Nonce: {NONCE}\r\nWechatpay-Signature: {}\r\n\
             Wechatpay-Timestamp: {}\r\nWechatpay-Serial: {PLATFORM_KEY_ID}\r\n\
             Wechatpay-Signature-Type: WECHATPAY2-SHA256-RSA2048\r\n\r\n",
            self.body.len(),
            self.signature,
            self.timestamp,
        );
        [head.as_bytes(), &self.body].concat()
    }
}

fn client(base_url: &str) -> Client {
    let key = MerchantKey::from_pem(include_str!("../vectors/test_merchant_key.pem"));
    let merchant = Merchant::new(MCHID, MERCHANT_SERIAL, key.expect("the merchant's key"));
    let trust = Trust::public_key(PLATFORM_KEY_ID, platform_key());
    Client::builder()
        .merchant(merchant.expect("the merchant"))
        .trust(trust.expect("the platform's key"))
        .with_base_url(base_url)
        .with_retry(RetryPolicy::never())
        .with_clock(Arc::new(FixedClock::at(NOW.0)))
        .build()
        .expect("a client")
}

fn platform_key() -> PlatformKey {
    PlatformKey::from_pem(include_str!("../vectors/test_wechatpay_pubmode_pub_key.pem"))
        .expect("the platform's key")
}

fn member() -> ImportByPhone {
    let name = CommonField::builder()
        .name(CommonFieldName::Name)
        .value(FormValue::new("张三"))
        .build();
    let mut member = ImportByPhone::builder()
        .brand_id(BRAND_ID.parse().expect("a brand"))
        .card_id(CARD_ID.parse().expect("a card"))
        .phone_number(PhoneNumber::new("13800138000"))
        .user_card_code("478515832665".parse().expect("a code"))
        .date_information(Validity::permanent())
        .pickup_time("2020-05-20T13:29:35+08:00".parse().expect("a time"))
        .build();
    member.level = Some("金卡".parse().expect("a level"));
    member.user_information = Some(UserInformation::builder().common_field_list(vec![name]).build());
    member
}

const MCHID: &str = "1900000109";
const MERCHANT_SERIAL: &str = "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6";
const PLATFORM_KEY_ID: &str = "PUB_KEY_ID_0119000001092026113000000000000001";
const BRAND_ID: &str = "1004";
const CARD_ID: &str = "pbLatjvWOibDc5-TBnbUk1pD12o0";
const TARGET: &str = "/v3/brand/partner/card-member/user-cards/import-by-phone";
/// 2026-11-30 in Shenzhen.
const NOW: UnixSeconds = UnixSeconds(1_796_000_000);
const NONCE: &str = "c5ac7061fccab6bf3e254dcf98995b8c";
const SEED: u64 = 4;
