//! A route for axum receives what the sandbox sends: a new card, the same notification again, and a signature probe.
//!
//!     cargo run --example notifications

#![expect(clippy::print_stdout, reason = "an example shows its outcome")]

use std::{error::Error, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use serde_json::json;
use tower::ServiceExt;
use wxmember::{
    ApiV3Key, Client, Event, Merchant, MerchantKey, PlatformKey, Trust,
    notification::{self, Notification, RecentIds},
};
use wxmember_sandbox::{NotificationOptions, NotificationSignature, Sandbox, SignedNotification};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let sandbox = Sandbox::start().await?;
    let credentials = sandbox.credentials();
    let key = MerchantKey::from_pem(&credentials.merchant_key_pem)?;
    let platform = PlatformKey::from_pem(&credentials.platform_key_pem)?;
    let client = Client::builder()
        .merchant(Merchant::new(
            &credentials.mchid,
            &credentials.merchant_serial,
            key,
        )?)
        .trust(Trust::public_key(&credentials.platform_key_id, platform)?)
        .with_base_url(sandbox.base_url())
        .build()?;

    let notifications = client
        .notifications(ApiV3Key::new(&credentials.apiv3_key)?)
        .with_deduplication(Arc::new(RecentIds::new(10_000)));
    // Put it behind your server: `axum::serve(listener, app).await`.
    let app = notification::route("/wechatpay/notify", notifications, handle);

    let resource = json!({
        "user_card_code": "478515832665",
        "card_id": credentials.card_id,
        "openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA",
        "brand_id": credentials.brand_id,
        "card_type": "NORMAL",
        "phone_number": "13800138000",
        "valid_date_information": { "type": "PERMANENT" },
        "pickup_time": "2020-05-20T13:29:35.120+08:00",
        "user_card_state": "NOT_EFFECTIVE",
        "create_time": "2020-05-20T13:29:35+08:00",
        "modify_time": "2020-05-20T13:29:35+08:00",
    });
    let event = "BRAND_MEMBER_CARD_SP.USER_CARD.CREATE";
    let signed = sandbox.notification(event, &resource)?;
    let probe = NotificationOptions::default().with_signature(NotificationSignature::Probe);
    let probe = sandbox.notification_with(event, &resource, &probe)?;
    for (what, signed) in [("new", &signed), ("again", &signed), ("probe", &probe)] {
        let answer = app.clone().oneshot(request(signed)?).await?;
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 4096).await?;
        println!("{what:5} answered {status} {}", String::from_utf8_lossy(&body));
    }
    sandbox.shutdown().await;
    Ok(())
}

/// Your own code: what is to be done with a notification, within 5 seconds. With `Ok` the route says that it is done; after an
/// error or a panic it forgets the notification, so that it is new when the platform sends it again.
async fn handle(notification: Notification) -> Result<(), std::io::Error> {
    match notification.event() {
        // After a card was taken in the joining component, call `confirm_user_card`, or it does not open.
        Event::UserCardCreated(card) => println!(
            "      created, phone number given: {}",
            card.phone_number.is_some()
        ),
        other => println!("      {}", other.event_type()),
    }
    Ok(())
}

fn request(signed: &SignedNotification) -> Result<Request<Body>, axum::http::Error> {
    let mut request = Request::post("/wechatpay/notify");
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    request.body(Body::from(signed.body.clone()))
}
