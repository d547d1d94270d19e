//! Attempts, waits, hosts, with a clock that no test waits for.

use std::time::Duration;

use wxmember::{Client, Clock, Delivery, ErrorKind, RetryPolicy};
use wxmember_sandbox::{Fault, Sandbox};

use crate::harness::{NOW, builder, client, import, public_key, still};

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_signed_anew() {
    let sandbox = still().start().await.unwrap();
    sandbox.fault(Fault::SystemError, 2);
    let card = import(&client(&sandbox), &sandbox, 1).await.unwrap();
    assert_eq!(card.attempts(), 3);
    let journal = sandbox.journal();
    let nonces: std::collections::HashSet<_> =
        journal.iter().map(|entry| entry.nonce.clone().unwrap()).collect();
    assert_eq!((journal.len(), nonces.len()), (3, 3));
    // The clock stood still but for the waits, and each attempt was signed at its own time.
    let times: Vec<_> = journal.iter().map(|entry| entry.timestamp.unwrap()).collect();
    assert!(times[0] == NOW && times[2] > times[0], "{times:?}");
}

/// What an import comes to under one fault, with three attempts: their number, or the error.
async fn outcome(sandbox: &Sandbox, fault: Fault, answers: u64) -> Result<u32, (ErrorKind, Delivery, u32)> {
    sandbox.fault(fault, answers);
    let outcome = import(&client(sandbox), sandbox, sandbox.requests()).await;
    sandbox.clear_faults();
    match outcome {
        Ok(card) => Ok(card.attempts()),
        Err(error) => Err((error.kind(), error.delivery(), error.attempts())),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_pass_are_repeated_until_they_pass() {
    let sandbox = still().start().await.unwrap();
    for fault in [
        Fault::Accepted,
        Fault::BadGateway,
        Fault::CutBody,
        Fault::EmptyError,
        Fault::LostAnswer,
        Fault::LostRequest,
        Fault::NoNonce,
        Fault::RateLimited,
        Fault::ServiceUnavailable,
        Fault::SignatureProbe,
        Fault::SignatureProbeNotBase64,
        Fault::SystemError,
        Fault::TruncatedError,
        Fault::Unsigned,
        Fault::WrongSignature,
    ] {
        assert_eq!(outcome(&sandbox, fault, 1).await, Ok(2), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_stay_end_after_the_attempts() {
    let sandbox = still().start().await.unwrap();
    for (fault, kind, delivery) in [
        // Each of the attempts before may have taken effect.
        (Fault::SystemError, ErrorKind::Platform, Delivery::MaybeSent),
        (Fault::LostAnswer, ErrorKind::Interrupted, Delivery::MaybeSent),
        (Fault::RateLimited, ErrorKind::RateLimited, Delivery::Answered),
    ] {
        let expect = Err((kind, delivery, 3));
        assert_eq!(outcome(&sandbox, fault, 3).await, expect, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_repeat_cannot_heal_is_not_repeated() {
    let sandbox = still().start().await.unwrap();
    for (fault, kind, delivery) in [
        (Fault::EmptyNotFound, ErrorKind::NotFound, Delivery::Answered),
        (Fault::ErrorNotUtf8, ErrorKind::BadRequest, Delivery::Answered),
        (Fault::TruncatedJson, ErrorKind::Undecodable, Delivery::MaybeSent),
        (Fault::WrongDocument, ErrorKind::Undecodable, Delivery::MaybeSent),
        (Fault::HugeAnswer, ErrorKind::Undecodable, Delivery::MaybeSent),
        (
            Fault::WrongDate { seconds: 0 },
            ErrorKind::Unauthorized,
            Delivery::Answered,
        ),
        (
            Fault::ShiftedClock { seconds: 600 },
            ErrorKind::Unverified,
            Delivery::MaybeSent,
        ),
        (Fault::UnknownSerial, ErrorKind::Unverified, Delivery::MaybeSent),
    ] {
        let expect = Err((kind, delivery, 1));
        assert_eq!(outcome(&sandbox, fault, 1).await, expect, "{fault:?}");
    }
}

/// An operation that may not be repeated is not, unless it was not sent or not processed.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_may_not_be_repeated_is_made_once() {
    let sandbox = still().start().await.unwrap();
    let client = client(&sandbox);
    sandbox.fault(Fault::LostRequest, 1);
    let once = client.chain("v3/marketing/membercard-open/phonenumber-member/import");
    let error = once.post(&serde_json::json!({})).await.unwrap_err();
    assert_eq!(error.attempts(), 1, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_honours_retry_after_and_the_deadline() {
    let sandbox = still().start().await.unwrap();
    let (builder_one, clock) = builder(&sandbox, public_key(&sandbox));
    let client = builder_one.build().unwrap();
    sandbox.fault(Fault::RateLimitedFor { seconds: 7 }, 1);
    import(&client, &sandbox, 1).await.unwrap();
    let waited = clock.now().0 - NOW;
    assert!((7..60).contains(&waited), "{waited}");

    // Longer than the deadline: no wait at all, and the caller hears how long it would be.
    let (builder, clock) = builder(&sandbox, public_key(&sandbox));
    let client = builder.build().unwrap();
    sandbox.fault(Fault::RateLimitedFor { seconds: 3600 }, 1);
    let error = import(&client, &sandbox, 2).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!((error.attempts(), clock.now().0), (1, NOW));
}

/// A refusal after a lost answer may speak of this very call, so the outcome stays unknown.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_after_a_lost_answer_is_no_clean_refusal() {
    let sandbox = still().start().await.unwrap();
    let client = client(&sandbox);
    sandbox.fault(Fault::LostAnswer, 1);
    sandbox.fault(Fault::EmptyNotFound, 1);
    let error = import(&client, &sandbox, 1).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::NotFound, 2));
    assert!(error.may_have_acted_before() && error.is_outcome_unknown());
    assert_eq!(error.delivery(), Delivery::MaybeSent);
    assert_eq!(sandbox.members().len(), 1);
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_goes_to_the_backup_host() {
    let sandbox = still().start().await.unwrap();
    let away = nobody().await;
    let (builder_one, _) = builder(&sandbox, public_key(&sandbox));
    let client = builder_one
        .with_base_url(&away)
        .with_backup_url(sandbox.base_url())
        .build()
        .unwrap();
    let card = import(&client, &sandbox, 1).await.unwrap();
    assert_eq!(card.attempts(), 2);

    // Nobody anywhere: not sent, and it says so.
    let (builder, _) = builder(&sandbox, public_key(&sandbox));
    let client = builder.with_base_url(&away).build().unwrap();
    let error = import(&client, &sandbox, 2).await.unwrap_err();
    let facts = (error.kind(), error.delivery(), error.attempts());
    assert_eq!(facts, (ErrorKind::Connect, Delivery::NotSent, 3));
}

/// The same signed bytes never go to a second host behind the caller's back.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_goes_to_the_backup_host_for_repeatable_calls_only() {
    let [first, second] = [still().start().await.unwrap(), still().start().await.unwrap()];
    let (builder, _) = builder(&first, public_key(&first));
    let client = builder.with_backup_url(second.base_url()).build().unwrap();
    first.fault(Fault::LostRequest, 1);
    let path = "v3/marketing/membercard-open/phonenumber-member/import";
    client.chain(path).post(&serde_json::json!({})).await.unwrap_err();
    assert_eq!((first.requests(), second.requests()), (1, 0));

    first.fault(Fault::LostAnswer, 1);
    import(&client, &first, 1).await.unwrap();
    assert_eq!((first.requests(), second.requests()), (2, 1));
    assert_ne!(first.journal()[1].nonce, second.journal()[0].nonce);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_teaches_the_difference_of_the_clocks() {
    let sandbox = still().start().await.unwrap();
    let (builder, clock) = builder(&sandbox, public_key(&sandbox));
    let client = builder.build().unwrap();
    assert_eq!(client.clock_offset(), None);
    clock.set(NOW - 600);
    let error = import(&client, &sandbox, 1).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.clock_offset()),
        (ErrorKind::Unauthorized, Some(600))
    );
    assert_eq!(client.clock_offset(), Some(600));
    assert!(
        error.to_string().contains("this clock is 600 s behind"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_repeats() {
    let sandbox = still().start().await.unwrap();
    let once: Client = client(&sandbox).with_retry(RetryPolicy::never());
    sandbox.fault(Fault::RateLimited, 1);
    let error = import(&once, &sandbox, 1).await.unwrap_err();
    assert_eq!(error.attempts(), 1);
}
