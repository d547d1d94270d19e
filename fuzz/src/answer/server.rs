//! The platform's place on the loopback address, and clients that call it, all on one thread.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use wxmember::{Client, Error, FixedClock, Merchant, RetryPolicy, Signature, Signer, Signing, Trust};

use crate::{
    parties::{MCHID, MERCHANT_KEY, NOW, PUBLIC_KEY_ID, apiv3_key, merchant_certificate, platform_key},
    workplace::runtime,
};

/// A server that answers what it is told.
pub(super) struct Stage {
    runtime: Mutex<Runtime>,
    listener: TcpListener,
    client: Client,
    /// Made anew after it has learnt a key: to make one takes longer than a call.
    downloading: Mutex<Option<Client>>,
    url: String,
}

static STAGE: LazyLock<Stage> = LazyLock::new(Stage::new);

/// Of its own, so that no connection that an odd answer left open is used for another call.
static RAW_STAGE: LazyLock<Stage> = LazyLock::new(Stage::new);

impl Stage {
    pub(super) fn shared() -> &'static Self {
        &STAGE
    }

    pub(super) fn of_raw_answers() -> &'static Self {
        &RAW_STAGE
    }

    fn new() -> Self {
        let runtime = runtime();
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let trust = Trust::public_key(PUBLIC_KEY_ID, platform_key()).expect("an id");
        Self {
            client: client(&url, trust),
            downloading: Mutex::default(),
            runtime: Mutex::new(runtime),
            listener,
            url,
        }
    }

    /// A client that believes the public key and makes one attempt.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Lets a client that believes what it downloads, and has downloaded nothing, get these bytes as its certificates.
    pub(super) fn downloading(&self, bytes: Vec<u8>) -> Result<(), Error> {
        let mut kept = self.downloading.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || client(&self.url, Trust::downloaded_certificates(apiv3_key()));
        let client = kept.get_or_insert_with(new).clone();
        let downloaded = self.answering(bytes, client.refresh_certificates());
        if downloaded.is_ok() {
            *kept = None;
        }
        downloaded
    }

    /// Makes a call, which gets these bytes as its answer.
    pub(super) fn answering<T>(&self, bytes: Vec<u8>, call: impl Future<Output = T>) -> T {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        runtime.block_on(async {
            let serve = async {
                loop {
                    if let Ok((stream, _)) = self.listener.accept().await {
                        serve(stream, &bytes).await;
                    }
                }
            };
            let answered = tokio::select! {
                biased;
                answered = call => answered,
                () = serve => unreachable!("the server has no end"),
            };
            // The client notices now that the connection was closed.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            answered
        })
    }
}

/// Reads a request to its end, so that nothing is left unread when the connection is closed, and answers.
async fn serve(mut stream: TcpStream, bytes: &[u8]) {
    let mut request = Vec::new();
    loop {
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head.split_once("content-length: ");
            let length = length.and_then(|(_, rest)| rest.lines().next()?.parse().ok());
            if request.len() >= end + 4 + length.unwrap_or(0) {
                break;
            }
        }
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&more[..count]),
        }
    }
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
}

fn client(url: &str, trust: Trust) -> Client {
    let key = wxmember::MerchantKey::from_pem(MERCHANT_KEY).expect("a test key");
    let serial = merchant_certificate().serial().as_str().to_owned();
    let merchant = Merchant::with_signer(MCHID, &serial, Arc::new(Careless), Arc::new(key));
    Client::builder()
        .merchant(merchant.expect("a merchant"))
        .trust(trust)
        .with_base_url(url)
        .with_retry(RetryPolicy::never())
        .with_clock(Arc::new(FixedClock::at(NOW)))
        .build()
        .expect("a client")
}

/// Signs nothing, since the server does not look: a signature would be most of the time of an execution.
#[derive(Debug)]
struct Careless;

impl Signer for Careless {
    fn sign<'a>(&'a self, _: &'a [u8]) -> Signing<'a> {
        Box::pin(std::future::ready(Ok(Signature::from_bytes(vec![0; 256]))))
    }
}
