//! The platform's keys over time: both modes, downloads, rotation.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;
use wxmember::{Certificate, ErrorKind, Plaintext, Trust, VerifyError};
use wxmember_sandbox::Fault;

use crate::harness::{
    NOW, builder, certified, client, downloaded, import, member, merchant, public_key, still, until,
};

/// In platform-certificate mode a client is built offline and downloads before its first call.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_downloaded_when_they_are_first_needed() {
    let sandbox = certified().without_platform_public_key().start().await.unwrap();
    let (builder, _) = builder(&sandbox, downloaded(&sandbox));
    let client = builder.build().unwrap();
    assert_eq!((sandbox.requests(), client.sealing_key_id()), (0, None));

    let card = import(&client, &sandbox, 1).await.unwrap();
    assert_eq!(sandbox.certificate_downloads(), 1);
    let phone = card.into_inner().phone_number.unwrap().open().unwrap();
    assert_eq!(phone.expose(), "13800000001");
    let serial = &sandbox.platform_certificates()[0].serial;
    assert_eq!(client.sealing_key_id().unwrap().as_str(), serial);
    let entry = sandbox.journal().pop().unwrap();
    assert_eq!(entry.platform_serial.as_deref(), Some(serial.as_str()));

    import(&client, &sandbox, 2).await.unwrap();
    assert_eq!(sandbox.certificate_downloads(), 1);
}

