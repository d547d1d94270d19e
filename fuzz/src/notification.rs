//! Notifications, from the bytes of the request to the event that a handler gets.
//!
//! The first byte chooses the way:
//!
//! - *headers*: header lines, an empty line, a body; `{SIGNATURE}` stands for the signature that fits them.
//! - *envelope*: a body under a good signature.
//! - *event*: a line with the type of an event and what is sealed in the resource, all of it sealed and signed well.

use std::{
    pin::pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Waker},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use wxmember::{
    Client, Event, FixedClock, Merchant, MerchantKey, Trust, UserCardNotice,
    notification::{Notification, NotificationError, Notifications, RecentIds},
};
use wxmember_client::types;

use crate::{
    claims::{MARKER, contains, has_marker, opened, quiet, round_trip, silent},
    input::{choice, first, headers, line, replaced},
    parties::{
        MCHID, MERCHANT_KEY, NOW, PUBLIC_KEY_ID, apiv3_key, filled, is_the_platforms, merchant_certificate,
        platform_certificate, platform_key, platform_signature, tokens,
    },
};

/// Receives one notification, twice.
pub fn run(data: &[u8]) {
    let Some((way, event, rest)) = choice(data) else {
        return;
    };
    match way % 3 {
        0 => with_headers(rest),
        1 => {
            let body = filled(rest);
            let _ = receive(&signed(&body), &body);
        }
        _ => {
            let (event_type, resource) = line(rest);
            let event_type = match EVENTS.get(event % 6) {
                Some(known) => (*known).to_owned(),
                None => String::from_utf8_lossy(event_type).into_owned(),
            };
            sealed(&event_type, &filled(resource));
        }
    }
}

fn with_headers(rest: &[u8]) {
    let (mut head, body) = headers(rest);
    let body = filled(body);
    let text = |name| first(&head, name).unwrap_or_default().to_owned();
    let [timestamp, nonce, serial] = ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial"].map(text);
    for (name, value) in &mut head {
        if name.eq_ignore_ascii_case("Wechatpay-Signature") && contains(value, tokens::SIGNATURE.as_bytes()) {
            let signature = platform_signature(&serial, &timestamp, &nonce, &body);
            *value = replaced(value, tokens::SIGNATURE, signature.as_bytes());
        }
    }
    let _ = receive(&head, &body);
}

/// A notification in which everything is right but what it tells.
fn sealed(event_type: &str, resource: &[u8]) {
    let Ok(ciphertext) = apiv3_key().seal(b"61f9c719728a", b"user_card", resource) else {
        return;
    };
    let body = serde_json::json!({
        "id": "8b33f79f-8869-5ae5-b41b-a5b7650d1a6e",
        "create_time": "2026-11-30T08:53:20+08:00",
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": "测试通知",
        "resource": {
            "original_type": "user_card",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": BASE64_STANDARD.encode(ciphertext),
            "associated_data": "user_card",
            "nonce": "61f9c719728a",
        },
    });
    let body = body.to_string().into_bytes();
    let received = receive(&signed(&body), &body);
    let is_readable = match event_type {
        _ if event_type == EVENTS[0] || event_type == EVENTS[1] => {
            round_trip::<types::UserCardNotice>(resource)
        }
        _ if event_type == EVENTS[2] => round_trip::<types::PointExchangeCouponNotice>(resource),
        _ if event_type == EVENTS[3] => round_trip::<types::SyncUserPointNotice>(resource),
        _ => serde_json::from_slice::<serde_json::Value>(resource).is_ok(),
    };
    match received {
        Ok(notification) => {
            assert!(is_readable, "the SDK reads what serde reads");
            assert_eq!(notification.event_type(), event_type);
            assert_eq!(notification.event().event_type(), event_type);
        }
        Err(error) => assert!(
            matches!(error, NotificationError::Unreadable { .. }) && !is_readable,
            "{error:?}"
        ),
    }
}

fn signed(body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let timestamp = NOW.to_string();
    let signature = platform_signature(PUBLIC_KEY_ID, &timestamp, "nonce", body);
    let head = [
        ("Wechatpay-Timestamp", timestamp.as_str()),
        ("Wechatpay-Nonce", "nonce"),
        ("Wechatpay-Serial", PUBLIC_KEY_ID),
        ("Wechatpay-Signature", &signature),
    ];
    head.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .into()
}

