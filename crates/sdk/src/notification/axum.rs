//! A route for axum that does everything between the socket and your code.

use std::fmt::Display;

use ::axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};

use super::{Acknowledgement, LARGEST, Notification, Notifications};

/// A router with one path, such as `/wechatpay/notify`, that receives notifications and calls `handler` with each new one.
///
/// A duplicate is acknowledged and not handed to `handler`. When `handler` fails, the platform is told so and sends the
/// notification again. The answer must be there within 5 seconds: put longer work into a queue.
///
/// ```no_run
/// # async fn demo(client: wxmember::Client, key: wxmember::ApiV3Key) -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use wxmember::notification::{self, Notification, RecentIds};
///
/// let notifications = client.notifications(key).with_deduplication(Arc::new(RecentIds::new(10_000)));
/// let app = notification::route("/wechatpay/notify", notifications, |notification: Notification| async move {
///     println!("{}", notification.event_type());
///     Ok::<_, std::io::Error>(())
/// });
/// # let _: axum::Router = app;
/// # Ok(()) }
/// ```
pub fn route<H, F, E>(path: &str, notifications: Notifications, handler: H) -> Router
where
    H: Fn(Notification) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Display + Send + 'static,
{
    let receive = move |headers: HeaderMap, body: Bytes| {
        let (notifications, handler) = (notifications.clone(), handler.clone());
        async move {
            let header = |name: &'static str| headers.get(name).and_then(|value| value.to_str().ok());
            match notifications.receive(header, &body).await {
                Ok(notification) if notification.is_duplicate() => Acknowledgement::success(),
                Ok(notification) => match handler(notification.clone()).await {
                    Ok(()) => Acknowledgement::success(),
                    Err(_) => {
                        // Its text is the caller's and may hold anything, so it goes neither out nor into the log.
                        tracing::warn!(id = notification.id(), "the notification was not dealt with");
                        notifications.forget(&notification).await;
                        Acknowledgement::failure(500, "not dealt with")
                    }
                },
                Err(error) => error.acknowledgement(),
            }
        }
    };
    Router::new()
        .route(path, post(receive))
        .layer(DefaultBodyLimit::max(LARGEST))
}

impl IntoResponse for Acknowledgement {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let json = [(header::CONTENT_TYPE, "application/json")];
        (status, json, self.body().to_owned()).into_response()
    }
}
