//! A merchant of our own: builds, signs and sends raw HTTP/1.1. Must not hide anything that the sandbox sends.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wxmember_crypto::{
    Certificate, FormValue, MerchantCiphertext, MerchantKey, Plaintext, PlatformKey, PublicKey, Signature,
    party::Platform,
};
use wxmember_sandbox::{Clock, Credentials, Identity, IdentityParts, Sandbox, SandboxBuilder, rules};

pub(crate) const NOW: i64 = 1_796_000_000;
pub(crate) const PATH: &str = "/v3/brand/partner/card-member/user-cards/import-by-phone";

pub(crate) fn identity() -> Identity {
    Identity::from_parts(IdentityParts {
        mchid: "1900000109".to_owned(),
        merchant_key_pem: include_str!("../../../../tests/vectors/test_merchant_key.pem").to_owned(),
        merchant_certificate_pem: include_str!("../../../../tests/vectors/test_merchant_cert.pem").to_owned(),
        platform_key_id: "PUB_KEY_ID_0119000001092026113000000000000001".to_owned(),
        platform_private_key_pem: include_str!("../../../../tests/vectors/test_wechatpay_pubmode_key.pem")
            .to_owned(),
        apiv3_key: "TestOnlyApiV3Key0123456789abcdef".to_owned(),
        brand_id: "1004".to_owned(),
        card_id: "pbLatjvWOibDc5-TBnbUk1pD12o0".to_owned(),
    })
    .unwrap()
}

pub(crate) fn builder() -> SandboxBuilder {
    Sandbox::builder()
        .with_identity(identity())
        .with_clock(Clock::manual(NOW))
}

/// A sandbox with the public test keys and a clock that stands still.
pub(crate) async fn sandbox() -> Sandbox {
    builder().start().await.unwrap()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Every header, as it came.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.head.lines().skip(1);
        lines.filter_map(|line| line.split_once(':').map(|(name, value)| (name, value.trim())))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap().to_owned()
    }

    /// The bytes that were promised and never came.
    pub(crate) fn missing(&self) -> usize {
        let promised: usize = self.header("content-length").unwrap().parse().unwrap();
        promised - self.body.len()
    }

    pub(crate) fn is_signed(&self) -> bool {
        let head = self.head.to_ascii_lowercase();
        head.contains("wechatpay-")
    }

    /// Verifies as a client in public-key mode should, all but the timestamp.
    pub(crate) fn verify(&self, sandbox: &Sandbox) -> Result<(), String> {
        let serial = self
            .header("Wechatpay-Serial")
            .ok_or("no header Wechatpay-Serial")?;
        if serial != sandbox.credentials().platform_key_id {
            return Err("unknown serial".to_owned());
        }
        self.verify_with(&platform_key(sandbox))
    }

    /// Verifies with a given key, whatever the serial says.
    pub(crate) fn verify_with(&self, key: &PlatformKey) -> Result<(), String> {
        verify(key, |name| self.header(name), &self.body)
    }
}

/// Verifies a body under the headers that sign it.
pub(crate) fn verify<'a>(
    key: &PlatformKey,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
) -> Result<(), String> {
    let header = |name: &str| header(name).ok_or(format!("no header {name}"));
    let (timestamp, nonce) = (header("Wechatpay-Timestamp")?, header("Wechatpay-Nonce")?);
    let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let signature = Signature::from_base64(header("Wechatpay-Signature")?).map_err(|_| "not base64")?;
    let verified = key.verify(&message, &signature);
    verified.map_err(|_| "wrong signature".to_owned())
}

/// The bytes of standard base64 with padding; a signature is nothing else.
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    Signature::from_base64(text).unwrap().as_bytes().to_vec()
}

pub(crate) fn platform_key(sandbox: &Sandbox) -> PlatformKey {
    PublicKey::<Platform>::from_pem(&sandbox.credentials().platform_key_pem).unwrap()
}

/// A key of the platform by its id: the public key, or a certificate's.
pub(crate) fn key_of(sandbox: &Sandbox, key_id: &str) -> PlatformKey {
    if key_id == sandbox.credentials().platform_key_id {
        return platform_key(sandbox);
    }
    let mut certificates = sandbox.platform_certificates().into_iter();
    let found = certificates
        .find(|certificate| certificate.serial == key_id)
        .unwrap();
    let certificate = Certificate::<Platform>::from_pem(&found.pem).unwrap();
    certificate.public_key().clone()
}

pub(crate) fn merchant_key(sandbox: &Sandbox) -> MerchantKey {
    MerchantKey::from_pem(&sandbox.credentials().merchant_key_pem).unwrap()
}

pub(crate) fn seal(sandbox: &Sandbox, text: &str) -> Value {
    sealed_for(&platform_key(sandbox), text)
}

fn sealed_for(key: &PlatformKey, text: &str) -> Value {
    key.seal(&FormValue::new(text)).unwrap().as_str().into()
}

pub(crate) fn open(sandbox: &Sandbox, sealed: &Value) -> String {
    let sealed: MerchantCiphertext = serde_json::from_value(sealed.clone()).unwrap();
    let opened: FormValue = merchant_key(sandbox).open(&sealed).unwrap();
    opened.expose().to_owned()
}

/// A good body.
pub(crate) fn body(sandbox: &Sandbox, code: &str, phone: &str) -> Value {
    body_for(&platform_key(sandbox), code, phone)
}

