//! What people who watch get to see: spans, lines and counters, by the names of the README, and no value in any of them.
//!
//! Every test runs on one thread, since subscriber and recorder are set for a thread.

use std::{fmt::Write, sync::Arc};

use metrics::Unit;
use wxmember::{ApiV3Key, Client, RetryPolicy, notification::RecentIds};
use wxmember_sandbox::{Fault, NotificationOptions, NotificationSignature, Sandbox};

use crate::{
    harness::{builder, certified, client, downloaded, import, member, public_key, still},
    loopback::{Loopback, REQUEST_ID, answer},
    notifications::{CREATED, card},
};

mod meter;
mod watcher;

use self::{
    meter::Meter,
    watcher::{Seen, Watcher},
};

/// The attempts of a call that meets one fault, as `attempt host status outcome`, then the call as `attempts outcome`.
async fn attempts(sandbox: &Sandbox, fault: Fault, answers: u64) -> Vec<String> {
    let (watcher, _guard) = Watcher::watch();
    sandbox.fault(fault, answers);
    let _ = import(&client(sandbox), sandbox, sandbox.requests()).await;
    sandbox.clear_faults();
    let attempts = watcher.spans("wxmember.attempt");
    for attempt in &attempts {
        assert_eq!(attempt.get("operation"), "import_by_phone");
        assert!(attempt.get("duration_ms").parse::<u64>().is_ok(), "{attempt:?}");
    }
    assert_eq!(watcher.around("wxmember.attempt"), Some("wxmember.call"));
    let shown = |span: &Seen, fields: &[&str]| {
        let values: Vec<_> = fields.iter().map(|field| span.get(field)).collect();
        values.join(" ")
    };
    let calls = watcher.spans("wxmember.call");
    let [call] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(call.get("operation"), "import_by_phone");
    attempts
        .iter()
        .map(|span| shown(span, &["attempt", "host", "status", "outcome"]))
        .chain([shown(call, &["attempts", "outcome"])])
        .collect()
}

#[tokio::test]
async fn every_attempt_has_a_span_inside_that_of_its_call() {
    let sandbox = still().start().await.unwrap();
    for (fault, answers, expect) in [
        (
            Fault::SystemError,
            1,
            &["1 main 500 platform", "2 main 200 done", "2 done"][..],
        ),
        (
            Fault::LostAnswer,
            2,
            // Without a backup host there is one host.
            &[
                "1 main  interrupted",
                "2 main  interrupted",
                "3 main 200 done",
                "3 done",
            ],
        ),
        (
            Fault::SignatureProbe,
            3,
            &[
                "1 main 200 unverified",
                "2 main 200 unverified",
                "3 main 200 unverified",
                "3 unverified",
            ],
        ),
        (Fault::EmptyNotFound, 1, &["1 main 404 not_found", "1 not_found"]),
        (
            Fault::TruncatedJson,
            1,
            &["1 main 200 undecodable", "1 undecodable"],
        ),
    ] {
        assert_eq!(attempts(&sandbox, fault, answers).await, expect, "{fault:?}");
    }
}

