//! Notifications as the sandbox makes them: right, wrong on purpose, twice, in both modes.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use wxmember::{
    ApiV3Key, Event, Plaintext, VerifyError,
    notification::{Acknowledgement, Notification, NotificationError, Notifications, RecentIds},
};
use wxmember_crypto::{PrivateKey, party::Platform};
use wxmember_sandbox::{
    NotificationOptions, NotificationSignature, PersonalFields, Sandbox, SignedNotification,
};

use crate::harness::{NOW, PUBLIC_KEY_ID, builder, certified, client, public_key, still};

pub(crate) const CREATED: &str = "BRAND_MEMBER_CARD_SP.USER_CARD.CREATE";

pub(crate) fn card() -> Value {
    json!({
        "user_card_code": "478515832665",
        "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0",
        "openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA",
        "brand_id": "1004",
        "card_type": "NORMAL",
        "phone_number": "13800138000",
        "valid_date_information": { "type": "PERMANENT" },
        "pickup_time": "2020-05-20T13:29:35.120+08:00",
        "user_information": {
            "common_field_list": [{ "name": "USER_FORM_FLAG_CITY", "value": "广州" }],
            "custom_field_list": [{ "name": "喜欢的运动", "user_chosen_values": ["游泳", "足球"] }],
        },
        "user_card_state": "NOT_EFFECTIVE",
        "create_time": "2020-05-20T13:29:35+08:00",
        "modify_time": "2020-05-20T13:29:35+08:00",
    })
}

fn notifications(sandbox: &Sandbox) -> Notifications {
    client(sandbox).notifications(ApiV3Key::new(&sandbox.credentials().apiv3_key).unwrap())
}

async fn receive(
    notifications: &Notifications,
    signed: &SignedNotification,
) -> Result<Notification, NotificationError> {
    notifications
        .receive(|name| signed.header(name), &signed.body)
        .await
}

