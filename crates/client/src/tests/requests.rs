//! Every operation as it goes over the wire: the raw client is called with the document's examples and heard on the
//! loopback address. A new operation is taken from the document; nothing here names one.

use std::{
    fmt::Debug,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wxmember_crypto::{KeyId, Signature};
use wxmember_signing::{
    Authorization, Identity, Nonce, Request, SignatureHeaders, UnixSeconds, Verified, VerifyError,
};

use super::calls::{OPERATIONS, call};
use crate::{Pipeline, Refusal, Step, Unsigned, raw};

/// One operation of the document, with values for everything it takes.
pub(super) struct Example<'a> {
    document: &'a Value,
    operation: &'a Value,
}

impl<'a> Example<'a> {
    fn of(document: &'a Value, id: &str) -> Self {
        let paths = document["paths"].as_object().unwrap().values();
        let mut operations = paths.flat_map(|path| path.as_object().unwrap().values());
        let operation = operations.find(|operation| operation["operationId"] == id);
        Self {
            document,
            operation: operation.unwrap_or_else(|| panic!("{id} is not in the document")),
        }
    }

    pub(super) fn operation(&self) -> &'a str {
        self.operation["operationId"].as_str().unwrap()
    }

    pub(super) fn body<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.json_body().cloned().expect("an example of the body")).unwrap()
    }

    pub(super) fn serial(&self) -> &'static str {
        "PUB_KEY_ID_0114232134912410000000000000"
    }

    /// The value of a path or query parameter: its own example, or that of its schema.
    pub(super) fn parameter<T: DeserializeOwned>(&self, name: &str) -> T {
        let mut parameters = self.operation["parameters"].as_array().unwrap().iter();
        let parameter = parameters
            .find_map(|parameter| {
                let parameter = self.follow(parameter);
                (parameter["name"] == name).then_some(parameter)
            })
            .unwrap();
        let schema = self.follow(&parameter["schema"]);
        let schema = self.follow(schema.pointer("/allOf/0").unwrap_or(schema));
        let value = [
            parameter.get("example"),
            schema.get("example"),
            schema.pointer("/enum/0"),
        ]
        .into_iter()
        .flatten()
        .next();
        let value = value.unwrap_or_else(|| panic!("`{name}` needs an example in the document"));
        serde_json::from_value(value.clone()).unwrap()
    }

    fn json_body(&self) -> Option<&'a Value> {
        self.operation
            .pointer("/requestBody/content/application~1json/example")
    }

    fn follow(&self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.document.pointer(&reference[1..]).unwrap(),
            None => value,
        }
    }
}

/// Every answer is unverified here, so every call ends in the same refusal; another error means that nothing was sent.
#[track_caller]
pub(super) fn done<T, E: Debug>(result: Result<raw::ResponseValue<T>, raw::Error<E>>) {
    let error = result.err().expect("an answer that nobody signed was believed");
    match Refusal::take(error) {
        Ok(Refusal::Unverified { .. }) => {}
        Ok(other) => panic!("{other:?}"),
        Err(error) => panic!("{error:?}"),
    }
}

/// Signs with nothing, believes nothing, and remembers what it was asked to sign.
#[derive(Debug, Default)]
struct Recorder {
    signed: Mutex<Vec<(String, Vec<u8>)>>,
}

impl Pipeline for Recorder {
    fn authorize<'a>(&'a self, request: Request<'a>) -> Step<'a, Result<Authorization, Unsigned>> {
        let line = format!("{} {}", request.method, request.target);
        self.signed.lock().unwrap().push((line, request.body.to_vec()));
        let identity = Identity::partner("1900000109", KeyId::new("4D3C2B1A"));
        let (time, nonce) = (UnixSeconds(1_796_000_000), Nonce::from_random([7; 16]));
        let signature = Signature::from_bytes(vec![7; 256]);
        let authorization = Authorization::from_signature(&identity, time, &nonce, &signature);
        Box::pin(async move { Ok(authorization) })
    }

    fn verify<'a>(&'a self, _: SignatureHeaders<'a>, _: &'a [u8]) -> Step<'a, Result<Verified, VerifyError>> {
        Box::pin(async { Err(VerifyError::MalformedTimestamp) })
    }

    fn note(&self, _: u16, _: &HeaderMap) {}

    fn answer_key(&self) -> Option<KeyId> {
        Some(KeyId::new("PUB_KEY_ID_OF_THE_PIPELINE"))
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn user_agent(&self) -> &str {
        "wxmember"
    }

    fn body_limit(&self) -> usize {
        1024
    }
}

/// Reads one request whole, answers 204, and returns head and body.
fn serve(mut connection: TcpStream) -> (String, Vec<u8>) {
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    let (head, length) = loop {
        let count = connection.read(&mut buffer).unwrap();
        assert_ne!(count, 0, "the request ended early");
        received.extend_from_slice(&buffer[..count]);
        let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(received[..end].to_vec()).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        if received.len() >= end + 4 + length {
            break (head, end + 4);
        }
    };
    connection
        .write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        .unwrap();
    (head, received[length..].to_vec())
}

/// The request line, the headers that do not depend on the run, and the body.
fn show(head: &str, body: &[u8]) -> String {
    let mut lines = head.lines();
    let request = lines.next().unwrap().strip_suffix(" HTTP/1.1").unwrap();
    let mut headers: Vec<_> = lines
        .filter(|line| !line.starts_with("host: ") && !line.starts_with("authorization: "))
        .collect();
    headers.sort_unstable();
    let body = str::from_utf8(body).unwrap();
    format!("{request}\n{}\n\n{body}", headers.join("\n"))
}

#[tokio::test]
async fn every_operation_as_it_goes_over_the_wire() {
    let document: Value = serde_json::from_str(include_str!("../../../sandbox/src/openapi.json")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let heard = listener.incoming().take(OPERATIONS.len());
        heard
            .map(|connection| serve(connection.unwrap()))
            .collect::<Vec<_>>()
    });
    let recorder = Arc::new(Recorder::default());
    let client = raw::Client::new_with_client(
        &format!("http://{address}"),
        reqwest::Client::builder().no_proxy().build().unwrap(),
        recorder.clone(),
    );
    for id in OPERATIONS {
        call(&client, &Example::of(&document, id)).await;
    }
    let signed = recorder.signed.lock().unwrap();
    for ((id, (head, body)), signed) in OPERATIONS.iter().zip(server.join().unwrap()).zip(&*signed) {
        assert_eq!(
            head.lines().next(),
            Some(&*format!("{} HTTP/1.1", signed.0)),
            "{id}"
        );
        assert_eq!(body, signed.1, "{id}: what was signed is not what was sent");
        match Example::of(&document, id).json_body() {
            Some(example) => assert_eq!(*example, serde_json::from_slice::<Value>(&body).unwrap(), "{id}"),
            None => assert!(body.is_empty(), "{id}"),
        }
        insta::assert_snapshot!(*id, show(&head, &body));
    }
}

#[test]
fn a_path_parameter_cannot_navigate() {
    for text in ["", ".", ".."] {
        assert!(matches!(
            crate::text::path_segment::<()>(text),
            Err(raw::Error::InvalidRequest(_))
        ));
    }
    assert_eq!(
        crate::text::path_segment::<()>("a/../b?c=%2e 中").unwrap(),
        "a%2F..%2Fb%3Fc=%252e%20%E4%B8%AD"
    );
}
