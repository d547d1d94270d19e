//! Each fault, as a client sees it, and whether the member is stored.

use std::{io::ErrorKind, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};
use wxmember_sandbox::{Clock, Fault, FaultRule, FaultRuleError, Sandbox};

use crate::client::{NOW, Received, Request, body, builder, import, key_of, open, sandbox};

mod asked;

/// One import under one fault; `None` when no answer came. The next import is answered well.
async fn under(fault: Fault) -> Option<Received> {
    let sandbox = sandbox().await;
    let received = under_in(&sandbox, fault).await;
    sandbox.shutdown().await;
    received
}

async fn under_in(sandbox: &Sandbox, fault: Fault) -> Option<Received> {
    sandbox.fault(fault, 1);
    let received = import(sandbox, "1", "13800138000").await;
    assert_eq!(sandbox.members().len(), usize::from(fault.commits()), "{fault:?}");
    assert_eq!(sandbox.faults_waiting(), 0);
    let next = import(sandbox, "1", "13800138000").await.unwrap();
    assert_eq!(next.status, 200);
    next.verify(sandbox).unwrap();
    received
}

#[tokio::test]
async fn the_platform_fails_without_storing() {
    let html = under(Fault::BadGateway).await.unwrap();
    assert_eq!(
        (html.status, html.header("Content-Type")),
        (502, Some("text/html"))
    );
    assert!(html.body.starts_with(b"<html>"));

    let empty = under(Fault::EmptyNotFound).await.unwrap();
    assert_eq!((empty.status, empty.body.len()), (404, 0));

    let limited = under(Fault::RateLimited).await.unwrap();
    assert_eq!(
        (limited.status, limited.code().as_str()),
        (429, "RATELIMIT_EXCEEDED")
    );

    let broken = under(Fault::SystemError).await.unwrap();
    assert_eq!((broken.status, broken.code().as_str()), (500, "SYSTEM_ERROR"));

    let down = under(Fault::ServiceUnavailable).await.unwrap();
    assert_eq!((down.status, down.code().as_str()), (503, "SERVICE_UNAVAILABLE"));

    let silent = under(Fault::EmptyError).await.unwrap();
    assert_eq!((silent.status, silent.body.len()), (500, 0));
    assert!(silent.header("Request-ID").is_some());

    for answer in [html, empty, limited, broken, down, silent] {
        assert!(!answer.is_signed());
    }
    assert!(under(Fault::LostRequest).await.is_none());
}

#[tokio::test]
async fn the_platform_says_when_to_come_back_or_does_not() {
    let told = under(Fault::RateLimitedFor { seconds: 7 }).await.unwrap();
    assert_eq!((told.status, told.header("Retry-After")), (429, Some("7")));
    let untold = under(Fault::RateLimited).await.unwrap();
    assert_eq!(untold.header("Retry-After"), None);
}

#[tokio::test]
async fn an_error_can_be_anything_but_readable() {
    let huge = under(Fault::HugeError).await.unwrap();
    assert_eq!((huge.status, huge.missing()), (500, 0));
    assert!(huge.body.len() > 2 << 20 && huge.code() == "SYSTEM_ERROR");

    let foreign = under(Fault::ErrorNotUtf8).await.unwrap();
    assert_eq!(
        foreign.header("Content-Type"),
        Some("application/json; charset=gbk")
    );
    assert!(foreign.status == 400 && std::str::from_utf8(&foreign.body).is_err());

    let half = under(Fault::TruncatedError).await.unwrap();
    assert_eq!((half.status, half.missing()), (500, 0));
    assert!(serde_json::from_slice::<serde_json::Value>(&half.body).is_err());
}

#[tokio::test]
async fn a_refusal_lies_about_the_time() {
    let answer = under(Fault::WrongDate { seconds: 600 }).await.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (401, "SIGN_ERROR"));
    assert_eq!(answer.header("Date"), Some("Mon, 30 Nov 2026 01:03:20 GMT"));
}