/// Sources disagree whether personal fields are sealed once more inside the resource; both are read.
#[tokio::test(flavor = "multi_thread")]
async fn personal_fields_are_read_sealed_and_plain() {
    let sandbox = still().start().await.unwrap();
    let notifications = notifications(&sandbox);
    for fields in [PersonalFields::Plain, PersonalFields::Sealed] {
        let options = NotificationOptions::default().with_personal_fields(fields);
        let signed = sandbox.notification_with(CREATED, &card(), &options).unwrap();
        let notification = receive(&notifications, &signed).await.unwrap();
        assert_eq!(notification.event_type(), CREATED);
        let Event::UserCardCreated(card) = notification.event() else {
            panic!("{notification:?}");
        };
        assert_eq!(card.user_card_code.as_ref().unwrap().as_str(), "478515832665");
        assert_eq!(card.user_card_state.as_str(), "NOT_EFFECTIVE");
        let phone = card.phone_number.as_ref().unwrap().open().unwrap();
        assert_eq!(phone.expose(), "13800138000", "{fields:?}");
        let information = card.user_information.as_ref().unwrap();
        let city = information.common_field_list[0]
            .value
            .as_ref()
            .unwrap()
            .open()
            .unwrap();
        let sports = &information.custom_field_list[0].user_chosen_values;
        let sports: Vec<_> = sports.iter().map(|sport| sport.open().unwrap()).collect();
        assert_eq!(
            (city.expose(), sports[0].expose(), sports[1].expose()),
            ("广州", "游泳", "足球")
        );
        let shown = format!("{notification:?} {notifications:?}");
        for personal in ["13800138000", "广州", "游泳"] {
            assert!(!shown.contains(personal), "{shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_event_has_a_type_and_others_stay_open() {
    let sandbox = still().start().await.unwrap();
    let notifications = notifications(&sandbox);
    let ids = json!({
        "record_id": "r1", "brand_id": "1004", "card_id": "c", "appid": "wx", "openid": "o", "user_card_code": "1",
        "exchange_coupon_template_id": "t", "deduct_points": 18_446_744_073_709_551_615_u64,
        "product_coupon_id": "p", "product_coupon_stock_type": "PRODUCT_COUPON_STOCK_TYPE_BUSI_FAVOR", "stock_id": "s",
        "a_new_key": [1],
    });
    for (event_type, resource) in [
        (CREATED, card()),
        ("BRAND_MEMBER_CARD_SP.USER_CARD.DELETE", card()),
        ("BRAND_MEMBER_CARD_SP.POINT_EXCHANGE_COUPON", ids.clone()),
        ("BRAND_MEMBER_CARD_SP.SYNC_USER_POINT", ids.clone()),
        ("BRAND_MEMBER_CARD_SP.SOMETHING_OF_TOMORROW", ids),
    ] {
        let signed = sandbox.notification(event_type, &resource).unwrap();
        let event = receive(&notifications, &signed).await.unwrap().into_event();
        let fits = matches!(
            (event_type.rsplit('.').next().unwrap(), &event),
            ("CREATE", Event::UserCardCreated(_))
                | ("DELETE", Event::UserCardDeleted(_))
                | ("POINT_EXCHANGE_COUPON", Event::PointExchangeCoupon(_))
                | ("SYNC_USER_POINT", Event::SyncUserPoint(_))
                | ("SOMETHING_OF_TOMORROW", Event::Other { .. })
        );
        assert!(fits, "{event_type}: {event:?}");
        assert_eq!(event.event_type(), event_type);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_are_refused_and_counted_and_other_wrong_signatures_are_refused() {
    let sandbox = still().start().await.unwrap();
    let notifications = notifications(&sandbox);
    for signature in [
        NotificationSignature::Probe,
        NotificationSignature::ProbeNotBase64,
        NotificationSignature::Missing,
        NotificationSignature::ShiftedClock { seconds: 300 },
        NotificationSignature::UnknownSerial,
        NotificationSignature::Wrong,
    ] {
        let options = NotificationOptions::default().with_signature(signature);
        let signed = sandbox.notification_with(CREATED, &card(), &options).unwrap();
        let error = receive(&notifications, &signed).await.unwrap_err();
        let is_probe = matches!(
            signature,
            NotificationSignature::Probe | NotificationSignature::ProbeNotBase64
        );
        assert_eq!(error.is_probe(), is_probe, "{signature:?}: {error:?}");
        let acknowledgement = error.acknowledgement();
        assert_eq!(acknowledgement.status(), 401);
        assert!(acknowledgement.body().contains("FAIL"));
    }
    assert_eq!(notifications.probes(), 2);
    assert!(
        receive(&notifications, &sandbox.notification(CREATED, &card()).unwrap())
            .await
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_does_not_verify_and_another_apiv3_key_does_not_open() {
    let sandbox = still().start().await.unwrap();
    let mut signed = sandbox.notification(CREATED, &card()).unwrap();
    let other = client(&sandbox).notifications(ApiV3Key::new("another-key-of-32-characters----").unwrap());
    let error = receive(&other, &signed).await.unwrap_err();
    assert!(matches!(error, NotificationError::Resource(_)), "{error:?}");
    *signed.body.last_mut().unwrap() = b' ';
    let error = receive(&notifications(&sandbox), &signed).await.unwrap_err();
    assert!(matches!(
        error,
        NotificationError::Unverified(VerifyError::Mismatch { .. })
    ));
    let huge = vec![b' '; 2 * 1024 * 1024];
    let error = notifications(&sandbox)
        .receive(|_| None, &huge)
        .await
        .unwrap_err();
    assert!(matches!(error, NotificationError::TooLarge { .. }));
}

/// While a merchant changes modes, notifications come in both; the serial chooses the key, and an unknown one is learnt.
#[tokio::test(flavor = "multi_thread")]
async fn the_serial_of_the_notification_chooses_the_key() {
    let sandbox = certified().start().await.unwrap();
    let key = || ApiV3Key::new(&sandbox.credentials().apiv3_key).unwrap();
    let both = public_key(&sandbox).and_downloaded_certificates(key());
    let (builder, _) = builder(&sandbox, both);
    let notifications = builder.build().unwrap().notifications(key());
    let certificate = sandbox.platform_certificates()[0].serial.clone();
    for id in [PUBLIC_KEY_ID, certificate.as_str(), PUBLIC_KEY_ID] {
        let options = NotificationOptions::default().signed_by(id);
        let signed = sandbox.notification_with(CREATED, &card(), &options).unwrap();
        receive(&notifications, &signed).await.unwrap();
    }
    // By age with the first one, and at most once more for the unknown key.
    assert!(matches!(sandbox.certificate_downloads(), 1 | 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_a_duplicate_once_it_is_done_and_new_once_it_is_forgotten() {
    let sandbox = still().start().await.unwrap();
    let notifications = notifications(&sandbox).with_deduplication(Arc::new(RecentIds::new(100)));
    let options = NotificationOptions::default().with_id("n-1");
    let signed = sandbox.notification_with(CREATED, &card(), &options).unwrap();
    let first = receive(&notifications, &signed).await.unwrap();
    assert_eq!((first.id(), first.is_duplicate()), ("n-1", false));
    let error = receive(&notifications, &signed).await.unwrap_err();
    assert_eq!(error, NotificationError::InProgress);
    assert_eq!(
        (error.name(), error.acknowledgement().status()),
        ("in_progress", 500)
    );
    assert_eq!(notifications.forget(&first).await.status(), 500);
    let again = receive(&notifications, &signed).await.unwrap();
    assert!(!again.is_duplicate());
    assert_eq!(notifications.done(&again).await, Acknowledgement::success());
    for _ in 0..2 {
        assert!(receive(&notifications, &signed).await.unwrap().is_duplicate());
    }
}

/// What a stranger posts is refused, and what the platform signs but nobody can read is an error with a place.
#[test]
fn no_envelope_makes_it_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sandbox = runtime.block_on(still().start()).unwrap();
    let notifications = notifications(&sandbox);
    let key = include_str!("../../../../tests/vectors/test_wechatpay_pubmode_key.pem");
    let key = PrivateKey::<Platform>::from_pem(key).unwrap();
    let now = NOW.to_string();
    let receive = |body: &[u8]| {
        let message = [format!("{NOW}\nn\n").as_bytes(), body, b"\n"].concat();
        let signature = key.sign(&message).unwrap().to_base64();
        let header = |name: &str| match name {
            "Wechatpay-Timestamp" => Some(now.as_str()),
            "Wechatpay-Nonce" => Some("n"),
            "Wechatpay-Serial" => Some(PUBLIC_KEY_ID),
            _ => Some(signature.as_str()),
        };
        runtime.block_on(notifications.receive(header, body)).unwrap_err()
    };
    let resource = (
        any::<String>(),
        any::<String>(),
        proptest::option::of(any::<String>()),
        any::<String>(),
    );
    proptest!(|(text in any::<String>(), (algorithm, nonce, associated_data, ciphertext) in resource, cut in 0..400_usize)| {
        prop_assert!(
            matches!(receive(text.as_bytes()), NotificationError::Unreadable { .. }),
            "JSON that is no envelope"
        );
        let resource = json!({
            "algorithm": algorithm, "nonce": nonce, "associated_data": associated_data, "ciphertext": ciphertext,
        });
        let envelope = json!({ "id": text, "event_type": CREATED, "resource": resource }).to_string();
        prop_assert!(matches!(receive(envelope.as_bytes()), NotificationError::Resource(_)));
        let cut = cut.min(envelope.len());
        receive(&envelope.as_bytes()[..cut]);
    });
}

#[cfg(feature = "axum")]
mod route {
    //! The route for axum, over a real socket.

    use std::{
        pin::Pin,
        sync::{
            Mutex, PoisonError,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use axum::{Router, extract::Request, middleware};
    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpStream},
        sync::{Semaphore, mpsc},
        task::JoinHandle,
    };
    use wxmember::notification::{self, Begin, Deduplication};

    use super::*;

    const SUCCESS: &str = r#"{"code":"SUCCESS","message":"OK"}"#;

    /// Remembers, and tells the test when a notification ended.
    #[derive(Debug)]
    struct Told {
        recent: RecentIds,
        ended: mpsc::UnboundedSender<&'static str>,
    }

    impl Told {
        fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<&'static str>) {
            let (ended, ends) = mpsc::unbounded_channel();
            let recent = RecentIds::new(100);
            (Arc::new(Self { recent, ended }), ends)
        }
    }

    impl Deduplication for Told {
        fn begin<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = Begin> + Send + 'a>> {
            self.recent.begin(id)
        }

        fn done<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
            Box::pin(async move {
                self.recent.done(id).await;
                let _ = self.ended.send("done");
            })
        }

        fn forget<'a>(&'a self, id: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
            Box::pin(async move {
                self.recent.forget(id).await;
                let _ = self.ended.send("forgotten");
            })
        }
    }

    /// A handler that says when it begins, waits for a permit, and counts how often it came to its end.
    #[derive(Clone)]
    struct Gate {
        begins: mpsc::UnboundedSender<()>,
        permits: Arc<Semaphore>,
        ends: Arc<AtomicUsize>,
    }

    impl Gate {
        fn new() -> (Self, mpsc::UnboundedReceiver<()>) {
            let (begins, begun) = mpsc::unbounded_channel();
            let (permits, ends) = (Arc::new(Semaphore::new(0)), Arc::default());
            (
                Self {
                    begins,
                    permits,
                    ends,
                },
                begun,
            )
        }

        async fn pass(self) -> Result<(), &'static str> {
            self.begins.send(()).unwrap();
            self.permits.acquire().await.unwrap().forget();
            self.ends.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    /// Serves the route on a free port until the handle is aborted.
    async fn serve(app: Router) -> (String, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (host, server)
    }

    fn numbered(sandbox: &Sandbox) -> SignedNotification {
        let options = NotificationOptions::default().with_id("n-1");
        sandbox.notification_with(CREATED, &card(), &options).unwrap()
    }

    /// Posts a notification and returns status and body.
    async fn post(url: &str, signed: &SignedNotification) -> (u16, String) {
        let mut request = reqwest::Client::builder().no_proxy().build().unwrap().post(url);
        for (name, value) in &signed.headers {
            request = request.header(name, value);
        }
        let answer = request.body(signed.body.clone()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_route_hands_out_each_notification_once_and_again_after_a_failure() {
        let sandbox = still().start().await.unwrap();
        let notifications = notifications(&sandbox).with_deduplication(Arc::new(RecentIds::new(100)));
        let handled = Arc::new(Mutex::new(Vec::new()));
        let handler = {
            let handled = handled.clone();
            move |notification: Notification| {
                let mut handled = handled.lock().unwrap_or_else(PoisonError::into_inner);
                handled.push(notification.id().to_owned());
                // The first one cannot be dealt with.
                let outcome = if handled.len() == 1 { Err("MARKER") } else { Ok(()) };
                std::future::ready(outcome)
            }
        };
        let app = notification::route("/notify", notifications, handler);
        let (host, server) = serve(app).await;
        let url = format!("http://{host}/notify");

        let signed = numbered(&sandbox);
        let (status, body) = post(&url, &signed).await;
        assert!(
            status == 500 && body.contains("FAIL") && !body.contains("MARKER"),
            "{status} {body}"
        );
        for _ in 0..2 {
            assert_eq!(post(&url, &signed).await, (200, SUCCESS.to_owned()));
        }
        assert_eq!(*handled.lock().unwrap(), ["n-1", "n-1"]);

        let probe = NotificationOptions::default().with_signature(NotificationSignature::Probe);
        let probe = sandbox.notification_with(CREATED, &card(), &probe).unwrap();
        assert_eq!(post(&url, &probe).await.0, 401);
        let mut huge = signed.clone();
        huge.body = vec![b' '; 2 * 1024 * 1024];
        assert_eq!(post(&url, &huge).await.0, 413);
        server.abort();
    }

    /// WeChat Pay hangs up after 5 seconds, and hyper then drops what it was doing for the connection.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_handler_outlives_the_connection_and_the_resend_is_a_duplicate() {
        let sandbox = still().start().await.unwrap();
        let (told, mut ended) = Told::new();
        let (gate, mut begun) = Gate::new();
        let handler = {
            let gate = gate.clone();
            move |_: Notification| gate.clone().pass()
        };
        // Dropped together with the request's future.
        let (dropped, mut drops) = mpsc::unbounded_channel();
        let watch = move |request: Request, next: middleware::Next| {
            let guard = OnDrop(dropped.clone());
            async move {
                let _guard = guard;
                next.run(request).await
            }
        };
        let notifications = notifications(&sandbox).with_deduplication(told);
        let app = notification::route("/notify", notifications, handler).layer(middleware::from_fn(watch));
        let (host, server) = serve(app).await;
        let signed = numbered(&sandbox);

        let mut connection = TcpStream::connect(&host).await.unwrap();
        let mut request = format!(
            "POST /notify HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n",
            signed.body.len()
        );
        for (name, value) in &signed.headers {
            request += &format!("{name}: {value}\r\n");
        }
        let request = [request.as_bytes(), b"\r\n", &signed.body].concat();
        connection.write_all(&request).await.unwrap();
        begun.recv().await.unwrap();
        drop(connection);
        drops.recv().await.unwrap();

        let url = format!("http://{host}/notify");
        let (status, body) = post(&url, &signed).await;
        assert!(status == 500 && body.contains("in progress"), "{status} {body}");
        gate.permits.add_permits(1);
        assert_eq!(ended.recv().await, Some("done"));
        assert_eq!(post(&url, &signed).await, (200, SUCCESS.to_owned()));
        assert_eq!(gate.ends.load(Ordering::SeqCst), 1);
        assert!(begun.try_recv().is_err());
        server.abort();
    }

    /// Tells when it is dropped.
    struct OnDrop(mpsc::UnboundedSender<()>);

    impl Drop for OnDrop {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    /// Whether it panics when it is called or while it is awaited.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_notification_whose_handler_panics_is_new_when_it_comes_again() {
        let sandbox = still().start().await.unwrap();
        let (told, mut ended) = Told::new();
        let calls = Arc::new(AtomicUsize::new(0));
        let handler = {
            let calls = calls.clone();
            move |_: Notification| {
                let call = calls.fetch_add(1, Ordering::SeqCst);
                assert_ne!(call, 0, "MARKER");
                async move {
                    assert_ne!(call, 1, "MARKER");
                    Ok::<_, &str>(())
                }
            }
        };
        let notifications = notifications(&sandbox).with_deduplication(told);
        let (host, server) = serve(notification::route("/notify", notifications, handler)).await;
        let url = format!("http://{host}/notify");
        let signed = numbered(&sandbox);
        for _ in 0..2 {
            let (status, body) = post(&url, &signed).await;
            assert!(
                status == 500 && body.contains("not dealt with"),
                "{status} {body}"
            );
            assert_eq!(ended.recv().await, Some("forgotten"));
        }
        for _ in 0..2 {
            assert_eq!(post(&url, &signed).await, (200, SUCCESS.to_owned()));
        }
        assert_eq!(ended.recv().await, Some("done"));
        assert_eq!(calls.load(Ordering::SeqCst), 3);
        server.abort();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_two_posts_at_once_one_is_handled_and_the_other_has_to_come_again() {
        let sandbox = still().start().await.unwrap();
        let (told, _ended) = Told::new();
        let (gate, mut begun) = Gate::new();
        let handler = {
            let gate = gate.clone();
            move |_: Notification| gate.clone().pass()
        };
        let notifications = notifications(&sandbox).with_deduplication(told);
        let (host, server) = serve(notification::route("/notify", notifications, handler)).await;
        let url = format!("http://{host}/notify");
        let signed = numbered(&sandbox);
        let mut posts = tokio::task::JoinSet::new();
        for _ in 0..2 {
            let (url, signed) = (url.clone(), signed.clone());
            posts.spawn(async move { post(&url, &signed).await });
        }
        // The gate is shut, so the one that is answered is the one that is not handled.
        let (status, body) = posts.join_next().await.unwrap().unwrap();
        assert!(status == 500 && body.contains("in progress"), "{status} {body}");
        begun.recv().await.unwrap();
        gate.permits.add_permits(1);
        let handled = posts.join_next().await.unwrap().unwrap();
        assert_eq!(handled, (200, SUCCESS.to_owned()));
        assert_eq!(post(&url, &signed).await, handled);
        assert_eq!(gate.ends.load(Ordering::SeqCst), 1);
        assert!(begun.try_recv().is_err());
        server.abort();
    }
}
