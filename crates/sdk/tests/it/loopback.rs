//! A server that answers the bytes a test says, and keeps what it was asked. It reads a request by itself: what the SDK
//! means to send is not what is checked, but what came over the wire.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use wxmember::{
    Builder, Certificate, Client, FixedClock, Merchant, MerchantKey, PlatformKey, Ready, RetryPolicy,
    Signature, Trust, party,
};
use wxmember_crypto::PrivateKey;

use crate::harness::{NOW, PUBLIC_KEY_ID};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn method(&self) -> &str {
        self.head.split(' ').next().unwrap()
    }

    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    /// Every value of a header.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let named = lines.filter(|(given, _)| given.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value).collect()
    }

    /// The one value of a header.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let values = self.headers(name);
        assert_eq!(values.len(), 1, "{name}");
        values[0]
    }

    /// A parameter of `Authorization`.
    #[track_caller]
    pub(crate) fn signed_with(&self, name: &str) -> &str {
        let value = self.header("authorization");
        let (_, rest) = value.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap()
    }

    /// Whether the signature is one of exactly these bytes, by the five lines of the protocol.
    pub(crate) fn is_signed(&self) -> bool {
        let mut message = format!(
            "{}\n{}\n{}\n{}\n",
            self.method(),
            self.target(),
            self.signed_with("timestamp"),
            self.signed_with("nonce_str")
        )
        .into_bytes();
        message.extend_from_slice(&self.body);
        message.push(b'\n');
        let signature = Signature::from_base64(self.signed_with("signature")).unwrap();
        merchant_key().public_key().verify(&message, &signature).is_ok()
    }
}

/// What the server says to a request.
pub(crate) enum Say {
    /// These bytes, then it closes the connection.
    Bytes(Vec<u8>),
    /// These bytes, then blanks until the other side has had enough.
    Endless(Vec<u8>),
}

impl From<Vec<u8>> for Say {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// A running server; it ends when it is dropped.
pub(crate) struct Loopback {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Loopback {
    pub(crate) async fn start<S: Into<Say>>(say: impl Fn(&Asked) -> S + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (kept, say) = (asked.clone(), Arc::new(move |asked: &Asked| say(asked).into()));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, kept.clone(), say.clone()));
            }
        });
        Self { address, asked, task }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked so far, in the order of arrival.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// A client of this server that makes one attempt.
    pub(crate) fn client(&self) -> Client {
        self.builder(public_key()).build().unwrap()
    }

    pub(crate) fn builder(&self, trust: Trust) -> Builder<Ready> {
        Client::builder()
            .merchant(merchant())
            .trust(trust)
            .with_base_url(self.base_url())
            .with_retry(RetryPolicy::never())
            .with_clock(Arc::new(FixedClock::at(NOW)))
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one request; whatever goes wrong is the client's business.
async fn serve(
    mut stream: TcpStream,
    kept: Arc<Mutex<Vec<Asked>>>,
    say: Arc<impl Fn(&Asked) -> Say + Send + Sync>,
) {
    let Some(asked) = read(&mut stream).await else {
        return;
    };
    kept.lock().unwrap().push(asked.clone());
    match say(&asked) {
        Say::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Say::Endless(head) => {
            let blanks = [b' '; 16 * 1024];
            let mut sent = stream.write_all(&head).await;
            while sent.is_ok() {
                sent = stream.write_all(&blanks).await;
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let asked = Asked {
                head: String::from_utf8(bytes[..end].to_vec()).ok()?,
                body: bytes[end + 4..].to_vec(),
            };
            let length = asked
                .headers("content-length")
                .first()
                .map_or("0", |length| length);
            if asked.body.len() >= length.parse().ok()? {
                return Some(asked);
            }
        }
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&more[..count]),
        }
    }
}

/// A whole answer.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    answer_of_bytes(status, &headers, body)
}

pub(crate) fn answer_of_bytes(status: u16, headers: &[(&str, &[u8])], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n").into_bytes();
    if !matches!(status, 100..=199 | 204 | 304) {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: ").as_bytes());
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// An answer that the platform's public key signed, at [`NOW`].
pub(crate) fn signed(status: u16, body: &[u8]) -> Vec<u8> {
    signed_at(NOW, status, body)
}

pub(crate) fn signed_at(seconds: i64, status: u16, body: &[u8]) -> Vec<u8> {
    let key = PrivateKey::<party::Platform>::from_pem(PLATFORM_PRIVATE_KEY).unwrap();
    let mut message = format!("{seconds}\nnonce\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let signature = key.sign(&message).unwrap().to_base64();
    let headers = [
        ("Request-ID", REQUEST_ID),
        ("Wechatpay-Timestamp", &*seconds.to_string()),
        ("Wechatpay-Nonce", "nonce"),
        ("Wechatpay-Serial", PUBLIC_KEY_ID),
        ("Wechatpay-Signature", &signature),
    ];
    answer(status, &headers, body)
}

pub(crate) fn merchant() -> Merchant {
    let certificate = Certificate::from_pem(MERCHANT_CERTIFICATE).unwrap();
    Merchant::with_certificate("1900000109", &certificate, merchant_key()).unwrap()
}

pub(crate) fn merchant_key() -> MerchantKey {
    MerchantKey::from_pem(MERCHANT_KEY).unwrap()
}

pub(crate) fn public_key() -> Trust {
    let key = PlatformKey::from_pem(PLATFORM_KEY).unwrap();
    Trust::public_key(PUBLIC_KEY_ID, key).unwrap()
}

/// The platform's certificate of the vectors.
pub(crate) fn certificate() -> Certificate<party::Platform> {
    Certificate::from_pem(PLATFORM_CERTIFICATE).unwrap()
}

pub(crate) const REQUEST_ID: &str = "08A3378CE0D73C13683B06EF4D731AC655-0";
pub(crate) const MERCHANT_KEY: &str = include_str!("../../../../tests/vectors/test_merchant_key.pem");
const MERCHANT_CERTIFICATE: &str = include_str!("../../../../tests/vectors/test_merchant_cert.pem");
const PLATFORM_KEY: &str = include_str!("../../../../tests/vectors/test_wechatpay_pubmode_pub_key.pem");
const PLATFORM_CERTIFICATE: &str = include_str!("../../../../tests/vectors/test_wechatpay_certmode_cert.pem");
pub(crate) const PLATFORM_PRIVATE_KEY: &str =
    include_str!("../../../../tests/vectors/test_wechatpay_pubmode_key.pem");