/// New merchants get 404 for the certificates. That must not keep a client with a public key from being built and used.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_download_does_not_decide_a_call_that_needs_none() {
    let sandbox = still().start().await.unwrap();
    let key = wxmember::ApiV3Key::new(&sandbox.credentials().apiv3_key).unwrap();
    let both = public_key(&sandbox).and_downloaded_certificates(key);
    let (builder_both, clock) = builder(&sandbox, both);
    let client = builder_both.build().unwrap();
    for number in 1..=3 {
        import(&client, &sandbox, number).await.unwrap();
    }
    until(|| sandbox.certificate_downloads() > 0).await;
    assert_eq!(
        sandbox.certificate_downloads(),
        1,
        "a failure is not tried again for a minute"
    );
    clock.advance(Duration::from_secs(61));
    import(&client, &sandbox, 4).await.unwrap();
    until(|| sandbox.certificate_downloads() == 2).await;

    // Without any key there is nothing to do but to say why.
    let (builder, _) = builder(&sandbox, downloaded(&sandbox));
    let error = import(&builder.build().unwrap(), &sandbox, 5).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Keys);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("404"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_calls_survive_a_rotation_with_one_refresh() {
    let sandbox = Arc::new(certified().without_platform_public_key().start().await.unwrap());
    let (builder, _) = builder(&sandbox, downloaded(&sandbox));
    let client = builder.build().unwrap();
    client.refresh_certificates().await.unwrap();
    let old = client.sealing_key_id().unwrap();
    let before = sandbox.certificate_downloads();

    let mut calls = JoinSet::new();
    let mut verified = 0;
    for number in 0..500 {
        // In the middle, with calls on their way, the platform changes its certificate.
        if number == 250 {
            sandbox.rotate_platform_certificate().await.unwrap();
        }
        let (client, member) = (client.clone(), member(&sandbox, number));
        calls.spawn(async move { client.user_cards().import_by_phone(&member).await });
        if calls.len() >= 32 {
            calls.join_next().await.unwrap().unwrap().unwrap();
            verified += 1;
        }
    }
    for answer in calls.join_all().await {
        answer.unwrap();
        verified += 1;
    }
    assert_eq!(verified, 500);
    assert_eq!(sandbox.members().len(), 500);
    assert_eq!(sandbox.certificate_downloads() - before, 1);
    // From now on requests are sealed with the new certificate.
    assert_ne!(client.sealing_key_id().unwrap(), old);
}

/// Ciphertext and serial leave together, whatever happens between sealing and sending.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_sealed_before_a_rotation_is_sent_under_its_own_key() {
    let sandbox = certified().without_platform_public_key().start().await.unwrap();
    let (builder, _) = builder(&sandbox, downloaded(&sandbox));
    let client = builder.build().unwrap();
    client.refresh_certificates().await.unwrap();
    let sealed = client.seal(&member(&sandbox, 1)).unwrap();
    sandbox.rotate_platform_certificate().await.unwrap();
    client.refresh_certificates().await.unwrap();
    assert_ne!(client.sealing_key_id().as_ref(), Some(sealed.key_id()));
    client.user_cards().import_by_phone_sealed(&sealed).await.unwrap();
    let entry = sandbox.journal().pop().unwrap();
    assert_eq!(entry.platform_serial.as_deref(), Some(sealed.key_id().as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invented_key_id_costs_one_download_a_minute() {
    let sandbox = certified().without_platform_public_key().start().await.unwrap();
    let (builder, clock) = builder(&sandbox, downloaded(&sandbox));
    let client = builder.build().unwrap();
    client.refresh_certificates().await.unwrap();
    let before = sandbox.certificate_downloads();
    for number in 0..5 {
        sandbox
            .fault_on("import_by_phone", Fault::UnknownSerial, 1)
            .unwrap();
        let error = import(&client, &sandbox, number).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unverified);
        assert!(matches!(
            error.verify_error(),
            Some(VerifyError::UnknownKey { .. })
        ));
    }
    assert_eq!(sandbox.certificate_downloads() - before, 1);
    clock.advance(Duration::from_secs(61));
    sandbox
        .fault_on("import_by_phone", Fault::UnknownSerial, 1)
        .unwrap();
    import(&client, &sandbox, 9).await.unwrap_err();
    assert_eq!(sandbox.certificate_downloads() - before, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_keys_stay_when_a_refresh_fails() {
    let sandbox = certified().without_platform_public_key().start().await.unwrap();
    let (builder, clock) = builder(&sandbox, downloaded(&sandbox));
    let client = builder.build().unwrap();
    import(&client, &sandbox, 1).await.unwrap();
    let key = client.sealing_key_id();
    for fault in [
        Fault::SystemError,
        Fault::WrongSignature,
        Fault::SignatureProbe,
        Fault::Unsigned,
        Fault::TruncatedJson,
    ] {
        sandbox.fault_on("list_certificates", fault, 1).unwrap();
        let error = client.refresh_certificates().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Keys, "{fault:?}");
        assert_eq!(client.sealing_key_id(), key, "{fault:?}");
    }
    // Due by the clock: one call tries, fails, and is made all the same.
    clock.advance(Duration::from_secs(61));
    sandbox
        .fault_on("list_certificates", Fault::SystemError, 1)
        .unwrap();
    let before = sandbox.certificate_downloads();
    import(&client, &sandbox, 2).await.unwrap();
    until(|| sandbox.certificate_downloads() - before == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_renewed_by_age() {
    let sandbox = certified().without_platform_public_key().start().await.unwrap();
    let (builder, clock) = builder(&sandbox, downloaded(&sandbox));
    let client = builder
        .with_certificate_interval(Duration::from_secs(200))
        .build()
        .unwrap();
    import(&client, &sandbox, 1).await.unwrap();
    clock.advance(Duration::from_secs(199));
    import(&client, &sandbox, 2).await.unwrap();
    assert_eq!(sandbox.certificate_downloads(), 1);
    clock.advance(Duration::from_secs(2));
    import(&client, &sandbox, 3).await.unwrap();
    until(|| sandbox.certificate_downloads() == 2).await;
}

/// While a merchant changes modes, answers come in both; requests are sealed with the public key.
#[tokio::test(flavor = "multi_thread")]
async fn both_modes_at_once() {
    let sandbox = certified().start().await.unwrap();
    let pem = &sandbox.platform_certificates()[0].pem;
    let both = public_key(&sandbox).and_certificate(&Certificate::from_pem(pem).unwrap());
    let (builder_both, _) = builder(&sandbox, both);
    let client = builder_both.build().unwrap();
    assert!(client.sealing_key_id().unwrap().is_public_key_id());
    import(&client, &sandbox, 1).await.unwrap();

    // Certificate mode alone, from a file.
    let (builder, _) = builder(&sandbox, Trust::certificate(&Certificate::from_pem(pem).unwrap()));
    let client = builder.build().unwrap();
    import(&client, &sandbox, 2).await.unwrap();
    assert_eq!(sandbox.certificate_downloads(), 0);
}

/// An answer may be sealed for any of the merchant's certificates.
#[tokio::test(flavor = "multi_thread")]
async fn every_key_of_the_merchant_opens() {
    let sandbox = still().start().await.unwrap();
    let other = include_str!("../../../../tests/vectors/test_brand_key.pem");
    let other = wxmember::MerchantKey::from_pem(other).unwrap();
    let credentials = sandbox.credentials();
    let known = wxmember::MerchantKey::from_pem(&credentials.merchant_key_pem).unwrap();
    // The key that signs is the sandbox's; it opens although another opener is asked first.
    let merchant = wxmember::Merchant::with_signer(
        &credentials.mchid,
        &credentials.merchant_serial,
        Arc::new(known),
        Arc::new(other),
    )
    .unwrap()
    .and_key(wxmember::MerchantKey::from_pem(&credentials.merchant_key_pem).unwrap());
    let client = wxmember::Client::builder()
        .merchant(merchant)
        .trust(public_key(&sandbox))
        .with_base_url(sandbox.base_url())
        .with_clock(Arc::new(wxmember::FixedClock::at(NOW)))
        .build()
        .unwrap();
    let card = import(&client, &sandbox, 7).await.unwrap();
    let phone = card.into_inner().phone_number.unwrap().open().unwrap();
    assert_eq!(phone.expose(), "13800000007");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_merchants_own_key_is_not_taken_for_the_platforms() {
    let sandbox = still().start().await.unwrap();
    let credentials = sandbox.credentials();
    let own = wxmember::MerchantKey::from_pem(&credentials.merchant_key_pem).unwrap();
    let mistaken = wxmember::PlatformKey::from_pem(&own.public_key().to_pem()).unwrap();
    let refused = wxmember::Client::builder()
        .merchant(merchant(&sandbox))
        .trust(Trust::public_key("PUB_KEY_ID_01", mistaken).unwrap())
        .build();
    assert!(matches!(
        refused,
        Err(wxmember::ConfigError::PlatformKeyIsMerchants { .. })
    ));
    // The right one is accepted by the same check.
    let _ = client(&sandbox);
}

/// A platform that is silent about its certificates holds no call that has a key.
#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_hangs_delays_no_call_that_has_a_key() {
    let sandbox = certified().without_platform_public_key().start().await.unwrap();
    let (builder, clock) = builder(&sandbox, downloaded(&sandbox));
    let client = builder.build().unwrap();
    import(&client, &sandbox, 1).await.unwrap();
    clock.advance(Duration::from_secs(6 * 3600));
    sandbox.clock().advance(Duration::from_secs(6 * 3600));
    sandbox.fault_on("list_certificates", Fault::Stalled, 1).unwrap();
    // The download is given up after ten seconds; whoever waited for it would be late.
    let call = import(&client, &sandbox, 2);
    let answered = tokio::time::timeout(Duration::from_secs(5), call).await;
    answered.expect("the call waited for the download").unwrap();
    until(|| sandbox.certificate_downloads() == 2).await;
}

/// Whoever asked may go away: the download goes on, and what it found is there for the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_cancels_no_download() {
    let sandbox = certified().without_platform_public_key().start().await.unwrap();
    let (builder, _) = builder(&sandbox, downloaded(&sandbox));
    let client = builder.build().unwrap();
    let refresh = client.refresh_certificates();
    let mut refresh = Box::pin(refresh);
    // Polled once, so that it has begun, and dropped.
    std::future::poll_fn(|context| {
        let _ = refresh.as_mut().poll(context);
        std::task::Poll::Ready(())
    })
    .await;
    drop(refresh);
    until(|| client.sealing_key_id().is_some()).await;
    import(&client, &sandbox, 1).await.unwrap();
    assert_eq!(sandbox.certificate_downloads(), 1);
}

/// Many who want newer keys, or any at all, at the same time want one download.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_shares_one_download() {
    let sandbox = certified().without_platform_public_key().start().await.unwrap();
    let (builder_one, _) = builder(&sandbox, downloaded(&sandbox));
    let client = builder_one.build().unwrap();
    let mut refreshes = JoinSet::new();
    let gate = Arc::new(tokio::sync::Barrier::new(20));
    for _ in 0..20 {
        let (client, gate) = (client.clone(), gate.clone());
        refreshes.spawn(async move {
            gate.wait().await;
            client.refresh_certificates().await
        });
    }
    assert!(refreshes.join_all().await.iter().all(Result::is_ok));
    assert!(
        sandbox.certificate_downloads() < 20,
        "{}",
        sandbox.certificate_downloads()
    );

    // A merchant without certificates hears why, and the platform is not asked by every call.
    let bare = still().start().await.unwrap();
    let (builder, clock) = builder(&bare, downloaded(&bare));
    let client = builder.build().unwrap();
    for number in 0..20 {
        let error = import(&client, &bare, number).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Keys);
    }
    assert_eq!(bare.certificate_downloads(), 1);
    clock.advance(Duration::from_secs(6));
    import(&client, &bare, 20).await.unwrap_err();
    assert_eq!(bare.certificate_downloads(), 2);
}