#[tokio::test]
async fn a_good_answer_is_huge_or_another_document_and_signed_rightly() {
    let sandbox = sandbox().await;
    let huge = under_in(&sandbox, Fault::HugeAnswer).await.unwrap();
    huge.verify(&sandbox).unwrap();
    assert!(huge.body.len() > 2 << 20 && huge.json()["card_id"].is_string());
    let sandbox = crate::client::sandbox().await;
    let wrong = under_in(&sandbox, Fault::WrongDocument).await.unwrap();
    wrong.verify(&sandbox).unwrap();
    assert!(wrong.status == 200 && wrong.json()["card_id"].is_number());
}

#[tokio::test]
async fn somebody_elses_answer_is_handed_out_and_signed_rightly() {
    let sandbox = sandbox().await;
    // Nobody was answered before: the right answer under another code and openid.
    let made_up = under_in(&sandbox, Fault::ReplayedAnswer).await.unwrap();
    made_up.verify(&sandbox).unwrap();
    let right = import(&sandbox, "1", "13800138000").await.unwrap();
    let mut expected = right.json();
    for name in ["user_card_code", "openid"] {
        assert_ne!(made_up.json()[name], expected[name], "{name}");
        expected[name] = made_up.json()[name].clone();
    }
    // Each answer seals anew.
    for name in ["phone_number", "user_information"] {
        expected[name] = made_up.json()[name].clone();
    }
    assert_eq!((made_up.status, made_up.json()), (200, expected));

    // Then what the one before was answered, with all that is sealed in it, under a signature of now.
    sandbox.clock().advance(Duration::from_secs(1000));
    let spoilt = async |code: &str, phone: &str| {
        sandbox.fault(Fault::ReplayedAnswer, 1);
        let mut request = Request::new(&sandbox, body(&sandbox, code, phone));
        request.sign(&sandbox, NOW + 1000);
        let answer = request.answer(&sandbox).await;
        assert_eq!(sandbox.faults_waiting(), 0);
        answer.verify(&sandbox).unwrap();
        answer
    };
    let anothers = spoilt("2", "13900139000").await;
    assert_eq!(anothers.body, right.body);
    assert_eq!(open(&sandbox, &anothers.json()["phone_number"]), "13800138000");
    let now = (NOW + 1000).to_string();
    assert_eq!(anothers.header("Wechatpay-Timestamp"), Some(&*now));
    assert_ne!(
        anothers.header("Wechatpay-Nonce"),
        right.header("Wechatpay-Nonce")
    );
    assert!(
        sandbox
            .members()
            .iter()
            .any(|member| member.user_card_code() == "2")
    );
    // The right answer counts as given, although nobody saw it.
    let back = spoilt("1", "13800138000").await.json();
    assert_eq!(back["user_card_code"], "2");

    // A reset forgets it.
    sandbox.reset();
    let made_up = spoilt("1", "13800138000").await.json();
    assert_eq!(made_up["user_card_code"], "0");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn somebody_elses_answer_needs_an_operation_that_names_a_card() {
    let sandbox = sandbox().await;
    let aimed = sandbox.fault_on("list_cards", Fault::ReplayedAnswer, 1);
    let Err(FaultRuleError::NoCard { fault, operation }) = aimed else {
        panic!("{aimed:?}")
    };
    assert_eq!((fault, &*operation), ("replayed-answer", "list_cards"));
    // Aimed at none it lets that operation pass, also by its header.
    sandbox.fault(Fault::ReplayedAnswer, 1);
    let target = "/v3/brand/partner/card-member/cards?brand_id=1004&offset=0&limit=20";
    let passed = Request::get(&sandbox, target).answer(&sandbox).await;
    assert_eq!((passed.status, sandbox.faults_waiting()), (200, 1));
    let mut asking = Request::get(&sandbox, target);
    asking.set("Wechatpay-Negative-Test", Some("replayed-answer"));
    let passed = asking.answer(&sandbox).await;
    passed.verify(&sandbox).unwrap();
    assert_eq!(passed.status, 200);
    assert_eq!(sandbox.journal().pop().unwrap().fault, None);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn an_answer_never_comes_until_the_sandbox_stops() {
    let sandbox = std::sync::Arc::new(sandbox().await);
    sandbox.fault(Fault::Stalled, 1);
    let waiting = {
        let sandbox = std::sync::Arc::clone(&sandbox);
        tokio::spawn(async move { import(&sandbox, "1", "13800138000").await.is_none() })
    };
    while sandbox.journal().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!((sandbox.members().len(), waiting.is_finished()), (1, false));
    assert_eq!(sandbox.journal()[0].status, None);
    sandbox.stop();
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn a_request_is_accepted_and_not_processed() {
    let sandbox = sandbox().await;
    let answer = under_in(&sandbox, Fault::Accepted).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    answer.verify(&sandbox).unwrap();
}

#[tokio::test]
async fn an_answer_is_lost_after_the_commit() {
    assert!(under(Fault::LostAnswer).await.is_none());
}

#[tokio::test]
async fn a_body_stops_short_of_its_length() {
    let answer = under(Fault::CutBody).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(
        answer.missing() > 0 && !answer.body.is_empty(),
        "{} missing",
        answer.missing()
    );
}

#[tokio::test]
async fn half_a_document_is_signed_rightly() {
    let sandbox = sandbox().await;
    let answer = under_in(&sandbox, Fault::TruncatedJson).await.unwrap();
    answer.verify(&sandbox).unwrap();
    assert_eq!(answer.missing(), 0);
    assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_err());
}

#[tokio::test]
async fn signatures_are_missing_or_wrong() {
    let sandbox = sandbox().await;
    for (fault, expected) in [
        (Fault::Unsigned, "no header Wechatpay-Serial"),
        (Fault::WrongSignature, "wrong signature"),
        (Fault::SignatureProbe, "wrong signature"),
        (Fault::SignatureProbeNotBase64, "not base64"),
        (Fault::UnknownSerial, "unknown serial"),
        (Fault::NoNonce, "no header Wechatpay-Nonce"),
    ] {
        let sandbox = crate::client::sandbox().await;
        let answer = under_in(&sandbox, fault).await.unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.verify(&sandbox), Err(expected.to_owned()), "{fault:?}");
        assert!(answer.json()["phone_number"].is_string());
        let is_probe = matches!(fault, Fault::SignatureProbe | Fault::SignatureProbeNotBase64);
        let signature = answer.header("Wechatpay-Signature").unwrap_or_default();
        assert_eq!(signature.starts_with("WECHATPAY/SIGNTEST/"), is_probe);
    }
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_timestamp_is_off_and_signed() {
    for seconds in [600, -600] {
        let sandbox = sandbox().await;
        let answer = under_in(&sandbox, Fault::ShiftedClock { seconds }).await.unwrap();
        answer.verify(&sandbox).unwrap();
        let expected = (NOW + seconds).to_string();
        assert_eq!(answer.header("Wechatpay-Timestamp"), Some(&*expected));
    }
}

#[tokio::test]
async fn a_fault_of_a_good_answer_waits_for_one() {
    let sandbox = sandbox().await;
    sandbox.fault(Fault::Unsigned, 1);
    let refused = import(&sandbox, "1", "12345").await.unwrap();
    assert_eq!(refused.status, 400);
    assert_eq!(sandbox.faults_waiting(), 1);
    let spoilt = import(&sandbox, "1", "13800138000").await.unwrap();
    assert_eq!((spoilt.status, spoilt.is_signed()), (200, false));
    sandbox.fault(Fault::Unsigned, 5);
    sandbox.clear_faults();
    assert_eq!(sandbox.faults_waiting(), 0);
}

/// What a client sees that sends one import and reads until the end.
async fn end_of(sandbox: &Sandbox, request: &Request) -> Result<Vec<u8>, ErrorKind> {
    let address = sandbox.base_url();
    let mut stream = TcpStream::connect(address.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    // The reset may come before all is written.
    let _ = stream.write_all(&request.bytes()).await;
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes).await;
    read.map(|_| bytes).map_err(|error| error.kind())
}

#[tokio::test]
async fn a_connection_is_reset_before_or_after_the_commit() {
    for (fault, stored) in [(Fault::ResetRequest, 0), (Fault::ResetAnswer, 1)] {
        let sandbox = sandbox().await;
        sandbox.fault(fault, 1);
        let request = Request::new(&sandbox, body(&sandbox, "1", "13800138000"));
        let end = end_of(&sandbox, &request).await;
        assert_eq!(end, Err(ErrorKind::ConnectionReset), "{fault:?}");
        assert_eq!(sandbox.members().len(), stored, "{fault:?}");
        assert_eq!(sandbox.journal()[0].status, None);
        sandbox.shutdown().await;
    }
    // An answer that is only lost comes to an orderly end.
    let sandbox = sandbox().await;
    sandbox.fault(Fault::LostAnswer, 1);
    let request = Request::new(&sandbox, body(&sandbox, "1", "13800138000"));
    assert_eq!(end_of(&sandbox, &request).await, Ok(Vec::new()));
}

/// Time is stopped, so that nobody waits for it.
#[tokio::test(start_paused = true)]
async fn a_body_comes_at_its_pace_and_not_for_ever() {
    let sandbox = sandbox().await;
    let started = Instant::now();
    let rate = 1000;
    let slow = Fault::SlowBody {
        bytes_per_second: rate,
    };
    let answer = under_in(&sandbox, slow).await.unwrap();
    answer.verify(&sandbox).unwrap();
    assert_eq!(answer.missing(), 0);
    let least = Duration::from_millis(answer.body.len() as u64);
    let took = started.elapsed();
    assert!((least..least * 2).contains(&took), "{least:?}, {took:?}");

    let sandbox = crate::client::sandbox().await;
    let started = Instant::now();
    let slowest = Fault::SlowBody { bytes_per_second: 0 };
    let answer = under_in(&sandbox, slowest).await.unwrap();
    assert!(answer.missing() > 0);
    assert!((55..60).contains(&answer.body.len()), "{}", answer.body.len());
    assert!(started.elapsed() < Duration::from_secs(70));
}

#[tokio::test]
async fn a_public_key_is_rotated_with_an_answer() {
    let sandbox = sandbox().await;
    let old = sandbox.credentials().platform_key_id.clone();
    sandbox.fault(Fault::RotatedKey, 1);
    let answer = import(&sandbox, "1", "13800138000").await.unwrap();
    let new = sandbox.platform_public_key().unwrap();
    assert_ne!(new.id, old);
    assert!(new.id.starts_with("PUB_KEY_ID_01"), "{}", new.id);
    // From now on it signs, also for who still seals with the old one.
    let next = import(&sandbox, "2", "13900139000").await.unwrap();
    for answer in [answer, next] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("Wechatpay-Serial"), Some(&*new.id));
        let key = wxmember_crypto::PlatformKey::from_pem(&new.pem).unwrap();
        answer.verify_with(&key).unwrap();
    }
    let held = crate::client::control(&sandbox, "/credentials").await.json();
    assert_eq!(held["merchants"][0]["platform_key_id"], *new.id);
    assert_eq!(held["merchants"][0]["platform_key_pem"], *new.pem);
}

