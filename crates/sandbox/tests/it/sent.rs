//! Notifications over real sockets, as a merchant's server gets them. Time is moved by hand.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use wxmember_sandbox::{
    AttemptOutcome, Clock, Delivery, DeliveryState, NotificationOptions, NotificationSignature, Sandbox,
    Sending,
};

use crate::client::{builder, control_by, identity, platform_key, sandbox, verify};

const CREATE: &str = "BRAND_MEMBER_CARD_SP.USER_CARD.CREATE";
const CARD: &str = "pbLatjvWOibDc5-TBnbUk1pD12o0";

/// What arrived at the merchant's server.
struct Arrived {
    head: String,
    body: Vec<u8>,
}

impl Arrived {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn envelope(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn verified(&self, sandbox: &Sandbox) -> Result<(), String> {
        verify(&platform_key(sandbox), |name| self.header(name), &self.body)
    }
}

/// A merchant's server that answers with these statuses, then with 200.
async fn merchant(statuses: &'static [u16]) -> (String, mpsc::UnboundedReceiver<Arrived>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut statuses = statuses.iter().copied();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let (head, length) = loop {
                assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
                let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                    continue;
                };
                let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
                let length = head.to_ascii_lowercase();
                let length = length
                    .split("content-length:")
                    .nth(1)
                    .unwrap()
                    .lines()
                    .next()
                    .unwrap();
                break (head, end + 4 + length.trim().parse::<usize>().unwrap());
            };
            while bytes.len() < length {
                assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
            }
            let start = head.len() + 4;
            let body = bytes[start..length].to_vec();
            let status = statuses.next().unwrap_or(200);
            let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            if sender.send(Arrived { head, body }).is_err() {
                return;
            }
        }
    });
    (url, receiver)
}

fn only(sandbox: &Sandbox) -> Delivery {
    let [delivery] = <[Delivery; 1]>::try_from(sandbox.deliveries()).unwrap();
    delivery
}

fn outcomes(delivery: &Delivery) -> Vec<AttemptOutcome> {
    delivery.attempts.iter().map(|attempt| attempt.outcome).collect()
}

const fn answered(status: u16) -> AttemptOutcome {
    AttemptOutcome::Answered { status }
}

#[tokio::test]
async fn a_member_who_takes_a_card_is_notified_of() {
    let (url, mut merchant) = merchant(&[204]).await;
    let identity = identity().with_notify_url(&url);
    let sandbox = builder().with_identity(identity).start().await.unwrap();
    let card = sandbox.take_card(CARD, "13800138000").unwrap();
    sandbox.deliver_notifications().await;
    let arrived = merchant.recv().await.unwrap();
    assert!(arrived.head.starts_with("POST /notify HTTP/1.1"));
    arrived.verified(&sandbox).unwrap();
    let envelope = arrived.envelope();
    assert_eq!(envelope["event_type"], CREATE);
    let opened = crate::notification::opened(&sandbox, &envelope);
    assert_eq!(
        (&opened["phone_number"], &opened["user_card_state"]),
        (&json!("13800138000"), &json!("UNACTIVATED"))
    );
    assert_eq!(opened["user_card_code"], card.user_card_code());

    let code = card.user_card_code();
    sandbox.ask_for_exchange(CARD, code, 5).unwrap();
    sandbox.look_at_points(CARD, code).unwrap();
    sandbox.delete_card(CARD, code).unwrap();
    sandbox.deliver_notifications().await;
    for event in ["POINT_EXCHANGE_COUPON", "SYNC_USER_POINT", "USER_CARD.DELETE"] {
        let envelope = merchant.recv().await.unwrap().envelope();
        assert_eq!(envelope["event_type"], format!("BRAND_MEMBER_CARD_SP.{event}"));
        let opened = crate::notification::opened(&sandbox, &envelope);
        assert_eq!(opened["user_card_code"], code);
    }
    assert!(
        sandbox
            .deliveries()
            .iter()
            .all(|delivery| delivery.state == DeliveryState::Taken)
    );
    assert!(!format!("{:?}", sandbox.deliveries()).contains("13800138000"));
}

#[tokio::test]
async fn what_is_not_taken_comes_again_every_minute_under_its_id() {
    let (url, mut merchant) = merchant(&[500, 404]).await;
    let sandbox = sandbox().await;
    let resource = json!({"brand_id": "1004"});
    let sent = sandbox.send_notification(CREATE, &resource, &Sending::to(url));
    sandbox.deliver_notifications().await;
    assert_eq!(outcomes(&only(&sandbox)), [answered(500)]);
    sandbox.clock().advance(Duration::from_secs(59));
    sandbox.deliver_notifications().await;
    assert_eq!(only(&sandbox).attempts.len(), 1);
    for _ in 0..3 {
        sandbox.clock().advance(Duration::from_secs(60));
        sandbox.deliver_notifications().await;
    }
    let delivery = only(&sandbox);
    assert_eq!(outcomes(&delivery), [answered(500), answered(404), answered(200)]);
    assert_eq!(delivery.state, DeliveryState::Taken);
    let mut nonces = Vec::new();
    for _ in 0..3 {
        let arrived = merchant.recv().await.unwrap();
        arrived.verified(&sandbox).unwrap();
        assert_eq!(arrived.envelope()["id"], sent.id);
        nonces.push(arrived.header("Wechatpay-Nonce").unwrap().to_owned());
    }
    nonces.dedup();
    assert_eq!(nonces.len(), 3, "each attempt is signed anew");
}