/// Receives it with a memory of its own: it is new, then being handled, then done.
fn receive(head: &[(String, Vec<u8>)], body: &[u8]) -> Result<Notification, NotificationError> {
    let notifications = RECEIVER.clone().with_deduplication(Arc::new(RecentIds::new(4)));
    let probes = notifications.probes();
    let header = |name: &'static str| first(head, name);
    let received = at_once(notifications.receive(header, body));
    let names = [
        "Wechatpay-Timestamp",
        "Wechatpay-Nonce",
        "Wechatpay-Serial",
        "Wechatpay-Signature",
    ];
    let fits = is_the_platforms(names.map(header), body);
    let is_verified = !matches!(received, Err(NotificationError::Unverified(_)));
    assert_eq!(is_verified, fits, "verified is what fits, and nothing else");
    match &received {
        Ok(notification) => {
            assert!(!notification.is_duplicate());
            let again = at_once(notifications.receive(header, body));
            assert!(matches!(again, Err(NotificationError::InProgress)), "{again:?}");
            assert_eq!(at_once(notifications.done(notification)).status(), 200);
            let again = at_once(notifications.receive(header, body)).expect("the same again");
            assert!(again.is_duplicate() && again.id() == notification.id());
            look(notification);
        }
        Err(error) => {
            if has_marker(body) {
                silent(error);
            }
            let answer = error.acknowledgement();
            assert!((400..600).contains(&answer.status()));
            assert!(!answer.body().contains(MARKER));
            assert_eq!(notifications.probes() > probes, error.is_probe());
        }
    }
    received
}

/// Opens what is personal; nothing of it is shown.
fn look(notification: &Notification) {
    let shown = format!("{notification:?}");
    if let Event::UserCardCreated(card) | Event::UserCardDeleted(card) = notification.event() {
        let plain = personal(card);
        for value in plain.iter().filter(|value| value.contains(MARKER)) {
            // Other fields may hold the same text.
            let elsewhere = [
                notification.id().to_owned(),
                notification.summary().unwrap_or_default().to_owned(),
                format!(
                    "{:?}",
                    (
                        &card.level,
                        &card.attach,
                        &card.invalid_reason,
                        &card.user_card_code
                    )
                ),
                format!(
                    "{:?}",
                    (
                        &card.card_id,
                        &card.openid,
                        &card.card_color,
                        &card.card_picture_url
                    )
                ),
                format!(
                    "{:?}",
                    (&card.brand_id, &card.card_type, &card.valid_date_information)
                ),
                format!("{:?}", (&card.user_card_state, &card.pickup_time)),
            ];
            let is_elsewhere = elsewhere.iter().any(|text| text.contains(MARKER))
                || card.user_information.as_ref().is_some_and(|information| {
                    let common = information
                        .common_field_list
                        .iter()
                        .map(|field| format!("{:?}", field.name));
                    let custom = information
                        .custom_field_list
                        .iter()
                        .map(|field| format!("{:?}", field.name));
                    common.chain(custom).any(|name| name.contains(MARKER))
                });
            assert!(is_elsewhere || !shown.contains(MARKER), "{value} is shown");
        }
    }
    if let Event::Other { event_type, .. } = notification.event()
        && !event_type.contains(MARKER)
    {
        quiet(&format!("{:?}", notification.event()));
    }
}

fn personal(card: &UserCardNotice) -> Vec<String> {
    opened(card.phone_number.as_ref(), card.user_information.as_ref())
}

/// Nothing here waits for anybody.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a receiver that downloads nothing waits"),
    }
}

static RECEIVER: LazyLock<Notifications> = LazyLock::new(|| {
    let key = MerchantKey::from_pem(MERCHANT_KEY).expect("a test key");
    let merchant = Merchant::with_certificate(MCHID, &merchant_certificate(), key).expect("a merchant");
    let trust = Trust::public_key(PUBLIC_KEY_ID, platform_key()).expect("an id");
    let client = Client::builder()
        .merchant(merchant)
        .trust(trust.and_certificate(&platform_certificate()))
        .with_clock(Arc::new(FixedClock::at(NOW)))
        .build();
    client.expect("a client").notifications(apiv3_key())
});

/// The documented ones; then there are those of tomorrow.
const EVENTS: [&str; 4] = [
    "BRAND_MEMBER_CARD_SP.USER_CARD.CREATE",
    "BRAND_MEMBER_CARD_SP.USER_CARD.DELETE",
    "BRAND_MEMBER_CARD_SP.POINT_EXCHANGE_COUPON",
    "BRAND_MEMBER_CARD_SP.SYNC_USER_POINT",
];
