//! The same loop as `wxmember-bench calls` over the crate `wxpay-rs`: seal two fields, sign, send, verify.
//!
//! wxpay-rs-calls MEMBERS_JSON IN_FLIGHT plain|opened SANDBOX_FOLDER; prints one line of JSON.

use std::{env, error::Error, fs, path::Path, sync::Arc, time::Instant};

use serde_json::{Value, json};
use tokio::{sync::Mutex, task::JoinSet};
use wxpay_rs::{
    WxPayConfig,
    auth::Sha256RsaSigner,
    crypto::{RsaOaepCipher, RsaOaepDecrypter},
    http::HttpMethod,
    services::transport::ServiceTransport,
};
use wxpay_rs_driver::Redirected;

type Failure = Box<dyn Error + Send + Sync>;

struct Caller {
    transport: ServiceTransport,
    seal: RsaOaepCipher,
    open: RsaOaepDecrypter,
    brand_id: String,
    card_id: String,
    is_opening: bool,
}

impl Caller {
    async fn call(&self, member: &Value) -> Result<(), Failure> {
        let text = |name: &str| member[name].as_str().unwrap_or_default();
        let body = json!({
            "brand_id": self.brand_id,
            "card_id": self.card_id,
            "phone_number": self.seal.encrypt(text("phone_number"))?,
            "user_card_code": text("user_card_code"),
            "level": text("level"),
            "date_information": {"type": "PERMANENT"},
            "pickup_time": text("pickup_time"),
            "user_information": {
                "common_field_list": [{"name": "USER_FORM_FLAG_NAME", "value": self.seal.encrypt(text("name"))?}],
            },
        });
        let body = body.to_string();
        let card: Value = self
            .transport
            .request(HttpMethod::Post, PATH, Some(&body), "import")
            .await?;
        if self.is_opening {
            let phone = self
                .open
                .decrypt(card["phone_number"].as_str().unwrap_or_default())?;
            if phone != text("phone_number") {
                return Err("another phone number".into());
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [members, in_flight, opening, folder] = &arguments[..] else {
        return Err("wxpay-rs-calls MEMBERS_JSON IN_FLIGHT plain|opened SANDBOX_FOLDER".into());
    };
    let folder = Path::new(folder);
    let settings: Value = serde_json::from_slice(&fs::read(folder.join("sandbox.json"))?)?;
    let text = |name: &str| settings[name].as_str().unwrap_or_default().to_owned();
    let key = fs::read(folder.join("apiclient_key.pem"))?;
    let platform_key = fs::read(folder.join("pub_key.pem"))?;
    let config = WxPayConfig::builder()
        .app_id("wx88888888")
        .merchant_id(text("mchid"))
        .api_v3_key(text("apiv3_key"))
        .private_key(key.clone())
        .cert_serial_number(text("merchant_serial"))
        .platform_public_key(text("platform_key_id"), platform_key.clone())
        .build()?;
    let http = Redirected::to(&text("base_url"))?;
    let signer = Sha256RsaSigner::new(text("mchid"), &key, text("merchant_serial"))?;
    let caller = Arc::new(Caller {
        transport: ServiceTransport::new(Arc::new(config), Arc::new(http), Arc::new(signer)),
        seal: RsaOaepCipher::from_public_key(&platform_key)?,
        open: RsaOaepDecrypter::new(&key)?,
        brand_id: text("brand_id"),
        card_id: text("card_id"),
        is_opening: opening == "opened",
    });
    let members: Vec<Value> = serde_json::from_slice(&fs::read(members)?)?;
    let calls = members.len();
    // The first randomness of a process takes 50 ms of a core in AWS-LC.
    caller.seal.encrypt("warm")?;
    let members = Arc::new(Mutex::new(members.into_iter()));
    let (cpu, start) = (cpu_seconds()?, Instant::now());
    let mut loops = JoinSet::new();
    for _ in 0..in_flight.parse::<usize>()? {
        let (caller, members) = (Arc::clone(&caller), Arc::clone(&members));
        loops.spawn(async move {
            loop {
                let member = members.lock().await.next();
                match member {
                    Some(member) => caller.call(&member).await?,
                    None => return Ok::<_, Failure>(()),
                }
            }
        });
    }
    while let Some(ended) = loops.join_next().await {
        ended??;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({
            "calls": calls,
            "seconds": seconds,
            "cpu_seconds": cpu_seconds()? - cpu,
            "peak_bytes": peak_bytes()?,
        })
    );
    Ok(())
}

fn cpu_seconds() -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/self/stat")?;
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: Vec<f64> = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

fn peak_bytes() -> Result<u64, Failure> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

const PATH: &str = "/v3/brand/partner/card-member/user-cards/import-by-phone";
