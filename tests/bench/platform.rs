//! The platform's side of a measurement: the folder of a running sandbox, or the known test keys alone.

use std::{fs, path::Path};

use serde_json::Value;
use wxmember::{
    Client, FormValue, Merchant, MerchantCiphertext, MerchantKey, PlatformKey, RetryPolicy, Trust,
};

/// Who calls, and where.
pub(crate) struct Account {
    pub(crate) client: Client,
    pub(crate) key: MerchantKey,
    pub(crate) platform: PlatformKey,
    pub(crate) mchid: String,
    pub(crate) merchant_serial: String,
    pub(crate) platform_key_id: String,
    pub(crate) brand_id: String,
    pub(crate) card_id: String,
    pub(crate) base_url: String,
}

impl Account {
    /// As `wxmember sandbox --dir DIR` wrote it.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, String> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let settings: Value =
            serde_json::from_str(&read("sandbox.json")?).map_err(|error| format!("sandbox.json: {error}"))?;
        let text = |name: &str| settings[name].as_str().unwrap_or_default().to_owned();
        Self::new(
            &read("apiclient_key.pem")?,
            &read("pub_key.pem")?,
            [
                &text("mchid"),
                &text("merchant_serial"),
                &text("platform_key_id"),
                &text("brand_id"),
                &text("card_id"),
                &text("base_url"),
            ],
        )
    }

    /// The known test keys; nothing can be sent but to a sandbox with them.
    pub(crate) fn of_tests(base_url: &str) -> Result<Self, String> {
        let folder = wxmember_tests::folder::Folder::write(base_url);
        let read = |name: &str| fs::read_to_string(folder.path.join(name)).map_err(|error| error.to_string());
        Self::new(
            &read("apiclient_key.pem")?,
            &read("pub_key.pem")?,
            [
                "1900000109",
                "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6",
                "PUB_KEY_ID_0119000001092026113000000000000001",
                "1004",
                "pbLatjvWOibDc5-TBnbUk1pD12o0",
                base_url,
            ],
        )
    }

    fn new(merchant_key: &str, platform_key: &str, names: [&str; 6]) -> Result<Self, String> {
        let [mchid, serial, platform_key_id, brand_id, card_id, base_url] = names;
        let unusable = |error: &dyn std::error::Error| format!("the keys are unusable: {error}");
        // One for the client, and one for who signs by hand.
        let read_key = || MerchantKey::from_pem(merchant_key).map_err(|error| unusable(&error));
        let key = read_key()?;
        let read_platform = || PlatformKey::from_pem(platform_key).map_err(|error| unusable(&error));
        let merchant = Merchant::new(mchid, serial, read_key()?).map_err(|error| unusable(&error))?;
        let trust = Trust::public_key(platform_key_id, read_platform()?).map_err(|error| unusable(&error))?;
        let client = Client::builder()
            .merchant(merchant)
            .trust(trust)
            .with_base_url(base_url)
            .with_retry(RetryPolicy::never())
            .build()
            .map_err(|error| unusable(&error))?;
        Ok(Self {
            client,
            key,
            platform: read_platform()?,
            mchid: mchid.to_owned(),
            merchant_serial: serial.to_owned(),
            platform_key_id: platform_key_id.to_owned(),
            brand_id: brand_id.to_owned(),
            card_id: card_id.to_owned(),
            base_url: base_url.to_owned(),
        })
    }

    /// Seals once. The backend gathers randomness before its first seal, some 50 ms of each process, whatever it does
    /// later.
    pub(crate) fn warm_up(&self) -> Result<(), String> {
        let sealed: Result<MerchantCiphertext, _> =
            self.key.public_key().seal(&FormValue::new("13800138000"));
        sealed.map(drop).map_err(|error| error.to_string())
    }
}