#[tokio::test]
async fn after_eleven_repeats_it_is_given_up() {
    let sandbox = sandbox().await;
    // A port that was free a moment ago, and that nobody listens at.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    sandbox.send_notification(CREATE, &json!({}), &Sending::to(url));
    for _ in 0..20 {
        sandbox.deliver_notifications().await;
        sandbox.clock().advance(Duration::from_secs(60));
    }
    let delivery = only(&sandbox);
    assert_eq!(outcomes(&delivery), [AttemptOutcome::NoConnection; 12]);
    assert_eq!(delivery.state, DeliveryState::GivenUp);
}

#[tokio::test]
async fn probes_come_before_and_duplicates_after() {
    let (url, mut merchant) = merchant(&[401, 200]).await;
    let sandbox = sandbox().await;
    let sending = Sending::to(url).with_probes(2).with_duplicates(1);
    sandbox.send_notification(CREATE, &json!({}), &sending);
    sandbox.deliver_notifications().await;
    let delivery = only(&sandbox);
    let signatures: Vec<_> = delivery
        .attempts
        .iter()
        .map(|attempt| attempt.signature)
        .collect();
    let (probe, right) = (NotificationSignature::Probe, NotificationSignature::Right);
    assert_eq!(signatures, [probe, probe, right, right]);
    // The second probe was taken, which is the merchant's mistake.
    assert!(delivery.attempts[1].outcome.is_taken());
    let mut ids = Vec::new();
    for index in 0..4 {
        let arrived = merchant.recv().await.unwrap();
        assert_eq!(arrived.verified(&sandbox).is_ok(), index >= 2);
        ids.push(arrived.envelope()["id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn a_wrong_signature_is_sent_once() {
    let (url, mut merchant) = merchant(&[401]).await;
    let sandbox = sandbox().await;
    let options = NotificationOptions::default().with_signature(NotificationSignature::Wrong);
    sandbox.send_notification(CREATE, &json!({}), &Sending::to(url).with_options(options));
    for _ in 0..3 {
        sandbox.deliver_notifications().await;
        sandbox.clock().advance(Duration::from_secs(60));
    }
    assert_eq!(outcomes(&only(&sandbox)), [answered(401)]);
    assert_eq!(
        merchant.recv().await.unwrap().verified(&sandbox),
        Err("wrong signature".to_owned())
    );
}

#[tokio::test]
async fn only_plain_http_addresses_are_sent_to() {
    let secure = sandbox().await;
    secure.send_notification(CREATE, &json!({}), &Sending::to("https://127.0.0.1/"));
    secure.deliver_notifications().await;
    assert_eq!(outcomes(&only(&secure)), [AttemptOutcome::NoTls]);
    assert_eq!(only(&secure).state, DeliveryState::GivenUp);
    for url in [
        "ftp://127.0.0.1/",
        "127.0.0.1",
        "http://",
        "http://a@127.0.0.1/",
        "",
    ] {
        let sandbox = sandbox().await;
        sandbox.send_notification(CREATE, &json!({}), &Sending::to(url));
        sandbox.deliver_notifications().await;
        let delivery = only(&sandbox);
        assert_eq!(outcomes(&delivery), [AttemptOutcome::WrongUrl], "{url}");
        assert_eq!(delivery.state, DeliveryState::GivenUp);
    }
}

#[tokio::test]
async fn a_template_with_a_real_address_is_notified_where_the_test_listens() {
    let (url, mut merchant) = merchant(&[]).await;
    let identity = identity().with_notify_url("https://merchant.example/notify");
    let sandbox = builder()
        .with_identity(identity)
        .with_notify_url(url)
        .start()
        .await
        .unwrap();
    sandbox.take_card(CARD, "13800138000").unwrap();
    sandbox.deliver_notifications().await;
    merchant.recv().await.unwrap().verified(&sandbox).unwrap();
    assert_eq!(only(&sandbox).state, DeliveryState::Taken);
}

#[tokio::test]
async fn what_follows_on_a_notification_is_sent_with_it_while_time_passes() {
    let (url, mut merchant) = merchant(&[500]).await;
    let sandbox = builder().with_clock(Clock::system()).start().await.unwrap();
    let sending = Sending::to(&url).with_duplicates(2);
    sandbox.send_notification(CREATE, &json!({"brand_id": "1004"}), &sending);
    // It is refused, so that the next try is a minute away; then it is asked for at once.
    merchant.recv().await.unwrap();
    let delivered = control_by(&sandbox, "POST", "/notifications/deliver").await;
    assert_eq!(delivered.status, 200);
    let ok = answered(200);
    assert_eq!(outcomes(&only(&sandbox)), [answered(500), ok, ok, ok]);
    assert_eq!(only(&sandbox).state, DeliveryState::Taken);
}
