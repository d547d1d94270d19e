//! Six styles of one call: the same outcome in each, and the same refusals before anything is sent.

use serde_json::{Value, json};
use wxmember::{
    Answer, Client, Delivery, Error, ErrorKind, ImportPhoneMembercard, PhoneNumber, Plaintext, Reply,
    SealError, SealReason,
};
use wxmember_sandbox::Sandbox;

use crate::harness::{PUBLIC_KEY_ID, builder, certified, client, downloaded, member, public_key, still};

const IMPORT: &str = "v3/brand/partner/card-member/user-cards/import-by-phone";
const SEARCH: &str = "v3/marketing/membercard-open/phonenumber-member/search";

/// The member of the harness as JSON in clear.
fn json_of(sandbox: &Sandbox, number: u64) -> Value {
    json!({
        "brand_id": sandbox.credentials().brand_id,
        "card_id": sandbox.credentials().card_id,
        "phone_number": format!("{}", 13_800_000_000 + number),
        "user_card_code": format!("code-{number}"),
        "date_information": { "type": "PERMANENT" },
        "pickup_time": "2020-05-20T13:29:35.120+08:00",
    })
}

/// What an import ends in: status, code, and the phone number as it came back.
type Outcome = (u16, String, String);

fn generic(reply: Result<Reply<Answer>, Error>) -> Outcome {
    let reply = reply.unwrap();
    let code = reply.value().unwrap()["user_card_code"]
        .as_str()
        .unwrap()
        .to_owned();
    let phone: PhoneNumber = reply.open("/phone_number").unwrap();
    (reply.status(), code, phone.expose().to_owned())
}

