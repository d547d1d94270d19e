//! Requests of a replay: built from a fixture, sealed and signed for the sandbox's own keys. The merchant's side, written
//! here once more for the platform to judge itself by.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use wxmember_crypto::{FormValue, KeyId, MerchantKey};

use super::{
    Answered, ReplayError,
    values::{Values, is_of_phone, plain_of},
};
use crate::{
    authorization::SCHEME,
    fixture::{
        CERTIFICATE, Exchange, Fixture, GivenMember, NOT_JSON, PRESENT, PUBLIC_KEY, Request, Response,
        Spoilt, mark::Mark,
    },
    gateway::{Gateway, Head},
    identity::IdentityError,
    reply::Reply,
    sandbox::Sandbox,
};

/// Builds requests.
pub(super) struct Builder<'a> {
    gateway: &'a Gateway,
    key: MerchantKey,
    mchid: String,
    serial: String,
}

/// A request as it would come from the wire.
pub(super) struct Built {
    head: Head,
    body: Vec<u8>,
    /// Whether it is sent twice, so that its nonce was used before.
    twice: bool,
}

impl Fixture {
    /// Whether some exchange names a platform certificate.
    pub(super) fn names_certificates(&self) -> bool {
        let mut exchanges = self.exchanges.iter();
        exchanges.any(|exchange| {
            let headers = [&exchange.request.headers, &exchange.response.headers];
            headers
                .iter()
                .any(|headers| headers.get("wechatpay-serial").map(String::as_str) == Some(CERTIFICATE))
        })
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(sandbox: &'a Sandbox) -> Result<Self, ReplayError> {
        let credentials = sandbox.credentials();
        let key = MerchantKey::from_pem(&credentials.merchant_key_pem);
        Ok(Self {
            gateway: sandbox.gateway(),
            key: key.map_err(|error| ReplayError::Identity(IdentityError::MerchantKey(error)))?,
            mchid: credentials.mchid.clone(),
            serial: credentials.merchant_serial.clone(),
        })
    }

    /// Makes a card that was there before, by importing it.
    pub(super) fn give(
        &self,
        sandbox: &Sandbox,
        member: &GivenMember,
        values: &mut Values,
    ) -> Result<(), ReplayError> {
        let mut body = json!({
            "brand_id": member.brand_id,
            "card_id": member.card_id,
            "user_card_code": member.user_card_code,
            "openid": member.openid,
            "valid_date_information": {"type": "PERMANENT"},
            "pickup_time": "2020-05-20T13:29:35+08:00",
        });
        if let Some(phone) = &member.phone_number {
            body["phone_number"] = phone.as_str().into();
        }
        let headers = [
            ("accept", "application/json"),
            ("authorization", SCHEME),
            ("content-type", "application/json"),
            ("user-agent", PRESENT),
            ("wechatpay-serial", PUBLIC_KEY),
        ];
        let exchange = Exchange {
            operation: "import_by_openid".to_owned(),
            at: None,
            request: Request {
                headers: headers
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                body: Some(body),
                ..Request::default()
            },
            response: Response {
                status: 200,
                headers: [].into(),
                body: None,
            },
        };
        let built = self.request(&exchange, values);
        let built = built.map_err(|what| ReplayError::Exchange { number: 0, what })?;
        built.send(sandbox);
        match sandbox.journal().last().and_then(|entry| entry.rule) {
            None => Ok(()),
            Some(rule) => Err(ReplayError::Given { rule }),
        }
    }

    /// Builds the request of an exchange, wrong where the fixture says so.
    pub(super) fn request(&self, exchange: &Exchange, values: &mut Values) -> Result<Built, &'static str> {
        let operation = self
            .gateway
            .spec
            .find(&exchange.operation)
            .ok_or("no such operation")?;
        let Request {
            path,
            query,
            headers,
            body,
            spoilt,
        } = &exchange.request;
        let platform = &self.gateway.registry.platform;
        let public_key = platform.public_key().map_or(String::new(), |key| key.id);
        let serial = match headers.get("wechatpay-serial").map(String::as_str) {
            _ if *spoilt == Some(Spoilt::PlatformSerial) => Some(UNKNOWN_SERIAL.to_owned()),
            None => None,
            Some(PUBLIC_KEY) => Some(public_key.clone()),
            Some(CERTIFICATE) => platform.certificates().pop().map(|newest| newest.serial),
            Some(_) => Some(UNKNOWN_SERIAL.to_owned()),
        };
        let sealed_for = serial.as_deref().unwrap_or(&public_key);
        let pair = platform.find(&KeyId::new(sealed_for));
        let pair = pair
            .or_else(|| platform.find(&KeyId::new(&public_key)))
            .ok_or("no key to seal with")?;
        let seal = |mark: Mark, name: &str| {
            let plain = match *spoilt == Some(Spoilt::PhoneNumber) && is_of_phone(name) {
                true => NO_PHONE_NUMBER.to_owned(),
                false => plain_of(mark, name),
            };
            let sealed = pair.key.public_key().seal(&FormValue::new(plain)).ok()?;
            let mut sealed = sealed.as_str().to_owned();
            if *spoilt == Some(Spoilt::Ciphertext) {
                // Another first character is another number, which opens to nothing.
                let other = if sealed.starts_with('A') { "B" } else { "A" };
                sealed.replace_range(..1, other);
            }
            Some(sealed)
        };
        let mut target = operation
            .path_with(|name| path.get(name).map(|text| escaped(&values.of(text))))
            .ok_or("a part of its path is missing");
        if let (Ok(target), false) = (&mut target, query.is_empty()) {
            let mut pairs = Vec::new();
            for (name, value) in query {
                let value = values
                    .filled(value, name, &seal)
                    .ok_or("a parameter cannot be sealed")?;
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                pairs.push(format!("{name}={}", escaped(&text)));
            }
            *target = format!("{target}?{}", pairs.join("&"));
        }
        let target = target?;
        let body = match body {
            None => String::new(),
            Some(Value::String(word)) if word == NOT_JSON => "{".to_owned(),
            Some(body) => {
                let filled = values.filled(body, "", &seal);
                filled.ok_or("a field cannot be sealed")?.to_string()
            }
        };
        let mut built = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                built.insert(HeaderName::from_static(name), value);
            }
        };
        for (name, own) in [
            ("accept", "*/*"),
            ("user-agent", "wxmember-replay"),
            ("content-type", "text/plain"),
            ("accept-language", ""),
        ] {
            match headers.get(name).map(String::as_str) {
                None => {}
                Some(PRESENT) => put(name, own),
                Some(word) => put(name, word),
            }
        }
        if let Some(serial) = &serial {
            put("wechatpay-serial", serial);
        }
        if let Some(scheme) = headers.get("authorization") {
            let scheme = if scheme == PRESENT { "Basic" } else { scheme };
            let value = self.authorization(scheme, operation.method.as_str(), &target, &body, *spoilt)?;
            put("authorization", &value);
        }
        Ok(Built {
            head: Head {
                method: operation.method.clone(),
                target,
                headers: built,
            },
            body: body.into_bytes(),
            twice: *spoilt == Some(Spoilt::Nonce),
        })
    }

    fn authorization(
        &self,
        scheme: &str,
        method: &str,
        target: &str,
        body: &str,
        spoilt: Option<Spoilt>,
    ) -> Result<String, &'static str> {
        let late = if spoilt == Some(Spoilt::Timestamp) {
            TOO_LATE
        } else {
            0
        };
        let timestamp = self.gateway.clock.unix_seconds().saturating_sub(late);
        let nonce = self.gateway.tokens.token();
        let end = if spoilt == Some(Spoilt::Signature) {
            "\n\n"
        } else {
            "\n"
        };
        let message = format!("{method}\n{target}\n{timestamp}\n{nonce}\n{body}{end}");
        let signature = self
            .key
            .sign(message.as_bytes())
            .map_err(|_| "it cannot be signed")?
            .to_base64();
        let mchid = if spoilt == Some(Spoilt::MerchantId) {
            "1"
        } else {
            &self.mchid
        };
        let serial = if spoilt == Some(Spoilt::MerchantSerial) {
            UNKNOWN_SERIAL
        } else {
            &self.serial
        };
        Ok(format!(
            r#"{scheme} mchid="{mchid}",nonce_str="{nonce}",timestamp="{timestamp}",serial_no="{serial}",signature="{signature}""#
        ))
    }
}

impl Built {
    /// Hands it to the gateway, as the server would.
    pub(super) fn send(&self, sandbox: &Sandbox) -> Answered {
        let gateway = sandbox.gateway();
        let send = || {
            gateway
                .greet(&self.head)
                .unwrap_or_else(|| gateway.answer(&self.head, &self.body))
        };
        if self.twice {
            send();
        }
        let Reply::Answer(answer) = send() else {
            return Answered {
                status: 0,
                headers: Vec::new(),
                body: None,
            };
        };
        let headers = answer
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
        let body = match answer.body.is_empty() {
            true => None,
            false => Some(serde_json::from_slice(&answer.body).unwrap_or_else(|_| NOT_JSON.into())),
        };
        Answered {
            status: answer.status.as_u16(),
            headers: headers.collect(),
            body,
        }
    }
}

/// Percent-encodes everything but what may stand anywhere.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
        escaped
    })
}

/// As short as a number of a service.
const NO_PHONE_NUMBER: &str = "10086";
/// Nobody's.
const UNKNOWN_SERIAL: &str = "7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A";
/// Beyond the five minutes.
const TOO_LATE: i64 = 600;