#[tokio::test]
async fn an_attempt_tells_its_host_and_the_request_id_to_quote() {
    let [first, second] = [still().start().await.unwrap(), still().start().await.unwrap()];
    let (builder, _) = builder(&first, public_key(&first));
    let client = builder.with_backup_url(second.base_url()).build().unwrap();
    let (watcher, _guard) = Watcher::watch();
    first.fault(Fault::ServiceUnavailable, 1);
    let card = import(&client, &second, 1).await.unwrap();
    let attempts = watcher.spans("wxmember.attempt");
    let hosts: Vec<_> = attempts.iter().map(|attempt| attempt.get("host")).collect();
    assert_eq!(hosts, ["main", "backup"]);
    assert_eq!(Some(attempts[1].get("request_id")), card.request_id());
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_with_its_offset() {
    let sandbox = still().start().await.unwrap();
    let (builder, clock) = builder(&sandbox, public_key(&sandbox));
    let client = builder.build().unwrap();
    clock.set(crate::harness::NOW - 600);
    let (watcher, _guard) = Watcher::watch();
    import(&client, &sandbox, 1).await.unwrap_err();
    let text = watcher.text();
    assert!(text.contains(r#""clock_offset_seconds": "600""#), "{text}");
}

#[tokio::test]
async fn a_download_of_certificates_is_an_attempt_and_a_line() {
    let sandbox = certified().without_platform_public_key().start().await.unwrap();
    let (builder, clock) = builder(&sandbox, downloaded(&sandbox));
    let client = builder.build().unwrap();
    let (watcher, _guard) = Watcher::watch();
    sandbox
        .fault_on("list_certificates", Fault::SystemError, 1)
        .unwrap();
    import(&client, &sandbox, 1).await.unwrap_err();
    clock.advance(std::time::Duration::from_secs(6));
    import(&client, &sandbox, 1).await.unwrap();
    let downloads: Vec<_> = watcher
        .spans("wxmember.attempt")
        .iter()
        .filter(|attempt| attempt.get("operation") == "list_certificates")
        .map(|attempt| format!("{} {}", attempt.get("status"), attempt.get("outcome")))
        .collect();
    assert_eq!(downloads, ["500 platform", "200 done"]);
    let lines = watcher.lines();
    for line in [
        "platform certificates not downloaded; the keys stay as they are",
        "platform certificates downloaded",
    ] {
        assert!(lines.iter().any(|told| told == line), "{lines:?}");
    }
}

/// Receives one notification three times, done after the second, and a probe and a wrong one.
async fn receive_all(client: &Client, sandbox: &Sandbox) {
    let notifications = client
        .notifications(ApiV3Key::new(&sandbox.credentials().apiv3_key).unwrap())
        .with_deduplication(Arc::new(RecentIds::new(10)));
    let options = NotificationOptions::default().with_id("n-1");
    let [probe, missing] = [NotificationSignature::Probe, NotificationSignature::Missing]
        .map(|signature| NotificationOptions::default().with_signature(signature));
    let mut first = None;
    for (options, is_done) in [
        (&options, false),
        (&options, false),
        (&options, true),
        (&probe, false),
        (&missing, false),
    ] {
        if is_done {
            notifications.done(&first.take().unwrap()).await;
        }
        let signed = sandbox.notification_with(CREATED, &card(), options).unwrap();
        let received = notifications
            .receive(|name| signed.header(name), &signed.body)
            .await;
        first = first.or(received.ok());
    }
}

#[tokio::test]
async fn a_notification_has_a_span_with_what_became_of_it() {
    let sandbox = still().start().await.unwrap();
    let (watcher, _guard) = Watcher::watch();
    receive_all(&client(&sandbox), &sandbox).await;
    let spans = watcher.spans("wxmember.notification");
    let spans = spans
        .iter()
        .map(|span| ["id", "event_type", "outcome"].map(|field| span.get(field)));
    assert_eq!(
        spans.collect::<Vec<_>>(),
        [
            ["n-1", CREATED, "new"],
            ["", "", "in_progress"],
            ["n-1", CREATED, "duplicate"],
            ["", "", "probe"],
            ["", "", "unverified"],
        ]
    );
    let text = watcher.text();
    for value in [
        "478515832665",
        "13800138000",
        "obLatjnx9gnqzS4myYGmLZ7LgLBA",
        "广州",
    ] {
        assert!(
            card().to_string().contains(value) && !text.contains(value),
            "{value}: {text}"
        );
    }
}

/// Parameters of paths and queries are numbers of members; a signature with its nonce could be used a second time.
#[tokio::test]
async fn nothing_that_is_watched_holds_a_value() {
    let server =
        Loopback::start(|_| answer(500, &[("Request-ID", REQUEST_ID)], b"{\"message\":\"MARKER\"}")).await;
    let client = server
        .client()
        .with_retry(RetryPolicy::default().with_attempts(2));
    let sandbox = still().start().await.unwrap();
    let (watcher, _guard) = Watcher::watch();
    let metered = Meter::default();
    let _recording = metrics::set_default_local_recorder(&metered);
    let path = "v3/brand/partner/card-member/user-cards/{user_card_code}";
    client
        .chain(path)
        .param("user_card_code", "MARKER-code")
        .query("openid", "MARKER-openid")
        .get()
        .await
        .unwrap_err();
    client["v3/not/documented/MARKER"].get().await.unwrap_err();
    let mut marked = member(&sandbox, 1);
    marked.phone_number = wxmember::PhoneNumber::new("13987654321");
    marked.user_card_code = "MARKER-code".parse().unwrap();
    client.user_cards().import_by_phone(&marked).await.unwrap_err();

    let asked = server.asked();
    assert_eq!(asked.len(), 6);
    assert!(asked[0].target().contains("MARKER-code?openid=MARKER-openid"));
    let mut text = watcher.text();
    write!(text, "{:?}", metered.values()).unwrap();
    let mut markers = vec!["MARKER", "13987654321"];
    for asked in &asked {
        markers.extend([asked.signed_with("signature"), asked.signed_with("nonce_str")]);
    }
    for marker in markers {
        assert!(!text.contains(marker), "`{marker}` is in {text}");
    }
    // It is a call that was watched, and the generic one has its name from the document.
    for operation in ["find_user_card", "chain", "import_by_phone"] {
        assert!(text.contains(operation), "{text}");
    }
}

#[tokio::test]
async fn counters_count_attempts_downloads_and_notifications() {
    let sandbox = certified().start().await.unwrap();
    let meter = Meter::default();
    let _recording = metrics::set_default_local_recorder(&meter);
    let (builder, _) = builder(
        &sandbox,
        public_key(&sandbox)
            .and_downloaded_certificates(ApiV3Key::new(&sandbox.credentials().apiv3_key).unwrap()),
    );
    let client = builder.build().unwrap();
    sandbox
        .fault_on("import_by_phone", Fault::SystemError, 2)
        .unwrap();
    import(&client, &sandbox, 1).await.unwrap();
    sandbox
        .fault_on("list_certificates", Fault::RateLimited, 1)
        .unwrap();
    client.refresh_certificates().await.unwrap_err();
    receive_all(&client, &sandbox).await;
    assert_eq!(
        meter.counts(),
        [
            "wxmember_attempts_total{operation=import_by_phone,outcome=done} 1",
            "wxmember_attempts_total{operation=import_by_phone,outcome=platform} 2",
            "wxmember_attempts_total{operation=list_certificates,outcome=done} 1",
            "wxmember_attempts_total{operation=list_certificates,outcome=rate_limited} 1",
            "wxmember_certificate_downloads_total{outcome=done} 1",
            "wxmember_certificate_downloads_total{outcome=rate_limited} 1",
            "wxmember_notifications_total{outcome=duplicate} 1",
            "wxmember_notifications_total{outcome=in_progress} 1",
            "wxmember_notifications_total{outcome=new} 1",
            "wxmember_notifications_total{outcome=probe} 1",
            "wxmember_notifications_total{outcome=unverified} 1",
        ]
    );
    let times = &meter.values()["wxmember_attempt_seconds{operation=import_by_phone,outcome=platform}"];
    assert!(
        times.len() == 2 && times.iter().all(|time| (0.0..60.0).contains(time)),
        "{times:?}"
    );
    let units = meter.units();
    let units: Vec<_> = units.iter().map(|(name, unit)| (name.as_str(), *unit)).collect();
    assert_eq!(
        units,
        [
            ("wxmember_attempt_seconds", Some(Unit::Seconds)),
            ("wxmember_attempts_total", Some(Unit::Count)),
            ("wxmember_certificate_downloads_total", Some(Unit::Count)),
            ("wxmember_notifications_total", Some(Unit::Count)),
        ]
    );
}

/// Dashboards are built on these words, so the README names every one of them.
#[test]
fn the_readme_names_what_is_watched() {
    let readme = include_str!("../../README.md");
    for word in [
        "wxmember.call",
        "wxmember.attempt",
        "wxmember.notification",
        "wxmember_attempts_total",
        "wxmember_attempt_seconds",
        "wxmember_certificate_downloads_total",
        "wxmember_notifications_total",
        "duration_ms",
    ] {
        assert!(readme.contains(&format!("`{word}`")), "{word}");
    }
}