fn typed(reply: Result<Reply<wxmember::UserCard>, Error>) -> Outcome {
    let reply = reply.unwrap();
    let phone = reply.phone_number.as_ref().unwrap().open().unwrap();
    let code = reply.user_card_code.as_str().to_owned();
    (reply.status(), code, phone.expose().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_style_comes_to_the_same() {
    let sandbox = still().start().await.unwrap();
    let client = client(&sandbox);
    let (request, json) = (member(&sandbox, 1), json_of(&sandbox, 1));
    let expect: Outcome = (200, "code-1".to_owned(), "13800000001".to_owned());

    assert_eq!(typed(client.user_cards().import_by_phone(&request).await), expect);
    let chained = client.chain(IMPORT).seal("/phone_number").post(&json);
    assert_eq!(generic(chained.await), expect);
    let indexed = client[IMPORT].seal("/phone_number").post(&json);
    assert_eq!(generic(indexed.await), expect);

    #[cfg(feature = "blocking")]
    {
        let client = wxmember::blocking::Client::new(client.clone()).unwrap();
        let calls = tokio::task::spawn_blocking(move || {
            [
                typed(client.user_cards().import_by_phone(&request)),
                generic(client.chain(IMPORT).seal("/phone_number").post(&json)),
                generic(client[IMPORT].seal("/phone_number").post(&json)),
            ]
        });
        for outcome in calls.await.unwrap() {
            assert_eq!(outcome, expect);
        }
    }
    assert_eq!(sandbox.members().len(), 1);
    let serials = sandbox.journal().into_iter().map(|entry| entry.platform_serial);
    assert!(
        serials
            .into_iter()
            .all(|serial| serial.as_deref() == Some(PUBLIC_KEY_ID))
    );
}

/// A refusal before sending: by its kind, and by its cause without the value.
#[track_caller]
fn check_not_sent(error: &Error, kind: ErrorKind, cause: &str) {
    assert_eq!((error.kind(), error.delivery()), (kind, Delivery::NotSent));
    let mut text = format!("{error} {error:?}");
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        text.push_str(&format!(": {source} {source:?}"));
        next = source.source();
    }
    assert!(text.contains(cause), "{text}");
    assert!(!text.contains("138000"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_personal_is_not_sent_in_clear() {
    // Certificates would have to be downloaded first; not even that is asked for.
    let sandbox = certified().without_platform_public_key().start().await.unwrap();
    let client = builder(&sandbox, downloaded(&sandbox)).0.build().unwrap();
    let json = json_of(&sandbox, 1);
    let chained = client.chain(IMPORT).post(&json).await.unwrap_err();
    let indexed = client[IMPORT].post(&json).await.unwrap_err();
    for error in [&chained, &indexed] {
        check_not_sent(error, ErrorKind::Seal, "`/phone_number`");
        let cause = std::error::Error::source(error).unwrap();
        let cause = cause.downcast_ref::<SealError>().unwrap();
        assert_eq!(
            (cause.field(), cause.reason()),
            ("/phone_number", &SealReason::NotSealed)
        );
    }
    let clear = client
        .chain(SEARCH)
        .query("encrypted_phone_number", "13800000001");
    let error = clear.get().await.unwrap_err();
    check_not_sent(&error, ErrorKind::Seal, "`/encrypted_phone_number`");

    #[cfg(feature = "blocking")]
    {
        let client = wxmember::blocking::Client::new(client).unwrap();
        let calls = tokio::task::spawn_blocking(move || {
            [client.chain(IMPORT).post(&json), client[IMPORT].post(&json)]
        });
        for answer in calls.await.unwrap() {
            check_not_sent(&answer.unwrap_err(), ErrorKind::Seal, "`/phone_number`");
        }
    }
    assert_eq!((sandbox.requests(), sandbox.certificate_downloads()), (0, 0));
}

/// A job that stored JSON sends it under the key that sealed it, whatever seals now.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_sealed_before_a_rotation_is_sent_under_its_own_key() {
    let sandbox = certified().without_platform_public_key().start().await.unwrap();
    let client = builder(&sandbox, downloaded(&sandbox)).0.build().unwrap();
    client.refresh_certificates().await.unwrap();
    let sealed = client.seal(&member(&sandbox, 1)).unwrap();
    let json = serde_json::to_value(&sealed).unwrap()["request"].take();
    sandbox.rotate_platform_certificate().await.unwrap();
    client.refresh_certificates().await.unwrap();
    assert_ne!(client.sealing_key_id().as_ref(), Some(sealed.key_id()));

    let before = sandbox.requests();
    let error = client.chain(IMPORT).post(&json).await.unwrap_err();
    check_not_sent(&error, ErrorKind::Request, "say with which key by `sealed_with`");
    let both = client.chain(IMPORT).sealed_with(sealed.key_id()).seal("/level");
    let error = both.post(&json).await.unwrap_err();
    check_not_sent(&error, ErrorKind::Request, "nothing can be sealed beside it");
    assert_eq!(sandbox.requests(), before);

    let expect: Outcome = (200, "code-1".to_owned(), "13800000001".to_owned());
    let chained = client.chain(IMPORT).sealed_with(sealed.key_id()).post(&json);
    assert_eq!(generic(chained.await), expect);
    let indexed = client[IMPORT].sealed_with(sealed.key_id()).post(&json);
    assert_eq!(generic(indexed.await), expect);
    #[cfg(feature = "blocking")]
    {
        let client = wxmember::blocking::Client::new(client).unwrap();
        let key = sealed.key_id().clone();
        let calls = tokio::task::spawn_blocking(move || {
            [
                generic(client.chain(IMPORT).sealed_with(&key).post(&json)),
                generic(client[IMPORT].sealed_with(&key).post(&json)),
            ]
        });
        assert_eq!(calls.await.unwrap(), [expect.clone(), expect]);
    }
    let entry = sandbox.journal().pop().unwrap();
    assert_eq!(entry.platform_serial.as_deref(), Some(sealed.key_id().as_str()));
}

/// A member of the older card, found by the phone number in a query.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_sealed_on_the_way() {
    let sandbox = certified().start().await.unwrap();
    let client = builder(&sandbox, public_key(&sandbox)).0.build().unwrap();
    let card_id = sandbox.credentials().card_id.clone();
    imported(&client, &card_id).await;

    let state = |reply: Result<Reply<Answer>, Error>| {
        let found = reply.unwrap().value().unwrap();
        found["receive_status"].as_str().unwrap().to_owned()
    };
    let chained = client
        .chain(SEARCH)
        .query("card_id", &card_id)
        .seal_query("encrypted_phone_number", "13800138000");
    let mut states = vec![state(chained.get().await)];
    let indexed = client[SEARCH]
        .seal_query("encrypted_phone_number", "13800138000")
        .query("card_id", &card_id);
    states.push(state(indexed.get().await));
    #[cfg(feature = "blocking")]
    {
        let client = wxmember::blocking::Client::new(client).unwrap();
        let card_id = card_id.clone();
        let calls = tokio::task::spawn_blocking(move || {
            let name = "encrypted_phone_number";
            let chained = client.chain(SEARCH).query("card_id", &card_id);
            let indexed = client[SEARCH].seal_query(name, "13800138000");
            [
                state(chained.seal_query(name, "13800138000").get()),
                state(indexed.query("card_id", &card_id).get()),
            ]
        });
        states.extend(calls.await.unwrap());
    }
    assert!(states.iter().all(|state| state == "RECEIVED"), "{states:?}");
    let entry = sandbox.journal().pop().unwrap();
    assert_eq!(entry.platform_serial.as_deref(), Some(PUBLIC_KEY_ID));
}

async fn imported(client: &Client, card_id: &str) {
    let import = ImportPhoneMembercard::builder()
        .encrypted_phone_number(PhoneNumber::new("13800138000"))
        .out_request_no("R-1".parse().unwrap())
        .code("1".parse().unwrap())
        .build();
    let card_id = card_id.parse().unwrap();
    client
        .membercard_open()
        .import_phone_membercard(&card_id, &import)
        .await
        .unwrap();
}