/// A good body, sealed for a key.
pub(crate) fn body_for(key: &PlatformKey, code: &str, phone: &str) -> Value {
    let seal = |text| sealed_for(key, text);
    json!({
        "brand_id": "1004",
        "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0",
        "phone_number": seal(phone),
        "user_card_code": code,
        "level": "钻石会员",
        "user_information": {
            "common_field_list": [{"name": "USER_FORM_FLAG_SEX", "value": seal("男")}],
            "custom_field_list": [{"name": "喜欢的运动", "user_chosen_values": [seal("篮球"), seal("羽毛球")]}],
        },
        "date_information": {"type": "PERMANENT"},
        "pickup_time": "2020-05-20T13:29:35.120+08:00",
    })
}

/// A request that can be spoilt at every place before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Signed now, with a nonce of its own.
    pub(crate) fn new(sandbox: &Sandbox, body: impl ToString) -> Self {
        Self::signed(sandbox, body.to_string().into_bytes(), NOW)
    }

    pub(crate) fn signed(sandbox: &Sandbox, body: Vec<u8>, timestamp: i64) -> Self {
        let mut request = Self {
            method: "POST",
            target: PATH.to_owned(),
            headers: vec![
                ("User-Agent", "test".to_owned()),
                ("Accept", "application/json".to_owned()),
                ("Content-Type", "application/json".to_owned()),
                ("Wechatpay-Serial", sandbox.credentials().platform_key_id.clone()),
            ],
            body,
        };
        request.sign(sandbox, timestamp);
        request
    }

    /// A request of any operation, signed now.
    pub(crate) fn to(sandbox: &Sandbox, method: &'static str, target: &str, body: Option<&Value>) -> Self {
        let body = body.map(|body| body.to_string().into_bytes());
        let has_body = body.is_some();
        let mut request = Self::signed(sandbox, body.unwrap_or_default(), NOW);
        request.method = method;
        request.target = target.to_owned();
        if !has_body {
            request.set("Content-Type", None);
        }
        request.sign(sandbox, NOW);
        request
    }

    pub(crate) fn get(sandbox: &Sandbox, target: &str) -> Self {
        Self::to(sandbox, "GET", target, None)
    }

    pub(crate) fn sign(&mut self, sandbox: &Sandbox, timestamp: i64) {
        self.sign_as(sandbox.credentials(), timestamp);
    }

    /// Signs with what another merchant holds.
    pub(crate) fn sign_as(&mut self, credentials: &Credentials, timestamp: i64) {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let nonce = format!("NONCE{}", NONCE.fetch_add(1, Ordering::Relaxed));
        let mut message = format!("{}\n{}\n{timestamp}\n{nonce}\n", self.method, self.target).into_bytes();
        message.extend_from_slice(&self.body);
        message.push(b'\n');
        let key = MerchantKey::from_pem(&credentials.merchant_key_pem).unwrap();
        let signature = key.sign(&message).unwrap().to_base64();
        let value = format!(
            r#"WECHATPAY2-SHA256-RSA2048 mchid="{}",nonce_str="{nonce}",timestamp="{timestamp}",serial_no="{}",signature="{signature}""#,
            credentials.mchid, credentials.merchant_serial,
        );
        self.set("Authorization", Some(&value));
    }

    /// Replaces a header, or takes it away.
    pub(crate) fn set(&mut self, name: &'static str, value: Option<&str>) {
        self.headers.retain(|(given, _)| *given != name);
        self.headers.extend(value.map(|value| (name, value.to_owned())));
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(given, _)| *given == name);
        &found.unwrap().1
    }

    /// As it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n",
            self.method, self.target
        );
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it; `None` when the connection is closed without an answer.
    pub(crate) async fn send(&self, sandbox: &Sandbox) -> Option<Received> {
        let received = exchange(&sandbox.base_url(), &self.bytes(), false).await;
        check_reach(sandbox);
        received
    }

    pub(crate) async fn answer(&self, sandbox: &Sandbox) -> Received {
        self.send(sandbox).await.expect("an answer")
    }
}

/// The last refusal was by a rule that knows the operation as one of its own.
fn check_reach(sandbox: &Sandbox) {
    let Some(entry) = sandbox.journal().pop() else {
        return;
    };
    if let (Some(id), Some(operation)) = (entry.rule, entry.operation) {
        let rule = rules().iter().find(|rule| rule.id == id).unwrap();
        assert!(rule.can_refuse(&operation), "{id} refused {operation}");
    }
}

/// Imports a good member.
pub(crate) async fn import(sandbox: &Sandbox, code: &str, phone: &str) -> Option<Received> {
    Request::new(sandbox, body(sandbox, code, phone))
        .send(sandbox)
        .await
}

/// One GET at the control address.
pub(crate) async fn control(sandbox: &Sandbox, target: &str) -> Received {
    control_by(sandbox, "GET", target).await
}

/// The same by any method, without a body.
pub(crate) async fn control_by(sandbox: &Sandbox, method: &str, target: &str) -> Received {
    let text = format!(
        "{method} {target} HTTP/1.1\r\nHost: sandbox\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    exchange(&sandbox.control_url(), text.as_bytes(), false)
        .await
        .expect("an answer")
}

/// Sends bytes as they are and then closes its side.
pub(crate) async fn raw(sandbox: &Sandbox, request: &[u8]) -> Option<Received> {
    exchange(&sandbox.base_url(), request, true).await
}

async fn exchange(url: &str, request: &[u8], close: bool) -> Option<Received> {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    // The server may answer and close before it has read all.
    let _ = stream.write_all(request).await;
    if close {
        let _ = stream.shutdown().await;
    }
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some(Received {
        status,
        head,
        body: bytes[end + 4..].to_vec(),
    })
}
