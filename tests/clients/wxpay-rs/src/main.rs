//! Drives the crate `wxpay-rs` for the tests; see README.md one folder up for what comes in and goes out.

use std::{
    error::Error,
    fs,
    io::{BufRead, Write},
    path::Path,
    sync::Arc,
};

use serde_json::{Value, json};
use wxpay_rs::{
    WxPayClient, WxPayConfig, WxPayError, WxPayResult,
    auth::{Sha256RsaSigner, Signer},
    cert::{CertManager, CertificateDownloader, downloader::CertDownloader},
    crypto::{Aes256GcmCipher, RsaOaepDecrypter},
    http::{HttpClient, request::HttpMethod},
    notify::handler::NotifyHeaders,
    services::transport::ServiceTransport,
};
use wxpay_rs_driver::Redirected;

struct Driver {
    settings: Value,
    client: WxPayClient,
    transport: ServiceTransport,
    http: Arc<dyn HttpClient>,
    signer: Arc<dyn Signer>,
    opener: RsaOaepDecrypter,
}

impl Driver {
    async fn new(folder: &Path, mode: &str) -> Result<Self, Box<dyn Error>> {
        let settings: Value = serde_json::from_slice(&fs::read(folder.join("sandbox.json"))?)?;
        let key = fs::read(folder.join("apiclient_key.pem"))?;
        let config = WxPayConfig::builder()
            .app_id("wxea9c30890f48d5ae")
            .merchant_id(text(&settings, "mchid"))
            .api_v3_key(text(&settings, "apiv3_key"))
            .private_key(key.clone())
            .cert_serial_number(text(&settings, "merchant_serial"))
            .max_retries(0);
        let config = if mode == "certificate" {
            let serial = text(&settings["platform_certificates"], "0");
            config.platform_certificate(fs::read(folder.join(format!("wechatpay_{serial}.pem")))?)
        } else {
            config.platform_public_key(
                text(&settings, "platform_key_id"),
                fs::read(folder.join("pub_key.pem"))?,
            )
        };
        let config = config.build()?;
        let redirected = || Redirected::to(&text(&settings, "base_url"));
        let http: Arc<dyn HttpClient> = Arc::new(redirected()?);
        let signer: Arc<dyn Signer> = Arc::new(Sha256RsaSigner::new(
            text(&settings, "mchid"),
            &key,
            text(&settings, "merchant_serial"),
        )?);
        Ok(Self {
            client: WxPayClient::builder()
                .config(config.clone())
                .http_client(redirected()?)
                .build()
                .await?,
            transport: ServiceTransport::new(Arc::new(config), http.clone(), signer.clone()),
            opener: RsaOaepDecrypter::new(&key)?,
            http,
            signer,
            settings,
        })
    }

    async fn run(&self, command: &Value) -> WxPayResult<Value> {
        match command["do"].as_str() {
            Some("import") => self.import(command).await,
            Some("read") => self.read(command).await,
            Some("certificates") => self.certificates().await,
            Some("notification") => self.notification(command).await,
            _ => Err(WxPayError::invalid_parameter("no such command")),
        }
    }

    async fn import(&self, command: &Value) -> WxPayResult<Value> {
        // The id belongs into `Wechatpay-Serial`, which its public interface sets by itself or not at all.
        let (_, key) = self.client.cert_manager().encryption_key().await?;
        let name = key.encrypt(&text(command, "name"))?;
        let body = json!({
            "brand_id": self.settings["brand_id"], "card_id": self.settings["card_id"],
            "phone_number": key.encrypt(&text(command, "phone"))?, "user_card_code": command["code"],
            "user_information": {"common_field_list": [{"name": "USER_FORM_FLAG_NAME", "value": name}]},
            "date_information": {"type": "PERMANENT"}, "pickup_time": "2020-05-20T13:29:35+08:00",
        });
        let path = format!("{CARDS}/import-by-phone");
        let card = self
            .transport
            .request(HttpMethod::Post, &path, Some(&body.to_string()), "import")
            .await?;
        self.opened(&card)
    }

    async fn read(&self, command: &Value) -> WxPayResult<Value> {
        let path = format!(
            "{CARDS}/{}?brand_id={}&card_id={}&openid={}",
            text(command, "code"),
            text(&self.settings, "brand_id"),
            text(&self.settings, "card_id"),
            text(command, "openid"),
        );
        let card = self
            .transport
            .request(HttpMethod::Get, &path, None, "read")
            .await?;
        self.opened(&card)
    }

    fn opened(&self, card: &Value) -> WxPayResult<Value> {
        let name = text(&card["user_information"]["common_field_list"][0], "value");
        Ok(json!({
            "code": card["user_card_code"], "openid": card["openid"],
            "phone": self.opener.decrypt(&text(card, "phone_number"))?, "name": self.opener.decrypt(&name)?,
        }))
    }

    async fn certificates(&self) -> WxPayResult<Value> {
        let (mchid, manager) = (text(&self.settings, "mchid"), Arc::new(CertManager::new()));
        let url = text(&self.settings, "base_url");
        let downloader = CertDownloader::new(url, mchid, self.signer.clone(), self.http.clone(), manager)
            .with_api_v3_key(text(&self.settings, "apiv3_key"));
        let serials: Vec<_> = downloader
            .download()
            .await?
            .into_iter()
            .map(|(serial, _)| serial)
            .collect();
        Ok(json!({ "serials": serials }))
    }

    async fn notification(&self, command: &Value) -> WxPayResult<Value> {
        let header = |name: &str| text(&command["headers"], name);
        let (timestamp, nonce) = (header("wechatpay-timestamp"), header("wechatpay-nonce"));
        let (serial, signature) = (header("wechatpay-serial"), header("wechatpay-signature"));
        let headers = NotifyHeaders {
            timestamp: &timestamp,
            nonce: &nonce,
            serial: &serial,
            signature: &signature,
        };
        let body = text(command, "body");
        let verified = self
            .client
            .notify_handler()?
            .verify_and_parse(headers, body.as_bytes())
            .await?;
        // It knows the contents of payments and refunds; others are opened with its cipher.
        let resource = &verified.request().resource;
        let opened = Aes256GcmCipher::new(&text(&self.settings, "apiv3_key"))?.decrypt_notification(
            &resource.nonce,
            &resource.ciphertext,
            resource.associated_data.as_deref().unwrap_or_default(),
        )?;
        Ok(json!({ "resource": serde_json::from_str::<Value>(&opened)? }))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, folder, mode] = arguments.as_slice() else {
        return Err("usage: wxpay-rs-driver FOLDER MODE".into());
    };
    let driver = Driver::new(Path::new(folder), mode).await?;
    for line in std::io::stdin().lock().lines() {
        let mut answer = match driver.run(&serde_json::from_str(&line?)?).await {
            Ok(answer) => answer,
            Err(error) => json!({"ok": false, "error": error.to_string(), "refusal": error.api_code()}),
        };
        if answer.get("ok").is_none() {
            answer["ok"] = true.into();
        }
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// A text of an object or, by number, of a list; an absent one is empty, and fails where it is used.
fn text(value: &Value, name: &str) -> String {
    let found = name
        .parse()
        .ok()
        .and_then(|place: usize| value.get(place))
        .or_else(|| value.get(name));
    found.and_then(Value::as_str).unwrap_or_default().to_owned()
}

const CARDS: &str = "/v3/brand/partner/card-member/user-cards";
