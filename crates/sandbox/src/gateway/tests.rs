//! The gateway without sockets, on a request that another implementation signed.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{operations::Preloaded, testing};

mod every_operation;

pub(crate) fn gateway() -> Gateway {
    let (clock, parts) = (Clock::manual(1_796_000_000), testing::parts());
    let start = Start {
        hash_key: [2; 32],
        templates: vec![Preloaded {
            card_id: parts.card_id,
            brand_id: parts.brand_id,
            notify_url: None,
        }],
    };
    Gateway {
        spec: Spec::embedded().unwrap(),
        registry: Registry::new(testing::identity()),
        clock: clock.clone(),
        tokens: Tokens::from_seed([1; 32]),
        policies: Mutex::default(),
        notify_url: None,
        buckets: None,
        faults: Faults::default(),
        negative_test: NegativeTest::Obeyed,
        journal: Journal::default(),
        state: Mutex::new(State::new(&start, &clock)),
        start,
        outbox: Outbox::default(),
        nonces: Mutex::new(Nonces::default()),
        given: Mutex::default(),
        requests: AtomicU64::new(0),
        certificate_downloads: AtomicU64::new(0),
    }
}

pub(crate) fn vector() -> (Head, String) {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/vectors.json")).unwrap();
    let vector = &vectors["request_signing"][1];
    let headers = [
        (header::USER_AGENT, "test"),
        (header::ACCEPT, "*/*"),
        (header::CONTENT_TYPE, "application/json"),
        (header::AUTHORIZATION, vector["authorization"].as_str().unwrap()),
        (PLATFORM_SERIAL, "PUB_KEY_ID_0119000001092026113000000000000001"),
    ];
    let head = Head {
        method: Method::POST,
        target: vector["canonical_url"].as_str().unwrap().to_owned(),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name, value.parse().unwrap()))
            .collect(),
    };
    (head, vector["body"].as_str().unwrap().to_owned())
}

fn answered(reply: Reply) -> Answer {
    match reply {
        Reply::Answer(answer) => answer,
        Reply::Closed | Reply::Reset | Reply::Stalled => panic!("the connection was closed"),
    }
}

#[test]
fn an_answer_fits_the_document() {
    let gateway = gateway();
    let (head, body) = vector();
    assert!(gateway.greet(&head).is_none());
    let answer = answered(gateway.answer(&head, body.as_bytes()));
    assert_eq!(answer.status, StatusCode::OK);
    let document: Value = serde_json::from_slice(&answer.body).unwrap();
    let Route::Operation(operation) = gateway.spec.route(&head.method, head.path()) else {
        panic!("no operation");
    };
    let expected = operation.answer.as_ref().unwrap();
    let errors: Vec<_> = expected.validator.iter_errors(&document).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let places: Vec<_> = expected
        .sealed
        .iter()
        .flat_map(|path| path.places(&document))
        .collect();
    assert_eq!(places.len(), 5);
    for place in places {
        // Nothing but a ciphertext stands where the document has one.
        assert_eq!(
            document.pointer(&place).unwrap().as_str().unwrap().len(),
            344,
            "{place}"
        );
    }
}

#[test]
fn an_operation_that_is_not_played_is_an_unknown_path() {
    let mut gateway = gateway();
    let document = json!({"paths": {"/v3/other": {"post": {"operationId": "other", "responses": {}}}}});
    gateway.spec = Spec::from_document(&document).unwrap();
    let (mut head, _) = vector();
    head.target = "/v3/other?a=b".to_owned();
    let answer = answered(gateway.greet(&head).unwrap());
    assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_FOUND, 0));
}

#[test]
fn every_request_is_counted() {
    let gateway = gateway();
    let (mut head, _) = vector();
    assert!(gateway.greet(&head).is_none());
    head.target = "/".to_owned();
    assert!(gateway.greet(&head).is_some());
    assert_eq!(gateway.requests.load(Ordering::Relaxed), 2);
}

proptest! {
    #[test]
    fn no_body_panics_and_no_value_comes_back(noise in any::<Vec<u8>>(), text in "[A-Z]{8,20}", at in any::<prop::sample::Index>()) {
        // Reading it takes longer than everything else here.
        static SPEC: LazyLock<Spec> = LazyLock::new(|| Spec::embedded().unwrap());
        let spec = &*SPEC;
        let (head, body) = vector();
        let Route::Operation(operation) = spec.route(&head.method, head.path()) else {
            panic!("no operation");
        };
        let expected = operation.request.as_ref().unwrap();
        let _ = body::parse(&noise, expected);
        let marker = format!("MARKER{text}");
        let mut damaged: Value = serde_json::from_str(&body).unwrap();
        let members = damaged.as_object_mut().unwrap();
        let name = at.get(&members.keys().cloned().collect::<Vec<_>>()).clone();
        members.insert(name, json!([{ (marker.clone()): marker.as_str() }]));
        let refusal = body::parse(damaged.to_string().as_bytes(), expected).unwrap_err();
        let shown = format!("{refusal:?}");
        prop_assert!(!shown.contains("MARKER"), "{}", shown);
    }
}