#[tokio::test]
async fn a_certificate_is_rotated_with_an_answer() {
    let sandbox = builder().with_platform_certificates(1).start().await.unwrap();
    let old = sandbox.platform_certificates().remove(0).serial;
    sandbox.fault(Fault::RotatedKey, 1);
    let body = crate::client::body_for(&key_of(&sandbox, &old), "1", "13800138000");
    let mut request = Request::new(&sandbox, body);
    request.set("Wechatpay-Serial", Some(&old));
    let answer = request.answer(&sandbox).await;
    let certificates = sandbox.platform_certificates();
    assert_eq!((certificates.len(), &*certificates[0].serial), (2, &*old));
    let new = &certificates[1].serial;
    assert_eq!(answer.header("Wechatpay-Serial"), Some(&**new));
    answer.verify_with(&key_of(&sandbox, new)).unwrap();
    // The public key is another mode's, and stays.
    let public_key = sandbox.platform_public_key().unwrap();
    assert_eq!(public_key.id, sandbox.credentials().platform_key_id);
}

#[tokio::test]
async fn every_answer_of_a_time_is_429_and_then_none() {
    let clock = Clock::manual(NOW);
    let sandbox = builder().with_clock(clock.clone()).start().await.unwrap();
    sandbox.fault_rule(FaultRule::during(Fault::RateLimited, Duration::from_secs(10)));
    for _ in 0..5 {
        let answer = import(&sandbox, "1", "13800138000").await.unwrap();
        assert_eq!((answer.status, answer.header("Retry-After")), (429, None));
        clock.advance(Duration::from_secs(2));
    }
    assert_eq!(import(&sandbox, "1", "13800138000").await.unwrap().status, 200);
}
