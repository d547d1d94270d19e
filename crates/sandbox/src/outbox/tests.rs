//! Turns: how often each notification is sent while time passes and receivers refuse.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{clock::Clock, gateway::tests::gateway};

/// A receiver that refuses everything, and takes so long for it that a retry is due by then.
async fn slow_receiver(clock: Clock) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
            }
            clock.advance(RETRY_AFTER + Duration::from_secs(1));
            let answer = b"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    });
    url
}

#[tokio::test]
async fn each_has_one_turn_however_much_time_passes_meanwhile() {
    let gateway = gateway();
    let url = slow_receiver(gateway.clock.clone()).await;
    for _ in 0..3 {
        let resource = json!({"brand_id": "1004"});
        let outbox = &gateway.outbox;
        outbox.push(
            &gateway,
            "BRAND_MEMBER_CARD_SP.USER_CARD.CREATE",
            resource,
            &Sending::to(&url),
        );
    }
    let attempts = || {
        let deliveries = gateway.outbox.deliveries();
        let attempts = deliveries.iter().map(|delivery| delivery.attempts.len());
        attempts.collect::<Vec<_>>()
    };
    for turn in 1..=12 {
        let which = match turn % 2 {
            0 => Which::Waiting,
            _ => Which::Due,
        };
        gateway.clock.advance(RETRY_AFTER);
        gateway.outbox.deliver(&gateway, which).await;
        assert_eq!(attempts(), [turn; 3]);
    }
    let deliveries = gateway.outbox.deliveries();
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery.state == DeliveryState::GivenUp)
    );
    assert_eq!(gateway.outbox.next_due(), None);
}
